package mostafa

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/sample"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
	"synfire/train/online"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %.9g, want %.9g", what, got, want)
	}
}

// By hand: weights 1.5, 1 and −0.5, inputs at 0, 0.5 and 1. The first two are the causal set:
// z = (1.5 + e^0.5)/1.5, which is before e.
func TestHandValues(t *testing.T) {
	l := NewLayer(3, 1)
	copy(l.W, []float64{1.5, 1, -0.5})
	l.Refresh()
	p := l.NewPass()
	in := []float64{1, math.Exp(0.5), math.E}
	z := p.Forward(in)[0]
	near(t, "z", z, 2.0991475, 1e-7)
	near(t, "t", math.Log(z), 0.7415313, 1e-7)
	r, back := new(room), make([]float64, 3)
	p.Backward([]float64{1}, math.Inf(1), back)
	r.begin(3)
	p.gradient(0, 1, r)
	for i, want := range []float64{-0.7327650, -0.3002842, 0} {
		near(t, "∂z/∂w", r.grad[i], want, 1e-7)
	}
	for i, want := range []float64{1, 2.0 / 3, 0} {
		near(t, "∂z/∂z", back[i], want, 1e-12)
	}
	near(t, "z of the first input alone", p.Forward([]float64{1, Silent, Silent})[0], 3, 1e-12)
	copy(l.W, []float64{0.4, 0.5, 0.1})
	l.Refresh()
	if z := p.Forward(in)[0]; !math.IsInf(z, 1) {
		t.Errorf("weights that sum to 1 fire at %v", z)
	}
	if z := p.Forward([]float64{Silent, Silent, Silent})[0]; !math.IsInf(z, 1) {
		t.Errorf("without inputs it fires at %v", z)
	}
}

// The potential, integrated in time, reaches 1 first where the causal set says.
func TestCausalSets(t *testing.T) {
	src := rng.New(1, "causal").Source()
	fired := 0
	for range 100 {
		l := NewLayer(6, 1)
		times, in := make([]float64, 6), make([]float64, 6)
		for i := range in {
			l.W[i], times[i] = 0.6*src.Norm()+0.3, 2*src.Float64()
			in[i] = math.Exp(times[i])
		}
		l.Refresh()
		at := math.Log(l.NewPass().Forward(in)[0])
		potential := func(t float64) (v float64) {
			for i, w := range l.W {
				if times[i] < t {
					v += w * (1 - math.Exp(times[i]-t))
				}
			}
			return v
		}
		for s := 0.0; s < min(at, 30); s += 0.01 {
			if potential(s) > 1+1e-9 {
				t.Fatalf("the potential is %v at %v, and the spike was to be at %v", potential(s), s, at)
			}
		}
		if !math.IsInf(at, 1) {
			fired++
			near(t, "the potential at the spike", potential(at), 1, 1e-9)
		}
	}
	if fired < 30 {
		t.Errorf("%d of 100 fired", fired)
	}
}

func net(seed uint64, hidden ...int) *Net {
	r := NewRule()
	r.Hidden, r.Binary = hidden, false
	return r.NewNet(5, 3, seed)
}

// The gradient through three layers is the difference of losses, away from changes of a set.
func TestGradient(t *testing.T) {
	n := net(4, 7, 6)
	x := []tensor.Float{0.9, 0.1, 0.55, 0.35, 0.7}
	scores := make([]float64, 3)
	_, g, err := n.Gradients(x, 1)
	if err != nil {
		t.Fatal(err)
	}
	moving := 0
	for l, layer := range n.Layers() {
		for k := range layer.W {
			const h = 1e-6
			w := layer.W[k]
			at := func(v float64) float64 {
				layer.W[k] = v
				n.Refresh()
				e, _ := n.Run(x, 1, scores)
				return e
			}
			up, down := at(w+h), at(w-h)
			at(w)
			near(t, fmt.Sprintf("∂L/∂w %d of layer %d", k, l+1), g[l][k], (up-down)/(2*h), 1e-6*max(1, math.Abs(g[l][k])))
			if g[l][k] != 0 {
				moving++
			}
		}
	}
	if moving < 40 {
		t.Errorf("%d weights have a gradient: the check shows little", moving)
	}
}

// Later inputs give later outputs by the same time, and the order of inputs does not matter.
func TestInvariances(t *testing.T) {
	src, l := rng.New(3, "invariances").Source(), NewLayer(6, 4)
	in := make([]float64, 6)
	for i := range in {
		in[i] = 1 + 3*src.Float64()
	}
	for k := range l.W {
		l.W[k] = 0.3 + src.Float64()
	}
	l.Refresh()
	p := l.NewPass()
	z := slices.Clone(p.Forward(in))
	back := slices.Clone(in)
	for i := range in {
		in[i] *= math.Exp(2)
	}
	for j, v := range p.Forward(in) {
		near(t, "z of shifted inputs", v/z[j], math.Exp(2), 1e-12)
	}
	turned := NewLayer(6, 4)
	for i := range 6 {
		copy(turned.W[(5-i)*4:][:4], l.W[i*4:][:4])
	}
	turned.Refresh()
	slices.Reverse(back)
	for j, v := range turned.NewPass().Forward(back) {
		near(t, "z of turned inputs", v/z[j], 1, 1e-12)
	}
}

