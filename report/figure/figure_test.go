package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
)

var nan = math.NaN()

// samples is one figure of each kind, small and ordinary.
func samples(t *testing.T) map[string]Figure {
	t.Helper()
	all := map[string]Figure{}
	add := func(name string) func(Figure, error) {
		return func(f Figure, err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all[name] = f
		}
	}
	spikes := make([]float64, 16*200)
	for i := range spikes {
		if i%7 == 0 || i%11 == 3 {
			spikes[i] = 1
		}
	}
	ramp := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(i) / float64(n)
		}
		return x
	}
	add("training")(Training("Training <&>", History{TrainLoss: []float64{1, 0.5, 0.3}, TestLoss: []float64{nan, 0.6, 0.5}, TestAccuracy: []float64{90, 95, 96}}))
	add("curves")(Curves("Accuracy over steps", "steps", Panel{Name: "accuracy (%)", Series: []Series{{Name: "SNN", X: []float64{8, 16, 64}, Y: []float64{50, 80, 90}}}}))
	add("confusion")(Confusion("Test images", [][]int{{98, 2}, {0, 0}}, []string{"a & b", "c"}))
	add("large confusion")(Confusion("Many classes", diagonal(100), nil))
	add("raster")(Raster("Spikes", []Layer{{"hidden", 16, 200, spikes}, {"silent", 16, 3, make([]float64, 48)}}))
	add("membrane")(Membrane("Membranes", []Trace{{"unit 1", ramp(20), 0.5, []int{10, 19}}, {"flat", make([]float64, 20), 0, nil}}))
	add("filters")(Filters("Filters", 2, 3, [][]float64{{-1, 0, 1, 0.5, -0.5, 0}, make([]float64, 6)}))
	add("pictures")(Pictures("Misclassified", 0, []Picture{{2, 2, 1, []float64{0, 0.2, 0.9, 1}, "4 → 9"}}))
	add("long captions")(Pictures("Misclassified", 0, garments(21)))
	add("reconstructions")(Pictures("Samples and outputs", 2, colours(14)))
	add("matched trains")(Matched("Target and output", "time (s)", 0, 1, []Pair{{"unit 0", []float64{0.1, 0.3, 0.7}, []float64{0.1, 0.35, 0.72, 0.9}}, {"unit 1", nil, []float64{0.5}}, {"unit 2", []float64{0, 1}, []float64{0, 1}}}))
	add("busy raster")(Raster("Spikes by layer", []Layer{busy("input", 25, 784, 0.13), busy("conv", 25, 4608, 0.3), busy("few", 25, 10, 0.3)}))
	add("short raster")(Raster("Spikes by layer", []Layer{busy("conv", 5, 4608, 0.3), busy("out", 5, 10, 0.2)}))
	add("long raster")(Raster("Spikes by layer", []Layer{busy("conv", 300, 400, 0.05)}))
	add("crowded map")(Scatter("Map of layers", ScatterOptions{Map: true}, crowded()...))
	add("predictions")(Scatter("Predicted against true values", ScatterOptions{X: "true (mV)", Y: "predicted (mV)", Diagonal: true}, predictions(1500)))
	add("tree of many")(Heatmap("Distances of spike trains", Grid{Values: correlations(24), Quantity: "SPIKE distance", Tree: chain(24)}))
	dense := Train{Name: "dense"}
	for i := range 5000 {
		dense.Times = append(dense.Times, float64(i)/5000)
	}
	add("trains")(Trains("Trains", "time (s)", 0, 1, []Train{{"a", []float64{0, 0.2, 1}}, {"silent", nil}}))
	add("dense trains")(Trains("Dense", "time (s)", 0, 1, []Train{dense, {"b", []float64{0.5}}}))
	add("rates")(Rates("Rates", []Rate{{"hidden", 0.12}, {"silent", 0}}))
	add("theory")(Curves("Distance over rate", "rate (Hz)",
		Panel{Name: "distance", LogX: true, LogY: true, Series: []Series{
			{Name: "measured", X: []float64{1, 10, 100}, Y: []float64{0.01, 0.1, nan}, Low: []float64{0.008, 0.09, 0.5}, High: []float64{0.02, 0.2, 1}},
			{Name: "theory", X: []float64{1, 100}, Y: []float64{0.01, 1}, Reference: true}}}))
	add("scatter")(Scatter("Two models", ScatterOptions{X: "a (%)", Y: "b (%)", Diagonal: true},
		Cloud{"spiking", []float64{1, 2, 3}, []float64{1, 3, 2}, []string{"one", "", "at the end"}}, Cloud{"other", []float64{2}, []float64{2}, nil}))
	add("map")(Scatter("A map", ScatterOptions{Map: true}, Cloud{X: []float64{-1, 1, 5}, Y: []float64{0, 1, 0}, Labels: []string{"a", "b", "c"}}))
	five := make([]Cloud, 5)
	for i := range five {
		five[i] = Cloud{Name: string(rune('a' + i)), X: []float64{1, 10, 100}, Y: []float64{float64(i), 2, 3}}
	}
	add("joined")(Scatter("Five lines", ScatterOptions{X: "cost", Y: "error (%)", LogX: true, Joined: true}, five...))
	reference := 3.0
	add("bars")(Bars("Operations", "operations (M)", []Bar{
		{Name: "dense", Value: 2.5, Reference: &reference, Group: "A"}, {Name: "spiking", Value: -0.5, Low: -1, High: 0.25, Group: "B"}}))
	add("heat map")(Heatmap("Distances", Grid{Values: [][]float64{{0, 2, 1}, {2, 0, nan}, {1, 3, 0}}, Rows: []string{"a", "b", "c"},
		Columns: []string{"a", "b", "c & d"}, RowAxis: "train", ColumnAxis: "train", Quantity: "distance (ms)", Tree: []Join{{0, 2, 1}, {3, 1, 2}}}))
	add("large heat map")(Heatmap("Correlations", Grid{Values: correlations(100)}))
	return all
}

