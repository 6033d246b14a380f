package model_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"reflect"
	"strings"
	"testing"

	"synfire/format/yaml"
	"synfire/layer"
	"synfire/layer/neunorm"
	"synfire/model"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/snntest"
	"synfire/surrogate"
	"synfire/tensor"
)

const example = `
data: {name: mnist, train: 1000, augment: {kind: shift, pixels: 2}}
steps: 4
layers:
  - {kind: conv2d, out: 8, kernel: 5}
  - {kind: max-pool, size: 2}
  - kind: spiking
    neuron: {kind: lif, beta: 0.8, reset: zero}
    surrogate: arctan
  - flatten
  - {kind: linear, out: 10}
  - spiking
optimizer: {kind: adam, lr: 0.002}
schedule: cosine
`

func ExampleTable_Decode() {
	_, err := kinds().Decode("net.yaml", []byte("steps: 4\ndata: {name: mnist}\nlayers:\n  - {kind: conv2d, out: 8, kernal: 5}\n"))
	fmt.Println(strings.Contains(err.Error(), "net.yaml:4"), strings.Contains(err.Error(), `did you mean "kernel"?`))
	// Output: true true
}

func TestRoundTrip(t *testing.T) {
	table := kinds()
	c, err := table.Decode("x.yaml", []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if n := rule(t, c).Layers[2].Layer.(layer.Spiking).Neuron.(neuron.LIF); n.Reset != neuron.Zero || n.Threshold != 1 {
		t.Errorf("neuron decoded as %+v", n)
	}
	src, err := table.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	again, err := table.Decode("y.yaml", src)
	if err != nil {
		t.Fatalf("%v in\n%s", err, src)
	}
	if !reflect.DeepEqual(c, again) {
		t.Errorf("encoded and decoded:\n%+v\nwant\n%+v", again, c)
	}
}

// Sizes are one number or several, and stay as they are written.
func TestSizes(t *testing.T) {
	for text, want := range map[string]layer.Conv2D{
		"{kind: conv2d, out: 4, kernel: 3}":                                          {Out: 4, Kernel: []int{3}},
		"{kind: conv2d, out: 4, kernel: [3, 5], stride: [2, 1], padding: 1}":         {Out: 4, Kernel: []int{3, 5}, Stride: []int{2, 1}, Padding: []int{1}},
		"{kind: conv2d, out: 4, kernel: 2, padding: [0, 1, 2, 3], dilation: 2}":      {Out: 4, Kernel: []int{2}, Padding: []int{0, 1, 2, 3}, Dilation: []int{2}},
		"{kind: conv2d, out: 4, kernel: [2], stride: 0, padding: [1, 2], groups: 2}": {Out: 4, Kernel: []int{2}, Stride: []int{0}, Padding: []int{1, 2}, Groups: 2},
	} {
		var l, again struct {
			Layer layer.Layer `yaml:"layer"`
		}
		kinds := model.Default().Kinds()
		if err := yaml.Decode("x.yaml", []byte("layer: "+text), &l, kinds); err != nil || !reflect.DeepEqual(l.Layer, layer.Layer(want)) {
			t.Errorf("%s: %+v, %v", text, l.Layer, err)
		}
		src, err := yaml.Encode(l, kinds)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Decode("again.yaml", src, &again, kinds); err != nil || !reflect.DeepEqual(again, l) {
			t.Errorf("%s again: %+v, %v", src, again, err)
		}
	}
}

func TestBadValues(t *testing.T) {
	for _, c := range []struct{ replace, by, want string }{
		{"steps: 4", "steps: -1", "steps is -1"},
		{"kind: conv2d", "kind: conv3d", `"conv2d"`},
		{"arctan", "arctam", `"arctan"`},
		{"reset: zero", "reset: soft", "subtract, zero or none"},
		{"steps: 4", "steps: four", "steps"},
		{"train: 1000", "train: -1", "data.train"},
		{"steps: 4", "steps: 4\nvalid: 1", "valid is 1"},
		{"steps: 4", "steps: 4\nvalid: -0.1", "valid is -0.1"},
		{"steps: 4", "steps: 4\nepochs: 0", "epochs is 0"},
		{"steps: 4", "steps: 4\nbatch: 0", "batch is 0"},
		{"steps: 4", "steps: 4\npatience: 3\nvalid: 0", "patience is 3 without validation samples"},
		{"steps: 4", "steps: 4\npatience: -1", "patience is -1"},
		{"steps: 4", "steps: 4\nfinish-every: -1", "finish-every is -1"},
		{"steps: 4", "steps: 4\nclip: -1", "clip is -1"},
		{"steps: 4", "steps: 4\nrule: bptts", `did you mean "bptt"?`},
		{"steps: 4", "steps: 4\ntask: {kind: classify, top: 1}", "top 1"},
	} {
		_, err := kinds().Decode("x.yaml", []byte(strings.Replace(example, c.replace, c.by, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", c.by, err, c.want)
		}
	}
}

// What a program fills in by itself is checked as what a file says.
func TestConfigOfAProgramIsChecked(t *testing.T) {
	c, err := kinds().Decode("x.yaml", []byte(example))
	if err != nil || c.Validate() != nil {
		t.Fatalf("the example: %v", err)
	}
	c.Data.Train = -1
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "train") {
		t.Errorf("data: %v", err)
	}
	if err := model.NewConfig().Validate(); err == nil || !strings.Contains(err.Error(), "no rule is given") {
		t.Errorf("rule: %v", err)
	}
}

// Every kind of layer, neuron and surrogate passes the gradient check, in a
// small network around its example.
func TestGradientsOfAllKinds(t *testing.T) {
	if !snntest.DoublePrecision() {
		t.Skip("gradient checks need the build tag float64")
	}
	table := model.Default()
	spiking := table.Layers["spiking"].Example.(layer.Spiking)
	check := func(name string, layers ...layer.Layer) {
		t.Run(name, func(t *testing.T) {
			net, err := network.Sequential(tensor.Shape{6, 6, 2}, 1, layers...)
			if err != nil {
				t.Fatal(err)
			}
			snntest.Gradient(t, net, snntest.Random(signal.Constant, 4, 2, net.InputShape(), 0, 1), 20)
		})
	}
	conv := layer.Conv2D{Out: 3, Kernel: []int{3}, Padding: []int{1}}
	for name, k := range table.Layers {
		l := k.Example.(layer.Layer)
		switch name {
		case "linear", "vote":
			check(name, conv, spiking, layer.Flatten{}, l, spiking)
			continue
		case "recurrent":
			check(name, conv, spiking, layer.Flatten{}, layer.Linear{Out: 6}, l, layer.Linear{Out: 3})
			continue
		case "add", "concat":
			checkJoin(t, name, conv, spiking, l)
			continue
		}
		check(name, conv, l, conv2(name), layer.Readout{Beta: 0.5})
	}
	for _, l := range []layer.Layer{
		layer.Conv2D{Out: 3, Kernel: []int{3}, Stride: []int{2}, Padding: []int{1}}, layer.Conv2D{Out: 6, Kernel: []int{2, 3}, Stride: []int{1, 2}, Padding: []int{1, 0}, Groups: 3},
		layer.Conv2D{Out: 3, Kernel: []int{2}, Dilation: []int{3, 2}, Groups: 3},
		layer.MaxPool{Size: 2}, layer.AvgPool{Size: 2}, layer.AvgPool{Size: 3, Padding: []int{1}, CountPadding: true}, layer.ReLU{},
	} {
		check(fmt.Sprintf("%T%+v", l, l), conv, l, conv2(""), layer.Readout{Beta: 0.5})
	}
	for name, k := range table.Neurons {
		check(name, conv, layer.Spiking{Neuron: k.Example.(neuron.Neuron), Surrogate: spiking.Surrogate})
	}
	for name, k := range table.Surrogates {
		check(name, conv, spikingWith(k.Example.(surrogate.Surrogate)))
	}
	for _, n := range []neuron.LIF{{Beta: 0.8, Threshold: 0.3, Reset: neuron.Zero, ResetGradient: true}, {Beta: 0.8, Threshold: 0.3, ResetGradient: true}} {
		check(fmt.Sprintf("recurrent %+v", n), conv, layer.Flatten{}, layer.Linear{Out: 6}, layer.Recurrent{Neuron: n, Surrogate: spiking.Surrogate}, layer.Linear{Out: 3})
	}
	for _, l := range []neunorm.NeuNorm{{Decay: 0.5, RunningMean: true}, {Decay: 0.5, Shared: true}, {}} {
		check(fmt.Sprintf("%+v", l), conv, spiking, l, conv2(""), spiking)
	}
	for _, s := range []surrogate.Surrogate{surrogate.FastSigmoid{Slope: 4, Cut: 0.2}, surrogate.ArcTan{Alpha: 2, Cut: 0.2}} {
		check(fmt.Sprintf("%+v", s), conv, layer.Spiking{Neuron: spiking.Neuron, Surrogate: s})
	}
}

// spikingWith is neurons that a surrogate fits.
func spikingWith(s surrogate.Surrogate) layer.Spiking {
	l := layer.Spiking{Neuron: model.Default().Layers["spiking"].Example.(layer.Spiking).Neuron, Surrogate: s}
	if neuron.Fits(l.Neuron, s) != nil {
		l.Neuron = model.Default().Neurons["stdb"].Example.(neuron.Neuron)
	}
	return l
}

// checkJoin checks a layer of several inputs at the end of a small block, on a
// constant and on spikes.
func checkJoin(t *testing.T, name string, conv, spiking, join layer.Layer) {
	t.Run(name, func(t *testing.T) {
		net, err := network.New(tensor.Shape{6, 6, 2}, 1,
			network.Node{Name: "a", Layer: conv}, network.Node{Name: "b", Layer: spiking}, network.Node{Name: "c", Layer: conv},
			network.Node{Name: "join", Layer: join, Inputs: []string{"a", "b", "c"}},
			network.Node{Name: "end", Layer: layer.Readout{Beta: 0.5}})
		if err != nil {
			t.Fatal(err)
		}
		snntest.Gradient(t, net, snntest.Random(signal.Constant, 4, 2, net.InputShape(), 0, 1), 20)
	})
}

// conv2 is what may follow a kind of layer.
func conv2(kind string) layer.Layer {
	if kind == "flatten" || kind == "global-avg-pool" {
		return layer.Linear{Out: 3}
	}
	return layer.Conv2D{Out: 2, Kernel: []int{2}}
}

// Every exported type with the methods of a kind stands in the table, and each
// kind has an example.
func TestTableIsComplete(t *testing.T) {
	table := model.Default()
	for dir, c := range map[string]struct {
		kinds  map[string]model.Kind
		method string
	}{
		"../layer":         {table.Layers, "Backward"},
		"../layer/neunorm": {table.Layers, "Backward"},
		"../neuron":        {table.Neurons, "Argument"},
		"../surrogate":     {table.Surrogates, "Primitive"},
		"../loss":          {table.Losses, "Eval"},
		"../optim":         {table.Optimizers, "Update"},
		"../encode":        {table.Encoders, "Encode"},
		"../task":          {table.Tasks, "Check"},
		"../data":          {table.Augments, "Apply"},
	} {
		have := map[string]bool{}
		for name, k := range c.kinds {
			if k.Example == nil {
				t.Errorf("%s: kind %q has no example", dir, name)
				continue
			}
			have[reflect.TypeOf(k.Example).Name()] = true
		}
		for _, name := range typesWith(t, dir, c.method) {
			if !have[name] {
				t.Errorf("%s.%s is not in the table of kinds", dir, name)
			}
		}
	}
}

// Every regularizer stands in the table.
func TestRegularizersAreComplete(t *testing.T) {
	if names, kinds := typesWith(t, "../loss", "Penalty"), model.Default().Regularizers; len(names) != len(kinds) {
		t.Errorf("regularizers %v, in the table of kinds %d", names, len(kinds))
	}
}

func typesWith(t *testing.T, dir, method string) (names []string) {
	t.Helper()
	pkgs, err := parser.ParseDir(token.NewFileSet(), dir, func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pkgs {
		for _, f := range p.Files {
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || fn.Recv == nil || fn.Name.Name != method {
					continue
				}
				if id, ok := fn.Recv.List[0].Type.(*ast.Ident); ok && id.IsExported() {
					names = append(names, id.Name)
				}
			}
		}
	}
	return names
}
