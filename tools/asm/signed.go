package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// signed writes the steps of neurons whose spikes have a sign.
func signed() {
	for _, s := range sets {
		imbalanced(s)
		delta(s)
	}
}

// where writes the lanes of value to dst in which a compares so to b, and zeros to the others.
func (s isa) where(comparison uint64, a, b, value, dst reg.VecVirtual) {
	if s.wide() {
		k := K()
		VCMPPS(Imm(comparison), b, a, k)
		VMOVAPS_Z(value, k, dst)
		return
	}
	VCMPPS(Imm(comparison), b, a, dst)
	VANDPS(value, dst, dst)
}

func imbalanced(s isa) {
	name := "imbalanced" + s.name
	declare(name, "func(y, x, sums, count, v *float32, n int, p *[4]float32)",
		name+" is Imbalanced.Step for n floats and p = {Above, Below, −Below, 1}.")
	p, n, params := pointers("y", "x", "sums", "count", "v"), load64("n"), load64("p")
	at := func(i int) reg.VecVirtual { return s.broadcast(Mem{Base: params, Disp: 4 * i}) }
	above, below, bottom, one := at(0), at(1), at(2), at(3)
	s.stream(n, 4, p, func(vecs int, mask reg.Register) {
		in, u, t, up, down := s.vec(), s.vec(), s.vec(), s.vec(), s.vec()
		for i := range vecs {
			mask := maskOf(mask, i, vecs)
			s.load(s.at(p[1], i), mask, in)
			s.addTo(in, t, mask, s.at(p[2], i))
			s.load(s.at(p[4], i), mask, u)
			VADDPS(in, u, u)
			s.where(greaterEqual, u, above, above, up)
			s.where(lessEqual, u, bottom, below, down)
			VSUBPS(up, u, t)
			VADDPS(down, t, t)
			s.store(t, mask, s.at(p[4], i))
			s.where(greaterEqual, u, above, one, up)
			s.where(lessEqual, u, bottom, one, down)
			VSUBPS(down, up, up)
			s.store(up, mask, s.at(p[0], i))
			s.addTo(up, t, mask, s.at(p[3], i))
		}
	})
}

// addTo adds v to memory, by way of t, where the sum stays.
func (s isa) addTo(v, t reg.VecVirtual, mask reg.Register, m Mem) {
	s.load(m, mask, t)
	VADDPS(v, t, t)
	s.store(t, mask, m)
}

func delta(s isa) {
	name := "delta" + s.name
	declare(name, "func(y, x, sums, count *float32, n int, p *[5]float32)",
		name+" is Delta.Step for n floats and p = {Theta, Slope, Half, −Half, 1}.")
	p, n, params := pointers("y", "x", "sums", "count"), load64("n"), load64("p")
	at := func(i int) reg.VecVirtual { return s.broadcast(Mem{Base: params, Disp: 4 * i}) }
	theta, slope, half, bottom, one := at(0), at(1), at(2), at(3), at(4)
	nought := s.vec()
	s.zero(nought)
	s.stream(n, 4, p, func(vecs int, mask reg.Register) {
		in, sum, t, up, down := s.vec(), s.vec(), s.vec(), s.vec(), s.vec()
		for i := range vecs {
			mask := maskOf(mask, i, vecs)
			s.load(s.at(p[1], i), mask, in)
			s.addTo(in, sum, mask, s.at(p[2], i))
			s.scaleWhere(sum, nought, slope, t)
			VDIVPS(theta, sum, sum)
			s.load(s.at(p[3], i), mask, t)
			VSUBPS(t, sum, sum)
			s.where(greaterEqual, sum, half, one, up)
			s.where(lessEqual, sum, bottom, one, down)
			VSUBPS(down, up, up)
			s.store(up, mask, s.at(p[0], i))
			VADDPS(up, t, t)
			s.store(t, mask, s.at(p[3], i))
		}
	})
}

// scaleWhere multiplies v by factor where it is less than bound.
func (s isa) scaleWhere(v, bound, factor, t reg.VecVirtual) {
	if s.wide() {
		k := K()
		VCMPPS(Imm(less), bound, v, k)
		VMULPS(factor, v, k, v)
		return
	}
	VMULPS(factor, v, t)
	mask := s.vec()
	VCMPPS(Imm(less), bound, v, mask)
	VBLENDVPS(mask, t, v, v)
}
