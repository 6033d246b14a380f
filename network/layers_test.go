package network_test

import (
	"math"
	"reflect"
	"testing"

	"synfire/internal/rng"
	"synfire/layer"
	"synfire/layer/neunorm"
	"synfire/layer/ordinary"
	"synfire/layer/temporal"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/snntest"
	"synfire/surrogate"
	"synfire/tensor"
)

func node(name string, l layer.Layer, inputs ...string) network.Node {
	return network.Node{Name: name, Layer: l, Inputs: inputs}
}

// jointNetworks hold the layers with statistics, masks and several inputs.
func jointNetworks(t testing.TB) map[string]*network.Network {
	t.Helper()
	nets := map[string]*network.Network{}
	add := func(name string, in tensor.Shape, nodes ...network.Node) {
		n, err := network.New(in, 7, nodes...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		nets[name] = n
	}
	add("norm", tensor.Shape{5, 6, 2},
		node("a", layer.Conv2D{Out: 4, Kernel: []int{3}, Padding: []int{1}, NoBias: true}), node("b", layer.BatchNorm{}),
		node("c", lif(0.9, neuron.Subtract, fast)),
		node("d", layer.Conv2D{Out: 3, Kernel: []int{3}, NoBias: true}), node("e", layer.BatchNorm{Scale: 0.6}),
		node("f", lif(0.8, neuron.Zero, arctan)), node("g", layer.Flatten{}),
		node("h", layer.Linear{Out: 4, NoBias: true}), node("i", layer.BatchNorm{Momentum: 0.5}), node("j", layer.Readout{Beta: 0.9}))
	add("dropout", tensor.Shape{70},
		node("a", layer.Dropout{Rate: 0.2}),
		node("b", layer.Linear{Out: 40}), node("c", layer.Dropout{Rate: 0.3}), node("d", lif(0.9, neuron.Subtract, fast)),
		node("e", layer.Dropout{Rate: 0.5}), node("f", layer.Linear{Out: 4}), node("g", lif(0.8, neuron.Zero, arctan)))
	add("residual", tensor.Shape{6, 5, 2},
		node("stem", layer.Conv2D{Out: 4, Kernel: []int{3}, Padding: []int{1}}), node("s1", lif(0.9, neuron.Subtract, fast)),
		node("conv", layer.Conv2D{Out: 4, Kernel: []int{3}, Padding: []int{1}}), node("s2", lif(0.9, neuron.Subtract, fast)),
		node("add", layer.Add{}, "s1", "s2", "stem"), node("s3", lif(0.7, neuron.Zero, arctan)),
		node("cat", layer.Concat{}, "s1", "s3"), node("all", layer.Concat{}, "cat", "stem", "add"),
		node("out", layer.Conv2D{Out: 2, Kernel: []int{2}}))
	add("rectified", tensor.Shape{6, 5, 2},
		node("stem", layer.Conv2D{Out: 4, Kernel: []int{3}, Padding: []int{1}}), node("r1", layer.ReLU{}),
		node("conv", layer.Conv2D{Out: 4, Kernel: []int{3}, Padding: []int{1}, NoBias: true}), node("norm", layer.BatchNorm{}),
		node("add", layer.Add{}, "norm", "r1"), node("r2", layer.ReLU{}), node("twice", layer.Add{}, "r2", "r2", "add"), node("r3", layer.ReLU{Slope: 0.1}),
		node("flat", layer.Flatten{}), node("again", layer.Add{}, "r3", "stem"), node("flat2", layer.Flatten{}), node("cat", layer.Concat{}, "flat", "flat2"),
		node("out", layer.Linear{Out: 3}))
	add("viewed", tensor.Shape{3, 2, 2},
		node("a", layer.Conv2D{Out: 2, Kernel: []int{1}}), node("view", layer.Flatten{}), node("b", layer.AvgPool{Size: 1}, "a"),
		node("c", layer.Conv2D{Out: 2, Kernel: []int{1}}), node("d", layer.Flatten{}), node("e", layer.Add{}, "view", "d"))
	add("recurrent", tensor.Shape{9},
		node("a", layer.Linear{Out: 12}),
		node("b", layer.Recurrent{Neuron: neuron.LIF{Beta: 0.9, Threshold: 0.3}, Surrogate: fast}),
		node("c", layer.Linear{Out: 70}),
		node("d", layer.Recurrent{Neuron: neuron.ALIF{Beta: 0.8, Threshold: 0.2, Adaptation: 0.3, Rho: 0.9, Reset: neuron.Zero}, Surrogate: triangle}),
		node("e", layer.Linear{Out: 3}))
	add("temporal", tensor.Shape{5, 6, 2},
		node("a", temporal.Delay{Steps: 2}), node("b", layer.Conv2D{Out: 3, Kernel: []int{3}}), node("c", lif(0.9, neuron.Subtract, fast)),
		node("d", temporal.Delay{Steps: 4, PerUnit: true}), node("e", layer.Flatten{}), node("f", layer.Linear{Out: 66}),
		node("g", temporal.Integrator{
			Neuron: neuron.LIF{Beta: 0.8, Threshold: 1, Reset: neuron.None, DecayInput: true, Leak: 0.1},
			Varied: layer.Varied{"gain": layer.PerUnit, "beta": layer.PerChannel},
		}),
		node("h", layer.Linear{Out: 4}), node("i", temporal.Integrator{Neuron: neuron.CuBaLIF{Alpha: 0.6, Beta: 0.9, Coupling: neuron.Euler, Threshold: 1, Reset: neuron.None}}))
	for i, x := range nets["temporal"].Buffers()[0].Value.Data {
		nets["temporal"].Buffers()[0].Value.Data[i] = x - tensor.Float(i%5)
	}
	add("max-count", tensor.Shape{7, 6, 2},
		node("a", temporal.MaxCount{Size: 2, Stride: 1}), node("b", layer.Conv2D{Out: 3, Kernel: []int{2}}), node("c", lif(0.9, neuron.Subtract, fast)),
		node("d", temporal.MaxCount{Size: 3, Padding: []int{1}}), node("e", layer.Flatten{}), node("f", layer.Linear{Out: 4}))
	add("after", tensor.Shape{4}, node("a", layer.Linear{Out: 5}), node("b", lif(0.9, neuron.Subtract, fast)), node("c", layer.Linear{Out: 3}), node("d", temporal.After{Steps: 2}))
	add("leader", tensor.Shape{7, 6, 2},
		node("a", temporal.MaxCount{Size: 2, Stride: 1, Leader: true}), node("b", layer.Conv2D{Out: 3, Kernel: []int{2}}), node("c", lif(0.9, neuron.Subtract, fast)),
		node("d", temporal.MaxCount{Size: 3, Padding: []int{1}, Leader: true}), node("e", layer.Flatten{}), node("f", layer.Linear{Out: 4}))
	for _, l := range []temporal.Counting{
		{Code: temporal.Plain, Threshold: 0.2, Residual: 1}, {Code: temporal.SNM, Threshold: 0.2, Negative: 0.5}, {Code: temporal.SigmaDelta, Threshold: 0.1, Start: 0.5}, {Code: temporal.Graded, Threshold: 0.05, Start: 0.5},
	} {
		add("counting "+l.Code.String(), tensor.Shape{5, 6, 2},
			node("a", layer.Conv2D{Out: 3, Kernel: []int{3}}), node("b", l), node("c", layer.Flatten{}), node("d", layer.Linear{Out: 66}), node("e", l), node("f", layer.Linear{Out: 4}), node("g", temporal.After{Steps: 1}))
	}
	add("qcfs", tensor.Shape{5, 6, 2},
		node("a", layer.Conv2D{Out: 3, Kernel: []int{3}}), node("b", ordinary.QCFS{Levels: 4, Init: 0.3}), node("c", layer.Flatten{}), node("d", layer.Linear{Out: 66}),
		node("e", ordinary.QCFS{Levels: 3, Init: 0.1}), node("f", layer.Linear{Out: 4}))
	add("parametric", tensor.Shape{5, 6, 2},
		node("a", layer.Conv2D{Out: 3, Kernel: []int{3}}), node("b", layer.ParametricSpiking{Beta: 0.8, Threshold: 0.3, Surrogate: arctan}),
		node("c", layer.Conv2D{Out: 4, Kernel: []int{2}}), node("d", layer.ParametricSpiking{Beta: 0.5, Threshold: 0.2, Reset: neuron.Zero, DecayInput: true, Surrogate: triangle}),
		node("e", layer.Flatten{}), node("f", layer.Linear{Out: 66}), node("g", layer.ParametricSpiking{Beta: 0.5, Threshold: 0.2, Reset: neuron.None, Surrogate: fast}))
	reset := lif(0.7, neuron.Zero, surrogate.Rectangle{Height: 1, Width: 0.5})
	reset.Neuron = neuron.LIF{Beta: 0.7, Threshold: 0.3, Strict: true, Reset: neuron.Zero, ResetGradient: true}
	add("neunorm", tensor.Shape{6, 7, 2},
		node("a", layer.Conv2D{Out: 5, Kernel: []int{3}, Padding: []int{1}}), node("b", reset), node("c", neunorm.NeuNorm{Decay: 0.9}),
		node("d", layer.Conv2D{Out: 70, Kernel: []int{3}}), node("e", reset), node("f", neunorm.NeuNorm{Decay: 0.6, RunningMean: true, Shared: true}), node("g", layer.AvgPool{Size: 2}),
		node("h", neunorm.NeuNorm{}), node("i", layer.Flatten{}), node("j", layer.Linear{Out: 12}), node("k", reset), node("l", neunorm.Vote{Voters: 3}))
	add("groups", tensor.Shape{7, 6, 4},
		node("a", layer.Conv2D{Out: 8, Kernel: []int{3}, Padding: []int{1}, Groups: 4}), node("b", lif(0.9, neuron.Subtract, fast)),
		node("c", layer.Conv2D{Out: 8, Kernel: []int{3}, Stride: []int{2}, Padding: []int{1}, Groups: 8}), node("d", lif(0.9, neuron.Subtract, fast)),
		node("e", layer.Conv2D{Out: 6, Kernel: []int{2}, Padding: []int{1}, Groups: 2}), node("f", layer.AvgPool{Size: 2, Stride: 1}),
		node("g", lif(0.8, neuron.Zero, arctan)), node("h", layer.Conv2D{Out: 12, Kernel: []int{3}, Stride: []int{2}, Padding: []int{2}, Groups: 6, NoBias: true}))
	add("geometry", tensor.Shape{7, 8, 2},
		node("a", layer.Conv2D{Out: 4, Kernel: []int{2, 3}, Stride: []int{1, 2}, Padding: []int{1, 0, 2, 1}}), node("b", lif(0.9, neuron.Subtract, fast)),
		node("c", layer.MaxPool{Size: 3, Stride: 2, Padding: []int{1}}),
		node("d", layer.Conv2D{Out: 6, Kernel: []int{3, 2}, Dilation: []int{1, 2}, Padding: []int{1, 2}}), node("e", layer.ReLU{Slope: 0.1, Max: 0.5}),
		node("f", layer.MaxPool{Size: 2, Stride: 1, Padding: []int{0, 1, 1, 0}}), node("g", layer.Upsample{Factor: 2}), node("h", lif(0.7, neuron.Zero, arctan)),
		node("i", layer.AvgPool{Size: 3, Stride: 2, Padding: []int{1}}), node("j", layer.Conv2D{Out: 6, Kernel: []int{2, 3}, Dilation: []int{2, 1}, Padding: []int{1}, Groups: 3}),
		node("k", layer.AvgPool{Size: 2, Padding: []int{1}, CountPadding: true}), node("l", lif(0.8, neuron.Subtract, fast)),
		node("m", layer.Upsample{Factor: 2}), node("n", layer.Conv2D{Out: 6, Kernel: []int{3, 1}, Stride: []int{1, 2}, Padding: []int{1, 0}, Groups: 6}),
		node("o", layer.GlobalAvgPool{}), node("p", layer.Linear{Out: 3}))
	add("rearranged", tensor.Shape{5, 6, 2},
		node("a", layer.Conv2D{Out: 3, Kernel: []int{3}}), node("b", ordinary.Clip{Min: -0.3, Max: 0.4}), node("c", ordinary.Softmax{}),
		node("d", ordinary.Gather{Shape: []int{4, 4, 3}, Indexed: true}), node("e", layer.Conv2D{Out: 4, Kernel: []int{2}}), node("f", lif(0.9, neuron.Subtract, fast)),
		node("g", ordinary.Gather{Shape: []int{12, 3}}), node("h", ordinary.Gather{Shape: []int{40}, Indexed: true}), node("i", layer.Linear{Out: 4}), node("j", ordinary.Softmax{}))
	for _, p := range nets["rearranged"].Buffers() {
		for i := range p.Value.Data {
			p.Value.Data[i] = tensor.Float(i*7%38 - 1) // −1 and some beyond the input's end
		}
	}
	return nets
}

// Errors at a constant input of a layer whose output has time are summed anew
// for each batch, though the Adjoint's memory stays.
func TestAdjointIsReused(t *testing.T) {
	for _, name := range []string{"branches", "residual", "rectified"} {
		net := networks(t)[name]
		in := snntest.Random(signal.Constant, 3, 2, net.InputShape(), 0, 1)
		want := snntest.Run(t, net, in, network.Options{})
		pass, adj := net.Compile(nil, true).NewPass(network.Options{}), net.NewAdjoint(2)
		for range 2 {
			outs, err := pass.Forward(net.NewState(2), in, true)
			if err != nil {
				t.Fatal(err)
			}
			adj.Reset(net, 2)
			got := snntest.Result{Grads: net.NewGrads()}
			if err := pass.Backward(adj, snntest.Projections(outs, 0), got.Grads); err != nil {
				t.Fatal(err)
			}
			snntest.Equal(t, name, snntest.Result{Grads: want.Grads}, got)
		}
	}
}

// A pass that changes between training and inference keeps its signals apart.
func TestModesInOnePass(t *testing.T) {
	keys := []rng.Key{rng.New(1, rng.Dropout), rng.New(2, rng.Dropout)}
	for name, net := range jointNetworks(t) {
		in := snntest.Random(signal.Spikes, 3, 2, net.InputShape(), 0.4, 1)
		modes := map[bool][]rng.Key{true: keys, false: nil}
		want := map[bool]snntest.Result{}
		for train, k := range modes {
			want[train] = snntest.Run(t, net, in, network.Options{Training: k})
		}
		if (name == "norm" || name == "dropout") && reflect.DeepEqual(want[true].Out, want[false].Out) {
			t.Errorf("%s: training and inference are the same", name)
		}
		pass := net.Compile(nil, true).NewPass(network.Options{})
		for _, train := range []bool{true, false, true, true, false, false, true} {
			pass.SetTraining(modes[train])
			outs, err := pass.Forward(net.NewState(2), in, true)
			if err != nil {
				t.Fatal(err)
			}
			got := snntest.Result{Grads: net.NewGrads()}
			var d signal.Signal
			outs[0].Densify(&d)
			got.Out = d.Data
			if err := pass.Backward(net.NewAdjoint(2), snntest.Projections(outs, 0), got.Grads); err != nil {
				t.Fatal(err)
			}
			snntest.Equal(t, name, want[train], got)
		}
	}
}

// A normalisation behind a mean over pixels is folded through it, where the mean is of the
// image's pixels alone.
func TestFoldBatchNormThroughMeans(t *testing.T) {
	for _, c := range []struct {
		mean   layer.AvgPool
		report string
	}{
		{layer.AvgPool{Size: 2}, "n: changed: became part of the weights and bias of c\n"},
		{layer.AvgPool{Size: 3, Padding: []int{1}}, "n: changed: became part of the weights and bias of c\n"},
		{layer.AvgPool{Size: 3, Padding: []int{1}, CountPadding: true}, "n: kept: follows m, whose means count padding\n"},
	} {
		net, err := network.New(tensor.Shape{7, 5, 2}, 7, node("c", layer.Conv2D{Out: 3, Kernel: []int{3}, Padding: []int{1}, NoBias: true}),
			node("m", c.mean), node("n", layer.BatchNorm{}), node("r", layer.ReLU{}))
		if err != nil {
			t.Fatal(err)
		}
		for i, arrays := range [][]tensor.Param{net.Params()[1:], net.Buffers()} {
			for j, p := range arrays {
				for k := range p.Value.Data {
					p.Value.Data[k] += tensor.Float(1+i+2*j+k) / 8
				}
			}
		}
		g, report, err := network.FoldBatchNorm{}.Apply(t.Context(), net.Graph(), nil)
		if err != nil || report.String() != c.report {
			t.Fatalf("%+v: report %s, %v", c.mean, report, err)
		}
		folded, err := g.Build(0)
		if err != nil {
			t.Fatal(err)
		}
		in := snntest.Random(signal.Constant, 1, 3, net.InputShape(), 0, 1)
		want, got := snntest.Run(t, net, in, network.Options{}), snntest.Run(t, folded, in, network.Options{})
		for i, v := range want.Out {
			if math.Abs(float64(got.Out[i]-v)) > 1e-5*(1+math.Abs(float64(v))) {
				t.Fatalf("%+v: output %d is %v, want %v", c.mean, i, got.Out[i], v)
			}
		}
	}
}

// Folded into weights and biases, normalisation gives the same outputs and is
// gone; the network that was folded stays as it was.
func TestFoldBatchNorm(t *testing.T) {
	net, err := network.New(tensor.Shape{6, 5, 2}, 7,
		node("a", layer.BatchNorm{}), // follows no weights: stays
		node("b", layer.Conv2D{Out: 4, Kernel: []int{3}, Padding: []int{1}, NoBias: true}), node("c", layer.BatchNorm{Scale: 0.7}),
		node("d", layer.ReLU{}),
		node("e", layer.Conv2D{Out: 4, Kernel: []int{3}, Padding: []int{1}}, "d"), node("f", layer.BatchNorm{}),
		node("g", layer.Conv2D{Out: 4, Kernel: []int{1}}, "d"), node("h", layer.BatchNorm{}), // not alone: stays
		node("i", layer.Add{}, "f", "h", "g"), node("j", layer.Flatten{}),
		node("k", layer.Linear{Out: 3}), node("l", layer.BatchNorm{}))
	if err != nil {
		t.Fatal(err)
	}
	for i, arrays := range [][]tensor.Param{net.Params(), net.Buffers()} {
		for j, p := range arrays {
			src := rng.New(uint64(100*i+j), "fold").Source()
			for k := range p.Value.Data {
				p.Value.Data[k] = tensor.Float(0.3 + 0.7*src.Float64())
			}
		}
	}
	before := net.Clone()
	g, report, err := network.FoldBatchNorm{}.Apply(t.Context(), net.Graph(), nil)
	if err != nil {
		t.Fatal(err)
	}
	folded, err := g.Build(0)
	if err != nil {
		t.Fatal(err)
	}
	if want := "a: kept: follows the network's input\nc: changed: became part of the weights and bias of b\n" +
		"f: changed: became part of the weights and bias of e\nh: kept: others read g too\nl: changed: became part of the weights and bias of k\n"; report.String() != want {
		t.Errorf("report\n%swant\n%s", report, want)
	}
	var names string
	for _, nd := range folded.Nodes() {
		names += nd.Name
	}
	if names != "abdeghijk" {
		t.Errorf("nodes %s, want abdeghijk", names)
	}
	in := snntest.Random(signal.Dense, 2, 3, net.InputShape(), 0, 1)
	want, got := snntest.Run(t, net, in, network.Options{}).Out, snntest.Run(t, folded, in, network.Options{}).Out
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 1e-5*max(1, math.Abs(float64(want[i]))) {
			t.Fatalf("output %d is %v folded, %v before", i, got[i], want[i])
		}
	}
	if !reflect.DeepEqual(before.Params(), net.Params()) || !reflect.DeepEqual(before.Buffers(), net.Buffers()) {
		t.Error("folding changed the network")
	}
}

