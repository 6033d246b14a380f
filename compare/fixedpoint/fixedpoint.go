// Package fixedpoint finds the states that a recurrent network leaves as they are, and tells
// which of them attract.
//
// Of h ← F(h), from states that the network visits, it minimises
//
//	q(h) = ½‖F(h) − h‖²,   a fixed point where q = 0
//
// (Sussillo and Barak, "Opening the black box", 2013), and classifies by the eigenvalues λ of
// ∂F/∂h there: all |λ| < 1 is an attractor, some |λ| > 1 a saddle with as many directions out
// of it.
package fixedpoint

import (
	"cmp"
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/diff/fd"
	"gonum.org/v1/gonum/mat"

	"synfire/compare/internal/numeric"
)

// Point is a fixed point: a state that a recurrent network leaves as it is.
type Point struct {
	H           []float64
	Speed       float64      // q(H) = ½‖F(H) − H‖²
	Eigenvalues []complex128 // of the Jacobian of F, the largest modulus first
	Unstable    int          // how many have a modulus above 1: 0 for an attractor, else the directions out of a saddle
}

// Options say how fixed points are searched. The zero value is usual.
type Options struct {
	Iterations int     // from each start; 0: 200
	Tolerance  float64 // the largest speed that counts; 0: 1e-12
	Merge      float64 // points closer than this are one; 0: 1e-4
}

// Find searches the fixed points of h ← F(h) from each of the starts, rows
// of states that the network visits: it minimises q(h) = ½‖F(h) − h‖² (Sussillo
// and Barak, "Opening the black box", 2013) by Newton steps, damped after
// Levenberg and Marquardt so that q never rises. step writes F(h) to dst. Starts
// that end above the tolerance are dropped; the slowest points come first.
func Find(step func(dst, h []float64), starts *mat.Dense, o Options) ([]Point, error) {
	const op = "Find"
	if err := numeric.CheckResponses(op, starts, 1); err != nil {
		return nil, err
	}
	if o.Iterations < 0 || !(o.Tolerance >= 0) || !(o.Merge >= 0) {
		return nil, fmt.Errorf("fixedpoint.%s: %d iterations, tolerance %v, merge %v: want none negative", op, o.Iterations, o.Tolerance, o.Merge)
	}
	o.Iterations = cmp.Or(o.Iterations, 200)
	o.Tolerance, o.Merge = cmp.Or(o.Tolerance, 1e-12), cmp.Or(o.Merge, 1e-4)
	var found []Point
	for k := range starts.RawMatrix().Rows {
		h, q := descend(step, starts.RawRowView(k), o.Iterations)
		if math.IsNaN(q) {
			return nil, fmt.Errorf("fixedpoint.%s: the step from start %d is not finite", op, k)
		}
		if q <= o.Tolerance {
			found = append(found, Point{H: h, Speed: q})
		}
	}
	slices.SortStableFunc(found, func(a, b Point) int { return cmp.Compare(a.Speed, b.Speed) })
	var out []Point
	for _, p := range found {
		near := func(o2 Point) bool { return distanceOf(p.H, o2.H) < o.Merge }
		if slices.ContainsFunc(out, near) {
			continue
		}
		if err := p.classify(step); err != nil {
			return nil, fmt.Errorf("fixedpoint.%s: %w", op, err)
		}
		out = append(out, p)
	}
	return out, nil
}

func distanceOf(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += (v - b[i]) * (v - b[i])
	}
	return math.Sqrt(sum)
}

// descend solves (AᵀA + μI)δ = −Aᵀ(F(h) − h), A = ∂F/∂h − I, with μ adapted.
func descend(step func(dst, h []float64), start []float64, iterations int) ([]float64, float64) {
	h := slices.Clone(start)
	n := len(h)
	residual := func(h []float64) (*mat.VecDense, float64) {
		f := make([]float64, n)
		step(f, h)
		for i := range f {
			f[i] -= h[i]
		}
		return mat.NewVecDense(n, f), numeric.Dot(f, f) / 2
	}
	f, q := residual(h)
	mu := 1e-3
	for range iterations {
		if q == 0 || math.IsNaN(q) {
			break
		}
		a := jacobian(step, h)
		for i := range n {
			a.Set(i, i, a.At(i, i)-1)
		}
		var g mat.VecDense
		g.MulVec(a.T(), f)
		var normal mat.SymDense
		normal.SymOuterK(1, a.T())
		moved := false
		for ; mu < 1e12 && !moved; mu *= 10 {
			next, ok := dampedStep(&normal, &g, h, mu)
			if !ok {
				continue
			}
			if fn, qn := residual(next); qn < q {
				h, f, q, moved = next, fn, qn, true
				mu /= 100 // and ×10 as the loop ends
			}
		}
		if !moved {
			break
		}
	}
	return h, q
}

func dampedStep(normal *mat.SymDense, g *mat.VecDense, h []float64, mu float64) ([]float64, bool) {
	n := len(h)
	m := mat.NewSymDense(n, nil)
	m.CopySym(normal)
	for i := range n {
		m.SetSym(i, i, m.At(i, i)+mu)
	}
	var c mat.Cholesky
	if !c.Factorize(m) {
		return nil, false
	}
	var d mat.VecDense
	if err := c.SolveVecTo(&d, g); err != nil && !numeric.IsConditioned(err) {
		return nil, false
	}
	next := slices.Clone(h)
	for i := range next {
		next[i] -= d.AtVec(i)
	}
	return next, true
}

// jacobian is ∂F/∂h by central differences.
func jacobian(step func(dst, h []float64), h []float64) *mat.Dense {
	j := mat.NewDense(len(h), len(h), nil)
	fd.Jacobian(j, step, h, &fd.JacobianSettings{Formula: fd.Central})
	return j
}

func (p *Point) classify(step func(dst, h []float64)) error {
	var e mat.Eigen
	if !e.Factorize(jacobian(step, p.H), mat.EigenNone) {
		return fmt.Errorf("the eigenvalues of a Jacobian did not converge")
	}
	p.Eigenvalues = e.Values(nil)
	slices.SortStableFunc(p.Eigenvalues, func(a, b complex128) int { return cmp.Compare(cmplx.Abs(b), cmplx.Abs(a)) })
	for _, v := range p.Eigenvalues {
		if cmplx.Abs(v) > 1 {
			p.Unstable++
		}
	}
	return nil
}
