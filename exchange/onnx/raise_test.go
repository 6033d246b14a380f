package onnx

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/snntest"
	"synfire/surrogate"
	"synfire/tensor"
)

// randomGraph is an ordinary network of images, with branches, from a seed.
func randomGraph(t *testing.T, seed uint64) network.Graph {
	t.Helper()
	src := rng.New(seed, rng.Dropout).Source()
	pick := src.IntN
	shape := tensor.Shape{6 + pick(4), 6 + pick(4), 1 + pick(3)}
	var nodes []network.Node
	last, at := network.Input, shape
	add := func(l layer.Layer, in ...string) {
		name := fmt.Sprintf("n%d", len(nodes))
		nodes = append(nodes, network.Node{Name: name, Layer: l, Inputs: in})
		last = name
	}
	conv := func(out int) layer.Layer {
		return layer.Conv2D{Out: out, Kernel: []int{3, 1 + 2*pick(2)}, Padding: []int{1, pick(2)}, NoBias: pick(2) == 0}
	}
	size := func(l layer.Layer, in ...tensor.Shape) bool {
		out, err := l.Output(in...)
		if err == nil {
			at = out
		}
		return err == nil
	}
	for range 4 + pick(5) {
		var l layer.Layer
		switch pick(10) {
		case 0:
			l = layer.BatchNorm{Epsilon: 1e-3}
		case 1:
			l = layer.ReLU{}
		case 2:
			l = layer.ReLU{Slope: 0.1, Max: 2 * float64(pick(2))}
		case 3:
			l = ordinary.Clip{Min: -0.5, Max: 0.75}
		case 4:
			l = layer.MaxPool{Size: 2 + pick(2), Stride: 1, Padding: []int{1, 0, 0, pick(2)}}
		case 5:
			l = layer.AvgPool{Size: 2, Stride: 1 + pick(2), Padding: []int{1}, CountPadding: pick(2) == 0}
		case 6:
			l = layer.Upsample{Factor: 2}
		case 7, 8: // two branches
			from, was, channels := last, at, 1+pick(4)
			if a := (layer.Conv2D{Out: channels, Kernel: []int{1}}); size(a, was) {
				add(a, from)
				first := last
				add(layer.Conv2D{Out: channels, Kernel: []int{3}, Padding: []int{1}}, from)
				if pick(2) == 0 {
					add(layer.Add{}, first, last)
				} else {
					add(layer.Concat{}, first, last)
					at = tensor.Shape{at[0], at[1], 2 * channels}
				}
			}
			continue
		default:
			l = conv(1 + pick(4))
		}
		if at.Size() < 4000 && size(l, at) {
			add(l, last)
		}
	}
	if pick(3) == 0 {
		add(layer.GlobalAvgPool{}, last)
	} else {
		add(layer.Flatten{}, last)
	}
	add(layer.Linear{Out: 5, NoBias: pick(2) == 0}, last)
	add(layer.Dropout{Rate: 0.25}, last)
	add(ordinary.Softmax{}, last)
	net, err := network.New(shape, seed, nodes...)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	for _, b := range net.Buffers() {
		for i := range b.Value.Data {
			b.Value.Data[i] = tensor.Float(0.5 + src.Float64())
		}
	}
	return net.Graph()
}

// back is a graph that was written and read.
func back(t *testing.T, g network.Graph) network.Graph {
	t.Helper()
	m, _, err := Raise(g)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "net.onnx")
	if err := Write(path, m); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	again, _, err := f.Lower(Options{})
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// outputOf is what a graph gives of random samples, on one thread.
func outputOf(t *testing.T, g network.Graph, kind signal.Kind) []tensor.Float {
	t.Helper()
	return threadedOutputOf(t, g, kind, 1)
}

func threadedOutputOf(t *testing.T, g network.Graph, kind signal.Kind, threads int) []tensor.Float {
	t.Helper()
	pool := par.New(threads)
	defer pool.Close()
	net, err := g.Build(0)
	if err != nil {
		t.Fatal(err)
	}
	in := snntest.Random(kind, 2, 3, net.InputShape(), 0.5, 1)
	outs, err := net.Compile(pool, false).NewPass(network.Options{Pool: pool}).Forward(net.NewState(in.B), in, false)
	if err != nil {
		t.Fatal(err)
	}
	var d signal.Signal
	outs[0].Densify(&d)
	return d.Data
}

// single skips a test of bits in double precision: files have float32.
func single(t *testing.T) {
	t.Helper()
	if snntest.DoublePrecision() {
		t.Skip("files have float32")
	}
}

// A hundred random networks come back with the same bits, at each of two imports and on any number of
// threads.
func TestRoundTrips(t *testing.T) {
	single(t)
	for seed := range uint64(100) {
		g := randomGraph(t, seed)
		want := outputOf(t, g, signal.Constant)
		for _, threads := range []int{1, 3} {
			if got := threadedOutputOf(t, back(t, g), signal.Constant, threads); !slices.Equal(got, want) {
				t.Fatalf("seed %d, %d threads: %v, was %v; of %+v", seed, threads, got, want, g.Nodes)
			}
		}
	}
}

// What the file cannot carry is refused by the name of the node.
func TestRaiseRefuses(t *testing.T) {
	lif := layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 1}, Surrogate: surrogate.ArcTan{Alpha: 2}}
	for want, nodes := range map[string][]network.GraphNode{
		`node "fire": a layer of kind spiking: not supported`: {{Node: network.Node{Name: "fire", Layer: lif}}},
		`node "map": it has no array "weight"`:                {{Node: network.Node{Name: "map", Layer: layer.Linear{Out: 2}}}},
	} {
		if _, _, err := Raise(network.Graph{Input: tensor.Shape{3}, Nodes: nodes}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// Where onnxruntime is to be had, it takes what Raise writes.
func TestONNXRuntime(t *testing.T) {
	if out, err := exec.Command("python3", "-c", "import onnxruntime").CombinedOutput(); err != nil {
		t.Skipf("python3 has no onnxruntime: %s", bytes.TrimSpace(out))
	}
	m, _, err := Raise(randomGraph(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "net.onnx")
	if err := Write(path, m); err != nil {
		t.Fatal(err)
	}
	script := "import sys, onnxruntime; onnxruntime.InferenceSession(sys.argv[1])"
	if out, err := exec.Command("python3", "-c", script, path).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
