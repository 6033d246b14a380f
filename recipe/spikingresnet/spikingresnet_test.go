package spikingresnet

import (
	"fmt"
	"math"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/convert"
	"synfire/network"
	"synfire/recipe"
	"synfire/report"
	"synfire/signal"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
)

// Weights of ResNet-20 at a quarter of the operations, batch normalisation included.
func Example() {
	net, err := network.New(tensor.Shape{32, 32, 3}, 1, residual(20, small).Nodes()...)
	if err != nil {
		fmt.Println(err)
		return
	}
	n := 0
	for _, p := range net.Params() {
		n += p.Value.Shape.Size()
	}
	fmt.Println(n)
	// Output: 68866
}

// The pooled network is the one of the card, by its weights.
func TestPooledNet(t *testing.T) {
	net, err := network.New(tensor.Shape{32, 32, 3}, 1, pooledNet.Nodes()...)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, p := range net.Params() {
		n += p.Value.Shape.Size()
	}
	if n != 82_554 {
		t.Errorf("%d weights, want 82,554", n)
	}
}

// Shortcuts of weight 1 are those of the identity blocks alone, and biases that are dropped
// are all of them.
func TestChanges(t *testing.T) {
	net, err := network.New(tensor.Shape{16, 16, 3}, 1, residual(14, 4).Nodes()...)
	if err != nil {
		t.Fatal(err)
	}
	m, err := convert.MethodOf("spiking-resnet")
	if err != nil {
		t.Fatal(err)
	}
	images := snntest.Random(signal.Constant, 1, 4, tensor.Shape{16, 16, 3}, 1, 5)
	c, err := m.Convert(t.Context(), net.Graph(), convert.Options{Analog: func(yield func(*signal.Signal, error) bool) { yield(images, nil) }})
	if err != nil {
		t.Fatal(err)
	}
	ratios := map[string]float64{}
	if err := unscaled(ratios)(t.Context(), &c); err != nil || len(ratios) != 3 {
		t.Errorf("factors %v, %v; want one for the second block of each stage", ratios, err)
	}
	for _, nd := range c.Graph.Nodes {
		if b, ok := nd.Arrays["bias"]; ok {
			b.Data[0] = 1
		}
	}
	if err := unbiased(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	biases := 0
	for _, nd := range c.Graph.Nodes {
		for _, v := range nd.Arrays["bias"].Data {
			if biases++; v != 0 {
				t.Fatalf("%s has the bias %v", nd.Name, v)
			}
		}
	}
	if biases == 0 {
		t.Error("the network had no biases to drop")
	}
}

// The smoke scale trains ResNet-8 and converts it.
func TestSmoke(t *testing.T) {
	if testing.Short() || snntest.DoublePrecision() {
		t.Skip("trains networks, which takes long without assembly")
	}
	r := Recipe()
	o, err := r.Run(t.Context(), &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: t.TempDir(), Observer: train.None{}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if v := o.Measured[digitsClaim].Values; len(v) != 1 || math.IsNaN(v[0]) || v[0] > 20 {
		t.Errorf("the loss is %v", v)
	}
	for _, res := range r.Judge(report.Smoke, o) {
		if res.Verdict != report.NotTested {
			t.Errorf("%s is %s at the smoke scale", res.ID, res.Verdict)
		}
	}
	if html, err := o.Page(report.Run{Claims: r.Judge(report.Smoke, o)}).HTML(); err != nil || len(html) > 900_000 {
		t.Errorf("page of %d bytes, %v", len(html), err)
	}
}
