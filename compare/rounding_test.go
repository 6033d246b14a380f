package compare_test

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"synfire/compare"
	"synfire/internal/rng"
	"synfire/spike"
)

var (
	tiesX     = []float64{0, 0, 0, 1, 0, 1, 1, 1, 0, 1}
	tiesXPlus = []float64{0.1, 0.1, 0.1, 1.1, 0.1, 1.1, 1.1, 1.1, 0.1, 1.1}
)

func dense(n int, v ...float64) *mat.Dense { return mat.NewDense(n, len(v)/n, v) }

func identity(n int) *mat.Dense {
	x := mat.NewDense(n, n, nil)
	for i := range n {
		x.Set(i, i, 1)
	}
	return x
}

// Equal dissimilarities were told apart by their last bits: 0.647 and 0.5 in place
// of 1, −0.0396 in place of 0.1200.
func TestTiesOfComputedDissimilarities(t *testing.T) {
	x, plus, line := dense(5, tiesX...), dense(5, tiesXPlus...), dense(5, 0, 1, 2, 3, 4)
	for _, c := range []struct {
		name string
		f    compare.Similarity
		y    *mat.Dense
		want float64
	}{
		{"spearman, plus", compare.Spearman, plus, 1}, {"tau-b, plus", compare.TauB, plus, 1},
		{"spearman, line", compare.Spearman, line, 0.1200198396}, {"tau-b, line", compare.TauB, line, 0.0975900073},
	} {
		for scale, y := range map[string]*mat.Dense{"as it is": c.y, "times 0.1": scaled(c.y, 0.1), "times 1e-9/3": scaled(c.y, 1e-9/3)} {
			got, err := rsa(compare.Euclidean, c.f)(x, y)
			if err != nil {
				t.Fatal(err)
			}
			near(t, c.name+", "+scale, got, c.want, 1e-10)
		}
	}
	for name, f := range map[string]compare.Similarity{"tau-a": compare.TauA, "rho-a": compare.RhoA, "whitened ranks": func(r, s compare.RDM) (float64, error) { return compare.WhitenedCosine(r.Rank(), s.Rank()) }} {
		a, err := rsa(compare.Euclidean, f)(x, line)
		if err != nil {
			t.Fatal(err)
		}
		b, err := rsa(compare.Euclidean, f)(plus, plus2(line, 0.1))
		if err != nil {
			t.Fatal(err)
		}
		near(t, name, b, a, 1e-12)
	}
}

// plus2 adds a number to each element.
func plus2(x *mat.Dense, v float64) *mat.Dense { return plus(x, func(int) float64 { return v }) }

// The correlation distance of two units is 0 or 2, a tie but for rounding, and
// float32 numbers are ties but for the rounding to those.
func TestTiesOfTwoUnitsAndOfFloat32(t *testing.T) {
	x := gaussian(3, 9, 2)
	r := rdm(t, compare.Correlation, x).Rank()
	if d := slices.Compact(slices.Sorted(slices.Values(r.Values))); len(d) != 2 {
		t.Errorf("ranks of the correlation distance of two units: %v", d)
	}
	single := mat.DenseCopyOf(dense(5, tiesX...))
	single.Apply(func(_, _ int, v float64) float64 { return float64(float32(v) + 0.1) }, single)
	m, err := compare.Lookup("rsa-spearman")
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Compare(compare.Responses{X: dense(5, tiesX...)}, compare.Responses{X: single, Roundoff: 0x1p-24}, compare.DefaultParams(), nil)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "spearman of float32 numbers", got.Value, 1, 1e-12)
}

// A tolerance between neighbours would tie a chain of different values: a group of
// ties spans what its first value's error explains.
func TestTiesAreNotAChain(t *testing.T) {
	r := compare.RDM{N: 4, Values: []float64{1, 1.5, 2, 2.5, 3, 9}, Rounding: []float64{.3, .3, .3, .3, .3, .3}}
	if got, want := r.Rank().Values, []float64{1.5, 1.5, 3.5, 3.5, 5, 6}; !reflect.DeepEqual(got, want) {
		t.Errorf("ranks %v, want %v", got, want)
	}
	exact := compare.RDM{N: 4, Values: []float64{1, math.Nextafter(1, 2), 2, 2.5, 3, 9}}
	if got, want := exact.Rank().Values, []float64{1, 2, 3, 4, 5, 6}; !reflect.DeepEqual(got, want) {
		t.Errorf("ranks of exact entries %v, want %v", got, want)
	}
}

