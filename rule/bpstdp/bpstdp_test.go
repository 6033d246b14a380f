package bpstdp

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/sample"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
	"synfire/train/online"
)

// reference is the network and its rule as the equations stand, in double precision and with full
// matrices: the changes of all weights, without the rate, and the spikes of the outputs.
func reference(n *Net, in [][]float64, label int) (change [][]float64, fired []float64) {
	last := len(n.layers)
	s := [][][]float64{in} // [layer][step][unit]
	for _, l := range n.layers {
		u, all := make([]float64, l.out), [][]float64{}
		below := s[len(s)-1]
		for t := range in {
			out := make([]float64, l.out)
			for j := range u {
				for i, x := range below[t] {
					u[j] += x * float64(l.w[i*l.out+j])
				}
				if u[j] >= float64(l.threshold) {
					u[j], out[j] = 0, 1
				}
			}
			all = append(all, out)
		}
		s = append(s, all)
		change = append(change, make([]float64, l.in*l.out))
	}
	window := func(l, t, i int) (sum float64) {
		for w := max(0, t-n.rule.Window); w <= t; w++ {
			sum += s[l][w][i]
		}
		return sum
	}
	for t := range in {
		if (t+1)%n.rule.Period != 0 {
			continue
		}
		e := make([]float64, n.classes)
		for k := range e {
			switch r := window(last, t, k); {
			case k == label && r == 0:
				e[k] = 1
			case k != label && r > 0:
				e[k] = -1
			}
		}
		for l := last - 1; l >= 0; l-- {
			layer, below := n.layers[l], make([]float64, n.layers[l].in)
			for i := range below {
				for j, v := range e {
					change[l][i*layer.out+j] += v * window(l, t, i)
					if window(l, t, i) > 0 {
						below[i] += v * float64(layer.w[i*layer.out+j])
					}
				}
			}
			e = below
		}
	}
	fired = make([]float64, n.classes)
	for t := range in {
		for k, v := range s[last][t] {
			fired[k] += v
		}
	}
	return change, fired
}

// What a sample changes is what the equations say, through three layers.
func TestReference(t *testing.T) {
	r := NewRule()
	r.Hidden, r.LR, r.OutputThreshold, r.Rate, r.Poisson = []int{150, 20}, 1, 0.05, 0.5, true
	n := r.NewNet(30, 4, 24, 3)
	for _, l := range n.layers { // sums of sixteenths are exact, so that no order of them decides a spike
		for i, v := range l.w {
			l.w[i] = tensor.Float(math.Round(float64(v)*16) / 16)
		}
	}
	src, moved, spikes := rng.New(1, "reference").Source(), 0, 0.0
	for trial := range 10 {
		x := make([]tensor.Float, 30)
		for i := range x {
			x[i] = tensor.Float(max(0, src.Float64()*2-1))
		}
		label := trial % 4
		tr := n.trial(0)
		tr.encode(x, n.phases, rng.New(n.seed, rng.Encode).Int(uint64(n.batches[0])).Int(0).Source())
		in := make([][]float64, 24)
		for s, units := range tr.spikes[0] {
			in[s] = make([]float64, 30)
			for _, i := range units {
				in[s][i] = 1
			}
		}
		want, fired := reference(n, in, label)
		before := make([][]tensor.Float, len(n.layers))
		for l := range before {
			before[l] = slices.Clone(n.layers[l].w)
		}
		scores := make([]float64, 4)
		if _, err := n.Learn(x, label, 1, scores); err != nil {
			t.Fatal(err)
		}
		for k, v := range fired {
			spikes += v
			if math.Round(scores[k]) != v {
				t.Errorf("trial %d, output %d: score %v, %v spikes", trial, k, scores[k], v)
			}
		}
		for l, layer := range n.layers {
			for i, v := range layer.w {
				if got := float64(v) - float64(before[l][i]); math.Abs(got-want[l][i]) > 1e-9 {
					t.Fatalf("trial %d, layer %d, weight %d changes by %v, want %v", trial, l+1, i, got, want[l][i])
				}
				if want[l][i] != 0 {
					moved++
				}
			}
			copy(layer.w, before[l])
		}
	}
	if moved < 1000 || spikes < 10 {
		t.Errorf("%d weights moved and outputs fired %v times: the check shows little", moved, spikes)
	}
}

// By hand: an input of 1 at a rate of ½ from phase 0 fires in steps 2, 4, …; with a weight of ½
// and a threshold of 0.9 its neuron does in steps 4, 8, ….
func TestTrains(t *testing.T) {
	r := NewRule()
	r.Hidden, r.Rate, r.OutputThreshold = nil, 0.5, 0.9
	n := r.NewNet(1, 1, 12, 1)
	n.phases[0], n.layers[0].w[0] = 0, 0.5
	if layers, out, err := n.Spikes([]tensor.Float{1}); err != nil || !slices.Equal(layers, []int{6, 3}) || out[2][0] != 0 || out[3][0] != 1 || out[11][0] != 3 {
		t.Errorf("%v, %v, %v", layers, out, err)
	}
	r.Poisson = true
	n = r.NewNet(400, 1, 50, 1)
	x := make([]tensor.Float, 400)
	for i := range x {
		x[i] = 0.5
	}
	layers, _, err := n.Spikes(x)
	if share := float64(layers[0]) / (400 * 50); err != nil || math.Abs(share-0.25) > 0.01 {
		t.Errorf("inputs fire in %v of the steps by chance, want 0.25: %v", share, err)
	}
	for _, bad := range []float64{2, -1e-9, math.NaN()} {
		if _, err := n.Run([]tensor.Float{tensor.Float(bad)}, 0, make([]float64, 1)); err == nil {
			t.Errorf("a value of %v is encoded", bad)
		}
	}
}

