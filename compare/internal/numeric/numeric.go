// Package numeric is what the measures of package compare share: arithmetic whose
// rounding is bounded, responses on a scale near 1, errors about values that do not
// exist.
package numeric

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// ErrUndefined is wrapped by errors about values that do not exist for the data
// given, which are well formed: correlations of constants, above all.
var ErrUndefined = errors.New("undefined")

// undefinedError says what does not exist and why.
type undefinedError struct{ op, why string }

func (e undefinedError) Error() string {
	return fmt.Sprintf("%s: %v: %s", name(e.op), ErrUndefined, e.why)
}

func (undefinedError) Unwrap() error { return ErrUndefined }

// Undefined is the error that an operation's value does not exist, and why.
func Undefined(op, why string, args ...any) error {
	return undefinedError{op, fmt.Sprintf(why, args...)}
}

// Reason is why a value does not exist.
func Reason(err error) string {
	var e undefinedError
	if errors.As(err, &e) {
		return e.why
	}
	return err.Error()
}

// name is an operation's: of package compare unless it says of which.
func name(op string) string {
	if strings.Contains(op, ".") {
		return op
	}
	return "compare." + op
}

// MinStimuli is the fewest whose dissimilarities can agree or disagree.
const MinStimuli = 3

// CheckResponses returns an error unless x has at least n rows, a column, and finite
// elements only.
func CheckResponses(op string, x *mat.Dense, n int) error {
	if x == nil || x.IsEmpty() {
		return fmt.Errorf("%s: no responses; give a matrix of stimuli × units", name(op))
	}
	rows, cols := x.Dims()
	if rows < n {
		return fmt.Errorf("%s: responses to %d stimuli, want at least %d; are stimuli the rows?", name(op), rows, n)
	}
	for i := range rows {
		for j, v := range x.RawRowView(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("%s: the response of unit %d of %d to stimulus %d is %v; leave such units or stimuli out", name(op), j, cols, i, v)
			}
		}
	}
	return nil
}

// CheckPair is CheckResponses of both, which must be of the same stimuli.
func CheckPair(op string, x, y *mat.Dense, n int) error {
	if err := errors.Join(CheckResponses(op, x, n), CheckResponses(op, y, n)); err != nil {
		return err
	}
	if a, b := x.RawMatrix().Rows, y.RawMatrix().Rows; a != b {
		return fmt.Errorf("%s: responses to %d and to %d stimuli; give both to the same stimuli in the same order", name(op), a, b)
	}
	return nil
}

// Roundoff is half the distance of float64 numbers next to 1: an operation's
// relative error is at most this.
const Roundoff = 0x1p-53

// Rounding is how far equal similarities may differ when entries are added in
// another order.
const Rounding = 1e-12

// Exponent is such that 2^−exponent scales the largest of the values into
// [½, 1), or as near to it as one factor can.
func Exponent(largest float64) int {
	if largest == 0 {
		return 0
	}
	_, e := math.Frexp(largest)
	return max(e, -1000)
}

// Largest modulus of the values; NaN is left out.
func Largest(v []float64) float64 {
	most := 0.0
	for _, x := range v {
		if a := math.Abs(x); a > most {
			most = a
		}
	}
	return most
}

// LargestOf is Largest of a matrix.
func LargestOf(x *mat.Dense) float64 {
	most := 0.0
	for i := range x.RawMatrix().Rows {
		most = max(most, Largest(x.RawRowView(i)))
	}
	return most
}

// Rescaled is x·2^−e with its largest element in [½, 1): squares and products of
// it neither overflow nor vanish, and no bit of a quotient of them changes.
func Rescaled(x *mat.Dense) (scaled *mat.Dense, e int) {
	e = Exponent(LargestOf(x))
	scaled = &mat.Dense{}
	scaled.Scale(math.Ldexp(1, -e), x)
	return scaled, e
}

// RescaledValues is v·2^−e in the same way; NaN stays.
func RescaledValues(v []float64) (scaled []float64, e int) {
	e = Exponent(Largest(v))
	return ScaledBy(v, -e), e
}

// ScaledBy is v·2^e.
func ScaledBy(v []float64, e int) []float64 {
	half := math.Ldexp(1, e/2) // one factor might overflow
	rest := math.Ldexp(1, e-e/2)
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = x * half * rest
	}
	return out
}

// ConstantColumns marks the units whose responses are all equal but for rounding.
func ConstantColumns(x *mat.Dense) []bool {
	n, p := x.Dims()
	out := make([]bool, p)
	column := make([]float64, n)
	for j := range p {
		out[j] = Alike(mat.Col(column, j, x), AlikeTolerance(Roundoff))
	}
	return out
}

