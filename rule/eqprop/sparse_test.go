package eqprop

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/rule/eqprop/limit"
	"synfire/rule/eqprop/sparse"
	"synfire/rule/eqprop/unit"
	"synfire/tensor"
)

func zeroCount(x []tensor.Float) int { return len(x) - kernel.CountNonzero(x) }

// wide is a network whose matrices, but for the last one, are wide enough for lists.
func wide(c Config) Config {
	c = complete(c)
	c.Sizes = []int{96, 80, 70, 5}
	return c
}

// pruned is a learner whose matrices, the last one too, have lost a share of their
// weights, and the same one that does not know of it.
func pruned(t testing.TB, c Config, share, last float64) (thin, whole *Learner) {
	t.Helper()
	whole = learner(t, c)
	c.Pruning = &sparse.Pruning{Sparsity: share, Last: last, Begin: 0, End: 1, Every: 1}
	thin = learner(t, c)
	for i, w := range whole.Net().W {
		if i == len(whole.Net().W)-1 {
			share = last
		}
		sparse.Prune(w.Value.Data, sparse.Magnitude.Of(w.Value.Data, nil), share)
		copy(thin.Net().W[i].Value.Data, w.Value.Data)
	}
	thin.r.listKept()
	thin.Refresh()
	whole.Refresh()
	return thin, whole
}

// Sums over kept weights have the bits of products with whole matrices, in
// predictions and in what is learned, for listed and for dense inputs, layers that
// settle early, readouts and spikes.
func TestSparse(t *testing.T) {
	for name, c := range map[string]Config{
		"plain":     {},
		"tolerance": {Tolerance: 1e-3},
		"readout":   {Output: CrossEntropy},
		"spiking":   {Spiking: &unit.Spiking{Drift: 0.05, Lambda: 0.3}},
	} {
		for i, density := range []float64{0.2, 0.9, 0.2, 0.9, 0.2} {
			share := []float64{0.985, 0.985, 0.9, 0.9, 0.5}[i]
			thin, whole := pruned(t, wide(c), share, share)
			if share > 0.98 && !thin.r.kept[0].ForEvents() {
				t.Fatal("no lists at 98.5 %")
			}
			b := samples(13, 96, 5, density, 3)
			want := slices.Clone(must(whole.Predict(t.Context(), b)).Outputs[0].Scores)
			if got := must(thin.Predict(t.Context(), b)).Outputs[0].Scores; !slices.Equal(got, want) {
				t.Errorf("%s, density %v: scores %v, want %v", name, density, got[:5], want[:5])
			}
			before := slices.Clone(whole.Net().W[0].Value.Data)
			step(t, thin, b)
			step(t, whole, b)
			for l, w := range whole.Net().W {
				for i, v := range thin.Net().W[l].Value.Data {
					if v != 0 && v != w.Value.Data[i] {
						t.Fatalf("%s, density %v: weight %d of matrix %d is %v, want %v", name, density, i, l+1, v, w.Value.Data[i])
					}
				}
			}
			for i, v := range before {
				if now := thin.Net().W[0].Value.Data[i]; v == 0 && now != 0 {
					t.Fatalf("%s: pruned weight %d came back as %v", name, i, now)
				}
			}
		}
	}
}

// Any number of threads leaves the same bits of lists too.
func TestSparseThreads(t *testing.T) {
	weights := func(threads int) []tensor.Float {
		c := wide(Config{})
		c.Pool = par.New(threads)
		defer c.Pool.Close()
		l, _ := pruned(t, c, 0.9, 0.9)
		for i := range uint64(3) {
			step(t, l, samples(31, 96, 5, 0.3, i))
		}
		return slices.Clone(l.Net().W[1].Value.Data)
	}
	if !slices.Equal(weights(1), weights(3)) {
		t.Error("weights differ")
	}
}

// Lists follow the weights through steps of learning and predictions by turns, and
// through pruning: a learner that starts from the state predicts the same.
func TestListsFollowWeights(t *testing.T) {
	for name, c := range map[string]Config{"plain": {}, "binary": {Binary: &unit.Binary{}}} {
		c = wide(c)
		c.Pruning = &sparse.Pruning{Sparsity: 0.9, Last: 0.9, End: 4, Every: 2}
		l, fresh := learner(t, c), learner(t, c)
		for i := range uint64(7) {
			step(t, l, samples(21, 96, 5, 0.3, i))
			if err := fresh.SetState(l.State()); err != nil {
				t.Fatal(err)
			}
			b := samples(9, 96, 5, 0.3, 100+i)
			want := slices.Clone(must(fresh.Predict(t.Context(), b)).Outputs[0].Scores)
			if got := must(l.Predict(t.Context(), b)).Outputs[0].Scores; !slices.Equal(got, want) {
				t.Errorf("%s, step %d: scores %v, want %v", name, i, got[:5], want[:5])
			}
		}
		if !l.r.kept[1].Sums || !l.r.kept[0].Sums {
			t.Errorf("%s: no sums over lists at 90 %%", name)
		}
	}
}

