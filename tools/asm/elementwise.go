package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// elementwise writes the loops over one index.
func elementwise() {
	for _, s := range sets {
		add(s)
		addScaled(s)
		subProducts(s)
		subScaled(s)
		scale(s)
		rectify(s)
		rectifyBackward(s)
		sums(s, "columnSums", "sums rows ≥ 1 rows of x from zero, first to last, and adds the sum to the n floats of dst.", true)
		sums(s, "sumSteps", "adds rows ≥ 1 rows of x, ld apart, one by one to the n floats of dst.", false)
		finite(s)
		squares(s)
		magnitudes(s)
		sgd(s, false)
		sgd(s, true)
		adam(s)
	}
}

// stream runs body over n floats, most vectors at a time and then the rest,
// the last vector masked. The pointers advance.
func (s isa) stream(n reg.GPVirtual, most int, pointers []reg.GPVirtual, body func(vecs int, mask reg.Register)) {
	Label("blocks")
	CMPQ(n, U32(uint32(most*s.lanes)))
	JL(LabelRef("tail"))
	body(most, nil)
	for _, p := range pointers {
		ADDQ(U32(uint32(most*s.size())), p)
	}
	SUBQ(U32(uint32(most*s.lanes)), n)
	JMP(LabelRef("blocks"))
	Label("tail")
	TESTQ(n, n)
	JZ(LabelRef("done"))
	byVectors(s, n, most, func(vecs int) { body(vecs, s.tail(n, vecs)) })
	Label("done")
	end()
}

func (s isa) at(base reg.Register, i int) Mem { return Mem{Base: base, Disp: i * s.size()} }

// pointers loads pointer arguments.
func pointers(names ...string) []reg.GPVirtual {
	p := make([]reg.GPVirtual, len(names))
	for i, name := range names {
		p[i] = load64(name)
	}
	return p
}

func add(s isa) {
	name := "add" + s.name
	declare(name, "func(dst, src *float32, n int)", name+" adds the n floats of src to dst.")
	p, n := pointers("dst", "src"), load64("n")
	s.stream(n, 4, p, func(vecs int, mask reg.Register) {
		v, t := s.vec(), s.vec()
		for i := range vecs {
			mask := maskOf(mask, i, vecs)
			s.load(s.at(p[0], i), mask, v)
			s.load(s.at(p[1], i), mask, t)
			VADDPS(t, v, v)
			s.store(v, mask, s.at(p[0], i))
		}
	})
}

func addScaled(s isa) {
	name := "addScaled" + s.name
	declare(name, "func(dst, src *float32, n int, factor *float32)", name+" adds the n floats of src, times factor, to dst.")
	p, n := pointers("dst", "src"), load64("n")
	factor := s.broadcast(Mem{Base: load64("factor")})
	s.stream(n, 4, p, func(vecs int, mask reg.Register) {
		v, t := s.vec(), s.vec()
		for i := range vecs {
			mask := maskOf(mask, i, vecs)
			s.load(s.at(p[0], i), mask, v)
			s.load(s.at(p[1], i), mask, t)
			VMULPS(factor, t, t)
			VADDPS(t, v, v)
			s.store(v, mask, s.at(p[0], i))
		}
	})
}

func subProducts(s isa) {
	name := "subProducts" + s.name
	declare(name, "func(dst, a, b, c *float32, n int)", name+" is SubProducts for n floats.")
	p, n := pointers("dst", "a", "b", "c"), load64("n")
	s.stream(n, 4, p, func(vecs int, mask reg.Register) {
		v, t := s.vec(), s.vec()
		for i := range vecs {
			mask := maskOf(mask, i, vecs)
			s.load(s.at(p[2], i), mask, v)
			s.load(s.at(p[3], i), mask, t)
			VMULPS(t, v, t)
			s.load(s.at(p[1], i), mask, v)
			VSUBPS(t, v, v)
			s.store(v, mask, s.at(p[0], i))
		}
	})
}

func subScaled(s isa) {
	name := "subScaled" + s.name
	declare(name, "func(dst, a, b *float32, n int, factor *float32)", name+" is SubScaled for n floats.")
	p, n := pointers("dst", "a", "b"), load64("n")
	factor := s.broadcast(Mem{Base: load64("factor")})
	s.stream(n, 4, p, func(vecs int, mask reg.Register) {
		v, t := s.vec(), s.vec()
		for i := range vecs {
			mask := maskOf(mask, i, vecs)
			s.load(s.at(p[2], i), mask, t)
			VMULPS(factor, t, t)
			s.load(s.at(p[1], i), mask, v)
			VSUBPS(t, v, v)
			s.store(v, mask, s.at(p[0], i))
		}
	})
}

