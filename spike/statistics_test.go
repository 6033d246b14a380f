package spike_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"synfire/spike"
)

func train(start, stop float64, times ...float64) spike.Train {
	return spike.Train{Times: times, Start: start, Stop: stop}
}

// How regular a neuron fires, and whether two fire together.
func Example_statistics() {
	a, b := train(0, 10, 1, 2, 4, 7), train(0, 10, 1.1, 2.1, 6.9)
	cv, err := a.CV()
	if err != nil {
		fmt.Println(err)
		return
	}
	sttc, err := spike.STTC(a, b, 0.2)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("rate %.1f, CV %.3f\n", a.Rate(), cv)
	fmt.Printf("tiling coefficient %.3f\n", sttc)
	// Output:
	// rate 0.4, CV 0.408
	// tiling coefficient 0.846
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s = %v, want %v ± %v", what, got, want, tolerance)
	}
}

// must is a value that comes without an error.
func must(v float64, err error) func(t *testing.T) float64 {
	return func(t *testing.T) float64 {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		return v
	}
}

// Intervals 1, 2, 3: mean 2, variance 2/3; contrasts 1/3 and 1/5.
func TestIrregularity(t *testing.T) {
	a := train(0, 10, 1, 2, 4, 7)
	near(t, "CV", must(a.CV())(t), math.Sqrt(2.0/3)/2, 1e-15)
	near(t, "CV2", must(a.CV2())(t), 2*(1.0/3+1.0/5)/2, 1e-15)
	near(t, "LV", must(a.LV())(t), 3*(1.0/9+1.0/25)/2, 1e-15)
	clock := train(0, 5, 0, 1, 2, 3, 4, 5)
	near(t, "rate of a clock", clock.Rate(), 1.2, 1e-15)
	for name, v := range map[string]float64{"CV": must(clock.CV())(t), "CV2": must(clock.CV2())(t), "LV": must(clock.LV())(t)} {
		near(t, name+" of a clock", v, 0, 0)
	}
	near(t, "LV of simultaneous spikes", must(train(0, 1, 0.5, 0.5, 0.5).LV())(t), 0, 0)
	for _, few := range []spike.Train{train(0, 1), train(0, 1, 0.5)} {
		if !math.IsNaN(must(few.CV())(t)) || !math.IsNaN(must(few.CV2())(t)) || !math.IsNaN(must(few.LV())(t)) {
			t.Errorf("%v: CV %v, CV2 %v, LV %v, want none", few, must(few.CV())(t), must(few.CV2())(t), must(few.LV())(t))
		}
	}
}

// Counts 2, 0, 4: mean 2, variance 8/3.
func TestFano(t *testing.T) {
	near(t, "Fano", must(spike.Fano([]spike.Train{train(0, 9, 1, 2), train(0, 9), train(0, 9, 1, 2, 3, 4)}))(t), 4.0/3, 1e-15)
	if f := must(spike.Fano([]spike.Train{train(0, 9)}))(t); !math.IsNaN(f) {
		t.Errorf("Fano of silence = %v", f)
	}
}

func TestPSTH(t *testing.T) {
	h, err := spike.PSTH([]spike.Train{train(1, 2, 1, 1.1, 1.5), train(1, 2, 1.6, 2)}, 0.25)
	if err != nil {
		t.Fatal(err)
	}
	if want := []float64{4, 0, 4, 2}; !slices.Equal(h.Values, want) || h.Width != 0.25 || h.Centre(1) != 1.375 {
		t.Errorf("%+v, want %v", h, want)
	}
	if h, err := spike.PSTH([]spike.Train{train(1, 2, 1, 1.5)}, 1); err != nil || len(h.Values) != 1 || h.Values[0] != 2 {
		t.Errorf("PSTH of one bin: %v, %v", h, err)
	}
	if h, err := spike.PSTH([]spike.Train{train(0, 0.3)}, 0.1); err != nil || len(h.Values) != 3 {
		t.Errorf("0.3 in bins of 0.1: %v, %v, want three", h, err)
	}
	for _, bad := range []struct {
		trials []spike.Train
		width  float64
	}{{nil, 1}, {[]spike.Train{train(0, 1)}, 0}, {[]spike.Train{train(0, 1)}, math.NaN()}, {[]spike.Train{train(0, 1)}, 1e-9}, {[]spike.Train{train(0, 1), train(0, 2)}, 1}} {
		if _, err := spike.PSTH(bad.trials, bad.width); err == nil {
			t.Errorf("PSTH(%v, %v) gives no error", bad.trials, bad.width)
		}
	}
}

