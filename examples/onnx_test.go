package examples_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"synfire/exchange/onnx"
	"synfire/layer"
	"synfire/network"
	"synfire/signal"
	"synfire/snntest"
)

// notONNX are the examples that an ONNX file cannot carry, and what is said of them.
var notONNX = map[string]string{
	"recurrent": "kind recurrent has state", "alif": "kind recurrent has state", "own-sounds": "kind recurrent has state", "sine": "kind recurrent has state",
	"own-joint": "neurons stdb", "cuba": "neurons cuba-lif", "own-stdb": "varied", "own-stbp": "kind neu-norm has state",
	"depthwise": "kind parametric-spiking has state", "max-count": "kind max-count has state", "delay": "kind delay has state",
	"attention": "kind gather: not supported", "own-qcfs": "kind qcfs: not supported", "counting": "kind counting has state", "signed": "kind signed has state",
	"own-eqprop": "is no network of layers", "own-eqprop-predictor": "is no network of layers", "own-superspike": "is no network of layers",
	"own-spikeprop": "is no network of layers", "own-spikeprop-several": "is no network of layers", "own-tempotron": "is no network of layers", "own-precise": "is no network of layers", "own-mostafa": "is no network of layers", "own-dbn": "is no network of layers", "own-event-cd": "is no network of layers", "own-bp-stdp": "is no network of layers",
	"own-s4nn": "is no network of layers", "own-stdp": "is no network of layers", "own-diehl-cook": "is no network of layers", "own-querlioz": "is no network of layers", "own-stdp-conv": "is no network of layers", "own-spikegrad": "is no network of layers",
}

// unrolledSteps are few, so that the files are small.
const unrolledSteps = 3

// Each example that an ONNX file can carry, spiking ones unrolled, gives the same bits after export and
// import.
func TestExamplesThroughONNX(t *testing.T) {
	if snntest.DoublePrecision() {
		t.Skip("bits come back in single precision")
	}
	carried := 0
	for name, src := range files(t) {
		g, err := fresh(t, name, src)
		if err == nil && slices.ContainsFunc(g.Nodes, func(n network.GraphNode) bool { _, ok := n.Layer.(layer.Stateful); return ok }) {
			g, err = onnx.Unroll(g, unrolledSteps)
		}
		path := filepath.Join(t.TempDir(), "net.onnx")
		if err == nil {
			m, _, raised := onnx.Raise(g)
			if err = raised; err == nil {
				err = onnx.Write(path, m)
			}
		}
		if why, ok := notONNX[name]; ok || err != nil {
			if err == nil || !ok || !strings.Contains(err.Error(), why) {
				t.Errorf("%s: %v, want %q", name, err, why)
			}
			continue
		}
		carried++
		back := readONNX(t, path)
		in := snntest.Random(signal.Constant, 1, 2, g.Input, 0.5, 1)
		want := spikesOf(t, g, in)
		in.Shape = back.Input
		got := spikesOf(t, back, in)
		for out, x := range want {
			if !slices.Equal(x, got[out]) {
				t.Errorf("%s: output %s is not the same", name, out)
			}
		}
	}
	if carried < 5 {
		t.Errorf("%d examples were carried", carried)
	}
}

func readONNX(t *testing.T, path string) network.Graph {
	t.Helper()
	f, err := onnx.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g, _, err := f.Lower(onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}
