package predictivity

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/internal/numeric"
)

// Mapping fits a linear map from responses x to responses y, both stimuli ×
// units.
type Mapping interface {
	Fit(x, y *mat.Dense) (*LinearMap, error)
}

// LinearMap is ŷ = (x − x̄)·W + ȳ.
type LinearMap struct {
	W *mat.Dense // units of x × units of y

	// the same of responses 2^−ex times as large to ones 2^−ey times as large, which
	// predictions are made by: they are near 1
	near1        *mat.Dense
	meanX, meanY []float64
	ex, ey       int
}

// Predict applies the map to responses of the units it was fitted to.
func (m *LinearMap) Predict(x *mat.Dense) (*mat.Dense, error) {
	if err := numeric.CheckResponses("predictivity.Predict", x, 1); err != nil {
		return nil, err
	}
	if _, p := x.Dims(); p != len(m.meanX) {
		return nil, fmt.Errorf("predictivity.Predict: responses of %d units, the map was fitted to %d", p, len(m.meanX))
	}
	return m.predict(x), nil
}

func (m *LinearMap) predict(x *mat.Dense) *mat.Dense {
	y := m.deviations(x)
	for i := range y.RawMatrix().Rows {
		row := y.RawRowView(i)
		for j := range row {
			row[j] += m.meanY[j]
		}
		y.SetRow(i, numeric.ScaledBy(row, m.ey))
	}
	return y
}

// deviations is (x − x̄)·W·2^−ey, all that a correlation with the prediction sees:
// next to a large ȳ it would lose its digits.
func (m *LinearMap) deviations(x *mat.Dense) *mat.Dense {
	n, p := x.Dims()
	c := mat.NewDense(n, p, nil)
	for i := range n {
		row := numeric.ScaledBy(x.RawRowView(i), -m.ex)
		for j, v := range row {
			c.Set(i, j, v-m.meanX[j])
		}
	}
	var y mat.Dense
	y.Mul(c, m.near1)
	return &y
}

// fitted centres both sides, scaled by powers of two that bring them near 1, for f
// to find W. f is also told that the given x are 2^ex times as large.
func fitted(op string, x, y *mat.Dense, f func(x, y *mat.Dense, ex int) (*mat.Dense, error)) (*LinearMap, error) {
	if err := numeric.CheckPair(op, x, y, 2); err != nil {
		return nil, err
	}
	nearX, ex := numeric.Rescaled(x)
	nearY, ey := numeric.Rescaled(y)
	w, err := f(numeric.Centred(nearX), numeric.Centred(nearY), ex)
	if err != nil {
		return nil, err
	}
	m := &LinearMap{W: mat.DenseCopyOf(w), near1: w, meanX: numeric.ColumnMeans(nearX), meanY: numeric.ColumnMeans(nearY), ex: ex, ey: ey}
	for i := range w.RawMatrix().Rows {
		m.W.SetRow(i, numeric.ScaledBy(w.RawRowView(i), ey-ex))
	}
	if math.IsInf(numeric.LargestOf(m.W), 0) {
		return nil, fmt.Errorf("%s: %w: weights from responses of 2^%d to ones of 2^%d; scale one side", op, numeric.ErrRange, ex, ey)
	}
	return m, nil
}

// Ridge minimises ‖Y − XW‖² + Penalty·‖W‖² of centred X and Y, by the smaller of
// the systems of units and of stimuli. Penalty must be positive. It is measured
// against the responses: ten times as large ones need a hundred times the penalty.
type Ridge struct{ Penalty float64 }

// Fit implements Mapping.
func (r Ridge) Fit(x, y *mat.Dense) (*LinearMap, error) {
	if !(r.Penalty > 0) || math.IsInf(r.Penalty, 0) {
		return nil, fmt.Errorf("predictivity.Ridge: penalty %v, want a positive number; LeastSquares does without", r.Penalty)
	}
	return fitted("predictivity.Ridge", x, y, func(x, y *mat.Dense, ex int) (*mat.Dense, error) {
		penalty, rest := r.scaled(ex)
		w, err := ridge(x, y, penalty)
		if err == nil {
			w.Scale(math.Ldexp(1, -rest), w)
		}
		return w, err
	})
}

