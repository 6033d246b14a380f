package braincompare

import (
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/compare/fixedpoint"
	"synfire/data/mnist"
	"synfire/model"
	"synfire/report"
	"synfire/rule/bptt"
	"synfire/rule/eqprop"
	"synfire/rule/eqprop/coupling"
	"synfire/sample"
	"synfire/tensor"

	"gonum.org/v1/gonum/mat"
)

// Silenced units lose the weights behind them, of their layer alone and of the copy alone.
func TestWithout(t *testing.T) {
	digits, _ := mnist.Sample()
	c, err := Config(report.Smoke, RealValued, 1)
	if err != nil {
		t.Fatal(err)
	}
	net, err := c.Rule.(bptt.Rule).Network(c.Setting(model.Sets{Spec: digits.Spec()}, nil))
	if err != nil {
		t.Fatal(err)
	}
	silenced := make([]bool, 64)
	silenced[3], silenced[60] = true, true
	for layer, outputs := range map[string]int{"hidden 1": 64, "hidden 2": 10} {
		got, err := without(net, layer, silenced)
		if err != nil {
			t.Fatal(err)
		}
		changed := 0
		for i, p := range got.Params() {
			for k, v := range p.Value.Data {
				if v == net.Params()[i].Value.Data[k] {
					continue
				}
				changed++
				if v != 0 || p.Value.Shape[1] != outputs || !silenced[k/outputs] {
					t.Fatalf("%s: %s[%d] is %v", layer, p.Name, k, v)
				}
			}
		}
		if changed != 2*outputs {
			t.Errorf("%s: %d weights changed, want %d", layer, changed, 2*outputs)
		}
	}
	if _, err := without(net, "output", silenced); err == nil {
		t.Error("no error for the output")
	}
	if _, err := without(net, "hidden 1", silenced[:9]); err == nil || !strings.Contains(err.Error(), "9 units") {
		t.Errorf("%v", err)
	}
}

// The free dynamics in float64 take the steps of the learner that they are of.
func TestRelaxation(t *testing.T) {
	c := eqprop.Config{Sizes: []int{6, 5, 3}, Step: 0.5, CostScale: 1, Beta: 0.3, Free: 7, Nudged: 4, LearningRates: []float64{0.1, 0.05}, Seed: 3}
	l, err := eqprop.New(c)
	if err != nil {
		t.Fatal(err)
	}
	x := []tensor.Float{0.9, 0, 0.4, 1, 0.1, 0.6}
	free, _, err := l.States(sample.Labelled([]int{0}, x, []int{1}, 3))
	if err != nil {
		t.Fatal(err)
	}
	r := newRelaxation(l.Net(), 0.5, x)
	h, next := make([]float64, 8), make([]float64, 8)
	for range c.Free {
		r.next(next, h)
		h, next = next, h
	}
	for i, v := range append(slices.Clone(free[0]), free[1]...) {
		if math.Abs(h[i]-float64(v)) > 1e-5 {
			t.Errorf("unit %d is %v, the learner's %v", i, h[i], v)
		}
	}
}

// Two units of coupling w and step ε that nothing clips: their eigenvalues are 1 − ε ± εw, the fixed
// point solves h = base + A·h, and the distance falls by the largest eigenvalue.
func TestFixedPointByHand(t *testing.T) {
	param := func(shape tensor.Shape, v ...tensor.Float) tensor.Param {
		return tensor.Param{Value: tensor.Tensor{Shape: shape, Data: v}}
	}
	net := &coupling.Net{
		Sizes: []int{1, 1, 1}, W: []tensor.Param{param(tensor.Shape{1, 1}, 0.5), param(tensor.Shape{1, 1}, 0.25)},
		B: []tensor.Param{param(tensor.Shape{1}, 0.125), param(tensor.Shape{1}, 0.25)},
	}
	r := newRelaxation(net, 0.5, []tensor.Float{0.5})
	points, err := fixedpoint.Find(r.next, mat.NewDense(3, 2, []float64{0, 0, 1, 0.2, 0.6, 0.9}), fixedpoint.Options{})
	if err != nil || len(points) != 1 {
		t.Fatalf("%v, %v", points, err)
	}
	// a = 0.375 + b/4, b = 0.25 + a/4: a = (0.375 + 1/16)/(1 − 1/16) = 7/15, b = 11/30
	p := points[0]
	for k, want := range []float64{7. / 15, 11. / 30} {
		if math.Abs(p.H[k]-want) > 1e-6 {
			t.Errorf("state %d: %v, want %v", k, p.H[k], want)
		}
	}
	for k, want := range []float64{0.625, 0.375} {
		if math.Abs(real(p.Eigenvalues[k])-want) > 1e-6 || p.Unstable != 0 {
			t.Errorf("eigenvalue %v, want %v", p.Eigenvalues[k], want)
		}
	}
	d := r.distances(p.H, 40)
	if math.Abs(d[30]/d[29]-0.625) > 1e-3 || math.Abs(d[0]-math.Hypot(7./15, 11./30)) > 1e-6 {
		t.Errorf("distances %v", d)
	}
}

// A section of dynamics without a fixed point says so, and draws nothing.
func TestNoFixedPoint(t *testing.T) {
	d := &dynamics{of: settlings[report.Smoke], nets: []resting{{name: "trained", points: []int{0, 0}, lost: 2}}}
	s, err := d.section()
	if err != nil || len(s.Figures) != 0 || s.Tables[0].Rows[0][4] != "2" || s.Tables[0].Rows[0][6] != "–" {
		t.Errorf("%+v, %v", s, err)
	}
	m := report.Metrics{}
	d.metrics(m)
	if _, ok := m["fixed_point_modulus_trained"]; ok {
		t.Error("a modulus of no fixed point")
	}
}
