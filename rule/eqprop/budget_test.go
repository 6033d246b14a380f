package eqprop

import (
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/internal/par"
	"synfire/rule/eqprop/limit"
	"synfire/rule/eqprop/sparse"
	"synfire/rule/eqprop/unit"
	"synfire/tensor"
)

// With a binding limit the estimates still are gradients of the cost.
func TestTopKGradient(t *testing.T) {
	if testing.Short() {
		t.Skip("relaxes many times")
	}
	for name, c := range map[string]limit.TopK{"budget": {K: 1.5}, "soft": {K: 2, Variant: limit.Soft, Temperature: 0.3}} {
		l, b := linear(t, Config{Beta: 0.01, TopK: &c}), samples(3, 6, 3, 1, 2)
		g := gradient(t, l, b)
		w := l.Net().W[0].Value.Data
		for _, j := range []int{0, 17, 41} {
			const h = 3e-3
			old := w[j]
			w[j] = old + h
			l.Refresh()
			up := cost(t, l, b)
			w[j] = old - h
			l.Refresh()
			down := cost(t, l, b)
			w[j] = old
			l.Refresh()
			want := (up - down) / (2 * h)
			near(t, name, float64(g.W[0].Value.Data[j]), want, 0.05*math.Abs(want)+2e-4)
		}
	}
}

// Pruning reaches its share of zeros, and keeps them.
func TestPruning(t *testing.T) {
	p := sparse.Pruning{Sparsity: 0.8, Last: 0.4, Begin: 1, End: 5, Every: 2}
	l := learner(t, complete(Config{Pruning: &p}))
	zeros := 0
	for i := range uint64(9) {
		step(t, l, samples(31, 40, 5, 0.5, i))
		now := zeroCount(l.Net().W[0].Value.Data)
		if now < zeros {
			t.Errorf("step %d: %d zeros, there were %d", i+1, now, zeros)
		}
		zeros = now
	}
	if want := int(math.Round(0.8 * 40 * 33)); zeros != want {
		t.Errorf("%d zeros, want %d", zeros, want)
	}
	if got := zeroCount(l.Net().W[2].Value.Data); got != 40 {
		t.Errorf("%d zeros in the last matrix, want 40", got)
	}
}