// scaled is the penalty for responses 2^−ex times as large, at most 2^1000: beyond,
// W is proportional to 1/penalty, and 2^rest is what is left to divide it by.
func (r Ridge) scaled(ex int) (penalty float64, rest int) {
	const most = 1000
	_, e := math.Frexp(r.Penalty)
	rest = max(e-2*ex-most, 0)
	return math.Ldexp(r.Penalty, -2*ex-rest), rest
}

// ridge is the map of centred x and y. Where the penalty is too small to make the
// system well conditioned, singular values are used, which lose half as many digits.
func ridge(x, y *mat.Dense, penalty float64) (*mat.Dense, error) {
	n, p := x.Dims()
	var w mat.Dense
	if n < p { // W = Xᵀ(XXᵀ + αI)⁻¹Y
		if z, ok := regularSolve(x.T(), y, penalty); ok {
			w.Mul(x.T(), z)
			return &w, nil
		}
	} else {
		var xy mat.Dense
		xy.Mul(x.T(), y)
		if z, ok := regularSolve(x, &xy, penalty); ok {
			return z, nil
		}
	}
	var svd mat.SVD
	if !svd.Factorize(x, mat.SVDThin) {
		return nil, fmt.Errorf("predictivity.Ridge: the singular values did not converge")
	}
	var u, v, uy mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	uy.Mul(u.T(), y)
	s := svd.Values(nil)
	uy.Apply(func(k, _ int, c float64) float64 {
		if s[k] <= float64(n+p)*numeric.Roundoff*s[0] {
			return 0 // nothing but rounding
		}
		return c * s[k] / (s[k]*s[k] + penalty)
	}, &uy)
	w.Mul(&v, &uy)
	return &w, nil
}

// regularSolve is (aᵀa + αI)⁻¹b, unless that would lose more digits than it gives. Rows
// and columns of the system are scaled by powers of two that bring its diagonal near 1:
// units of different size make no bad condition.
func regularSolve(a mat.Matrix, b *mat.Dense, penalty float64) (*mat.Dense, bool) {
	const worst = 1e8
	n, p := a.Dims()
	scaled, right, exponents := mat.NewDense(n, p, nil), mat.DenseCopyOf(b), make([]int, p)
	for j := range p {
		column := mat.Col(nil, j, a)
		e := numeric.Exponent(max(numeric.Largest(column), math.Sqrt(penalty)))
		scaled.SetCol(j, numeric.ScaledBy(column, -e))
		right.SetRow(j, numeric.ScaledBy(b.RawRowView(j), -e))
		exponents[j] = e
	}
	var k mat.SymDense
	k.SymOuterK(1, scaled.T())
	for j, e := range exponents {
		k.SetSym(j, j, k.At(j, j)+math.Ldexp(penalty, -2*e))
	}
	var c mat.Cholesky
	if !c.Factorize(&k) || c.Cond() > worst {
		return nil, false
	}
	var w mat.Dense
	if err := c.SolveTo(&w, right); err != nil {
		return nil, false
	}
	for j, e := range exponents {
		w.SetRow(j, numeric.ScaledBy(w.RawRowView(j), -e))
	}
	return &w, true
}

// RidgeCV is Ridge with the one of Penalties (nil: the decades from 0.01 to 1e7)
// that has the least squared error when each stimulus is left out in turn.
type RidgeCV struct{ Penalties []float64 }

// Fit implements Mapping.
func (r RidgeCV) Fit(x, y *mat.Dense) (*LinearMap, error) {
	penalty, err := r.Choose(x, y)
	if err != nil {
		return nil, err
	}
	return Ridge{penalty}.Fit(x, y)
}

