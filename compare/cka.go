package compare

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/internal/numeric"
)

// LinearCKA is ‖YᵀX‖²/(‖XᵀX‖·‖YᵀY‖) of centred columns, the alignment of the
// Gram matrices XXᵀ and YYᵀ (Kornblith et al. 2019). With fewer stimuli than
// units it is near 1 for anything: use UnbiasedCKA.
func LinearCKA(x, y *mat.Dense) (float64, error) {
	const op = "LinearCKA"
	if err := numeric.CheckPair(op, x, y, numeric.MinStimuli); err != nil {
		return 0, err
	}
	n, p := x.Dims()
	_, q := y.Dims()
	cx, cy := numeric.CentredNear1(x), numeric.CentredNear1(y)
	if p+q >= n {
		return numeric.Cosine(op, elements(gram(cx)), elements(gram(cy)))
	}
	size := math.Sqrt(crossNorm(cx, cx) * crossNorm(cy, cy))
	if size == 0 {
		return 0, numeric.Undefined(op, "one side responds to all stimuli alike")
	}
	return min(crossNorm(cx, cy)/size, 1), nil
}

func elements(m *mat.Dense) []float64 { return m.RawMatrix().Data }

// crossNorm is ‖YᵀX‖².
func crossNorm(x, y *mat.Dense) float64 {
	var c mat.Dense
	c.Mul(y.T(), x)
	return numeric.Dot(elements(&c), elements(&c))
}

// RBFCKA aligns Gram matrices exp(−d²/(2σ²)) of distances d with σ = width times
// the median distance of each side; width 1 is usual.
func RBFCKA(x, y *mat.Dense, width float64) (float64, error) {
	const op = "RBFCKA"
	if err := numeric.CheckPair(op, x, y, numeric.MinStimuli); err != nil {
		return 0, err
	}
	k, err := rbfGram(op, x, width)
	if err != nil {
		return 0, err
	}
	l, err := rbfGram(op, y, width)
	if err != nil {
		return 0, err
	}
	return numeric.Cosine(op, elements(centredBoth(k)), elements(centredBoth(l)))
}

func rbfGram(op string, x *mat.Dense, width float64) (*mat.Dense, error) {
	if !(width > 0) || math.IsInf(width, 0) {
		return nil, fmt.Errorf("compare.%s: width %v, want a positive multiple of the median distance, such as 1", op, width)
	}
	near1, _ := numeric.Rescaled(x)
	d := squares(near1, numeric.Roundoff)
	distances := d.Sqrt().Values
	for i, v := range d.Values {
		if v <= d.bound(i) {
			distances[i] = 0
		}
	}
	slices.Sort(distances)
	sigma := width * numeric.Quantile(distances, 0.5)
	if sigma == 0 {
		return nil, numeric.Undefined(op, "half of the stimuli have the same response: the median distance is 0")
	}
	k := d.Matrix()
	k.Apply(func(_, _ int, v float64) float64 { v = math.Sqrt(v) / sigma; return math.Exp(-v * v / 2) }, k)
	return k, nil
}

// minUnbiased is the fewest stimuli of an unbiased HSIC.
const minUnbiased = 4

// UnbiasedHSIC is the estimate of Song et al. 2007 for Gram matrices of n ≥ 4
// stimuli: with their diagonals set to 0,
//
//	(tr(KL) + 1ᵀK1·1ᵀL1/((n−1)(n−2)) − 2·1ᵀKL1/(n−2)) / (n(n−3))
func UnbiasedHSIC(k, l *mat.Dense) (float64, error) {
	const op = "UnbiasedHSIC"
	if err := numeric.CheckPair(op, k, l, minUnbiased); err != nil {
		return 0, err
	}
	for _, m := range []*mat.Dense{k, l} {
		if r, c := m.Dims(); r != c {
			return 0, fmt.Errorf("compare.%s: a %d×%d matrix, want Gram matrices, stimuli × stimuli", op, r, c)
		}
	}
	return unbiasedHSIC(hollow(k), hollow(l)), nil
}

// hollow is k with a diagonal of 0.
func hollow(k *mat.Dense) *mat.Dense {
	h := mat.DenseCopyOf(k)
	for i := range h.RawMatrix().Rows {
		h.Set(i, i, 0)
	}
	return h
}

func unbiasedHSIC(k, l *mat.Dense) float64 {
	rows, _ := k.Dims()
	n := float64(rows)
	ks, ls := numeric.ColumnMeans(k), numeric.ColumnMeans(l)
	sumK, sumL := n*n*numeric.Mean(ks), n*n*numeric.Mean(ls)
	return (frobenius(k, l) + sumK*sumL/((n-1)*(n-2)) - 2*n*n*numeric.Dot(ks, ls)/(n-2)) / (n * (n - 3))
}

// UnbiasedCKA is linear CKA with UnbiasedHSIC for each term: around 0 without a
// relation, hence also negative, however many units there are. Where a side's own
// term is not positive it is undefined, as of patterns that are all equally far
// apart.
func UnbiasedCKA(x, y *mat.Dense) (float64, error) {
	var m MinibatchCKA
	if err := m.add("UnbiasedCKA", x, y); err != nil {
		return 0, err
	}
	return m.value("UnbiasedCKA")
}

// MinibatchCKA is UnbiasedCKA of more stimuli than fit memory: it averages the
// three unbiased terms over batches and takes their ratio at the end (Nguyen,
// Raghu and Kornblith, "Do wide and deep networks learn the same things?", 2021).
// The zero value is ready.
type MinibatchCKA struct {
	begun        bool
	xy, xx, yy   float64 // of responses 2^ex and 2^ey times as small
	errXX, errYY float64
	ex, ey       int
}

