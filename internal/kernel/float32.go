//go:build !float64

package kernel

import "math"

// Float is the element type of the whole engine: float32, or float64 under
// the build tag float64 (gradient checks), which also drops the assembly.
type Float = float32

// The exponential is 2ⁿ·exp(r) with the whole number n nearest to x/ln 2: adding
// roundingBias leaves n in the low bits. ln 2 is taken off in two parts, the first with
// few bits, so that r is exact, and exp(r) = 1 + r + r²·(polynomial in r), with
// coefficients that make the largest error on |r| ≤ ½ ln 2 small.
const (
	roundingBias = 3 << 22
	perLn2       = 1.44269504088896341
	ln2High      = 0.693359375
	ln2Low       = -2.12194440e-4
)

var expTerms = [...]Float{1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1}

// exp is e to the power of x, for |x| ≤ 80.
func exp(x Float) Float {
	n := Float(x*perLn2) + roundingBias
	whole := n - roundingBias
	r := x - Float(whole*ln2High)
	r -= Float(whole * ln2Low)
	y := expTerms[0]
	for _, c := range expTerms[1:] {
		y = Float(y*r) + c
	}
	y = Float(y*Float(r*r)) + r + 1
	return math.Float32frombits(math.Float32bits(y) + math.Float32bits(n)<<23)
}