// garments are pictures with captions of long words.
func garments(n int) (list []Picture) {
	names := []string{"Shirt", "T-shirt/top", "Ankle boot", "Sneaker", "Pullover"}
	for i := range n {
		p := Picture{Height: 28, Width: 28, Caption: names[i%5] + " → " + names[(i*3+1)%5]}
		for k := range 28 * 28 {
			p.Pixels = append(p.Pixels, 0.5+0.5*math.Sin(float64(k*(i+1))/90))
		}
		list = append(list, p)
	}
	return list
}

// colours are pictures of three channels, in pairs.
func colours(n int) (list []Picture) {
	for i := range n {
		p := Picture{Height: 8, Width: 8, Channels: 3, Caption: []string{"sample", "output"}[i%2]}
		for k := range 8 * 8 * 3 {
			p.Pixels = append(p.Pixels, 0.5+0.5*math.Sin(float64(k*(i/2+1))/20))
		}
		list = append(list, p)
	}
	return list
}

// busy is a layer that fires at a rate, without a pattern.
func busy(name string, steps, units int, rate float64) Layer {
	l := Layer{Name: name, Steps: steps, Units: units, Values: make([]float64, steps*units)}
	r := rand.New(rand.NewPCG(1, uint64(units)))
	for i := range l.Values {
		if r.Float64() < rate {
			l.Values[i] = 1
		}
	}
	return l
}

// crowded are the clouds of docs/papers/bnn-ann/map.svg: three layers of each of two
// seeds of four networks, many of them in nearly one place.
func crowded() []Cloud {
	layers := []string{"hidden 1", "hidden 2", "output"}
	at := map[string][]float64{
		"real-valued":            {-3.1, -1.9, -3.75, -0.9, -4.3, -0.5, -3.08, -1.92, -3.65, -1.05, -4.25, -0.65},
		"real-valued, untrained": {0.2, -3.8, 0.85, -3.25, 2.05, 1.25, 0.2, -3.8, 0.85, -3.25, 2.05, 1.25},
		"spiking":                {-3, -2.15, -3.85, -0.85, -4.4, 0, -2.97, -2.2, -3.85, -0.83, -4.42, 0.1},
		"spiking, untrained":     {0.7, -3.4, 1.5, -0.2, 2.1, 1.8, 0.7, -3.4, 1.5, -0.2, 2.1, 1.8},
	}
	clouds := []Cloud{{Name: "pixels and labels", X: []float64{-0.5, -2.6}, Y: []float64{-3.7, 1.2}, Labels: []string{"pixels", "labels"}}}
	for _, name := range []string{"real-valued", "real-valued, untrained", "spiking", "spiking, untrained"} {
		c := Cloud{Name: name}
		for i, v := range at[name] {
			if i%2 == 0 {
				c.X, c.Labels = append(c.X, v), append(c.Labels, layers[i/2%3])
			} else {
				c.Y = append(c.Y, v)
			}
		}
		clouds = append(clouds, c)
	}
	return clouds
}

func predictions(n int) (c Cloud) {
	r := rand.New(rand.NewPCG(1, 2))
	for range n {
		y := r.NormFloat64()
		c.X, c.Y = append(c.X, y), append(c.Y, 0.9*y+0.2*r.NormFloat64())
	}
	return c
}

