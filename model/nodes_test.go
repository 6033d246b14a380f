package model_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"synfire/data"
	"synfire/layer"
	"synfire/model"
	"synfire/network"
	"synfire/neuron"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/tensor"
)

const block = `
data: {name: mnist}
steps: 4
layers:
  - {kind: conv2d, out: 8, kernel: 3, padding: 1}
  - {name: in, kind: spiking}
  - {kind: conv2d, out: 8, kernel: 3, padding: 1}
  - {kind: add, from: [previous, in]}
  - spiking
  - {name: pooled, kind: max-pool, size: 2, from: in}
  - {kind: max-pool, size: 2, from: spiking2}
  - {kind: concat, from: [pooled, previous]}
  - flatten
  - {kind: linear, out: 10}
early-exit: certain
`

// digits are images of 8×8 pixels of the first classes of ten.
func digits(classes int) sample.Spec {
	names := strings.Split("0123456789", "")[:classes]
	return sample.Spec{Shape: tensor.Shape{8, 8, 1}, Targets: []sample.Field{{Name: sample.Label, Kind: sample.Class, Classes: names}}}
}

// Branches: named nodes and their inputs, written and read again.
func TestBranches(t *testing.T) {
	table := kinds()
	c, err := table.Decode("net.yaml", []byte(block))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(rule(t, c).Layers[3], network.Node{Layer: layer.Add{}, Inputs: []string{"previous", "in"}}) {
		t.Errorf("add is %+v", rule(t, c).Layers[3])
	}
	if rule(t, c).EarlyExit != (bptt.Lead{Certain: true}) {
		t.Errorf("early exit is %+v", rule(t, c).EarlyExit)
	}
	src, err := table.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := table.Decode("again.yaml", src); err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("%v: read again as %+v from\n%s", err, again, src)
	}
	n, err := build(c, digits(10))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"add1": {"conv2d2", "in"}, "pooled": {"in"}, "maxpool2": {"spiking2"}, "concat1": {"pooled", "maxpool2"}}
	for _, nd := range n.Nodes() {
		if w, ok := want[nd.Name]; ok && !reflect.DeepEqual(nd.Inputs, w) {
			t.Errorf("%s takes %v, want %v", nd.Name, nd.Inputs, w)
		}
		delete(want, nd.Name)
	}
	if len(want) > 0 {
		t.Errorf("no nodes %v", want)
	}
}

// Errors about nodes have their place in the file.
func TestNodeErrors(t *testing.T) {
	for _, c := range []struct{ replace, by, want string }{
		{"[previous, in]", "[previous, im]", `net.yaml:8:5: layers[3]: node "add1": input "im" is no node before it; did you mean "in"? known nodes: conv2d1, conv2d2, in, input, previous`},
		{"[previous, in]", "[previous, spiking2]", `node "add1": input "spiking2" is no node before it`},
		{"kernel: 3, padding: 1}\n  - {kind: add", "kernel: 3}\n  - {kind: add", `net.yaml:8:5: layers[3]: node "add1": add: input 1 has shape 8×8×8, input 0 6×6×8, want the same; adapt one by a conv2d layer of kernel 1`},
		{"name: pooled", "name: in", `net.yaml:10:5: layers[5]: node "in": the name is taken`},
		{"name: pooled", "name: previous", "the name is taken"},
		{"name: pooled", "name: a.b", "no dots"},
		{"[pooled, previous]", "[input, previous]", `net.yaml:12:5: layers[7]: node "concat1": concat: input 1 has shape`},
		{"{kind: concat, from: [pooled, previous]}", "{kind: relu, from: pooled}", `net.yaml:11:5: layers[6]: node "maxpool2": nothing uses its output`},
		{"out: 10", "out: 9", `net.yaml:14:5: layers[9]: node "linear1": the output has 9 units, and target "class" of the data has 10 classes`},
		{"- flatten", "-", `net.yaml:13:4: layers[8]: expected a mapping with a kind`},
	} {
		src := []byte(strings.Replace(block, c.replace, c.by, 1))
		cfg, err := kinds().Decode("net.yaml", src)
		if err == nil {
			_, err = build(cfg, digits(10))
		}
		if err = model.Locate("net.yaml", src, err); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.by, err, c.want)
		}
	}
	if err := model.Locate("net.yaml", nil, os.ErrNotExist); err != os.ErrNotExist {
		t.Errorf("another error became %v", err)
	}
}

// The configuration in checkpoints of the first version is still read.
func TestOldConfiguration(t *testing.T) {
	src, err := os.ReadFile("testdata/quickstart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	table := kinds()
	c, err := table.Decode("testdata/quickstart.yaml", src)
	if err != nil {
		t.Fatal(err)
	}
	if want := []data.Augment{data.Shift{Max: 2}}; c.Steps != 8 || !reflect.DeepEqual(c.Data.Augment, want) {
		t.Errorf("read as %d steps and augmentations %+v", c.Steps, c.Data.Augment)
	}
	n, err := build(c, sample.Spec{Shape: tensor.Shape{28, 28, 1}, Targets: digits(10).Targets})
	if err != nil || n.Params()[2].Name != "conv2d2.weight" {
		t.Errorf("the network: %v", err)
	}
	again, err := table.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := table.Decode("again.yaml", again); err != nil || !reflect.DeepEqual(d, c) {
		t.Errorf("%v: read again as %+v from\n%s", err, d, again)
	}
}

// A kind that null took away was a panic when it was used.
func TestKindsThatNullTakesAway(t *testing.T) {
	for replaced, want := range map[string]string{
		"optimizer: ~":      "net.yaml:16:12: optimizer: no value",
		"schedule: null":    "schedule: no value",
		"regularizers: [~]": "regularizers[0]: no value",
		"loss: {kind: ~}":   "net.yaml:16:14: loss[0].kind: expected the name of a kind",
	} {
		if _, err := kinds().Decode("net.yaml", []byte(block+replaced+"\n")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", replaced, err, want)
		}
	}
	for by, want := range map[string]string{"- ~": "net.yaml:13:5: layers[8]: expected a mapping with a kind", "- {kind: spiking, neuron: ~}": "layers[8].neuron: no value", "- {kind: spiking, surrogate: ~}": "layers[8].surrogate: no value"} {
		if _, err := kinds().Decode("net.yaml", []byte(strings.Replace(block, "- flatten", by, 1))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", by, err, want)
		}
	}
}

// Errors name kinds as files do.
func TestNamesOfKinds(t *testing.T) {
	table := model.Default()
	for want, k := range table.Layers {
		if got := network.Kind(k.Example.(layer.Layer)); got != want {
			t.Errorf("%T is %s, want %s", k.Example, got, want)
		}
	}
	for want, k := range table.Neurons {
		if got := neuron.Kind(k.Example.(neuron.Neuron)); got != want {
			t.Errorf("%T is %s, want %s", k.Example, got, want)
		}
	}
}
