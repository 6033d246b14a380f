package compare_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"synfire/compare"
	"synfire/compare/canonical"
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

// rotation of p units.
func rotation(seed uint64, p int) *mat.Dense {
	var qr mat.QR
	qr.Factorize(gaussian(seed+1, p, p))
	var q mat.Dense
	qr.QTo(&q)
	return &q
}

func times(x, w *mat.Dense) *mat.Dense {
	var y mat.Dense
	y.Mul(x, w)
	return &y
}

// plus adds a row to each row.
func plus(x *mat.Dense, shift func(j int) float64) *mat.Dense {
	y := mat.DenseCopyOf(x)
	y.Apply(func(_, j int, v float64) float64 { return v + shift(j) }, y)
	return y
}

func scaled(x *mat.Dense, f float64) *mat.Dense {
	var y mat.Dense
	y.Scale(f, x)
	return &y
}

func reordered(x *mat.Dense, order []int) *mat.Dense {
	n, p := x.Dims()
	y := mat.NewDense(n, p, nil)
	for i, k := range order {
		y.SetRow(i, x.RawRowView(k))
	}
	return y
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s = %v, want %v ± %v", what, got, want, tolerance)
	}
}

// rdm fails the test on an error.
func rdm(t testing.TB, d compare.Dissimilarity, x *mat.Dense) compare.RDM {
	t.Helper()
	r, err := d(x)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var (
	fixedX = mat.NewDense(4, 3, []float64{1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 1, 1})
	fixedY = mat.NewDense(4, 2, []float64{1, 2, 2, 0, 0, 1, 3, 3})
)

// Two small representations, worked out by hand.
func TestFixedNumbers(t *testing.T) {
	rx, ry := rdm(t, compare.Euclidean, fixedX), rdm(t, compare.Euclidean, fixedY)
	for _, c := range []struct {
		name string
		got  []float64
		want []float64
	}{
		{"RDM of X", rx.Values, []float64{5. / 3, 10. / 3, 2. / 3, 13. / 3, 1, 2}},
		{"RDM of Y", ry.Values, []float64{2.5, 1, 2.5, 2.5, 5, 6.5}},
	} {
		for i, w := range c.want {
			near(t, c.name, c.got[i], w, 1e-12)
		}
	}
	for _, c := range []struct {
		name string
		f    compare.Similarity
		want float64
	}{
		{"cosine", compare.CosineSimilarity, .659930}, {"Pearson", compare.Pearson, -.375063},
		{"Spearman", compare.Spearman, -.273230}, {"rho-a", compare.RhoA, -.257143},
		{"tau-a", compare.TauA, -.133333}, {"tau-b", compare.TauB, -.149071},
		{"whitened cosine", compare.WhitenedCosine, .398144},
	} {
		got, err := c.f(rx, ry)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		near(t, c.name, got, c.want, 5e-7)
	}
	cka, err := compare.LinearCKA(fixedX, fixedY)
	if err != nil {
		t.Error(err)
	}
	near(t, "linear CKA", cka, .398144, 5e-7)
	unbiased, err := compare.UnbiasedCKA(fixedX, fixedY)
	if err != nil {
		t.Error(err)
	}
	near(t, "unbiased CKA", unbiased, -.960769, 5e-7)
	for _, c := range []struct {
		name string
		k, l *mat.Dense
		want float64
	}{{"xy", fixedX, fixedY, -1}, {"xx", fixedX, fixedX, .5}, {"yy", fixedY, fixedY, 13. / 6}} {
		got, err := compare.UnbiasedHSIC(times(c.k, mat.DenseCopyOf(c.k.T())), times(c.l, mat.DenseCopyOf(c.l.T())))
		if err != nil {
			t.Error(err)
		}
		near(t, "unbiased HSIC "+c.name, got, c.want, 1e-12)
	}
}

type measure struct {
	name string
	of   func(x, y *mat.Dense) (float64, error)
	// what changes of X leave it as it is
	rotation, invertible, shift bool
	symmetric                   bool
}

func rsa(d compare.Dissimilarity, s compare.Similarity) func(x, y *mat.Dense) (float64, error) {
	return func(x, y *mat.Dense) (float64, error) {
		r, err := d(x)
		if err != nil {
			return 0, err
		}
		q, err := d(y)
		if err != nil {
			return 0, err
		}
		return s(r, q)
	}
}

func measures() []measure {
	predict := func(m predictivity.Mapping) func(x, y *mat.Dense) (float64, error) {
		return func(x, y *mat.Dense) (float64, error) {
			n, _ := x.Dims()
			folds, err := predictivity.Folds(n, 5)
			if err != nil {
				return 0, err
			}
			p, err := predictivity.PredictPooled(x, y, m, folds)
			return p.Score, err
		}
	}
	return []measure{
		{"euclidean spearman", rsa(compare.Euclidean, compare.Spearman), true, false, true, true},
		{"euclidean pearson", rsa(compare.Euclidean, compare.Pearson), true, false, true, true},
		{"euclidean cosine", rsa(compare.Euclidean, compare.CosineSimilarity), true, false, true, true},
		{"euclidean tau-a", rsa(compare.Euclidean, compare.TauA), true, false, true, true},
		{"euclidean tau-b", rsa(compare.Euclidean, compare.TauB), true, false, true, true},
		{"euclidean rho-a", rsa(compare.Euclidean, compare.RhoA), true, false, true, true},
		{"euclidean whitened", rsa(compare.Euclidean, compare.WhitenedCosine), true, false, true, true},
		{"euclidean bures", rsa(compare.Euclidean, compare.Bures), true, false, true, true},
		{"correlation pearson", rsa(compare.Correlation, compare.Pearson), false, false, false, true},
		{"linear CKA", compare.LinearCKA, true, false, true, true},
		{"RBF CKA", func(x, y *mat.Dense) (float64, error) { return compare.RBFCKA(x, y, 1) }, true, false, true, true},
		{"unbiased CKA", compare.UnbiasedCKA, true, false, true, true},
		{"CCA", canonical.MeanCCA, true, true, true, true},
		{"SVCCA", func(x, y *mat.Dense) (float64, error) { return canonical.SVCCA(x, y, 0.8) }, true, false, true, true},
		{"PWCCA", canonical.PWCCA, false, false, true, false},
		{"least squares", predict(predictivity.LeastSquares{}), true, true, true, false},
	}
}

// What leaves each measure as it is, and what does not: the table of the package
// comment. What does not may do so by chance, of counted pairs say, but not always.
func TestInvariances(t *testing.T) {
	for _, m := range measures() {
		t.Run(strings.ReplaceAll(m.name, " ", "-"), func(t *testing.T) {
			kept, changed := map[string]bool{}, map[string]bool{}
			rapid.Check(t, func(t *rapid.T) {
				seed := rapid.Uint64Max(1<<30).Draw(t, "seed")
				const n, p = 30, 4
				x := gaussian(seed, n, p)
				y := gaussian(seed+5, n, 3)
				y.Add(y, times(x, gaussian(seed+6, p, 3)))
				skew := gaussian(seed+7, p, p)
				for i := range p {
					skew.Set(i, i, skew.At(i, i)+2)
					skew.Set(i, 0, skew.At(i, 0)*5)
				}
				base, err := m.of(x, y)
				if err != nil {
					t.Fatal(err)
				}
				same := func(what string, want bool, x, y *mat.Dense) {
					got, err := m.of(x, y)
					if err != nil {
						t.Fatalf("%s: %v", what, err)
					}
					d := math.Abs(got - base)
					if want && d > 1e-8 {
						t.Errorf("%s: %v, before %v, want the same", what, got, base)
					}
					kept[what], changed[what] = want, changed[what] || d > 1e-8
				}
				same("rotation", m.rotation, times(x, rotation(seed, p)), y)
				same("invertible map", m.invertible, times(x, skew), y)
				same("shift", m.shift, plus(x, func(j int) float64 { return float64(j) - 0.7 }), y)
				same("shift along 1", true, plus(x, func(int) float64 { return 3 }), y)
				same("scale", true, scaled(x, 7), scaled(y, 0.1))
				units := times(x, mat.NewDense(p, p, []float64{0, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0}))
				same("order of units", true, units, y)
				if m.name != "least squares" { // its folds follow the order of the stimuli
					order := rng.New(seed, "order").Source().Perm(n)
					same("order of stimuli", true, reordered(x, order), reordered(y, order))
				}
				if m.symmetric {
					same("exchange", true, y, x)
				}
				self, err := m.of(x, times(x, rotation(seed+2, p)))
				if err != nil || m.rotation && math.Abs(self-1) > 1e-8 {
					t.Errorf("with itself, rotated: %v, %v", self, err)
				}
				if self, err = m.of(x, x); err != nil || math.Abs(self-1) > 1e-8 {
					t.Errorf("with itself: %v, %v", self, err)
				}
			})
			for what, want := range kept {
				if want == changed[what] {
					t.Errorf("%s: it should leave the value as it is: %v; it ever changed it: %v", what, want, changed[what])
				}
			}
		})
	}
}

// PWCCA does not see invertible maps of Y, whose units carry no weight.
func TestPWCCAOfMappedY(t *testing.T) {
	x, y := gaussian(1, 40, 4), gaussian(2, 40, 3)
	a, err := canonical.PWCCA(x, y)
	if err != nil {
		t.Fatal(err)
	}
	b, err := canonical.PWCCA(x, times(y, gaussian(3, 3, 3)))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "PWCCA", b, a, 1e-10)
}