// chain is a tree in which each leaf joins all before it.
func chain(n int) (joins []Join) {
	for i := 1; i < n; i++ {
		a := 0
		if i > 1 {
			a = n + i - 2
		}
		joins = append(joins, Join{A: a, B: i, Height: 0.03 * float64(i)})
	}
	return joins
}

func correlations(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		for j := range n {
			m[i] = append(m[i], math.Cos(float64(i-j)/9))
		}
	}
	return m
}

func diagonal(n int) [][]int {
	m := make([][]int, n)
	for i := range m {
		m[i] = make([]int, n)
		m[i][i] = 5
		m[i][0]++
	}
	return m
}

func TestDeterministic(t *testing.T) {
	again := samples(t)
	for name, f := range samples(t) {
		if !bytes.Equal(f.SVG(), f.SVG()) || !bytes.Equal(f.SVG(), again[name].SVG()) {
			t.Errorf("%s: equal input gave different SVG", name)
		}
		a, err := f.PNG(96)
		b, err2 := again[name].PNG(96)
		if err != nil || err2 != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: equal input gave different PNG (%v, %v)", name, err, err2)
		}
	}
}

var reference = regexp.MustCompile(`(?i)href="([^"]*)"|url\(`)

func TestSVGStandsAlone(t *testing.T) {
	for name, f := range samples(t) {
		svg := f.SVG()
		for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		for _, m := range reference.FindAllStringSubmatch(string(svg), -1) {
			if !strings.HasPrefix(m[1], "data:image/png;base64,") {
				t.Errorf("%s refers to %.60q", name, m[0])
			}
		}
		if n := strings.Count(string(svg), "http"); n != 1 { // the namespace
			t.Errorf("%s: %d addresses, want the namespace alone", name, n)
		}
		if len(svg) > 64<<10 {
			t.Errorf("%s takes %d bytes", name, len(svg))
		}
		if strings.Contains(string(svg), "font-family:") {
			t.Errorf("%s repeats the font", name)
		}
	}
}

// Every colour of a shape or text can be replaced by a page: vgsvg's way of
// writing colours, opacities included, is the one that compact knows.
func TestColoursAreProperties(t *testing.T) {
	given := regexp.MustCompile(`(\w+):(#[0-9A-Fa-f]{3,6})(;\w+:var\(--fig-\w+,#[0-9A-Fa-f]+\))?`)
	for name, f := range samples(t) {
		for _, m := range given.FindAllStringSubmatch(string(f.SVG()), -1) {
			if !strings.HasPrefix(m[3], ";"+m[1]+":var(") || !strings.HasSuffix(m[3], ","+m[2]+")") {
				t.Errorf("%s: a colour that no page can replace: %q", name, m[0])
			}
		}
		if n, m := strings.Count(string(f.SVG()), "var("), len(given.FindAllString(string(f.SVG()), -1)); n == 0 || n != m {
			t.Errorf("%s: %d properties for %d colours that viewers without properties know", name, n, m)
		}
	}
	for _, c := range []color.NRGBA{grid, blue, vermillion} {
		for i := 10; i <= 1000; i++ {
			r, g, b, a := tint{c, float64(i) / 1000}.RGBA()
			back := func(v uint32) uint8 { return uint8(float64(v) * (255 / float64(a))) } // as vgsvg does
			if got := (color.NRGBA{back(r), back(g), back(b), 255}); got != c || max(r, g, b) > a {
				t.Fatalf("%v at %.3f is written as %v", c, float64(i)/1000, got)
			}
		}
	}
}

func TestTextIsEscapedAndMeasured(t *testing.T) {
	svg := string(samples(t)["training"].SVG())
	if !strings.Contains(svg, "Training &lt;&amp;&gt;</text>") {
		t.Error("the title is not escaped")
	}
	if n, m := strings.Count(svg, "<text "), strings.Count(svg, "<text textLength="); n == 0 || n != m {
		t.Errorf("%d of %d texts carry their width", m, n)
	}
}

func TestPNG(t *testing.T) {
	f := samples(t)["rates"]
	b, err := f.PNG(192)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if w := img.Bounds().Dx(); w != 960 {
		t.Errorf("%d pixels wide at 192 dots an inch, want 960", w)
	}
	if r, g, b, a := img.At(0, 0).RGBA(); r != 0xffff || g != 0xffff || b != 0xffff || a != 0xffff {
		t.Error("the ground is not white")
	}
	for _, dpi := range []int{0, 23, 1201} {
		if _, err := f.PNG(dpi); err == nil {
			t.Errorf("%d dots an inch: no error", dpi)
		}
	}
}

