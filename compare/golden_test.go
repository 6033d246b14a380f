package compare_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"gonum.org/v1/gonum/mat"

	"synfire/compare"
	"synfire/compare/evaluation"
	"synfire/compare/geometry"
)

// golden is testdata/golden.json, of testdata/golden.py: what rsatoolbox finds in made-up data.
type golden struct {
	Observations struct {
		X, Counts       [][]float64
		Condition, Fold []int
		Covariance      [][][]float64
	}
	Residuals        [][]float64
	Pairs            map[string][2][]*float64
	Variances        []float64
	Subjects, Models [][]float64
	Parts, Three     [][]float64
	Folds            [][4][]int
	Geometries       [][2][]float64
	Noise            [][]float64
	Values           map[string]json.RawMessage
}

func load(t *testing.T) (g golden) {
	t.Helper()
	src, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(src, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// value is one of the values.
func value[T any](t *testing.T, g golden, name string) (v T) {
	t.Helper()
	if err := json.Unmarshal(g.Values[name], &v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// list is compared with a list of the values, or with one.
func (g golden) list(t *testing.T, name string, got []float64, err error, tolerance float64) {
	t.Helper()
	var want []float64
	if json.Unmarshal(g.Values[name], &want) != nil {
		want = []float64{value[float64](t, g, name)}
	}
	if err != nil || len(got) != len(want) {
		t.Errorf("%s: %v, %v, want %v", name, got, err, want)
		return
	}
	for i, v := range want {
		near(t, name, got[i], v, tolerance)
	}
}

func ofRows(rows [][]float64) *mat.Dense {
	m := mat.NewDense(len(rows), len(rows[0]), nil)
	for i, r := range rows {
		m.SetRow(i, r)
	}
	return m
}

func symmetric(rows [][]float64) *mat.SymDense {
	return mat.NewSymDense(len(rows), ofRows(rows).RawMatrix().Data)
}

// ofStimuli is the RDM of n stimuli with entries, nil where one is missing.
func ofStimuli(n int, entries []*float64) compare.RDM {
	r := compare.NewRDM(n)
	for i, v := range entries {
		r.Values[i] = math.NaN()
		if v != nil {
			r.Values[i] = *v
		}
	}
	return r
}

func ofEach(n int, rows [][]float64) (list []compare.RDM) {
	for _, v := range rows {
		list = append(list, compare.RDM{N: n, Values: v})
	}
	return list
}

func TestGoldenRDMs(t *testing.T) {
	g := load(t)
	o := compare.Observations{X: ofRows(g.Observations.X), Condition: g.Observations.Condition, Fold: g.Observations.Fold}
	counts := o
	counts.X = ofRows(g.Observations.Counts)
	var covariances []*mat.SymDense
	for _, c := range g.Observations.Covariance {
		covariances = append(covariances, symmetric(c))
	}
	precision, err := compare.Precision(covariances[0])
	if err != nil {
		t.Fatal(err)
	}
	means, err := o.Means()
	if err != nil {
		t.Fatal(err)
	}
	meanCounts, err := counts.Means()
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() (compare.RDM, error){
		"euclidean":           func() (compare.RDM, error) { return compare.Euclidean(means) },
		"correlation":         func() (compare.RDM, error) { return compare.Correlation(means) },
		"mahalanobis":         func() (compare.RDM, error) { return compare.Mahalanobis(means, precision) },
		"crossnobis":          func() (compare.RDM, error) { return compare.Crossnobis(o, precision) },
		"crossnobis_identity": func() (compare.RDM, error) { return compare.Crossnobis(o, nil) },
		"crossnobis_by_fold":  func() (compare.RDM, error) { return compare.CrossnobisByFold(o, covariances) },
		"poisson":             func() (compare.RDM, error) { return compare.Poisson(meanCounts) },
		"poisson_cv":          func() (compare.RDM, error) { return compare.PoissonCV(counts) },
	} {
		r, err := f()
		g.list(t, name, r.Values, err, 1e-10)
	}
}

func TestGoldenSimilarities(t *testing.T) {
	g := load(t)
	for pair, sides := range g.Pairs {
		r, s := ofStimuli(8, sides[0]), ofStimuli(8, sides[1])
		for name, f := range map[string]compare.Similarity{
			"cosine": compare.CosineSimilarity, "corr": compare.Pearson, "spearman": compare.Spearman, "kendall": compare.TauB,
			"tau-a": compare.TauA, "rho-a": compare.RhoA, "cosine_cov": compare.WhitenedCosine, "corr_cov": compare.WhitenedPearson,
			"cosine_variances": compare.Whitened(g.Variances, false), "corr_variances": compare.Whitened(g.Variances, true),
		} {
			v, err := f(r, s)
			g.list(t, name+"_"+pair, []float64{v}, err, 1e-13)
		}
	}
	r, s := ofStimuli(8, g.Pairs["euclidean"][0]), ofStimuli(8, g.Pairs["euclidean"][1])
	v, err := compare.Bures(r, s)
	g.list(t, "bures", []float64{v}, err, 1e-12)
	v, err = compare.BuresDistance(r, s)
	g.list(t, "bures_squared", []float64{v * v}, err, 1e-12)
}

// Distances of geometries: of rsatoolbox, whose search of two variables stops at five digits or
// more, and of a search of one.
func TestGoldenGeometries(t *testing.T) {
	g := load(t)
	var found []float64
	for _, pair := range g.Geometries {
		n := int(1+math.Sqrt(float64(8*len(pair[0])+1))) / 2
		v, err := geometry.Riemann(compare.RDM{N: n, Values: pair[0]}, compare.RDM{N: n, Values: pair[1]})
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, v)
	}
	g.list(t, "riemann", found, nil, 1e-9)
	g.list(t, "riemann_there", found, nil, 1e-5)
}

// Noise of any covariance between stimuli.
func TestGoldenNoise(t *testing.T) {
	g := load(t)
	r, s := ofStimuli(8, g.Pairs["plain"][0]), ofStimuli(8, g.Pairs["plain"][1])
	for name, centre := range map[string]bool{"cosine_noise": false, "corr_noise": true} {
		f, err := geometry.Whitened(symmetric(g.Noise), centre)
		if err != nil {
			t.Fatal(err)
		}
		v, err := f(r, s)
		g.list(t, name, []float64{v}, err, 1e-12)
		g.list(t, name+"_there", []float64{v}, err, 1e-4)
	}
}

// Models fitted to some subjects and stimuli and scored on others, in given folds.
func TestGoldenHeldOut(t *testing.T) {
	g := load(t)
	data, parts := ofEach(8, g.Subjects), ofEach(8, g.Parts)
	models := map[string]compare.Model{
		"fixed": compare.Fixed{RDM: ofEach(8, g.Models)[0]}, "linear": compare.Weighted{RDMs: parts, Signed: true},
		"weighted": compare.Weighted{RDMs: parts}, "select": compare.Select{RDMs: parts},
	}
	checked := 0
	for _, method := range []string{"cosine", "corr", "spearman"} {
		b := compare.Bootstrap{Comparison: comparisons[method], HoldOut: compare.HoldBoth}
		for name, m := range models {
			if g.Values["held_"+name+"_"+method] == nil {
				continue
			}
			v, upper, err := compare.ScoreFolds(b, []compare.Model{m}, data, g.Folds)
			g.list(t, "held_"+name+"_"+method, v[:1], err, 1e-12)
			g.list(t, "held_ceiling_"+method, []float64{v[1], upper}, err, 1e-12)
			checked++
		}
	}
	if checked != 9 {
		t.Errorf("%d held-out scores, want 9", checked)
	}
}

var comparisons = map[string]compare.Comparison{
	"cosine": {Similarity: compare.CosineSimilarity, Pooling: compare.PoolCosine}, "cosine_cov": {Similarity: compare.WhitenedCosine, Pooling: compare.PoolCosine},
	"corr": {Similarity: compare.Pearson, Pooling: compare.PoolCorrelation}, "corr_cov": {Similarity: compare.WhitenedPearson, Pooling: compare.PoolCorrelation},
	"spearman": spearman, "rho-a": {Similarity: compare.RhoA, Pooling: compare.PoolRanks},
	"tau-a": {Similarity: compare.TauA, Pooling: compare.PoolRanks}, "kendall": {Similarity: compare.TauB, Pooling: compare.PoolRanks},
}

func TestGoldenCeilings(t *testing.T) {
	g := load(t)
	data := ofEach(8, g.Subjects)
	for name, c := range comparisons {
		lower, upper, err := compare.NoiseCeiling(c, data)
		g.list(t, "ceiling_"+name, []float64{lower, upper}, err, 1e-13)
	}
	for i := range data {
		data[i].Values[5], data[i].Values[20] = math.NaN(), math.NaN()
	}
	for name, c := range comparisons {
		if name == "kendall" {
			continue
		}
		lower, upper, err := compare.NoiseCeiling(c, data)
		g.list(t, "ceiling_missing_"+name, []float64{lower, upper}, err, 1e-13)
	}
}

// rsatoolbox tests against 0 on one side and against the ceiling on both.
func TestGoldenFixed(t *testing.T) {
	g := load(t)
	data := ofEach(8, g.Subjects)
	var models []evaluation.Model
	for k, r := range ofEach(8, g.Models) {
		models = append(models, evaluation.Model{Name: string(rune('a' + k)), RDM: r})
	}
	for _, name := range []string{"corr", "rho-a"} {
		want := value[struct {
			Subjects                  [][]float64
			Sem, Zero, Pairs, Ceiling []float64
			RankZero                  []float64 `json:"rank_zero"`
			RankPairs                 []float64 `json:"rank_pairs"`
		}](t, g, "fixed_"+name)
		s, err := evaluation.Run(comparisons[name], models, data)
		if err != nil {
			t.Fatal(err)
		}
		pair := 0
		for k := range models {
			for i, v := range s.Values[k] {
				near(t, "similarity", v, want.Subjects[k][i], 1e-13)
			}
			p, _ := evaluation.OneSample(s.Values[k])
			if p /= 2; s.Mean(k) < 0 {
				p = 1 - p
			}
			near(t, "p above 0", p, want.Zero[k], 1e-12)
			below := make([]float64, len(data))
			for i, v := range s.Values[k] {
				below[i] = s.Lower - v
			}
			p, _ = evaluation.OneSample(below)
			near(t, "p against the ceiling", p, want.Ceiling[k], 1e-12)
			near(t, "p of signed ranks", evaluation.SignedRank(s.Values[k]), want.RankZero[k], 1e-12)
			for j := k + 1; j < len(models); j++ {
				p, _ := evaluation.OneSample(s.Difference(k, j))
				near(t, "p of a pair", p, want.Pairs[pair], 1e-12)
				near(t, "p of a pair's signed ranks", evaluation.SignedRank(s.Difference(k, j)), want.RankPairs[pair], 1e-12)
				pair++
			}
		}
	}
}

// The dual bootstrap: corrections to the last digits, resampled variances but for chance.
func TestGoldenDualBootstrap(t *testing.T) {
	g := load(t)
	var large, small []float64
	for _, v := range g.Three {
		large = append(large, compare.DualVariance(v[0], v[1], v[2]))
		small = append(small, compare.DualVarianceSmall(v[0], v[1], v[2], 5, 8))
	}
	g.list(t, "dual_variance", large, nil, 1e-14)
	g.list(t, "dual_variance_small", small, nil, 1e-14)

	want := value[struct {
		Model, Pairs []float64
		DOF          int
		Raw          [3][]float64
	}](t, g, "dual")
	var models []compare.Model
	for _, r := range ofEach(8, g.Models) {
		models = append(models, compare.Fixed{RDM: r})
	}
	inf, err := compare.Bootstrap{Comparison: comparisons["corr"], Resamples: 2000, Seed: 1}.Run(models, ofEach(8, g.Subjects))
	if err != nil {
		t.Fatal(err)
	}
	if inf.DOF != want.DOF {
		t.Errorf("%d degrees of freedom, want %d", inf.DOF, want.DOF)
	}
	pair := 0
	for k := range models {
		for kind, raw := range want.Raw {
			near(t, "variance of resamples over "+[]string{"both", "subjects", "stimuli"}[kind], compare.Resampled(compare.Samples(inf)[kind], func(s []float64) float64 { return s[k] })/raw[k], 1, 0.15)
		}
		near(t, "standard error", inf.SE(k)/math.Sqrt(want.Model[k]), 1, 0.1)
		for j := k + 1; j < len(models); j++ {
			near(t, "standard error of a pair", inf.DifferenceSE(k, j)/math.Sqrt(want.Pairs[pair]), 1, 0.1)
			pair++
		}
	}
}

// Weights of fitted models, which rsatoolbox finds by linear algebra, or by searches that end
// within a few millionths.
func TestGoldenFitted(t *testing.T) {
	g := load(t)
	data, parts := ofEach(8, g.Subjects), ofEach(8, g.Parts)
	for _, name := range []string{"cosine", "corr", "spearman"} {
		c := comparisons[name]
		w, err := compare.Weights(compare.Select{RDMs: parts}, c, data)
		if err != nil || w[value[int](t, g, "select_"+name)] != 1 {
			t.Errorf("%s selects %v, %v", name, w, err)
		}
		if name == "spearman" {
			continue
		}
		w, err = compare.Weights(compare.Interpolate{RDMs: parts}, c, data)
		norm := value[[]float64](t, g, "interpolate_"+name)
		size := math.Sqrt(dot(norm, norm))
		for i := range norm {
			near(t, "interpolate_"+name, w[i], norm[i]/size, 1e-3)
		}
		w, err = compare.Weights(compare.Weighted{RDMs: parts, Signed: true}, c, data)
		g.list(t, "linear_"+name, w, err, 1e-11)
		g.list(t, "optimised_"+name, w, err, 1e-5)
		w, err = compare.Weights(compare.Weighted{RDMs: parts}, c, data)
		g.list(t, "weighted_"+name, w, err, 1e-9)
	}
}

func dot(a, b []float64) (sum float64) {
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}
