package convert_test

import (
	"strings"
	"testing"

	"synfire/convert"
	"synfire/network"
	"synfire/signal"
	"synfire/tensor"
)

// Neurons that start from 0 give their first spike late, and scores are out of proportion until the
// first steps are left out. With input that is told exactly from the first step on nothing is.
func TestLateStart(t *testing.T) {
	g := chain(t, 1, []tensor.Float{1}, []tensor.Float{1}, []tensor.Float{1})
	c := converted(t, "data", g, convert.Options{Analog: of(constant(1, 1))}) // λ = 1
	find := func(steps, most int, x ...tensor.Float) int {
		var analog, spikes []*signal.Signal
		for _, v := range x {
			analog, spikes = append(analog, constant(1, v)), append(spikes, constant(steps, v))
		}
		n, err := c.LateStart(t.Context(), of(analog...), of(spikes...), most)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	// At ½ the neurons fire in steps 2, 4, 6, …: of an even number of steps the mean is right, and
	// of seven that of the last six. At 1 it always is.
	for _, v := range []struct{ steps, most, want int }{{8, 8, 0}, {7, 7, 1}, {7, 1, 0}} {
		if n := find(v.steps, v.most, 1, 0.5); n != v.want {
			t.Errorf("%+v: %d are left out", v, n)
		}
	}
	// A factor alone is no reason to leave any out, nor are scores that are 0.
	if n := find(7, 7, 0.5); n != 0 {
		t.Errorf("one sample: %d are left out", n)
	}
	if n := find(7, 7, 0, 0); n != 0 {
		t.Errorf("silent: %d are left out", n)
	}
	if _, err := c.LateStart(t.Context(), of(), of(constant(3, 1)), 2); err == nil || !strings.Contains(err.Error(), "other samples") {
		t.Error(err)
	}
}

// Scores behind a delay are sums over the steps that are left.
func TestLate(t *testing.T) {
	c := converted(t, "data", chain(t, 1, []tensor.Float{1}, []tensor.Float{1}), convert.Options{Analog: of(constant(1, 1))})
	late, r, err := convert.Late{Steps: 3}.Apply(t.Context(), c.Graph, nil)
	if err != nil || len(r) != 1 || r[0].Effect != network.Changed {
		t.Fatal(r, err)
	}
	out := signalsOf(t, late, constant(5, 1))[late.Outputs[0].Node]
	if out.Kind != signal.Dense || out.Data[2] != 0 || out.Data[3] != 1 || out.Data[4] != 1 || c.Graph.Outputs[0].Node == late.Outputs[0].Node {
		t.Errorf("%+v", out)
	}
	if _, _, err := (convert.Late{}).Apply(t.Context(), c.Graph, nil); err == nil || !strings.Contains(err.Error(), "want 1 or more") {
		t.Error(err)
	}
}
