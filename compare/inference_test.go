package compare_test

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"synfire/compare"
	"synfire/internal/par"
)

var spearman = compare.Comparison{Similarity: compare.Spearman, Pooling: compare.PoolRanks}

// subjects' RDMs of the same signal, each with noise of its own.
func subjects(t testing.TB, signal *mat.Dense, count int, noise float64) (data []compare.RDM) {
	t.Helper()
	n, p := signal.Dims()
	for s := range count {
		x := scaled(gaussian(uint64(100+s), n, p), noise)
		x.Add(x, signal)
		data = append(data, rdm(t, compare.Euclidean, x))
	}
	return data
}

// The ceiling: lower ≤ upper, both 1 for identical subjects, for each pooling.
func TestNoiseCeiling(t *testing.T) {
	for name, c := range map[string]compare.Comparison{
		"cosine":   {Similarity: compare.CosineSimilarity, Pooling: compare.PoolCosine},
		"pearson":  {Similarity: compare.Pearson, Pooling: compare.PoolCorrelation},
		"spearman": spearman,
		"rho-a":    {Similarity: compare.RhoA, Pooling: compare.PoolRanks},
	} {
		lower, upper, err := compare.NoiseCeiling(c, subjects(t, gaussian(1, 12, 6), 5, 1))
		if err != nil || !(lower <= upper && upper < 1 && lower > 0) {
			t.Errorf("%s: %v to %v, %v", name, lower, upper, err)
		}
		lower, upper, err = compare.NoiseCeiling(c, subjects(t, gaussian(1, 12, 6), 5, 0))
		if err != nil || math.Abs(lower-1) > 1e-12 || math.Abs(upper-1) > 1e-12 {
			t.Errorf("%s of identical subjects: %v to %v, %v", name, lower, upper, err)
		}
	}
}

// Models with freedom find what the target was made of.
func TestModels(t *testing.T) {
	const n = 10
	parts := []compare.RDM{rdm(t, compare.Euclidean, gaussian(1, n, 4)), rdm(t, compare.Euclidean, gaussian(2, n, 4)), rdm(t, compare.Euclidean, gaussian(3, n, 4))}
	mix := compare.NewRDM(n)
	for i := range mix.Values {
		mix.Values[i] = 0.7*parts[0].Values[i] + 0.3*parts[1].Values[i]
	}
	all := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	for name, c := range map[string]compare.Comparison{
		"cosine":  {Similarity: compare.CosineSimilarity, Pooling: compare.PoolCosine},
		"pearson": {Similarity: compare.Pearson, Pooling: compare.PoolCorrelation},
	} {
		for kind, m := range map[string]compare.Model{"weighted": compare.Weighted{RDMs: parts}, "interpolate": compare.Interpolate{RDMs: []compare.RDM{parts[2], parts[0], parts[1]}}} {
			for _, stimuli := range [][]int{all, {0, 2, 3, 4, 4, 6, 8, 9}} {
				got, err := m.Fit(c, mix.Subset(stimuli), stimuli)
				if err != nil {
					t.Fatal(err)
				}
				if v, err := c.Similarity(got, mix); err != nil || v < 1-1e-6 {
					t.Errorf("%s, %s: similarity %v with what it was fitted to, %v", kind, name, v, err)
				}
			}
		}
		got, err := compare.Select{RDMs: parts}.Fit(c, parts[1], all)
		if err != nil || !reflect.DeepEqual(got, parts[1]) {
			t.Errorf("select, %s: the wrong one, %v", name, err)
		}
	}
	// a part that would need a negative weight gets none
	for i := range mix.Values {
		mix.Values[i] = parts[0].Values[i] - 0.2*parts[1].Values[i]
	}
	c := compare.Comparison{Similarity: compare.CosineSimilarity}
	got, err := compare.Weighted{RDMs: parts[:2]}.Fit(c, mix, all)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := c.Similarity(got, parts[0]); err != nil || v < 1-1e-12 {
		t.Errorf("negative weight: similarity %v with the other part, %v", v, err)
	}
}

