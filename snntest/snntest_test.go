package snntest_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/snntest"
	"synfire/surrogate"
	"synfire/tensor"
)

// recorder is a testing.TB that keeps what a check reports instead of failing.
type recorder struct {
	testing.TB
	reports []string
	skipped bool
}

func (r *recorder) Helper()                   {}
func (r *recorder) Error(args ...any)         { r.reports = append(r.reports, fmt.Sprint(args...)) }
func (r *recorder) Errorf(f string, a ...any) { r.reports = append(r.reports, fmt.Sprintf(f, a...)) }
func (r *recorder) Fatal(args ...any)         { r.Error(args...); runtime.Goexit() }
func (r *recorder) Skip(...any)               { r.skipped = true; runtime.Goexit() }

// record runs a check to its end, which may be a Fatal or a Skip.
func record(t *testing.T, check func(testing.TB)) *recorder {
	r, done := &recorder{TB: t}, make(chan struct{})
	go func() {
		defer close(done)
		check(r)
	}()
	<-done
	return r
}

// Sound layers, and the same with one mistake each.
var (
	sound   = layer.Linear{Out: 6}
	spiking = layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 0.3, Reset: neuron.Zero}, Surrogate: surrogate.FastSigmoid{Slope: 4}}
)

// half forgets half of the gradient of its weights.
type half struct{ layer.Linear }

func (l half) Backward(c *layer.Call) {
	l.Linear.Backward(c)
	for i := range c.DParams[0] {
		c.DParams[0][i] /= 2
	}
}

// none passes no errors on.
type none struct{ layer.Spiking }

func (none) Backward(c *layer.Call) { clear(c.DIn[0].Data) }

// offByOne adds a little where spikes are added by event.
type offByOne struct{ layer.Linear }

func (l offByOne) Forward(c *layer.Call) {
	l.Linear.Forward(c)
	if c.Path == layer.Events {
		c.Out.Data[len(c.Out.Data)-1] *= 1.000001
	}
}

// forgetful starts each window at rest; blind drops the error that comes from
// the window after.
type (
	forgetful struct{ layer.Spiking }
	blind     struct{ layer.Readout }
)

func (l forgetful) Forward(c *layer.Call) {
	clear(c.State)
	l.Spiking.Forward(c)
}

func (l blind) Backward(c *layer.Call) {
	clear(c.DState)
	l.Readout.Backward(c)
}

// startled forgets what it had where a window comes of all steps but the first.
type startled struct{ layer.Spiking }

func (l startled) Forward(c *layer.Call) {
	if c.In[0].T == 4 {
		clear(c.State)
	}
	l.Spiking.Forward(c)
}

// divided depends on the number of threads, as a sum split between them would;
// shaky does so backwards alone.
type (
	divided struct{ layer.Linear }
	shaky   struct{ layer.Linear }
)

func (l divided) Forward(c *layer.Call) {
	l.Linear.Forward(c)
	c.Out.Data[0] += tensor.Float(c.Pool.Threads())
}

func (l shaky) Backward(c *layer.Call) {
	l.Linear.Backward(c)
	c.DParams[1][0] += tensor.Float(c.Pool.Threads())
}

