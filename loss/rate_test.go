package loss_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"synfire/loss"
	"synfire/signal"
	"synfire/tensor"
)

// Times of first spikes and the errors at spikes, by hand: unit 0 fires at 1
// and 3, unit 1 never, unit 2 at 0.
func TestFirstSpike(t *testing.T) {
	o := outputs(4, 1,
		0, 0, 1,
		1, 0, 0,
		0, 0, 0,
		1, 0, 0)
	scores := make([]tensor.Float, 3)
	var dout signal.Signal
	value, err := loss.FirstSpike{Temperature: 2}.Eval(call(&dout, scores, o, []int{1}))
	if err != nil {
		t.Fatal(err)
	}
	p := make([]float64, 3)
	var z float64
	for i, time := range []float64{1, 4, 0} {
		if scores[i] != tensor.Float(-time/2) {
			t.Errorf("score %d is %v, want %v", i, scores[i], -time/2)
		}
		p[i] = math.Exp(-time / 2)
		z += p[i]
	}
	if !near(value, -math.Log(p[1]/z), 1e-6) {
		t.Errorf("value %v, want %v", value, -math.Log(p[1]/z))
	}
	// How much earlier (at the first spike: later, for the loss of it).
	earlier := [][]float64{{1, 4, 4}, {2, 3, 0}, {0, 2, 0}, {0, 1, 0}}
	for s, row := range earlier {
		for k, e := range row {
			y := 0.
			if k == 1 {
				y = 1
			}
			want := (p[k]/z - y) / 2 * e
			if got := float64(dout.Data[s*3+k]); !near(got, want, 1e-6) {
				t.Errorf("error of output %d at step %d is %v, want %v", k, s, got, want)
			}
		}
	}
}

// The penalties by hand for rates of 0, 1/2 and 1 in two samples, of three
// units over four steps.
func TestRateBounds(t *testing.T) {
	counts := []tensor.Float{0, 2, 4, 2, 2, 2}
	for _, c := range []struct {
		name string
		r    loss.RateBounds
		want float64
		grad []float64 // times T·B·N/2
	}{
		{"within", loss.RateBounds{Weight: 1, Upper: 1}, 0, []float64{0, 0, 0, 0, 0, 0}},
		{"upper", loss.RateBounds{Weight: 2, Upper: 0.5}, 2 * 0.25 / 6, []float64{0, 0, 1, 0, 0, 0}},
		{"lower", loss.RateBounds{Weight: 1, Lower: 0.25, Upper: 1}, 0.0625 / 6, []float64{-0.25, 0, 0, 0, 0, 0}},
		{"target", loss.RateBounds{Weight: 1, Lower: 0.5, Upper: 0.5}, 0.5 / 6, []float64{-0.5, 0, 0.5, 0, 0, 0}},
		{"layer's target met", loss.RateBounds{Weight: 1, Lower: 0.5, Upper: 0.5, PerLayer: true}, 0, []float64{0, 0, 0, 0, 0, 0}},
		{"layer's upper", loss.RateBounds{Weight: 1, Upper: 0.25, PerLayer: true}, 0.0625, []float64{0.25, 0.25, 0.25, 0.25, 0.25, 0.25}},
	} {
		grad := make([]tensor.Float, 6)
		if got := c.r.Penalty(grad, counts, 2, 4); !near(got, c.want, 1e-12) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		for i, g := range c.grad {
			if want := g * 2 / (4 * 2 * 3); !near(float64(grad[i]), want, 1e-6) {
				t.Errorf("%s: error %d is %v, want %v", c.name, i, grad[i], want)
			}
		}
	}
}

// Errors are the derivatives of the penalty: a spike of a unit more or less in
// any step changes its count by one. They add to what is there.
func TestRateBoundsGradient(t *testing.T) {
	const b, n, steps = 3, 5, 8
	r := rand.New(rand.NewPCG(1, 2))
	counts := make([]tensor.Float, b*n)
	for i := range counts {
		counts[i] = tensor.Float(8 * r.Float64())
	}
	h, tol := 1./8, 1e-3
	if double() {
		h, tol = 1e-4, 1e-8
	}
	for _, l := range []loss.RateBounds{
		{Weight: 3, Lower: 0.5, Upper: 0.5}, {Weight: 3, Lower: 0.3, Upper: 0.6}, {Weight: 3, Upper: 0.2, PerLayer: true},
	} {
		grad := make([]tensor.Float, b*n)
		for i := range grad {
			grad[i] = 1
		}
		l.Penalty(grad, counts, b, steps)
		at := func(i int, d float64) float64 {
			old := counts[i]
			counts[i] += tensor.Float(d)
			v := l.Penalty(make([]tensor.Float, b*n), counts, b, steps)
			counts[i] = old
			return v
		}
		for i := range counts {
			if slope := (at(i, h) - at(i, -h)) / (2 * h); math.Abs(float64(grad[i])-1-slope) > tol {
				t.Errorf("%+v: error %d is %v, central difference %v", l, i, grad[i]-1, slope)
			}
		}
	}
}

func TestLossValidate(t *testing.T) {
	type validator interface{ Validate() error }
	for _, v := range []validator{
		loss.RateMSE{Right: 0.9, Wrong: 0.1}, loss.StepCrossEntropy{Lambda: 0.5}, loss.FirstSpike{},
		loss.RateBounds{Weight: 1, Lower: 0.1, Upper: 0.1},
	} {
		if err := v.Validate(); err != nil {
			t.Errorf("%+v: %v", v, err)
		}
	}
	nan := math.NaN()
	for _, v := range []validator{
		loss.RateMSE{}, loss.RateMSE{Right: 0.2, Wrong: 0.4}, loss.RateMSE{Right: 2}, loss.RateMSE{Right: nan},
		loss.StepCrossEntropy{Lambda: 1}, loss.StepCrossEntropy{Lambda: -0.1}, loss.StepCrossEntropy{Level: math.Inf(1)},
		loss.FirstSpike{Temperature: -1}, loss.FirstSpike{Temperature: nan},
		loss.RateBounds{Upper: 1}, loss.RateBounds{Weight: 1, Lower: 0.5, Upper: 0.2}, loss.RateBounds{Weight: 1, Upper: 1.5}, loss.RateBounds{Weight: nan, Upper: 1},
	} {
		if v.Validate() == nil {
			t.Errorf("%+v: accepted", v)
		}
	}
}