// Rank similarities do not change under a monotone transform of an RDM, others do.
func TestMonotone(t *testing.T) {
	r, s := rdm(t, compare.Euclidean, gaussian(1, 12, 5)), rdm(t, compare.Euclidean, gaussian(2, 12, 5))
	bent := compare.NewRDM(s.N)
	for i, v := range s.Values {
		bent.Values[i] = math.Exp(v) - 3
	}
	for name, f := range map[string]compare.Similarity{"spearman": compare.Spearman, "rho-a": compare.RhoA, "tau-a": compare.TauA, "tau-b": compare.TauB} {
		a, _ := f(r, s)
		b, err := f(r, bent)
		if a != b || err != nil || a == 0 {
			t.Errorf("%s: %v before, %v after, %v", name, a, b, err)
		}
	}
	a, _ := compare.Pearson(r, s)
	if b, _ := compare.Pearson(r, bent); math.Abs(a-b) < 1e-3 {
		t.Error("Pearson does not see the transform")
	}
}

// Of a constant RDM tau-a and rho-a are 0; the others have no value.
func TestConstantRDM(t *testing.T) {
	flat := compare.NewRDM(5)
	for i := range flat.Values {
		flat.Values[i] = 0.1 + 0.2 // not exact in binary: its mean may differ from it
	}
	r := rdm(t, compare.Euclidean, gaussian(1, 5, 3))
	for name, f := range map[string]compare.Similarity{"rho-a": compare.RhoA, "tau-a": compare.TauA} {
		if v, err := f(flat, r); v != 0 || err != nil {
			t.Errorf("%s: %v, %v; want 0", name, v, err)
		}
	}
	for name, f := range map[string]compare.Similarity{"pearson": compare.Pearson, "spearman": compare.Spearman, "tau-b": compare.TauB, "whitened pearson": compare.WhitenedPearson} {
		if v, err := f(flat, r); v != 0 || !errors.Is(err, compare.ErrUndefined) {
			t.Errorf("%s: %v, %v; want 0 and ErrUndefined", name, v, err)
		}
	}
	if v, err := compare.CosineSimilarity(compare.NewRDM(5), r); v != 0 || !errors.Is(err, compare.ErrUndefined) {
		t.Errorf("cosine of zeros: %v, %v", v, err)
	}
}