func TestCorrelogram(t *testing.T) {
	a, b := train(0, 10, 1, 4, 8), train(0, 10, 1.5, 4.25, 9)
	h, err := spike.Correlogram(a, b, 1, 2) // lags .5 3.25 8, −2.5 .25 5, −6.5 −3.75 1
	if err != nil {
		t.Fatal(err)
	}
	if want := []float64{1, 0, 1, 2, 0}; !slices.Equal(h.Values, want) || h.Start != -2.5 {
		t.Errorf("%+v, want %v from −2.5", h, want)
	}
	h, err = spike.AutoCorrelogram(train(0, 10, 1, 2, 3, 3), 1, 2)
	if want := []float64{2, 3, 2, 3, 2}; err != nil || !slices.Equal(h.Values, want) {
		t.Errorf("auto: %+v, %v, want %v", h, err, want)
	}
	for _, bad := range [][2]float64{{0, 1}, {1, -1}, {math.NaN(), 1}, {1e-9, 1}} {
		if _, err := spike.Correlogram(a, b, bad[0], bad[1]); err == nil {
			t.Errorf("width %v, lag %v: no error", bad[0], bad[1])
		}
	}
}

// ±1 about the spikes covers 0–2 and 4–6 of a, .5–2.5 and 8–10 of b: 4/10 each;
// one of two spikes has a partner: (½ − .4)/(1 − .2).
func TestSTTC(t *testing.T) {
	a, b := train(0, 10, 1, 5), train(0, 10, 1.5, 9)
	for _, c := range []struct {
		a, b spike.Train
		dt   float64
		want float64
	}{
		{a, b, 1, 0.125}, {a, a, 0.3, 1}, {a, b, 10, 1}, {a, a, 0, 1}, {a, b, 0, 0},
		{train(0, 10, 2), train(0, 10, 8), 1, -0.2}, // no partner, a fifth covered
		{train(0, 10, 0), train(0, 10, 10), 1, -0.1},
	} {
		got, err := spike.STTC(c.a, c.b, c.dt)
		if err != nil {
			t.Error(err)
		}
		near(t, fmt.Sprint("STTC", c), got, c.want, 1e-15)
	}
	if v, err := spike.STTC(a, train(0, 10), 1); err != nil || !math.IsNaN(v) {
		t.Errorf("with an empty train: %v, %v", v, err)
	}
	for _, dt := range []float64{-1, math.NaN(), math.Inf(1)} {
		if _, err := spike.STTC(a, b, dt); err == nil {
			t.Errorf("reach %v: no error", dt)
		}
	}
	if _, err := spike.STTC(a, train(0, 9, 1), 1); err == nil {
		t.Error("unequal windows: no error")
	}
}

// anyTrain draws trains of up to 40 spikes in a window about zero.
func anyTrain(t *rapid.T, label string) spike.Train {
	var times []float64
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(-3<<10, 7<<10), 0, 40, rapid.ID[int]).Draw(t, label) {
		times = append(times, float64(i)/(1<<10))
	}
	return train(-3, 7, times...).Sort()
}

func TestStatisticsProperties(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a, b := anyTrain(r, "a"), anyTrain(r, "b")
		dt := rapid.Float64Range(0, 3).Draw(r, "dt")
		x, err := spike.STTC(a, b, dt)
		y, err2 := spike.STTC(b, a, dt)
		if err != nil || err2 != nil {
			r.Fatal(err, err2)
		}
		if len(a.Times) > 0 && len(b.Times) > 0 && (x != y || x < -1-1e-12 || x > 1+1e-12) {
			r.Fatalf("STTC %v one way, %v the other", x, y)
		}
		h, err := spike.PSTH([]spike.Train{a, b}, 0.7)
		if err != nil {
			r.Fatal(err)
		}
		total := 0.0
		for _, v := range h.Values {
			total += v * h.Width * 2
		}
		if math.Abs(total-float64(len(a.Times)+len(b.Times))) > 1e-9 {
			r.Fatalf("PSTH holds %v spikes of %d", total, len(a.Times)+len(b.Times))
		}
		c, err := spike.Correlogram(a, b, 1, 11)
		if err != nil {
			r.Fatal(err)
		}
		pairs := 0.0
		for _, v := range c.Values {
			pairs += v
		}
		if pairs != float64(len(a.Times)*len(b.Times)) {
			r.Fatalf("%v pairs of %d", pairs, len(a.Times)*len(b.Times))
		}
	})
}
