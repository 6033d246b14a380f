package compare

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/internal/numeric"
)

// RDM is a representational dissimilarity matrix of N stimuli: the dissimilarities
// d_ij of pairs i < j in the order (0,1), (0,2), …, (1,2), …. The diagonal is 0
// and not kept: counted in, it would inflate every correlation. NaN is a missing
// entry.
type RDM struct {
	N      int
	Values []float64
	// Rounding bounds the error of each entry that comes of arithmetic and of the
	// rounding of the responses: entries that differ by no more than their errors
	// are ties. nil: the entries are exact, as read from a file.
	Rounding []float64

	kept *kept // nil of RDMs that others have
}

// kept is the ranks of an RDM once they are found: of its entries, and of the same brought near 1.
type kept struct{ plain, near1 []float64 }

// keeping is r with ranks that are found once. It is for RDMs that one thread has for itself and
// that no longer change, as in a resample, where each is compared with many.
func (r RDM) keeping() RDM {
	r.kept = &kept{}
	return r
}

// NewRDM is an RDM of zeros.
func NewRDM(n int) RDM { return RDM{N: n, Values: make([]float64, n*(n-1)/2)} }

// like is an RDM of zeros that keeps errors if r does.
func (r RDM) like(n int) RDM {
	s := NewRDM(n)
	if r.Rounding != nil {
		s.Rounding = make([]float64, len(s.Values))
	}
	return s
}

func (r RDM) clone() RDM {
	return RDM{N: r.N, Values: slices.Clone(r.Values), Rounding: slices.Clone(r.Rounding)}
}

// bound is that of the error of an entry.
func (r RDM) bound(i int) float64 { return side{v: r.Values, e: r.Rounding}.bound(i) }

// FromMatrix is the upper triangle of a square matrix.
func FromMatrix(m mat.Matrix) (RDM, error) {
	n, cols := m.Dims()
	if n != cols {
		return RDM{}, fmt.Errorf("compare.FromMatrix: a %d×%d matrix, want a square one of dissimilarities", n, cols)
	}
	r := NewRDM(n)
	r.fill(m.At)
	return r, nil
}

// fill sets all entries.
func (r RDM) fill(at func(i, j int) float64) {
	k := 0
	for i := range r.N {
		for j := i + 1; j < r.N; j++ {
			r.Values[k] = at(i, j)
			k++
		}
	}
}

// At is the dissimilarity of stimuli i and j.
func (r RDM) At(i, j int) float64 {
	if i == j {
		return 0
	}
	return r.Values[r.index(min(i, j), max(i, j))]
}

func (r RDM) index(i, j int) int { return i*(2*r.N-i-1)/2 + j - i - 1 }

// Matrix is the whole symmetric matrix.
func (r RDM) Matrix() *mat.Dense {
	m := mat.NewDense(r.N, r.N, nil)
	for i := range r.N {
		for j := range r.N {
			m.Set(i, j, r.At(i, j))
		}
	}
	return m
}

// Subset is the RDM of the listed stimuli in their order. Where one is listed
// twice, as in a bootstrap sample, the entry between its copies is NaN: their
// dissimilarity of 0 says nothing.
func (r RDM) Subset(index []int) RDM {
	s := r.like(len(index))
	k := 0
	for i, a := range index {
		for _, b := range index[i+1:] {
			s.Values[k] = math.NaN()
			if a != b {
				from := r.index(min(a, b), max(a, b))
				s.Values[k] = r.Values[from]
				if r.Rounding != nil {
					s.Rounding[k] = r.Rounding[from]
				}
			}
			k++
		}
	}
	return s
}

// Common marks as missing in both RDMs what is missing in either, such as the
// dissimilarities of a pattern without variance in one of them. It fails where
// they are not of as many stimuli.
func Common(r, s RDM) (RDM, RDM, error) {
	if r.N != s.N {
		return r, s, fmt.Errorf("compare.Common: RDMs of %d and of %d stimuli, want both of the same", r.N, s.N)
	}
	a, b := r.clone(), s.clone()
	for i, v := range r.Values {
		if math.IsNaN(v) || math.IsNaN(s.Values[i]) {
			a.Values[i], b.Values[i] = math.NaN(), math.NaN()
		}
	}
	return a, b, nil
}

// Missing is the number of entries that are NaN.
func (r RDM) Missing() int {
	return len(r.Values) - len(r.present())
}

func (r RDM) check(op string) error {
	if r.N < numeric.MinStimuli || len(r.Values) != r.N*(r.N-1)/2 {
		return fmt.Errorf("compare.%s: an RDM of %d stimuli with %d entries, want at least %d stimuli and n(n−1)/2 entries", op, r.N, len(r.Values), numeric.MinStimuli)
	}
	if i := slices.IndexFunc(r.Values, func(v float64) bool { return math.IsInf(v, 0) }); i >= 0 {
		return fmt.Errorf("compare.%s: entry %d of the RDM is %v, want finite ones, or NaN where one is missing", op, i, r.Values[i])
	}
	if r.Rounding != nil && len(r.Rounding) != len(r.Values) {
		return fmt.Errorf("compare.%s: an RDM of %d entries with the errors of %d, want one for each, or none", op, len(r.Values), len(r.Rounding))
	}
	return nil
}

