package optim_test

import (
	"math"
	"testing"

	"synfire/optim"
	"synfire/tensor"
)

// Weight decay as published, in float64 for one weight of each scale: joined to
// the gradient for SGD, apart from it for AdamW, over steps of different rates.
func TestWeightDecay(t *testing.T) {
	const lambda = 0.1
	type recursion func(w, g float64, t int, eta float64) float64
	sgd := func() recursion {
		var m float64
		return func(w, g float64, _ int, eta float64) float64 {
			m = 0.9*m + g + lambda*w
			return w - eta*m
		}
	}
	adamw := func() recursion {
		var m, v float64
		return func(w, g float64, t int, eta float64) float64 {
			m, v = 0.9*m+0.1*g, 0.999*v+0.001*g*g
			mHat, vHat := m/(1-math.Pow(0.9, float64(t))), v/(1-math.Pow(0.999, float64(t)))
			return w - eta*lambda*w - eta*mHat/(math.Sqrt(vHat)+1e-8)
		}
	}
	for _, c := range []struct {
		o     optim.Optimizer
		start func() recursion
	}{
		{optim.SGD{LR: 1, Momentum: 0.9, Decay: lambda}, sgd},
		{optim.AdamW{Adam: optim.Adam{LR: 1}, Decay: lambda}, adamw},
	} {
		if err := c.o.Validate(); err != nil {
			t.Fatal(err)
		}
		p := []tensor.Param{{Name: "w", Value: tensor.New(3, 2)}}
		w := p[0].Value.Data
		want, step := make([]float64, len(w)), make([]recursion, len(w))
		for i := range w {
			w[i] = tensor.Float(i) - 2.5
			want[i], step[i] = float64(w[i]), c.start()
		}
		bufs := optim.NewBuffers(c.o, p)
		for s := 1; s <= 20; s++ {
			eta := 0.1 / float64(s)
			g := random(uint64(s), len(w))
			optim.Apply(nil, c.o, p, g, bufs, s, eta, nil)
			for i := range w {
				want[i] = step[i](want[i], float64(g[0][i]), s, eta)
				if math.Abs(float64(w[i])-want[i]) > 20*precision()*3 {
					t.Fatalf("%+v, step %d: weight %v, want %v", c.o, s, w[i], want[i])
				}
			}
		}
	}
}

// Parameters of one dimension do not decay, unless they are told to.
func TestDecayOfVectors(t *testing.T) {
	for _, c := range []struct {
		o      optim.Optimizer
		vector tensor.Float
	}{
		{optim.SGD{LR: 1, Decay: 0.25}, 1},
		{optim.SGD{LR: 1, Decay: 0.25, DecayBiases: true}, 0.875},
		{optim.AdamW{Adam: optim.Adam{LR: 1}, Decay: 0.25}, 1},
		{optim.AdamW{Adam: optim.Adam{LR: 1}, Decay: 0.25, DecayBiases: true}, 0.875},
		{optim.Adam{LR: 1}, 1},
	} {
		p := []tensor.Param{{Name: "matrix", Value: tensor.New(1, 1)}, {Name: "vector", Value: tensor.New(1)}}
		p[0].Value.Data[0], p[1].Value.Data[0] = 1, 1
		optim.Apply(nil, c.o, p, [][]tensor.Float{{0}, {0}}, optim.NewBuffers(c.o, p), 1, 0.5, nil)
		want := tensor.Float(0.875)
		if _, ok := c.o.(optim.Decaying); !ok {
			want = 1
		}
		if m, v := p[0].Value.Data[0], p[1].Value.Data[0]; m != want || v != c.vector {
			t.Errorf("%+v: matrix %v, vector %v, want %v and %v", c.o, m, v, want, c.vector)
		}
	}
}

func TestDecayValidate(t *testing.T) {
	for _, o := range []optim.Optimizer{
		optim.SGD{LR: 0.1, Decay: -1}, optim.SGD{LR: 0.1, Decay: math.NaN()},
		optim.AdamW{Adam: optim.Adam{LR: 0.1}, Decay: -1}, optim.AdamW{Decay: 0.1},
	} {
		if o.Validate() == nil {
			t.Errorf("%+v: accepted", o)
		}
	}
}

// The schedules at every step. The values of one-cycle are those of the formulas
// of PyTorch's OneCycleLR, computed on their own.
func TestStagedSchedules(t *testing.T) {
	for _, c := range []struct {
		name  string
		s     optim.Schedule
		total int
		want  []float64
	}{
		{"step", optim.Step{Every: 2, Factor: 0.5}, 7, []float64{1, 1, 0.5, 0.5, 0.25, 0.25, 0.125}},
		{"milestones", optim.Milestones{At: []float64{0.5, 0.75}, Factor: 0.1}, 8, []float64{1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01}},
		{"milestones between steps", optim.Milestones{At: []float64{0.5}, Factor: 2}, 3, []float64{1, 1, 2}},
		{"one-cycle", optim.OneCycle{}, 10, []float64{
			0.04, 0.52, 1, 0.9504846320134737, 0.8117456539497631, 0.6112620219362893,
			0.38874197806371075, 0.18825834605023697, 0.049519367986526286, 4e-06, 4e-06,
		}},
		{"one-cycle, half way", optim.OneCycle{Rise: 0.5, Divide: 10, FinalDivide: 100}, 7, []float64{
			0.1, 0.41094235253127365, 0.9140576474687263, 0.9505339495172583, 0.611649206511179, 0.18906684397156262, 0.001,
		}},
		{"one-cycle of two steps", optim.OneCycle{}, 2, []float64{1, 4e-06}},
		{"one-cycle of one step", optim.OneCycle{}, 1, []float64{4e-06}},
	} {
		for i, want := range c.want {
			if got := c.s.Scale(i, c.total); math.Abs(got-want) > 1e-12 {
				t.Errorf("%s: scale %v at step %d, want %v", c.name, got, i, want)
			}
		}
	}
	for _, s := range []interface{ Validate() error }{
		optim.Step{Every: 0, Factor: 1}, optim.Step{Every: 1}, optim.Step{Every: 1, Factor: math.Inf(1)},
		optim.Milestones{At: []float64{0.5, 0.5}, Factor: 1}, optim.Milestones{At: []float64{1}, Factor: 1},
		optim.Milestones{At: []float64{0.5}}, optim.OneCycle{Rise: 1}, optim.OneCycle{Divide: 0.5}, optim.OneCycle{FinalDivide: math.NaN()},
	} {
		if s.Validate() == nil {
			t.Errorf("%+v: accepted", s)
		}
	}
}