// Kendall's tau by merging equals the count over all pairs of entries.
func TestKendall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := rapid.SliceOfN(rapid.Float64Range(0, 4), 15, 15)
		r, s := compare.RDM{N: 6, Values: entries.Draw(t, "r")}, compare.RDM{N: 6, Values: entries.Draw(t, "s")}
		for i := range r.Values { // many ties
			r.Values[i], s.Values[i] = math.Floor(r.Values[i]), math.Floor(s.Values[i])
		}
		excess, pairs, tiedR, tiedS := 0.0, 0.0, 0.0, 0.0
		for i := range r.Values {
			for j := range i {
				a, b := r.Values[i]-r.Values[j], s.Values[i]-s.Values[j]
				pairs++
				switch {
				case a*b > 0:
					excess++
				case a*b < 0:
					excess--
				}
				if a == 0 {
					tiedR++
				}
				if b == 0 {
					tiedS++
				}
			}
		}
		if got, err := compare.TauA(r, s); err != nil || got != excess/pairs {
			t.Errorf("tau-a %v, want %v, %v", got, excess/pairs, err)
		}
		got, err := compare.TauB(r, s)
		norm := math.Sqrt((pairs - tiedR) * (pairs - tiedS))
		if norm == 0 && !errors.Is(err, compare.ErrUndefined) || norm > 0 && math.Abs(got-excess/norm) > 1e-12 {
			t.Errorf("tau-b %v, want %v, %v", got, excess/norm, err)
		}
	})
}

// rho-a is Spearman's correlation on average over random orders of ties.
func TestRhoA(t *testing.T) {
	r := compare.RDM{N: 4, Values: []float64{1, 1, 2, 2, 2, 3}}
	s := compare.RDM{N: 4, Values: []float64{4, 1, 3, 3, 9, 2}}
	sum, n := 0.0, 0
	for k := range 4000 {
		noise := rng.New(uint64(k), "ties").Source()
		a, b := compare.NewRDM(4), compare.NewRDM(4)
		for i := range r.Values {
			a.Values[i], b.Values[i] = r.Values[i]+1e-6*noise.Float64(), s.Values[i]+1e-6*noise.Float64()
		}
		v, err := compare.Spearman(a, b)
		if err != nil {
			t.Fatal(err)
		}
		sum, n = sum+v, n+1
	}
	got, err := compare.RhoA(r, s)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "rho-a", got, sum/float64(n), 0.02)
}

