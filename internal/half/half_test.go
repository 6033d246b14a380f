package half

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Every half has its value, and the value its half.
func TestEach(t *testing.T) {
	for h := range uint16(Inf) {
		for _, h := range []uint16{h, h | signBit} {
			if got := From(Value(h)); got != h {
				t.Fatalf("half %#04x is %v, whose half is %#04x", h, Value(h), got)
			}
		}
	}
	for h, want := range map[uint16]float64{0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0001: 0x1p-24, 0x0400: 0x1p-14, 0x3555: 0.333251953125} {
		if Value(h) != want {
			t.Errorf("half %#04x is %v, want %v", h, Value(h), want)
		}
	}
}

// Values go to the nearest half, ties to the one whose last bit is 0; between float64
// and half there is no rounding to float32 in between.
func TestNearestEven(t *testing.T) {
	for _, c := range []struct {
		x    float64
		want uint16
	}{
		{1 + 0x1p-11, 0x3c00}, {1 + 3*0x1p-11, 0x3c02}, {1 + 0x1p-11 + 0x1p-50, 0x3c01}, {-1 - 0x1p-11, 0xbc00},
		{0x1p-25, 0}, {3 * 0x1p-25, 2}, {0x1p-25 + 0x1p-60, 1}, {0x1p-14 - 0x1p-25, 0x0400},
		{65519.99, 0x7bff}, {65520, Inf}, {0, 0}, {math.Copysign(0, -1), signBit},
	} {
		if got := From(c.x); got != c.want {
			t.Errorf("half of %v is %#04x, want %#04x", c.x, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64Range(-65504, 65504).Draw(t, "x") * math.Ldexp(1, rapid.IntRange(-30, 0).Draw(t, "e"))
		h := From(x)
		got := math.Abs(Value(h) - x)
		for _, n := range []uint16{h - 1, h + 1} {
			if n&^signBit < Inf && math.Signbit(Value(n)) == math.Signbit(x) {
				if d := math.Abs(Value(n) - x); d < got || d == got && h&1 == 1 {
					t.Fatalf("half of %v is %v, %v is nearer", x, Value(h), Value(n))
				}
			}
		}
	})
}
