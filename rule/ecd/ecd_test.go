package ecd

import (
	"context"
	"errors"
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

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// Chances of being on, in log-odds, are those that the density of the potential gives, stepped on a
// grid of 300 places by another program; and they are near the logistic ones.
func TestNeuron(t *testing.T) {
	const units, steps = 200, 5000
	for x, want := range map[float64]float64{-3: -3.88, -2: -2.26, -1: -0.95, 0: 0.11, 1: 1.00, 2: 1.80, 3: 2.58} {
		l := newLayer(units)
		drive := slices.Repeat([]tensor.Float{tensor.Float(x)}, units)
		fired := 0
		for s := range steps {
			l.step(drive, units, rng.New(1, "neuron"), uint64(s)*blocks(units))
			fired += len(l.fired)
		}
		p := refractory * float64(fired) / units / steps
		if got := math.Log(p / (1 - p)); math.Abs(got-want) > 0.06 || math.Abs(p-sigmoid(x)) > 0.04 {
			t.Errorf("drive %v: log-odds %.3f, want %.2f; chance %.3f", x, got, want, p)
		}
	}
}

// A spike's effect adds up to its weight over τ_r, half of it within 2.8 ms, and a unit is silent
// for τ_r after a spike.
func TestSynapse(t *testing.T) {
	l := newLayer(1)
	l.receive([]tensor.Float{0.5}, []int32{0})
	sum, first := 0.0, 0.0
	for s := range 100 {
		sum += float64(jump * l.syn[0])
		if s == 2 {
			first = sum
		}
		l.receive(nil, nil)
	}
	if math.Abs(sum-0.5*refractory) > 1e-5 || math.Abs(first/sum-(1-math.Exp(-0.75))) > 1e-5 {
		t.Errorf("a spike adds up to %v, %v within three steps", sum, first)
	}
	always, last := newLayer(1), -4
	for s := range 100 {
		always.step([]tensor.Float{50}, 1, rng.New(1, "always"), uint64(s))
		if len(always.fired) > 0 {
			if s-last != 4 {
				t.Fatalf("spikes at %d and %d", last, s)
			}
			last = s
		}
	}
	mean, square := 0.0, 0.0
	for _, v := range quantiles() {
		mean += float64(v) / float64(len(quantiles()))
		square += float64(v*v) / float64(len(quantiles()))
	}
	if math.Abs(mean) > 1e-6 || math.Abs(square-1) > 1e-4 {
		t.Errorf("noise has the mean %v and the variance %v", mean, square)
	}
}

// tiny is a machine of three inputs, two classes of a unit each and three hidden units, with
// weights for which states go together.
func tiny() *Net {
	r := NewRule()
	r.Hidden, r.PerClass = 3, 1
	n := r.NewNet(3, 2, 1)
	copy(n.w, []float64{1.5, -1, 0.5, -1.5, 2, 0, 1, 1, -2, 2, -1, 0, -1, 1.5, 1})
	copy(n.bv, []float64{-0.5, 0.2, 0.3, -1, -0.4})
	copy(n.bh, []float64{-0.6, -0.5, 0.4})
	n.Refresh()
	return n
}

// boltzmann is the chance of each state, visible units in the low bits, by its energy.
func boltzmann(n *Net) []float64 {
	p, total := make([]float64, 1<<(n.visible+n.hidden)), 0.0
	for s := range p {
		e := 0.0
		on := func(i int) float64 { return float64(s >> i & 1) }
		for i, b := range n.bv {
			e += b * on(i)
			for j := range n.hidden {
				e += n.w[i*n.hidden+j] * on(i) * on(n.visible+j)
			}
		}
		for j, b := range n.bh {
			e += b * on(n.visible+j)
		}
		p[s] = math.Exp(e)
		total += p[s]
	}
	for s := range p {
		p[s] /= total
	}
	return p
}

// divergence is Kullback and Leibler's of q from p.
func divergence(q, p []float64) (sum float64) {
	for s, v := range q {
		if v > 0 {
			sum += v * math.Log(v/p[s])
		}
	}
	return sum
}

// The longer a machine of eight units runs by itself, the nearer are its states to the Boltzmann
// distribution over all 256, and far nearer than independent units of the same means are. What is
// left is of the neurons: their chances are not quite logistic, and their synapses fade.
func TestSampling(t *testing.T) {
	n := tiny()
	exact := boltzmann(n)
	units := n.visible + n.hidden
	alone := make([]float64, len(exact))
	means := make([]float64, units)
	for s, p := range exact {
		for i := range means {
			means[i] += p * float64(s>>i&1)
		}
	}
	for s := range alone {
		alone[s] = 1
		for i, m := range means {
			if s>>i&1 == 1 {
				alone[s] *= m
			} else {
				alone[s] *= 1 - m
			}
		}
	}
	const chains = 4
	marks := []int{1000, 10_000, 100_000} // ms
	mean := make([]float64, len(marks))
	for chain := range chains {
		r, on := n.during(), make([]int, units)
		counts, next := make([]float64, len(exact)), 0
		for step := range marks[len(marks)-1] {
			r.step(n.weights, n.biasV, 0, rng.New(uint64(chain), "sampling"), step)
			state := 0
			for i := range on {
				on[i] = max(0, on[i]-1)
			}
			for _, i := range r.visible.fired {
				on[i] = refractory
			}
			for _, j := range r.hidden.fired {
				on[n.visible+int(j)] = refractory
			}
			for i, left := range on {
				if left > 0 {
					state |= 1 << i
				}
			}
			counts[state]++
			if step+1 == marks[next] {
				q := slices.Clone(counts)
				for s := range q {
					q[s] /= float64(step + 1)
				}
				mean[next] += divergence(q, exact) / chains
				next++
			}
		}
	}
	t.Logf("divergence %.4f after 1, 10 and 100 s, of independent units %.4f", mean, divergence(alone, exact))
	if !(mean[0] > 2*mean[1] && mean[1] > mean[2] && mean[2] < divergence(alone, exact)/4) {
		t.Errorf("divergence %.4f after 1, 10 and 100 s, of independent units %.4f", mean, divergence(alone, exact))
	}
}

// Over long phases the change of the weights is the gradient of the likelihood, of which
// contrastive divergence is an approximation: correlations of the data, with the hidden units
// given these, less those of all states by their energies.
func TestChange(t *testing.T) {
	n := tiny()
	exact := boltzmann(n)
	n.rule.Phase, n.rule.BurnIn, n.rule.LR = 30_000, 100, 1
	x, label := []tensor.Float{1, 0, 1}, 1
	chance := []float64{most, least, most, least, most}
	want, wantV, wantH := make([]float64, len(n.w)), make([]float64, n.visible), make([]float64, n.hidden)
	for s := range 1 << n.visible { // of the data
		p := 1.0
		for i, c := range chance {
			if s>>i&1 == 1 {
				p *= c
			} else {
				p *= 1 - c
			}
		}
		for j, b := range n.bh {
			for i := range n.visible {
				b += n.w[i*n.hidden+j] * float64(s>>i&1)
			}
			wantH[j] += p * sigmoid(b)
			for i := range n.visible {
				want[i*n.hidden+j] += p * sigmoid(b) * float64(s>>i&1)
			}
		}
		for i := range wantV {
			wantV[i] += p * float64(s>>i&1)
		}
	}
	for s, p := range exact { // of the model
		for i := range n.visible {
			wantV[i] -= p * float64(s>>i&1)
			for j := range n.hidden {
				want[i*n.hidden+j] -= p * float64(s>>i&1) * float64(s>>(n.visible+j)&1)
			}
		}
		for j := range n.hidden {
			wantH[j] -= p * float64(s>>(n.visible+j)&1)
		}
	}
	before := slices.Concat(n.w, n.bv, n.bh)
	pool := par.New(1)
	defer pool.Close()
	b := &online.Batch{Ctx: t.Context(), Pool: pool, X: x, Labels: []int{label}, Factor: 1, Scores: make([]float64, 2), Loss: make([]float64, 1)}
	if err := n.LearnBatch(b); err != nil {
		t.Fatal(err)
	}
	for k, v := range slices.Concat(n.w, n.bv, n.bh) {
		got, w := v-before[k], slices.Concat(want, wantV, wantH)[k]
		t.Logf("%2d: %7.3f %7.3f", k, got, w)
		if math.Abs(got-w) > 0.08 {
			t.Errorf("parameter %d changes by %.3f, want %.3f", k, got, w)
		}
	}
}

// Pairs are those of all spikes, taken one by one: each counts where the later one counts.
func TestCouple(t *testing.T) {
	const steps, units, burnIn = 12, 3, 4
	src := rng.New(2, "pairs").Source()
	rows := make([]tensor.Float, steps*units)
	for i := range rows {
		if src.Float64() < 0.3 {
			rows[i] = 1
		}
	}
	h := slices.Clone(rows)
	couple(rows, units, burnIn, -1)
	for v := range steps { // a visible spike
		for j := range units {
			want := 0.0
			for s := range steps {
				if max(s, v) >= burnIn {
					want -= float64(h[s*units+j]) * math.Exp(-math.Abs(float64(s-v))/synaptic)
				}
			}
			if got := float64(rows[v*units+j]); math.Abs(got-want) > 1e-5 {
				t.Errorf("step %d, unit %d: %v, want %v", v, j, got, want)
			}
		}
	}
	if math.Abs(kernelSum-8.0416) > 1e-3 { // 1 + 2/(e^¼ − 1)
		t.Errorf("the kernel adds up to %v", kernelSum)
	}
}

// toy is patterns of three classes with noise.
func toy(n int) (x []tensor.Float, labels []int) {
	src := rng.New(7, "toy").Source()
	for i := range n {
		labels = append(labels, i%3)
		for k := range 12 {
			v := 0.1 * src.Float64()
			if k/4 == i%3 {
				v = 1 - v
			}
			x = append(x, tensor.Float(v))
		}
	}
	return x, labels
}

func small() Rule {
	r := NewRule()
	r.Hidden, r.LR = 20, 0.3
	return r
}

func taught(t *testing.T, threads int) *Net {
	t.Helper()
	n := small().NewNet(12, 3, 1)
	pool := par.New(threads)
	defer pool.Close()
	for range 40 {
		x, labels := toy(15)
		if err := n.LearnBatch(&online.Batch{Ctx: t.Context(), Pool: pool, X: x, Labels: labels, Factor: 1, Scores: make([]float64, 45), Loss: make([]float64, 15)}); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// A net learns three patterns, and tells them by spikes as by rates; it learns the same on any
// number of threads, and answers depend on the sample and the seed alone.
func TestNet(t *testing.T) {
	n := taught(t, 1)
	if other := taught(t, 3); !slices.Equal(n.w, other.w) || !slices.Equal(n.bh, other.bh) || !slices.Equal(n.bv, other.bv) {
		t.Error("three threads learn something else")
	}
	x, labels := toy(30)
	scores, again := make([]float64, 3), make([]float64, 3)
	other, right := n.Fork(), 0
	for i, label := range labels {
		if _, err := n.Run(x[12*i:][:12], label, scores); err != nil {
			t.Fatal(err)
		}
		if _, err := other.Run(x[12*i:][:12], -1, again); err != nil || !slices.Equal(scores, again) {
			t.Fatalf("%v and %v, %v", scores, again, err)
		}
		if online.Best(scores) == label {
			right++
		}
		if n.Fired[0] == 0 || n.Fired[1] == 0 || n.Fired[2] == 0 {
			t.Fatalf("spikes: %v", n.Fired)
		}
	}
	if right < 29 {
		t.Errorf("%d of 30 are right", right)
	}
	pool := par.New(1)
	defer pool.Close()
	all := make([]float64, 90)
	n.Rates(pool, x, all)
	for i, label := range labels {
		if online.Best(all[3*i:][:3]) != label {
			t.Errorf("sample %d of class %d has rates %v", i, label, all[3*i:][:3])
		}
	}
	x[5] = 2
	if _, err := n.Run(x[:12], 0, scores); err == nil || !strings.Contains(err.Error(), "value 5 is 2") {
		t.Errorf("a value of 2: %v", err)
	}
	if err := n.LearnBatch(&online.Batch{Ctx: t.Context(), Pool: pool, X: x, Labels: labels, Scores: all, Loss: make([]float64, 30)}); err == nil {
		t.Error("a value of 2 is learned")
	}
}

// A batch that is interrupted changes nothing.
func TestInterrupted(t *testing.T) {
	n := small().NewNet(12, 3, 1)
	before := slices.Clone(n.w)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	pool := par.New(1)
	defer pool.Close()
	x, labels := toy(3)
	err := n.LearnBatch(&online.Batch{Ctx: ctx, Pool: pool, X: x, Labels: labels, Factor: 1, Scores: make([]float64, 9), Loss: make([]float64, 3)})
	if !errors.Is(err, context.Canceled) || !slices.Equal(n.w, before) || n.steps[0] != 0 {
		t.Errorf("%v after %v batches", err, n.steps)
	}
}

// Rates are those of two layers by hand.
func TestRates(t *testing.T) {
	n := tiny()
	pool := par.New(1)
	defer pool.Close()
	x, got := []tensor.Float{0.5, 0, 1}, make([]float64, 2)
	n.Rates(pool, x, got)
	h := []float64{sigmoid(-0.6 + 0.75 + 1), sigmoid(-0.5 - 0.5 + 1), sigmoid(0.4 + 0.25 - 2)}
	for c, want := range []float64{sigmoid(-1 + 2*h[0] - h[1]), sigmoid(-0.4 - h[0] + 1.5*h[1] + h[2])} {
		if math.Abs(got[c]-want) > 1e-5 {
			t.Errorf("class %d: %v, want %v", c, got[c], want)
		}
	}
}

func TestLearner(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{2, 6, 1}, Targets: []sample.Field{{Name: sample.Label, Kind: sample.Class, Classes: []string{"a", "b", "c"}}}}
	s := train.Setting{Spec: spec, Samples: 12, Steps: 1, Epochs: 2, Batch: 4, Seed: 3, Pool: par.New(2)}
	defer s.Pool.Close()
	x, labels := toy(12)
	var batches []*sample.Batch
	for k := range 3 {
		b := &sample.Batch{Spec: &spec, X: x[48*k:][:48], Targets: []sample.Column{{Field: &spec.Targets[0], Class: labels[4*k:][:4]}}}
		for i := range 4 {
			b.Index = append(b.Index, 4*k+i)
		}
		batches = append(batches, b)
	}
	snntest.Learner(t, small(), s, batches...)
}

func TestValidate(t *testing.T) {
	for i, change := range []func(*Rule){
		func(r *Rule) { r.Hidden = 0 }, func(r *Rule) { r.PerClass = -1 }, func(r *Rule) { r.Phase = 0 }, func(r *Rule) { r.BurnIn = 50 },
		func(r *Rule) { r.BurnIn = -1 }, func(r *Rule) { r.Duration = 10 }, func(r *Rule) { r.LR = math.NaN() },
		func(r *Rule) { r.Initial = 0 }, func(r *Rule) { r.Schedule = nil },
	} {
		r := NewRule()
		change(&r)
		if r.Validate() == nil {
			t.Errorf("change %d is accepted", i)
		}
	}
	if err := NewRule().Validate(); err != nil {
		t.Error(err)
	}
}

// Two patterns of four values are learned by their spikes, and told apart by those of the units of
// their classes.
func Example() {
	rule := NewRule()
	rule.Hidden, rule.LR = 10, 0.3
	net := rule.NewNet(4, 2, 1)
	patterns := [][]tensor.Float{{1, 1, 0, 0}, {0, 0, 1, 1}}
	scores := make([]float64, 2)
	for range 60 {
		for class, x := range patterns {
			if _, err := net.Learn(x, class, 1, scores); err != nil {
				fmt.Println(err)
				return
			}
		}
	}
	for _, x := range patterns {
		if _, err := net.Run(x, -1, scores); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("class", online.Best(scores))
	}
	// Output:
	// class 0
	// class 1
}
