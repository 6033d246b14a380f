package convert_test

import (
	"context"
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

// labelled is samples of a number each, with their classes.
type labelled struct {
	values
	classes []int
}

func (l labelled) Read(ctx context.Context, i int, x *sample.Sample) error {
	copy(x.X, l.x[i:])
	x.Targets = append(x.Targets, sample.Target{Class: l.classes[i]})
	return nil
}
func (l labelled) Target(i, k int) (sample.Target, error) {
	return sample.Target{Class: l.classes[i]}, nil
}

// The least bits, by hand. The network answers class 0 where x ≥ 0.45; rounded to 1, 2 and 3 bits where
// x ≥ 0.5, to 4 from 6.5/15, 5 from 13.5/31, 6 from 28.5/63, 7 from 57.5/127 and 8 from 114.5/255, and
// spikes after T steps where ⌊Tx⌋ ≥ 0.45·T.
func TestLeastBits(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{1}, Targets: []sample.Field{{Name: "class", Kind: sample.Class, Classes: []string{"a", "b"}}}}
	of := func(classes []int, x ...tensor.Float) labelled { return labelled{values{spec, x}, classes} }
	g := net(t, tensor.Shape{1}, dense(1), layer.ReLU{}, layer.Linear{Out: 2}).Graph()
	g.Nodes[0].Arrays["weight"].Data[0] = 1
	copy(g.Nodes[2].Arrays["weight"].Data, []tensor.Float{1, 0})
	copy(g.Nodes[2].Arrays["bias"].Data, []tensor.Float{0, 0.45})
	m, _ := convert.MethodOf("data")
	test := of([]int{1, 1, 0, 1}, 0.1, 0.2, 0.3, 0.02) // the third is wrong; the fourth is rounded to 0
	for _, c := range []struct {
		train                       labelled
		steps                       []int
		bits                        int
		reached                     bool
		aim, trained, effectiveRest float64
	}{
		// 0.46 of class 1 is right with the spiking network alone: the aim is the unrounded one's
		{of([]int{1, 0, 0, 0, 0, 1}, 0.1, 0.8, 1, 0.47, 0.475, 0.46), []int{2, 32}, 4, true, 500.0 / 6, 500.0 / 6, 0.75},
		{of([]int{1, 0, 0, 0, 0, 1}, 0.1, 0.8, 1, 0.47, 0.475, 0.46), []int{1}, 1, true, 300.0 / 6, 400.0 / 6, 0},
		// no rounding tells these two apart where 0.45 does
		{of([]int{1, 0, 1, 0}, 0.1, 1, 0.4495, 0.451), []int{2000}, 8, false, 100, 75, 1},
	} {
		r, err := convert.Study{Graph: g, Train: c.train, Test: test, Encoder: encode.Constant{}, Steps: c.steps, Samples: 10}.Run(t.Context(), m, convert.Options{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		q := r.Energy.Quantised
		if q.Bits != c.bits || q.Reached != c.reached || math.Abs(q.Aim-c.aim) > 1e-9 || math.Abs(q.Trained-c.trained) > 1e-9 || q.Accuracy != 75 || q.Samples != len(c.train.x) || q.Rest.Effective != c.effectiveRest {
			t.Errorf("%v steps: %+v, want %+v", c.steps, q, c)
		}
	}
	// With spikes for input the aim is what the network reaches by them.
	train := of(nil)
	for i := range 40 {
		train.x = append(train.x, 0.25+tensor.Float(i)/100)
		train.classes = append(train.classes, map[bool]int{true: 1}[i < 20])
	}
	r, err := convert.Study{Graph: g, Train: train, Test: test, Encoder: encode.Poisson{}, Steps: []int{16}, Samples: 40}.Run(t.Context(), m, convert.Options{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	points, err := convert.Curve(t.Context(), r.Graph, convert.CurveOptions{Source: train, Encoder: encode.Poisson{}, Steps: []int{16}, Batch: 40})
	if err != nil || points[0].Accuracy > 90 || r.Energy.Quantised.Aim != points[0].Accuracy {
		t.Errorf("aim %v, want %+v, below 90: %v", r.Energy.Quantised.Aim, points, err)
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
