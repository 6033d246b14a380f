package predictivity_test

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"synfire/compare"
	"synfire/compare/predictivity"
	"synfire/internal/rng"
)

// gaussian responses of n stimuli × p units.
func gaussian(seed uint64, n, p int) *mat.Dense {
	s := rng.New(seed, "test").Int(uint64(n)).Int(uint64(p)).Source()
	x := mat.NewDense(n, p, nil)
	x.Apply(func(int, int, float64) float64 { return s.Norm() }, x)
	return x
}

func times(x, w *mat.Dense) *mat.Dense {
	var y mat.Dense
	y.Mul(x, w)
	return &y
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s = %v, want %v ± %v", what, got, want, tolerance)
	}
}

func scaled(x *mat.Dense, f float64) *mat.Dense {
	var y mat.Dense
	y.Scale(f, x)
	return &y
}

func reordered2(x *mat.Dense, rows []int) *mat.Dense {
	_, p := x.Dims()
	out := mat.NewDense(len(rows), p, nil)
	for i, k := range rows {
		out.SetRow(i, x.RawRowView(k))
	}
	return out
}

// Mappings: PLS of all components is least squares, the forms of ridge agree, the
// chosen penalty is that of leaving each stimulus out.
func TestMappings(t *testing.T) {
	x := gaussian(1, 40, 5)
	y := times(x, gaussian(2, 5, 3))
	y.Add(y, gaussian(3, 40, 3))
	fit := func(m predictivity.Mapping, x, y *mat.Dense) *mat.Dense {
		t.Helper()
		l, err := m.Fit(x, y)
		if err != nil {
			t.Fatal(err)
		}
		p, err := l.Predict(x)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	close := func(what string, a, b *mat.Dense, tolerance float64) {
		t.Helper()
		var d mat.Dense
		d.Sub(a, b)
		if m := mat.Norm(&d, 2); !(m < tolerance) {
			t.Errorf("%s: the predictions differ by %v", what, m)
		}
	}
	ols := fit(predictivity.LeastSquares{}, x, y)
	close("PLS of all components", fit(predictivity.PLS{}, x, y), ols, 1e-9)
	close("PLS of one unit", fit(predictivity.PLS{Components: 5}, x, y.Slice(0, 40, 0, 1).(*mat.Dense)), ols.Slice(0, 40, 0, 1).(*mat.Dense), 1e-9)
	close("ridge without penalty", fit(predictivity.Ridge{Penalty: 1e-9}, x, y), ols, 1e-6)

	// the form for few stimuli, on the same problem: units of zero change nothing
	wide := mat.NewDense(40, 60, nil)
	wide.Slice(0, 40, 0, 5).(*mat.Dense).Copy(x)
	close("dual ridge", fit(predictivity.Ridge{Penalty: 2}, wide, y), fit(predictivity.Ridge{Penalty: 2}, x, y), 1e-8)

	penalties := []float64{0.1, 1, 10, 100}
	best, least := 0.0, math.Inf(1)
	for _, a := range penalties {
		sum := 0.0
		for i := range 40 {
			train := slices.DeleteFunc(slices.Collect(func(yield func(int) bool) {
				for k := range 40 {
					if !yield(k) {
						return
					}
				}
			}), func(k int) bool { return k == i })
			l, err := predictivity.Ridge{Penalty: a}.Fit(reordered2(x, train), reordered2(y, train))
			if err != nil {
				t.Fatal(err)
			}
			p, err := l.Predict(reordered2(x, []int{i}))
			if err != nil {
				t.Fatal(err)
			}
			for j := range 3 {
				sum += (p.At(0, j) - y.At(i, j)) * (p.At(0, j) - y.At(i, j))
			}
		}
		if sum < least {
			best, least = a, sum
		}
	}
	if got, err := (predictivity.RidgeCV{Penalties: penalties}).Choose(x, y); err != nil || got != best {
		t.Errorf("penalty %v, leaving each out chooses %v; %v", got, best, err)
	}
	if _, err := (predictivity.RidgeCV{}).Fit(x, y); err != nil {
		t.Error(err)
	}

	single := fit(predictivity.SingleUnit{}, x, x)
	close("one to one", single, x, 1e-9)
	rank1 := times(gaussian(8, 40, 1), gaussian(9, 1, 4))
	close("PLS of a rank of 1", fit(predictivity.PLS{Components: 4}, rank1, rank1), rank1, 1e-8)
}

// Predictivity of what can be predicted, of noise, and of units that never vary;
// with a ceiling that noise lowers.
func TestPredictivity(t *testing.T) {
	x := gaussian(1, 100, 5)
	y := times(x, gaussian(2, 5, 4))
	y.Apply(func(_, j int, v float64) float64 {
		if j == 3 {
			return 7
		}
		return v
	}, y)
	splits, err := predictivity.Shuffles(100, 10, 0.1, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	p, err := predictivity.Predict(x, y, predictivity.LeastSquares{}, splits)
	if err != nil || p.Score < 1-1e-9 || p.Error > 1e-9 || !math.IsNaN(p.Units[3]) {
		t.Errorf("a linear map: %+v, %v", p, err)
	}
	noise, err := predictivity.Predict(x, gaussian(9, 100, 30), predictivity.Ridge{Penalty: 1}, splits)
	// r of ten stimuli varies by 1/3, its median over 30 units by √(π/2)/√30 of that, and
	// the mean of ten splits by 1/√10 of that; four of these
	if most := 4 * math.Sqrt(math.Pi/2/30/10) / 3; err != nil || math.Abs(noise.Score) > most {
		t.Errorf("noise: %v, %v; want 0 ± %v", noise.Score, err, most)
	}
	if _, err := predictivity.PredictPooled(x, y, predictivity.LeastSquares{}, splits); err == nil || !strings.Contains(err.Error(), "make them with Folds") {
		t.Errorf("pooled shuffles: %v", err)
	}
	if _, err := predictivity.Predict(x, mat.NewDense(100, 2, nil), predictivity.LeastSquares{}, splits); !errors.Is(err, compare.ErrUndefined) {
		t.Errorf("silent units: %v", err)
	}

	near(t, "Spearman–Brown", predictivity.SpearmanBrown(.5), 2./3, 1e-12)
	var repetitions []*mat.Dense
	for s := range uint64(8) {
		r := gaussian(20+s, 100, 4)
		r.Add(r, gaussian(10, 100, 4))
		repetitions = append(repetitions, r)
	}
	ceiling, err := predictivity.SplitHalf(repetitions, 10, 1)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ceiling of signal and noise of variance 1 in 8 repetitions", ceiling.Score, 8./9, 0.05)
	near(t, "explained variance", predictivity.ExplainedVariance(.6, .9), .4, 1e-12)
	near(t, "ceiled correlation", predictivity.CeiledCorrelation(.6, .9), 2./3, 1e-12)
	u, err := predictivity.UnitExplainedVariance(predictivity.Predictivity{Units: []float64{.5, .9, math.NaN()}}, predictivity.Ceiling{Units: []float64{.5, .05, .8}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "explained variance of units", u, .5, 1e-12)
}

// A penalty that is lost beside the units' size leaves a singular system: of two
// equal units each then takes half, the least of all solutions.
func TestRidgeOfEqualUnits(t *testing.T) {
	x, y := mat.NewDense(6, 2, nil), mat.NewDense(6, 1, nil)
	for i := range 6 {
		x.SetRow(i, []float64{float64(i), float64(i)})
		y.Set(i, 0, 3*float64(i)+1)
	}
	m, err := predictivity.Ridge{Penalty: 1e-25}.Fit(x, y)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := m.W.At(0, 0), m.W.At(1, 0); math.Abs(a-1.5) > 1e-9 || math.Abs(b-1.5) > 1e-9 {
		t.Errorf("weights %v and %v, want 1.5 each", a, b)
	}
}

// Folds are runs of neighbours, the first ones longer; shuffles keep the share of
// each label.
func TestSplits(t *testing.T) {
	folds, err := predictivity.Folds(7, 3)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(folds[0].Test, []int{0, 1, 2}) || !reflect.DeepEqual(folds[1].Test, []int{3, 4}) || !reflect.DeepEqual(folds[2].Train, []int{0, 1, 2, 3, 4}) {
		t.Errorf("folds %v", folds)
	}
	if halves, err := predictivity.Folds(5, 2); err != nil || len(halves) != 2 || len(halves[0].Test) != 3 {
		t.Errorf("halves %v, %v", halves, err)
	}
	labels := make([]int, 60)
	for i := range labels {
		labels[i] = i % 3
	}
	splits, err := predictivity.Shuffles(60, 4, 0.1, labels, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range splits {
		count := map[int]int{}
		for _, i := range s.Test {
			count[labels[i]]++
		}
		if !reflect.DeepEqual(count, map[int]int{0: 2, 1: 2, 2: 2}) || len(s.Train) != 54 {
			t.Errorf("test labels %v of %d training stimuli", count, len(s.Train))
		}
	}
	if reflect.DeepEqual(splits[0], splits[1]) {
		t.Error("two shuffles are the same")
	}
}

// The error of a predictivity is the standard error over splits, not their standard
// deviation; its score is the mean over splits of the median over units.
func TestPredictivityIsOverSplits(t *testing.T) {
	x := gaussian(1, 30, 3)
	y := gaussian(2, 30, 4)
	y.Add(y, times(x, gaussian(3, 3, 4)))
	splits, err := predictivity.Shuffles(30, 7, 0.3, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	var scores []float64
	units := make([]float64, 4)
	for _, s := range splits {
		one, err := predictivity.Predict(x, y, predictivity.Ridge{Penalty: 1}, []predictivity.Split{s})
		if err != nil || one.Error != 0 {
			t.Fatalf("one split has an error of %v, %v", one.Error, err)
		}
		sorted := slices.Sorted(slices.Values(one.Units))
		near(t, "median over units", one.Score, (sorted[1]+sorted[2])/2, 1e-12)
		scores = append(scores, one.Score)
		for j, v := range one.Units {
			units[j] += v / 7
		}
	}
	all, err := predictivity.Predict(x, y, predictivity.Ridge{Penalty: 1}, splits)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "score", all.Score, stat.Mean(scores, nil), 1e-12)
	near(t, "standard error", all.Error, stat.StdDev(scores, nil)/math.Sqrt(7), 1e-12)
	for j := range units {
		near(t, "unit", all.Units[j], units[j], 1e-12)
	}
}

// The reliability of two repetitions, and of the ceiling's threshold.
func TestSplitHalfByHand(t *testing.T) {
	a := mat.NewDense(4, 2, []float64{1, 1, 2, 0, 3, 0, 4, 1})
	b := mat.NewDense(4, 2, []float64{1, 0, 3, 0, 2, 1, 4, 1}) // r = 0.8 and 0
	c, err := predictivity.SplitHalf([]*mat.Dense{a, b}, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "first unit", c.Units[0], 2*0.8/1.8, 1e-12)
	near(t, "second unit", c.Units[1], 0, 1e-12)
	near(t, "median", c.Score, 0.8/1.8, 1e-12)
	for _, r := range []float64{-0.5, 0, 0.3, 1} {
		near(t, "Spearman–Brown", predictivity.SpearmanBrown(r), 2*r/(1+r), 1e-15)
	}
	if v := predictivity.SpearmanBrown(-1); !math.IsNaN(v) {
		t.Errorf("Spearman–Brown of −1 is %v, want NaN", v)
	}
	u, err := predictivity.UnitExplainedVariance(predictivity.Predictivity{Units: []float64{.5, .6, .7}}, predictivity.Ceiling{Units: []float64{0.1, 0.2, 0.5}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "units above the threshold", u, (.36/.2+.49/.5)/2, 1e-12)
}

// Two halves that are opposites have no reliability: −Inf was found.
func TestSplitHalfOfOpposites(t *testing.T) {
	x := gaussian(1, 8, 2)
	if c, err := predictivity.SplitHalf([]*mat.Dense{x, scaled(x, -1)}, 4, 1); !errors.Is(err, compare.ErrUndefined) || !reflect.DeepEqual(c, predictivity.Ceiling{}) {
		t.Errorf("opposite halves: %+v, %v; want it undefined", c, err)
	}
	half := mat.DenseCopyOf(x)
	half.SetCol(0, mat.Col(nil, 0, scaled(x, -1))) // the other unit repeats itself
	c, err := predictivity.SplitHalf([]*mat.Dense{x, half}, 4, 1)
	if err != nil || math.Abs(c.Score-1) > 1e-12 || !math.IsNaN(c.Units[0]) || math.Abs(c.Units[1]-1) > 1e-12 {
		t.Errorf("one unit of opposite halves: %+v, %v", c, err)
	}
	// whichever half a unit is silent in, it has no reliability to show
	silent := mat.DenseCopyOf(x)
	silent.SetCol(0, make([]float64, 8))
	c, err = predictivity.SplitHalf([]*mat.Dense{x, silent}, 20, 1)
	if err != nil || c.Units[0] != 0 {
		t.Errorf("a unit silent in one repetition: %+v, %v; want 0", c, err)
	}
	one := x.Slice(0, 8, 0, 1).(*mat.Dense)
	for seed := range uint64(8) {
		if c, err = predictivity.SplitHalf([]*mat.Dense{one, mat.NewDense(8, 1, nil)}, 1, seed); err != nil || c.Score != 0 {
			t.Errorf("seed %d, silent in one half: %+v, %v; want 0", seed, c, err)
		}
	}
}

// Errors name the operation and what was found.
func TestErrors(t *testing.T) {
	x := gaussian(1, 6, 3)
	for _, c := range []struct {
		want string
		f    func() error
	}{
		{"6 folds of 5", func() error { _, err := predictivity.Folds(5, 6); return err }},
		{"share of 1", func() error { _, err := predictivity.Shuffles(10, 3, 1, nil, 1); return err }},
		{"penalty 0", func() error { _, err := predictivity.Ridge{}.Fit(x, x); return err }},
		{"-1 components", func() error { _, err := predictivity.PLS{Components: -1}.Fit(x, x); return err }},
		{"1 repetitions", func() error { _, err := predictivity.SplitHalf([]*mat.Dense{x}, 1, 1); return err }},
	} {
		if err := c.f(); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "predictivity.") {
			t.Errorf("%v, want predictivity.… %q", err, c.want)
		}
	}
}

// The seed decides the halves, each split has its own, and the same seed gives the same.
func TestSplitHalfFollowsItsSeed(t *testing.T) {
	var repetitions []*mat.Dense
	for s := range uint64(7) {
		repetitions = append(repetitions, gaussian(s+1, 12, 3))
	}
	of := func(splits int, seed uint64) predictivity.Ceiling {
		c, err := predictivity.SplitHalf(repetitions, splits, seed)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if a, b, other := of(3, 1), of(3, 1), of(3, 2); !reflect.DeepEqual(a, b) || reflect.DeepEqual(a, other) {
		t.Errorf("seed 1: %v and %v; seed 2: %v", a.Units, b.Units, other.Units)
	}
	if one, two := of(1, 1), of(2, 1); reflect.DeepEqual(one, two) {
		t.Errorf("two splits are one: %v", two.Units)
	}
}

// The seed decides random splits, with labels and without; each split is another.
func TestShufflesFollowTheirSeed(t *testing.T) {
	labels := make([]int, 40)
	for i := range labels {
		labels[i] = i % 2
	}
	for _, labels := range [][]int{nil, labels} {
		of := func(seed uint64) []predictivity.Split {
			s, err := predictivity.Shuffles(40, 3, 0.25, labels, seed)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		a, b, other := of(1), of(1), of(2)
		if !reflect.DeepEqual(a, b) || reflect.DeepEqual(a[0], other[0]) || reflect.DeepEqual(a[0], a[1]) || reflect.DeepEqual(a[1], a[2]) {
			t.Errorf("tested by seed 1: %v, again %v; by seed 2: %v", a, b, other)
		}
	}
}

// columns is the responses of units, one a row.
func columns(units ...[]float64) *mat.Dense {
	x := mat.NewDense(len(units[0]), len(units), nil)
	for j, u := range units {
		x.SetCol(j, u)
	}
	return x
}

// Orthogonal units of mean 0 and square 8.
var (
	unitA = []float64{1, -1, 1, -1, 1, -1, 1, -1}
	unitB = []float64{1, 1, -1, -1, 1, 1, -1, -1}
	unitC = []float64{1, 1, 1, 1, -1, -1, -1, -1}
)

func sum(f float64, a []float64, g float64, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = f*a[i] + g*b[i]
	}
	return out
}

// The normal equations of units a and a + εb lost what tells them apart, up to all of
// it, where the penalty α was as small. With XᵀX + α = [8+α 8; 8 8+8ε²+α] the fit to
// y = b is a·8εα/D + b·8ε²(8+α)/D, D = 64ε² + 16α + 8αε² + α².
func TestRidgeOfNearlyEqualUnits(t *testing.T) {
	for _, eps := range []float64{0x1p-14, 0x1p-20, 0x1p-24} {
		for _, alpha := range []float64{0x1p-20, 0x1p-40, 0x1p-50, 0x1p-60} {
			x := columns(unitA, sum(1, unitA, eps, unitB), unitC)
			m, err := predictivity.Ridge{Penalty: alpha}.Fit(x, columns(unitB))
			if err != nil {
				t.Fatal(err)
			}
			d := 64*eps*eps + 16*alpha + 8*alpha*eps*eps + alpha*alpha
			want := sum(8*eps*alpha/d, unitA, 8*eps*eps*(8+alpha)/d, unitB)
			got, err := m.Predict(x)
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range want {
				if v := got.At(i, 0); math.Abs(v-w) > 1e-6 {
					t.Errorf("ε %v, α %v: fit %v, want %v", eps, alpha, v, w)
				}
			}
		}
	}
}

// A unit ten orders of magnitude smaller than another was taken for rounding: the maps
// gave 0 for what it alone explains. y = 3 a + 2 b of the units f·a and g·b.
func TestSmallUnitsBesideLargeOnes(t *testing.T) {
	y := columns(sum(3, unitA, 2, unitB), unitB)
	for _, e := range [][2]int{{0, 0}, {20, -20}, {0, -40}, {-300, 300}, {250, -250}} {
		f, g := math.Ldexp(1, e[0]), math.Ldexp(1, e[1])
		x := columns(sum(f, unitA, 0, unitA), sum(g, unitB, 0, unitB))
		for name, m := range map[string]predictivity.Mapping{
			"least squares": predictivity.LeastSquares{}, "PLS": predictivity.PLS{Components: 2}, "ridge": predictivity.Ridge{Penalty: min(f, g) * min(f, g) * 0x1p-60},
		} {
			fit, err := m.Fit(x, y)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range []struct {
				what      string
				got, want float64
			}{
				{"a to 3a + 2b", fit.W.At(0, 0) * f, 3}, {"b to 3a + 2b", fit.W.At(1, 0) * g, 2},
				{"a to b", fit.W.At(0, 1) * f, 0}, {"b to b", fit.W.At(1, 1) * g, 1},
			} {
				near(t, name+" of "+w.what, w.got, w.want, 1e-12)
			}
		}
		fit, err := predictivity.SingleUnit{}.Fit(x, y)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "single unit a", fit.W.At(0, 0)*f, 3, 1e-12)
		near(t, "single unit b", fit.W.At(1, 1)*g, 1, 1e-12)
	}
	// among dependent units of such sizes the least norm can not be told
	x := columns(unitA, sum(0x1p-50, unitB, 0, unitB), sum(0x1p-49, unitB, 0, unitB))
	if _, err := (predictivity.LeastSquares{}).Fit(x, y); err == nil || !strings.Contains(err.Error(), "standard deviation") {
		t.Errorf("dependent small units: %v", err)
	}
	// PLS does not pick up rounding where there is nothing else
	fit, err := predictivity.PLS{Components: 3}.Fit(columns(unitA, sum(2, unitA, 0, unitA), sum(0x1p-60, unitC, 0, unitC)), columns(sum(0.1, unitA, 0.3, unitB)))
	if err != nil {
		t.Fatal(err)
	}
	if w := fit.W.At(2, 0); w != 0 {
		t.Errorf("a unit that explains nothing weighs %v", w)
	}
}

// A side that says nothing scored −0.54: the means of the training folds run against what
// is held out.
func TestConstantSidePredictsNothing(t *testing.T) {
	x, y := mat.NewDense(10, 2, nil), mat.NewDense(10, 1, nil)
	for i := range 10 {
		x.Set(i, 0, 3)
		y.Set(i, 0, float64(i*7919%13))
	}
	folds, err := predictivity.Folds(10, 5)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []predictivity.Mapping{predictivity.Ridge{Penalty: 1}, predictivity.PLS{Components: 1}} {
		if p, err := predictivity.PredictPooled(x, y, m, folds); err == nil || !strings.Contains(err.Error(), "responds to all stimuli alike") {
			t.Errorf("%T: %v, %v", m, p, err)
		}
	}
}
