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
