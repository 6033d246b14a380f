package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// logistics writes the logistic function with its sums.
func logistics() {
	for _, s := range sets {
		logistic(s)
	}
}

// logistic takes 16 floats at a time, the lanes of the sums. Constants that are used
// once a vector stay in memory where registers are few.
func logistic(s isa) {
	name := "logistic" + s.name
	declare(name, "func(m, z *float32, n int, p *[15]float32, sums *[32]float32)",
		name+" is Logistic.Of for n floats, with the parameters and constants of ofGo and exp in p.",
		"Sums holds the lanes of both.")
	p, n, params, sums := pointers("m", "z"), load64("n"), load64("p"), load64("sums")
	half := 16 / s.lanes
	sum, spread := s.vecs(half), s.vecs(half)
	for i := range half {
		VMOVUPS(s.at(sums, i), sum[i])
		VMOVUPS(s.at(sums, half+i), spread[i])
	}
	one, bias := s.broadcast(Mem{Base: params, Disp: 4 * 8}), s.broadcast(Mem{Base: params, Disp: 4 * 5})
	c, n2, r, y := s.vec(), s.vec(), s.vec(), s.vec()
	constant := func(i int) reg.VecVirtual {
		VBROADCASTSS(Mem{Base: params, Disp: 4 * i}, c)
		return c
	}
	s.stream(n, half, p, func(vecs int, mask reg.Register) {
		for i := range vecs {
			mask := maskOf(mask, i, vecs)
			s.load(s.at(p[1], i), mask, r)
			VSUBPS(r, constant(0), r)
			VMULPS(constant(1), r, r)
			VMAXPS(constant(2), r, r)
			VMINPS(constant(3), r, r)
			VMULPS(constant(4), r, n2)
			VADDPS(bias, n2, n2)
			VSUBPS(bias, n2, y) // the whole number
			VMULPS(constant(6), y, c)
			VSUBPS(c, r, r)
			VMULPS(constant(7), y, c)
			VSUBPS(c, r, r)
			VBROADCASTSS(Mem{Base: params, Disp: 4 * 9}, y)
			for k := 10; k < 15; k++ {
				VMULPS(r, y, y)
				VADDPS(constant(k), y, y)
			}
			VMULPS(r, r, c)
			VMULPS(c, y, y)
			VADDPS(r, y, y)
			VADDPS(one, y, y)
			VPSLLD(Imm(23), n2, n2)
			VPADDD(n2, y, y)
			VADDPS(one, y, y)
			VDIVPS(y, one, y)
			s.store(y, mask, s.at(p[0], i))
			VSUBPS(y, one, r)
			VMULPS(y, r, r)
			s.accumulate(sum[i], y, mask)
			s.accumulate(spread[i], r, mask)
		}
		for i := range half {
			VMOVUPS(sum[i], s.at(sums, i))
			VMOVUPS(spread[i], s.at(sums, half+i))
		}
	})
}

// accumulate adds v to sum in the lanes inside mask.
func (s isa) accumulate(sum, v reg.VecVirtual, mask reg.Register) {
	switch {
	case mask == nil:
		VADDPS(v, sum, sum)
	case s.wide():
		VADDPS(v, sum, mask, sum)
	default:
		VANDPS(mask, v, v)
		VADDPS(v, sum, sum)
	}
}
