package convert_test

import (
	"math"
	"strings"
	"testing"

	"synfire/convert"
	"synfire/data/mnist"
	"synfire/encode"
	"synfire/layer"
	"synfire/sample"
	"synfire/tensor"
)

// Activations are rounded to 2^b − 1 steps of the scale, halves up, and cut off at it.
func TestQuantised(t *testing.T) {
	g := chain(t, 1, []tensor.Float{1}, []tensor.Float{1})
	c := converted(t, "data", g, convert.Options{Analog: of(constant(1, 0.5), constant(1, 2))}) // λ = 2
	for bits, want := range map[int][]tensor.Float{1: {0, 0, 2, 2, 2}, 2: {0, tensor.Float(2.0 / 3), tensor.Float(4.0 / 3), 2, 2}} {
		q, err := c.Quantised(t.Context(), bits)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range []tensor.Float{-1, 0.4, 1, 1.9, 7} {
			if v := decoded(t, q, 1, x); math.Abs(v-float64(want[i])) > 1e-6 {
				t.Errorf("%d bits: %v becomes %v, want %v", bits, x, v, want[i])
			}
		}
	}
	for _, bits := range []int{0, 17} {
		if _, err := c.Quantised(t.Context(), bits); err == nil || !strings.Contains(err.Error(), "want 1 to 16") {
			t.Errorf("%d bits: %v", bits, err)
		}
	}
}

// Of leaky units what is below zero is kept: a bit is its sign.
func TestQuantisedLeakyUnits(t *testing.T) {
	g := net(t, tensor.Shape{1}, dense(1), layer.ReLU{Slope: 0.5}, dense(1)).Graph()
	g.Nodes[0].Arrays["weight"].Data[0], g.Nodes[2].Arrays["weight"].Data[0] = 1, 1
	c := converted(t, "data", g, convert.Options{Analog: of(constant(1, 0.5), constant(1, 2))}) // λ = 2
	third := tensor.Float(2.0 / 3)
	for bits, want := range map[int][]tensor.Float{2: {-2, -2, 0, 0, 0, 2, 2}, 3: {-2, -2, -third, 0, third, 2 * third, 2}} {
		q, err := c.Quantised(t.Context(), bits)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range []tensor.Float{-9, -4, -0.8, -0.5, 0.4, 0.75 + 0.25*tensor.Float(4-bits), 7} {
			if v := decoded(t, q, 1, x); math.Abs(v-float64(want[i])) > 1e-6 {
				t.Errorf("%d bits: %v becomes %v, want %v", bits, x, v, want[i])
			}
		}
	}
	if _, err := c.Quantised(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "want 2 to 16") {
		t.Errorf("1 bit: %v", err)
	}
}

// Products of the ordinary network beside: those of the pixels, which are held, and those behind units.
func TestProductsBeside(t *testing.T) {
	_, set := mnist.Sample()
	few, err := sample.Spaced(set, 10)
	if err != nil {
		t.Fatal(err)
	}
	g := net(t, set.Shape, layer.Flatten{}, layer.Linear{Out: 4}, layer.ReLU{}, layer.Linear{Out: 10}).Graph()
	m, _ := convert.MethodOf("data")
	r, err := convert.Study{Graph: g, Train: few, Test: few, Encoder: encode.Constant{}, Steps: []int{2}, Samples: 10}.Run(t.Context(), m, convert.Options{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	q := r.Energy.Quantised
	if q.First.Dense != 4*784 || q.Rest.Dense != 40 || !(q.First.Effective < q.First.Dense/2) || !(q.Rest.Effective < q.Rest.Dense) || q.Units != 4 {
		t.Errorf("%+v", q.Ordinary)
	}
}
