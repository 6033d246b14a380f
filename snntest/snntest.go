// Package snntest holds conformance checks for layers, neurons, networks, tasks,
// sources and learning rules, to be called from tests: of this module and of any
// other that adds a kind.
//
//   - Gradient compares backward passes with difference quotients.
//   - Paths compares dense with event-driven arithmetic, bit for bit.
//   - Splits compares one window and chunk of time with several, bit for bit.
//   - Threads compares thread counts, bit for bit.
//   - Neuron checks a neuron by itself: strides, blocks, cuts of time, replays.
//   - Task checks a task: order and parts of batches, wrong shapes, empty scores.
//   - Source checks a source: reading at once and in any order, targets, origins.
//   - Learner checks a rule: states, models, predictors, and what finishes.
//
// All outputs of a network count.
package snntest

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/network"
	"synfire/signal"
	"synfire/tensor"
)

// DoublePrecision reports whether tensor.Float is float64, as gradient checks
// need (build tag float64).
func DoublePrecision() bool { return tensor.Float(1)+1e-12 != 1 }

// Outputs are those of a network in one run, by name, as numbers.
func Outputs(t testing.TB, net *network.Network, in *signal.Signal, pool *par.Pool) map[string][]tensor.Float {
	t.Helper()
	outs, err := net.Compile(pool, false).NewPass(network.Options{Pool: pool}).Forward(net.NewState(in.B), in, false)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]tensor.Float{}
	for i, o := range net.Outputs() {
		var d signal.Signal
		outs[i].Densify(&d)
		all[o.Name] = slices.Clone(d.Data)
	}
	return all
}

// Random is a reproducible signal: uniform values in ±1, or for Spikes bits of
// the given density.
func Random(kind signal.Kind, t, b int, shape tensor.Shape, density float64, seed uint64) *signal.Signal {
	s := &signal.Signal{}
	s.Reset(kind, t, b, shape)
	src := rng.New(seed, "snntest").Source()
	if kind == signal.Spikes {
		for r := range s.Rows() {
			for u := range s.Units() {
				if src.Float64() < density {
					s.Raster.Set(r, u)
				}
			}
		}
		return s
	}
	for i := range s.Data {
		s.Data[i] = tensor.Float(2*src.Float64() - 1)
	}
	return s
}

// Window is steps [t0, t1) of s as a signal of its own. Constant stays as it is.
func Window(s *signal.Signal, t0, t1 int) *signal.Signal {
	w := &signal.Signal{}
	*w = *s
	w.T = t1 - t0
	switch s.Kind {
	case signal.Dense:
		w.Data = s.Data[t0*s.Stride() : t1*s.Stride()]
	case signal.Spikes:
		r := s.Raster
		r.Rows = w.T * s.B
		r.Bits = s.Raster.Bits[t0*s.B*r.Words : t1*s.B*r.Words]
		w.Raster = r
	}
	return w
}

// Result is what a run of a network leaves: its outputs as numbers, one output
// after the other and each step after step (what is constant at each), and the
// gradients of a fixed random functional of them.
type Result struct {
	Out   []tensor.Float
	Grads network.Grads
}

// Run runs net over in, cut at the given steps, and backwards from the errors
// r, fixed by their seeds, at its outputs. Gradients are those of Σ r·o.
func Run(t testing.TB, net *network.Network, in *signal.Signal, o network.Options, cuts ...int) Result {
	t.Helper()
	pass := net.Compile(o.Pool, true).NewPass(o)
	edges := append(append([]int{0}, cuts...), in.T)
	var res Result
	st := net.NewState(in.B)
	states := []*network.State{}
	parts := make([][]tensor.Float, len(net.Outputs()))
	for i := 1; i < len(edges); i++ { // forward, remembering the borders
		states = append(states, st.Clone())
		outs, err := pass.Forward(st, Window(in, edges[i-1], edges[i]), true)
		if err != nil {
			t.Fatal(err)
		}
		for k, out := range outs {
			parts[k] = append(parts[k], steps(out)...)
		}
	}
	res.Out = slices.Concat(parts...)
	res.Grads = net.NewGrads()
	adj := net.NewAdjoint(in.B)
	for i := len(edges) - 1; i > 0; i-- { // backward, recomputing each window
		outs, err := pass.Forward(states[i-1], Window(in, edges[i-1], edges[i]), true)
		if err != nil {
			t.Fatal(err)
		}
		if err := pass.Backward(adj, Projections(outs, edges[i-1]), res.Grads); err != nil {
			t.Fatal(err)
		}
	}
	return res
}

