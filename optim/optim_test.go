package optim_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"synfire/internal/par"
	"synfire/optim"
	"synfire/tensor"
)

// precision is the tolerance for a few roundings of the element type.
func precision() float64 {
	if one := tensor.Float(1); one+1e-12 != one {
		return 1e-13
	}
	return 2e-6
}

// params are parameters of the given lengths with random values; random are
// gradients for them.
func params(lens ...int) []tensor.Param {
	p := make([]tensor.Param, len(lens))
	for i, g := range random(0, lens...) {
		p[i] = tensor.Param{Name: fmt.Sprint("p", i), Value: tensor.Tensor{Shape: tensor.Shape{lens[i]}, Data: g}}
	}
	return p
}

func random(seed uint64, lens ...int) [][]tensor.Float {
	r := rand.New(rand.NewPCG(seed, 1))
	g := make([][]tensor.Float, len(lens))
	for i, n := range lens {
		g[i] = make([]tensor.Float, n)
		for j := range g[i] {
			g[i][j] = tensor.Float(r.NormFloat64())
		}
	}
	return g
}

// An update is the published recursion, here for one weight in float64 and
// with the bias corrections where the paper has them, over steps with
// different rates. Gradients range from far above epsilon to far below it.
func TestUpdate(t *testing.T) {
	sgd := func(mu float64) func() func(g float64, t int, eta float64) float64 {
		return func() func(g float64, t int, eta float64) float64 {
			var m float64
			return func(g float64, _ int, eta float64) float64 {
				m = mu*m + g
				return eta * m
			}
		}
	}
	adam := func(b1, b2, eps float64) func() func(g float64, t int, eta float64) float64 {
		return func() func(g float64, t int, eta float64) float64 {
			var m, v float64
			return func(g float64, t int, eta float64) float64 {
				m = b1*m + (1-b1)*g
				v = b2*v + (1-b2)*g*g
				mHat, vHat := m/(1-math.Pow(b1, float64(t))), v/(1-math.Pow(b2, float64(t)))
				return eta * mHat / (math.Sqrt(vHat) + eps)
			}
		}
	}
	for _, c := range []struct {
		o       optim.Optimizer
		buffers int
		start   func() func(g float64, t int, eta float64) float64 // the steps of one weight
	}{
		{optim.SGD{LR: 1}, 0, sgd(0)},
		{optim.SGD{LR: 1, Momentum: 0.9}, 1, sgd(0.9)},
		{optim.Adam{LR: 1}, 2, adam(0.9, 0.999, 1e-8)}, // zero options are the paper's
		{optim.Adam{LR: 1, Beta1: 0.5, Beta2: 0.8, Epsilon: 1e-3}, 2, adam(0.5, 0.8, 1e-3)},
	} {
		if got := c.o.Buffers(); got != c.buffers {
			t.Fatalf("%+v has %d buffers, want %d", c.o, got, c.buffers)
		}
		scales := []float64{1e3, 1, 1e-3, 1e-8, 1e-12, 0}
		n := len(scales)
		w, buf := make([]tensor.Float, n), make([][]tensor.Float, c.buffers)
		for i := range buf {
			buf[i] = make([]tensor.Float, n)
		}
		step, sum, size := make([]func(float64, int, float64) float64, n), make([]float64, n), make([]float64, n)
		for i := range step {
			step[i] = c.start()
		}
		for s := 1; s <= 20; s++ {
			eta := 0.1 / float64(s)
			g := random(uint64(s), n)[0]
			for i := range g {
				g[i] *= tensor.Float(scales[i])
			}
			c.o.Update(w, g, buf, s, eta)
			for i := range g {
				d := step[i](float64(g[i]), s, eta)
				sum[i] -= d
				size[i] += math.Abs(d)
				if diff := math.Abs(float64(w[i]) - sum[i]); diff > precision()*size[i] {
					t.Fatalf("%+v, step %d, gradients of %g: weight %v, want %v", c.o, s, scales[i], w[i], sum[i])
				}
			}
		}
	}
}

var rules = []optim.Optimizer{
	optim.SGD{LR: 0.1}, optim.SGD{LR: 0.1, Momentum: 0.9}, optim.SGD{LR: 0.1, Decay: 0.1, DecayBiases: true},
	optim.Adam{LR: 0.1}, optim.AdamW{Adam: optim.Adam{LR: 0.1}, Decay: 0.1, DecayBiases: true},
}