func TestRefusals(t *testing.T) {
	one := []float64{1}
	cases := map[string]func() (Figure, error){
		"no history":         func() (Figure, error) { return Training("x", History{}) },
		"only gaps":          func() (Figure, error) { return Training("x", History{TestLoss: []float64{nan, nan}}) },
		"infinite loss":      func() (Figure, error) { return Training("x", History{TestLoss: []float64{1, math.Inf(1)}}) },
		"x and y differ":     func() (Figure, error) { return Curves("x", "", Panel{Series: []Series{{X: one}}}) },
		"x not finite":       func() (Figure, error) { return Curves("x", "", Panel{Series: []Series{{X: []float64{nan}, Y: one}}}) },
		"too many series":    func() (Figure, error) { return Curves("x", "", Panel{Series: make([]Series, 7)}) },
		"empty confusion":    func() (Figure, error) { return Confusion("x", nil, nil) },
		"ragged confusion":   func() (Figure, error) { return Confusion("x", [][]int{{1, 2}, {1}}, nil) },
		"negative count":     func() (Figure, error) { return Confusion("x", [][]int{{-1}}, nil) },
		"names do not match": func() (Figure, error) { return Confusion("x", [][]int{{1}}, []string{"a", "b"}) },
		"no layers":          func() (Figure, error) { return Raster("x", nil) },
		"raster shape":       func() (Figure, error) { return Raster("x", []Layer{{"l", 2, 3, make([]float64, 5)}}) },
		"raster of nothing":  func() (Figure, error) { return Raster("x", []Layer{{"l", 0, 3, nil}}) },
		"raster negative":    func() (Figure, error) { return Raster("x", []Layer{{"l", 1, 1, []float64{-1}}}) },
		"raster windows":     func() (Figure, error) { return Raster("x", []Layer{{"a", 1, 1, one}, {"b", 2, 1, []float64{0, 0}}}) },
		"no traces":          func() (Figure, error) { return Membrane("x", nil) },
		"thirteen traces":    func() (Figure, error) { return Membrane("x", make([]Trace, 13)) },
		"late spike":         func() (Figure, error) { return Membrane("x", []Trace{{"a", one, 1, []int{1}}}) },
		"NaN membrane":       func() (Figure, error) { return Membrane("x", []Trace{{"a", []float64{nan}, 1, nil}}) },
		"trace windows": func() (Figure, error) {
			return Membrane("x", []Trace{{"a", one, 1, nil}, {"b", []float64{0, 0}, 1, nil}})
		},
		"no filters":   func() (Figure, error) { return Filters("x", 1, 1, nil) },
		"filter shape": func() (Figure, error) { return Filters("x", 2, 2, [][]float64{one}) },
		"NaN weight":   func() (Figure, error) { return Filters("x", 1, 1, [][]float64{{nan}}) },
		"no pictures":  func() (Figure, error) { return Pictures("x", 0, nil) },
		"pictures of two sizes": func() (Figure, error) {
			return Pictures("x", 0, []Picture{{1, 1, 1, one, ""}, {1, 2, 1, []float64{0, 0}, ""}})
		},
		"pictures of two channels": func() (Figure, error) { return Pictures("x", 0, []Picture{{1, 1, 2, []float64{0, 0}, ""}}) },
		"colours that lack":        func() (Figure, error) { return Pictures("x", 0, []Picture{{1, 1, 3, one, ""}}) },
		"no pairs":                 func() (Figure, error) { return Matched("x", "", 0, 1, nil) },
		"pair outside":             func() (Figure, error) { return Matched("x", "", 0, 1, []Pair{{"a", nil, []float64{2}}}) },
		"pairs of no time":         func() (Figure, error) { return Matched("x", "", 1, 1, []Pair{{}}) },
		"band of another length": func() (Figure, error) {
			return Curves("x", "", Panel{Series: []Series{{Y: one, Low: one}}})
		},
		"zero on a log axis": func() (Figure, error) {
			return Curves("x", "", Panel{LogY: true, Series: []Series{{Y: []float64{1, 0}}}})
		},
		"axes of two kinds": func() (Figure, error) {
			return Curves("x", "", Panel{LogX: true, Series: []Series{{Y: one}}}, Panel{Series: []Series{{Y: one}}})
		},
		"no points":        func() (Figure, error) { return Scatter("x", ScatterOptions{}, Cloud{Name: "a"}) },
		"points of a half": func() (Figure, error) { return Scatter("x", ScatterOptions{}, Cloud{X: one}) },
		"NaN point":        func() (Figure, error) { return Scatter("x", ScatterOptions{}, Cloud{X: one, Y: []float64{nan}}) },
		"log of minus one": func() (Figure, error) {
			return Scatter("x", ScatterOptions{LogX: true}, Cloud{X: []float64{-1}, Y: one})
		},
		"seven clouds":       func() (Figure, error) { return Scatter("x", ScatterOptions{}, make([]Cloud, 7)...) },
		"no bars":            func() (Figure, error) { return Bars("x", "", nil) },
		"NaN bar":            func() (Figure, error) { return Bars("x", "", []Bar{{Value: nan}}) },
		"infinite reference": func() (Figure, error) { inf := math.Inf(1); return Bars("x", "", []Bar{{Reference: &inf}}) },
		"empty grid":         func() (Figure, error) { return Heatmap("x", Grid{}) },
		"ragged grid":        func() (Figure, error) { return Heatmap("x", Grid{Values: [][]float64{one, nil}}) },
		"infinite cell":      func() (Figure, error) { return Heatmap("x", Grid{Values: [][]float64{{math.Inf(1)}}}) },
		"grid of two names":  func() (Figure, error) { return Heatmap("x", Grid{Values: [][]float64{one}, Rows: []string{"a", "b"}}) },
		"scale upside down":  func() (Figure, error) { return Heatmap("x", Grid{Values: [][]float64{one}, Low: 1, High: 0}) },
		"tree of an oblong":  func() (Figure, error) { return Heatmap("x", Grid{Values: [][]float64{{1, 2}}, Tree: []Join{}}) },
		"tree of few joins":  func() (Figure, error) { return Heatmap("x", Grid{Values: correlations(3), Tree: []Join{{0, 1, 1}}}) },
		"tree that joins twice": func() (Figure, error) {
			return Heatmap("x", Grid{Values: correlations(3), Tree: []Join{{0, 1, 1}, {0, 2, 2}}})
		},
		"no rates":      func() (Figure, error) { return Rates("x", nil) },
		"negative rate": func() (Figure, error) { return Rates("x", []Rate{{"a", -0.1}}) },
		"NaN rate":      func() (Figure, error) { return Rates("x", []Rate{{"a", nan}}) },
	}
	for name, f := range cases {
		if _, err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Rows and columns stand in the order of the tree's leaves.
func TestTreeOrders(t *testing.T) {
	d, err := newDendrogram(4, []Join{{2, 0, 1}, {1, 3, 2}, {5, 4, 3}})
	if err != nil || fmt.Sprint(d.order) != "[1 3 2 0]" || d.place[6] != 2 || d.high[6] != 3 {
		t.Fatalf("%+v, %v", d, err)
	}
	g := Grid{Values: [][]float64{{0, 1, 2, 3}, {10, 11, 12, 13}, {20, 21, 22, 23}, {30, 31, 32, 33}}, Rows: []string{"a", "b", "c", "d"}}.ordered(d.order)
	if got := fmt.Sprint(g.Values, g.Rows, g.Columns); got != "[[11 13 12 10] [31 33 32 30] [21 23 22 20] [1 3 2 0]] [b d c a] []" {
		t.Error(got)
	}
}

func TestScale(t *testing.T) {
	for _, c := range []struct {
		grid Grid
		v    float64
		want float64
	}{
		{Grid{Values: [][]float64{{2, 4}}}, 3, 0.5},
		{Grid{Values: [][]float64{{2, 4}}, High: 4}, 3, 0.75},
		{Grid{Values: [][]float64{{-1, 4}}}, -1, -0.25},
		{Grid{Values: [][]float64{{-1, 4}}}, 9, 1},
		{Grid{Values: [][]float64{{3, nan}}}, 3, 0.5},
	} {
		if got := newScale(c.grid).strength(c.v); got != c.want {
			t.Errorf("%+v: %v at %v, want %v", c.grid, got, c.v, c.want)
		}
	}
}

func TestLogTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   string
	}{{0.9, 30, "1 2 5 10 20"}, {1e-3, 1e3, "0.001 0.01 0.1 1 10 100 1000"}, {1e-20, 1, "1e-18 1e-15 1e-12 1e-09 1e-06 0.001 1"}} {
		var got []string
		for _, m := range (logTicks{8}).Ticks(c.lo, c.hi) {
			got = append(got, m.Label)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%v to %v: %s, want %s", c.lo, c.hi, s, c.want)
		}
	}
}

