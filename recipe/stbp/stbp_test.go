package stbp

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/layer"
	"synfire/model"
	"synfire/network"
	"synfire/recipe"
	"synfire/report"
	"synfire/rule/bptt"
	"synfire/signal"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
)

// The recipe runs at the smoke scale: it learns, keeps its runs and describes them.
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
	if v := o.Metrics["mlp_s1_test_accuracy"]; v < 50 {
		t.Errorf("the perceptron reaches %v %%", v)
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
	if files, _ := filepath.Glob(filepath.Join(dir, "*", "config.yaml")); len(files) == 0 {
		t.Error("no run is kept")
	}
}

// The networks as published have the weights that their layers give, NeuNorm's among
// them, and are planned without data.
func TestPublished(t *testing.T) {
	for name, want := range map[string]float64{"cifarnet": 45e6, "alexnet": 22e6, "neuromorphic": 17.8e6} {
		p, err := Cost(catalog.Default(), name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := float64(p.Parameters); math.Abs(got/want-1) > 0.05 {
			t.Errorf("%s has %.1f million weights, want %.1f", name, got/1e6, want/1e6)
		}
	}
	if _, err := Cost(catalog.Default(), "lenet"); err == nil || !strings.Contains(err.Error(), "cifarnet") {
		t.Errorf("lenet: %v", err)
	}
}

// Networks for photographs stay below five million weights, twins have as many as
// their arms but for NeuNorm and votes.
func TestPhotographic(t *testing.T) {
	for _, scale := range []report.Scale{report.Short, report.Full} {
		for _, a := range []arm{published, normalised, twin, twinNormal} {
			c := a.training(1, model.Data{}, sizes[scale])
			net, err := network.Outline(tensor.Shape{32, 32, 3}, c.Rule.(bptt.Rule).Layers...)
			if err != nil {
				t.Fatalf("%s, %s: %v", scale, a, err)
			}
			if n := net.ParamCount(); n > 5_000_000 || n < 400_000 {
				t.Errorf("%s, %s: %d weights", scale, a, n)
			}
			if nodes := net.Nodes(); nodes[len(nodes)-1].Out.Size() != 10 {
				t.Errorf("%s, %s: outputs %v", scale, a, nodes[len(nodes)-1].Out)
			}
		}
	}
}

// In the deep arm the first rectified units stay, as the encoding layer; all others fire.
func TestDeep(t *testing.T) {
	for a, want := range map[arm][2]int{normalised: {1, 6}, twinNormal: {7, 0}} {
		rectified, firing := 0, 0
		for i, nd := range deep(a) {
			switch l := nd.Layer.(type) {
			case layer.ReLU:
				rectified++
				if a == normalised && i != 1 {
					t.Errorf("node %d is rectified", i)
				}
			case layer.Spiking:
				firing++
			case layer.BatchNorm:
				if scale := map[arm]float64{normalised: theta, twinNormal: 1}[a]; l.Scale != scale {
					t.Errorf("%s: currents are scaled by %v, want %v", a, l.Scale, scale)
				}
			}
		}
		if got := [2]int{rectified, firing}; got != want {
			t.Errorf("%s: %v layers rectified and firing, want %v", a, got, want)
		}
	}
}

// One step of the network is one of binary activations, whose gradients by hand are the
// rectangle times the errors: the degenerate case of T = 1.
func TestOneStepIsBinary(t *testing.T) {
	net, err := network.Sequential(tensor.Shape{6}, 1, perceptron(8)[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	in := snntest.Random(signal.Constant, 1, 3, tensor.Shape{6}, 0, 4)
	got := snntest.Run(t, net, in, network.Options{})
	errs := snntest.Projections([]*signal.Signal{{Kind: signal.Dense, T: 1, B: 3, Shape: tensor.Shape{10}, Data: got.Out}}, 0)[0].Data
	p := net.Params()
	w1, b1, w2, b2 := p[0].Value.Data, p[1].Value.Data, p[2].Value.Data, p[3].Value.Data
	grad := make([]float64, len(w1))
	for s := range 3 {
		x := in.Data[s*6:][:6]
		u1, u2 := affine(x, w1, b1), []float64(nil)
		o1 := make([]tensor.Float, 8)
		for j, u := range u1 {
			if u > 0.5 {
				o1[j] = 1
			}
		}
		u2 = affine(o1, w2, b2)
		for k, u := range u2 {
			want := tensor.Float(0)
			if u > 0.5 {
				want = 1
			}
			if got.Out[s*10+k] != want {
				t.Fatalf("sample %d, output %d is %v with membrane %v", s, k, got.Out[s*10+k], u)
			}
		}
		for j := range 8 {
			var e float64
			for k, u := range u2 {
				if math.Abs(u-0.5) < 0.5 {
					e += float64(errs[s*10+k]) * float64(w2[j*10+k])
				}
			}
			if math.Abs(u1[j]-0.5) < 0.5 {
				for i, v := range x {
					grad[i*8+j] += e * float64(v)
				}
			}
		}
	}
	for i, want := range grad {
		if math.Abs(float64(got.Grads[0][i])-want) > 1e-5 {
			t.Fatalf("gradient %d is %v, by hand %v", i, got.Grads[0][i], want)
		}
	}
}

func affine(x, w, b []tensor.Float) []float64 {
	u := make([]float64, len(b))
	for j := range u {
		u[j] = float64(b[j])
		for i, v := range x {
			u[j] += float64(v) * float64(w[i*len(b)+j])
		}
	}
	return u
}

// The encoding layer's gradient is one product with the errors summed over time: that of
// the image repeated at each step, but for rounding.
func TestEncodingLayer(t *testing.T) {
	net, err := network.Sequential(tensor.Shape{6, 6, 1}, 1, voting(&asPaper)...)
	if err != nil {
		t.Fatal(err)
	}
	once := snntest.Random(signal.Constant, 5, 2, net.InputShape(), 0, 1)
	repeated := &signal.Signal{Kind: signal.Dense, T: 5, B: 2, Shape: once.Shape, Data: slices.Repeat(once.Data, 5)}
	a, b := snntest.Run(t, net, once, network.Options{}), snntest.Run(t, net, repeated, network.Options{})
	if !slices.Equal(a.Out, b.Out) {
		t.Error("outputs differ")
	}
	for i := range a.Grads {
		for j := range a.Grads[i] {
			if math.Abs(float64(a.Grads[i][j]-b.Grads[i][j])) > 1e-4 {
				t.Fatalf("%s[%d]: %v and %v", net.Params()[i].Name, j, a.Grads[i][j], b.Grads[i][j])
			}
		}
	}
}

// Three differences with their interval, by hand: mean 1, deviation 1, t·1/√3.
func TestInterval(t *testing.T) {
	mean, half := interval([]float64{0, 1, 2})
	if mean != 1 || math.Abs(half-studentT95/math.Sqrt(3)) > 1e-12 {
		t.Errorf("%v ± %v", mean, half)
	}
}
