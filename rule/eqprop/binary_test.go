package eqprop

import (
	"slices"
	"strings"
	"testing"

	"synfire/rule/eqprop/coupling"
	"synfire/rule/eqprop/sparse"
	"synfire/rule/eqprop/unit"
	"synfire/tensor"
)

// Weights are signs of the shadows, which move by the estimates for the weights and
// stay in their range; a pruned one has neither.
func TestBinary(t *testing.T) {
	c := complete(Config{Binary: &unit.Binary{}, Pruning: &sparse.Pruning{Sparsity: 0.8, Last: 0.4, Begin: 2, End: 3, Every: 1}})
	l, b := learner(t, c), samples(9, 40, 5, 0.5, 3)
	g := gradient(t, l, b)
	before := slices.Clone(l.r.shadow.W[1].Value.Data)
	step(t, l, b)
	a := unit.Scale(l.Net().W[1])
	for i, v := range l.r.shadow.W[1].Value.Data {
		want := min(max(before[i]-tensor.Float(c.LearningRates[1])*g.W[1].Value.Data[i], -2*a), 2*a)
		near(t, "shadow", float64(v), float64(want), 1e-6)
	}
	for i := range uint64(4) {
		step(t, l, samples(9, 40, 5, 0.5, i))
	}
	zeros := 0
	for i, w := range l.Net().W[0].Value.Data {
		v, a := l.r.shadow.W[0].Value.Data[i], unit.Scale(l.Net().W[0])
		switch {
		case v > 2*a || v < -2*a || v > 0 && w != a || v < 0 && w != -a || v == 0 && w != 0:
			t.Fatalf("weight %v of shadow %v, scale %v", w, v, a)
		case w == 0:
			zeros++
		}
	}
	if zeros != 40*33*8/10 {
		t.Errorf("%d zeros", zeros)
	}
}

// The shadows are what a checkpoint keeps, and a spiking network takes them up.
func TestBinaryState(t *testing.T) {
	c := complete(Config{Binary: &unit.Binary{}})
	c.Free = 200
	l, b := learner(t, c), samples(9, 40, 5, 0.5, 3)
	step(t, l, b)
	want := slices.Clone(must(l.Predict(t.Context(), b)).Outputs[0].Scores)
	for _, s := range []*unit.Spiking{nil, {Epsilon: 1, Decay: 0.5}} {
		c.Spiking, c.Seed = s, 99
		other := learner(t, c)
		if err := other.SetState(l.State()); err != nil {
			t.Fatal(err)
		}
		for i, v := range must(other.Predict(t.Context(), b)).Outputs[0].Scores {
			limit := 0.0
			if s != nil {
				limit = 0.1
			}
			near(t, "score", float64(v), float64(want[i]), limit)
		}
	}
	for _, c := range []Config{{Activation: unit.Tanh}, {Output: CrossEntropy}, {Weights: coupling.FanIn}, {Particles: 50}} {
		c.Binary = &unit.Binary{}
		if _, err := New(complete(c)); err == nil || !strings.Contains(err.Error(), "leave these out") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
