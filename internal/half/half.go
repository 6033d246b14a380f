// Package half is numbers of 16 bits as files hold them: a sign, 5 bits of exponent and 10
// of fraction (IEEE 754 binary16).
package half

import "math"

// Inf is the half of infinity.
const Inf = 0x1f << 10

const (
	signBit = 1 << 15
	below   = -13 // numbers f·2^e, ½ ≤ f < 1, of a smaller e have the spacing of e = −13
)

// From is the nearest half to x, ties to even; beyond the largest it is infinite.
func From(x float64) uint16 {
	_, e := math.Frexp(x)
	if e = max(e, below); x == 0 {
		e = below
	}
	n := int(math.RoundToEven(math.Ldexp(math.Abs(x), 11-e))) // at most 2^11, which carries into the exponent
	h := uint16(min(n+(e-below)<<10, Inf))
	if math.Signbit(x) {
		h |= signBit
	}
	return h
}

// Value is the value of a half; a single-precision number holds it exactly.
func Value(h uint16) float64 {
	fraction, e := float64(h&0x3ff), int(h>>10&0x1f)
	v := math.Ldexp(fraction, -24)
	switch {
	case e == 0x1f && fraction != 0:
		return math.NaN()
	case e == 0x1f:
		v = math.Inf(1)
	case e > 0:
		v = math.Ldexp(fraction+1024, e-25)
	}
	if h&signBit != 0 {
		v = -v
	}
	return v
}