// Counts are whole numbers, and their squared distances exact: neighbours among
// large ones are no ties.
func TestCountsAreExact(t *testing.T) {
	const big = 1 << 16
	x := mat.NewDense(3, 1000, nil)
	for j := range 1000 {
		x.Set(1, j, big)
		x.Set(2, j, -big)
	}
	x.Set(2, 0, -big+1) // one count of a thousand: one part in 10⁸ of a distance
	r := rdm(t, compare.Euclidean, x)
	if r.Rounding != nil {
		t.Error("distances of counts carry an error")
	}
	if got := r.Rank().Values; got[0] != 2 || got[1] != 1 || got[2] != 3 {
		t.Errorf("ranks %v, want 2, 1, 3", got)
	}
}

// The bound of an error bounds it: against exact rational arithmetic, for each
// dissimilarity that rational numbers reach.
func TestRoundingIsBounded(t *testing.T) {
	for seed := range uint64(40) {
		s := rng.New(seed, "bounds").Source()
		n, p := 4+s.IntN(4), 1+s.IntN(40)
		x := scaled(gaussian(seed, n, p), math.Pow(10, float64(s.IntN(9)-4)))
		x = plus2(x, []float64{0, 1, 1e6, -1e12}[s.IntN(4)])
		precision := mat.NewSymDense(p, nil)
		for i := range p {
			for j := range i + 1 {
				precision.SetSym(i, j, s.Norm())
			}
			precision.SetSym(i, i, 2*float64(p))
		}
		m, err := compare.Mahalanobis(x, precision)
		if err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			r compare.RDM
			w mat.Matrix
		}{"Euclidean": {rdm(t, compare.Euclidean, x), nil}, "Mahalanobis": {m, precision}} {
			for i := range n {
				for j := range i {
					k := slices.Index(c.r.Values, c.r.At(j, i))
					if c.r.Rounding == nil {
						t.Fatalf("%s of numbers of 53 bits carries no error", name)
					}
					exact := exactDistance(x, c.w, i, j)
					diff, _ := new(big.Rat).Sub(exact, new(big.Rat).SetFloat64(c.r.Values[k])).Float64()
					if math.Abs(diff) > c.r.Rounding[k] {
						t.Errorf("%s of %d units: %v is off by %v, bound %v", name, p, c.r.Values[k], diff, c.r.Rounding[k])
					}
					if c.r.Rounding[k] > 1e-3*c.r.Values[k]+1e-3 && mat.Max(x) < 1e7 && mat.Min(x) > -1e7 {
						t.Errorf("%s: bound %v of %v says nothing", name, c.r.Rounding[k], c.r.Values[k])
					}
				}
			}
		}
	}
}

// exactDistance is (x_i − x_j)ᵀ·w·(x_i − x_j)/p of the numbers as they are.
func exactDistance(x *mat.Dense, w mat.Matrix, i, j int) *big.Rat {
	_, p := x.Dims()
	rat := func(v float64) *big.Rat { return new(big.Rat).SetFloat64(v) }
	d := make([]*big.Rat, p)
	for k := range d {
		d[k] = new(big.Rat).Sub(rat(x.At(i, k)), rat(x.At(j, k)))
	}
	sum := new(big.Rat)
	for k := range d {
		if w == nil {
			sum.Add(sum, new(big.Rat).Mul(d[k], d[k]))
			continue
		}
		for l := range d {
			sum.Add(sum, new(big.Rat).Mul(rat(w.At(k, l)), new(big.Rat).Mul(d[k], d[l])))
		}
	}
	return sum.Quo(sum, rat(float64(p)))
}