// Missing entries are left out where both miss them, as from a bootstrap sample.
func TestMissing(t *testing.T) {
	r, s := rdm(t, compare.Euclidean, gaussian(1, 8, 5)), rdm(t, compare.Euclidean, gaussian(2, 8, 5))
	order := []int{0, 1, 2, 3, 4, 5, 6, 7}
	for name, f := range map[string]compare.Similarity{
		"pearson": compare.Pearson, "spearman": compare.Spearman, "tau-a": compare.TauA, "cosine": compare.CosineSimilarity,
		"whitened": compare.WhitenedCosine, "whitened pearson": compare.WhitenedPearson,
	} {
		a, err := f(r, s)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := f(r.Subset(order), s.Subset(order)); err != nil || a != b {
			t.Errorf("%s: %v of all, %v of the subset of all, %v", name, a, b, err)
		}
		copies := []int{0, 0, 1, 2, 3, 4, 4}
		v, err := f(r.Subset(copies), s.Subset(copies))
		if err != nil || !(math.Abs(v) <= 1) {
			t.Errorf("%s of a resample: %v, %v", name, v, err)
		}
		if _, err := f(r.Subset(copies), s.Subset(order[:7])); err == nil || !strings.Contains(err.Error(), "missing in one") {
			t.Errorf("%s: %v, want an error about entries missing on one side", name, err)
		}
	}
	a, b, err := compare.Common(r.Subset([]int{0, 0, 1, 2, 3}), s.Subset([]int{0, 1, 2, 2, 3}))
	if err != nil || a.Missing() != 2 || b.Missing() != 2 || !math.IsNaN(b.At(0, 1)) || !math.IsNaN(a.At(2, 3)) || a.At(0, 2) != r.At(0, 1) {
		t.Errorf("missing in either: %v and %v, %v", a, b, err)
	}
	if _, _, err := compare.Common(r, compare.NewRDM(3)); err == nil {
		t.Error("RDMs of 8 and 3 stimuli have something in common")
	}
	if got := r.Subset([]int{5, 2}).Values[0]; got != r.At(2, 5) || r.At(5, 2) != got || r.At(3, 3) != 0 {
		t.Error("At and Subset disagree")
	}
}

// Whitening by the matrix of all pairs, which serves where entries are missing,
// is whitening by Gram matrices.
func TestWhitenedByMatrix(t *testing.T) {
	const n = 7
	r, s := rdm(t, compare.Euclidean, gaussian(1, n, 5)), rdm(t, compare.Euclidean, gaussian(2, n, 5))
	variances := []float64{1, 2, 0.5, 1, 3, 1, 0.25}
	for _, v := range [][]float64{nil, variances[:n]} {
		a, err := compare.Whitened(v, false)(r, s)
		if err != nil {
			t.Fatal(err)
		}
		b, err := compare.WhitenedPresent(r, r.Values, s.Values, v)
		if err != nil {
			t.Fatal(err)
		}
		if v == nil {
			near(t, "whitened cosine", a, b, 1e-10)
		} else if !(b > 0 && b <= 1) {
			t.Errorf("with variances %v", b)
		}
	}
}

// Where entries are missing, whitening is by the V of those that are not, which is built here as
// it is defined: squared covariances of the differences of two pairs' stimuli.
func TestWhitenedWithMissing(t *testing.T) {
	const n = 8
	r, s := rdm(t, compare.Euclidean, gaussian(1, n, 5)), rdm(t, compare.Euclidean, gaussian(2, n, 5))
	for _, k := range []int{0, 5, 6, 20} {
		r.Values[k], s.Values[k] = math.NaN(), math.NaN()
	}
	var pairs [][2]int
	var a, b []float64
	for i := range n {
		for j := i + 1; j < n; j++ {
			if x := r.At(i, j); !math.IsNaN(x) {
				pairs, a, b = append(pairs, [2]int{i, j}), append(a, x), append(b, s.At(i, j))
			}
		}
	}
	for _, variances := range [][]float64{slices.Repeat([]float64{1}, n), {1, 2, 0.5, 1, 3, 1, 0.25, 1000}} {
		m := len(pairs)
		v := mat.NewDense(m, m, nil)
		for x, p := range pairs {
			for y, q := range pairs {
				// (e_p0 − e_p1)ᵀ diag(σ²) (e_q0 − e_q1)
				c := 0.0
				for i := range n {
					side := func(p [2]int) float64 {
						return map[int]float64{p[0]: 1, p[1]: -1}[i]
					}
					c += side(p) * variances[i] * side(q)
				}
				v.Set(x, y, c*c)
			}
		}
		product := func(x, y []float64) float64 {
			var solved mat.VecDense
			if err := solved.SolveVec(v, mat.NewVecDense(m, y)); err != nil {
				t.Fatal(err)
			}
			return mat.Dot(mat.NewVecDense(m, x), &solved)
		}
		got, err := compare.Whitened(variances, false)(r, s)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "whitened with missing entries", got, product(a, b)/math.Sqrt(product(a, a)*product(b, b)), 1e-12)
	}
}