// A run is interrupted after any step: weights and buffers, which are all that
// a checkpoint holds, carry the rest of it bit for bit.
func TestResume(t *testing.T) {
	for _, o := range rules {
		const steps = 6
		lens := []int{5, 3}
		run := func(p []tensor.Param, bufs [][][]tensor.Float, from, to int) {
			for s := from; s <= to; s++ {
				optim.Apply(nil, o, p, random(uint64(s), lens...), bufs, s, o.Rate(), nil)
			}
		}
		want := params(lens...)
		run(want, optim.NewBuffers(o, want), 1, steps)
		for cut := range steps + 1 {
			first := params(lens...)
			bufs := optim.NewBuffers(o, first)
			run(first, bufs, 1, cut)
			saved, second := optim.NewBuffers(o, first), params(lens...)
			for i := range first {
				copy(second[i].Value.Data, first[i].Value.Data)
				for k := range bufs[i] {
					copy(saved[i][k], bufs[i][k])
				}
			}
			run(second, saved, cut+1, steps)
			for i := range want {
				if !slices.Equal(second[i].Value.Data, want[i].Value.Data) {
					t.Errorf("%+v: cut after step %d, parameter %d: other weights", o, cut, i)
				}
			}
		}
	}
}

// Apply gives each parameter its own gradient and buffers, whatever the number
// of threads and wherever its tasks are cut.
func TestApply(t *testing.T) {
	lens := []int{1, 1 << 14, 1<<14 + 1, 40000}
	for _, o := range rules {
		want := params(lens...)
		wantBufs := optim.NewBuffers(o, want)
		for s := 1; s <= 2; s++ {
			for i, g := range random(uint64(s), lens...) {
				o.Update(want[i].Value.Data, g, wantBufs[i], s, 0.05)
			}
		}
		for _, threads := range []int{1, 2, 3} {
			pool := par.New(threads)
			got := params(lens...)
			bufs := optim.NewBuffers(o, got)
			for s := 1; s <= 2; s++ {
				optim.Apply(pool, o, got, random(uint64(s), lens...), bufs, s, 0.05, nil)
			}
			pool.Close()
			for i := range want {
				if !slices.Equal(got[i].Value.Data, want[i].Value.Data) {
					t.Errorf("%+v, %d threads: parameter %d differs", o, threads, i)
				}
				for k := range wantBufs[i] {
					if !slices.Equal(bufs[i][k], wantBufs[i][k]) {
						t.Errorf("%+v, %d threads: buffer %d of parameter %d differs", o, threads, k, i)
					}
				}
			}
		}
	}
}

// The ends of warm-up and cosine, where an off-by-one shows: the first step
// moves, the peak is reached once the warm-up ends, and the floor at total.
func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		s        optim.Schedule
		t, total int
		want     float64
	}{
		{optim.Fixed{}, 0, 10, 1}, {optim.Fixed{}, 10, 10, 1},
		{optim.Cosine{}, 0, 100, 1},
		{optim.Cosine{}, 25, 100, (1 + math.Sqrt2/2) / 2},
		{optim.Cosine{}, 50, 100, 0.5},
		{optim.Cosine{}, 100, 100, 0},
		{optim.Cosine{}, 150, 100, 0}, // past the end it does not rise again
		{optim.Cosine{Floor: 0.1}, 0, 100, 1},
		{optim.Cosine{Floor: 0.1}, 50, 100, 0.55},
		{optim.Cosine{Floor: 0.1}, 100, 100, 0.1},
		{optim.Cosine{Warmup: 4}, 0, 24, 0.25},
		{optim.Cosine{Warmup: 4}, 3, 24, 1},
		{optim.Cosine{Warmup: 4}, 4, 24, 1},
		{optim.Cosine{Warmup: 4}, 14, 24, 0.5},
		{optim.Cosine{Warmup: 4, Floor: 0.2}, 24, 24, 0.2},
		{optim.Cosine{Warmup: 4}, 3, 4, 1}, // nothing but warm-up
		{optim.Cosine{Warmup: 4}, 1, 2, 0.5},
		{optim.Cosine{}, 0, 0, 1},
	} {
		if got := c.s.Scale(c.t, c.total); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%T%+v: step %d of %d: %v, want %v", c.s, c.s, c.t, c.total, got, c.want)
		}
	}
	s := optim.Cosine{Warmup: 5, Floor: 0.05}
	for i := 1; i < 40; i++ {
		before, now := s.Scale(i-1, 40), s.Scale(i, 40)
		if cmp.Compare(now, before) != cmp.Compare(5, i) || now <= s.Floor { // up, level at the peak, down
			t.Errorf("step %d: scale goes from %v to %v", i, before, now)
		}
	}
}

