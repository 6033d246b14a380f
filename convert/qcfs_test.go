package convert_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/convert"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/layer/temporal"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/snntest"
	"synfire/tensor"
)

// trained is a graph as a method takes it: of units with learnt scales for qcfs, where the
// quantised ones stand in for those that training would give.
func trained(t *testing.T, method string, g network.Graph, c network.Calibration) network.Graph {
	t.Helper()
	if method != "qcfs" {
		return g
	}
	return quantised(t, g, 4, c)
}

func quantised(t *testing.T, g network.Graph, levels int, c network.Calibration) network.Graph {
	t.Helper()
	g, r, err := (convert.Quantize{Levels: levels}).Apply(t.Context(), g, c)
	if err != nil || len(r) == 0 {
		t.Fatal(r, err)
	}
	return g
}

// mean is that of an output over the steps from one on, for each element.
func mean(s *signal.Signal, from int) (sums []float64) {
	n := s.B * s.Units()
	sums = make([]float64, n)
	for t := from; t < s.T; t++ {
		for i := range sums {
			sums[i] += float64(s.Data[t*s.Stride()+i]) / float64(s.T-from)
		}
	}
	return sums
}

// After as many steps as there are levels graded spikes give what the quantised network gives,
// whatever the order in which spikes arrive; neurons whose spikes stay given do not.
func TestGradedSpikesAreTheStaircase(t *testing.T) {
	for _, levels := range []int{1, 3, 4, 8} {
		in := image(20, tensor.Shape{8, 8, 2}, uint64(levels))
		g := quantised(t, branched(t), levels, of(in))
		want := signalsOf(t, g, in)["scores"]
		for code := temporal.Plain; code <= temporal.Graded; code++ {
			c := converted(t, "qcfs", g, convert.Options{Code: code})
			long := *in
			long.T = levels
			got := mean(signalsOf(t, c.Graph, &long)["scores"], 0)
			most := 0.0
			for i, w := range want.Data {
				most = max(most, math.Abs(got[i]-float64(w)))
			}
			limit := 2e-5
			if snntest.DoublePrecision() {
				limit = 1e-12
			}
			if exact := most <= limit; exact != (code == temporal.Graded || levels == 1 && exact) {
				t.Errorf("%d levels, %v: scores differ by up to %v", levels, code, most)
			}
		}
	}
}

// Staircases of a layer are what its neurons give for even input, also for channels' currents
// that are rational with the levels, where nothing is rounded.
func TestStaircaseIsTheCount(t *testing.T) {
	src := rng.New(5, "test").Source()
	for range 3000 {
		levels := 1 + src.IntN(16)
		z := float64(src.IntN(161)-40) / 64
		lambda := float64(int(1)<<src.IntN(3)) / 2
		g := chain(t, 1, []tensor.Float{tensor.Float(z * lambda)}, []tensor.Float{1})
		for i, nd := range g.Nodes {
			if _, ok := nd.Layer.(layer.ReLU); ok {
				g.Nodes[i].Layer = ordinary.QCFS{Levels: levels, Init: lambda}
			}
		}
		c := converted(t, "qcfs", g, convert.Options{})
		want := lambda * min(max(math.Floor(float64(levels)*z+0.5), 0), float64(levels)) / float64(levels)
		if got := decoded(t, c.Graph, levels, 1); math.Abs(got-want) > 1e-6 {
			t.Fatalf("%d levels, z %v, scale %v: neurons give %v, the staircase %v", levels, z, lambda, got, want)
		}
		if got := float64(signalsOf(t, g, constant(1, 1))["linear2"].Data[0]); math.Abs(got-want) > 1e-6 {
			t.Fatalf("%d levels, z %v, scale %v: the layer gives %v, want %v", levels, z, lambda, got, want)
		}
	}
}