func scale(s isa) {
	name := "scale" + s.name
	declare(name, "func(x *float32, n int, factor *float32)", name+" multiplies the n floats of x by factor.")
	p, n := pointers("x"), load64("n")
	factor := s.broadcast(Mem{Base: load64("factor")})
	s.stream(n, 4, p, func(vecs int, mask reg.Register) {
		v := s.vec()
		for i := range vecs {
			mask := maskOf(mask, i, vecs)
			s.load(s.at(p[0], i), mask, v)
			VMULPS(factor, v, v)
			s.store(v, mask, s.at(p[0], i))
		}
	})
}

func rectify(s isa) {
	name := "rectify" + s.name
	declare(name, "func(dst, src *float32, n int)", name+" is Rectify for n floats.")
	p, n := pointers("dst", "src"), load64("n")
	nought := s.vec()
	s.zero(nought)
	s.stream(n, 4, p, func(vecs int, mask reg.Register) {
		v := s.vec()
		for i := range vecs {
			mask := maskOf(mask, i, vecs)
			s.load(s.at(p[1], i), mask, v)
			VMAXPS(v, nought, v) // a NaN in v stays: the second source wins
			VADDPS(nought, v, v) // and of zeros too, so that −0 becomes +0
			s.store(v, mask, s.at(p[0], i))
		}
	})
}

func rectifyBackward(s isa) {
	name := "rectifyBackward" + s.name
	declare(name, "func(dst, dy, x *float32, n int)", name+" is RectifyBackward for n floats.")
	p, n := pointers("dst", "dy", "x"), load64("n")
	nought := s.vec()
	s.zero(nought)
	s.stream(n, 4, p, func(vecs int, mask reg.Register) {
		v, t := s.vec(), s.vec()
		for i := range vecs {
			mask := maskOf(mask, i, vecs)
			s.load(s.at(p[2], i), mask, t)
			if s.wide() {
				keep := K()
				VCMPPS(Imm(greater), nought, t, keep)
				if mask != nil {
					KANDW(mask, keep, keep)
				}
				s.load(s.at(p[1], i), keep, v)
			} else {
				s.load(s.at(p[1], i), mask, v)
				VCMPPS(Imm(greater), nought, t, t)
				VANDPS(t, v, v)
			}
			s.store(v, mask, s.at(p[0], i))
		}
	})
}

// sums keeps a block of columns in registers while the rows pass by.
func sums(s isa, name, doc string, fromZero bool) {
	name += s.name
	declare(name, "func(dst, x *float32, n, ld, rows int)", name+" "+doc)
	p, n := pointers("dst", "x"), load64("n")
	ld, rows := stride("ld"), load64("rows")
	at, r := GP64(), GP64()
	const most = 8
	s.stream(n, most, p, func(vecs int, mask reg.Register) {
		loop := label("rows%d", vecs)
		if mask != nil {
			loop += "tail"
		}
		acc, t := s.vecs(vecs), s.vec()
		for i, v := range acc {
			if fromZero {
				s.zero(v)
			} else {
				s.load(s.at(p[0], i), maskOf(mask, i, vecs), v)
			}
		}
		MOVQ(p[1], at)
		MOVQ(rows, r)
		Label(loop)
		for i, v := range acc {
			if maskOf(mask, i, vecs) == nil {
				VADDPS(s.at(at, i), v, v)
			} else {
				s.load(s.at(at, i), mask, t)
				VADDPS(t, v, v)
			}
		}
		ADDQ(ld, at)
		DECQ(r)
		JNZ(LabelRef(loop))
		for i, v := range acc {
			mask := maskOf(mask, i, vecs)
			if fromZero {
				s.load(s.at(p[0], i), mask, t)
				VADDPS(v, t, v)
			}
			s.store(v, mask, s.at(p[0], i))
		}
	})
}

// finite looks at blocks of eight vectors: x − x is zero, or NaN where x is
// not finite, and the bits of a NaN survive among zeros.
func finite(s isa) {
	const vecs = 8
	name := "finite" + s.name
	declare(name, "func(x *float32, blocks int) int",
		name+label(" is the number of blocks of %d floats before the first with one that is not finite,", vecs*s.lanes),
		"of at least one.")
	x, blocks := load64("x"), load64("blocks")
	done := GP64()
	XORQ(done, done)
	t := s.vecs(vecs)
	Label("loop")
	for i, v := range t {
		s.load(s.at(x, i), nil, v)
		VSUBPS(v, v, v)
	}
	for step := vecs / 2; step > 0; step /= 2 {
		for i := range step {
			s.or(t[i+step], t[i])
		}
	}
	s.branchUnlessZero(t[0], "found")
	ADDQ(U32(uint32(vecs*s.size())), x)
	INCQ(done)
	CMPQ(done, blocks)
	JL(LabelRef("loop"))
	Label("found")
	Store(done, ReturnIndex(0))
	end()
}

func (s isa) or(m, v reg.VecVirtual) {
	if s.wide() {
		VPORD(m, v, v)
	} else {
		VORPS(m, v, v)
	}
}

func (s isa) branchUnlessZero(v reg.VecVirtual, to string) {
	if s.wide() {
		k := K()
		VPTESTMD(v, v, k)
		KORTESTW(k, k)
	} else {
		VPTEST(v, v)
	}
	JNZ(LabelRef(to))
}