// A resample of as many stimuli as people have, some of them drawn twice, is whitened too.
func TestWhitenedResample(t *testing.T) {
	const n = 92
	r, s := rdm(t, compare.Euclidean, gaussian(1, n, 5)), rdm(t, compare.Euclidean, gaussian(2, n, 5))
	twice := make([]int, n)
	for i := range twice {
		twice[i] = i * i % n
	}
	for name, f := range map[string]compare.Similarity{"cosine": compare.WhitenedCosine, "pearson": compare.WhitenedPearson} {
		if v, err := f(r.Subset(twice), s.Subset(twice)); err != nil || !(math.Abs(v) <= 1) {
			t.Errorf("whitened %s: %v, %v", name, v, err)
		}
		if v, err := f(r.Subset(twice), r.Subset(twice)); err != nil || math.Abs(v-1) > 1e-12 {
			t.Errorf("whitened %s with itself: %v, %v", name, v, err)
		}
	}
}

// The transforms of an RDM, by hand.
func TestTransforms(t *testing.T) {
	r := compare.RDM{N: 4, Values: []float64{4, -1, 9, 4, math.NaN(), 1}}
	same := func(name string, got compare.RDM, want ...float64) {
		t.Helper()
		for i, w := range want {
			if g := got.Values[i]; math.Abs(g-w) > 1e-12 || math.IsNaN(g) != math.IsNaN(w) {
				t.Errorf("%s: %v, want %v", name, got.Values, want)
				return
			}
		}
	}
	nan := math.NaN()
	same("rank", r.Rank(), 3.5, 1, 5, 3.5, nan, 2)
	same("sqrt", r.Sqrt(), 2, 0, 3, 2, nan, 1)
	same("positive", r.Positive(), 4, 0, 9, 4, nan, 1)
	same("min-max", r.MinMax(), .5, 0, 1, .5, nan, .2)
	same("geo-topological", r.GeoTopological(.25, .75), 1, 0, 1, 1, nan, 0)
	g := compare.RDM{N: 4, Values: []float64{1, 5, 9, 1, nan, 2}} // 0–1 1, 1–2 1, 2–3 2
	same("geodesic", g.Geodesic(), 1, 2, 4, 1, 3, 2)
	back, err := compare.FromMatrix(g.Matrix())
	if err != nil {
		t.Fatal(err)
	}
	same("matrix and back", back, g.Values...)
}

// The dissimilarities, by hand.
func TestDissimilarities(t *testing.T) {
	x := mat.NewDense(3, 2, []float64{1, 0, 0, 2, 3, 4})
	cosine := rdm(t, compare.Cosine, x)
	near(t, "cosine 01", cosine.At(0, 1), 1, 1e-12)
	near(t, "cosine 02", cosine.At(0, 2), 1-0.6, 1e-12)
	correlation := rdm(t, compare.Correlation, x)
	near(t, "correlation 01", correlation.At(0, 1), 2, 1e-12)
	silent := mat.NewDense(3, 2, []float64{1, 0, 0.1 + 0.2, 0.1 + 0.2, 3, 4})
	if r := rdm(t, compare.Correlation, silent); !math.IsNaN(r.At(0, 1)) || math.IsNaN(r.At(0, 2)) {
		t.Errorf("a pattern without variance: %v, want its entries missing", r.Values)
	}
	precision := mat.NewSymDense(2, []float64{2, 1, 1, 3})
	m, err := compare.Mahalanobis(x, precision)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mahalanobis 01", m.At(0, 1), (2*1-2*2*1+3*4)/2., 1e-12) // difference (1, −2)
	identity, err := compare.Mahalanobis(x, mat.NewSymDense(2, []float64{1, 0, 0, 1}))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range rdm(t, compare.Euclidean, x).Values {
		near(t, "mahalanobis of the identity", identity.Values[i], v, 1e-12)
	}
	rate := func(c float64) float64 { return (c + .1) / 1.1 }
	want := 0.0
	for k := range 2 {
		a, b := rate(x.At(0, k)), rate(x.At(1, k))
		want += (a - b) * (math.Log(a) - math.Log(b)) / 2
	}
	near(t, "poisson 01", rdm(t, compare.Poisson, x).At(0, 1), want, 1e-12)
	removed, err := compare.RemoveMean(x)
	if err != nil || removed.At(2, 0) != -0.5 || removed.At(2, 1) != 0.5 {
		t.Errorf("means removed: %v, %v", mat.Formatted(removed), err)
	}
	movie, err := compare.Movie([]*mat.Dense{x, scaled(x, 2)}, compare.Euclidean)
	if err != nil || len(movie) != 2 || math.Abs(movie[1].At(0, 1)-4*movie[0].At(0, 1)) > 1e-12 {
		t.Errorf("movie %v, %v", movie, err)
	}
}

// noisy is repeated observations of n conditions whose true responses are signal
// (nil: all alike), in folds of one observation each.
func noisy(seed uint64, signal *mat.Dense, n, p, folds int) compare.Observations {
	o := compare.Observations{X: gaussian(seed, n*folds, p)}
	for k := range n * folds {
		o.Condition, o.Fold = append(o.Condition, k%n), append(o.Fold, k/n)
		for j := range p {
			if signal != nil {
				o.X.Set(k, j, o.X.At(k, j)+signal.At(k%n, j))
			}
		}
	}
	return o
}

