package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Comparisons that raise nothing. NaN is not ≥, >, ≤ or < anything, and so is
// notGreater than everything.
const (
	greaterEqual = 0x1d
	greater      = 0x1e
	notGreater   = 0x1a
	lessEqual    = 0x12
	less         = 0x11
)

// lif writes the membrane scans. Each call takes one block of units, at most 128
// (two words of spikes), through all its steps with the state in registers.
func lif() {
	for _, s := range sets {
		forward(s, "Subtract")
		forward(s, "Zero")
		forward(s, "Each")
		for _, shape := range []string{"FastSigmoid", "ArcTan", "Triangle", "Rectangle"} {
			backward(s, shape)
		}
	}
}

// forward has the options of all units in registers, or with Each, which resets by
// subtraction, reads those of each one.
func forward(s isa, reset string) {
	name, each := "lifForward"+reset+s.name, reset == "Each"
	if each {
		declare(name, "func(steps, n int, x *float32, xs int, v, u *float32, us int, spikes *uint64, ss int, beta, gain, fire, amount *float32)",
			name+" is LIFs.Forward for 1 ≤ n ≤ "+label("%d", forwardVecs*s.lanes)+" units and steps ≥ 1.")
	} else {
		declare(name, "func(steps, n int, x *float32, xs int, v, u *float32, us int, spikes *uint64, ss int, p *[4]float32)",
			name+" is LIF.Forward for 1 ≤ n ≤ "+label("%d", forwardVecs*s.lanes)+" units, steps ≥ 1 and p = {Beta, Gain, Fire, Amount}.")
	}
	n := load64("n")
	option := s.options(each)
	nought := s.vec()
	if s.wide() {
		s.zero(nought)
	}

	scan := func(vecs int, mask reg.Register, loop string) {
		x, xs := load64("x"), stride("xs")
		u, us := load64("u"), stride("us")
		spikes, ss := load64("spikes"), load64("ss")
		steps, vp := load64("steps"), load64("v")
		SHLQ(Imm(3), ss)
		v := s.vecs(vecs)
		s.loadAll(vp, mask, v)
		words := make([]reg.GPVirtual, (vecs*s.lanes+63)/64)
		for i := range words {
			words[i] = GP64()
		}
		bits, t := GP64(), s.vec()
		Label(loop)
		for i := range v {
			mask := maskOf(mask, i, vecs)
			if mask == nil {
				VMULPS(Mem{Base: x, Disp: i * s.size()}, option(gain, i, mask), t)
			} else {
				s.load(Mem{Base: x, Disp: i * s.size()}, mask, t)
				VMULPS(option(gain, i, mask), t, t)
			}
			VFMADD213PS(t, option(beta, i, mask), v[i])
			s.store(v[i], mask, Mem{Base: u, Disp: i * s.size()})
			word, shift := words[i*s.lanes/64], i*s.lanes%64
			dst := bits
			if shift == 0 {
				dst = word
			}
			s.fire(reset, option, i, v[i], nought, t, mask, dst)
			if shift > 0 {
				SHLQ(Imm(uint64(shift)), bits)
				ORQ(bits, word)
			}
		}
		for i, word := range words {
			MOVQ(word, Mem{Base: spikes, Disp: 8 * i})
		}
		ADDQ(xs, x)
		ADDQ(us, u)
		ADDQ(ss, spikes)
		DECQ(steps)
		JNZ(LabelRef(loop))
		s.storeAll(v, mask, vp)
	}
	blocks(s, n, forwardVecs, scan)
}

// What option is asked for.
const (
	beta = iota
	gain
	fire
	amount
)

// options are how the options of a vector's units are had: by registers that hold those of
// all units, or with each by loading.
func (s isa) options(each bool) (option func(k, vec int, mask reg.Register) reg.VecVirtual) {
	if !each {
		p := load64("p")
		var all [4]reg.VecVirtual
		for k := range all {
			all[k] = s.broadcast(Mem{Base: p, Disp: 4 * k})
		}
		return func(k, _ int, _ reg.Register) reg.VecVirtual { return all[k] }
	}
	var bases [4]reg.GPVirtual
	for k, name := range []string{"beta", "gain", "fire", "amount"} {
		bases[k] = load64(name)
	}
	loaded := s.vec()
	return func(k, vec int, mask reg.Register) reg.VecVirtual {
		s.load(Mem{Base: bases[k], Disp: vec * s.size()}, mask, loaded)
		return loaded
	}
}

// fire writes a bit for each unit of a vector that fires to dst, and resets these.
func (s isa) fire(reset string, option func(k, vec int, mask reg.Register) reg.VecVirtual, i int, v, nought, t reg.VecVirtual, mask reg.Register, dst reg.GPVirtual) {
	level := option(fire, i, mask)
	if s.wide() {
		fired := K()
		if mask == nil {
			VCMPPS(Imm(greaterEqual), level, v, fired)
		} else {
			VCMPPS(Imm(greaterEqual), level, v, mask, fired)
		}
		KMOVW(fired, dst.As32())
		if reset == "Zero" {
			VMOVAPS(nought, fired, v)
		} else {
			VSUBPS(option(amount, i, mask), v, fired, v)
		}
		return
	}
	VCMPPS(Imm(greaterEqual), level, v, t)
	if mask != nil {
		VANDPS(mask, t, t)
	}
	VMOVMSKPS(t, dst.As32())
	if reset == "Zero" {
		VANDNPS(v, t, v)
	} else {
		VANDPS(option(amount, i, mask), t, t)
		VSUBPS(t, v, v)
	}
}

// forwardVecs is the number of vectors of a block of forward: enough for the
// units of one not to wait for their own last step.
const forwardVecs = 8

