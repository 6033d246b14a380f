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

func digits() *data.Set {
	return &data.Set{Name: "digits", Shape: tensor.Shape{8, 8, 1}, Classes: strings.Split("0123456789", "")}
}

// Branches: named nodes and their inputs, written and read again.
func TestBranches(t *testing.T) {
	table := model.Default()
	c, err := table.Decode("net.yaml", []byte(block))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c.Layers[3], network.Node{Layer: layer.Add{}, Inputs: []string{"previous", "in"}}) {
		t.Errorf("add is %+v", c.Layers[3])
	}
	if c.EarlyExit != (model.EarlyExit{Certain: true}) {
		t.Errorf("early exit is %+v", c.EarlyExit)
	}
	src, err := table.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := table.Decode("again.yaml", src); err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("%v: read again as %+v from\n%s", err, again, src)
	}
	n, err := c.Network(digits())
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
		{"out: 10", "out: 9", `net.yaml:14:5: layers[9]: node "linear1": the last layer has 9 outputs, data set digits has 10 classes`},
		{"- flatten", "-", `net.yaml:13:4: layers[8]: node "nil1": no layer is given`},
	} {
		src := []byte(strings.Replace(block, c.replace, c.by, 1))
		cfg, err := model.Default().Decode("net.yaml", src)
		if err != nil {
			t.Errorf("%s: %v", c.by, err)
			continue
		}
		_, err = cfg.Network(digits())
		if err = model.Locate("net.yaml", src, err); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.by, err, c.want)
		}
	}
	if err := model.Locate("net.yaml", nil, os.ErrNotExist); err != os.ErrNotExist {
		t.Errorf("another error became %v", err)
	}
}

// The configuration in checkpoints of the first version is read and written as
// it was, so that its runs can be evaluated and resumed.
func TestOldConfiguration(t *testing.T) {
	src, err := os.ReadFile("testdata/quickstart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := model.Default().Decode("testdata/quickstart.yaml", src)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := model.Default().Encode(c); err != nil || string(again) != string(src) {
		t.Errorf("%v: written as\n%s\nwant\n%s", err, again, src)
	}
}

func TestEarlyExitText(t *testing.T) {
	for text, want := range map[string]model.EarlyExit{"off": {}, "certain": {Certain: true}, "2.5": {Lead: 2.5}} {
		var e model.EarlyExit
		if err := e.UnmarshalText([]byte(text)); err != nil || e != want || e.String() != text || e.On() != (text != "off") {
			t.Errorf("%q is %+v, %q: %v", text, e, e, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "soon", "inf", "nan"} {
		if new(model.EarlyExit).UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q: accepted", text)
		}
	}
}
