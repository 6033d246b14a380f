package codes

import (
	"math"
	"testing"

	"synfire/encode"
	"synfire/internal/rng"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// One image of three values through each code, by hand.
func TestTrips(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{1, 3, 1}}
	b := sample.Batch{Spec: &spec, X: []tensor.Float{0.75, 0, 0.3125}}
	keys := []rng.Key{rng.New(1, "codes")}
	for _, c := range []struct {
		name  string
		steps int
		want  []float64
		worst float64
	}{
		{"phase", 4, []float64{0.75, 0, 0.3125}, 0}, {"phase", 2, []float64{0.75, 0, 0.25}, 0}, {"phase", 16, []float64{0.75, 0, 0.3125}, 1e-6},
		// 0.125, 0.25; 0.5 is too large, so 0.125 and 0.25 once more.
		{"burst", 8, []float64{0.75, 0, 0.25}, 0}, {"latency", 5, []float64{0.75, 0, 0.25}, 0}, {"rank order", 3, []float64{0.9, 0.1, 0.4}, 0},
		{"population", 8, []float64{0.75, 0, 0.31398847782522}, 1e-9}, {"population", 2, []float64{0.75, 0, 0.33411237174805}, 1e-9},
		{"population", 1000, []float64{0.75, 0, 0.3125}, 1e-3}, {"rate", 20_000, []float64{0.75, 0, 0.3125}, 0.02},
	} {
		got := trip(c.name, &b, keys, c.steps, []float64{0.9, 0.4, 0.1})
		for p, want := range c.want {
			if c.name == "rank order" && p == 1 {
				want = 0 // a value of the threshold never spikes
			}
			if math.Abs(got[p]-want) > c.worst {
				t.Errorf("%s in %d steps: value %d comes back as %v, want %v", c.name, c.steps, p, got[p], want)
			}
		}
	}
}

// In two steps units stand for 0.0195 by −0.00078, which is no pixel.
func TestTripStaysInRange(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{1, 1, 1}}
	b := sample.Batch{Spec: &spec, X: []tensor.Float{5.0 / 256}}
	if got := trip("population", &b, nil, 2, nil); got[0] != 0 {
		t.Errorf("5/256 comes back as %v, want 0", got[0])
	}
}

// The series of the card: x = 0, .3, .9, 1.2, .4, .4, −.5 with a threshold of 1/4 is +1 +1 +1 −1 0
// −1, so that its base ends at 1/4.
func TestFollow(t *testing.T) {
	series := []tensor.Float{0, .3, .9, 1.2, .4, .4, -.5}
	spec := sample.Spec{Shape: tensor.Shape{1}, Steps: 7}
	var s signal.Signal
	encode.StepForward{Threshold: 0.25}.Encode(&s, &sample.Batch{Spec: &spec, X: series}, nil, encode.Window{T1: 7, Steps: 7})
	var l loss
	l.follow(&s, series, 1, 0.25)
	total := 0.0
	for i, base := range []float64{0, .25, .5, .75, .5, .5, .25} {
		total += math.Pow(float64(series[i])-base, 2)
	}
	if l.done(); math.Abs(l.spikes*7-5) > 1e-9 || math.Abs(l.rms-math.Sqrt(total/7)) > 1e-6 || math.Abs(l.worst-0.75) > 1e-6 {
		t.Errorf("%+v", l)
	}
}