// Of pure noise, crossnobis distances are 0 on average, plain ones biased upwards
// by 2·tr Σ/(repetitions·p).
func TestUnbiased(t *testing.T) {
	const n, p, folds, trials = 8, 10, 4, 60
	var cross, poisson, plain []float64
	for seed := range uint64(trials) {
		o := noisy(seed, nil, n, p, folds)
		c, err := compare.Crossnobis(o, nil)
		if err != nil {
			t.Fatal(err)
		}
		means, err := o.Means()
		if err != nil {
			t.Fatal(err)
		}
		cross, plain = append(cross, mean(c.Values)), append(plain, mean(rdm(t, compare.Euclidean, means).Values))
		o.X.Apply(func(_, _ int, v float64) float64 { return math.Max(0, math.Round(5+2*v)) }, o.X)
		if c, err = compare.PoissonCV(o); err != nil {
			t.Fatal(err)
		}
		poisson = append(poisson, mean(c.Values))
	}
	for name, v := range map[string][]float64{"crossnobis": cross, "poisson": poisson} {
		if m, se := mean(v), deviation(v)/math.Sqrt(trials); math.Abs(m) > 3*se {
			t.Errorf("%s of noise: mean %v, standard error %v; want 0 within 3", name, m, se)
		}
	}
	near(t, "bias of the Euclidean distance", mean(plain), 2./folds, 0.05)
}

func mean(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s / float64(len(v))
}

func deviation(v []float64) float64 {
	s, m := 0.0, mean(v)
	for _, x := range v {
		s += (x - m) * (x - m)
	}
	return math.Sqrt(s / float64(len(v)-1))
}

// Without noise crossnobis is the Mahalanobis distance, by folds too.
func TestCrossnobisWithoutNoise(t *testing.T) {
	signal := gaussian(1, 5, 3)
	o := noisy(2, nil, 5, 3, 3)
	o.X.Zero()
	o.X.Apply(func(k, j int, _ float64) float64 { return signal.At(k%5, j) }, o.X)
	covariance := mat.NewSymDense(3, []float64{2, .5, 0, .5, 1, .2, 0, .2, 3})
	precision, err := compare.Precision(covariance)
	if err != nil {
		t.Fatal(err)
	}
	want, err := compare.Mahalanobis(signal, precision)
	if err != nil {
		t.Fatal(err)
	}
	a, err := compare.Crossnobis(o, precision)
	if err != nil {
		t.Fatal(err)
	}
	b, err := compare.CrossnobisByFold(o, []*mat.SymDense{covariance, covariance, covariance})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range want.Values {
		near(t, "crossnobis", a.Values[i], v, 1e-10)
		near(t, "crossnobis by fold", b.Values[i], v, 1e-10)
	}
}

// Estimates of covariance: the definitions written out, and between the sample's
// and their targets.
func TestCovariances(t *testing.T) {
	related := gaussian(3, 12, 4)
	for k := range 12 { // so far from the identity that not all is shrunk away
		for j := range 4 {
			related.Set(k, j, related.At(k, j)+6*float64(j+1)*related.At(k, 3))
		}
	}
	for _, x := range []*mat.Dense{gaussian(3, 12, 4), related} {
		covariancesByHand(t, x)
	}
	few := gaussian(4, 5, 30)
	if c, err := compare.FullCovariance(few, 4); err != nil {
		t.Error(err)
	} else if _, err := compare.Precision(c); err == nil || !strings.Contains(err.Error(), "shrink") {
		t.Errorf("precision of a singular covariance: %v, want advice to shrink", err)
	}
	for name, f := range map[string]compare.Covariance{"identity": compare.ShrinkToIdentity, "diagonal": compare.ShrinkToDiagonal} {
		if c, err := f(few, 4); err != nil {
			t.Error(err)
		} else if _, err := compare.Precision(c); err != nil {
			t.Errorf("shrunk to the %s: %v", name, err)
		}
	}
}

// λ of Schäfer and Strimmer for eight residuals of three units, by another program: 0.26769.
func TestShrinkToDiagonalGolden(t *testing.T) {
	x := mat.NewDense(8, 3, []float64{
		1, 0.9, -0.2, -1.2, -1, 0.4, 0.5, 0.7, 1, 2, 1.6, -0.5,
		-0.7, -0.9, -0.6, 0.1, -0.2, 0.8, -1.5, -1.1, 0.3, -0.2, 0, -1.2,
	})
	c, err := compare.ShrinkToDiagonal(x, 7)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range [][]float64{{1.35428571, 0.82750948, -0.09310789}, {0.82750948, 0.98857143, -0.06590783}, {-0.09310789, -0.06590783, 0.56857143}} {
		for j, want := range row {
			near(t, "covariance", c.At(i, j), want, 1e-8)
		}
	}
}

