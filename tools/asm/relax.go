package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// relaxation writes the step of a relaxation.
func relaxation() {
	for _, s := range sets {
		relax(s)
		adapt(s)
	}
}

// relax keeps the largest changes in a vector of lanes, whose order does not
// matter. The second source of VMAXPS and VMINPS wins where one is NaN.
func relax(s isa) {
	name := "relax" + s.name
	declare(name, "func(s, z *float32, n int, p *[4]float32, change *[16]float32)",
		name+" is Relax.Step for n floats and p = {Keep, Gain, Lo, Hi}. Change holds the largest",
		"changes so far, lane by lane.")
	p, n, params, change := pointers("s", "z"), load64("n"), load64("p"), load64("change")
	c := s.vecs(4)
	for i, v := range c {
		VBROADCASTSS(Mem{Base: params, Disp: 4 * i}, v)
	}
	keep, gain, lo, hi := c[0], c[1], c[2], c[3]
	most := s.vec()
	VMOVUPS(s.at(change, 0), most)
	s.stream(n, 4, p, func(vecs int, mask reg.Register) {
		old, v, t := s.vec(), s.vec(), s.vec()
		for i := range vecs {
			mask := maskOf(mask, i, vecs)
			s.load(s.at(p[0], i), mask, old)
			s.load(s.at(p[1], i), mask, t)
			VMULPS(keep, old, v)
			VMULPS(gain, t, t)
			VADDPS(t, v, v)
			VMAXPS(lo, v, v)
			VMINPS(hi, v, v)
			s.store(v, mask, s.at(p[0], i))
			VSUBPS(old, v, t)
			VSUBPS(v, old, v)
			VMAXPS(v, t, v)
			s.raise(most, v, mask)
		}
		VMOVUPS(most, s.at(change, 0))
	})
}

// raise is the larger of most and v in the lanes inside mask.
func (s isa) raise(most, v reg.VecVirtual, mask reg.Register) {
	switch {
	case mask == nil:
		VMAXPS(most, v, most)
	case s.wide():
		VMAXPS(most, v, mask, most)
	default:
		VANDPS(mask, v, v)
		VMAXPS(most, v, most)
	}
}

// adapt keeps one vector of each stream in registers at a time: the two divisions
// of a vector take longer than all else.
func adapt(s isa) {
	name := "adapt" + s.name
	declare(name, "func(s, d, bias, square, spread, mean *float32, n int, p *[4]float32)",
		name+" is Adapt.Step for n floats and p = {Nu, Keep, Floor, 1}.")
	p, n, params := pointers("s", "d", "bias", "square", "spread", "mean"), load64("n"), load64("p")
	c := s.vecs(4)
	for i, v := range c {
		VBROADCASTSS(Mem{Base: params, Disp: 4 * i}, v)
	}
	nu, keep, floor, one := c[0], c[1], c[2], c[3]
	nought := s.vec()
	s.zero(nought)
	s.stream(n, 2, p, func(vecs int, mask reg.Register) {
		d, e, g, h, spread, mean, t := s.vec(), s.vec(), s.vec(), s.vec(), s.vec(), s.vec(), s.vec()
		for i := range vecs {
			mask := maskOf(mask, i, vecs)
			s.load(s.at(p[1], i), mask, d)
			s.load(s.at(p[5], i), mask, mean)
			VSUBPS(mean, d, e)
			s.load(s.at(p[2], i), mask, g)
			VMULPS(keep, g, g)
			VMULPS(nu, e, t)
			VADDPS(t, g, g)
			s.store(g, mask, s.at(p[2], i))
			s.load(s.at(p[3], i), mask, h)
			VMULPS(keep, h, h)
			VMULPS(e, e, e)
			VMULPS(nu, e, e)
			VADDPS(e, h, h)
			s.store(h, mask, s.at(p[3], i))
			VMULPS(g, g, g)
			VSUBPS(g, h, t)
			VMAXPS(nought, t, t)
			s.load(s.at(p[4], i), mask, spread)
			VADDPS(one, spread, e)
			VDIVPS(e, t, t)
			VADDPS(floor, t, t)
			VADDPS(floor, h, h)
			VDIVPS(h, t, t)
			VSUBPS(t, one, t) // the step a
			VSUBPS(t, one, e) // 1 − a
			VMULPS(e, e, g)
			VMULPS(spread, g, g)
			VMULPS(t, t, h)
			VADDPS(h, g, g)
			s.store(g, mask, s.at(p[4], i))
			VMULPS(t, d, d)
			VMULPS(e, mean, mean)
			VADDPS(d, mean, mean)
			s.store(mean, mask, s.at(p[5], i))
			s.load(s.at(p[0], i), mask, g)
			VMULPS(e, g, g)
			VADDPS(d, g, g)
			VMAXPS(nought, g, g)
			VMINPS(one, g, g)
			s.store(g, mask, s.at(p[0], i))
		}
	})
}