func chain(t *testing.T, layers ...layer.Layer) *network.Network {
	t.Helper()
	n, err := network.Sequential(tensor.Shape{7}, 3, layers...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var checks = map[string]func(testing.TB, *network.Network, *signal.Signal){
	"gradient": func(t testing.TB, n *network.Network, in *signal.Signal) { snntest.Gradient(t, n, in, 8) },
	"paths":    snntest.Paths,
	"splits":   snntest.Splits,
	"threads":  snntest.Threads,
}

// A check that cannot fail proves nothing: each must pass a sound network, and
// report each mistake of its kind in words that say where.
func TestChecksFail(t *testing.T) {
	readout := layer.Readout{Beta: 0.9}
	for _, c := range []struct {
		name, check string
		layers      []layer.Layer
		want        string // of the report; empty where there must be none
	}{
		{"sound", "gradient", []layer.Layer{sound, spiking, sound, readout}, ""},
		{"half", "gradient", []layer.Layer{half{sound}, spiking, sound, readout}, "half1.weight["},
		{"errors lost", "gradient", []layer.Layer{sound, none{spiking}, sound, readout}, "linear1.weight["},
		{"only zeros", "gradient", []layer.Layer{sound, none{spiking}}, "every gradient checked was zero"},

		{"sound", "paths", []layer.Layer{sound, spiking, sound}, ""},
		{"off by one", "paths", []layer.Layer{sound, spiking, offByOne{sound}}, "events: output: element"},

		{"sound", "splits", []layer.Layer{sound, spiking, sound, readout}, ""},
		{"forgetful", "splits", []layer.Layer{sound, forgetful{spiking}, sound}, "split: output: element"},
		{"startled after one of 5 steps", "splits", []layer.Layer{sound, startled{spiking}, sound}, "split: gradient: element"},
		{"blind", "splits", []layer.Layer{sound, spiking, sound, blind{readout}}, "split: gradient: element"},

		{"sound", "threads", []layer.Layer{sound, spiking, sound}, ""},
		{"divided", "threads", []layer.Layer{divided{sound}, spiking}, "threads: gradient: element"},
		{"divided", "threads", []layer.Layer{sound, spiking, divided{sound}}, "threads: output: element 0"},
		{"shaky", "threads", []layer.Layer{sound, spiking, shaky{sound}}, "threads: gradient: element 0"},
	} {
		t.Run(c.check+"/"+c.name, func(t *testing.T) {
			in := snntest.Random(signal.Spikes, 5, 3, tensor.Shape{7}, 0.4, 1)
			r := record(t, func(tb testing.TB) { checks[c.check](tb, chain(t, c.layers...), in) })
			if c.check == "gradient" && !snntest.DoublePrecision() {
				if !r.skipped || len(r.reports) > 0 {
					t.Errorf("without double precision: skipped %v, reports %q", r.skipped, r.reports)
				}
				return
			}
			all := strings.Join(r.reports, "\n")
			if r.skipped || (all == "") != (c.want == "") || !strings.Contains(all, c.want) {
				t.Errorf("skipped %v, reports\n%s\nwant %q", r.skipped, all, c.want)
			}
		})
	}
}

// A network that refuses its input is a failure, not a pass.
func TestRunErrors(t *testing.T) {
	in := snntest.Random(signal.Dense, 2, 1, tensor.Shape{8}, 0, 1)
	r := record(t, func(tb testing.TB) { snntest.Paths(tb, chain(t, sound), in) })
	if len(r.reports) != 1 || !strings.Contains(r.reports[0], "shape 8, want 7") {
		t.Errorf("reports %q, want the error of the wrong shape", r.reports)
	}
}

// Results differ by one element, by their length or by a gradient; the sign of
// a zero is no difference.
func TestEqual(t *testing.T) {
	var zero tensor.Float
	a := snntest.Result{Out: []tensor.Float{0, 1}, Grads: network.Grads{{2, 3}}}
	for _, c := range []struct {
		b    snntest.Result
		want string
	}{
		{snntest.Result{Out: []tensor.Float{-zero, 1}, Grads: network.Grads{{2, 3}}}, ""},
		{snntest.Result{Out: []tensor.Float{0, 1.5}, Grads: network.Grads{{2, 3}}}, "x: output: element 1 is 1 and 1.5"},
		{snntest.Result{Out: []tensor.Float{0}, Grads: network.Grads{{2, 3}}}, "x: output: 2 and 1 elements"},
		{snntest.Result{Out: []tensor.Float{0, 1}, Grads: network.Grads{{2, -3}}}, "x: gradient: element 1 is 3 and -3"},
	} {
		r := record(t, func(tb testing.TB) { snntest.Equal(tb, "x", a, c.b) })
		if got := strings.Join(r.reports, "\n"); got != c.want {
			t.Errorf("reports %q, want %q", got, c.want)
		}
	}
}

// Random signals are whole, the same for a seed, of the density asked for, and
// of both signs; their windows are the steps of the whole.
func TestRandom(t *testing.T) {
	shape := tensor.Shape{10, 7, 1}
	for _, kind := range []signal.Kind{signal.Constant, signal.Spikes, signal.Dense} {
		s := snntest.Random(kind, 6, 5, shape, 0.2, 1)
		if err := s.Check(shape); err != nil {
			t.Fatal(err)
		}
		x, again, other := dense(s), dense(snntest.Random(kind, 6, 5, shape, 0.2, 1)), dense(snntest.Random(kind, 6, 5, shape, 0.2, 2))
		if !slices.Equal(x, again) || slices.Equal(x, other) {
			t.Errorf("%v: the seed does not decide the signal", kind)
		}
		if d := s.Density(); kind == signal.Spikes && (d < 0.17 || d > 0.23) {
			t.Errorf("density %v, want about 0.2", d)
		}
		if kind != signal.Spikes && (slices.Min(x) > -0.9 || slices.Max(x) < 0.9 || slices.Min(x) < -1 || slices.Max(x) > 1) {
			t.Errorf("%v: from %v to %v, want ±1", kind, slices.Min(x), slices.Max(x))
		}
		w := snntest.Window(s, 2, 5)
		want := x
		if kind != signal.Constant {
			want = x[2*5*70 : 5*5*70]
		}
		if err := w.Check(shape); err != nil || w.T != 3 || !slices.Equal(dense(w), want) {
			t.Errorf("%v: window of %d steps, %v", kind, w.T, err)
		}
	}
}

func dense(s *signal.Signal) []tensor.Float {
	var d signal.Signal
	s.Densify(&d)
	return d.Data
}

// A mistake that only the second output shows is found, and named after what it
// changes.
func TestChecksSeeEachOutput(t *testing.T) {
	head := func(l layer.Layer) network.GraphNode {
		return network.GraphNode{Node: network.Node{Name: "second", Layer: l, Inputs: []string{"body"}}}
	}
	body := network.GraphNode{Node: network.Node{Name: "body", Layer: spiking}}
	for _, c := range []struct {
		name, check string
		second      layer.Layer
		want        string // empty: no report
	}{
		{"sound", "gradient", sound, ""},
		{"half", "gradient", half{sound}, "second.weight["},
		{"sound", "paths", sound, ""},
		{"off by one", "paths", offByOne{sound}, "events: output: element"},
		{"sound", "splits", layer.Readout{Beta: 0.9}, ""},
		{"blind", "splits", blind{layer.Readout{Beta: 0.9}}, "split: gradient: element"},
		{"sound", "threads", sound, ""},
		{"divided", "threads", divided{sound}, "threads: output: element"},
		{"shaky", "threads", shaky{sound}, "threads: gradient: element 0"},
	} {
		t.Run(c.check+"/"+c.name, func(t *testing.T) {
			first := network.GraphNode{Node: network.Node{Name: "first", Layer: sound, Inputs: []string{"body"}}}
			net, err := network.Graph{Input: tensor.Shape{7}, Nodes: []network.GraphNode{{Node: network.Node{Layer: sound}}, body, first, head(c.second)},
				Outputs: []network.Output{{Name: "one", Node: "first"}, {Name: "two", Node: "second"}}}.Build(3)
			if err != nil {
				t.Fatal(err)
			}
			r := record(t, func(tb testing.TB) {
				checks[c.check](tb, net, snntest.Random(signal.Spikes, 5, 3, tensor.Shape{7}, 0.4, 1))
			})
			if c.check == "gradient" && !snntest.DoublePrecision() {
				return
			}
			all := strings.Join(r.reports, "\n")
			if r.skipped || (all == "") != (c.want == "") || !strings.Contains(all, c.want) {
				t.Errorf("skipped %v, reports\n%s\nwant %q", r.skipped, all, c.want)
			}
		})
	}
}
