package spikenorm

import (
	"fmt"
	"math"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/convert"
	"synfire/network"
	"synfire/network/named"
	"synfire/recipe"
	"synfire/report"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
)

// The network of residual blocks, and the units whose scales meet at its first junction.
func Example() {
	net, err := network.New(tensor.Shape{28, 28, 1}, 1, named.NewResidual().Nodes()...)
	if err != nil {
		fmt.Println(err)
		return
	}
	g := net.Graph()
	for _, nd := range g.Nodes {
		if nd.Name == "add1" {
			fmt.Println(nd.Inputs, "from", unitBefore(g, nd.Inputs[0]), "and", unitBefore(g, nd.Inputs[1]))
		}
	}
	// Output:
	// [linear3 block0] from relu2 and block0
}

// What meets at a junction gets one scale, the larger, and the network keeps its function.
func TestJunctions(t *testing.T) {
	net, err := network.New(tensor.Shape{28, 28, 1}, 1, named.NewResidual().Nodes()...)
	if err != nil {
		t.Fatal(err)
	}
	c := convert.Conversion{Ordinary: net.Graph(), Scales: convert.Scales{}}
	for i, nd := range c.Ordinary.Nodes {
		if unitBefore(c.Ordinary, nd.Name) == nd.Name {
			c.Scales[nd.Name] = []float64{float64(1 + i%3)}
		}
	}
	if err := junctions(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	pairs := [][2]string{{"block0", "relu2"}, {"block1", "relu4"}, {"block2", "relu6"}, {"block3", "relu8"}}
	for _, p := range pairs {
		if a, b := c.Scales[p[0]], c.Scales[p[1]]; len(a) != 1 || len(b) != 1 || a[0] != b[0] {
			t.Errorf("%v have the scales %v and %v", p, a, b)
		}
	}
	if err := common(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	for name, v := range c.Scales {
		if v[0] != 3 {
			t.Errorf("%s has the scale %v", name, v)
		}
	}
}

// The smoke scale trains and converts all perceptrons, and leaves nothing that it should
// measure.
func TestSmoke(t *testing.T) {
	if testing.Short() || snntest.DoublePrecision() {
		t.Skip("trains networks, which takes long without assembly")
	}
	r := Recipe()
	o, err := r.Run(t.Context(), &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: t.TempDir(), Observer: train.None{}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{mnistClaim, depthClaim, blocksClaim} {
		if m := o.Measured[id]; len(m.Values) != 1 || math.IsNaN(m.Values[0]) {
			t.Errorf("%s: %+v", id, m)
		}
	}
	if few, many := o.Metrics["mlp_s1_spike_soft_t8_accuracy"], o.Metrics["mlp_s1_spike_soft_t512_accuracy"]; !(many >= few) || many < 60 {
		t.Errorf("the converted perceptron reaches %v %% in 8 steps and %v in 512", few, many)
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