// A state that is reset is a new one, whatever was in it and of however many samples.
func TestResetState(t *testing.T) {
	for name, net := range networks(t) {
		pass := net.Compile(nil, false).NewPass(network.Options{})
		st := net.NewState(3)
		if _, err := pass.Forward(st, snntest.Random(signal.Dense, 4, 3, net.InputShape(), 0.3, 1), false); err != nil {
			t.Fatal(err)
		}
		for _, b := range []int{3, 2, 5} {
			if st.Reset(net, b); !reflect.DeepEqual(st, net.NewState(b)) {
				t.Errorf("%s: the state of %d samples, reset, is no new one", name, b)
			}
		}
	}
}

// Spikes are those of the last window, of all its chunks.
func TestSpikesOfTheLastWindow(t *testing.T) {
	net := networks(t)["mlp"]
	in := snntest.Random(signal.Spikes, 6, 3, net.InputShape(), 0.3, 4)
	fresh := func(chunk int) (*network.Pass, *network.State) {
		return net.Compile(nil, false).NewPass(network.Options{Chunk: chunk}), net.NewState(3)
	}
	count := func(p *network.Pass, st *network.State, from, to int) (spikes, slots int) {
		window := in.Window(from, to)
		if _, err := p.Forward(st, &window, false); err != nil {
			t.Fatal(err)
		}
		return p.Spikes(1)
	}
	whole, st := fresh(0)
	want, _ := count(whole, st, 0, 6)
	for _, chunk := range []int{0, 1} {
		pass, st := fresh(chunk)
		a, first := count(pass, st, 0, 2)
		b, second := count(pass, st, 2, 6)
		if a+b != want || a == 0 || b == 0 || first != 2*3*12 || second != 4*3*12 {
			t.Errorf("chunks of %d: %d of %d spikes and %d of %d, %d in all", chunk, a, first, b, second, want)
		}
	}
}