func TestTicks(t *testing.T) {
	cases := []struct {
		ticks  ticks
		lo, hi float64
		want   string
	}{
		{ticks{most: 5}, 0, 1, "0 0.2 0.4 0.6 0.8 1.0"},
		{ticks{most: 5}, 0.02, 0.98, "0.2 0.4 0.6 0.8"},
		{ticks{most: 8, whole: true}, 1, 3, "1 2 3"},
		{ticks{most: 8, whole: true}, 0, 300, "0 50 100 150 200 250 300"},
		{ticks{most: 8, whole: true}, 0.5, 1.5, "1"},
		{ticks{most: 5}, -10, 10, "-10 -5 0 5 10"},
		{ticks{most: 5}, 0, 65e6, "0 2e+07 4e+07 6e+07"},
		{ticks{most: 5}, 98, 99.4, "98.0 98.5 99.0"},
	}
	for _, c := range cases {
		var got []string
		for _, m := range c.ticks.Ticks(c.lo, c.hi) {
			got = append(got, m.Label)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%+v from %v to %v: %s, want %s", c.ticks, c.lo, c.hi, s, c.want)
		}
	}
}

func TestRasterCells(t *testing.T) {
	l := Layer{Name: "l", Steps: 2, Units: 96, Values: make([]float64, 2*96)}
	l.Values[0], l.Values[1] = 1, 1 // step 0, units 0 and 1, of which the first is drawn
	l.Values[96+95] = 1             // step 1, the last unit
	r := newRasterImage(l)
	if len(r.drawn) != 48 || r.cols != 2 || r.cells[0] != 1 || r.peak != 1 || r.mean != 3.0/192 {
		t.Errorf("%d rows, %d columns, first %v, peak %v, mean %v", len(r.drawn), r.cols, r.cells[0], r.peak, r.mean)
	}
	if note := r.note(l); note != "96 units, 48 drawn, rate here 0.0156" {
		t.Errorf("note %q", note)
	}
	long := Layer{Steps: 1024, Units: 1, Values: make([]float64, 1024)}
	long.Values[1] = 1 // one of the two steps of the first column
	if r := newRasterImage(long); r.cols != 512 || r.cells[0] != 0.5 || r.cells[1] != 0 || len(r.drawn) != 1 {
		t.Errorf("%d columns, %v, %v", r.cols, r.cells[0], r.cells[1])
	}
}

