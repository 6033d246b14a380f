package tempotron

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/sample"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %.9g, want %.9g", what, got, want)
	}
}

// V₀ and the kernel for τ = 15 and τ_s = 3.75 ms, of NumPy.
func TestKernel(t *testing.T) {
	k := NewKernel(15, 3.75)
	near(t, "V₀", k.scale, 2.1165347, 1e-7)
	near(t, "K(5)", k.At(5), 0.9586509, 1e-7)
	near(t, "K(6.93)", k.At(6.9314718), 1, 1e-12)
	near(t, "K(20)", k.At(20), 0.5476940, 1e-7)
	if k.At(0) != 0 || k.At(-1) != 0 {
		t.Error("a spike acts before it comes")
	}
}

// The maximum is that of a fine grid.
func TestMax(t *testing.T) {
	src := rng.New(1, "max").Source()
	k := NewKernel(15, 3.75)
	for range 100 {
		w := make([]float64, 6)
		var spikes []Spike
		for i := range w {
			w[i] = src.Norm()
			for range 1 + src.IntN(2) {
				spikes = append(spikes, Spike{100 * src.Float64(), i})
			}
		}
		p := NewPattern(k, spikes, 150)
		v, at := k.Max(p, w)
		potential := func(t float64) (sum float64) {
			for _, s := range spikes {
				sum += w[s.Unit] * k.At(t-s.At)
			}
			return sum
		}
		near(t, "the potential at the maximum", potential(at), v, 1e-9)
		for s := p.Spikes[0].At; s <= 150 && v > 0; s += 0.05 {
			if potential(s) > v+1e-9 && s > p.Spikes[0].At {
				t.Fatalf("%v at %v, the maximum was to be %v at %v", potential(s), s, v, at)
			}
		}
	}
	if v, at := k.Max(NewPattern(k, nil, 10), nil); v != 0 || at != 0 {
		t.Errorf("without spikes %v at %v", v, at)
	}
}

// One input of 0.9 below the threshold learns to reach it: t* is the peak, so that it gets λ.
func TestStep(t *testing.T) {
	n := NewNeuron(NewKernel(15, 3.75), 1, 1)
	n.W[0] = 0.9
	p := NewPattern(n.Kernel, []Spike{{3, 0}}, 100)
	if right, v := n.Learn(p, true, 0.11, 0.5); right || math.Abs(v-0.9) > 1e-12 || math.Abs(n.W[0]-1.01) > 1e-12 || !n.Fires(p) {
		t.Errorf("right %v, %v, weight %v", right, v, n.W[0])
	}
	if right, _ := n.Learn(p, true, 0.11, 0.5); !right || math.Abs(n.W[0]-1.01) > 1e-12 {
		t.Error("it learns where it is right")
	}
	n.Learn(p, false, 0.1, 0.5) // −0.1 and half of the 0.11 before
	near(t, "the weight", n.W[0], 1.01-0.1+0.055, 1e-12)
}

// The change is λ times the gradient of the maximum, by differences.
func TestGradient(t *testing.T) {
	src := rng.New(2, "gradient").Source()
	n := NewNeuron(NewKernel(15, 3.75), 5, 8)
	var spikes []Spike
	for i := range n.W {
		n.W[i] = 0.3 + 0.2*src.Norm()
		spikes = append(spikes, Spike{40 * src.Float64(), i})
	}
	p := NewPattern(n.Kernel, spikes, 100)
	before := append([]float64(nil), n.W...)
	n.Learn(p, true, 1, 0)
	for i := range n.W {
		const h = 1e-6
		w := append([]float64(nil), before...)
		w[i] += h
		up, _ := n.Max(p, w)
		w[i] -= 2 * h
		down, _ := n.Max(p, w)
		near(t, "∂V/∂w", n.W[i]-before[i], (up-down)/(2*h), 1e-7)
	}
}

func TestLearner(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{1, 1, 5}, Targets: []sample.Field{{Name: sample.Label, Kind: sample.Class, Classes: []string{"a", "b", "c"}}}}
	s := train.Setting{Spec: spec, Samples: 12, Steps: 1, Epochs: 2, Batch: 4, Seed: 3, Pool: par.New(2)}
	var batches []*sample.Batch
	src := rng.New(1, "batches").Source()
	for k := range 3 {
		b := &sample.Batch{Spec: &spec, Targets: []sample.Column{{Field: &spec.Targets[0]}}}
		for i := range 4 {
			b.Index = append(b.Index, 4*k+i)
			b.Targets[0].Class = append(b.Targets[0].Class, i%3)
			for range 5 {
				b.X = append(b.X, tensor.Float(src.Float64()))
			}
		}
		batches = append(batches, b)
	}
	snntest.Learner(t, NewRule(), s, batches...)
	l, err := NewRule().Learner(s)
	if err != nil {
		t.Fatal(err)
	}
	batches[0].X[3] = 2
	if _, err := l.Step(t.Context(), batches[0]); err == nil {
		t.Error("a value of 2 is learned")
	}
}

func TestValidate(t *testing.T) {
	for i, change := range []func(*Rule){
		func(r *Rule) { r.Window = 0 }, func(r *Rule) { r.Tau = math.NaN() }, func(r *Rule) { r.TauS = 15 }, func(r *Rule) { r.Threshold = -1 },
		func(r *Rule) { r.LR = 0 }, func(r *Rule) { r.Momentum = 1 }, func(r *Rule) { r.Schedule = nil }, func(r *Rule) { r.Initial = -1 },
	} {
		r := NewRule()
		change(&r)
		if r.Validate() == nil {
			t.Errorf("change %d is accepted", i)
		}
	}
	large := NewRule()
	large.LR = 1e300
	if err := large.Validate(); err == nil || !strings.Contains(err.Error(), "want a positive number up to 1e+09") {
		t.Errorf("a rate of 1e300: %v, want an error that says the bound", err)
	}
}

// The order of two spikes: the same inputs, to be told apart by their times alone.
func Example() {
	n := NewNeuron(NewKernel(15, 3.75), 1, 2)
	ab := NewPattern(n.Kernel, []Spike{{0, 0}, {5, 1}}, 60)
	ba := NewPattern(n.Kernel, []Spike{{5, 0}, {0, 1}}, 60)
	for range 300 {
		n.Learn(ab, true, 0.02, 0)
		n.Learn(ba, false, 0.02, 0)
	}
	fmt.Println(n.Fires(ab), n.Fires(ba))
	// Output: true false
}