// slowRanks and the similarities below are of rational numbers, by counting.
func slowRanks(v []*big.Rat) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		for _, y := range v {
			switch y.Cmp(x) {
			case -1:
				out[i]++
			case 0:
				out[i] += 0.5
			}
		}
		out[i] += 0.5
	}
	return out
}

func slowSpearman(a, b []*big.Rat) (float64, bool) {
	r, s := slowRanks(a), slowRanks(b)
	centre := float64(len(r)+1) / 2
	var rs, rr, ss float64
	for i := range r {
		rs += (r[i] - centre) * (s[i] - centre)
		rr += (r[i] - centre) * (r[i] - centre)
		ss += (s[i] - centre) * (s[i] - centre)
	}
	return rs / math.Sqrt(rr*ss), rr > 0 && ss > 0
}

func slowTaus(a, b []*big.Rat) (tauA, tauB float64, defined bool) {
	var excess, pairs, untiedA, untiedB float64
	for i := range a {
		for j := range i {
			x, y := a[i].Cmp(a[j]), b[i].Cmp(b[j])
			excess += float64(x * y)
			pairs++
			untiedA += float64(x * x)
			untiedB += float64(y * y)
		}
	}
	return excess / pairs, excess / math.Sqrt(untiedA*untiedB), untiedA > 0 && untiedB > 0
}

// ranksAgree compares rank similarities of the distances of small whole numbers,
// changed in ways that keep ties but not bits, with rational arithmetic.
func ranksAgree(t interface {
	Helper()
	Fatalf(string, ...any)
}, n int, x, y *mat.Dense, factor, shift float64) {
	t.Helper()
	var a, b []*big.Rat
	for i := range n {
		for j := i + 1; j < n; j++ {
			a, b = append(a, exactDistance(x, nil, i, j)), append(b, exactDistance(y, nil, i, j))
		}
	}
	r, err := compare.Euclidean(x)
	if err != nil {
		t.Fatalf("%v", err)
	}
	s, err := compare.Euclidean(plus2(scaled(y, factor), shift))
	if err != nil {
		t.Fatalf("%v", err)
	}
	same := func(name string, f compare.Similarity, want float64, defined bool) {
		t.Helper()
		got, err := f(r, s)
		if errors.Is(err, compare.ErrUndefined) == defined || defined && math.Abs(got-want) > 1e-12 {
			t.Fatalf("%s = %v, %v; want %v, defined %v; y times %v plus %v:\n%v\n%v", name, got, err, want, defined, factor, shift, mat.Formatted(x), mat.Formatted(y))
		}
	}
	spearman, defined := slowSpearman(a, b)
	same("spearman", compare.Spearman, spearman, defined)
	tauA, tauB, defined := slowTaus(a, b)
	same("tau-a", compare.TauA, tauA, true)
	same("tau-b", compare.TauB, tauB, defined)
}

func TestRanksAgainstRationalNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, p, q := rapid.IntRange(3, 9).Draw(t, "n"), rapid.IntRange(1, 6).Draw(t, "p"), rapid.IntRange(1, 6).Draw(t, "q")
		counts := rapid.Float64Range(0, float64(rapid.IntRange(1, 5).Draw(t, "most"))+0.99)
		draw := func(name string, p int) *mat.Dense {
			x := mat.NewDense(n, p, rapid.SliceOfN(counts, n*p, n*p).Draw(t, name))
			x.Apply(func(_, _ int, v float64) float64 { return math.Floor(v) }, x)
			return x
		}
		factor := rapid.SampledFrom([]float64{1, 0.1, 1. / 3, 7, 1e-150, 1e150, 0x1p-400}).Draw(t, "factor")
		shift := factor * rapid.SampledFrom([]float64{0, 0.1, -0.7, 1000.1, 1e6 / 3.}).Draw(t, "shift")
		ranksAgree(t, n, draw("x", p), draw("y", q), factor, shift)
	})
}

