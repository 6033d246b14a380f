package compare

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/internal/numeric"
)

// side is the entries of an RDM, v·2^exponent, with the bounds of their errors (nil:
// exact).
type side struct {
	v, e     []float64
	exponent int
	ranked   *[]float64 // where the ranks are kept; nil: nowhere
}

// rescaled has its largest entry in [¼, 1), with an even exponent, which a root
// halves.
func (s side) rescaled() side {
	e := numeric.Exponent(numeric.Largest(s.v))
	e += e & 1
	out := side{v: numeric.ScaledBy(s.v, -e), exponent: s.exponent + e}
	if s.e != nil {
		out.e = numeric.ScaledBy(s.e, -e)
	}
	return out
}

func (s side) bound(i int) float64 {
	if s.e == nil {
		return 0
	}
	return s.e[i]
}

// zero reports whether the entries are nothing but rounding errors.
func (s side) zero() bool {
	for i, v := range s.v {
		if math.Abs(v) > s.bound(i) {
			return false
		}
	}
	return true
}

// alike reports whether all entries are equal but for rounding.
func (s side) alike() bool {
	first := 0
	for i, v := range s.v {
		if v < s.v[first] {
			first = i
		}
	}
	for i, v := range s.v {
		if v-s.v[first] > s.bound(first)+s.bound(i) {
			return false
		}
	}
	return true
}

// ranks are from 1; equal entries share the mean of theirs. Entries are equal where
// their errors can explain the difference from the first of them in ascending
// order: from the first, since a tolerance between neighbours would tie a chain of
// different values.
func (s side) ranks() []float64 {
	if s.ranked == nil {
		return s.findRanks()
	}
	if *s.ranked == nil {
		*s.ranked = s.findRanks()
	}
	return *s.ranked
}