func covariancesByHand(t *testing.T, x *mat.Dense) {
	t.Helper()
	const n, p, dof = 12, 4, 9
	full, err := compare.FullCovariance(x, dof)
	if err != nil {
		t.Fatal(err)
	}
	lw, err := compare.ShrinkToIdentity(x, dof)
	if err != nil {
		t.Fatal(err)
	}
	ss, err := compare.ShrinkToDiagonal(x, dof)
	if err != nil {
		t.Fatal(err)
	}
	s := func(i, j int) float64 { return full.At(i, j) * dof / n }
	m, d2, b2 := 0.0, 0.0, 0.0
	for i := range p {
		m += s(i, i) / p
	}
	for i := range p {
		for j := range p {
			e := s(i, j)
			if i == j {
				e -= m
			}
			d2 += e * e
			for k := range n {
				e := x.At(k, i)*x.At(k, j) - s(i, j)
				b2 += e * e / (n * n)
			}
		}
	}
	b2 = min(b2*(n-1)/dof, d2)
	lambda := (ss.At(0, 1) - full.At(0, 1)) / -full.At(0, 1)
	if !(lambda > 0 && lambda <= 1) {
		t.Errorf("λ = %v, want it in (0, 1]", lambda)
	}
	for i := range p {
		for j := range p {
			w := (d2 - b2) / d2 * s(i, j)
			if i == j {
				w += b2 / d2 * m
				near(t, "variance kept", ss.At(i, i), full.At(i, i), 1e-12)
			} else {
				near(t, "covariance shrunk", ss.At(i, j), (1-lambda)*full.At(i, j), 1e-12)
			}
			near(t, "Ledoit–Wolf", lw.At(i, j), w*n/dof, 1e-12)
		}
	}
}

// Without a relation, CKA of few stimuli and many units is near 1, and unbiased
// near 0.
func TestCKABias(t *testing.T) {
	x, y := gaussian(1, 50, 500), gaussian(2, 50, 500)
	biased, err := compare.LinearCKA(x, y)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "biased", biased, .9, .05)
	unbiased, err := compare.UnbiasedCKA(x, y)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "unbiased", unbiased, 0, .05)
}

// The two forms of linear CKA, and its equality with the whitened cosine.
func TestCKAForms(t *testing.T) {
	x, y := gaussian(1, 40, 6), gaussian(2, 40, 5)
	wide := mat.NewDense(40, 50, nil) // silent units make the other form be chosen
	wide.Slice(0, 40, 0, 6).(*mat.Dense).Copy(x)
	a, err := compare.LinearCKA(x, y)
	if err != nil {
		t.Fatal(err)
	}
	b, err := compare.LinearCKA(wide, y)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "CKA of Gram matrices", b, a, 1e-12)
	c, err := rsa(compare.Euclidean, compare.WhitenedCosine)(x, y)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "whitened cosine", c, a, 1e-12)
}

// Minibatches: of one it is UnbiasedCKA, of many close to that of all stimuli.
func TestMinibatchCKA(t *testing.T) {
	x := gaussian(1, 400, 10)
	y := times(x, gaussian(2, 10, 8))
	y.Add(y, gaussian(3, 400, 8))
	want, err := compare.UnbiasedCKA(x, y)
	if err != nil {
		t.Fatal(err)
	}
	var one, many compare.MinibatchCKA
	if err := one.Add(x, y); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 400; i += 40 {
		if err := many.Add(x.Slice(i, i+40, 0, 10).(*mat.Dense), y.Slice(i, i+40, 0, 8).(*mat.Dense)); err != nil {
			t.Fatal(err)
		}
	}
	a, err := one.Value()
	if err != nil {
		t.Fatal(err)
	}
	b, err := many.Value()
	if err != nil {
		t.Fatal(err)
	}
	near(t, "one batch", a, want, 1e-12)
	near(t, "ten batches", b, want, .05)
	if v, err := (&compare.MinibatchCKA{}).Value(); v != 0 || !errors.Is(err, compare.ErrUndefined) {
		t.Errorf("no batch: %v, %v", v, err)
	}
}

// A table of layers holds what the functions give one by one.
func TestCKATable(t *testing.T) {
	a := []*mat.Dense{gaussian(1, 20, 5), gaussian(2, 20, 30)}
	b := []*mat.Dense{gaussian(3, 20, 8), a[1]}
	for kernel, f := range map[compare.Kernel]func(x, y *mat.Dense) (float64, error){
		compare.Linear: compare.LinearCKA, compare.Unbiased: compare.UnbiasedCKA,
		compare.RBF: func(x, y *mat.Dense) (float64, error) { return compare.RBFCKA(x, y, 1) },
	} {
		table, err := compare.CKATable(a, b, kernel)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range a {
			for j, y := range b {
				want, err := f(x, y)
				if err != nil {
					t.Fatal(err)
				}
				near(t, "table", table.At(i, j), want, 1e-12)
			}
		}
	}
	if _, err := compare.CKATable(a, b, 9); err == nil {
		t.Error("kernel 9 is accepted")
	}
}