func FuzzRanks(f *testing.F) {
	f.Add(uint8(2), []byte{0, 0, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4}, 1.0, 0.1)
	f.Add(uint8(1), []byte{0, 1, 2, 3, 4, 4}, 0.1, 0.0)
	f.Fuzz(func(t *testing.T, units uint8, raw []byte, factor, shift float64) {
		p := 1 + int(units%5)
		n := len(raw) / (2 * p)
		size := math.Abs(factor)
		if n < 3 || n > 10 || !(size > 1e-140 && size < 1e140) || !(math.Abs(shift) < 1e5*size) {
			return
		}
		if factor*shift < 0 { // what cancels is off by more than its own last bit, which is what a response may be
			return
		}
		x, y := mat.NewDense(n, p, nil), mat.NewDense(n, p, nil)
		for k := range n * p {
			x.Set(k/p, k%p, float64(raw[k]%16))
			y.Set(k/p, k%p, float64(raw[n*p+k]%16))
		}
		ranksAgree(t, n, x, y, factor, shift)
	})
}

// Pools of ranks were sums of rank/n, in which equal sums differ: 0.25 in one order
// of subjects, 0.3415 in another.
func TestCeilingDoesNotDependOnTheOrderOfSubjects(t *testing.T) {
	subjects := []compare.RDM{{N: 3, Values: []float64{1, 2, 3}}, {N: 3, Values: []float64{1, 2, 3}}, {N: 3, Values: []float64{1, 3, 2}}, {N: 3, Values: []float64{2, 3, 1}}}
	for _, order := range permutations(4) {
		var data []compare.RDM
		for _, k := range order {
			data = append(data, subjects[k])
		}
		lower, _, err := compare.NoiseCeiling(spearman, data)
		if err != nil {
			t.Fatal(err)
		}
		near(t, fmt.Sprint("lower ceiling in order ", order), lower, 0.3415063509, 1e-10)
	}
}

func permutations(n int) (all [][]int) {
	if n == 0 {
		return [][]int{nil}
	}
	for _, rest := range permutations(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(rest), at, n-1))
		}
	}
	return all
}

// The order of subjects changes no bit of a ceiling or a score, for any pooling.
func TestOrderOfSubjects(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64Max(1<<30).Draw(t, "seed")
		counts := rapid.Bool().Draw(t, "counts")
		var data []compare.RDM
		for s := range uint64(5) {
			x := gaussian(seed+s, 7, 3)
			if counts {
				x.Apply(func(_, _ int, v float64) float64 { return math.Round(v) }, x)
			}
			r, err := compare.Euclidean(x)
			if err != nil {
				t.Fatal(err)
			}
			data = append(data, r)
		}
		order := rng.New(seed, "order").Source().Perm(len(data))
		var other []compare.RDM
		for _, k := range order {
			other = append(other, data[k])
		}
		for name, c := range map[string]compare.Comparison{
			"cosine": {Similarity: compare.CosineSimilarity, Pooling: compare.PoolCosine}, "pearson": {Similarity: compare.Pearson, Pooling: compare.PoolCorrelation},
			"spearman": spearman, "tau-b": {Similarity: compare.TauB, Pooling: compare.PoolRanks},
		} {
			l1, u1, err := compare.NoiseCeiling(c, data)
			l2, u2, err2 := compare.NoiseCeiling(c, other)
			if l1 != l2 || u1 != u2 || err != nil || err2 != nil {
				t.Fatalf("%s: ceiling %v to %v, in another order %v to %v; %v, %v", name, l1, u1, l2, u2, err, err2)
			}
			models := []compare.Model{compare.Fixed{RDM: data[0]}, compare.Select{RDMs: data[:2]}, compare.Weighted{RDMs: data[:3]}}
			a, err := compare.Bootstrap{Comparison: c, Resamples: 2}.Run(models, data)
			b, err2 := compare.Bootstrap{Comparison: c, Resamples: 2}.Run(models, other)
			if err != nil || err2 != nil || !reflect.DeepEqual(a.Scores, b.Scores) {
				t.Fatalf("%s: scores %v, in another order %v; %v, %v", name, a.Scores, b.Scores, err, err2)
			}
		}
	})
}

