package yaml

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A struct around an interface takes its own keys and leaves the others to it.
func TestInlineInterface(t *testing.T) {
	src := document(
		"nodes:",
		"  - relu",
		"  - {name: a, kind: conv2d, out: 3, from: input}",
		"  - kind: spiking",
		"    from: [a, input]",
		"    neuron: {kind: lif, beta: 0.5}",
		"  - {kind: relu, from: []}",
		"  - {kind: relu, from: null}",
	)
	var got config
	if err := Decode("net.yaml", []byte(src), &got, kinds); err != nil {
		t.Fatal(err)
	}
	want := []unit{
		{Layer: &relu{}},
		{Name: "a", Layer: conv{Out: 3, Kernel: 3}, From: []string{"input"}},
		{Layer: spiking{Neuron: lif{Beta: 0.5, Theta: 1}, Surrogate: arctan{2}}, From: []string{"a", "input"}},
		{Layer: &relu{}, From: []string{}},
		{Layer: &relu{}},
	}
	if d := cmp.Diff(want, got.Nodes); d != "" {
		t.Error(d)
	}
	out, err := Encode(got.Nodes[:3], kinds)
	written := document(
		"- {kind: relu}",
		"- name: a",
		"  kind: conv2d",
		"  out: 3",
		"  kernel: 3",
		"  bias: null",
		"  pad: [0, 0]",
		"  from: input",
		"- kind: spiking",
		"  neuron: {kind: lif, beta: 0.5, theta: 1}",
		"  surrogate: {kind: arctan, width: 2}",
		"  from: [a, input]",
	)
	if err != nil || string(out) != written {
		t.Errorf("%v: encoded as\n%s\nwant\n%s", err, out, written)
	}
	if _, err := Encode([]unit{{Name: "a"}}, kinds); err == nil || !strings.Contains(err.Error(), "[0]: no value of yaml.layer") {
		t.Errorf("without a layer: %v", err)
	}
}

// A struct around an interface cannot be without it: an item that is empty was decoded
// as one that could not be written again.
func TestEmptyItemAroundInterface(t *testing.T) {
	for _, src := range []string{"nodes:\n  -", "nodes: [relu, null]"} {
		var got config
		if err := Decode("net.yaml", []byte(src), &got, kinds); err == nil || !strings.Contains(err.Error(), "expected a mapping with a kind") {
			t.Errorf("%q: %v, error %v", src, got.Nodes, err)
		}
	}
}

func TestLocate(t *testing.T) {
	src := []byte("steps: 3\nnodes:\n  - relu\n  - kind: conv2d\n    out: 3\n")
	for _, c := range []struct {
		path         []any
		line, column int
	}{
		{nil, 1, 1},
		{[]any{"steps"}, 1, 8},
		{[]any{"nodes", 1}, 4, 5},
		{[]any{"nodes", 1, "out"}, 5, 10},
		{[]any{"nodes", 2}, 0, 0},
		{[]any{"nodes", -1}, 0, 0},
		{[]any{"stpes"}, 0, 0},
		{[]any{"steps", 0, "a"}, 0, 0},
	} {
		line, column, ok := Locate(src, c.path...)
		if line != c.line || column != c.column || ok != (c.line > 0) {
			t.Errorf("%v is at %d:%d, %v; want %d:%d", c.path, line, column, ok, c.line, c.column)
		}
	}
	if _, _, ok := Locate([]byte("a: ["), "a"); ok {
		t.Error("found in a document that cannot be read")
	}
}
