package evaluation_test

import (
	"fmt"
	"math"
	"testing"

	"synfire/compare"
	"synfire/compare/evaluation"
)

// Of 1, 2, 3, 4: t = 2.5/(1.2910/2) = 3.8730 with 3 degrees of freedom, p = 0.030466, and
// t(3)₀.₉₇₅ = 3.18245 (tables).
func TestOneSample(t *testing.T) {
	p, half := evaluation.OneSample([]float64{1, 2, 3, 4})
	if math.Abs(p-0.030466) > 1e-6 || math.Abs(half-3.182446*math.Sqrt(5.0/3)/2) > 1e-5 {
		t.Errorf("%v, %v", p, half)
	}
	if p, _ := evaluation.OneSample([]float64{1}); !math.IsNaN(p) {
		t.Errorf("one value has p = %v", p)
	}
	if p, _ := evaluation.OneSample([]float64{0, 0}); p != 1 {
		t.Errorf("zeros have p = %v", p)
	}
}

// By counting signs: all of four positive, 2·1/16; one of the smallest rank negative, the
// sums at most 1 are two, 2·2/16; ties and zeros as stated.
func TestSignedRank(t *testing.T) {
	for _, c := range []struct {
		x []float64
		p float64
	}{
		{[]float64{0.1, 0.2, 0.3, 0.4}, 2.0 / 16}, {[]float64{-0.1, 0.2, 0.3, 0.4}, 4.0 / 16}, {[]float64{-4, -3, -2, -1, 0}, 2.0 / 16},
		{[]float64{1, 1, -1}, 1}, {[]float64{0, 0}, 1}, {nil, 1},
		{[]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, -10}, 2 * 43.0 / 1024}, // partitions of at most 10 in distinct parts: 1,1,1,2,2,3,4,5,6,8,10
	} {
		if p := evaluation.SignedRank(c.x); math.Abs(p-c.p) > 1e-12 {
			t.Errorf("%v: p = %v, want %v", c.x, p, c.p)
		}
	}
	// the normal approximation meets the exact distribution where it takes over
	var x []float64
	for i := range 31 {
		v := float64(i + 1)
		if i%3 == 0 && i < 30 {
			v = -v
		}
		x = append(x, v)
	}
	many, few := evaluation.SignedRank(x), evaluation.SignedRank(x[:30])
	if many < 0.02 || many > 0.2 || math.Abs(math.Log(many/few)) > 0.7 {
		t.Errorf("31 values %v, 30 values %v", many, few)
	}
}

func rdm(v ...float64) compare.RDM { return compare.RDM{N: 4, Values: v} }

// A model that is every subject's RDM is first and at the ceiling; p-values of one subject
// that need several are absent.
func TestRank(t *testing.T) {
	subjects := []compare.RDM{rdm(1, 2, 3, 4, 5, 6), rdm(1, 2, 3, 4, 6, 5), rdm(2, 1, 3, 4, 5, 6)}
	models := []evaluation.Model{{Name: "reversed", RDM: rdm(6, 5, 4, 3, 2, 1)}, {Name: "same", RDM: rdm(1, 2, 3, 4, 5, 6)}}
	b := compare.Bootstrap{Comparison: compare.Comparison{Similarity: compare.Spearman, Pooling: compare.PoolRanks}, Resamples: 50, Seed: 1}
	got, err := evaluation.Rank(b, models, subjects, "holm")
	if err != nil {
		t.Fatal(err)
	}
	// Spearman with one adjacent swap of six: 1 − 6·2/(6·35) = 33/35
	if r := got.Rows[0]; r.Model != "same" || math.Abs(r.Mean-(1+2*33.0/35)/3) > 1e-12 || *r.PRank != 0.5 || got.Rows[1].Mean != -r.Mean {
		t.Errorf("%+v", got.Rows)
	}
	if p := got.Pairs[0]; p.A != "same" || math.Abs(p.Difference-2*got.Rows[0].Mean) > 1e-12 || !(*p.Low <= p.Difference && p.Difference <= *p.High) || *p.PT > 0.01 {
		t.Errorf("%+v", got.Pairs)
	}
	one, err := evaluation.Rank(b, models, subjects[:1], "fdr")
	if err != nil || one.Lower != nil || one.Rows[0].PT != nil || one.Rows[0].PRank != nil || one.Rows[0].PCeiling != nil {
		t.Errorf("%+v, %v", one, err)
	}
	if _, err := evaluation.Rank(b, models, subjects, "tukey"); err == nil {
		t.Error("no error for an unknown correction")
	}
	if _, err := evaluation.Run(b.Comparison, nil, subjects); err == nil {
		t.Error("no error without models")
	}
}

func ExampleSignedRank() {
	fmt.Println(evaluation.SignedRank([]float64{0.31, 0.22, 0.4, 0.18}))
	// Output: 0.125
}
