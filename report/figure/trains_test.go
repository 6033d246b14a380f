package figure

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// One mark a spike, up to a number that an SVG holds with ease.
func TestTrains(t *testing.T) {
	few, err := Trains("x", "time", 0, 4, []Train{{"a", []float64{0, 1, 4}}, {"b", []float64{2}}})
	if err != nil {
		t.Fatal(err)
	}
	svg := string(few.SVG())
	if strings.Contains(svg, "<image") || !strings.Contains(svg, ">a<") || !strings.Contains(svg, "4 spikes") {
		t.Errorf("a picture of few spikes, or no names: %.400s", svg)
	}
	for name, c := range map[string]struct {
		start, stop float64
		trains      []Train
	}{
		"no trains": {0, 1, nil}, "empty window": {1, 1, []Train{{}}}, "outside": {0, 1, []Train{{"a", []float64{2}}}},
		"not a number": {0, 1, []Train{{"a", []float64{nan}}}}, "too many": {0, 1, make([]Train, maxCells+1)},
	} {
		if _, err := Trains("x", "time", c.start, c.stop, c.trains); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Control characters in names leave the document well-formed, and none in it; the raster
// of one unit is drawn as any.
func TestControlCharactersInNames(t *testing.T) {
	const name = "a\x1b[31m\u202e<b>"
	f, err := Trains(name, "time", 0, 4, []Train{{name, []float64{1}}})
	if err != nil {
		t.Fatal(err)
	}
	svg := string(f.SVG())
	d := xml.NewDecoder(strings.NewReader(svg))
	for err == nil {
		_, err = d.Token()
	}
	if !errors.Is(err, io.EOF) || strings.ContainsAny(svg, "\x1b\u202e") || strings.Count(svg, `a\x1b[31m\u202e&lt;b&gt;`) != 2 {
		t.Errorf("%v: %.600s", err, svg)
	}
	if !strings.Contains(svg, ">1 train<") || !strings.Contains(svg, ">1 spike<") {
		t.Errorf("one train: %.600s", svg)
	}
}
