package numeric

import (
	"math"
	"math/bits"

	"gonum.org/v1/gonum/mat"
)

// FixedBits are what counts and other numbers of fixed point take.
const FixedBits = 20

// Bits is how many bits the largest response has, down to the last that any uses.
func Bits(x *mat.Dense) int {
	lowest := math.MaxInt
	for i := range x.RawMatrix().Rows {
		for _, v := range x.RawRowView(i) {
			if v == 0 {
				continue
			}
			fraction, e := math.Frexp(math.Abs(v))
			lowest = min(lowest, e-53+bits.TrailingZeros64(uint64(fraction*0x1p53)))
		}
	}
	if lowest == math.MaxInt {
		return 0
	}
	_, top := math.Frexp(LargestOf(x))
	return top - lowest
}

// InputRoundoff is how far each response may be, relative to itself, from what it
// stands for. Whole multiples of one power of two, such as counts, are what they
// are; others were rounded, to float64 unless coarser says more.
func InputRoundoff(x *mat.Dense, coarser float64) float64 {
	if Bits(x) <= FixedBits {
		return 0
	}
	return max(Roundoff, coarser)
}

// Norm is the Euclidean length of a vector.
func Norm(v []float64) float64 { return math.Sqrt(Dot(v, v)) }