// Choose is the penalty that Fit uses. With centred X = USVᵀ and d = s²/(s² + α)
// the residual of a stimulus left out is (y − ŷ)/(1 − h), h = 1/n + Σ_k d_k·u_k².
func (r RidgeCV) Choose(x, y *mat.Dense) (float64, error) {
	penalties := r.Penalties
	if penalties == nil {
		for a := 0.01; a < 2e7; a *= 10 {
			penalties = append(penalties, a)
		}
	}
	if slices.ContainsFunc(penalties, func(a float64) bool { return !(a > 0) }) {
		return 0, fmt.Errorf("predictivity.RidgeCV: penalties %v, want positive numbers", penalties)
	}
	if err := numeric.CheckPair("predictivity.RidgeCV", x, y, 2); err != nil {
		return 0, err
	}
	x, ex := numeric.Rescaled(x)
	var svd mat.SVD
	if !svd.Factorize(numeric.Centred(x), mat.SVDThin) {
		return 0, fmt.Errorf("predictivity.RidgeCV: the singular values did not converge")
	}
	var u, uy mat.Dense
	svd.UTo(&u)
	cy := numeric.CentredNear1(y)
	uy.Mul(u.T(), cy)
	best, least := penalties[0], math.Inf(1)
	for _, a := range penalties {
		scaled, _ := Ridge{a}.scaled(ex)
		if e := leaveOneOut(&u, &uy, cy, svd.Values(nil), scaled); e < least*(1-numeric.Rounding) || math.IsInf(least, 1) { // the first of equals
			best, least = a, e
		}
	}
	return best, nil
}

// leaveOneOut is the sum of the squared residuals of stimuli left out.
func leaveOneOut(u, uy, y *mat.Dense, s []float64, penalty float64) float64 {
	d := make([]float64, len(s))
	for k, v := range s {
		d[k] = v * v / (v*v + penalty)
	}
	shrunk := mat.DenseCopyOf(uy)
	shrunk.Apply(func(k, _ int, v float64) float64 { return d[k] * v }, shrunk)
	var fit mat.Dense
	fit.Mul(u, shrunk)
	n, _ := y.Dims()
	sum := 0.0
	for i := range n {
		h := 1 / float64(n)
		for k, v := range u.RawRowView(i) {
			h += d[k] * v * v
		}
		for j, v := range y.RawRowView(i) {
			e := (v - fit.At(i, j)) / (1 - h)
			sum += e * e
		}
	}
	return sum
}

// LeastSquares is the map of least squared error, of those the one of least norm.
// Units may differ in size as they like where one map alone has the least error; else
// those beyond ten orders of magnitude are an error.
type LeastSquares struct{}

// Fit implements Mapping.
func (LeastSquares) Fit(x, y *mat.Dense) (*LinearMap, error) {
	return fitted("predictivity.LeastSquares", x, y, func(x, y *mat.Dense, _ int) (*mat.Dense, error) {
		_, p := x.Dims()
		w, rank, err := leastNorm(x, y)
		if err != nil || rank == p {
			return w, err
		}
		// few stimuli, dependent units, or units too small to be seen beside others
		balanced, exponents := balancedColumns(x)
		z, independent, err := leastNorm(balanced, y)
		switch {
		case err != nil || independent == rank:
			return w, err
		case independent < p:
			return nil, fmt.Errorf("predictivity.LeastSquares: %w: the sizes of units differ so much that the smaller ones are lost; divide each unit by its standard deviation", numeric.ErrRange)
		}
		for i, e := range exponents {
			z.SetRow(i, numeric.ScaledBy(z.RawRowView(i), -e))
		}
		return z, nil
	})
}

// leastNorm is the map of least norm of those with the least squared error, and the rank
// of x.
func leastNorm(x, y *mat.Dense) (w *mat.Dense, rank int, err error) {
	var svd mat.SVD
	if !svd.Factorize(x, mat.SVDThin) {
		return nil, 0, fmt.Errorf("predictivity.LeastSquares: the singular values did not converge")
	}
	s := svd.Values(nil)
	for rank < len(s) && s[rank] > numeric.RankTolerance*s[0] {
		rank++
	}
	_, p := x.Dims()
	_, q := y.Dims()
	w = mat.NewDense(p, q, nil)
	if rank > 0 {
		svd.SolveTo(w, y, rank)
	}
	return w, rank, nil
}

