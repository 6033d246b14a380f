package torch_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"synfire/data/mnist"
	"synfire/exchange/torch"
	"synfire/format/safetensors"
	"synfire/layer"
	"synfire/layer/temporal"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/surrogate"
	"synfire/tensor"
)

// steps and shown are those of tools/peers/torch_weights.py.
const (
	steps = 10
	shown = 16
)

var fast = surrogate.FastSigmoid{Slope: 25}

func spiking(n neuron.Neuron) layer.Spiking { return layer.Spiking{Neuron: n, Surrogate: fast} }

func node(name string, l layer.Layer) network.GraphNode {
	return network.GraphNode{Node: network.Node{Name: name, Layer: l}}
}

var plain = neuron.LIF{Beta: 0.5, Threshold: 1}

// snnTorch is the network of the fixture, with neurons that the file replaces.
func snnTorch() network.Graph {
	return network.Graph{Input: tensor.Shape{28, 28, 1}, Nodes: []network.GraphNode{
		node("conv", layer.Conv2D{Out: 4, Kernel: []int{5}}), node("lif1", spiking(plain)), node("pool", layer.MaxPool{Size: 2}),
		node("flatten", layer.Flatten{}), node("fc", layer.Linear{Out: 10}), node("lif2", spiking(plain)),
	}}
}

func spikingJelly() network.Graph {
	return network.Graph{Input: tensor.Shape{28, 28, 1}, Nodes: []network.GraphNode{
		node("conv", layer.Conv2D{Out: 4, Kernel: []int{5}, NoBias: true}), node("norm", layer.BatchNorm{}), node("if", spiking(plain)),
		node("pool", layer.AvgPool{Size: 2}), node("flatten", layer.Flatten{}), node("fc", layer.Linear{Out: 10, NoBias: true}), node("lif", spiking(plain)),
	}}
}

func norse() network.Graph {
	readout := temporal.Integrator{Neuron: neuron.LIF{Beta: 0.5, Threshold: 1, Reset: neuron.None}}
	return network.Graph{Input: tensor.Shape{28, 28, 1}, Nodes: []network.GraphNode{
		node("conv", layer.Conv2D{Out: 4, Kernel: []int{5}}), node("lif", spiking(plain)), node("pool", layer.MaxPool{Size: 2}),
		node("flatten", layer.Flatten{}), node("in", layer.Linear{Out: 16, NoBias: true}), node("rec", layer.Recurrent{Neuron: plain, Surrogate: fast}),
		node("fc", layer.Linear{Out: 10}), node("out", readout),
	}}
}

const (
	snnTorchNames     = "names: {conv: conv, lif1: lif1, fc: fc, lif2: lif2}\n"
	spikingJellyNames = `
names: {conv: "0", norm: "1", fc: "5"}
neurons:
  if: {kind: IFNode, v_reset: null}
  lif: {kind: LIFNode, tau: 2.0}
`
	norseNames = `
names: {conv: conv, in: rec, rec: rec, fc: fc}
neurons:
  lif: {kind: LIFCell, v_th: 0.4}
  rec: {kind: LIFRecurrentCell, v_th: 0.5}
  out: LICell
`
)