// A raster of a layer that fires at 30 % is filled by 30 %, however many its units and
// few its steps; units that share a cell would fill it.
func TestRasterIsNotSolid(t *testing.T) {
	for _, l := range []Layer{busy("l", 5, 4608, 0.3), busy("l", 25, 4608, 0.3), busy("l", 100, 10, 0.3)} {
		r := newRasterImage(l)
		on := 0
		for _, v := range r.cells {
			if v != 0 && v != 1 {
				t.Fatalf("a cell of %v", v)
			}
			on += int(v)
		}
		if share := float64(on) / float64(len(r.cells)); math.Abs(share-0.3) > 4*math.Sqrt(0.3*0.7/float64(len(r.cells))) {
			t.Errorf("%d units, %d steps: %.2f of the cells are filled", l.Units, l.Steps, share)
		}
	}
}

// Units that are drawn ascend, stand all over the layer, and are of all channels.
func TestRasterUnits(t *testing.T) {
	picked := spread(4608, 48)
	channels := map[int]bool{}
	for i, u := range picked {
		if u < i*96 || u >= (i+1)*96 {
			t.Errorf("unit %d is not of part %d", u, i)
		}
		channels[u%8] = true
	}
	if len(channels) != 8 {
		t.Errorf("channels %v of 8", channels)
	}
	if got := fmt.Sprint(spread(3, 48)); got != "[0 1 2]" {
		t.Error(got)
	}
}

// A raster names its axes and its marks.
func TestRasterLegend(t *testing.T) {
	svg := string(samples(t)["busy raster"].SVG())
	for want, n := range map[string]int{">unit</text>": 3, ">time step</text>": 1, ">spike</text>": 1, "4608 units, 48 drawn, rate here 0.": 1, "784 units, 48 drawn, rate here 0.1": 1} {
		if strings.Count(svg, want) != n {
			t.Errorf("%q stands %d times, want %d", want, strings.Count(svg, want), n)
		}
	}
}

// Where cells hold other than single spikes the legend says what the darkest is.
func TestShadedRasterLegend(t *testing.T) {
	f, err := Raster("x", []Layer{{"spikes", 2, 1, []float64{0, 1}}, {"more", 2, 1, []float64{1, 1}}, {"graded", 2, 1, []float64{0.5, 0.25}}})
	if err != nil {
		t.Fatal(err)
	}
	if svg := string(f.SVG()); strings.Count(svg, ">spike</text>") != 1 || strings.Count(svg, ">0.5 a step</text>") != 1 {
		t.Error("want a legend of spikes, and one of the graded layer")
	}
}