// Whitening with variances centred with equal weights: 0.696808 in place of
// 0.780720. V⁻¹ itself, of all pairs, is what it must equal.
func TestWhitenedWithVariances(t *testing.T) {
	r, s := compare.RDM{N: 3, Values: []float64{1, 2, 3}}, compare.RDM{N: 3, Values: []float64{3, 1, 2}}
	got, err := compare.Whitened([]float64{1, 1, 4}, false)(r, s)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "whitened", got, 0.780720, 5e-7)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(3, 8).Draw(t, "n")
		seed := rapid.Uint64Max(1<<30).Draw(t, "seed")
		variances := rapid.SliceOfN(rapid.Float64Range(0.05, 9), n, n).Draw(t, "variances")
		r, err := compare.Euclidean(gaussian(seed, n, 4))
		if err != nil {
			t.Fatal(err)
		}
		s, err := compare.Euclidean(gaussian(seed+1, n, 4))
		if err != nil {
			t.Fatal(err)
		}
		got, err := compare.Whitened(variances, false)(r, s)
		if err != nil {
			t.Fatal(err)
		}
		want, err := compare.WhitenedPresent(r, r.Values, s.Values, variances)
		if err != nil || math.Abs(got-want) > 1e-9 {
			t.Errorf("%v by Gram matrices, %v by the covariance of all pairs, %v", got, want, err)
		}
		for i := range variances {
			variances[i] *= 1e150
		}
		if large, err := compare.Whitened(variances, false)(r, s); err != nil || math.Abs(large-got) > 1e-12 {
			t.Errorf("variances 1e150 times as large: %v, %v; want %v", large, err, got)
		}
	})
}

// What does not exist is said so, of rounding errors too, and whatever the scale.
func TestUndefined(t *testing.T) {
	x := gaussian(1, 10, 3)
	constant := func(n, p int, v float64) *mat.Dense {
		c := mat.NewDense(n, p, nil)
		c.Apply(func(i, j int, _ float64) float64 { return v * float64(1+j) }, c)
		return c
	}
	wobbling := constant(10, 3, 0.1)
	wobbling.Apply(func(i, _ int, v float64) float64 { return v * (1 + 0x1p-52*float64(i%3)) }, wobbling)
	metric := func(name string) func(x, y *mat.Dense) (compare.Result, error) {
		return func(x, y *mat.Dense) (compare.Result, error) {
			m, err := compare.Lookup(name)
			if err != nil {
				t.Fatal(err)
			}
			return m.Compare(compare.Responses{X: x}, compare.Responses{X: y}, compare.DefaultParams(), nil)
		}
	}
	all := []string{"rsa-spearman", "rsa-cosine", "rsa-whitened", "cka-linear", "cka-rbf", "cka-unbiased", "cca", "svcca", "pwcca", "ridge", "pls"}
	cases := []struct {
		name    string
		x, y    *mat.Dense
		metrics []string
	}{
		{"constants", x, constant(10, 3, 0.1), all},
		{"constants but for the last bit", x, wobbling, all},
		{"tiny constants", x, constant(10, 3, 1e-200), all},
		{"zeros", x, mat.NewDense(10, 3, nil), all},
	}
	for _, n := range []int{4, 5, 7, 10, 33} { // −1, 2.83, 2 and 1 were found
		cases = append(cases, struct {
			name    string
			x, y    *mat.Dense
			metrics []string
		}{fmt.Sprintf("identity of %d", n), identity(n), scaled(identity(n), 3), []string{"cka-unbiased", "rsa-spearman"}})
		cases = append(cases, struct {
			name    string
			x, y    *mat.Dense
			metrics []string
		}{fmt.Sprintf("identity of %d, turned and moved", n), times(plus2(identity(n), 0.3), rotation(9, n)), scaled(identity(n), 1./3), []string{"cka-unbiased", "rsa-spearman"}})
	}
	for _, c := range cases {
		for _, name := range c.metrics {
			for _, scale := range []float64{1, 1e-150, 1e150} {
				r, err := metric(name)(c.x, scaled(c.y, scale))
				if err != nil || r.Undefined == "" || r.Value != 0 {
					t.Errorf("%s of %s times %v: %+v, %v; want it undefined", name, c.name, scale, r, err)
				}
			}
		}
	}
}

