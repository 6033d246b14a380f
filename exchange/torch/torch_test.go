package torch_test

import (
	"bytes"
	"fmt"
	"maps"
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

func names(t *testing.T, text string) torch.Names {
	t.Helper()
	if text == "" {
		return torch.Names{}
	}
	n, err := torch.DecodeNames("names.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
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

// Without names modules are found by shapes, and by numbers where shapes are alike.
func TestGuess(t *testing.T) {
	for name, c := range map[string]struct {
		graph network.Graph
		names string
	}{
		"snntorch": {snnTorch(), ""}, "spikingjelly": {spikingJelly(), "neurons: {if: IFNode}"}, "norse": {norse(), ""},
	} {
		g, report, err := torch.Load(c.graph, open(t, name), names(t, c.names))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if text := fmt.Sprint(report); !strings.Contains(text, "found by its shapes") {
			t.Errorf("%s: the report does not say what was guessed: %s", name, text)
		}
		if _, err := g.Build(1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	deep := network.Graph{Input: tensor.Shape{3}, Nodes: []network.GraphNode{
		node("a", layer.Linear{Out: 3, NoBias: true}), node("b", layer.Linear{Out: 3, NoBias: true}),
	}}
	square := func(v float32) safetensors.Array {
		return safetensors.F32([]float32{v, 0, 0, 0, v, 0, 0, 0, v}, 3, 3)
	}
	g, report, err := torch.Load(deep, file(t, map[string]safetensors.Array{"fc10.weight": square(10), "fc9.weight": square(9)}), torch.Names{})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := g.Nodes[0].Arrays["weight"].Data[0], g.Nodes[1].Arrays["weight"].Data[0]; a != 9 || b != 10 {
		t.Errorf("%v before %v, want the order of the numbers", a, b)
	}
	if text := fmt.Sprint(report); strings.Count(text, "of the 2 modules with its shapes it was taken by the number in its name") != 2 {
		t.Errorf("shapes did not tell these: %s", text)
	}
	named := map[string]safetensors.Array{"hidden.weight": square(1), "out.weight": square(2)}
	if _, _, err := torch.Load(deep, file(t, named), torch.Names{}); err == nil || !strings.Contains(err.Error(), "layer a could be any of hidden, out") {
		t.Errorf("two names of one shape: %v", err)
	}
	named["aux.weight"] = square(3)
	g, _, err = torch.Load(deep, file(t, named), names(t, "{names: {a: hidden, b.weight: out.weight}, ignore: [aux.weight]}"))
	if err != nil || g.Nodes[1].Arrays["weight"].Data[0] != 2 {
		t.Errorf("%v, %v", g.Nodes, err)
	}
}

// What the names say twice or of nothing is in the report.
func TestDoubtful(t *testing.T) {
	twins := network.Graph{Input: tensor.Shape{2}, Nodes: []network.GraphNode{
		node("a", layer.Linear{Out: 2, NoBias: true}), node("b", layer.Linear{Out: 2, NoBias: true}), node("lif", spiking(plain)),
	}}
	f := file(t, map[string]safetensors.Array{"fc.weight": safetensors.F32(make([]float32, 4), 2, 2)})
	for range 2 { // a file may be loaded again
		_, report, err := torch.Load(twins, f, names(t, "names: {a: fc, b: fc, lif: nowhere}"))
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprint(report)
		for _, want := range []string{"fc.weight is taken by another layer too", "the file has no arrays of this module"} {
			if strings.Count(text, want) != 1 {
				t.Errorf("%s, want %q once", text, want)
			}
		}
	}
	alpha := map[string]safetensors.Array{"lif.reset_mechanism_val": safetensors.I64([]int64{2}), "lif.threshold": safetensors.F32([]float32{1}),
		"lif.alpha": safetensors.F32([]float32{0.5}), "lif.beta": safetensors.F32([]float32{0.5})}
	_, report, err := torch.Load(network.Graph{Input: tensor.Shape{2}, Nodes: []network.GraphNode{node("lif", spiking(plain))}}, file(t, alpha), torch.Names{})
	if err != nil || !strings.Contains(fmt.Sprint(report), "those of Alpha, which is not known here, are the same") {
		t.Errorf("%v, %v", report, err)
	}
}

// What does not fit is one error that says what was expected, what was found and what to try.
func TestRefuses(t *testing.T) {
	with := func(arrays map[string]safetensors.Array, name string, a safetensors.Array) map[string]safetensors.Array {
		c := maps.Clone(arrays)
		c[name] = a
		return c
	}
	number := func(v float32) safetensors.Array { return safetensors.F32([]float32{v}) }
	snn, jelly := read(t, "snntorch"), read(t, "spikingjelly")
	less := maps.Clone(snn)
	delete(less, "fc.bias")
	inf := safetensors.F32(make([]float32, 5760), 10, 576)
	inf.Data[2], inf.Data[3] = 0x80, 0x7f
	many := maps.Clone(jelly)
	for i := range 100 {
		many[fmt.Sprintf("more%d.weight", i)] = number(1)
	}
	for want, c := range map[string]struct {
		graph  network.Graph
		arrays map[string]safetensors.Array
		names  string
	}{
		"the file lacks fc.bias [10], called fc.bias there; say under names": {snnTorch(), less, snnTorchNames},
		"nothing here takes aux.weight []; say under names":                  {snnTorch(), with(snn, "aux.weight", number(1)), snnTorchNames},
		"fc.weight is [10 500] in the file, want [10 576]":                   {snnTorch(), with(snn, "fc.weight", safetensors.F32(make([]float32, 5000), 10, 500)), snnTorchNames},
		"has elements of type U8":                                            {snnTorch(), with(snn, "fc.weight", safetensors.Array{DType: "U8", Shape: []int{10, 576}, Data: make([]byte, 5760)}), snnTorchNames},
		"element 0 is +Inf, want numbers":                                    {snnTorch(), with(snn, "fc.weight", inf), snnTorchNames},
		"spikes are 1 here; multiply":                                        {snnTorch(), with(snn, "lif1.graded_spikes_factor", number(2)), snnTorchNames},
		"want one number, one a channel [c, 1, 1]":                           {snnTorch(), with(snn, "lif1.beta", safetensors.F32([]float32{0.1, 0.2, 0.3}, 3)), snnTorchNames},
		"beta is 0.5 under neurons and 0.9 in the file":                      {snnTorch(), snn, snnTorchNames + "neurons: {lif2: {kind: Leaky, beta: 0.5}}"},
		"names: no layer \"con\": did you mean \"conv\"":                     {snnTorch(), snn, "names: {con: conv}"},
		"it has 0.weight [4 1 5 5], 1.bias [4]":                              {snnTorch(), jelly, ""},
		"and 87 more; mend the layer":                                        {snnTorch(), many, ""},
		"layer conv takes no array \"weigth\": did you mean \"weight\"?":     {snnTorch(), snn, "names: {conv: conv, conv.weigth: conv.weight}"},
		"takes no array \"beta\"; name its module":                           {snnTorch(), snn, "names: {lif1.beta: lif1.beta}"},
		"\"fc.weight\" is taken by a layer, and to be left out":              {snnTorch(), snn, snnTorchNames + "ignore: [fc.weight]"},
		"fc.num_batches_tracked":                                             {snnTorch(), with(snn, "fc.num_batches_tracked", number(1)), snnTorchNames},
		"lif1.threshold has -1 among its values":                             {snnTorch(), with(snn, "lif1.threshold", safetensors.F32([]float32{1, 1, 1, -1}, 4, 1, 1)), snnTorchNames},
		"it never fires and is read by its membranes":                        {norse(), read(t, "norse"), strings.Replace(norseNames, "{kind: LIFCell, v_th: 0.4}", "LICell", 1)},
		"the file has no if.w; say under names":                              {spikingJelly(), jelly, "{names: {conv: '0', norm: '1', fc: '5', if: if}, neurons: {if: ParametricLIFNode}}"},
		"a neuron is given for it, and it has none":                          {spikingJelly(), jelly, "neurons: {pool: IFNode}"},
		"tau is 0.5, want more than 1":                                       {spikingJelly(), jelly, strings.Replace(spikingJellyNames, "2.0", "0.5", 1)},
		"the file has no m.beta":                                             {spikingJelly(), jelly, "{names: {conv: '0', norm: '1', fc: '5', if: m}, neurons: {if: Leaky}}"},
	} {
		_, _, err := torch.Load(c.graph, file(t, c.arrays), names(t, c.names))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	values := make([]float64, 5760)
	values[1] = 1e300
	wide := file(t, with(snn, "fc.weight", safetensors.F64(values, 10, 576)))
	if _, _, err := torch.Load(snnTorch(), wide, names(t, snnTorchNames)); math.IsInf(float64(tensor.Float(values[1])), 0) && (err == nil || !strings.Contains(err.Error(), "element 1 is 1e+300, more than float32 holds")) {
		t.Errorf("more than a number here: %v", err)
	}
	if _, err := torch.DecodeNames("names.yaml", []byte("neurons: {a: null}")); err == nil || !strings.Contains(err.Error(), "\"a\" has no value, want a neuron") {
		t.Errorf("no neuron: %v", err)
	}
	if _, _, err := torch.Load(snnTorch(), file(t, snn), torch.Names{Neurons: map[string]torch.Neuron{"lif1": nil}}); err == nil {
		t.Error("a neuron that is nil passes")
	}
	if _, err := torch.DecodeNames("names.yaml", []byte("neurons: {a: Lif}")); err == nil || !strings.Contains(err.Error(), "LIFNode") {
		t.Errorf("an unknown neuron: %v", err)
	}
}

// A file that lies is an error, not a panic.
func FuzzLoad(f *testing.F) {
	var b bytes.Buffer
	if err := safetensors.Encode(&b, safetensors.File{Tensors: map[string]safetensors.Array{
		"fc.weight": safetensors.F32(make([]float32, 6), 2, 3), "lif.beta": safetensors.F32([]float32{0.5, 0.6}, 2),
		"lif.threshold": safetensors.F32([]float32{1}), "lif.reset_mechanism_val": safetensors.I64([]int64{1}),
	}}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes(), []byte("{names: {fc: fc, lif: lif}, neurons: {lif: Leaky}}"))
	g := network.Graph{Input: tensor.Shape{3}, Nodes: []network.GraphNode{node("fc", layer.Linear{Out: 2, NoBias: true}), node("lif", spiking(plain))}}
	f.Fuzz(func(_ *testing.T, b, text []byte) {
		n, err := torch.DecodeNames("names.yaml", text)
		if err != nil {
			return
		}
		if w, err := torch.Open(bytes.NewReader(b), int64(len(b))); err == nil {
			torch.Load(g, w, n)
			torch.Load(g, w, torch.Names{})
		}
	})
}