// AlikeTolerance relative to the largest of some responses is how far they may
// differ by rounding: of the data, and of the few operations that made them.
func AlikeTolerance(coarser float64) float64 { return 8 * max(coarser, Roundoff) }

// Alike reports whether values differ by no more than the tolerance, relative to
// the largest modulus.
func Alike(v []float64, tolerance float64) bool {
	return slices.Max(v)/2-slices.Min(v)/2 <= tolerance/2*Largest(v)
}

// Centred is x minus the mean of each column. Columns that are constant but for
// Rounding become exactly 0: what rounding leaves of them is no response.
func Centred(x *mat.Dense) *mat.Dense {
	n, p := x.Dims()
	c := mat.NewDense(n, p, nil)
	centre(c, x)
	return c
}

// farOff is how many times the spread of a unit its mean is where centring it once leaves the
// rounding of the mean in the place of zeros.
const farOff = 1 << 10

// centre sets c, which may be x, to x centred. The rounding of a mean far off from 0 is a mean of
// what is left, and taken away as well: a shift that is exact changes next to nothing.
func centre(c, x *mat.Dense) {
	means, constant := ColumnMeans(x), ConstantColumns(x)
	spread := make([]float64, len(means))
	for i := range x.RawMatrix().Rows {
		row := c.RawRowView(i)
		for j, v := range x.RawRowView(i) {
			if row[j] = v - means[j]; constant[j] {
				row[j] = 0
			}
			spread[j] = max(spread[j], math.Abs(row[j]))
		}
	}
	var rest []float64 // means of what is left, where a unit needs them
	for j, mean := range means {
		if constant[j] || math.Abs(mean) <= farOff*spread[j] {
			continue
		}
		if rest == nil {
			rest = ColumnMeans(c)
		}
		for i := range c.RawMatrix().Rows {
			c.Set(i, j, c.At(i, j)-rest[j])
		}
	}
}

// CentredNear1 is centred, on a scale near 1: CKA and CCA do not see it.
func CentredNear1(x *mat.Dense) *mat.Dense {
	c, _ := Rescaled(x)
	centre(c, c)
	c.Scale(math.Ldexp(1, -Exponent(LargestOf(c))), c)
	return c
}

// Rows are the rows of x with these numbers, in their order.
func Rows(x *mat.Dense, index []int) *mat.Dense {
	_, p := x.Dims()
	out := mat.NewDense(len(index), p, nil)
	for i, k := range index {
		out.SetRow(i, x.RawRowView(k))
	}
	return out
}

// ColumnMeans are the means of the units over the stimuli.
func ColumnMeans(x *mat.Dense) []float64 {
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

// Dot is Σ a_i·b_i, added in order.
func Dot(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// Mean is the mean, added in order.
func Mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// Cosine is of values of any magnitude.
func Cosine(op string, a, b []float64) (float64, error) {
	a, _ = RescaledValues(a)
	b, _ = RescaledValues(b)
	size := math.Sqrt(Dot(a, a) * Dot(b, b))
	if size == 0 {
		return 0, Undefined(op, "one side has no variance: its values are all equal")
	}
	return min(max(Dot(a, b)/size, -1), 1), nil
}

func Correlation(op string, a, b []float64) (float64, error) {
	return Cosine(op, Deviations(a), Deviations(b))
}

// Deviations from the mean; exactly 0 where all values are equal.
func Deviations(v []float64) []float64 {
	d := make([]float64, len(v))
	for i, x := range v {
		d[i] = x - v[0]
	}
	m := Mean(d)
	for i := range d {
		d[i] -= m
	}
	return d
}

// Quantile interpolates between the sorted values.
func Quantile(sorted []float64, p float64) float64 {
	if len(sorted) == 1 {
		return sorted[0]
	}
	x := min(max(p, 0), 1) * float64(len(sorted)-1)
	i := min(int(x), len(sorted)-2)
	return sorted[i] + (x-float64(i))*(sorted[i+1]-sorted[i])
}

// IsConditioned reports a solution that exists but is inaccurate.
func IsConditioned(err error) bool {
	c, ok := err.(mat.Condition)
	return ok && !math.IsInf(float64(c), 1)
}

// ErrRange is wrapped by errors about values beyond what a float64 can hold.
var ErrRange = errors.New("out of range")

// RankTolerance times the largest singular value is the smallest that counts.
const RankTolerance = 1e-10