// A unit that never varies, however large, has no part in what the others say.
func TestConstantUnit(t *testing.T) {
	x, y := gaussian(1, 20, 3), gaussian(2, 20, 3)
	y.Add(y, x)
	biased := mat.NewDense(20, 4, nil)
	biased.Slice(0, 20, 0, 3).(*mat.Dense).Copy(x)
	for i := range 20 {
		biased.Set(i, 3, 1e12/3)
	}
	for _, m := range measures() {
		if m.name == "correlation pearson" {
			continue // which means the units of a pattern
		}
		a, err := m.of(x, y)
		if err != nil {
			t.Fatal(err)
		}
		b, err := m.of(biased, y)
		if err != nil || math.Abs(a-b) > 1e-9 {
			t.Errorf("%s: %v, with a constant unit %v, %v", m.name, a, b, err)
		}
	}
}

// every metric with the dissimilarities it may have, and what leaves it as it is.
type variant struct {
	name   string
	metric compare.Metric
	params compare.Params

	scaleX, shift, stimuli bool
	degenerate             bool // has one answer for counts too
}

func variants() (all []variant) {
	for _, m := range compare.Metrics() {
		p := compare.DefaultParams()
		v := variant{m.Name, m, p, true, true, true, true}
		switch m.Name {
		case "ridge":
			v.scaleX, v.stimuli, v.shift = false, false, true // a penalty has a scale, folds an order
		case "pls":
			v.stimuli = false
		case "restab":
			v.shift = false
		case "rsa-kendall":
			v.params.Kendall, v.name = "b", "tau-b"
			all = append(all, v)
			v.params.Kendall, v.name = "a", "tau-a"
		}
		if !m.OfDissimilarities() {
			all = append(all, v)
			continue
		}
		for _, d := range compare.Dissimilarities() {
			if d == "spikes" {
				continue
			}
			w := v
			w.params.Dissimilarity, w.name = d, v.name+" "+d
			w.shift, w.scaleX = d == "euclidean", d != "poisson"
			all = append(all, w)
		}
	}
	return all
}

// Every metric, with every dissimilarity: it does not see the scale of the
// responses from 1e-150 to 1e150, shifts that are exact, the order of stimuli or
// of units.
func TestMetricsAreInvariant(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				n := rapid.IntRange(9, 16).Draw(t, "n")
				seed := rapid.Uint64Max(1<<30).Draw(t, "seed")
				x, y := gaussian(seed, n, 4), gaussian(seed+1, n, 3)
				y.Add(y, times(x, gaussian(seed+2, 4, 3)))
				if v.degenerate && rapid.Bool().Draw(t, "counts") {
					most := float64(rapid.IntRange(1, 3).Draw(t, "most"))
					for _, m := range []*mat.Dense{x, y} {
						m.Apply(func(_, _ int, v float64) float64 { return math.Round(min(math.Abs(v), most)) }, m)
					}
				} else {
					for _, m := range []*mat.Dense{x, y} { // steps of 1/64, so that shifts are exact
						m.Apply(func(_, _ int, v float64) float64 { return math.Round(64*math.Abs(v)) / 64 }, m)
					}
				}
				of := func(x, y *mat.Dense) (compare.Result, error) {
					return v.metric.Compare(compare.Responses{X: x}, compare.Responses{X: y}, v.params, nil)
				}
				base, baseErr := of(x, y)
				same := func(what string, x, y *mat.Dense) {
					t.Helper()
					got, err := of(x, y)
					if (err == nil) != (baseErr == nil) || (got.Undefined == "") != (base.Undefined == "") || math.Abs(got.Value-base.Value) > 1e-9 || got.LeftOut != base.LeftOut {
						t.Fatalf("%s: %+v, %v; before %+v, %v\n%v\n%v", what, got, err, base, baseErr, mat.Formatted(x), mat.Formatted(y))
					}
				}
				factors := []float64{0x1p-3, 0x1p400, 0x1p-498, 0.1, 7. / 3, 1e-9, 1e150, 1e-150}
				f := rapid.SampledFrom(factors).Draw(t, "factor")
				if v.scaleX {
					same(fmt.Sprint("times ", f), scaled(x, f), y)
				}
				if v.params.Dissimilarity != "poisson" {
					same(fmt.Sprint("y times ", f), x, scaled(y, f))
				}
				shift := float64(rapid.IntRange(-1<<20, 1<<20).Draw(t, "shift"))
				if v.shift {
					same(fmt.Sprint("plus ", shift), plus(x, func(j int) float64 { return shift * float64(j) }), plus2(y, -shift))
				} else if v.params.Dissimilarity == "correlation" && v.metric.OfDissimilarities() {
					same(fmt.Sprint("plus ", shift), plus2(x, shift), y)
				}
				if v.stimuli {
					order := rng.New(seed, "order").Source().Perm(n)
					same("order of stimuli", reordered(x, order), reordered(y, order))
				}
				units := times(x, mat.NewDense(4, 4, []float64{0, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0}))
				same("order of units", units, y)
			})
		})
	}
}

