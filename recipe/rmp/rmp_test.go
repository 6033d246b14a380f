package rmp

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/network"
	"synfire/network/named"
	"synfire/recipe"
	"synfire/report"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
)

// The network of eight hidden layers.
func Example() {
	net, err := network.New(tensor.Shape{28, 28, 1}, 1, named.MLP{Hidden: slices.Repeat([]int{128}, 8), Classes: 10}.Nodes()...)
	if err != nil {
		fmt.Println(err)
		return
	}
	n := 0
	for _, p := range net.Params() {
		n += p.Value.Shape.Size()
	}
	fmt.Println(len(net.Params()), "arrays,", n, "weights")
	// Output: 9 arrays, 216320 weights
}

// The smoke scale: soft reset transmits more than hard, and the error of a rate of the first
// layer is below a spike.
func TestSmoke(t *testing.T) {
	if testing.Short() || snntest.DoublePrecision() {
		t.Skip("trains networks, which takes long without assembly")
	}
	r := Recipe()
	o, err := r.Run(t.Context(), &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Out: t.TempDir(), Observer: train.None{}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	of := func(id string) float64 {
		if v := o.Measured[id].Values; len(v) == 1 {
			return v[0]
		}
		return math.NaN()
	}
	if !(of(softClaim) > of(hardClaim)) || !(of(firstClaim) <= 1.001) {
		t.Errorf("transmitted are %v and %v, the first layer's error is %v spikes", of(softClaim), of(hardClaim), of(firstClaim))
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
