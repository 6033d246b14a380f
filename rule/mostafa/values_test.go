package mostafa

import (
	"math"
	"testing"

	"synfire/tensor"
	"synfire/train/online"
)

// Numbers of a separate program that looks for the time at which the potential, as a sum of
// exponentials, reaches 1, by bisection between two inputs and without causal sets, and takes
// differences of the loss for its gradient: 5–4–3 neurons, two samples with inputs of one time, a hidden
// neuron that cannot fire, gradients above clip and below, two batches with momentum.
func TestValues(t *testing.T) {
	r := NewRule()
	r.Hidden, r.Binary, r.Late, r.LR, r.Momentum, r.Clip, r.SumCost = []int{4}, false, 1.5, 0.02, 0.9, 0.5, 3
	n := r.NewNet(5, 3, 1)
	for l, layer := range n.layers {
		for i := range layer.W {
			layer.W[i] = 0.9*math.Sin(1.3*float64(i)+float64(2*l+1)) + 0.6 + 0.4*float64(l)
		}
	}
	for i, w := range []float64{0.1, 0.3, -0.2, 0.4, 0.2} {
		n.layers[0].W[4*i+2] = w
	}
	n.Refresh()
	x := []tensor.Float{0.75, 0.25, 0.75, 0, 1, 0.125, 0.875, 0.5, 0.5, 0.5}
	for i, want := range []struct {
		loss  float64
		times []float64 // of hidden neurons and outputs
		norms []float64 // of the gradients of the layers
		some  []float64 // of the gradient: of the first input and hidden neuron
	}{
		{0.3040474971, []float64{0.9860521756, 1.1638642722, Silent, 1.0030845404, 1.3146677511, 1.5616937846, 2.2523148867}, []float64{0.2972120641, 0.5053088093}, []float64{-0.0798686692, 0.125263754, 0, -0.0432732789, -0.0802097097, 0.3075662796, 0.0333027466}},
		{1.0644796492, []float64{1.6073993613, 1.1271470463, Silent, 1.0735746136, 1.4621861913, 1.6006195983, 2.4395765989}, []float64{1.0055311854, 1.2570603903}, []float64{4.57979755e-4, 0, 0, 0, 0, 0, 7.1464307546e-3}},
	} {
		z, err := n.Z(x[5*i:][:5])
		if err != nil {
			t.Fatal(err)
		}
		for j, v := range append(append([]float64{}, z[0]...), z[1]...) {
			if at := math.Log(v); at != want.times[j] {
				near(t, "a time", at, want.times[j], 1e-9)
			}
		}
		loss, g, err := n.Gradients(x[5*i:][:5], i)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "the loss", loss, want.loss, 1e-9)
		for l, g := range g {
			square := 0.0
			for _, v := range g {
				square += v * v
			}
			near(t, "a norm", math.Sqrt(square), want.norms[l], 1e-8)
		}
		for j, v := range append(append([]float64{}, g[0][:4]...), g[1][:3]...) {
			near(t, "a derivative", v, want.some[j], 1e-8)
		}
	}
	b := &online.Batch{Ctx: t.Context(), X: x, Labels: []int{0, 1}, Factor: 0.5, Scores: make([]float64, 6), Loss: make([]float64, 2)}
	for range 2 {
		if err := n.LearnBatch(b); err != nil {
			t.Fatal(err)
		}
	}
	for l, want := range [][]float64{
		{1.358478650, 1.269318789, 0.15, -0.283581245, 0.525209703, 1.449402363, 0.35, 0.036472273, -0.226245065, 0.720838525, -0.15, 0.957239110, -0.100524337, -0.129095811, 0.45, 1.496693303, 0.772568779, -0.205211802, 0.25, 1.083986616},
		{1.128158751, 0.171036970, 0.431341560, 1.519134341, 1.847798726, 0.931869877, 0.117157393, 0.595317282, 1.666338301, 1.759972348, 0.741400529, 0.099674646},
	} {
		for k, w := range n.layers[l].W {
			near(t, "a weight after two batches", w, want[k], 2e-9)
		}
	}
}

// Outputs that are silent, or later than e^t = 100, count as 100 in the loss, also that of the label.
func TestLatest(t *testing.T) {
	errors := make([]float64, 3)
	for _, c := range []struct {
		z           []float64
		label       int
		loss        float64
		derivatives []float64
	}{
		{[]float64{2, 3, Silent}, 0, 0.3132616875, []float64{0.2689414214, -0.2689414214, 0}},
		{[]float64{2, 3, Silent}, 2, 98.3132616875, []float64{-0.7310585786, -0.2689414214, 1}},
		{[]float64{2, 3, 1e6}, 2, 98.3132616875, []float64{-0.7310585786, -0.2689414214, 1}},
		{[]float64{Silent, Silent, Silent}, 1, 1.0986122887, []float64{-1. / 3, 2. / 3, -1. / 3}},
	} {
		near(t, "the loss", loss(c.z, c.label, errors), c.loss, 1e-9)
		for j, v := range errors {
			near(t, "a derivative", v, c.derivatives[j], 1e-9)
		}
	}
}

// A spike at the very time of the next input is before it, and inputs that differ in the last bits
// of their times are in order: the neuron reaches 1 at z = 3 by its first input alone.
func TestNextInput(t *testing.T) {
	l := NewLayer(3, 1)
	copy(l.W, []float64{1.5, 1, -5})
	l.Refresh()
	p := l.NewPass()
	near(t, "z at the time of the next input", p.Forward([]float64{1, 3, 3})[0], 3, 0)
	if z := p.Forward([]float64{1, 3 * (1 + 1e-7), 3 * (1 - 1e-7)})[0]; !math.IsInf(z, 1) {
		t.Errorf("inhibited just before 3 it fires at %v", z)
	}
}

// The weights of a neuron sum to Mean at first, with a deviation of Spread, and their sums are kept
// where neurons are lifted. With binary a value of one half is dark; else times fall with the value.
func TestNewNet(t *testing.T) {
	r := NewRule()
	r.Hidden, r.Mean, r.Spread = []int{4000}, 4, 0.5
	n := r.NewNet(25, 2, 1)
	mean, square := 0.0, 0.0
	for _, s := range n.layers[0].total {
		mean, square = mean+s/4000, square+(s-4)*(s-4)/4000
	}
	near(t, "the mean sum", mean, 4, 0.05)
	near(t, "the deviation of sums", math.Sqrt(square), 0.5, 0.03)
	r.Hidden, r.Mean, r.Spread, r.LR, r.SumCost = nil, 0.5, 0.1, 0.001, 10
	n = r.NewNet(4, 2, 1)
	l := n.layers[0]
	before := l.total[0]
	if _, err := n.Learn([]tensor.Float{1, 1, 0, 1}, 0, 1, make([]float64, 2)); err != nil {
		t.Fatal(err)
	}
	near(t, "a lifted sum", l.total[0], before+4*0.01, 1e-12)
	near(t, "a lifted sum of weights", l.W[0]+l.W[2]+l.W[4]+l.W[6], before+4*0.01, 1e-12)
	binary := r.encoder()
	r.Binary, r.Late = false, 2
	even := r.encoder()
	for _, c := range []struct{ got, want float64 }{{binary(0.5), 6}, {binary(0), 6}, {binary(0.51), 1}, {even(1), 1}, {even(0), math.Exp(2)}, {even(0.75), math.Exp(0.5)}} {
		near(t, "the z of a value", c.got, c.want, 1e-12)
	}
}