// A layer that looks at all of time in training is not cut into chunks.
func TestWholeTimeIsNotCut(t *testing.T) {
	net := networks(t)["norm"]
	in := snntest.Random(signal.Dense, 6, 3, net.InputShape(), 0.3, 4)
	var first []*signal.Signal
	for _, chunk := range []int{0, 1, 4} {
		pass := net.Compile(nil, true).NewPass(network.Options{Chunk: chunk, Training: []rng.Key{{}, {}, {}}})
		outs, err := pass.Forward(net.NewState(3), in, true)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = outs
		} else if !reflect.DeepEqual(outs[0].Data, first[0].Data) {
			t.Errorf("chunks of %d steps give another output", chunk)
		}
	}
}

// What follows of a constant input is computed once a run, and anew of another input:
// in other memory, in the same memory by another run, of another number of samples, and
// with other weights.
func TestConstantIsReusedForTheSameAlone(t *testing.T) {
	const b = 3
	for _, name := range []string{"mlp", "conv", "branches", "residual"} {
		net := networks(t)[name]
		packed := net.Compile(nil, false)
		input := func(seed uint64) *signal.Signal {
			return snntest.Random(signal.Constant, 2, b, net.InputShape(), 0, seed)
		}
		run := func(p *network.Pass, st *network.State, in *signal.Signal) []tensor.Float {
			outs, err := p.Forward(st, in, false)
			if err != nil {
				t.Fatal(err)
			}
			var dense signal.Signal
			outs[0].Densify(&dense)
			return append([]tensor.Float(nil), dense.Data...)
		}
		fresh := func(st *network.State, in *signal.Signal) []tensor.Float {
			return run(net.Compile(nil, false).NewPass(network.Options{}), st.Clone(), in)
		}
		x, y := input(1), input(2)
		pass, st := packed.NewPass(network.Options{}), net.NewState(b)
		check := func(what string, st *network.State, in *signal.Signal) {
			t.Helper()
			want := fresh(st, in)
			if got := run(pass, st, in); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %s: %v, want %v", name, what, got, want)
			}
		}
		check("the first window", st, x)
		check("the same input goes on", st, x)
		check("another input", st, y)
		check("and the first again", st, x)
		other := net.NewState(b)
		copy(x.Data, y.Data)
		check("another run, of other numbers in the same memory", other, x)
		few := net.NewState(1)
		one := *x
		one.B, one.Data = 1, x.Data[:len(x.Data)/b]
		fresh(few, &one)
		run(packed.NewPass(network.Options{}), few, &one)
		check("a run of one of the samples goes on", few, &one)
		check("and that of all", other, x)
		for i := range net.Params()[0].Value.Data {
			net.Params()[0].Value.Data[i] *= -1
		}
		packed.Refresh(nil)
		check("other weights", other, x)
	}
}