// Method qcfs takes scales that were learnt, rounds from half of the threshold, and refuses
// rectified units by name; other methods take qcfs units at their scale.
func TestQCFS(t *testing.T) {
	in := image(5, tensor.Shape{8, 8, 2}, 3)
	g := quantised(t, branched(t), 4, of(in))
	for _, m := range convert.Methods() {
		o := convert.Options{Analog: of(in), Spikes: of(in), Used: of(in), Steps: 4, Rescale: m.Name == "spike-norm"}
		c := converted(t, m.Name, g, o)
		for _, nd := range c.Ordinary.Nodes {
			if l, ok := nd.Layer.(ordinary.QCFS); ok && !slices.Contains(c.Scales[nd.Name], float64(nd.Arrays["scale"].Data[0])) {
				t.Errorf("%s: %s has the scales %v, not the %v of its %d levels", m.Name, nd.Name, c.Scales[nd.Name], nd.Arrays["scale"].Data, l.Levels)
			}
		}
		if m.Name == "qcfs" && (c.Fire != convert.Fire{Start: 0.5}) {
			t.Errorf("qcfs: %v", c.Fire)
		}
	}
	m, err := convert.MethodOf("qcfs")
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Convert(t.Context(), branched(t), convert.Options{})
	for _, want := range []string{`node "x"`, `node "h"`, "put qcfs in its place and train"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, _, err := (convert.Check{}).Apply(t.Context(), g, nil); err == nil || !strings.Contains(err.Error(), "is a qcfs unit") {
		t.Error(err)
	}
}

// Quantize starts scales at percentiles or limits, and refuses what has no staircase.
func TestQuantize(t *testing.T) {
	g := chain(t, 1, []tensor.Float{2}, []tensor.Float{3}, []tensor.Float{1})
	g.Nodes[1].Layer = layer.ReLU{Max: 6}
	g.Nodes[1].Name, g.Nodes[2].Inputs = "relu1", []string{"relu1"}
	q, _, err := (convert.Quantize{Levels: 3, P: 100}).Apply(t.Context(), g, of(constant(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	var found []float64
	for _, nd := range q.Nodes {
		if l, ok := nd.Layer.(ordinary.QCFS); ok {
			found = append(found, l.Init, float64(nd.Arrays["scale"].Data[0]), float64(l.Levels))
		}
	}
	if !slices.Equal(found, []float64{6, 6, 3, 12, 12, 3}) || q.Nodes[1].Name != "qcfs1" {
		t.Errorf("%v, %s", found, q.Nodes[1].Name)
	}
	for want, c := range map[string]struct {
		q convert.Quantize
		u layer.Layer
		c network.Calibration
	}{
		"levels is 0": {convert.Quantize{}, layer.ReLU{}, of(constant(1, 2))}, "leaky": {convert.Quantize{Levels: 4}, layer.ReLU{Slope: 0.1}, of(constant(1, 2))},
		"no samples": {convert.Quantize{Levels: 4}, layer.ReLU{}, nil}, "of its activations is 0": {convert.Quantize{Levels: 4}, layer.ReLU{}, of(constant(1, -2))},
		"percentile is 101": {convert.Quantize{Levels: 4, P: 101}, layer.ReLU{}, of(constant(1, 2))}, "nothing to quantise": {convert.Quantize{Levels: 4}, ordinary.QCFS{Levels: 4, Init: 1}, of(constant(1, 2))},
	} {
		one := chain(t, 1, []tensor.Float{2}, []tensor.Float{1})
		one.Nodes[1].Layer = c.u
		if _, _, err := c.q.Apply(t.Context(), one, c.c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Of uneven input the steps before the run silence what fires in vain; the run's scores are
// those behind them.
func TestResidual(t *testing.T) {
	// The first unit's rate is 1/2, the second's input 0.6, −0.6, 0.6 …: no activation.
	g := chain(t, 1, []tensor.Float{0.5}, []tensor.Float{1.2}, []tensor.Float{1})
	for i, nd := range g.Nodes {
		if l, ok := nd.Layer.(layer.Linear); ok && i == 2 {
			l.NoBias = false
			g.Nodes[i].Layer, g.Nodes[i].Arrays = l, map[string]tensor.Tensor{"weight": nd.Arrays["weight"], "bias": {Shape: tensor.Shape{1}, Data: []tensor.Float{-0.6}}}
		}
	}
	g, _, err := (convert.Normalize{By: convert.Percentile, P: 100}).Apply(t.Context(), scaledTo(g, 1), of(constant(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	for residual, want := range map[int]float64{0: 1, 8: 0} {
		c, _, err := (convert.Fire{Start: 0.5, Residual: residual}).Apply(t.Context(), g, nil)
		if err != nil {
			t.Fatal(err)
		}
		out := signalsOf(t, c, constant(residual+8, 1))[c.Outputs[0].Node]
		for step := range residual {
			if out.Data[step] != 0 {
				t.Errorf("%d residual steps: step %d gives %v", residual, step, out.Data[step])
			}
		}
		if got := 8 * mean(out, residual)[0]; got != want {
			t.Errorf("%d residual steps: %v spikes reach the output, want %v", residual, got, want)
		}
	}
	for want, f := range map[string]convert.Fire{
		"-1 residual": {Residual: -1}, "4 residual steps with code graded": {Residual: 4, Code: temporal.Graded},
		"soft reset": {Residual: 4, Reset: neuron.Zero}, "code graded and 0": {Code: temporal.Graded, Reset: neuron.Zero}, "code 9": {Code: 9},
	} {
		if _, _, err := f.Apply(t.Context(), g, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// scaledTo gives all units a limit, which their scale then is.
func scaledTo(g network.Graph, limit float64) network.Graph {
	g = network.Edit(g).Graph()
	for i, nd := range g.Nodes {
		if _, ok := nd.Layer.(layer.ReLU); ok {
			g.Nodes[i].Layer = layer.ReLU{Max: limit}
		}
	}
	return g
}

// Layers of qcfs units with graded spikes lose nothing in as many steps; one of the parts of an
// error is there where there is a reason for it.
func TestLayersOfStaircases(t *testing.T) {
	in := image(20, tensor.Shape{8, 8, 2}, 4)
	g := quantised(t, branched(t), 4, of(in))
	long := *in
	long.T = 4
	for _, code := range []temporal.Code{temporal.Plain, temporal.Graded} {
		c := converted(t, "qcfs", g, convert.Options{Code: code})
		layers, err := c.Layers(t.Context(), nil, of(in), of(&long))
		if err != nil {
			t.Fatal(err)
		}
		uneven := 0.0
		for _, l := range layers {
			if l.Error.Clip != 0 || l.Error.Quantise > 1e-3 {
				t.Errorf("%v, %s: %+v", code, l.Name, l.Error)
			}
			uneven = max(uneven, l.Error.Uneven)
		}
		if (uneven < 1e-3) != (code == temporal.Graded) {
			t.Errorf("%v: uneven %v", code, uneven)
		}
	}
}