// steps is a signal's elements as numbers at each step.
func steps(s *signal.Signal) []tensor.Float {
	var d signal.Signal
	s.Densify(&d)
	if s.Kind == signal.Constant {
		return slices.Repeat(d.Data, s.T)
	}
	return d.Data
}

// Projections are the errors at outputs at steps from t0 on, the same whatever
// the cut, and others for each output.
func Projections(outs []*signal.Signal, t0 int) (douts []*signal.Signal) {
	for k, out := range outs {
		douts = append(douts, projection(out, t0, k))
	}
	return douts
}

func projection(out *signal.Signal, t0, k int) *signal.Signal {
	d := &signal.Signal{}
	kind := signal.Dense
	if out.Kind == signal.Constant {
		kind = signal.Constant
	}
	d.Reset(kind, out.T, out.B, out.Shape)
	n := out.B * out.Units()
	for t := range d.Rows() / d.B {
		src := rng.New(uint64(t0+t), "projection").Int(uint64(k)).Source()
		for i := range n {
			d.Data[t*n+i] = tensor.Float(2*src.Float64() - 1)
		}
	}
	return d
}

// Gradient checks every layer's backward pass in net at once: the gradients of
// Σ r·o, over all outputs, with soft spikes against central differences, for up to perParam
// elements of each parameter. It skips without double precision.
func Gradient(t testing.TB, net *network.Network, in *signal.Signal, perParam int) {
	t.Helper()
	if !DoublePrecision() {
		t.Skip("gradient checks need the build tag float64")
	}
	for _, o := range modes(in.B) {
		gradient(t, net, in, perParam, o)
	}
}

func gradient(t testing.TB, net *network.Network, in *signal.Signal, perParam int, o network.Options) {
	t.Helper()
	o.Soft = layer.Record
	c := net.Compile(nil, true)
	pass := c.NewPass(o)
	var outs []*signal.Signal
	value := func() (sum float64) {
		c.Refresh(nil)
		var err error
		if outs, err = pass.Forward(net.NewState(in.B), in, true); err != nil {
			t.Fatal(err)
		}
		for k, d := range Projections(outs, 0) {
			for i, r := range d.Data {
				sum += float64(r) * float64(outs[k].Data[i])
			}
		}
		return sum
	}
	value()
	grads := net.NewGrads()
	if err := pass.Backward(net.NewAdjoint(in.B), Projections(outs, 0), grads); err != nil {
		t.Fatal(err)
	}
	pass.SetSoft(layer.Replay)
	checked := 0
	for i, p := range net.Params() {
		scale := maxAbs(grads[i])
		src := rng.New(uint64(i), "gradient").Source()
		for range min(perParam, len(p.Value.Data)) {
			j := src.IntN(len(p.Value.Data))
			const h = 1e-5
			w := p.Value.Data[j]
			p.Value.Data[j] = w + h
			up := value()
			p.Value.Data[j] = w - h
			down := value()
			p.Value.Data[j] = w
			want, got := (up-down)/(2*h), float64(grads[i][j])
			if math.Abs(want-got) > 1e-6*max(scale, 1e-3) {
				t.Errorf("%s[%d]: gradient %v, difference quotient %v", p.Name, j, got, want)
			}
			if got != 0 {
				checked++
			}
		}
	}
	if checked == 0 {
		t.Error("every gradient checked was zero: the check shows nothing")
	}
}

func maxAbs(x []tensor.Float) float64 {
	var m float64
	for _, v := range x {
		m = max(m, math.Abs(float64(v)))
	}
	return m
}

