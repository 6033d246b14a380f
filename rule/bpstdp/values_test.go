package bpstdp

import (
	"math"
	"slices"
	"testing"

	"synfire/tensor"
	"synfire/train/online"
)

// Numbers of a separate program written from the package's equations, in double precision: 5–4–3–3
// neurons, 26 steps, a wanted spike every 5 of them, a window of 3 and its own, two samples. All sums
// of it are exact in single precision.
func TestValues(t *testing.T) {
	r := Rule{Hidden: []int{4, 3}, Rate: 0.5, Period: 5, Window: 3, Threshold: 0.75, OutputThreshold: 0.6875, LR: 0.25, Initial: 1}
	n := r.NewNet(5, 3, 26, 1)
	for i := range n.phases {
		n.phases[i] = float64((7*i+3)%16) / 16
	}
	for l, layer := range n.layers {
		for i := range layer.w {
			layer.w[i] = tensor.Float(math.RoundToEven(16*(0.8*math.Sin(1.1*float64(i)+float64(l+1))+0.4)) / 16)
		}
	}
	x := []tensor.Float{0.25, 1, 0.5, 0, 0.75, 1, 0.5, 0, 0.625, 0.125}
	for i, want := range [][]int{{32, 51, 53, 17, 7, 4, 6}, {30, 41, 40, 10, 6, 2, 2}} {
		layers, outputs, err := n.Spikes(x[5*i:][:5])
		if got := append(layers, outputs[25]...); err != nil || !slices.Equal(got, want) {
			t.Errorf("sample %d: %v spikes, want %v: %v", i, got, want, err)
		}
	}
	b := &online.Batch{Ctx: t.Context(), X: x, Labels: []int{1, 2}, Factor: 0.5, Scores: make([]float64, 6), Loss: make([]float64, 2)}
	var before [][]tensor.Float
	for _, l := range n.layers {
		before = append(before, slices.Clone(l.w))
	}
	if err := n.LearnBatch(b); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(b.Loss, []float64{2.2, 2}) {
		t.Errorf("outputs are wrong at a wanted spike %v times, want 2.2 and 2", b.Loss)
	}
	for k, want := range []float64{7.125, 4, 6, 6.15625, 2.246153846, 2.233870968} {
		if math.Abs(b.Scores[k]-want) > 1e-9 {
			t.Errorf("score %d is %v, want %v", k, b.Scores[k], want)
		}
	}
	for i, want := range [][]float64{{0.125, 0, 0, 0, 0.5, 0, 0, 0.6875, 0, 0}, {0, 0, 0, -0.25, 0, 0, 0.4375, 0.9375, 2, 1.8125}} {
		var got []float64
		for _, u := range n.trial(i).u {
			for _, v := range u {
				got = append(got, float64(v))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("sample %d ends at potentials %v, want %v", i, got, want)
		}
	}
	for l, want := range [][]float64{
		{-2384, -1044, -1754, -786, -2020, -2280, -1756, -2948, -552, -1028, -514, -1490, -1184, -176, -1012, 64, -1021, -1608, -881, -2130},
		{-2128, -1184, -832, -2176, -4304, -928, -1520, -4752, -768, -1120, -4736, -864},
		{-5632, -1024, -256, -6400, -256, -2304, -6144, 0, -3328},
	} {
		for k, w := range n.layers[l].w {
			if got := 4096 * float64(w-before[l][k]); got != want[k] {
				t.Errorf("layer %d: weight %d changes by %v/4096, want %v", l+1, k, got, want[k])
			}
		}
	}
}

// The first weights have the deviation that is asked for, and each batch draws spikes of its own.
func TestDraws(t *testing.T) {
	r := NewRule()
	r.Hidden, r.Initial, r.Poisson, r.LR = []int{200}, 0.5, true, 1e-9
	n := r.NewNet(200, 2, 50, 1)
	square := 0.0
	for _, w := range n.layers[0].w {
		square += float64(w*w) / 40_000
	}
	if d := math.Sqrt(square); math.Abs(d-0.5) > 0.01 {
		t.Errorf("the deviation of the first weights is %v, want 0.5", d)
	}
	x, scores := slices.Repeat([]tensor.Float{0.5}, 200), make([]float64, 2)
	spikes := func() (all []int32) {
		if _, err := n.Learn(x, 0, 1, scores); err != nil {
			t.Fatal(err)
		}
		for _, units := range n.trial(0).spikes[0] {
			all = append(all, units...)
		}
		return all
	}
	if slices.Equal(spikes(), spikes()) {
		t.Error("two batches draw the same spikes")
	}
}