// Neurons that cannot fire are lifted until they can.
func TestLift(t *testing.T) {
	r := NewRule()
	r.Hidden, r.Mean, r.Spread = nil, 0.1, 0.01
	n := r.NewNet(4, 2, 1)
	scores := make([]float64, 2)
	x := []tensor.Float{1, 1, 0, 1}
	if n.Run(x, -1, scores); scores[0] != -math.MaxFloat32 {
		t.Fatalf("scores %v: they fire", scores)
	}
	for range 20 {
		if _, err := n.Learn(x, 0, 1, scores); err != nil {
			t.Fatal(err)
		}
	}
	if n.Run(x, -1, scores); scores[0] < -100 || scores[1] < -100 {
		t.Errorf("scores %v: they are silent", scores)
	}
	for _, bad := range []float64{2, -1e-9, math.NaN()} {
		if _, err := n.Run([]tensor.Float{0, tensor.Float(bad), 0, 0}, 0, scores); err == nil {
			t.Errorf("a value of %v is encoded", bad)
		}
	}
}

// A batch learns the same bits on any number of threads, and without momentum the mean of what its
// samples would teach one by one.
func TestBatch(t *testing.T) {
	src := rng.New(7, "batch").Source()
	b := online.Batch{Ctx: t.Context(), Factor: 1, Scores: make([]float64, 24), Loss: make([]float64, 8)}
	for i := range 8 {
		b.Labels = append(b.Labels, i%3)
		for range 5 {
			b.X = append(b.X, tensor.Float(src.Float64()))
		}
	}
	weights := func(momentum float64, threads, from, to, times int) []float64 {
		r := NewRule()
		r.Hidden, r.Binary, r.Momentum, r.SumCost, r.LR = []int{150}, false, momentum, 0, 0.01
		n := r.NewNet(5, 3, 9)
		part := b
		part.Pool = par.New(threads)
		defer part.Pool.Close()
		part.X, part.Labels, part.Scores, part.Loss = b.X[from*5:to*5], b.Labels[from:to], b.Scores[:(to-from)*3], b.Loss[:to-from]
		for range times {
			if err := n.LearnBatch(&part); err != nil {
				t.Fatal(err)
			}
		}
		return append(slices.Clone(n.layers[0].W), n.layers[1].W...)
	}
	want := weights(0.9, 1, 0, 8, 5)
	for _, threads := range []int{2, 3} {
		if !slices.Equal(weights(0.9, threads, 0, 8, 5), want) {
			t.Errorf("%d threads learn other bits than one", threads)
		}
	}
	before, after, mean := weights(0, 1, 0, 8, 0), weights(0, 1, 0, 8, 1), make([]float64, len(want))
	for i := range 8 {
		for k, v := range weights(0, 1, i, i+1, 1) {
			mean[k] += (v - before[k]) / 8
		}
	}
	moved := 0
	for k, v := range mean {
		near(t, "a batch's change", after[k]-before[k], v, 1e-12)
		if v != 0 {
			moved++
		}
	}
	if moved < 500 {
		t.Errorf("%d weights moved", moved)
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
	r := NewRule()
	r.Hidden, r.Binary, r.Momentum = []int{6}, false, 0.9
	snntest.Learner(t, r, s, batches...)
	r.Hidden = []int{1 << 16, 1 << 16}
	if _, err := r.Learner(s); err == nil || !strings.Contains(err.Error(), "layer 2 has 65536 neurons on 65536 inputs") {
		t.Errorf("2³² weights: %v", err)
	}
}

func TestValidate(t *testing.T) {
	for i, change := range []func(*Rule){
		func(r *Rule) { r.Hidden = []int{0} }, func(r *Rule) { r.Late = 30 }, func(r *Rule) { r.LR = math.NaN() }, func(r *Rule) { r.Clip = 0 },
		func(r *Rule) { r.Momentum = 1 },
		func(r *Rule) { r.SumCost = -1 }, func(r *Rule) { r.Schedule = nil }, func(r *Rule) { r.Spread = 0 }, func(r *Rule) { r.Mean = math.Inf(1) },
	} {
		r := NewRule()
		change(&r)
		if r.Validate() == nil {
			t.Errorf("change %d is accepted", i)
		}
	}
}

// XOR of times, through four hidden neurons.
func Example() {
	r := NewRule()
	r.Hidden, r.Late, r.LR = []int{10}, 2, 0.05
	n := r.NewNet(3, 2, 1) // the third input fires first, always
	patterns := [][]tensor.Float{{0, 0, 1}, {0, 1, 1}, {1, 0, 1}, {1, 1, 1}}
	scores := make([]float64, 2)
	for range 2000 {
		for k, x := range patterns {
			if _, err := n.Learn(x, (k+1)/2%2, 1, scores); err != nil {
				fmt.Println(err)
				return
			}
		}
	}
	for _, x := range patterns {
		if _, err := n.Run(x, -1, scores); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Print(scores[1] > scores[0], " ")
	}
	// Output: false true true false
}
