package stdb

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/layer"
	"synfire/network"
	"synfire/recipe"
	"synfire/report"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
)

// The convolutional network, and the steps before anything reaches its scores.
func Example() {
	net, err := network.Sequential(tensor.Shape{28, 28, 1}, 1, convolutional(neurons(timed), sizes[report.Short].widths)...)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range net.Params() {
		fmt.Println(p.Name, p.Value.Shape)
	}
	fmt.Println("late by", net.Latencies()[0], "of", cnnSteps, "steps")
	// Output:
	// conv2d1.weight 5×5×1×16
	// conv2d2.weight 5×5×16×32
	// linear1.weight 512×10
	// late by 2 of 8 steps
}

// Claims are of at most ten steps.
func TestSteps(t *testing.T) {
	if cnnSteps > 10 {
		t.Errorf("%d steps", cnnSteps)
	}
}

// Twins have the same arrays, by the same names, but for the thresholds.
func TestTwins(t *testing.T) {
	for _, of := range []func(layer.Layer) []layer.Layer{perceptron, func(l layer.Layer) []layer.Layer { return convolutional(l, [2]int{4, 8}) }} {
		ann, err := network.Sequential(tensor.Shape{28, 28, 1}, 1, of(layer.ReLU{})...)
		if err != nil {
			t.Fatal(err)
		}
		snn, err := network.Sequential(tensor.Shape{28, 28, 1}, 1, of(neurons(linear))...)
		if err != nil {
			t.Fatal(err)
		}
		if len(ann.Params()) != len(snn.Params()) || len(snn.Buffers()) != 2 {
			t.Fatalf("%d and %d parameters, %d thresholds", len(ann.Params()), len(snn.Params()), len(snn.Buffers()))
		}
		for i, p := range ann.Params() {
			if q := snn.Params()[i]; p.Name != q.Name || !p.Value.Shape.Equal(q.Value.Shape) {
				t.Errorf("%s %v and %s %v", p.Name, p.Value.Shape, q.Name, q.Value.Shape)
			}
		}
	}
}

// The smoke scale trains, converts and trains on: what is converted is better the more
// steps it has, and an epoch of training makes up for few.
func TestSmoke(t *testing.T) {
	if testing.Short() || snntest.DoublePrecision() {
		t.Skip("trains networks, which takes long without assembly")
	}
	dir := t.TempDir()
	r := Recipe()
	o, err := r.Run(t.Context(), &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: dir, Observer: train.None{}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	few, many := o.Metrics["mlp_converted_t6_s1_test_accuracy"], o.Metrics["mlp_converted_t25_s1_test_accuracy"]
	if !(few < many) || many < 60 || o.Metrics["mlp_hybrid_linear_t6_s1_test_accuracy"] < few+5 {
		t.Errorf("the converted perceptron reaches %v %% in 6 steps and %v in 25, and in 6 with an epoch more %v", few, many, o.Metrics["mlp_hybrid_linear_t6_s1_test_accuracy"])
	}
	for _, res := range r.Judge(report.Smoke, o) {
		if res.Verdict != report.NotTested {
			t.Errorf("%s is %s at the smoke scale", res.ID, res.Verdict)
		}
	}
	page := o.Page(report.Run{Claims: r.Judge(report.Smoke, o)})
	if html, err := page.HTML(); err != nil || len(html) > 900_000 {
		t.Errorf("page of %d bytes, %v", len(html), err)
	}
	for _, name := range []string{"mlp-hybrid-linear-s1", "cnn-hybrid-stdb-s1"} {
		m, err := catalog.Default().Open(filepath.Join(dir, name, "model.safetensors"), catalog.OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		g, err := m.Graph()
		if err != nil {
			t.Fatal(err)
		}
		for _, nd := range g.Nodes {
			if v, ok := nd.Arrays["threshold"]; ok && (v.Data[0] == 1 || v.Data[0] <= 0) {
				t.Errorf("%s, %s: threshold %v is that of no conversion", name, nd.Name, v.Data[0])
			}
		}
	}
}
