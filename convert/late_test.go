package convert_test

import (
	"strings"
	"testing"

	"synfire/convert"
	"synfire/network"
	"synfire/signal"
	"synfire/tensor"
)

// A chain of two units of which the second waits for the first: from 0 its first spikes are late, and
// the mean over all steps is too low until the first ones are left out. With input that is told
// exactly from the first step on nothing is.
func TestLateStart(t *testing.T) {
	g := chain(t, 1, []tensor.Float{1}, []tensor.Float{1}, []tensor.Float{1})
	c := converted(t, "data", g, convert.Options{Analog: of(constant(1, 1))}) // λ = 1
	find := func(x tensor.Float, steps, most int) int {
		n, err := c.LateStart(t.Context(), of(constant(1, x)), of(constant(steps, x)), most)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	// At ½ the neurons fire in steps 2, 4, 6, …: of an even number of steps the mean is right, and
	// of seven that of the last six.
	if n := find(0.5, 8, 8); n != 0 {
		t.Errorf("eight steps: %d are left out", n)
	}
	if n := find(0.5, 7, 7); n != 1 {
		t.Errorf("seven steps: %d are left out", n)
	}
	if n := find(1, 5, 5); n != 0 {
		t.Errorf("a spike in each step: %d are left out", n)
	}
	if n := find(0.5, 7, 1); n != 0 {
		t.Errorf("at most none: %d are left out", n)
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