// balancedColumns brings each column near 1 by a power of two, the j-th by
// 2^−exponents[j].
func balancedColumns(x *mat.Dense) (balanced *mat.Dense, exponents []int) {
	_, p := x.Dims()
	balanced, exponents = mat.DenseCopyOf(x), make([]int, p)
	for j := range p {
		column, e := numeric.RescaledValues(mat.Col(nil, j, x))
		balanced.SetCol(j, column)
		exponents[j] = e
	}
	return balanced, exponents
}

// PLS is partial least squares with a number of components (0: 25, the default
// of Brain-Score), at most min(n − 1, p), of centred and unscaled responses. Each
// takes the direction w of X that has the largest covariance with Y and removes
// what it explains (NIPALS; Wold 1975):
//
//	t = Xw, p = Xᵀt/tᵀt, c = Yᵀt/tᵀt,  X ← X − tpᵀ, Y ← Y − tcᵀ,  W = W(PᵀW)⁻¹Cᵀ
type PLS struct{ Components int }

// Fit implements Mapping.
func (m PLS) Fit(x, y *mat.Dense) (*LinearMap, error) {
	if m.Components < 0 {
		return nil, fmt.Errorf("predictivity.PLS: %d components, want at least 1, or 0 for 25", m.Components)
	}
	return fitted("predictivity.PLS", x, y, func(x, y *mat.Dense, _ int) (*mat.Dense, error) {
		n, p := x.Dims()
		k := m.Components
		if k == 0 {
			k = 25
		}
		return nipals(x, y, min(k, n-1, p))
	})
}

// nipals overwrites x and y.
func nipals(x, y *mat.Dense, components int) (*mat.Dense, error) {
	n, p := x.Dims()
	_, q := y.Dims()
	ws, ps, cs := mat.NewDense(p, components, nil), mat.NewDense(p, components, nil), mat.NewDense(q, components, nil)
	size, done := mat.Norm(x, 2)*mat.Norm(y, 2), 0
	small := remainder{x: x, y: y, sizeX: columnNorms(x), sizeY: columnNorms(y)}
	for ; done < components; done++ {
		var m mat.Dense
		m.Mul(x.T(), y)
		w, strength, err := leading(&m)
		if err == nil && strength <= numeric.RankTolerance*size {
			if !small.covary(&m) {
				break // nothing is left to explain
			}
			w, _, err = leading(&m)
		}
		if err != nil {
			return nil, err
		}
		t, load, c := mat.NewVecDense(n, nil), mat.NewVecDense(p, nil), mat.NewVecDense(q, nil)
		t.MulVec(x, w)
		tt := mat.Dot(t, t)
		load.MulVec(x.T(), t)
		load.ScaleVec(1/tt, load)
		c.MulVec(y.T(), t)
		c.ScaleVec(1/tt, c)
		cs.SetCol(done, numeric.ScaledBy(c.RawVector().Data, small.exponent))
		x.RankOne(x, -1, t, load)
		y.RankOne(y, -1, t, c)
		ws.SetCol(done, w.RawVector().Data)
		ps.SetCol(done, load.RawVector().Data)
	}
	out := mat.NewDense(p, q, nil)
	if done == 0 {
		return out, nil
	}
	w, load, c := ws.Slice(0, p, 0, done), ps.Slice(0, p, 0, done), cs.Slice(0, q, 0, done)
	var pw, rotated, inner mat.Dense
	pw.Mul(load.T(), w)
	if err := inner.Solve(&pw, c.T()); err != nil && !numeric.IsConditioned(err) {
		return nil, fmt.Errorf("predictivity.PLS: %w; use fewer components", err)
	}
	rotated.Mul(w, &inner)
	return &rotated, nil
}

// remainder is what components leave of x and y, scaled by powers of two: directions of
// y are 2^exponent times as large as they come out.
type remainder struct {
	x, y         *mat.Dense
	sizeX, sizeY []float64 // of the columns, before all components
	exponent     int
}

