package geometry_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"synfire/compare"
	"synfire/compare/geometry"
	"synfire/internal/rng"
)

// How far models are from data: the data themselves, the same with noise, and the opposite.
func Example() {
	data := compare.RDM{N: 4, Values: []float64{2, 3, 4, 3, 4, 5}}
	noisy := compare.RDM{N: 4, Values: []float64{5, 7, 9, 7, 9, 11}} // twice the data, and 1 for noise
	reversed := compare.RDM{N: 4, Values: []float64{5, 4, 3, 4, 3, 2}}
	for _, model := range []compare.RDM{data, noisy, reversed} {
		v, err := geometry.Riemann(model, data)
		fmt.Printf("%.3f %v\n", -v, err)
	}
	// Output:
	// 0.000 <nil>
	// 0.094 <nil>
	// 0.687 <nil>
}

// patterns has n patterns of p units.
func patterns(seed uint64, n, p int) *mat.Dense {
	s := rng.New(seed, "geometry").Int(uint64(n)).Int(uint64(p)).Source()
	x := mat.NewDense(n, p, nil)
	x.Apply(func(int, int, float64) float64 { return s.Norm() }, x)
	return x
}

func squared(t *testing.T, x *mat.Dense) compare.RDM {
	t.Helper()
	r, err := compare.Euclidean(x)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func similarity(t *testing.T, model, data compare.RDM) float64 {
	t.Helper()
	v, err := geometry.Riemann(model, data)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// mapped is f of each entry.
func mapped(r compare.RDM, f func(float64) float64) compare.RDM {
	out := compare.NewRDM(r.N)
	for i, v := range r.Values {
		out.Values[i] = f(v)
	}
	return out
}

// Two patterns less a third: with eigenvalues known, the best scale and share of noise are too.
func TestByHand(t *testing.T) {
	// G of the data is diagonal, so that δ can be worked out: Ĝ = e^a·diag(1, 1) + e^b·Σ against diag(4, 1)
	data := compare.RDM{N: 3, Values: []float64{4, 1, 5}}
	model := compare.RDM{N: 3, Values: []float64{1, 1, 2}}
	// of pencil (1 + s·Σ, diag(4, 1)) by the product P and the sum S of its eigenvalues; least over s
	best := math.Inf(1)
	for k := range 400_001 {
		s := math.Exp(-20 + float64(k)*1e-4)
		product := ((1+2*s)*(1+2*s) - s*s) / 4
		sum := (1+2*s)/4 + (1 + 2*s)
		root := math.Sqrt(sum*sum/4 - product)
		x, y := math.Log(sum/2+root), math.Log(sum/2-root)
		best = min(best, (x-y)*(x-y)/2)
	}
	if got := similarity(t, model, data); math.Abs(got+math.Sqrt(best)) > 1e-8 {
		t.Errorf("%v, want %v", got, -math.Sqrt(best))
	}
}

// What no scale, noise, order or reference changes.
func TestInvariance(t *testing.T) {
	model, data := squared(t, patterns(1, 8, 5)), squared(t, patterns(2, 8, 30))
	want := similarity(t, model, data)
	if want > -0.1 {
		t.Fatalf("other patterns are %v", want)
	}
	order := []int{5, 2, 7, 0, 1, 6, 4, 3}
	for name, got := range map[string]float64{
		"a larger model":         similarity(t, mapped(model, func(v float64) float64 { return v * 1e200 }), data),
		"smaller data":           similarity(t, model, mapped(data, func(v float64) float64 { return v * 1e-200 })),
		"stimuli in other order": similarity(t, model.Subset(order), data.Subset(order)),
	} {
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if got := similarity(t, data, data); got < -1e-5 {
		t.Errorf("data with themselves: %v", got)
	}
	less := mapped(data, func(v float64) float64 { return v / 3 })
	more := mapped(less, func(v float64) float64 { return v + 0.7 }) // equal noise of all patterns
	if got := similarity(t, less, more); got < -1e-5 {
		t.Errorf("a model without the noise of the data: %v", got)
	}
	if got := similarity(t, more, less); got > -1e-2 {
		t.Errorf("data without the noise of the model: %v, want less than 0", got)
	}
}

// Copies of stimuli, as a bootstrap sample has them, and stimuli without a pattern count as none.
func TestMissing(t *testing.T) {
	model, data := squared(t, patterns(1, 6, 5)), squared(t, patterns(2, 6, 30))
	want := similarity(t, model, data)
	twice := []int{0, 1, 1, 2, 3, 3, 3, 4, 5}
	bures, err := compare.Bures(model, data)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := geometry.Bures(model.Subset(twice), data.Subset(twice)); err != nil || math.Abs(got-bures) > 1e-12 {
		t.Errorf("Bures with copies %v, %v, want %v", got, err, bures)
	}
	if got := similarity(t, model.Subset(twice), data.Subset(twice)); math.Abs(got-want) > 1e-9 {
		t.Errorf("with copies %v, want %v", got, want)
	}
	seven := compare.NewRDM(7) // of which the first has no pattern
	other := compare.NewRDM(7)
	k := 0
	for i := range 7 {
		for j := i + 1; j < 7; j++ {
			seven.Values[k], other.Values[k] = math.NaN(), math.NaN()
			if i > 0 {
				seven.Values[k], other.Values[k] = model.At(i-1, j-1), data.At(i-1, j-1)
			}
			k++
		}
	}
	if got := similarity(t, seven, other); math.Abs(got-want) > 1e-9 {
		t.Errorf("with a stimulus without a pattern %v, want %v", got, want)
	}
	other.Values[0] = 3
	for _, f := range []compare.Similarity{geometry.Riemann, geometry.Bures} {
		if _, err := f(seven, other); err == nil || !strings.Contains(err.Error(), "in one RDM only") {
			t.Errorf("an entry that one side has: %v", err)
		}
	}
}

// A covariance of variances alone is that of package compare; what does not fit is refused.
func TestWhitened(t *testing.T) {
	r, s := squared(t, patterns(1, 6, 3)), squared(t, patterns(2, 6, 9))
	variances := []float64{1, 2, 0.5, 3, 1, 4}
	diagonal := mat.NewSymDense(6, nil)
	for i, v := range variances {
		diagonal.SetSym(i, i, v)
	}
	for _, centre := range []bool{false, true} {
		f, err := geometry.Whitened(diagonal, centre)
		if err != nil {
			t.Fatal(err)
		}
		got, err := f(r, s)
		want, err2 := compare.Whitened(variances, centre)(r, s)
		if err != nil || err2 != nil || math.Abs(got-want) > 1e-12 {
			t.Errorf("centred %v: %v, %v, want %v, %v", centre, got, err, want, err2)
		}
		if _, err := f(r, s.Subset([]int{0, 1, 2, 3, 4, 4})); err == nil || !strings.Contains(err.Error(), "missing") {
			t.Errorf("missing entries: %v", err)
		}
		if _, err := f(r, compare.NewRDM(6)); !errors.Is(err, compare.ErrUndefined) {
			t.Errorf("an RDM of zeros: %v", err)
		}
	}
	for _, bad := range []*mat.SymDense{mat.NewSymDense(2, nil), mat.NewSymDense(6, nil)} {
		if _, err := geometry.Whitened(bad, false); err == nil {
			t.Errorf("a covariance of %d stimuli without noise is accepted", bad.SymmetricDim())
		}
	}
}

// What has no distance says so.
func TestUndefined(t *testing.T) {
	full := squared(t, patterns(2, 6, 30))
	nearly := patterns(2, 6, 30) // but for 1e-6 the last pattern is the one before
	for j := range 30 {
		nearly.Set(5, j, nearly.At(4, j)+1e-6*nearly.At(5, j))
	}
	for name, c := range map[string]struct {
		model, data compare.RDM
		want        string
	}{
		"data of few units": {full, squared(t, patterns(1, 6, 3)), "mixture"},
		"nearly so":         {full, squared(t, nearly), "mixture"},
		"no distances":      {full, compare.RDM{N: 6, Values: []float64{9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}}, "mixture"},
		"equal patterns":    {compare.NewRDM(6), full, "model"},
	} {
		if _, err := geometry.Riemann(c.model, c.data); !errors.Is(err, compare.ErrUndefined) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	infinite := mapped(full, func(v float64) float64 { return v })
	infinite.Values[0] = math.Inf(1)
	for _, c := range [][2]compare.RDM{{full, compare.NewRDM(5)}, {infinite, full}, {full, infinite}} {
		for _, f := range []compare.Similarity{geometry.Riemann, geometry.Bures} {
			if _, err := f(c[0], c[1]); err == nil || errors.Is(err, compare.ErrUndefined) {
				t.Errorf("%v", err)
			}
		}
	}
	if v := similarity(t, squared(t, patterns(1, 6, 2)), full); math.IsInf(v, 0) || v >= 0 { // noise fills up what the model lacks
		t.Errorf("a model of few units: %v", v)
	}
}