// The norm is of all gradients together and does not overflow with the squares
// of the element type; clipping keeps the direction and leaves what is short
// enough untouched.
func TestClip(t *testing.T) {
	if got := optim.Norm([][]tensor.Float{slices.Repeat([]tensor.Float{1}, 9999), {}, {1}}); got != 100 {
		t.Errorf("norm of 10,000 ones = %v", got)
	}
	for _, c := range []struct {
		name   string
		scale  float64
		limit  float64
		factor float64 // of the gradients, whose norm is 13·scale
	}{
		{"no limit", 1, 0, 1},
		{"short", 1, 14, 1},
		{"at the limit", 1, 13, 1},
		{"long", 1, 6.5, 0.5},
		{"zero", 0, 1, 1},
		{"huge", 1e30, 1, 1 / 13e30},
		{"tiny", 1e-15, 6.5e-15, 0.5},
	} {
		grads := [][]tensor.Float{{3, 0}, {-4, 12}}
		want := [][]float64{{3, 0}, {-4, 12}}
		for i := range grads {
			for j := range grads[i] {
				grads[i][j] *= tensor.Float(c.scale)
				want[i][j] = float64(grads[i][j]) * c.factor
			}
		}
		if norm := optim.Clip(grads, c.limit); math.Abs(norm-13*c.scale) > 13e-6*c.scale {
			t.Errorf("%s: norm %v, want that before clipping, %v", c.name, norm, 13*c.scale)
		}
		for i := range grads {
			for j, g := range grads[i] {
				if diff := math.Abs(float64(g) - want[i][j]); diff > 1e-6*math.Abs(want[i][j]) || c.factor == 1 && diff != 0 {
					t.Errorf("%s: gradient %v, want %v", c.name, g, want[i][j])
				}
			}
		}
	}
}

// Options come from YAML: what would diverge or be ignored is refused, by name.
func TestValidate(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		o    optim.Optimizer
		want string // in the error; empty: none
	}{
		{optim.SGD{LR: 0.1}, ""},
		{optim.SGD{LR: 0.1, Momentum: 0.9}, ""},
		{optim.SGD{}, "lr"}, {optim.SGD{LR: -1}, "lr"}, {optim.SGD{LR: nan}, "lr"}, {optim.SGD{LR: inf}, "lr"},
		{optim.SGD{LR: 0.1, Momentum: 1}, "momentum"}, {optim.SGD{LR: 0.1, Momentum: -0.1}, "momentum"}, {optim.SGD{LR: 0.1, Momentum: nan}, "momentum"},
		{optim.Adam{LR: 1e-3}, ""},
		{optim.Adam{LR: 1e-3, Beta1: 0.5, Beta2: 0.5, Epsilon: 1}, ""},
		{optim.Adam{}, "lr"}, {optim.Adam{LR: 1, Beta1: 1}, "beta1"}, {optim.Adam{LR: 1, Beta2: -1}, "beta2"}, {optim.Adam{LR: 1, Beta2: nan}, "beta2"},
		{optim.Adam{LR: 1, Epsilon: -1}, "epsilon"}, {optim.Adam{LR: 1, Epsilon: nan}, "epsilon"},
	} {
		if err := c.o.Validate(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T%+v: error %v, want %q", c.o, c.o, err, c.want)
		}
	}
	if got := (optim.SGD{LR: 0.5}).Rate() + (optim.Adam{LR: 0.25}).Rate(); got != 0.75 {
		t.Errorf("rates add up to %v, want 0.75", got)
	}
}

// A schedule that would climb the gradient is refused.
func TestCosineValidate(t *testing.T) {
	for _, c := range []struct {
		s  optim.Cosine
		ok bool
	}{
		{optim.Cosine{}, true},
		{optim.Cosine{Floor: 0.1, Warmup: 5}, true},
		{optim.Cosine{Floor: -1}, false},
		{optim.Cosine{Floor: math.NaN()}, false},
		{optim.Cosine{Warmup: -10}, false},
	} {
		if err := c.s.Validate(); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c.s, err)
		}
	}
}