func open(t *testing.T, name string) *torch.File {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".safetensors")
	if err != nil {
		t.Fatal(err)
	}
	f, err := torch.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func read(t *testing.T, name string) map[string]safetensors.Array {
	t.Helper()
	f, err := safetensors.ReadFile("testdata/"+name+".safetensors", safetensors.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return f.Tensors
}

func names(t *testing.T, text string) *torch.Names {
	t.Helper()
	n, err := torch.DecodeNames("names.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return &n
}

// run gives the outputs of a network, dense, for a signal.
func run(t *testing.T, g network.Graph, in *signal.Signal) (dense []signal.Signal) {
	t.Helper()
	net, err := g.Build(1)
	if err != nil {
		t.Fatal(err)
	}
	outs, err := net.Compile(nil, false).NewPass(network.Options{}).Forward(net.NewState(in.B), in, false)
	if err != nil {
		t.Fatal(err)
	}
	dense = make([]signal.Signal, len(outs))
	for i, o := range outs {
		o.Densify(&dense[i])
	}
	return dense
}

// floats are numbers of a fixture.
func floats(t *testing.T, a safetensors.Array) []float32 {
	t.Helper()
	v, err := a.F32s()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// images are test images, of one channel, so that there is one order.
func images(n int) *signal.Signal {
	_, set := mnist.Sample()
	s := &signal.Signal{Kind: signal.Constant, T: steps, B: n, Shape: tensor.Shape{28, 28, 1}}
	for _, v := range set.Images[:n*784] {
		s.Data = append(s.Data, tensor.Float(v)/255)
	}
	return s
}

// differ counts spikes that differ from those of a fixture, bits of [T, B, c, h, w] or [T, B, n].
func differ(got signal.Signal, bits []byte) (n int) {
	h, w, c := 1, 1, got.Shape[len(got.Shape)-1]
	if len(got.Shape) == 3 {
		h, w = got.Shape[0], got.Shape[1]
	}
	for i, v := range got.Data {
		row, unit := i/(h*w*c), i%(h*w*c)
		k := row*h*w*c + unit%c*h*w + unit/c
		if (v != 0) != (bits[k/8]>>(k%8)&1 == 1) {
			n++
		}
	}
	return n
}

// The networks of three programs fire here as they did there, spike by spike, and give the same
// scores of 500 images. Sums of convolutions and membranes are rounded in another order there, which
// moved none of the spikes.
func TestPeers(t *testing.T) {
	for name, c := range map[string]struct {
		graph   network.Graph
		names   string
		neurons []string
	}{
		"snntorch":     {snnTorch(), snnTorchNames, []string{"lif1", "lif2"}},
		"spikingjelly": {spikingJelly(), spikingJellyNames, []string{"if", "lif"}},
		"norse":        {norse(), norseNames, []string{"lif", "rec"}},
	} {
		g, _, err := torch.Load(c.graph, open(t, name), names(t, c.names))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := read(t, name+"-spikes")
		for i, n := range c.neurons {
			g.Outputs = []network.Output{{Name: "spikes", Node: n}, {Name: "last", Node: g.Nodes[len(g.Nodes)-1].Name}}
			if n := differ(run(t, g, images(shown))[0], want[fmt.Sprintf("spikes%d", i+1)].Data); n > 0 {
				t.Errorf("%s: %d spikes of layer %s differ", name, n, c.neurons[i])
			}
		}
		g.Outputs = nil
		out, scores, far := run(t, g, images(500))[0], floats(t, want["scores"]), 0
		for i, want := range scores {
			sum := 0.0
			for step := range steps {
				sum += float64(out.Data[step*len(scores)+i])
			}
			if math.Abs(sum-float64(want)) > 1e-4 {
				far++
			}
		}
		if far > 0 {
			t.Errorf("%s: %d of %d scores differ", name, far, len(scores))
		}
	}
}

// Single neurons of all kinds fire here as they did there.
func TestNeurons(t *testing.T) {
	fixture := read(t, "neurons")
	x := fixture["x"]
	n := x.Shape[1]
	in := &signal.Signal{Kind: signal.Dense, T: x.Shape[0], B: 1, Shape: tensor.Shape{n}}
	for _, v := range floats(t, x) {
		in.Data = append(in.Data, tensor.Float(v))
	}
	for name, kind := range map[string]string{
		"leaky":          "Leaky",
		"leaky-at-once":  "{kind: Leaky, reset_delay: false}", // membranes stay below 2·θ
		"leaky-zero":     "Leaky",
		"leaky-none":     "Leaky",
		"leaky-units":    "Leaky",
		"synaptic":       "{kind: Synaptic, reset_delay: false}", // likewise
		"synaptic-none":  "Synaptic",
		"if":             "IFNode",
		"if-soft":        "{kind: IFNode, v_threshold: 0.8, v_reset: null}",
		"if-reset":       "{kind: IFNode, v_reset: -0.25}",
		"lif":            "LIFNode",
		"lif-soft":       "{kind: LIFNode, tau: 4.0, decay_input: false, v_reset: null}",
		"lif-reset":      "{kind: LIFNode, tau: 3.0, v_reset: -0.25, v_threshold: 0.5}",
		"plif":           "{kind: ParametricLIFNode, decay_input: false}",
		"lifcell":        "{kind: LIFCell, v_th: 0.3}",
		"lifcell-levels": "{kind: LIF, tau_mem_inv: 200.0, v_leak: 0.1, v_th: 0.6, v_reset: -0.2, dt: 0.002}",
		"lifbox":         "{kind: LIFBoxCell, v_th: 0.2}",
		"lifbox-soft":    "{kind: LIFBox, v_th: 0.2, reset_method: reset_subtract}",
		"licell":         "LI",
	} {
		var ly layer.Layer = spiking(plain)
		if name == "licell" {
			ly = temporal.Integrator{Neuron: neuron.LIF{Threshold: 1, Reset: neuron.None}}
		}
		g := network.Graph{Input: tensor.Shape{n}, Nodes: []network.GraphNode{node("cell", ly)}}
		text := "neurons: {cell: " + kind + "}\nnames: {cell: m}\n"
		g, _, err := torch.Load(g, module(t, fixture, name), names(t, text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, wrong := run(t, g, in)[0], 0
		for i, v := range got.Data {
			if want := fixture[name]; want.DType == "U8" && v != tensor.Float(want.Data[i]) || want.DType == "F32" && math.Abs(float64(v)-float64(floats(t, want)[i])) > 1e-6 {
				wrong++
			}
		}
		if wrong > 0 {
			t.Errorf("%s: %d of %d differ", name, wrong, len(got.Data))
		}
	}
}

// module is the file of the arrays of one neuron of the fixture, which are called m there.
func module(t *testing.T, fixture map[string]safetensors.Array, name string) *torch.File {
	t.Helper()
	arrays := map[string]safetensors.Array{}
	for k, a := range fixture {
		if leaf, ok := strings.CutPrefix(k, name+"."); ok {
			arrays["m."+leaf] = a
		}
	}
	return file(t, arrays)
}

func file(t *testing.T, arrays map[string]safetensors.Array) *torch.File {
	t.Helper()
	var b bytes.Buffer
	if err := safetensors.Encode(&b, safetensors.File{Tensors: arrays}); err != nil {
		t.Fatal(err)
	}
	f, err := torch.Open(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return f
}