// Equal fails unless two results have the same bits. A zero's sign does not
// count.
func Equal(t testing.TB, what string, a, b Result) {
	t.Helper()
	equal(t, what+": output", a.Out, b.Out)
	if len(a.Grads) != len(b.Grads) {
		t.Errorf("%s: %d and %d gradients", what, len(a.Grads), len(b.Grads))
		return
	}
	for i := range a.Grads {
		equal(t, what+": gradient", a.Grads[i], b.Grads[i])
	}
}

func equal(t testing.TB, what string, a, b []tensor.Float) {
	t.Helper()
	if len(a) != len(b) {
		t.Errorf("%s: %d and %d elements", what, len(a), len(b))
		return
	}
	for i := range a {
		if a[i] != b[i] {
			t.Errorf("%s: element %d is %v and %v", what, i, a[i], b[i])
			return
		}
	}
}

// modes are inference and training of b samples; each check runs in both.
func modes(b int) []network.Options {
	keys := make([]rng.Key, b)
	for i := range keys {
		keys[i] = rng.New(uint64(i), "snntest")
	}
	return []network.Options{{}, {Training: keys}}
}

// Paths checks that dense and event-driven arithmetic agree.
func Paths(t testing.TB, net *network.Network, in *signal.Signal) {
	t.Helper()
	for _, o := range modes(in.B) {
		o.Path = layer.Dense
		want := Run(t, net, in, o)
		o.Path = layer.Events
		Equal(t, "events", want, Run(t, net, in, o))
		o.Path = layer.Auto
		Equal(t, "auto", want, Run(t, net, in, o))
	}
}

// Splits checks that cutting time changes nothing, but for training where a
// layer then needs all of it.
func Splits(t testing.TB, net *network.Network, in *signal.Signal) {
	t.Helper()
	if in.T < 2 {
		t.Errorf("snntest.Splits: a signal of %d steps cannot be split; give it several", in.T)
		return
	}
	for _, o := range modes(in.B) {
		if _, whole := net.WholeTime(o.Training != nil); whole {
			continue
		}
		o.Chunk = in.T
		want := Run(t, net, in, o)
		for cut := 1; cut < in.T; cut++ {
			Equal(t, "split", want, Run(t, net, in, o, cut))
		}
		if in.T > 3 {
			Equal(t, "three windows", want, Run(t, net, in, o, 1, in.T-1))
		}
		for o.Chunk = 1; o.Chunk < in.T; o.Chunk++ {
			Equal(t, "chunks", want, Run(t, net, in, o))
			Equal(t, "chunks in windows", want, Run(t, net, in, o, in.T/2))
		}
	}
}

// Forgets checks that outputs do not depend on whether Backward could follow, in a pass that does
// one in turn with the other, and not on the chunks of time.
func Forgets(t testing.TB, net *network.Network, in *signal.Signal) {
	t.Helper()
	for _, o := range modes(in.B) {
		want := Run(t, net, in, o).Out
		for o.Chunk = 1; o.Chunk <= in.T; o.Chunk++ {
			pass := net.Compile(nil, true).NewPass(o)
			for _, keep := range []bool{false, false, true, false} {
				outs, err := pass.Forward(net.NewState(in.B), in, keep)
				if err != nil {
					t.Fatal(err)
				}
				var got []tensor.Float
				for _, out := range outs {
					got = append(got, steps(out)...)
				}
				equal(t, fmt.Sprintf("kept %v, %d steps at once", keep, o.Chunk), want, got)
			}
		}
	}
}

// Threads checks that 2, 3 and 8 threads give what one gives.
func Threads(t testing.TB, net *network.Network, in *signal.Signal) {
	t.Helper()
	for _, o := range modes(in.B) {
		want := Run(t, net, in, o)
		for _, n := range []int{2, 3, 8} {
			pool := par.New(n)
			o.Pool = pool
			Equal(t, "threads", want, Run(t, net, in, o))
			pool.Close()
		}
	}
}
