package model_test

import (
	"reflect"
	"strings"
	"testing"

	"synfire/layer"
	"synfire/model"
	"synfire/network"
	"synfire/sample"
	"synfire/signal"
	"synfire/snntest"
	"synfire/tensor"
)

// A network by name is written out as its nodes, in what is decoded and what is encoded.
func TestNetworkByName(t *testing.T) {
	const file = "data: {name: mnist}\nsteps: 1\nnetwork: {kind: mlp, hidden: [5], bias: false}\n"
	c, err := kinds().Decode("x.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	want := network.Chain(layer.Flatten{}, layer.Linear{Out: 5, NoBias: true}, layer.ReLU{}, layer.Linear{Out: 10, NoBias: true})
	if r := rule(t, c); r.Named != nil || !reflect.DeepEqual(r.Layers, want) {
		t.Errorf("decoded as %+v", r)
	}
	text, err := kinds().Encode(c)
	if err != nil || strings.Contains(string(text), "network:") {
		t.Fatalf("encoded as %s, %v", text, err)
	}
	if again, err := kinds().Decode("y.yaml", text); err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("read again as %+v, %v", again, err)
	}
	for file, want := range map[string]string{
		"data: {name: mnist}\nnetwork: resnet-21\n":                                       `"resnet-20"`,
		"data: {name: mnist}\nnetwork: {kind: resnet-20, depth: 21}\n":                    "depth is 21",
		"data: {name: mnist}\nnetwork: {kind: resnet-20, widht: 8}\n":                     `"width"`,
		"data: {name: mnist}\nnetwork: mlp\nlayers: [flatten, {kind: linear, out: 10}]\n": "two networks",
		"data: {name: mnist}\n": "layers is missing",
		"data: {name: mnist, views: {translate: -1}}\nnetwork: mlp\n":                                   "translate is -1",
		"data: {name: mnist}\nnetwork: mlp\nwhiten: {samples: -1}\n":                                    "whiten",
		"data: {name: mnist}\nnetwork: mlp\naverage: {kind: ema, decay: 1}\n":                           "decay is 1",
		"data: {name: mnist}\nnetwork: mlp\nloss: {kind: membrane-cross-entropy, smoothing: 1}\n":       "smoothing is 1",
		"data: {name: mnist}\nnetwork: mlp\noptimizer: {kind: sgd, lr: 0.1, nesterov: true}\n":          "nesterov without momentum",
		"data: {name: mnist}\nnetwork: mlp\nschedule: {kind: triangular, rise: 2}\n":                    "rise is 2",
		"data: {name: mnist}\nnetwork: mlp\noptimizer: {kind: adam, lr: 0.1, nesterov: true}\nsteps: 1": `unknown key "nesterov"`,
	} {
		if _, err := kinds().Decode("x.yaml", []byte(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", file, err, want)
		}
	}
	// An error about a node stands at the network's line.
	src := []byte("data: {name: mnist}\nsteps: 1\nnetwork: vgg-16\n")
	err = model.Locate("x.yaml", src, &network.NodeError{Index: 3, Name: "avgpool5", Err: errNode})
	if err == nil || !strings.Contains(err.Error(), "x.yaml:3") {
		t.Errorf("located as %v", err)
	}
}

var errNode = errString("does not fit")

type errString string

func (e errString) Error() string { return string(e) }

// Views are of images, and their scores of classes.
func TestViewsAreOfClasses(t *testing.T) {
	for file, want := range map[string]string{
		"network: mlp\n": "",
		"network: mlp\nloss: {kind: mse, target: input}\ntask: {kind: reconstruct, target: input}\n": "leave views out",
	} {
		c, err := kinds().Decode("x.yaml", []byte("data: {name: mnist, views: {flip: true}}\nsteps: 1\n"+file))
		if err != nil {
			t.Fatal(err)
		}
		spec := sample.Spec{Shape: tensor.Shape{28, 28, 1}, Targets: []sample.Field{{Name: "class", Kind: sample.Class, Classes: []string{"a", "b"}}}}
		_, err = c.For(spec)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", file, err, want)
		}
		spec.Shape = tensor.Shape{784}
		if _, err := c.For(spec); err == nil {
			t.Error("views of vectors are accepted")
		}
	}
}

// Every named network passes the gradient check at small options, and none of its defaults
// fails to build. The seed is one whose difference quotients cross no edge of a relu.
func TestNamedNetworks(t *testing.T) {
	for name, k := range model.Default().Networks {
		full := reflect.ValueOf(k.New()).Elem().Interface().(network.Architecture)
		if err := full.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := network.Outline(tensor.Shape{32, 32, 3}, full.Nodes()...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		net, err := network.New(tensor.Shape{9, 9, 2}, 4, k.Example.(network.Architecture).Nodes()...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !snntest.DoublePrecision() {
			continue
		}
		for i, p := range net.Params() { // away from relu's edge, on which shifts of 0 put constant channels
			for k := range p.Value.Data {
				p.Value.Data[k] += tensor.Float(0.01*float64(i%5) + 0.03*float64(k%3+1))
			}
		}
		t.Run(name, func(t *testing.T) {
			snntest.Gradient(t, net, snntest.Random(signal.Constant, 1, 3, net.InputShape(), 0, 1), 20)
		})
	}
}