// Add takes a batch of at least four stimuli.
func (m *MinibatchCKA) Add(x, y *mat.Dense) error { return m.add("MinibatchCKA", x, y) }

func (m *MinibatchCKA) add(op string, x, y *mat.Dense) error {
	if err := numeric.CheckPair(op, x, y, minUnbiased); err != nil {
		return err
	}
	a, b := unbiasedSide(x), unbiasedSide(y)
	if !m.begun {
		m.ex, m.ey, m.begun = a.exponent, b.exponent, true
	}
	ex, ey := max(m.ex, a.exponent), max(m.ey, b.exponent)
	m.scale(m.ex-ex, m.ey-ey)
	m.ex, m.ey = ex, ey
	dx, dy := a.exponent-ex, b.exponent-ey
	m.xy += math.Ldexp(unbiasedHSIC(a.k, b.k), 2*dx+2*dy)
	m.xx += math.Ldexp(unbiasedHSIC(a.k, a.k), 4*dx)
	m.yy += math.Ldexp(unbiasedHSIC(b.k, b.k), 4*dy)
	m.errXX += math.Ldexp(a.err, 4*dx)
	m.errYY += math.Ldexp(b.err, 4*dy)
	return nil
}

// scale is to responses 2^dx and 2^dy times as large.
func (m *MinibatchCKA) scale(dx, dy int) {
	m.xy = math.Ldexp(m.xy, 2*dx+2*dy)
	m.xx, m.errXX = math.Ldexp(m.xx, 4*dx), math.Ldexp(m.errXX, 4*dx)
	m.yy, m.errYY = math.Ldexp(m.yy, 4*dy), math.Ldexp(m.errYY, 4*dy)
}

// Value is the CKA of the batches so far.
func (m *MinibatchCKA) Value() (float64, error) { return m.value("MinibatchCKA") }

func (m *MinibatchCKA) value(op string) (float64, error) {
	if !(m.xx > m.errXX && m.yy > m.errYY) {
		return 0, numeric.Undefined(op, "an estimate of a side's own HSIC is not positive: its stimuli are equally far apart, or too few")
	}
	return m.xy / (math.Sqrt(m.xx) * math.Sqrt(m.yy)), nil
}

// gramSide is the Gram matrix of responses, centred, without its diagonal. They
// are those given times 2^−exponent, and err bounds the error of its own HSIC.
type gramSide struct {
	k        *mat.Dense
	exponent int
	err      float64
}

// unbiasedSide: an element of the Gram matrix is a sum over p units of centred
// responses, which are off by the rounding of the data and of n-fold means; HSIC is
// a quadratic form of n(n − 3) times the matrix, whose norm is at most ‖x_c‖².
func unbiasedSide(x *mat.Dense) gramSide {
	near1, e := numeric.Rescaled(x)
	c := numeric.Centred(near1)
	size := mat.Norm(c, 2)
	rows, p := x.Dims()
	n := float64(rows)
	relative := (numeric.InputRoundoff(x, numeric.Roundoff) + 2*numeric.Roundoff) * mat.Norm(near1, 2) * size
	bound := 4*size*size*relative + float64(p+rows+8)*numeric.Roundoff*size*size*size*size
	return gramSide{hollow(gram(c)), e, bound / (n * (n - 3))}
}

// Kernel is the kind of CKA of a table of layers.
type Kernel int

// The kernels.
const (
	Linear Kernel = iota
	RBF           // width 1
	Unbiased
)

// CKATable is the CKA of each of the representations a (rows) with each of b, all
// of the same stimuli. A Gram matrix is made once for each, so a table of many
// layers costs little more than its products. Undefined values are NaN.
func CKATable(a, b []*mat.Dense, kernel Kernel) (*mat.Dense, error) {
	const op = "CKATable"
	if len(a) == 0 || len(b) == 0 {
		return nil, fmt.Errorf("compare.%s: tables of %d × %d layers; give at least one on each side", op, len(a), len(b))
	}
	grams, errs := map[*mat.Dense]*mat.Dense{}, map[*mat.Dense]float64{}
	for _, x := range append(append([]*mat.Dense{}, a...), b...) {
		if err := numeric.CheckPair(op, a[0], x, minUnbiased); err != nil {
			return nil, err
		}
		if grams[x] != nil {
			continue
		}
		g, err := kernelGram(op, x, kernel)
		if err != nil && !errors.Is(err, ErrUndefined) {
			return nil, err
		}
		grams[x], errs[x] = g.k, g.err
		if err != nil {
			n, _ := x.Dims()
			grams[x] = mat.NewDense(n, n, nil)
		}
	}
	product := frobenius
	if kernel == Unbiased {
		product = unbiasedHSIC
	}
	own := map[*mat.Dense]float64{}
	for x, g := range grams {
		if own[x] = product(g, g); !(own[x] > errs[x]) {
			own[x] = math.NaN()
		}
	}
	table := mat.NewDense(len(a), len(b), nil)
	for i, x := range a {
		for j, y := range b {
			table.Set(i, j, product(grams[x], grams[y])/(math.Sqrt(own[x])*math.Sqrt(own[y])))
		}
	}
	return table, nil
}

// kernelGram is the centred Gram matrix of responses.
func kernelGram(op string, x *mat.Dense, kernel Kernel) (gramSide, error) {
	switch kernel {
	case Linear:
		return gramSide{k: gram(numeric.CentredNear1(x))}, nil
	case Unbiased:
		return unbiasedSide(x), nil
	case RBF:
		k, err := rbfGram(op, x, 1)
		if err != nil {
			return gramSide{}, err
		}
		return gramSide{k: centredBoth(k)}, nil
	}
	return gramSide{}, fmt.Errorf("compare.%s: kernel %d, want Linear, RBF or Unbiased", op, kernel)
}
