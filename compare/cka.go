package compare

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// LinearCKA is ‖YᵀX‖²/(‖XᵀX‖·‖YᵀY‖) of centred columns, the alignment of the
// Gram matrices XXᵀ and YYᵀ (Kornblith et al. 2019). With fewer stimuli than
// units it is near 1 for anything: use UnbiasedCKA.
func LinearCKA(x, y *mat.Dense) (float64, error) {
	const op = "LinearCKA"
	if err := checkPair(op, x, y, minStimuli); err != nil {
		return 0, err
	}
	n, p := x.Dims()
	_, q := y.Dims()
	if p+q >= n {
		return cosine(op, elements(centredBoth(gram(x))), elements(centredBoth(gram(y))))
	}
	cx, cy := centred(x), centred(y)
	norm := math.Sqrt(crossNorm(cx, cx)) * math.Sqrt(crossNorm(cy, cy))
	if norm == 0 {
		return 0, undefined(op, "one side responds to all stimuli alike")
	}
	return crossNorm(cx, cy) / norm, nil
}

func elements(m *mat.Dense) []float64 { return m.RawMatrix().Data }

// crossNorm is ‖YᵀX‖².
func crossNorm(x, y *mat.Dense) float64 {
	var c mat.Dense
	c.Mul(y.T(), x)
	return dot(elements(&c), elements(&c))
}

// RBFCKA aligns Gram matrices exp(−d²/(2σ²)) of distances d with σ = width times
// the median distance of each side; width 1 is usual.
func RBFCKA(x, y *mat.Dense, width float64) (float64, error) {
	const op = "RBFCKA"
	if err := checkPair(op, x, y, minStimuli); err != nil {
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
	return cosine(op, elements(centredBoth(k)), elements(centredBoth(l)))
}

func rbfGram(op string, x *mat.Dense, width float64) (*mat.Dense, error) {
	if !(width > 0) || math.IsInf(width, 0) {
		return nil, fmt.Errorf("compare.%s: width %v, want a positive multiple of the median distance, such as 1", op, width)
	}
	d := squaredDistances(centred(x))
	sorted := slices.Sorted(slices.Values(d.Sqrt().Values))
	sigma := width * quantile(sorted, 0.5)
	if sigma == 0 {
		return nil, undefined(op, "half of the stimuli have the same response: the median distance is 0")
	}
	k := d.Matrix()
	k.Apply(func(_, _ int, v float64) float64 { return math.Exp(-v / (2 * sigma * sigma)) }, k)
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
	if err := checkPair(op, k, l, minUnbiased); err != nil {
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
	ks, ls := columnMeans(k), columnMeans(l)
	sumK, sumL := n*n*mean(ks), n*n*mean(ls)
	return (frobenius(k, l) + sumK*sumL/((n-1)*(n-2)) - 2*n*n*dot(ks, ls)/(n-2)) / (n * (n - 3))
}

// UnbiasedCKA is linear CKA with UnbiasedHSIC for each term: around 0 without a
// relation, hence also negative, however many units there are. Where the product
// under the root is not positive it is undefined.
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
type MinibatchCKA struct{ xy, xx, yy float64 }

// Add takes a batch of at least four stimuli.
func (m *MinibatchCKA) Add(x, y *mat.Dense) error { return m.add("MinibatchCKA", x, y) }

func (m *MinibatchCKA) add(op string, x, y *mat.Dense) error {
	if err := checkPair(op, x, y, minUnbiased); err != nil {
		return err
	}
	k, l := hollow(gram(centred(x))), hollow(gram(centred(y)))
	m.xy += unbiasedHSIC(k, l)
	m.xx += unbiasedHSIC(k, k)
	m.yy += unbiasedHSIC(l, l)
	return nil
}

// Value is the CKA of the batches so far.
func (m *MinibatchCKA) Value() (float64, error) { return m.value("MinibatchCKA") }

func (m *MinibatchCKA) value(op string) (float64, error) {
	if !(m.xx > 0 && m.yy > 0) {
		return 0, undefined(op, "an estimate of a side's own HSIC is not positive; use more stimuli")
	}
	return m.xy / math.Sqrt(m.xx*m.yy), nil
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
	grams := map[*mat.Dense]*mat.Dense{}
	for _, x := range append(append([]*mat.Dense{}, a...), b...) {
		if err := checkPair(op, a[0], x, minUnbiased); err != nil {
			return nil, err
		}
		if grams[x] != nil {
			continue
		}
		g, err := kernelGram(op, x, kernel)
		if err != nil {
			return nil, err
		}
		grams[x] = g
	}
	product := frobenius
	if kernel == Unbiased {
		product = unbiasedHSIC
	}
	own := map[*mat.Dense]float64{}
	for x, g := range grams {
		own[x] = product(g, g)
	}
	table := mat.NewDense(len(a), len(b), nil)
	for i, x := range a {
		for j, y := range b {
			table.Set(i, j, product(grams[x], grams[y])/math.Sqrt(own[x]*own[y]))
		}
	}
	return table, nil
}

func kernelGram(op string, x *mat.Dense, kernel Kernel) (*mat.Dense, error) {
	switch kernel {
	case Linear:
		return centredBoth(gram(centred(x))), nil
	case Unbiased:
		return hollow(gram(centred(x))), nil
	case RBF:
		k, err := rbfGram(op, x, 1)
		if err != nil {
			return nil, err
		}
		return centredBoth(k), nil
	}
	return nil, fmt.Errorf("compare.%s: kernel %d, want Linear, RBF or Unbiased", op, kernel)
}