// Numbers near the ends of what a float64 holds gave NaN and internal errors: the
// value is that of the scaled data.
func TestHugeNumbers(t *testing.T) {
	huge, ok := dense(5, 1e308, -1e308, 1e308, 3, 4, 5, -1e308, 7, 8, 9), dense(5, 1, 5, 2, 3, 4, 5, 6, 7, 8, 9)
	small := scaled(huge, 1e-300)
	for _, v := range variants() {
		if v.params.Dissimilarity == "poisson" && v.metric.OfDissimilarities() || !v.scaleX {
			continue
		}
		of := func(x, y *mat.Dense) compare.Result {
			r, err := v.metric.Compare(compare.Responses{X: x}, compare.Responses{X: y}, v.params, nil)
			if err != nil {
				t.Errorf("%s: %v", v.name, err)
			}
			return r
		}
		a, b := of(huge, ok), of(small, ok)
		if math.IsNaN(a.Value) || math.Abs(a.Value-b.Value) > 1e-9 || a.Undefined != b.Undefined {
			t.Errorf("%s: %+v, of the data times 1e-300 %+v", v.name, a, b)
		}
		if a, b := of(ok, huge), of(ok, small); math.IsNaN(a.Value) || math.Abs(a.Value-b.Value) > 1e-9 {
			t.Errorf("%s, the other way: %+v, of the data times 1e-300 %+v", v.name, a, b)
		}
	}
	if _, err := compare.Euclidean(huge); err == nil {
		t.Error("squares of 1e308 have a value")
	}
	for _, scale := range []float64{1e-200, 1e-150, 1, 1e150, 1e300} {
		x := gaussian(1, 12, 4)
		for name, f := range map[string]func(r, s compare.RDM) (float64, error){
			"spearman": compare.Spearman, "pearson": compare.Pearson, "cosine": compare.CosineSimilarity, "whitened": compare.WhitenedCosine, "bures": compare.Bures,
		} {
			r, s := rdm(t, compare.Euclidean, x), rdm(t, compare.Euclidean, gaussian(2, 12, 4))
			want, err := f(r, s)
			if err != nil {
				t.Fatal(err)
			}
			for i := range s.Values {
				s.Values[i] *= scale
				s.Rounding[i] *= scale
			}
			got, err := f(r, s)
			if err != nil || math.Abs(got-want) > 1e-12 {
				t.Errorf("%s of an RDM times %v: %v, %v; want %v", name, scale, got, err, want)
			}
			lower, _, err := compare.NoiseCeiling(compare.Comparison{Similarity: f, Pooling: compare.PoolCosine}, []compare.RDM{r, s, s})
			if err != nil || math.IsNaN(lower) {
				t.Errorf("%s: ceiling %v, %v", name, lower, err)
			}
		}
	}
}