// covary sets m to XᵀY of what is more than rounding, on a scale near 1, and reports
// whether there is any: of units that are small beside those that are explained.
func (r *remainder) covary(m *mat.Dense) bool {
	nx, ny := forget(r.x, r.sizeX), forget(r.y, r.sizeY)
	r.exponent += ny - nx
	sizeX, sizeY := columnNorms(r.x), columnNorms(r.y)
	m.Mul(r.x.T(), r.y)
	m.Apply(func(i, j int, v float64) float64 {
		if math.Abs(v) <= numeric.RankTolerance*sizeX[i]*sizeY[j] {
			return 0
		}
		return v
	}, m)
	near1, _ := numeric.Rescaled(m)
	m.Copy(near1)
	return numeric.LargestOf(m) > 0
}

// forget clears the columns of which nothing but rounding is left of their sizes, and
// scales the others and the sizes by the power of two, 2^−e, that brings them near 1.
func forget(x *mat.Dense, sizes []float64) (e int) {
	n, _ := x.Dims()
	for j, now := range columnNorms(x) {
		if now <= numeric.RankTolerance*sizes[j] {
			x.SetCol(j, make([]float64, n))
		}
	}
	near1, e := numeric.Rescaled(x)
	x.Copy(near1)
	copy(sizes, numeric.ScaledBy(sizes, -e))
	return e
}

func columnNorms(x *mat.Dense) []float64 {
	_, p := x.Dims()
	out := make([]float64, p)
	for j := range p {
		near1, e := numeric.RescaledValues(mat.Col(nil, j, x))
		out[j] = math.Ldexp(math.Sqrt(numeric.Dot(near1, near1)), e)
	}
	return out
}

// leading is the left singular vector of m = XᵀY of the largest singular value, found
// in the smaller of the two spaces.
func leading(m *mat.Dense) (*mat.VecDense, float64, error) {
	p, q := m.Dims()
	var g mat.SymDense
	if p <= q {
		g.SymOuterK(1, m)
	} else {
		g.SymOuterK(1, m.T())
	}
	var e mat.EigenSym
	if !e.Factorize(&g, true) {
		return nil, 0, fmt.Errorf("predictivity.PLS: the eigenvalues did not converge")
	}
	var vectors mat.Dense
	e.VectorsTo(&vectors)
	last := g.SymmetricDim() - 1
	w := mat.VecDenseCopyOf(vectors.ColView(last))
	if p > q {
		v := w
		w = mat.NewVecDense(p, nil)
		w.MulVec(m, v)
	}
	strength := math.Sqrt(max(e.Values(nil)[last], 0))
	if norm := mat.Norm(w, 2); norm > 0 {
		w.ScaleVec(1/norm, w)
	}
	return w, strength, nil
}

// SingleUnit predicts each unit of y from the one unit of x that correlates with
// it most, by regression: how far one to one correspondence goes.
type SingleUnit struct{}

// Fit implements Mapping.
func (SingleUnit) Fit(x, y *mat.Dense) (*LinearMap, error) {
	return fitted("predictivity.SingleUnit", x, y, func(x, y *mat.Dense, _ int) (*mat.Dense, error) {
		x, exponents := balancedColumns(x)
		var xy mat.Dense
		xy.Mul(x.T(), y)
		p, q := xy.Dims()
		w := mat.NewDense(p, q, nil)
		for j := range q {
			best, score := -1, 0.0
			for i := range p {
				xx := squareOfColumn(x, i)
				if r := math.Abs(xy.At(i, j)) / math.Sqrt(xx); xx > 0 && r > score*(1+numeric.Rounding) { // the first of equals
					best, score = i, r
				}
			}
			if best >= 0 {
				w.Set(best, j, math.Ldexp(xy.At(best, j)/squareOfColumn(x, best), -exponents[best]))
			}
		}
		return w, nil
	})
}

func squareOfColumn(x *mat.Dense, j int) float64 {
	c := mat.Col(nil, j, x)
	return numeric.Dot(c, c)
}