// squares accumulates in float64, where a square is exact.
func squares(s isa) {
	s.lanes32("addSquares", "squares", func(t, acc reg.VecVirtual) { VFMADD231PD(t, t, acc) })
}

// magnitudes accumulates in float64, where sums of whole numbers are exact.
func magnitudes(s isa) {
	s.lanes32("addMagnitudes", "magnitudes", func(t, acc reg.VecVirtual) {
		u := s.vec()
		s.zero(u)
		VSUBPD(t, u, u)
		VMAXPD(t, u, u)
		VADDPD(u, acc, acc)
	})
}

// lanes32 writes a sum of blocks of floats in 32 lanes of float64.
func (s isa) lanes32(name, what string, take func(t, acc reg.VecVirtual)) {
	name += s.name
	declare(name, "func(lanes *[32]float64, x *float32, blocks int)",
		name+" adds the "+what+" of blocks ≥ 1 blocks of 32 floats to 32 lanes.")
	lanes, x, blocks := load64("lanes"), load64("x"), load64("blocks")
	doubles := s.lanes / 2
	acc, t := s.vecs(32/doubles), s.vec()
	for i, v := range acc {
		VMOVUPD(s.at(lanes, i), v)
	}
	Label("loop")
	for i, v := range acc {
		VCVTPS2PD(Mem{Base: x, Disp: 4 * doubles * i}, t)
		take(t, v)
	}
	ADDQ(Imm(128), x)
	DECQ(blocks)
	JNZ(LabelRef("loop"))
	for i, v := range acc {
		VMOVUPD(v, s.at(lanes, i))
	}
	end()
}

func sgd(s isa, momentum bool) {
	name, signature, args := "sgd"+s.name, "func(w, dw *float32, n int, p *[3]float32)", []string{"w", "dw"}
	if momentum {
		name, signature, args = "momentum"+s.name, "func(w, dw, m *float32, n int, p *[3]float32)", []string{"w", "dw", "m"}
	}
	declare(name, signature, name+" is SGD.Update for n floats and p = {Rate, Decay, Momentum}.")
	p, n, params := pointers(args...), load64("n"), load64("p")
	rate, decay := s.broadcast(Mem{Base: params}), s.broadcast(Mem{Base: params, Disp: 4})
	mu := s.broadcast(Mem{Base: params, Disp: 8})
	s.stream(n, 4, p, func(vecs int, mask reg.Register) {
		w, d, t := s.vec(), s.vec(), s.vec()
		for i := range vecs {
			mask := maskOf(mask, i, vecs)
			s.load(s.at(p[0], i), mask, w)
			s.load(s.at(p[1], i), mask, d)
			VMULPS(decay, w, t)
			VADDPS(t, d, d)
			if momentum {
				s.load(s.at(p[2], i), mask, t)
				VMULPS(mu, t, t)
				VADDPS(d, t, d)
				s.store(d, mask, s.at(p[2], i))
			}
			VMULPS(rate, d, d)
			VSUBPS(d, w, w)
			s.store(w, mask, s.at(p[0], i))
		}
	})
}

func adam(s isa) {
	name := "adam" + s.name
	declare(name, "func(w, dw, m, v *float32, n int, p *[7]float32)",
		name+" is Adam.Update for n floats and p = {Beta1, Gain1, Beta2, Gain2, Rate, Epsilon, Keep}.")
	p, n, params := pointers("w", "dw", "m", "v"), load64("n"), load64("p")
	c := s.vecs(7)
	for i, v := range c {
		VBROADCASTSS(Mem{Base: params, Disp: 4 * i}, v)
	}
	beta1, gain1, beta2, gain2, rate, epsilon, keep := c[0], c[1], c[2], c[3], c[4], c[5], c[6]
	s.stream(n, 2, p, func(vecs int, mask reg.Register) {
		w, g, m, v := s.vec(), s.vec(), s.vec(), s.vec()
		for i := range vecs {
			mask := maskOf(mask, i, vecs)
			s.load(s.at(p[1], i), mask, g)
			s.load(s.at(p[2], i), mask, m)
			VMULPS(beta1, m, m)
			VMULPS(gain1, g, w)
			VADDPS(w, m, m)
			s.store(m, mask, s.at(p[2], i))
			s.load(s.at(p[3], i), mask, v)
			VMULPS(beta2, v, v)
			VMULPS(g, g, g)
			VMULPS(gain2, g, g)
			VADDPS(g, v, v)
			s.store(v, mask, s.at(p[3], i))
			VSQRTPS(v, v)
			VADDPS(epsilon, v, v)
			VMULPS(rate, m, m)
			VDIVPS(v, m, m)
			s.load(s.at(p[0], i), mask, w)
			VMULPS(keep, w, w)
			VSUBPS(m, w, w)
			s.store(w, mask, s.at(p[0], i))
		}
	})
}