// Points of a plane come back from their distances, up to rotation.
func TestMDS(t *testing.T) {
	x := gaussian(1, 10, 2)
	r := rdm(t, compare.Euclidean, x)
	points, explained, err := compare.MDS(r, 2)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "explained", explained, 1, 1e-10)
	for i, v := range rdm(t, compare.Euclidean, points).Values {
		near(t, "squared distance", v*2, r.Values[i], 1e-10) // r is divided by two units, the map shows it undivided
	}
	for d := range 2 {
		if c := mat.Col(nil, d, points); slices.Max(c) < -slices.Min(c) {
			t.Error("an axis points the other way")
		}
	}
}

// Mistakes get an error that names the operation and helps.
func TestErrors(t *testing.T) {
	x := gaussian(1, 6, 3)
	bad := mat.DenseCopyOf(x)
	bad.Set(4, 1, math.NaN())
	r := rdm(t, compare.Euclidean, x)
	once := noisy(1, nil, 4, 3, 1)
	gap := noisy(1, nil, 4, 3, 2)
	gap.Condition[5] = 0
	negative := noisy(1, nil, 4, 3, 2)
	for _, c := range []struct {
		want string
		f    func() error
	}{
		{"unit 1 of 3 to stimulus 4 is NaN", func() error { _, err := compare.Euclidean(bad); return err }},
		{"2 stimuli, want at least 3", func() error { _, err := compare.Euclidean(gaussian(1, 2, 3)); return err }},
		{"no responses", func() error { _, err := compare.LinearCKA(nil, x); return err }},
		{"6 and to 5 stimuli", func() error { _, err := compare.LinearCKA(x, gaussian(1, 5, 3)); return err }},
		{"3 stimuli, want at least 4", func() error { _, err := compare.UnbiasedCKA(gaussian(1, 3, 2), gaussian(2, 3, 2)); return err }},
		{"width 0", func() error { _, err := compare.RBFCKA(x, x, 0); return err }},
		{"RDMs of 6 and of 5 stimuli", func() error { _, err := compare.Pearson(r, rdm(t, compare.Euclidean, gaussian(1, 5, 3))); return err }},
		{"1 folds, want at least 2", func() error { _, err := compare.Crossnobis(once, nil); return err }},
		{"condition 1 has no observation", func() error { _, err := compare.Crossnobis(gap, nil); return err }},
		{"none below 0", func() error { _, err := compare.Poisson(x); return err }},
		{"none below 0", func() error { _, err := compare.PoissonCV(negative); return err }},
		{"precision of the noise of 3 units", func() error { _, err := compare.Mahalanobis(x, mat.NewSymDense(2, nil)); return err }},
		{"first setting", func() error { _, err := compare.ReStA(bad, x); return err }},
		{"reference 2", func() error { _, err := compare.ReStACurve([]*mat.Dense{x, x}, 2); return err }},
		{"0 permutations", func() error { _, _, err := compare.PermutationTest(compare.Pearson, r, r, 0, 1, nil); return err }},
		{"1 subjects, want at least 2", func() error {
			_, _, err := compare.NoiseCeiling(compare.Comparison{Similarity: compare.Pearson}, []compare.RDM{r})
			return err
		}},
		{"whole units of steps", func() error { _, err := compare.Traces(x, 2, 1); return err }},
		{"7 dimensions for 6", func() error { _, _, err := compare.MDS(r, 7); return err }},
		{"a square one", func() error { _, err := compare.FromMatrix(x); return err }},
	} {
		err := c.f()
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "compare.") {
			t.Errorf("%v, want compare.… %q", err, c.want)
		}
	}
}

// Components of equal variance are kept together: which of them comes first is
// rounding's choice, and turning the responses would change the value.
func TestSVCCAKeepsEqualComponents(t *testing.T) {
	const n = 24
	x, y := mat.NewDense(n, 2, nil), gaussian(3, n, 2)
	for i := range n { // orthogonal columns of one length
		x.SetRow(i, []float64{math.Cos(2 * math.Pi * float64(i) / n), math.Sin(2 * math.Pi * float64(i) / n)})
		y.Set(i, 0, y.At(i, 0)+3*x.At(i, 0))
	}
	want, err := canonical.SVCCA(x, y, 0.5) // of y one component of two
	if err != nil {
		t.Fatal(err)
	}
	for _, angle := range []float64{0, 0.3, 1, 2} {
		turned := times(x, mat.NewDense(2, 2, []float64{math.Cos(angle), -math.Sin(angle), math.Sin(angle), math.Cos(angle)}))
		if got, err := canonical.SVCCA(turned, y, 0.5); err != nil || math.Abs(got-want) > 1e-9 {
			t.Errorf("turned by %v: %v, %v; before %v", angle, got, err, want)
		}
	}
}