func TestSparseValidate(t *testing.T) {
	for want, c := range map[string]Config{
		"top-k of -1":        {TopK: &limit.TopK{K: -1}},
		"no variant 7":       {TopK: &limit.TopK{K: 1, Variant: 7}},
		"temperature 0":      {TopK: &limit.TopK{K: 1, Variant: limit.Soft}},
		"leave activation":   {TopK: &limit.TopK{K: 1}, Activation: unit.Tanh},
		"cools from 0.1":     {TopK: &limit.TopK{K: 1, Variant: limit.Soft, Temperature: 0.5, Hot: 0.1, Cooling: 9}},
		"in 0 steps":         {TopK: &limit.TopK{K: 1, Variant: limit.Soft, Temperature: 0.1, Hot: 0.5}},
		"sparsities 1 and 0": {Pruning: &sparse.Pruning{Sparsity: 1, End: 5, Every: 1}},
		"from step 5 to 5":   {Pruning: &sparse.Pruning{Begin: 5, End: 5, Every: 1}},
		"every 0":            {Pruning: &sparse.Pruning{End: 5}},
	} {
		if _, err := New(complete(c)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Under each variant and on each host the activity of the hidden layers is within its
// limit, and below what it would be.
func TestLimits(t *testing.T) {
	spiking := &unit.Spiking{Epsilon: 1, Decay: 0.5}
	for name, c := range map[string]Config{
		"budget":         {TopK: &limit.TopK{K: 2}},
		"hard":           {TopK: &limit.TopK{K: 2, Variant: limit.Hard}},
		"perturbed":      {TopK: &limit.TopK{K: 2, Variant: limit.Perturbed, Temperature: 0.2}},
		"spiking budget": {TopK: &limit.TopK{K: 2}, Spiking: spiking},
		"spiking soft":   {TopK: &limit.TopK{K: 2, Variant: limit.Soft, Temperature: 0.1}, Spiking: spiking},
		"spiking hard":   {TopK: &limit.TopK{K: 2, Variant: limit.Hard}, Spiking: spiking, Predictor: &Predictor{Lambda: 0.1}},
		"initialised":    {TopK: &limit.TopK{K: 2}, Spiking: spiking, Predictor: &Predictor{Lambda: 0.1}},
	} {
		c = complete(c)
		c.Free = 100
		l, b := learner(t, c), samples(9, 40, 5, 0.8, 3)
		step(t, l, b)
		must(l.Predict(t.Context(), b))
		for i := range 9 {
			sum := 0.0
			for _, v := range l.r.free[1][i*33:][:33] {
				sum += float64(v)
			}
			if sum > 2.3 || sum == 0 {
				t.Errorf("%s: activity %v of sample %d, want at most 2", name, sum, i)
			}
		}
	}
}

// The limit falls from all units to K, and a checkpoint takes it up where it was.
func TestTopKSchedule(t *testing.T) {
	c := complete(Config{TopK: &limit.TopK{K: 3, Begin: 1, End: 5}})
	l, want := learner(t, c), []float64{33, 33, 33 - 30*(1-27.0/64), 33 - 30*(1-1.0/8), 33 - 30*(1-1.0/64), 3, 3}
	for i, k := range want {
		near(t, "limit", float64(l.r.limit[1].K), math.Round(k), 0)
		other := learner(t, c)
		if err := other.SetState(l.State()); err != nil || other.r.limit[1].K != l.r.limit[1].K {
			t.Fatalf("step %d: limit %v, want %v; %v", i, other.r.limit[1].K, l.r.limit[1].K, err)
		}
		step(t, l, samples(3, 40, 5, 0.5, 1))
	}
}

// Units that send their states are chosen as those without spikes are, and relax to the
// same states.
func TestHardSpiking(t *testing.T) {
	c := complete(Config{TopK: &limit.TopK{K: 5, Variant: limit.Hard}})
	c.Free = 60
	b := samples(9, 40, 5, 0.5, 3)
	want := learner(t, c)
	must(want.Predict(t.Context(), b))
	c.Spiking = &unit.Spiking{Quantiser: unit.Identity, Epsilon: 0.5}
	got := learner(t, c)
	must(got.Predict(t.Context(), b))
	for l := 1; l <= 2; l++ {
		for i, v := range got.r.free[l] {
			near(t, "state", float64(v), float64(want.r.free[l][i]), 0.05)
			if (v == 0) != (want.r.free[l][i] == 0) {
				t.Fatalf("layer %d: state %d is %v, want %v", l, i, v, want.r.free[l][i])
			}
		}
	}
}

// Whatever decides what is kept, the number of zeros is exact and never falls, unless
// weights may come back; the predictor has its own masks or those of the network; and a
// checkpoint goes on with the same masks.
func TestPruningOptions(t *testing.T) {
	for name, p := range map[string]sparse.Pruning{
		"magnitude":       {},
		"movement":        {Saliency: sparse.Movement},
		"shared":          {SharedMask: true},
		"regrow":          {Regrow: true},
		"regrow movement": {Regrow: true, Saliency: sparse.Movement},
		"regrow shared":   {Regrow: true, SharedMask: true},
	} {
		for _, binary := range []*unit.Binary{nil, {}} {
			p.Sparsity, p.Last, p.Begin, p.End, p.Every = 0.85, 0.4, 1, 9, 2
			c := wide(Config{Pruning: &p, Binary: binary, Predictor: &Predictor{Lambda: 0.1}})
			c.LearningRates = []float64{2, 1, 1}
			l, again := learner(t, c), learner(t, c)
			var before []bool
			came, zeros := 0, 0
			for i := 1; i <= 12; i++ {
				step(t, l, samples(31, 96, 5, 0.5, uint64(i)))
				if i == 6 {
					if err := again.SetState(l.State()); err != nil {
						t.Fatal(err)
					}
				} else if i > 6 {
					step(t, again, samples(31, 96, 5, 0.5, uint64(i)))
				}
				w := l.Net().W[0].Value.Data
				if before == nil {
					before = make([]bool, len(w))
				}
				for j, v := range w {
					if before[j] && v != 0 {
						came++
					}
					before[j] = v == 0
				}
				now := zeroCount(w)
				if now < zeros {
					t.Errorf("%s: step %d: %d zeros, there were %d", name, i, now, zeros)
				}
				zeros = now
				if q := p.At(i, 0.85); p.Due(i) {
					if want := int(math.Round(q * float64(len(w)))); now != want {
						t.Errorf("%s: step %d: %d zeros, want %d", name, i, now, want)
					}
				}
			}
			if (came > 0) != p.Regrow {
				t.Errorf("%s: %d weights came back", name, came)
			}
			for m, w := range l.Net().W {
				q := 0.85
				if m == 2 {
					q = 0.4
				}
				f := l.Predictor().W[m].Value.Data
				want := int(math.Round(q * float64(len(f))))
				if a, b := zeroCount(w.Value.Data), zeroCount(f); a != want || b != want {
					t.Errorf("%s: %d and %d zeros in matrix %d, want %d", name, a, b, m+1, want)
				}
				same := 0
				for j, v := range f {
					if v == 0 && w.Value.Data[j] == 0 {
						same++
					}
				}
				if (same == want) != p.SharedMask {
					t.Errorf("%s: matrices %d share %d of %d zeros", name, m+1, same, want)
				}
				if !slices.Equal(again.Net().W[m].Value.Data, w.Value.Data) || !slices.Equal(again.Predictor().W[m].Value.Data, f) {
					t.Errorf("%s: matrix %d goes on otherwise from a checkpoint", name, m+1)
				}
			}
			b := samples(5, 96, 5, 0.2, 3)
			want := slices.Clone(must(l.Predict(t.Context(), b)).Outputs[0].Scores)
			for j, v := range l.Predictor().W[0].Value.Data {
				if v == 0 {
					l.Predictor().W[0].Value.Data[j] = 7
				}
			}
			l.Refresh()
			if got := must(l.Predict(t.Context(), b)).Outputs[0].Scores; !slices.Equal(got, want) {
				t.Errorf("%s: a pruned weight of the predictor has an effect", name)
			}
		}
	}
	for want, c := range map[string]Config{
		"saliency 2":   {Pruning: &sparse.Pruning{End: 5, Every: 1, Saliency: 2}},
		"no predictor": {Pruning: &sparse.Pruning{End: 5, Every: 1, SharedMask: true}},
	} {
		if _, err := New(complete(c)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Any number of threads leaves the same bits of pruned and limited predictors.
func TestThinnedThreads(t *testing.T) {
	for name, p := range map[string]sparse.Pruning{"own": {}, "shared": {SharedMask: true, Regrow: true, Saliency: sparse.Movement}} {
		for variant := limit.Budget; variant <= limit.Hard; variant++ {
			weights := func(threads int) []tensor.Float {
				p.Sparsity, p.Last, p.Begin, p.End, p.Every = 0.9, 0.4, 1, 3, 1
				c := wide(Config{Pruning: &p, Predictor: &Predictor{Lambda: 0.1, TopK: true}, TopK: &limit.TopK{K: 6, Variant: variant, Temperature: 0.1}})
				c.Pool = par.New(threads)
				defer c.Pool.Close()
				l := learner(t, c)
				for i := range uint64(5) {
					step(t, l, samples(31, 96, 5, 0.3, i))
				}
				return slices.Concat(l.Net().W[1].Value.Data, l.Predictor().W[0].Value.Data)
			}
			if !slices.Equal(weights(1), weights(3)) {
				t.Errorf("%s masks, %v: weights differ", name, variant)
			}
		}
	}
}
