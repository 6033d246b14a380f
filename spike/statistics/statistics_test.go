package statistics_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"synfire/spike"
	"synfire/spike/statistics"
)

// golden is testdata/golden.json, of testdata/golden.py.
type golden struct {
	Start, Stop float64
	Units       [][][]float64
	Bumps       []float64
	Values      map[string]json.RawMessage
}

func load(t *testing.T) golden {
	t.Helper()
	src, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(src, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g golden) units() [][]spike.Train {
	out := make([][]spike.Train, len(g.Units))
	for i, u := range g.Units {
		for _, times := range u {
			out[i] = append(out[i], spike.Train{Times: times, Start: g.Start, Stop: g.Stop})
		}
	}
	return out
}

// first is the first trial of each unit.
func (g golden) first() (out []spike.Train) {
	for _, u := range g.units() {
		out = append(out, u[0])
	}
	return out
}

// list are the numbers of a value, of any nesting, NaN for null.
func (g golden) list(t *testing.T, name string) (out []float64) {
	t.Helper()
	var flat func(v any)
	flat = func(v any) {
		switch v := v.(type) {
		case float64:
			out = append(out, v)
		case nil:
			out = append(out, math.NaN())
		case []any:
			for _, x := range v {
				flat(x)
			}
		}
	}
	var v any
	if err := json.Unmarshal(g.Values[name], &v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	flat(v)
	return out
}

func near(x, y, tolerance float64) bool {
	return x == y || math.IsNaN(x) && math.IsNaN(y) || math.Abs(x-y) <= tolerance*max(1, math.Abs(y))
}

// want compares numbers with those of the script.
func (g golden) want(t *testing.T, name string, got []float64, err error, tolerance float64) {
	t.Helper()
	list := g.list(t, name)
	if err != nil || !slices.EqualFunc(got, list, func(x, y float64) bool { return near(x, y, tolerance) }) {
		t.Errorf("%s: %v, %v\nwant %v", name, got, err, list)
	}
}

func TestGoldenVariability(t *testing.T) {
	g := load(t)
	u := g.units()[0]
	for name, f := range map[string]func([]spike.Train) (float64, error){
		"cv": statistics.CV, "cv2": statistics.CV2, "lv": statistics.LV,
		"lvr":       func(u []spike.Train) (float64, error) { return statistics.LvR(u, 0.005) },
		"fano_time": func(u []spike.Train) (float64, error) { return statistics.FanoOverTime(u, 0.25) },
	} {
		v, err := f(u)
		g.want(t, name, []float64{v}, err, 1e-12)
	}
	h, err := statistics.Intervals(u, 0.02, 0.4)
	g.want(t, "isi", h.Values, err, 0)
	g.want(t, "isi_above", []float64{float64(h.Above)}, err, 0)
	f, err := statistics.FanoOverTrials(u, 0.25)
	g.want(t, "fano_trials", f.Values, err, 1e-12)
}

func TestGoldenRates(t *testing.T) {
	g := load(t)
	u := g.units()[0]
	p, err := statistics.PSTH(u, 0.25, 0.95)
	g.want(t, "psth", p.Values, err, 1e-12)
	g.want(t, "psth_low", p.Low, err, 1e-9)
	g.want(t, "psth_high", p.High, err, 1e-9)
	for _, s := range statistics.Shapes() {
		for name, border := range map[string]bool{"rate_": false, "rate_border_": true} {
			h, err := statistics.KernelRate(u, statistics.Kernel{Shape: s, Width: 0.06}, 0.08, border)
			g.want(t, name+string(s), h.Values, err, 1e-8)
		}
	}
	n, err := statistics.Population(g.first(), 4)
	if err != nil || n.Values[0] != float64(len(g.Units[0][0])+len(g.Units[1][0])+len(g.Units[2][0]))/4 {
		t.Errorf("population %v, %v", n.Values, err)
	}
}

// The grid of the script has steps of 0.2 %; the cost is flat about its least.
func TestGoldenBandwidth(t *testing.T) {
	g := load(t)
	bumps := []spike.Train{{Times: g.Bumps, Start: g.Start, Stop: g.Stop}}
	w, err := statistics.Bandwidth(bumps)
	g.want(t, "bandwidth", []float64{w}, err, 3e-3)
	if want := g.list(t, "bandwidth")[0]; math.Abs(w/want-1) > 0.01 {
		t.Errorf("bandwidth %v, want %v", w, want)
	}
	rate, width, err := statistics.AdaptiveRate(bumps, 0.025)
	g.want(t, "adaptive_width", width.Values, err, 5e-3)
	g.want(t, "adaptive_rate", rate.Values, err, 2e-2)
	if slices.Min(width.Values) > 0.6*slices.Max(width.Values) {
		t.Errorf("widths do not follow the bumps: %v", width.Values)
	}
}

func TestGoldenCorrelations(t *testing.T) {
	g := load(t)
	u := g.units()
	for name, c := range map[string]statistics.Correlogram{
		"cch":        {Width: 0.01, Longest: 0.1},
		"cch_border": {Width: 0.01, Longest: 0.1, Border: true},
		"cch_rate":   {Width: 0.01, Longest: 0.1, Rate: true},
		"cch_smooth": {Width: 0.01, Longest: 0.1, Smooth: 0.015},
	} {
		h, err := c.Of(u[0], u[1], false)
		g.want(t, name, h.Values, err, 1e-12)
	}
	h, err := statistics.Correlogram{Width: 0.01, Longest: 0.1}.Of(u[0], u[0], true)
	g.want(t, "ach", h.Values, err, 0)
	for name, border := range map[string]bool{"coefficient": false, "coefficient_border": true} {
		h, err := statistics.Coefficient(u[0], u[1], 0.05, 0.3, border)
		g.want(t, name, h.Values, err, 1e-12)
	}
	tau, err := statistics.Timescale(u[2], 0.05, 0.3)
	g.want(t, "timescale", []float64{tau}, err, 1e-12)
	m, err := statistics.Covariance(u, 0.05)
	g.want(t, "covariance", slices.Concat(m...), err, 1e-12)
	m, err = statistics.Correlation(u, 0.05)
	g.want(t, "correlation", slices.Concat(m...), err, 1e-12)
	m, err = statistics.STTC(g.first(), 0.02)
	if v, _ := spike.STTC(g.first()[0], g.first()[1], 0.02); err != nil || m[0][1] != v || m[1][0] != v || m[2][2] != 1 {
		t.Errorf("STTC %v, %v", m, err)
	}
}

func TestGoldenSynchrony(t *testing.T) {
	g := load(t)
	units := g.first()
	s, err := statistics.Contrast(units, 0.01)
	g.want(t, "contrast", []float64{s.Value}, err, 1e-12)
	g.want(t, "contrast_at", []float64{s.At}, err, 1e-12)
	c, err := statistics.Complexity(units, 0.003)
	g.want(t, "complexity", c, err, 0)
	facts, err := statistics.Synchrofacts(units, 0.003, 2)
	var flat []float64
	spikes := 0
	for _, f := range facts {
		flat = append(flat, f.Start, f.Stop, float64(f.Spikes))
		spikes += f.Spikes
	}
	g.want(t, "synchrofacts", flat, err, 0)
	rest, removed, err := statistics.WithoutSynchrofacts(units, 0.003, 2)
	if again, _ := statistics.Synchrofacts(rest, 0.003, 2); err != nil || removed != spikes || len(again) != 0 {
		t.Errorf("%d spikes removed of %d, %d events left, %v", removed, spikes, len(again), err)
	}
	for _, row := range slices.Collect(slices.Chunk(g.list(t, "surprise"), 3)) {
		if got := statistics.Surprise(int(row[0]), row[1]); !near(got, row[2], 1e-9) {
			t.Errorf("surprise of %v where %v are expected: %v, want %v", row[0], row[1], got, row[2])
		}
	}
}

// Three bursts on a slow train, one of which begins with an interval that is no part of it.
func TestBursts(t *testing.T) {
	var times []float64
	for i := range 100 {
		times = append(times, float64(i))
	}
	for _, at := range []float64{10.25, 40.25, 70.25} {
		for i := range 8 {
			times = append(times, at+float64(i)/64)
		}
	}
	slices.Sort(times)
	train := spike.Train{Times: times, Stop: 100}
	b, err := statistics.Bursts(train, 1.0/64, 3)
	if err != nil || len(b) != 3 || b[1].Start != 40.25 || b[1].Stop != 40.25+7.0/64 || b[1].N != 8 || b[1].First != 49 {
		t.Errorf("%+v, %v", b, err)
	}
	if b, _ := statistics.Bursts(train, 1.0/64, 9); len(b) != 0 {
		t.Errorf("bursts of 9: %+v", b)
	}
	s, err := statistics.SurpriseBursts(train, 10)
	if err != nil || len(s) != 3 {
		t.Fatalf("%+v, %v", s, err)
	}
	mean := times[len(times)-1] / float64(len(times)-1)
	for _, v := range s {
		if v.N != 8 || !near(v.Surprise, statistics.Surprise(8, 7.0/64/mean), 1e-12) {
			t.Errorf("%+v", v)
		}
	}
	if s, _ := statistics.SurpriseBursts(train, 1000); len(s) != 0 {
		t.Errorf("bursts of a surprise of 1,000: %+v", s)
	}
}

// What is undefined is NaN, or nothing.
func TestUndefined(t *testing.T) {
	silent, one := spike.Train{Stop: 1}, spike.Train{Times: []float64{0.5}, Stop: 1}
	two := spike.Train{Times: []float64{0.25, 0.75}, Stop: 1}
	nan := func(what string, v float64, err error) {
		t.Helper()
		if err != nil || !math.IsNaN(v) {
			t.Errorf("%s: %v, %v, want NaN", what, v, err)
		}
	}
	v, err := statistics.CV([]spike.Train{one, silent})
	nan("CV", v, err)
	v, err = statistics.CV2([]spike.Train{two, two})
	nan("CV2", v, err)
	v, err = statistics.LvR([]spike.Train{two}, 0.005)
	nan("LvR", v, err)
	v, err = statistics.FanoOverTime([]spike.Train{silent}, 0.1)
	nan("Fano", v, err)
	v, err = statistics.Bandwidth([]spike.Train{one, one})
	nan("Bandwidth", v, err)
	v, err = statistics.Timescale([]spike.Train{silent}, 0.1, 0.3)
	nan("Timescale", v, err)
	v, err = statistics.Timescale([]spike.Train{two}, 2, 0.3) // one bin, whose counts are all the same
	nan("Timescale of one bin", v, err)
	s, err := statistics.Contrast([]spike.Train{silent, silent}, 0.01)
	nan("Contrast", s.Value, err)
	m, err := statistics.Correlation([][]spike.Train{{one}, {silent}}, 0.1)
	nan("Correlation", m[0][1], err)
	if m, err = statistics.Covariance([][]spike.Train{{one}, {silent}}, 0.1); err != nil || m[0][1] != 0 {
		t.Errorf("Covariance with a silent unit: %v, %v, want 0", m, err)
	}
	m, err = statistics.STTC([]spike.Train{one, silent}, 0.1)
	nan("STTC", m[0][1], err)
	rate, width, err := statistics.AdaptiveRate([]spike.Train{silent}, 0.1)
	nan("AdaptiveRate's width", width.Values[3], err)
	if slices.Max(rate.Values) != 0 {
		t.Errorf("rate of a silent train: %v", rate.Values)
	}
	if b, err := statistics.SurpriseBursts(silent, 10); err != nil || b != nil {
		t.Errorf("bursts of a silent train: %v, %v", b, err)
	}
	h, err := statistics.KernelRate([]spike.Train{one}, statistics.Kernel{Shape: statistics.Exponential, Width: 0.1}, 0.5, true)
	if err != nil || math.IsNaN(h.Values[0]) {
		t.Errorf("rate %v, %v", h.Values, err)
	}
}

// A constant rate stays one up to the borders.
func TestBorderIsCorrected(t *testing.T) {
	var times []float64
	for i := range 10000 {
		times = append(times, (float64(i)+0.5)/1000)
	}
	train := []spike.Train{{Times: times, Stop: 10}}
	for _, s := range statistics.Shapes() {
		h, err := statistics.KernelRate(train, statistics.Kernel{Shape: s, Width: 0.5}, 0.1, true)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range h.Values {
			if math.Abs(v-1000) > 15 {
				t.Errorf("%s: %v at %v, want about 1000", s, v, h.Centre(i))
			}
		}
	}
}

// A kernel far wider than the window is flat in it: with border correction the rate is that of
// the whole window, or of an alpha kernel, which grows from 0 on, what has been so far, later
// spikes the less.
func TestWideKernels(t *testing.T) {
	train := []spike.Train{{Times: []float64{1, 2.5, 9}, Stop: 10}}
	for _, width := range []float64{1e9, 1e200, 1e300} {
		for _, s := range []statistics.Shape{statistics.Gaussian, statistics.Boxcar, statistics.Exponential, statistics.Alpha} {
			h, err := statistics.KernelRate(train, statistics.Kernel{Shape: s, Width: width}, 4, true) // bins of 10/3
			if err != nil {
				t.Fatal(err)
			}
			centre := 5.0
			want := 3.0 / 10
			switch s {
			case statistics.Exponential:
				want = 2 / centre
			case statistics.Alpha: // Σ (t − s) / ∫ (t − s) ds
				want = (4 + 2.5) / (centre * centre / 2)
			}
			if s == statistics.Alpha && width > 1e100 {
				continue // its part in the window is the square of a number that small
			}
			if !near(h.Values[1], want, 1e-8) {
				t.Errorf("%s of width %v: %v, want %v", s, width, h.Values[1], want)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	a := spike.Train{Times: []float64{0.5, 0.25}, Stop: 1}
	ok, other := spike.Train{Times: []float64{0.25, 0.5}, Stop: 1}, spike.Train{Stop: 2}
	list := func(t ...spike.Train) []spike.Train { return t }
	for want, f := range map[string]func() error{
		"sort the times": func() error { _, err := statistics.CV(list(a)); return err },
		"cut them to one": func() error {
			_, err := statistics.Bandwidth(list(ok, other))
			return err
		},
		"give at least one":    func() error { _, err := statistics.LV(nil); return err },
		"want two or more":     func() error { _, err := statistics.FanoOverTrials(list(ok), 0.1); return err },
		"no kernel \"cosine\"": func() error { return kernel(ok, "cosine", 1) },
		"width of -1":          func() error { return kernel(ok, statistics.Gaussian, -1) },
		"1 to 16777216 bins":   func() error { _, err := statistics.Intervals(list(ok), 1e-12, 1); return err },
		"4 to 1024":            func() error { _, _, err := statistics.AdaptiveRate(list(ok), 1e-5); return err },
		"needs shorter ones": func() error {
			_, err := (statistics.Correlogram{Width: 0.5, Longest: 1, Border: true}).Of(list(ok), list(ok), false)
			return err
		},
		"below the window's": func() error { _, err := statistics.Coefficient(list(ok), list(ok), 0.1, 1, false); return err },
		"2 trials of one unit": func() error {
			_, err := statistics.Covariance([][]spike.Train{list(ok), list(ok, ok)}, 0.1)
			return err
		},
		"want two bins or more":   func() error { _, err := statistics.Timescale(list(ok), 0.1, 0.05); return err },
		"choose a shorter one":    func() error { _, err := statistics.Contrast(list(ok, ok), 0.6); return err },
		"there is one unit":       func() error { _, err := statistics.Contrast(list(ok), 0.1); return err },
		"at least 2":              func() error { _, err := statistics.Synchrofacts(list(ok, ok), 0.1, 1); return err },
		"where there are 2":       func() error { _, err := statistics.Synchrofacts(list(ok, ok), 0.1, 3); return err },
		"where there are 1":       func() error { _, _, err := statistics.WithoutSynchrofacts(list(ok), 0.1, 2); return err },
		"spread of NaN":           func() error { _, err := statistics.Complexity(list(ok, ok), math.NaN()); return err },
		"level of 95":             func() error { _, err := statistics.PSTH(list(ok), 0.1, 95); return err },
		"bursts of 1 spikes":      func() error { _, err := statistics.Bursts(ok, 1, 1); return err },
		"surprise of -1":          func() error { _, err := statistics.SurpriseBursts(ok, -1); return err },
		"refractoriness constant": func() error { _, err := statistics.LvR(list(ok), -1); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func kernel(t spike.Train, s statistics.Shape, width float64) error {
	_, err := statistics.KernelRate([]spike.Train{t}, statistics.Kernel{Shape: s, Width: width}, 0.1, false)
	return err
}

// spaced is a train of these intervals, and so many long ones of 1.9 or pace behind them.
func spaced(pace float64, long int, intervals ...float64) spike.Train {
	t := spike.Train{Times: []float64{0}}
	for _, v := range append(intervals, slices.Repeat([]float64{pace}, long)...) {
		t.Stop += v
		t.Times = append(t.Times, t.Stop)
	}
	return t
}

// The numbers of Legéndy & Salcman, each where another would show; mean intervals are 1 or a
// little less. The surprises were computed by another program.
func TestNumbersOfSurpriseBursts(t *testing.T) {
	repeated := func(v float64, n int) []float64 { return slices.Repeat([]float64{v}, n) }
	for name, c := range map[string]struct {
		train    spike.Train
		first, n []int
		surprise []float64
	}{
		// three spikes, whose surprise the tenth interval after them is the first to raise
		"ten intervals ahead": {spaced(1.9, 8, append([]float64{0.1, 0.1, 1.9}, repeated(0.27, 9)...)...), []int{0}, []int{13}, []float64{6.944}},
		// an interval of more than twice the mean ends one, though what follows would raise it
		"twice the mean": {spaced(1.5, 20, append(append(repeated(0.1, 3), 2.5), repeated(0.1, 10)...)...), []int{0, 4}, []int{4, 11}, []float64{8.211, 18.356}},
		// intervals of a little more than half the mean begin none, of a little less one
		"above half the mean": {spaced(1.9, 5, repeated(0.55, 10)...), nil, nil, nil},
		"below half the mean": {spaced(1.9, 6, repeated(0.45, 10)...), []int{0}, []int{11}, []float64{4.966}},
	} {
		got, err := statistics.SurpriseBursts(c.train, 0)
		if err != nil || len(got) != len(c.first) {
			t.Errorf("%s: %+v, %v, want %d bursts", name, got, err, len(c.first))
			continue
		}
		for i, b := range got {
			if b.First != c.first[i] || b.N != c.n[i] || math.Abs(b.Surprise-c.surprise[i]) > 6e-4 {
				t.Errorf("%s: burst %d: %+v, want the spikes from %d on, %d of them, surprise %v", name, i, b, c.first[i], c.n[i], c.surprise[i])
			}
		}
	}
}

// Widths end at half the shortest interval where that is longer than what is asked for.
func TestWidthsOfContrast(t *testing.T) {
	units := []spike.Train{{Times: []float64{1, 1.4, 9}, Stop: 10}, {Times: []float64{2, 5}, Stop: 10}}
	for shortest, least := range map[float64]float64{0.01: 0.2, 0.2: 0.2, 0.5: 0.5} {
		s, err := statistics.Contrast(units, shortest)
		if err != nil {
			t.Fatal(err)
		}
		if last := s.Widths[len(s.Widths)-1]; s.Widths[0] != 5 || !(last >= least && 0.9*last < least) {
			t.Errorf("widths from %v to %v, want 5 to %v", s.Widths[0], last, least)
		}
	}
}

// A gamma process of shape 2 has the autocorrelation −ν² e^{−4ντ} and so the timescale 1/(4ν).
func TestTimescaleOfGamma(t *testing.T) {
	const rate = 25.0
	var trials []spike.Train
	for k := range uint64(20) {
		u, err := (spike.Gamma{Rate: rate, Shape: 2}).Train(spike.Stream(20, k), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		trials = append(trials, u)
	}
	tau, err := statistics.Timescale(trials, 0.001, 0.06)
	if err != nil || math.Abs(tau*4*rate-1) > 0.15 {
		t.Errorf("timescale %v s, want %v; %v", tau, 1/(4*rate), err)
	}
}