// A stimulus that no unit answers is left out of ReStA, as of the other measures.
func TestReStASilentStimulus(t *testing.T) {
	a, b := dense(4, 0, 0, 1, 2, 2, 1, 3, 1), dense(4, 1, 1, 1, 2, 2, 1, 3, 1)
	v, err := compare.ReStA(a, b)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ReStA", v, 1, 1e-12)
	m, err := compare.Lookup("restab")
	if err != nil {
		t.Fatal(err)
	}
	r, err := m.Compare(compare.Responses{X: a}, compare.Responses{X: b}, compare.DefaultParams(), nil)
	if err != nil || r.LeftOut != 3 || r.Of != 6 {
		t.Errorf("%+v, %v; want 3 of 6 left out", r, err)
	}
	if _, err := compare.ReStA(mat.NewDense(4, 2, nil), b); !errors.Is(err, compare.ErrUndefined) {
		t.Errorf("all silent: %v", err)
	}
}

// Trains at the same distances, one recording in two units of time or begun later:
// the ranks of their dissimilarities are the same.
func TestSpikeTies(t *testing.T) {
	times := [][]float64{{1, 4, 7}, {2, 5, 8}, {3, 6, 9}, {1, 4, 9}, {2, 4, 8}}
	for _, name := range compare.Distances() {
		var ranks []float64
		for _, c := range []struct{ unit, begin float64 }{{1, 0}, {0.1, 0}, {1e-3, 0}, {1, 100.1}, {0.1, 7.3}} {
			var trials []compare.Trials
			for _, ts := range times {
				train := spike.Train{Start: c.begin, Stop: c.begin + 10*c.unit}
				for _, x := range ts {
					train.Times = append(train.Times, c.begin+x*c.unit)
				}
				trials = append(trials, compare.Trials{{train}})
			}
			p := compare.DefaultParams()
			p.Dissimilarity, p.Distance, p.Tau, p.Cost = "spikes", name, fmt.Sprint(3*c.unit), fmt.Sprint(0.4/c.unit)
			r, err := p.RDM(compare.Responses{Trials: trials}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Rank().Values; ranks == nil {
				ranks = got
			} else if !reflect.DeepEqual(got, ranks) {
				t.Errorf("%s in units of %v from %v: ranks %v, want %v (%v)", name, c.unit, c.begin, got, ranks, r.Values)
			}
		}
	}
}

// Errors are carried through what is made of an RDM, so that ties stay ties.
func TestTiesAfterTransforms(t *testing.T) {
	x, p := dense(5, tiesX...), dense(5, tiesXPlus...)
	r, s := rdm(t, compare.Euclidean, x), rdm(t, compare.Euclidean, p)
	order := []int{4, 2, 0, 1, 3, 3}
	for name, f := range map[string]func(compare.RDM) compare.RDM{
		"sqrt": compare.RDM.Sqrt, "positive": compare.RDM.Positive, "min-max": compare.RDM.MinMax, "geodesic": compare.RDM.Geodesic,
		"geo-topological": func(r compare.RDM) compare.RDM { return r.GeoTopological(0.1, 0.9) },
		"subset":          func(r compare.RDM) compare.RDM { return r.Subset(order) },
		"mixture": func(r compare.RDM) compare.RDM {
			m, err := compare.Interpolate{RDMs: []compare.RDM{r, r}}.Fit(spearman, r, []int{0, 1, 2, 3, 4})
			if err != nil {
				t.Fatal(err)
			}
			return m
		},
	} {
		a, b := f(r).Rank(), f(s).Rank()
		if fmt.Sprint(a.Values) != fmt.Sprint(b.Values) {
			t.Errorf("%s: ranks %v of exact ties, %v of computed ones", name, a.Values, b.Values)
		}
	}
	o := noisy(1, nil, 5, 2, 3)
	o.X.Apply(func(k, j int, _ float64) float64 { return float64((k*7+j*3)%4) * 1 }, o.X)
	exact, err := compare.Crossnobis(o, nil)
	if err != nil {
		t.Fatal(err)
	}
	o.X.Apply(func(_, _ int, v float64) float64 { return v*0.1 + 0.3 }, o.X)
	moved, err := compare.Crossnobis(o, nil)
	if err != nil || !slices.EqualFunc(exact.Rank().Values, moved.Rank().Values, func(a, b float64) bool { return cmp.Compare(a, b) == 0 }) {
		t.Errorf("crossnobis: ranks %v, moved %v, %v", exact.Rank().Values, moved.Rank().Values, err)
	}
}
