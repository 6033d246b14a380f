package optim_test

import (
	"math"
	"testing"

	"synfire/internal/par"
	"synfire/optim"
	"synfire/tensor"
)

// Nesterov's momentum as published in the form of PyTorch, in float64, with and without
// decoupled options; and parameters whose rate is another, or none.
func TestNesterov(t *testing.T) {
	const mu, lambda, lr = 0.75, 0.125, 0.5
	for _, decoupled := range []bool{false, true} {
		o := optim.SGD{LR: lr, Momentum: mu, Decay: lambda, Nesterov: true, Decoupled: decoupled}
		p := []tensor.Param{{Name: "w", Value: tensor.New(4, 5)}, {Name: "fast", Value: tensor.New(2, 2)}, {Name: "frozen", Value: tensor.New(2, 2)}}
		factors := []float64{1, 8, 0}
		want, m := make([][]float64, len(p)), make([][]float64, len(p))
		for i := range p {
			for k := range p[i].Value.Data {
				p[i].Value.Data[k] = tensor.Float(k) - 2.5
				want[i], m[i] = append(want[i], float64(k)-2.5), append(m[i], 0)
			}
		}
		bufs := optim.NewBuffers(o, p)
		for s := 1; s <= 10; s++ {
			eta, decay := lr/float64(s), lambda
			g := random(uint64(s), 20, 4, 4)
			optim.Apply(nil, o, p, g, bufs, s, eta, factors)
			if decoupled {
				eta, decay = eta*(1-mu), lambda/lr
			}
			for i := range p {
				for k := range want[i] {
					if factors[i] == 0 {
						continue
					}
					d := float64(g[i][k]) + decay*want[i][k]
					m[i][k] = mu*m[i][k] + d
					want[i][k] -= factors[i] * eta * (d + mu*m[i][k])
				}
			}
		}
		for i := range p {
			for k, w := range want[i] {
				if math.Abs(float64(p[i].Value.Data[k])-w) > 100*precision()*(1+math.Abs(w)) {
					t.Errorf("decoupled %v: %s[%d] is %v, want %v", decoupled, p[i].Name, k, p[i].Value.Data[k], w)
				}
			}
		}
	}
	if (optim.SGD{LR: 1, Nesterov: true}).Validate() == nil {
		t.Error("nesterov without momentum is accepted")
	}
}

// Decoupled, a constant gradient of 1 moves a weight by LR a step, whatever the momentum,
// with Nesterov and without.
func TestDecoupledStep(t *testing.T) {
	for _, mu := range []float64{0, 0.5, 0.75} {
		for _, nesterov := range []bool{false, mu > 0} {
			o := optim.SGD{LR: 0.25, Momentum: mu, Nesterov: nesterov, Decoupled: true}
			p := []tensor.Param{{Name: "w", Value: tensor.New(1, 1)}}
			bufs := optim.NewBuffers(o, p)
			var before tensor.Float
			for s := 1; s <= 60; s++ {
				before = p[0].Value.Data[0]
				optim.Apply(nil, o, p, [][]tensor.Float{{1}}, bufs, s, o.Rate(), nil)
			}
			if step := float64(before - p[0].Value.Data[0]); math.Abs(step-0.25) > 1e-5 {
				t.Errorf("momentum %v, nesterov %v: a step of %v, want 0.25", mu, nesterov, step)
			}
		}
	}
}

func TestTriangular(t *testing.T) {
	s := optim.Triangular{Rise: 0.25, Start: 0.2, End: 0.1}
	for at, want := range map[int]float64{0: 0.2, 1: 0.6, 2: 1, 5: 0.55, 7: 0.25, 8: 0.1, 9: 0.1} {
		if got := s.Scale(at, 8); math.Abs(got-want) > 1e-12 {
			t.Errorf("step %d of 8: %v, want %v", at, got, want)
		}
	}
	for _, s := range []optim.Triangular{{Rise: 1}, {Rise: -0.1}, {Start: 2}, {End: math.NaN()}} {
		if s.Validate() == nil {
			t.Errorf("%+v is accepted", s)
		}
	}
}

// The averages by their formulas, on a weight that grows by 1 a step.
func TestAverages(t *testing.T) {
	for name, c := range map[string]struct {
		a    optim.Average
		slow []float64 // after each of six steps
		fast float64
	}{
		"ema":                   {optim.EMA{Decay: 0.25}, []float64{0.818181, 1.704545, 2.676136, 3.669034, 4.667258, 5.666815}, 6},
		"look-ahead":            {optim.LookAhead{Every: 2, Alpha: 0.5}, []float64{0, 1, 1, 2, 2, 4}, 4},
		"look-ahead that rises": {optim.LookAhead{Every: 3, Alpha: 0.5, Power: 1}, []float64{0, 0, 2.25, 2.25, 2.25, 5.25}, 5.25},
	} {
		if err := c.a.Validate(); err != nil {
			t.Fatal(err)
		}
		for _, threads := range []int{1, 3} {
			pool := par.New(threads)
			slow, fast := make([]tensor.Float, 50_000), make([]tensor.Float, 50_000)
			for s := 1; s <= 6; s++ {
				for i := range fast {
					fast[i]++
				}
				if share, back := c.a.At(s, 6); share > 0 {
					optim.Follow(pool, slow, fast, share, back)
				}
				if got := float64(slow[len(slow)-1]); math.Abs(got-c.slow[s-1]) > 1e-5 || slow[0] != slow[len(slow)-1] {
					t.Errorf("%s, step %d: %v, want %v", name, s, got, c.slow[s-1])
				}
			}
			if got := float64(fast[7]); math.Abs(got-c.fast) > 1e-5 {
				t.Errorf("%s: what learns ends at %v, want %v", name, got, c.fast)
			}
			pool.Close()
		}
	}
	for _, a := range []optim.Average{optim.EMA{Decay: 1}, optim.LookAhead{Every: 0, Alpha: 0.5}, optim.LookAhead{Every: 1}, optim.LookAhead{Every: 1, Alpha: 0.5, Power: -1}} {
		if a.Validate() == nil {
			t.Errorf("%+v is accepted", a)
		}
	}
}