// Captions of misclassified pictures are whole.
func TestCaptionsAreWhole(t *testing.T) {
	svg := string(samples(t)["long captions"].SVG())
	if strings.Contains(svg, "…") || !strings.Contains(svg, "T-shirt/top</text>") || !strings.Contains(svg, "→") {
		t.Error("a caption is cut")
	}
	if got := fmt.Sprint(len(wrap("Shirt → T-shirt/top", captionStyle, captionStyle.Width("T-shirt/top")))); got != "2" {
		t.Errorf("%s lines, want 2", got)
	}
}

// Pictures that belong together stand in one row, nearer to each other than to others.
func TestPicturesSideBySide(t *testing.T) {
	for _, n := range []int{2, 3} {
		for _, count := range []int{n, 4 * n, 10 * n} {
			g := newGallery("x", count, 1, 1, 38, 6)
			g.group(n)
			if g.columns%n != 0 {
				t.Errorf("%d columns of groups of %d", g.columns, n)
			}
			if right := g.left(g.columns-1) + g.side; right > width-2*margin+0.01 {
				t.Errorf("the last of %d columns ends at %v", g.columns, right)
			}
			if g.columns > n && g.left(n)-g.left(n-1) <= g.left(1)-g.left(0) {
				t.Errorf("groups of %d are not apart", n)
			}
		}
	}
}

// No label of a crowded map covers another or a point, and each is there.
func TestLabelsDoNotOverlap(t *testing.T) {
	area := vg.Rectangle{Max: vg.Point{X: 350, Y: 350}}
	var all []named
	var points []vg.Rectangle
	texts := map[string]int{}
	for i, c := range crowded() {
		for k := range c.X {
			at := vg.Point{X: vg.Length(180 + 38*c.X[k]), Y: vg.Length(200 + 38*c.Y[k])}
			all, points = append(all, named{c.Labels[k], i, at}), append(points, around(at, pointRoom, pointRoom))
		}
	}
	labels := place(area, share(all), points)
	for i, l := range labels {
		texts[l.text]++
		if !free(area, l, append(append([]placed(nil), labels[:i]...), labels[i+1:]...), points) {
			t.Errorf("label %q at %v covers something", l.text, l.box)
		}
	}
	if fmt.Sprint(texts) != "map[hidden 1:4 hidden 2:4 labels:1 output:4 pixels:1]" {
		t.Errorf("labels %v", texts)
	}
}

func TestCrosses(t *testing.T) {
	r := vg.Rectangle{Min: vg.Point{X: 1, Y: 1}, Max: vg.Point{X: 2, Y: 3}}
	for _, c := range []struct {
		a, b vg.Point
		want bool
	}{
		{vg.Point{X: 0, Y: 2}, vg.Point{X: 5, Y: 2}, true}, {vg.Point{X: 0, Y: 2}, vg.Point{X: 0.9, Y: 2}, false},
		{vg.Point{X: 0, Y: 0}, vg.Point{X: 3, Y: 4}, true}, {vg.Point{X: 0, Y: 2.5}, vg.Point{X: 1.5, Y: 4.2}, false},
		{vg.Point{X: 1.5, Y: 2}, vg.Point{X: 1.6, Y: 2}, true}, {vg.Point{X: 1.5, Y: 0}, vg.Point{X: 1.5, Y: 0.5}, false},
	} {
		if got := crosses(c.a, c.b, r); got != c.want {
			t.Errorf("%v to %v: %v", c.a, c.b, got)
		}
	}
}

// The scale of colours has marks with numbers, and a tree the scale of its heights.
func TestScalesHaveMarks(t *testing.T) {
	svg := string(samples(t)["tree of many"].SVG())
	for _, want := range []string{">0</text>", ">0.5</text>", ">SPIKE distance</text>"} { // of the colours, and of the tree
		if n := strings.Count(svg, want); n != 2 {
			t.Errorf("%q stands %d times, want 2", want, n)
		}
	}
	filters := string(samples(t)["filters"].SVG())
	if !strings.Contains(filters, ">0.5</text>") || !strings.Contains(filters, ">weight</text>") {
		t.Error("the filters' scale has no marks")
	}
}

func TestLogShare(t *testing.T) {
	for _, c := range []struct{ share, want float64 }{{1, 0.9}, {0.1, 0.64}, {0.001, 0.12}, {1e-9, 0.12}} {
		if got := logShare(c.share); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("share %v: %v, want %v", c.share, got, c.want)
		}
	}
}