// blocks calls scan for n units: unmasked for a full block, otherwise with
// the number of vectors that n needs and a mask on the last.
func blocks(s isa, n reg.GPVirtual, most int, scan func(vecs int, mask reg.Register, loop string)) {
	CMPQ(n, U32(uint32(most*s.lanes)))
	JNE(LabelRef("part"))
	scan(most, nil, "full")
	end()
	Label("part")
	byVectors(s, n, most, func(vecs int) { scan(vecs, s.tail(n, vecs), label("part%d", vecs)) })
	end()
}

// surrogate turns the errors q into q·σ'(z), where z holds |u − Theta| and q
// is zero where the derivative is cut off.
func (s isa) surrogate(shape string, a, b, one, z, q, t reg.VecVirtual) {
	switch shape {
	case "FastSigmoid":
		VFMADD213PS(one, a, z)
		VMULPS(z, z, z)
		VDIVPS(z, q, q)
	case "ArcTan":
		VMULPS(a, z, z)
		VFMADD213PS(one, z, z)
		VMULPS(b, q, q)
		VDIVPS(z, q, q)
	case "Triangle":
		VFNMADD213PS(one, a, z)
		s.zero(t)
		VMAXPS(z, t, z) // a NaN in z stays: the second source wins
		VMULPS(b, z, z)
		VMULPS(z, q, q)
	case "Rectangle":
		VMULPS(b, q, q)
	}
}

// errors loads the errors at m into q, zero where |u − Theta|, which is z, is
// above the limit at cut, and for a rectangle where a·z is above 1.
func (s isa) errors(shape string, a, one reg.VecVirtual, cut Mem, z, q, t reg.VecVirtual, mask reg.Register, m Mem) {
	VBROADCASTSS(cut, t) // each time: there is no register to keep it
	if !s.wide() {
		s.load(m, mask, q)
		VCMPPS(Imm(greater), t, z, t)
		VANDNPS(q, t, q)
		if shape == "Rectangle" {
			VMULPS(a, z, z)
			VCMPPS(Imm(lessEqual), one, z, t)
			VANDPS(t, q, q)
		}
		return
	}
	keep := K()
	if mask == nil {
		VCMPPS(Imm(notGreater), t, z, keep)
	} else {
		VCMPPS(Imm(notGreater), t, z, mask, keep)
	}
	if shape == "Rectangle" {
		VMULPS(a, z, z)
		VCMPPS(Imm(lessEqual), one, z, keep, keep)
	}
	s.load(m, keep, q)
}

func (s isa) and(m, v reg.VecVirtual) {
	if s.wide() {
		VPANDD(m, v, v)
	} else {
		VANDPS(m, v, v)
	}
}

func (s isa) zero(v reg.VecVirtual) {
	if s.wide() {
		VPXORD(v, v, v)
	} else {
		VXORPS(v, v, v)
	}
}

func backward(s isa, shape string) {
	name := "lifBackward" + shape + s.name
	declare(name, "func(steps, n int, u *float32, us int, gs *float32, gss int, gv, gx *float32, gxs int, p *[9]float32)",
		name+label(" is LIF.Backward for 1 ≤ n ≤ %d units and steps ≥ 1, where u, gs and gx", 4*s.lanes),
		"point at the last step and p = {Beta, Gain, Fire or NaN, Theta, A, B, 1, mask of |·|, Cut or Inf}.")
	n, p := load64("n"), load64("p")
	at := func(i int) reg.VecVirtual { return s.broadcast(Mem{Base: p, Disp: 4 * i}) }
	beta, gain, fire, theta := at(0), at(1), at(2), at(3)
	a, one, abs, cut := at(4), at(6), at(7), Mem{Base: p, Disp: 32}
	var b reg.VecVirtual
	if shape != "FastSigmoid" {
		b = at(5)
	}
	nought := s.vec()
	if s.wide() {
		s.zero(nought)
	}

	scan := func(vecs int, mask reg.Register, loop string) {
		u, us := load64("u"), stride("us")
		gs, gss := load64("gs"), stride("gss")
		gx, gxs := load64("gx"), stride("gxs")
		steps, gv := load64("steps"), load64("gv")
		k := s.vecs(vecs)
		s.loadAll(gv, mask, k)
		z, q, t := s.vec(), s.vec(), s.vec()
		Label(loop)
		for i := range k {
			mask := maskOf(mask, i, vecs)
			here := func(base reg.Register) Mem { return Mem{Base: base, Disp: i * s.size()} }
			s.load(here(u), mask, z)
			if s.wide() {
				fired := K()
				VCMPPS(Imm(greaterEqual), fire, z, fired)
				VMOVAPS(nought, fired, k[i])
			} else {
				VCMPPS(Imm(greaterEqual), fire, z, t)
				VANDNPS(k[i], t, k[i])
			}
			VSUBPS(theta, z, z)
			s.and(abs, z)
			s.errors(shape, a, one, cut, z, q, t, mask, here(gs))
			s.surrogate(shape, a, b, one, z, q, t)
			VADDPS(k[i], q, q)
			VMULPS(beta, q, k[i])
			VMULPS(gain, q, q)
			TESTQ(gxs, gxs)
			put := label("%sput%d", loop, i)
			JNZ(LabelRef(put))
			s.load(here(gx), mask, t)
			VADDPS(q, t, q)
			Label(put)
			s.store(q, mask, here(gx))
		}
		SUBQ(us, u)
		SUBQ(gss, gs)
		SUBQ(gxs, gx)
		DECQ(steps)
		JNZ(LabelRef(loop))
		s.storeAll(k, mask, gv)
	}
	blocks(s, n, 4, scan)
}