// A batch learns the same bits on any number of threads, from regular trains and by chance.
func TestBatch(t *testing.T) {
	src := rng.New(7, "batch").Source()
	b := online.Batch{Ctx: t.Context(), Factor: 1, Scores: make([]float64, 24), Loss: make([]float64, 8)}
	for i := range 8 {
		b.Labels = append(b.Labels, i%3)
		for range 5 {
			b.X = append(b.X, tensor.Float(src.Float64()))
		}
	}
	for _, poisson := range []bool{false, true} {
		weights := func(threads int) []tensor.Float {
			r := NewRule()
			r.Hidden, r.Poisson, r.LR = []int{300}, poisson, 0.1
			n := r.NewNet(5, 3, 30, 9)
			b.Pool = par.New(threads)
			defer b.Pool.Close()
			for range 5 {
				if err := n.LearnBatch(&b); err != nil {
					t.Fatal(err)
				}
			}
			return append(slices.Clone(n.layers[0].w), n.layers[1].w...)
		}
		want := weights(1)
		for _, threads := range []int{2, 3} {
			if !slices.Equal(weights(threads), want) {
				t.Errorf("poisson %v: %d threads learn other bits than one", poisson, threads)
			}
		}
	}
}

func TestLearner(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{1, 1, 5}, Targets: []sample.Field{{Name: sample.Label, Kind: sample.Class, Classes: []string{"a", "b", "c"}}}}
	s := train.Setting{Spec: spec, Samples: 12, Steps: 20, Epochs: 2, Batch: 4, Seed: 3, Pool: par.New(2)}
	var batches []*sample.Batch
	src := rng.New(1, "batches").Source()
	for k := range 3 {
		b := &sample.Batch{Spec: &spec, Targets: []sample.Column{{Field: &spec.Targets[0]}}}
		for i := range 4 {
			b.Index = append(b.Index, 4*k+i)
			b.Targets[0].Class = append(b.Targets[0].Class, i%3)
			for range 5 {
				b.X = append(b.X, tensor.Float(src.Float64()))
			}
		}
		batches = append(batches, b)
	}
	r := NewRule()
	r.Hidden, r.Poisson, r.LR = []int{6}, true, 0.1
	snntest.Learner(t, r, s, batches...)
	for _, steps := range []int{2, maxSteps + 1} {
		s.Steps = steps
		if _, err := r.Learner(s); err == nil {
			t.Errorf("%d steps are accepted, with a wanted spike every four", steps)
		}
	}
	s.Steps, r.Hidden = 20, []int{1 << 16, 1 << 16}
	if _, err := r.Learner(s); err == nil || !strings.Contains(err.Error(), "layer 2 has 65536 neurons on 65536 inputs") {
		t.Errorf("2³² weights: %v", err)
	}
}

func TestValidate(t *testing.T) {
	for i, change := range []func(*Rule){
		func(r *Rule) { r.Hidden = []int{0} }, func(r *Rule) { r.Rate = 1.5 }, func(r *Rule) { r.LR = math.NaN() }, func(r *Rule) { r.Period = 0 },
		func(r *Rule) { r.Window = -1 }, func(r *Rule) { r.Window = maxSteps + 1 }, func(r *Rule) { r.Period = maxSteps + 1 }, func(r *Rule) { r.Schedule = nil }, func(r *Rule) { r.Initial = 0 }, func(r *Rule) { r.Threshold = math.Inf(1) },
	} {
		r := NewRule()
		change(&r)
		if r.Validate() == nil {
			t.Errorf("change %d is accepted", i)
		}
	}
}

// XOR of rates, through 20 hidden neurons; the third input fires always.
func Example() {
	r := NewRule()
	r.Hidden, r.Rate, r.LR = []int{20}, 0.5, 0.01
	n := r.NewNet(3, 2, 50, 1)
	patterns := [][]tensor.Float{{0, 0, 1}, {0, 1, 1}, {1, 0, 1}, {1, 1, 1}}
	scores := make([]float64, 2)
	for range 200 {
		for k, x := range patterns {
			if _, err := n.Learn(x, (k+1)/2%2, 1, scores); err != nil {
				fmt.Println(err)
				return
			}
		}
	}
	for _, x := range patterns {
		if _, err := n.Run(x, -1, scores); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Print(scores[1] > scores[0], " ")
	}
	// Output: false true true false
}
