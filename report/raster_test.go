package report

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"synfire/internal/rng"
	"synfire/report/figure"
)

// decode is what raster.js does.
func decode(t *testing.T, l rasterLayer) []float64 {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(l.Data)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float64, l.Steps*l.Units)
	if l.Code == "bits" {
		for i := range values {
			values[i] = float64(raw[i/8] >> (i % 8) & 1)
		}
		return values
	}
	for slot := 0; len(raw) > 0; slot++ {
		gap, n := binary.Uvarint(raw)
		slot += int(gap)
		values[slot], raw = 1, raw[n:]
	}
	return values
}

// Sparse layers take about a byte a spike, dense ones a bit a slot, and both
// come back as they were.
func TestEncodeRaster(t *testing.T) {
	for _, c := range []struct {
		rate float64
		code string
	}{{0, "gaps"}, {0.001, "gaps"}, {0.05, "gaps"}, {0.3, "bits"}, {1, "bits"}} {
		l := figure.Layer{Name: "l", Steps: 7, Units: 301, Values: make([]float64, 7*301)}
		r := rng.New(1, rng.Eval).Source()
		for i := range l.Values {
			if r.Float64() < c.rate {
				l.Values[i] = 1
			}
		}
		got := encodeRaster([]figure.Layer{l})
		if len(got) != 1 || got[0].Code != c.code || !slices.Equal(decode(t, got[0]), l.Values) {
			t.Errorf("rate %v: %+v", c.rate, got)
		}
	}
}

// Graded layers, and what is too large, are not in the page.
func TestEncodeRasterLeavesOut(t *testing.T) {
	large := figure.Layer{Name: "large", Steps: 1, Units: 8*rasterBytes - 64, Values: slices.Repeat([]float64{1}, 8*rasterBytes-64)}
	small := figure.Layer{Name: "small", Steps: 1, Units: 80, Values: slices.Repeat([]float64{1}, 80)}
	graded := figure.Layer{Name: "graded", Steps: 1, Units: 1, Values: []float64{0.5}}
	var names []string
	for _, l := range encodeRaster([]figure.Layer{graded, large, small}) {
		names = append(names, l.Name)
	}
	if strings.Join(names, " ") != "large" {
		t.Errorf("%q, want the large layer alone", names)
	}
}

// A layer's name cannot end the element that holds the data.
func TestRasterNameIsText(t *testing.T) {
	l := figure.Layer{Name: "</script><script>alert(1)</script>", Steps: 1, Units: 1, Values: []float64{1}}
	f := Figure{SVG: []byte(`<svg xmlns="http://www.w3.org/2000/svg"><g/></svg>`), Alt: "a", Raster: []figure.Layer{l}}
	b, err := Page{Sections: []Section{{Figures: []Figure{f}}}}.HTML()
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(b), "<script"); n != 2 {
		t.Errorf("%d scripts, want two:\n%s", n, b)
	}
	if !strings.Contains(string(b), "<script>"+rasterScript+"</script>") {
		t.Error("the script in the page is not the one that its policy admits")
	}
	f.SVG, f.PNG = nil, []byte("\x89PNG\r\n\x1a\n")
	if _, err := (Page{Sections: []Section{{Figures: []Figure{f}}}}).HTML(); err == nil {
		t.Error("a raster without its SVG: no error")
	}
}

// A page that names some of the run's facts itself has each once.
func TestPageOf(t *testing.T) {
	r := Run{Run: "r", Recipe: "stbp", Scale: Short, Seed: 3, Dir: "runs/r", Metrics: Metrics{"a": 1}}
	p := Page{Facts: append(r.Facts(), Fact{"data", "MNIST"})}.Of(r)
	if want := append(r.Facts(), Fact{"data", "MNIST"}); !slices.Equal(p.Facts, want) {
		t.Errorf("%v, want %v", p.Facts, want)
	}
	if p.Reproduce != "synfire run stbp --scale short --seed 3" || p.Subtitle != "recipe stbp, scale short" || p.Metrics["a"] != 1 {
		t.Errorf("%+v", p)
	}
	r.Recipe = ""
	if p := (Page{}).Of(r); p.Reproduce != "synfire train runs/r/config.yaml" {
		t.Errorf("%q", p.Reproduce)
	}
}

// A figure's file tells what it shows; its text is escaped.
// Names from outside, in whatever place of a figure, leave its document well-formed.
func TestControlCharactersInCaptions(t *testing.T) {
	f := Figure{SVG: []byte(`<svg xmlns="http://www.w3.org/2000/svg"><g/></svg>`), Alt: "a\x1b[31m", Caption: "b\u202e\x07\r\nc"}
	got := f.Document()
	if err := checkSVG(got); err != nil || !strings.Contains(string(got), `>a\x1b[31m</title>`) || !strings.Contains(string(got), `>b\u202e\a`+"\nc</desc>") {
		t.Errorf("%v: %s", err, got)
	}
}

// A page has no control characters of names and files either.
func TestControlCharactersInPages(t *testing.T) {
	const evil = "a\x1b[31m\u202eb"
	p := Page{Title: evil, Lead: evil, Config: "x: 1\n\ty: " + evil, Facts: []Fact{{Label: evil, Value: evil}}, Sections: []Section{{Title: evil, Text: evil}}}
	got, err := p.HTML()
	if err != nil || strings.ContainsAny(string(got), "\x1b\u202e") || !strings.Contains(string(got), "x: 1\n\ty: a\\x1b[31m\\u202eb") {
		t.Errorf("%v: %s", err, got)
	}
	if got := string(p.Markdown()); strings.ContainsAny(got, "\x1b\u202e") {
		t.Errorf("as Markdown: %q", got)
	}
}

func TestDocument(t *testing.T) {
	f := Figure{SVG: []byte(`<?xml version="1.0"?><svg a=">"><g/></svg>`), Alt: "a < b", Caption: "c"}
	want := `<?xml version="1.0"?><svg role="img" aria-labelledby="figure-title figure-desc" a=">"><title id="figure-title">a &lt; b</title><desc id="figure-desc">c</desc><g/></svg>`
	if got := string(f.Document()); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	f.PNG = []byte("png")
	if string(f.Document()) != "png" {
		t.Error("a picture is not its own file")
	}
}
