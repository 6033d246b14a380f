package detect_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"synfire/detect"
	"synfire/sample"
)

// invented are pictures with truths and detections at random.
func invented(n int) (list []detect.Picture) {
	r := rand.New(rand.NewPCG(7, 8))
	at := func() sample.Box {
		x, y := 10*r.Float64(), 10*r.Float64()
		return sample.Box{X0: x, Y0: y, X1: x + 5, Y1: y + 5, Class: r.IntN(2)}
	}
	for range n {
		var p detect.Picture
		for range 1 + r.IntN(3) {
			b := at()
			p.Truths = append(p.Truths, b)
			if r.IntN(3) > 0 {
				b.X0 += 0.3
				p.Found = append(p.Found, detect.Detection{Box: b, Score: float64(1+r.IntN(9)) / 10})
			}
			p.Found = append(p.Found, detect.Detection{Box: at(), Score: float64(1+r.IntN(9)) / 10})
		}
		list = append(list, p)
	}
	return list
}

// Of one picture each sample is that picture; of many, samples lie around the whole, as far apart
// as those that are drawn and evaluated one by one.
func TestResampled(t *testing.T) {
	one := invented(1)
	want, _ := detect.MAP(one, 2)
	for _, v := range detect.Resampled(one, 2, 5, 1) {
		if math.Abs(v-want) > 1e-12 {
			t.Errorf("%v, want %v", v, want)
		}
	}
	all := invented(40)
	whole, _ := detect.MAP(all, 2)
	a, b := detect.Resampled(all, 2, 400, 1), detect.Resampled(all, 2, 400, 1)
	r := rand.New(rand.NewPCG(1, 1))
	var plain []float64
	for range 400 {
		var drawn []detect.Picture
		for range all {
			drawn = append(drawn, all[r.IntN(len(all))])
		}
		v, _ := detect.MAP(drawn, 2)
		plain = append(plain, v)
	}
	if a[7] != b[7] {
		t.Error("one seed draws two samples")
	}
	lo, hi := detect.Interval(a, 0.95)
	low, high := detect.Interval(plain, 0.95)
	if !(lo < whole && whole < hi) || math.Abs(lo-low) > 0.03 || math.Abs(hi-high) > 0.03 {
		t.Errorf("%v to %v around %v; one by one %v to %v", lo, hi, whole, low, high)
	}
	var hundred []float64
	for i := range 101 {
		hundred = append(hundred, float64(100-i))
	}
	for share, want := range map[float64][2]float64{0.9: {5, 95}, 0.5: {25, 75}, 0: {50, 50}, 1: {0, 100}} {
		if lo, hi := detect.Interval(hundred, share); lo != want[0] || hi != want[1] {
			t.Errorf("%v of 0 to 100: %v to %v, want %v", share, lo, hi, want)
		}
	}
	if lo, hi := detect.Interval([]float64{math.NaN()}, 0.9); !math.IsNaN(lo) || !math.IsNaN(hi) {
		t.Error("an interval of nothing")
	}
}

// Each picture is drawn as often as any other. Of two, of which the detector finds all and nothing, a
// sample is twice the first, twice the second, or both: mAP 1, 0 and ½ at ¼, ¼ and ½ of the times.
func TestResampledDrawsAll(t *testing.T) {
	b := sample.Box{X1: 1, Y1: 1}
	for _, pictures := range [][]detect.Picture{
		{{Truths: []sample.Box{b}, Found: []detect.Detection{{Box: b, Score: 0.5}}}, {Truths: []sample.Box{b}}},
		{{Truths: []sample.Box{b}}, {Truths: []sample.Box{b}, Found: []detect.Detection{{Box: b, Score: 0.5}}}},
	} {
		seen := map[float64]float64{}
		for _, v := range detect.Resampled(pictures, 1, 2000, 1) {
			seen[v] += 1.0 / 2000
		}
		for v, share := range map[float64]float64{0: 0.25, 0.5: 0.5, 1: 0.25} {
			if math.Abs(seen[v]-share) > 0.05 {
				t.Errorf("mAP %v at %v of the times, want %v", v, seen[v], share)
			}
		}
	}
}

// Of the scores 0.9 (right), 0.7 (right), 0.5 (wrong) and 0.3 (right) with four truths, F1 is 2/5,
// 4/6, 4/7 and 6/8: all are kept. Without the last the cut is between 0.7 and 0.5.
func TestCut(t *testing.T) {
	at := func(x float64, class int) sample.Box {
		return sample.Box{X0: x, X1: x + 1, Y1: 1, Class: class}
	}
	p := detect.Picture{
		Truths: []sample.Box{at(0, 0), at(10, 1), at(20, 0), at(30, 1)},
		Found:  []detect.Detection{{Box: at(0, 0), Score: 0.9}, {Box: at(10, 1), Score: 0.7}, {Box: at(50, 0), Score: 0.5}, {Box: at(20, 0), Score: 0.3}},
	}
	if v, ok := detect.Cut([]detect.Picture{p}, 2); !ok || v != 0.15 {
		t.Errorf("%v, %v", v, ok)
	}
	p.Found = p.Found[:3]
	if v, ok := detect.Cut([]detect.Picture{p}, 2); !ok || math.Abs(v-0.6) > 1e-12 {
		t.Errorf("%v, %v", v, ok)
	}
	if _, ok := detect.Cut([]detect.Picture{{Truths: p.Truths}}, 2); ok {
		t.Error("nothing was found, and there is a cut")
	}
}