// The dual variance lies between its bounds, and counts the interaction once:
// where σ²_rc = σ²_r + σ²_c + 2·σ²_i-like excess, it is their sum.
func TestDualVariance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.Float64Range(0, 5)
		r, c, rc := part.Draw(t, "subjects"), part.Draw(t, "stimuli"), part.Draw(t, "both")
		v := compare.DualVariance(rc, r, c)
		if rc >= max(r, c) && (v < max(r, c) || v > rc) {
			t.Errorf("dual variance %v of %v, %v, %v is outside its bounds", v, rc, r, c)
		}
		small := compare.DualVarianceSmall(rc, r, c, 1_000_000, 1_000_000)
		if math.Abs(small-v) > 1e-4 {
			t.Errorf("with many subjects and stimuli: %v, want %v", small, v)
		}
	})
	if v := compare.DualVariance(5, 2, 1); v != 2 {
		t.Errorf("2(2 + 1) − 5 = 1 is below 2, found %v", v)
	}
	if v := compare.DualVariance(4, 2, 1); v != 2 {
		t.Errorf("2(2 + 1) − 4 = %v, want 2", v)
	}
}

// A bootstrap tells the model that the data follow from one that has no part in
// them, with the same figures on any number of threads.
func TestBootstrap(t *testing.T) {
	signal := gaussian(1, 14, 6)
	data := subjects(t, signal, 6, 0.7)
	models := []compare.Model{
		compare.Fixed{RDM: rdm(t, compare.Euclidean, signal)},
		compare.Fixed{RDM: rdm(t, compare.Euclidean, gaussian(50, 14, 6))},
		compare.Weighted{RDMs: []compare.RDM{rdm(t, compare.Euclidean, signal), rdm(t, compare.Euclidean, gaussian(51, 14, 6))}},
	}
	pool := par.New(3)
	defer pool.Close()
	for _, cross := range []bool{false, true} {
		b := compare.Bootstrap{Comparison: spearman, Resamples: 60, Seed: 1, HoldOut: holdBoth(cross)}
		one, err := b.Run(models, data)
		if err != nil {
			t.Fatal(err)
		}
		b.Pool = pool
		many, err := b.Run(models, data)
		if err != nil || !reflect.DeepEqual(one, many) {
			t.Errorf("cross-validated %v: three threads differ from one, %v", cross, err)
		}
		if one.DOF != 5 || !(one.Lower < one.Upper) {
			t.Errorf("degrees of freedom %d, ceiling %v to %v", one.DOF, one.Lower, one.Upper)
		}
		if p := one.AboveZero(0); p > 0.01 || one.SE(0) <= 0 || one.SE(0) > 0.2 {
			t.Errorf("cross-validated %v: true model %v ± %v, p = %v", cross, one.Scores[0], one.SE(0), p)
		}
		if p := one.AboveZero(1); p < 0.05 {
			t.Errorf("cross-validated %v: wrong model %v, p = %v", cross, one.Scores[1], p)
		}
		if p := one.Differ(0, 1); p > 0.05 {
			t.Errorf("cross-validated %v: difference of the models: p = %v", cross, p)
		}
		if p := one.BelowCeiling(1); p > 0.05 {
			t.Errorf("cross-validated %v: wrong model reaches the ceiling, p = %v", cross, p)
		}
		if one.Differ(0, 0) < 0.999 {
			t.Errorf("a model differs from itself, p = %v", one.Differ(0, 0))
		}
	}
	single, err := compare.Bootstrap{Comparison: spearman, Resamples: 60, Seed: 1}.Run(models, data[:1])
	if err != nil || single.DOF != 13 || !math.IsNaN(single.Lower) || !(single.SE(0) > 0) || !math.IsNaN(single.BelowCeiling(0)) {
		t.Errorf("one subject: %+v, %v", single.Scores, err)
	}
	if _, err := (compare.Bootstrap{Comparison: spearman, HoldOut: compare.HoldBoth}).Run(models, subjects(t, gaussian(1, 5, 3), 2, 1)); err == nil || !strings.Contains(err.Error(), "want at least 6 to cross-validate") {
		t.Errorf("5 stimuli: %v", err)
	}
	if _, err := (compare.Bootstrap{Comparison: spearman}).Run(nil, data); err == nil {
		t.Error("no models: no error")
	}
}

// holdBoth is the hold-out of both, or none.
func holdBoth(cross bool) compare.HoldOut {
	if cross {
		return compare.HoldBoth
	}
	return compare.HoldNothing
}

