// Package compare measures how alike two representations of the same stimuli
// are: of brains, of networks, of spikes.
//
// Responses are a matrix X of n stimuli (rows) × p units (columns): rates,
// potentials, counts. Four families of measures look at it:
//
//	RSA             dissimilarities d_ij of the stimuli in X, and how the two lists
//	                of them agree (RDM, Similarity; Kriegeskorte et al. 2008)
//	CKA             ⟨K_c, L_c⟩ / (‖K_c‖·‖L_c‖) of centred Gram matrices K_c = HKH,
//	                H = I − 11ᵀ/n (LinearCKA …; Kornblith et al. 2019)
//	CCA             ρ = singular values of Q_xᵀQ_y, Q orthonormal bases of the
//	                centred columns (CCA, SVCCA, PWCCA; Raghu et al. 2017, Morcos et
//	                al. 2018)
//	predictivity    Pearson r of units of Y with what a linear map of X, fitted to
//	                other stimuli, says of them (Mapping; Yamins et al. 2014)
//
// What leaves a measure unchanged, and so what it can not see:
//
//	measure                    rotation  scale  invertible map  shift
//	Euclidean RDM, then RSA    yes       yes    no              yes
//	correlation RDM            no        yes    no              along 1
//	linear, RBF CKA            yes       yes    no              yes
//	CCA                        yes       yes    yes             yes
//	SVCCA                      yes       yes    no              yes
//	PWCCA                      yes       yes    of Y            yes
//	least squares              yes       yes    of X            yes
//
// Trains of spikes enter by any distance between two of them (SpikeRDM), or as
// traces of van Rossum's filter (Traces), for which all measures above work.
//
// Inference (Bootstrap, PermutationTest, NoiseCeiling) follows Nili et al. 2014
// and Schütt et al. 2023. Results are the same for any number of threads.
//
// A value that does not exist, such as the correlation of a constant, comes as 0
// with an error that wraps ErrUndefined, so that a caller may let it stand. What is
// constant, zero or tied is so but for rounding: a computed dissimilarity carries a
// bound of its error (RDM.Rounding), responses are compared with their size before
// the mean is taken away. Responses may have any magnitude; where a result has none
// to lose, they are scaled by powers of two, which changes no bit.
//
// Metrics lists the measures that have names, with which commands run them.
package compare

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// ErrUndefined is wrapped by errors about values that do not exist for the data
// given, which are well formed: correlations of constants, above all.
var ErrUndefined = errors.New("undefined")

// undefinedError says what does not exist and why.
type undefinedError struct{ op, why string }

func (e undefinedError) Error() string {
	return fmt.Sprintf("compare.%s: %v: %s", e.op, ErrUndefined, e.why)
}

func (undefinedError) Unwrap() error { return ErrUndefined }

func undefined(op, why string, args ...any) error {
	return undefinedError{op, fmt.Sprintf(why, args...)}
}

// reason is why a value does not exist.
func reason(err error) string {
	var e undefinedError
	if errors.As(err, &e) {
		return e.why
	}
	return err.Error()
}

// orZero lets a value that does not exist stand as 0.
func orZero(v float64, err error) (float64, error) {
	if errors.Is(err, ErrUndefined) {
		return 0, nil
	}
	return v, err
}

// minStimuli is the fewest whose dissimilarities can agree or disagree.
const minStimuli = 3

// check returns an error unless x has at least n rows, a column, and finite
// elements only.
func check(op string, x *mat.Dense, n int) error {
	if x == nil || x.IsEmpty() {
		return fmt.Errorf("compare.%s: no responses; give a matrix of stimuli × units", op)
	}
	rows, cols := x.Dims()
	if rows < n {
		return fmt.Errorf("compare.%s: responses to %d stimuli, want at least %d; are stimuli the rows?", op, rows, n)
	}
	for i := range rows {
		for j, v := range x.RawRowView(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("compare.%s: the response of unit %d of %d to stimulus %d is %v; leave such units or stimuli out", op, j, cols, i, v)
			}
		}
	}
	return nil
}

// checkPair is check for both, which must be of the same stimuli.
func checkPair(op string, x, y *mat.Dense, n int) error {
	if err := errors.Join(check(op, x, n), check(op, y, n)); err != nil {
		return err
	}
	if a, b := x.RawMatrix().Rows, y.RawMatrix().Rows; a != b {
		return fmt.Errorf("compare.%s: responses to %d and to %d stimuli; give both to the same stimuli in the same order", op, a, b)
	}
	return nil
}

// centred is x minus the mean of each column. Columns that are constant but for
// rounding become exactly 0: what rounding leaves of them is no response.
func centred(x *mat.Dense) *mat.Dense {
	n, p := x.Dims()
	means, constant := columnMeans(x), constantColumns(x)
	c := mat.NewDense(n, p, nil)
	for i := range n {
		row := c.RawRowView(i)
		for j, v := range x.RawRowView(i) {
			if !constant[j] {
				row[j] = v - means[j]
			}
		}
	}
	return c
}

func columnMeans(x *mat.Dense) []float64 {
	n, p := x.Dims()
	means := make([]float64, p)
	for i := range n {
		for j, v := range x.RawRowView(i) {
			means[j] += v
		}
	}
	for j := range means {
		means[j] /= float64(n)
	}
	return means
}

// gram is x·xᵀ.
func gram(x *mat.Dense) *mat.Dense {
	var k mat.Dense
	k.Mul(x, x.T())
	return &k
}

// frobenius is ⟨a, b⟩, the sum of the products of all elements.
func frobenius(a, b *mat.Dense) float64 {
	sum := 0.0
	for i := range a.RawMatrix().Rows {
		sum += dot(a.RawRowView(i), b.RawRowView(i))
	}
	return sum
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}