// What someone writes to a pruned weight has no effect.
func TestPrunedWeightsAreDead(t *testing.T) {
	l, _ := pruned(t, wide(Config{}), 0.9, 0.9)
	b := samples(3, 96, 5, 0.5, 3)
	want := slices.Clone(must(l.Predict(t.Context(), b)).Outputs[0].Scores)
	for i, v := range l.Net().W[0].Value.Data {
		if v == 0 {
			l.Net().W[0].Value.Data[i] = 7
		}
	}
	l.Refresh()
	if got := must(l.Predict(t.Context(), b)).Outputs[0].Scores; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Spikes reach kept weights alone, and only these are counted.
func TestSparseSynapses(t *testing.T) {
	thin, whole := pruned(t, wide(Config{Spiking: &unit.Spiking{Epsilon: 0.5}}), 0.9, 0.9)
	b := samples(5, 96, 5, 0.5, 3)
	must(thin.Predict(t.Context(), b))
	must(whole.Predict(t.Context(), b))
	if share := float64(thin.SynapticOperations()) / float64(whole.SynapticOperations()); share < 0.05 || share > 0.2 {
		t.Errorf("%d additions, without lists %d", thin.SynapticOperations(), whole.SynapticOperations())
	}
}

// Steps and predictions of pruned networks against those of the same networks as whole
// matrices, in turn: how much less time the former take, the median of the rounds.
func BenchmarkPruned(b *testing.B) {
	one := Config{Sizes: []int{784, 500, 10}, Beta: 0.3, CostScale: 1, Free: 20, Nudged: 4}
	two := Config{Sizes: []int{784, 500, 500, 10}, Beta: 1, CostScale: 1, Nudge: RandomSign, Free: 100, Nudged: 6, Tolerance: 1e-3}
	spiking := Config{Sizes: []int{784, 500, 10}, Beta: 0.5, Nudge: OneSided, Free: 20, Nudged: 4, Spiking: &unit.Spiking{Drift: 0.0346, Lambda: 0.275}}
	images, many := samples(20, 784, 10, 0.19, 1), samples(1000, 784, 10, 0.19, 2)
	for _, threads := range []int{1, 2} {
		pool := par.New(threads)
		defer pool.Close()
		for _, share := range []float64{0.5, 0.7, 0.8, 0.9, 0.95, 0.98} {
			for _, net := range []struct {
				name string
				c    Config
			}{{"one", one}, {"two", two}, {"spiking", spiking}} {
				net.c.LearningRates, net.c.Pool = []float64{1e-6, 1e-6, 1e-6}[:len(net.c.Sizes)-1], pool
				thin, whole := pruned(b, net.c, share, share/2)
				name := fmt.Sprintf("%s/share=%v/threads=%d", net.name, share, threads)
				b.Run(name+"/step", func(b *testing.B) {
					inTurn(b, func() { step(b, whole, images) }, func() { step(b, thin, images) })
				})
				b.Run(name+"/predict", func(b *testing.B) {
					inTurn(b, func() { must(whole.Predict(b.Context(), many)) }, func() { must(thin.Predict(b.Context(), many)) })
				})
			}
		}
	}
}

// inTurn times both by turns and reports the median of their ratios.
func inTurn(b *testing.B, whole, thin func()) {
	var ratios []float64
	for b.Loop() {
		start := time.Now()
		whole()
		middle := time.Now()
		thin()
		ratios = append(ratios, float64(middle.Sub(start))/float64(time.Since(middle)))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "times")
}

// BenchmarkBudget is a step of learning with and without a limit of activity.
func BenchmarkBudget(b *testing.B) {
	for name, k := range map[string]*limit.TopK{"none": nil, "budget": {K: 10}, "soft": {K: 10, Variant: limit.Soft, Temperature: 0.05}} {
		c := Config{Sizes: []int{784, 500, 10}, LearningRates: []float64{1e-6, 1e-6}, Beta: 0.3, CostScale: 1, Free: 20, Nudged: 4, TopK: k}
		l, images := learner(b, c), samples(20, 784, 10, 0.19, 1)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				step(b, l, images)
			}
		})
	}
}

// Hard top-k chooses units of hidden layers that have more than k; other variants limit
// each step in place of it.
func TestWhatALimitBinds(t *testing.T) {
	for _, c := range []struct {
		limit   *limit.TopK
		chooses []bool // of layers 1 to 3, of 33, 20 and 5 units
		limits  []float64
	}{
		{nil, []bool{false, false, false}, []float64{math.Inf(1), math.Inf(1), math.Inf(1)}},
		{&limit.TopK{K: 25, Variant: limit.Hard}, []bool{true, false, false}, []float64{math.Inf(1), math.Inf(1), math.Inf(1)}},
		{&limit.TopK{K: 3, Variant: limit.Hard}, []bool{true, true, false}, []float64{math.Inf(1), math.Inf(1), math.Inf(1)}},
		{&limit.TopK{K: 25, Variant: limit.Budget}, []bool{false, false, false}, []float64{25, math.Inf(1), math.Inf(1)}},
	} {
		l := learner(t, complete(Config{TopK: c.limit}))
		for k := range 3 {
			if got := l.Chooses(k + 1); got != c.chooses[k] {
				t.Errorf("%+v chooses of layer %d: %v", c.limit, k+1, got)
			}
			if got := l.Limit(k + 1); got != c.limits[k] {
				t.Errorf("%+v limits layer %d to %v, want %v", c.limit, k+1, got, c.limits[k])
			}
		}
	}
}