// Freedom without cross-validation flatters: the more parts that have nothing to
// do with the data, the better the fit, and cross-validation takes that away.
func TestCrossValidation(t *testing.T) {
	var parts []compare.RDM
	for s := range 12 {
		parts = append(parts, rdm(t, compare.Euclidean, gaussian(uint64(200+s), 16, 3)))
	}
	models := []compare.Model{compare.Weighted{RDMs: parts}}
	c := compare.Comparison{Similarity: compare.Pearson, Pooling: compare.PoolCorrelation}
	var fitted, held []float64
	for set := range uint64(12) {
		var data []compare.RDM
		for s := range uint64(4) {
			data = append(data, rdm(t, compare.Euclidean, gaussian(1000+10*set+s, 16, 6)))
		}
		for _, cross := range []bool{false, true} {
			inf, err := compare.Bootstrap{Comparison: c, Resamples: 2, HoldOut: holdBoth(cross), Seed: set}.Run(models, data)
			if err != nil {
				t.Fatal(err)
			}
			if cross {
				held = append(held, inf.Scores[0])
			} else {
				fitted = append(fitted, inf.Scores[0])
			}
		}
	}
	if mean(fitted) < 0.1 || math.Abs(mean(held)) > 0.07 {
		t.Errorf("fitted to noise %v, cross-validated %v", mean(fitted), mean(held))
	}
}

// Corrections for many tests, by hand.
func TestCorrections(t *testing.T) {
	p := []float64{0.01, 0.04, 0.03, 0.5}
	for _, c := range []struct {
		name string
		f    func([]float64) []float64
		want []float64
	}{
		{"Bonferroni", compare.Bonferroni, []float64{0.04, 0.16, 0.12, 1}},
		{"Holm", compare.Holm, []float64{0.04, 0.09, 0.09, 0.5}},
		{"FDR", compare.FDR, []float64{0.04, 0.16 / 3, 0.16 / 3, 0.5}},
	} {
		got := c.f(p)
		for i, w := range c.want {
			near(t, c.name, got[i], w, 1e-12)
		}
	}
}

// Related RDMs are told from unrelated ones; the p-value never is 0.
func TestPermutationTest(t *testing.T) {
	x := gaussian(1, 12, 6)
	r := rdm(t, compare.Euclidean, x)
	related := subjects(t, x, 1, 0.5)[0]
	pool := par.New(2)
	defer pool.Close()
	v, p, err := compare.PermutationTest(compare.Spearman, r, related, 200, 1, nil)
	if err != nil || p != 1./201 || v < 0.5 {
		t.Errorf("related: %v, p = %v, %v", v, p, err)
	}
	if v2, p2, _ := compare.PermutationTest(compare.Spearman, r, related, 200, 1, pool); v2 != v || p2 != p {
		t.Error("two threads give another p-value")
	}
	const tests, permuted = 400, 39
	sum, below := 0.0, 0.0
	for s := range uint64(tests) {
		_, p, err := compare.PermutationTest(compare.Spearman, r, rdm(t, compare.Euclidean, gaussian(300+s, 12, 6)), permuted, s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if sum += p / tests; p < 0.1001 {
			below += 1. / tests
		}
	}
	// p is spread evenly over 1/40, 2/40, …, 1: mean and share within three standard errors
	near(t, "mean p-value without a relation", sum, 0.5+0.5/(permuted+1), 3/math.Sqrt(12*tests))
	near(t, "share of p-values up to 0.1", below, 0.1, 3*math.Sqrt(0.1*0.9/tests))
	if _, _, err := compare.PermutationTest(compare.Spearman, r, compare.NewRDM(12), 10, 1, nil); !errors.Is(err, compare.ErrUndefined) {
		t.Errorf("a constant RDM: %v", err)
	}
}

func reordered2(x *mat.Dense, rows []int) *mat.Dense {
	_, p := x.Dims()
	out := mat.NewDense(len(rows), p, nil)
	for i, k := range rows {
		out.SetRow(i, x.RawRowView(k))
	}
	return out
}

// A model is stable under what keeps the angles of its patterns.
func TestReStA(t *testing.T) {
	x := gaussian(1, 20, 8)
	curve, err := compare.ReStACurve([]*mat.Dense{x, scaled(x, 3), times(x, rotation(1, 8)), gaussian(2, 20, 8)}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for k := range 3 {
		near(t, "stability", curve[k], 1, 1e-12)
	}
	// the correlation of 190 entries, whose order means nothing, varies by 1/√189
	if most := 4 / math.Sqrt(189); math.Abs(curve[3]) > most {
		t.Errorf("two unrelated models: %v, want 0 ± %v", curve[3], most)
	}
}