func (s side) findRanks() []float64 {
	order := within(len(s.v))
	slices.SortFunc(order, func(i, j int) int {
		switch a, b := s.v[i], s.v[j]; { // none is NaN, which cmp.Compare looks for
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	})
	out := make([]float64, len(s.v))
	for lo := 0; lo < len(order); {
		first := order[lo]
		hi := lo + 1
		for hi < len(order) && s.v[order[hi]]-s.v[first] <= s.bound(first)+s.bound(order[hi]) {
			hi++
		}
		for _, i := range order[lo:hi] {
			out[i] = float64(lo+hi+1) / 2
		}
		lo = hi
	}
	return out
}

// features are responses by which dissimilarities Σ_k (a_ik − a_jk)(b_ik − b_jk)/p
// are formed, with bounds of the norm of each row's error.
type features struct {
	x   *mat.Dense
	err []float64
}

// given are responses as they were read: their errors are those of the data. Units
// that never vary have no part in a difference.
func given(x *mat.Dense, coarser float64) features {
	n, p := x.Dims()
	f := features{x, make([]float64, n)}
	u := numeric.InputRoundoff(x, coarser)
	if u == 0 {
		return f
	}
	varying := mat.NewDense(n, p, nil)
	for j := range p {
		if column := mat.Col(nil, j, x); slices.Max(column) != slices.Min(column) {
			varying.SetCol(j, column)
		}
	}
	for i := range n {
		f.err[i] = u * safeNorm(varying.RawRowView(i))
	}
	return f
}

// rowsRescaled scales each row by a power of two that brings it near 1.
func rowsRescaled(x *mat.Dense) *mat.Dense {
	n, p := x.Dims()
	out := mat.NewDense(n, p, nil)
	for i := range n {
		row, _ := numeric.RescaledValues(x.RawRowView(i))
		out.SetRow(i, row)
	}
	return out
}

// squares is ‖x_i − x_j‖²/p of responses whose magnitudes are near 1. Differences
// come before products, so that the error is relative to the distance and not to
// the responses; where all sums are whole numbers below 2⁵² there is none.
func squares(x *mat.Dense, coarser float64) RDM {
	n, p := x.Dims()
	r := NewRDM(n)
	r.fill(func(i, j int) float64 { return squaredDistance(x.RawRowView(i), x.RawRowView(j)) / float64(p) })
	if used := numeric.Bits(x); used <= numeric.FixedBits && 2*(used+1)+bits.Len(uint(p)) <= 52 {
		return r
	}
	in := given(x, coarser)
	r.bounded(func(i, j int, d float64) float64 {
		return bilinearBound(p, d*float64(p), d*float64(p), in.err[i]+in.err[j], in.err[i]+in.err[j])
	})
	return r
}

// squaredDistance adds up in four chains: one would wait for itself.
func squaredDistance(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	b = b[:len(a)]
	k := 0
	for ; k+4 <= len(a); k += 4 {
		d0, d1, d2, d3 := a[k]-b[k], a[k+1]-b[k+1], a[k+2]-b[k+2], a[k+3]-b[k+3]
		s0, s1, s2, s3 = s0+d0*d0, s1+d1*d1, s2+d2*d2, s3+d3*d3
	}
	for ; k < len(a); k++ {
		d := a[k] - b[k]
		s0 += d * d
	}
	return s0 + s1 + (s2 + s3)
}

// products is Σ_k (a_ik − a_jk)(b_ik − b_jk)/p.
func products(a, b features) RDM {
	n, p := a.x.Dims()
	r := NewRDM(n)
	r.Rounding = make([]float64, len(r.Values))
	k := 0
	for i := range n {
		for j := i + 1; j < n; j++ {
			ai, aj, bi, bj := a.x.RawRowView(i), a.x.RawRowView(j), b.x.RawRowView(i), b.x.RawRowView(j)
			var ab, aa, bb float64
			for u, v := range ai {
				d, e := v-aj[u], bi[u]-bj[u]
				ab, aa, bb = ab+d*e, aa+d*d, bb+e*e
			}
			r.Values[k] = ab / float64(p)
			r.Rounding[k] = bilinearBound(p, aa, bb, a.err[i]+a.err[j], b.err[i]+b.err[j])
			k++
		}
	}
	return r
}

// bilinearBound is that of the error of Σ_k a_k·b_k/p for differences a and b of
// squared norms aa and bb, each off by a vector of norm ea and eb. The sum of p
// products of rounded differences, divided once, is off by (p + 4) roundings of
// ‖a‖·‖b‖ ≥ Σ|a_k·b_k|.
func bilinearBound(p int, aa, bb, ea, eb float64) float64 {
	a, b := math.Sqrt(aa), math.Sqrt(bb)
	return (float64(p+4)*numeric.Roundoff*a*b + a*eb + b*ea + ea*eb) / float64(p)
}

// bounded sets the bound of each entry.
func (r *RDM) bounded(at func(i, j int, d float64) float64) {
	r.Rounding = make([]float64, len(r.Values))
	k := 0
	for i := range r.N {
		for j := i + 1; j < r.N; j++ {
			r.Rounding[k] = at(i, j, r.Values[k])
			k++
		}
	}
}

// times2 is r·2^e. It is an error where an entry overflows, or where all become
// so small that they lose digits.
func (r RDM) times2(op string, e int) (RDM, error) {
	const least = -1020
	most := numeric.Largest(r.Values)
	if _, top := math.Frexp(most); most > 0 && (top+e > 1024 || top+e < least) {
		return RDM{}, fmt.Errorf("compare.%s: %w: dissimilarities of about 2^%d; multiply the responses by a power of two that brings them near 1", op, numeric.ErrRange, top+e)
	}
	s := r.clone()
	for i, v := range r.Values {
		s.Values[i] = math.Ldexp(v, e)
		if r.Rounding != nil {
			s.Rounding[i] = math.Ldexp(r.Rounding[i], e) + math.SmallestNonzeroFloat64
		}
	}
	return s, nil
}