// mapped is the RDM with f applied to each entry and the bound of its error. NaN
// stays.
func (r RDM) mapped(f func(v, bound float64) (float64, float64)) RDM {
	s := r.like(r.N)
	for i, v := range r.Values {
		w, e := f(v, r.bound(i))
		s.Values[i] = w
		if s.Rounding != nil {
			s.Rounding[i] = e
		}
	}
	return s
}

// Rank replaces the entries by their ranks from 1, equal ones by the mean of
// theirs.
func (r RDM) Rank() RDM {
	s := NewRDM(r.N)
	ranked := r.side().ranks()
	for i, v := range r.Values {
		s.Values[i] = v
		if !math.IsNaN(v) {
			s.Values[i], ranked = ranked[0], ranked[1:]
		}
	}
	return s
}

// present is the entries that are not missing.
func (r RDM) present() []float64 { return r.side().v }

// side is the entries that are not missing, with their errors.
func (r RDM) side() (s side) {
	s.v = make([]float64, 0, len(r.Values))
	if r.kept != nil {
		s.ranked = &r.kept.plain
	}
	if r.Rounding != nil {
		s.e = make([]float64, 0, len(r.Values))
	}
	for i, v := range r.Values {
		if math.IsNaN(v) {
			continue
		}
		s.v = append(s.v, v)
		if r.Rounding != nil {
			s.e = append(s.e, r.Rounding[i])
		}
	}
	return s
}

// Sqrt is the square root of each entry, 0 for negative ones: distances of
// squared distances.
func (r RDM) Sqrt() RDM {
	return r.mapped(func(v, e float64) (float64, float64) {
		root := math.Sqrt(max(v, 0))
		return root, math.Sqrt(max(v+e, 0)) - math.Sqrt(max(v-e, 0)) + 2*numeric.Roundoff*root
	})
}

// Positive replaces negative entries, of unbiased estimates, by 0.
func (r RDM) Positive() RDM {
	return r.mapped(func(v, e float64) (float64, float64) { return max(v, 0), e })
}

// MinMax scales the entries to [0, 1]; equal ones become 0.
func (r RDM) MinMax() RDM { return r.GeoTopological(0, 1) }

// GeoTopological is 0 below the quantile lower of the entries, 1 above the
// quantile upper, and linear between: it keeps the geometry of the middle range
// and only the topology of the others (Lin and Kriegeskorte, "Adaptive
// geo-topological independence criterion", 2018).
func (r RDM) GeoTopological(lower, upper float64) RDM {
	present := slices.Sorted(slices.Values(r.present()))
	if len(present) == 0 {
		return r
	}
	lo, hi := numeric.Quantile(present, lower), numeric.Quantile(present, upper)
	most := numeric.Largest(r.Rounding)
	if r.side().alike() || hi-lo <= 2*most {
		lo, hi = present[len(present)-1], present[len(present)-1]
	}
	span := hi/2 - lo/2 // halves do not overflow
	return r.mapped(func(v, e float64) (float64, float64) {
		switch {
		case math.IsNaN(v):
			return v, 0
		case v <= lo:
			return 0, 0
		case v >= hi:
			return 1, 0
		}
		return (v/2 - lo/2) / span, (e+2*most)/span/2 + 4*numeric.Roundoff
	})
}

// Geodesic replaces each entry by the length of the shortest path over other
// stimuli (Floyd and Warshall); missing entries are no edge.
func (r RDM) Geodesic() RDM {
	d := r.Matrix()
	d.Apply(func(_, _ int, v float64) float64 {
		if math.IsNaN(v) {
			return math.Inf(1)
		}
		return v
	}, d)
	for k := range r.N {
		via := d.RawRowView(k)
		for i := range r.N {
			row := d.RawRowView(i)
			for j := range row {
				row[j] = min(row[j], row[k]+via[j])
			}
		}
	}
	s := r.like(r.N)
	s.fill(d.At)
	most := numeric.Largest(r.Rounding)
	for i := range s.Rounding { // a path has at most N − 1 edges
		s.Rounding[i] = float64(r.N-1) * (most + numeric.Roundoff*s.Values[i])
	}
	return s
}

// Gram is −½HDH, the centred Gram matrix of points whose squared distances are
// the entries, of which none may be missing.
func (r RDM) Gram() *mat.Dense {
	g := r.Matrix()
	g.Scale(-0.5, g)
	return centredBoth(g)
}

// centredBoth is HKH of a symmetric K.
func centredBoth(k *mat.Dense) *mat.Dense {
	n, _ := k.Dims()
	means := numeric.ColumnMeans(k)
	total := numeric.Mean(means)
	c := mat.NewDense(n, n, nil)
	for i := range n {
		row := c.RawRowView(i)
		for j, v := range k.RawRowView(i) {
			row[j] = v - means[i] - means[j] + total
		}
	}
	return c
}
