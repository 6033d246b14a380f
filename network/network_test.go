package network_test

import (
	"maps"
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

func lif(beta float64, reset neuron.Reset, s surrogate.Surrogate) layer.Spiking {
	return layer.Spiking{Neuron: neuron.LIF{Beta: beta, Threshold: 0.3, Reset: reset}, Surrogate: s}
}

var (
	fast     = surrogate.FastSigmoid{Slope: 4}
	arctan   = surrogate.ArcTan{Alpha: 2}
	triangle = surrogate.Triangle{Height: 0.8, Width: 1.1}
)

// networks are small nets that between them hold every kind of layer, neuron,
// reset and surrogate, with strides, padding and windows that overlap.
func networks(t testing.TB) map[string]*network.Network {
	t.Helper()
	nets := map[string]*network.Network{}
	add := func(name string, in tensor.Shape, layers ...layer.Layer) {
		n, err := network.Sequential(in, 3, layers...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		nets[name] = n
	}
	add("mlp", tensor.Shape{9},
		layer.Linear{Out: 12}, lif(0.9, neuron.Subtract, fast),
		layer.Linear{Out: 5, NoBias: true}, lif(0.8, neuron.Zero, arctan))
	add("conv", tensor.Shape{9, 8, 2},
		layer.Conv2D{Out: 5, Kernel: []int{3}, Padding: []int{1}}, layer.MaxPool{Size: 2}, lif(0.9, neuron.Subtract, fast),
		layer.Conv2D{Out: 6, Kernel: []int{2}}, lif(0.7, neuron.Zero, triangle), layer.Flatten{},
		layer.Linear{Out: 4}, layer.Readout{Beta: 0.9})
	add("strided", tensor.Shape{8, 9, 1},
		layer.Conv2D{Out: 3, Kernel: []int{3}, Stride: []int{2}, Padding: []int{1}, NoBias: true},
		layer.Spiking{Neuron: neuron.IF{Threshold: 0.3}, Surrogate: arctan}, layer.MaxPool{Size: 2, Stride: 1},
		layer.Conv2D{Out: 4, Kernel: []int{3}, Stride: []int{2}, Padding: []int{2}}, lif(0.9, neuron.None, fast),
		layer.AvgPool{Size: 2, Stride: 1}, layer.Flatten{}, layer.Linear{Out: 3}, lif(0.5, neuron.Subtract, triangle))
	add("ann", tensor.Shape{6, 6, 1},
		layer.Conv2D{Out: 4, Kernel: []int{3}}, layer.ReLU{}, layer.AvgPool{Size: 2}, layer.Flatten{}, layer.Linear{Out: 3})
	fan, err := network.New(tensor.Shape{7}, 5,
		network.Node{Name: "a", Layer: layer.Linear{Out: 6}},
		network.Node{Name: "s", Layer: lif(0.9, neuron.Subtract, fast)},
		network.Node{Name: "b", Layer: layer.Linear{Out: 4}},
		network.Node{Name: "c", Layer: layer.Linear{Out: 4}, Inputs: []string{"s"}},
		network.Node{Name: "d", Layer: join{}, Inputs: []string{"b", "c", "a"}},
	)
	if err != nil {
		t.Fatal(err)
	}
	nets["branches"] = fan
	maps.Copy(nets, jointNetworks(t))
	return nets
}

// join concatenates its inputs; it takes Dense alone, so the constant branch
// is repeated for it. It stands for a layer of a user's own.
type join struct{}

func (join) Output(in ...tensor.Shape) (tensor.Shape, error) {
	n := 0
	for _, s := range in {
		n += s.Size()
	}
	return tensor.Shape{n}, nil
}

func (join) Accepts(k signal.Kind) bool { return k == signal.Dense }

func (j join) Forward(c *layer.Call) {
	in := c.In[0]
	var shapes []tensor.Shape
	for _, s := range c.In {
		shapes = append(shapes, s.Shape)
	}
	out, _ := j.Output(shapes...)
	c.Out.Reset(signal.Dense, in.T, in.B, out)
	j.each(c, func(r, at int, s *signal.Signal, k int) {
		copy(c.Out.Data[r*c.Out.Units()+at:], s.Data[r*s.Units():][:s.Units()])
	})
}

func (j join) Backward(c *layer.Call) {
	j.each(c, func(r, at int, s *signal.Signal, k int) {
		if d := c.DIn[k]; d != nil {
			copy(d.Data[r*s.Units():][:s.Units()], c.DOut.Data[r*c.Out.Units()+at:])
		}
	})
}

func (join) each(c *layer.Call, f func(r, at int, s *signal.Signal, k int)) {
	for r := range c.Out.Rows() {
		at := 0
		for k, s := range c.In {
			f(r, at, s, k)
			at += s.Units()
		}
	}
}

var kinds = []signal.Kind{signal.Constant, signal.Spikes, signal.Dense}

func each(t *testing.T, f func(t *testing.T, net *network.Network, in *signal.Signal)) {
	for name, net := range networks(t) {
		for _, kind := range kinds {
			if name == "ann" && kind != signal.Constant {
				continue
			}
			t.Run(name+"/"+kind.String(), func(t *testing.T) {
				f(t, net, snntest.Random(kind, 5, 3, net.InputShape(), 0.3, 11))
			})
		}
	}
}

func TestGradients(t *testing.T) {
	each(t, func(t *testing.T, net *network.Network, in *signal.Signal) { snntest.Gradient(t, net, in, 12) })
}
func TestPaths(t *testing.T) {
	each(t, func(t *testing.T, n *network.Network, in *signal.Signal) { snntest.Paths(t, n, in) })
}
func TestThreads(t *testing.T) {
	each(t, func(t *testing.T, n *network.Network, in *signal.Signal) { snntest.Threads(t, n, in) })
}
func TestForgets(t *testing.T) {
	each(t, func(t *testing.T, n *network.Network, in *signal.Signal) { snntest.Forgets(t, n, in) })
}
func TestSplits(t *testing.T) {
	each(t, func(t *testing.T, n *network.Network, in *signal.Signal) {
		if n.Nodes()[1].Name == "relu1" {
			t.Skip("a network without state has one step")
		}
		snntest.Splits(t, n, in)
	})
}

func TestErrors(t *testing.T) {
	spiking := lif(0.9, neuron.Subtract, fast)
	for _, c := range []struct {
		want  string
		in    tensor.Shape
		nodes []network.Node
	}{
		{"no nodes", tensor.Shape{3}, nil},
		{"at least 1", tensor.Shape{0}, []network.Node{{Name: "a", Layer: layer.ReLU{}}}},
		{`node "a": linear: input of shape 4×4×1, want a vector; put a flatten`, tensor.Shape{4, 4, 1}, []network.Node{{Name: "a", Layer: layer.Linear{Out: 2}}}},
		{"kernel of 5 does not fit", tensor.Shape{4, 4, 1}, []network.Node{{Name: "a", Layer: layer.Conv2D{Out: 2, Kernel: []int{5}}}}},
		{"window of 3 does not fit", tensor.Shape{2, 2, 1}, []network.Node{{Name: "a", Layer: layer.MaxPool{Size: 3}}}},
		{"name is taken", tensor.Shape{3}, []network.Node{{Name: "a", Layer: layer.ReLU{}}, {Name: "a", Layer: layer.ReLU{}}}},
		{`"zz" is no node before it`, tensor.Shape{3}, []network.Node{{Name: "a", Layer: layer.ReLU{}, Inputs: []string{"zz"}}}},
		{"nothing uses its output", tensor.Shape{3}, []network.Node{{Name: "a", Layer: layer.ReLU{}}, {Name: "b", Layer: layer.ReLU{}, Inputs: []string{"input"}}}},
		{"no layer", tensor.Shape{3}, []network.Node{{Name: "a"}}},
		{"must both be given", tensor.Shape{3}, []network.Node{{Name: "a", Layer: layer.Spiking{Neuron: spiking.Neuron}}}},
		{"beta is 2", tensor.Shape{3}, []network.Node{{Name: "a", Layer: lif(2, neuron.Zero, fast)}}},
	} {
		_, err := network.New(c.in, 1, c.nodes...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want an error with %q", err, c.want)
		}
	}
}

// One Pass that alternates between two runs must not mix up their constants.
func TestConstantIsNotReusedForAnotherInput(t *testing.T) {
	net := networks(t)["mlp"]
	a := snntest.Random(signal.Constant, 2, 3, net.InputShape(), 0, 1)
	b := snntest.Random(signal.Constant, 2, 3, net.InputShape(), 0, 2)
	want := snntest.Run(t, net, b, network.Options{})
	pass := net.Compile(nil, false).NewPass(network.Options{})
	sa, sb := net.NewState(3), net.NewState(3)
	var got []tensor.Float
	for t0 := range 2 {
		if _, err := pass.Forward(sa, snntest.Window(a, t0, t0+1), false); err != nil {
			t.Fatal(err)
		}
		outs, err := pass.Forward(sb, snntest.Window(b, t0, t0+1), false)
		if err != nil {
			t.Fatal(err)
		}
		var d signal.Signal
		outs[0].Densify(&d)
		got = append(got, d.Data...)
	}
	snntest.Equal(t, "interleaved", snntest.Result{Out: want.Out}, snntest.Result{Out: got})
}

// Eval of one node after the other gives what the whole network gives.
func TestEval(t *testing.T) {
	net := networks(t)["conv"]
	in := snntest.Random(signal.Dense, 4, 2, net.InputShape(), 0, 1)
	want := snntest.Run(t, net, in, network.Options{})
	c, st := net.Compile(nil, false), net.NewState(2)
	cur := in
	for _, nd := range net.Nodes() {
		state, err := st.Node(net, nd.Name)
		if err != nil {
			t.Fatal(err)
		}
		if cur, err = c.Eval(nd.Name, []*signal.Signal{cur}, state); err != nil {
			t.Fatal(err)
		}
	}
	snntest.Equal(t, "node by node", snntest.Result{Out: want.Out}, snntest.Result{Out: cur.Data})
	if _, err := c.Eval(net.Nodes()[0].Name, []*signal.Signal{in, in}, nil); err == nil || !strings.Contains(err.Error(), "takes 1 inputs, found 2") {
		t.Errorf("two inputs: %v", err)
	}
}

// Slots are steps × samples × units of the last pass alone, spikes as many of
// them as fired.
func TestSpikesOfOnePass(t *testing.T) {
	net, err := network.New(tensor.Shape{3}, 1, network.Node{Name: "n", Layer: layer.Spiking{Neuron: neuron.LIF{Beta: 0.5, Threshold: 1}, Surrogate: surrogate.FastSigmoid{Slope: 5}}})
	if err != nil {
		t.Fatal(err)
	}
	in := &signal.Signal{}
	in.Reset(signal.Dense, 4, 2, tensor.Shape{3})
	for i := range in.Data {
		in.Data[i] = tensor.Float(i % 2 * 2) // every other one fires
	}
	p := net.Compile(nil, false).NewPass(network.Options{})
	for range 2 {
		if _, err := p.Forward(net.NewState(2), in, false); err != nil {
			t.Fatal(err)
		}
		if spikes, slots := p.Spikes(0); spikes != 12 || slots != 24 {
			t.Errorf("%d of %d fire, want 12 of 24", spikes, slots)
		}
	}
}
