package compare

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/internal/numeric"
)

// MDS places the stimuli in dims dimensions so that their squared distances are
// like the dissimilarities: classical scaling, by the leading eigenvectors of
// −½HDH (Torgerson 1952). An axis's sign is such that its largest coordinate is
// positive. explained is the share of the positive eigenvalues that the map shows.
func MDS(r RDM, dims int) (points *mat.Dense, explained float64, err error) {
	const op = "MDS"
	if err := r.check(op); err != nil {
		return nil, 0, err
	}
	if slices.ContainsFunc(r.Values, math.IsNaN) || dims < 1 || dims > r.N {
		return nil, 0, fmt.Errorf("compare.%s: %d dimensions for %d stimuli, and no entry may be missing; want 1 to as many dimensions as stimuli", op, dims, r.N)
	}
	near1 := r.side().rescaled()
	var e mat.EigenSym
	if !e.Factorize(mat.NewSymDense(r.N, elements(RDM{N: r.N, Values: near1.v}.Gram())), true) {
		return nil, 0, fmt.Errorf("compare.%s: the eigenvalues did not converge", op)
	}
	var v mat.Dense
	e.VectorsTo(&v)
	values := e.Values(nil) // ascending
	points = mat.NewDense(r.N, dims, nil)
	shown, total := 0.0, 0.0
	for _, x := range values {
		total += max(x, 0)
	}
	for d := range dims {
		k := r.N - 1 - d
		length := max(values[k], 0)
		shown += length
		col := mat.Col(nil, k, &v)
		scale := math.Sqrt(length)
		if slices.Max(col) < -slices.Min(col) {
			scale = -scale
		}
		for i, c := range col {
			points.Set(i, d, math.Ldexp(scale*c, near1.exponent/2))
		}
	}
	if near1.zero() || total == 0 {
		return points, 0, numeric.Undefined(op, "all dissimilarities are 0")
	}
	return points, shown / total, nil
}