func TestDivergingIsSymmetric(t *testing.T) {
	if diverging(0).A != 0 {
		t.Error("zero is not clear")
	}
	for _, v := range []float64{0.1, 0.5, 1} {
		a, b := diverging(v), diverging(-v)
		if a.A != b.A || a == b {
			t.Errorf("±%v: %v and %v, want one opacity and two colours", v, a, b)
		}
	}
}

func TestHeaderWraps(t *testing.T) {
	var key []keyEntry
	for i := range 6 {
		key = append(key, keyEntry{name: fmt.Sprintf("a series with a long name %d", i)})
	}
	p := panel{name: "accuracy", key: key}
	if n := p.rows(width); n != 4 {
		t.Errorf("%d rows, want the name's and three of two entries", n)
	}
	p.key = key[:1]
	if n := p.rows(width); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func ExampleRates() {
	f, err := Rates("Firing rates", []Rate{{"hidden", 0.08}, {"output", 0.1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.Count(string(f.SVG()), "<svg"))
	// Output: 1
}

// Marks and numbers at the ends of axes are whole: nothing is drawn over the outermost
// points of the figure, which stay the ground's.
func TestNothingIsCut(t *testing.T) {
	for name, f := range samples(t) {
		b, err := f.PNG(192)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		r := img.Bounds()
		white := color.NRGBAModel.Convert(color.White)
		cut := func(x, y int) bool { return color.NRGBAModel.Convert(img.At(x, y)) != white }
		for y := range r.Dy() {
			if cut(0, y) || cut(r.Dx()-1, y) {
				t.Errorf("%s: something is cut at the side, in row %d", name, y)
				break
			}
		}
		for x := range r.Dx() {
			if cut(x, 0) || cut(x, r.Dy()-1) {
				t.Errorf("%s: something is cut at the top or the foot, in column %d", name, x)
				break
			}
		}
	}
}

// A joined cloud has a line through its points, in their order.
func TestScatterJoined(t *testing.T) {
	c := Cloud{X: []float64{1, 3, 2}, Y: []float64{1, 2, 3}}
	apart, err := Scatter("x", ScatterOptions{}, c)
	if err != nil {
		t.Fatal(err)
	}
	joined, err := Scatter("x", ScatterOptions{Joined: true}, c)
	if err != nil {
		t.Fatal(err)
	}
	if a, j := bytes.Count(apart.SVG(), []byte("<path")), bytes.Count(joined.SVG(), []byte("<path")); j != a+1 {
		t.Errorf("%d paths with a line, %d without", j, a)
	}
}

// Two losses that differ in their last bit once kept the marks of the axis from ending.
func TestLastBitHangsTheAxis(t *testing.T) {
	a := 1.0986122886681098
	b := math.Nextafter(a, 2)
	for _, y := range [][]float64{{a, b}, {1e300, math.Nextafter(1e300, 1e301)}, {-b, -a}, {5e-324, 1e-323}} {
		for _, log := range []bool{false, true} {
			if log && y[0] < 0 {
				continue
			}
			f, err := Curves("loss", "epoch", Panel{Name: "loss", LogY: log, Series: []Series{{Name: "training", Y: y}}})
			if err != nil {
				t.Errorf("%v: %v", y, err)
				continue
			}
			f.SVG()
		}
		if marks := (ticks{most: 5}).Ticks(y[0], y[1]); len(marks) > 10 {
			t.Errorf("%v: %d marks", y, len(marks))
		}
	}
}

// A logarithmic axis had a single mark, which tells no scale.
func TestOneMarkTellsNoScale(t *testing.T) {
	for _, r := range [][2]float64{{2, 90}, {2.2, 4.8}, {3, 60}, {1e-3, 9e-2}, {1, 16}, {5, 5.2}} {
		for _, most := range []int{3, 5, 8} {
			if marks := (logTicks{most}).Ticks(r[0], r[1]); len(marks) < 2 || len(marks) > 12 {
				t.Errorf("%v, at most %d: %v", r, most, marks)
			}
		}
	}
}

// A figure's file is PNG by its ending, in any case of letters, else SVG.
func TestWrite(t *testing.T) {
	f, err := Bars("bars", "height", []Bar{{Name: "a", Value: 1}})
	if err != nil {
		t.Fatal(err)
	}
	for name, begins := range map[string]string{"a.svg": "<svg", "b.PNG": "\x89PNG"} {
		path := filepath.Join(t.TempDir(), name)
		if err := f.Write(path); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(b), begins) {
			t.Errorf("%s begins with %.8q: %v", name, b, err)
		}
	}
	if err := f.Write(filepath.Join(t.TempDir(), "none", "a.svg")); err == nil {
		t.Error("a file in no folder")
	}
}
