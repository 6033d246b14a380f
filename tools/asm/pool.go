package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// poolVecs is the number of vectors of channels that a call pools.
const poolVecs = 4

// pool writes the loops over the windows of a row, and those over bits that
// pooling of spikes needs.
func pool() {
	for _, s := range sets {
		maxPool(s, false)
		maxPool(s, true)
		meanPool(s)
		for _, sum := range []bool{false, true} {
			maxPoolBackward(s, sum)
			meanPoolBackward(s, sum)
			selectBits(s, sum)
		}
		countBits(s)
	}
}

// geometry is what the functions over windows take after their pointers.
const geometry = "pixels, channels, size, pixel, step, ld int)"

// windows walks over the windows of a row. open is called for each before, and
// close after tap, which is called with the address of each tap.
type windows struct {
	img, out, arg reg.GPVirtual
	open          func(vecs int, mask reg.Register)
	tap           func(at reg.Register, vecs int, mask reg.Register)
	close         func(vecs int, mask reg.Register)
}

func (w windows) generate(s isa) {
	n := load64("channels")
	pixel, ld, step := stride("pixel"), stride("ld"), stride("step")
	pixels, size := load64("pixels"), load64("size")
	blocks(s, n, poolVecs, func(vecs int, mask reg.Register, loop string) {
		row, at, i, j := GP64(), GP64(), GP64(), GP64()
		Label(loop)
		w.open(vecs, mask)
		MOVQ(w.img, row)
		MOVQ(size, i)
		Label(loop + "row")
		MOVQ(row, at)
		MOVQ(size, j)
		Label(loop + "tap")
		w.tap(at, vecs, mask)
		ADDQ(pixel, at)
		DECQ(j)
		JNZ(LabelRef(loop + "tap"))
		ADDQ(ld, row)
		DECQ(i)
		JNZ(LabelRef(loop + "row"))
		if w.close != nil {
			w.close(vecs, mask)
		}
		ADDQ(step, w.img)
		ADDQ(pixel, w.out)
		if w.arg != nil {
			argStep := GP64()
			Load(Param("argStep"), argStep)
			ADDQ(argStep, w.arg)
		}
		DECQ(pixels)
		JNZ(LabelRef(loop))
	})
}

// counter is a vector that counts taps.
type counter struct{ index, one reg.VecVirtual }

func (s isa) counter() counter {
	one, c := GP32(), counter{s.vec(), s.vec()}
	MOVL(U32(1), one)
	VMOVD(one, c.one.AsX())
	VPBROADCASTD(c.one.AsX(), c.one)
	return c
}

func (c counter) next() { VPADDD(c.one, c.index, c.index) }

func maxPool(s isa, record bool) {
	name, args := "maxPool"+s.name, "out, img *float32"
	if record {
		name, args = "maxPoolRecord"+s.name, "out, img *float32, arg *uint8, argStep int"
	}
	declare(name, "func("+args+", "+geometry, name+" is Windows.Max for a block of channels.")
	w := windows{img: load64("img"), out: load64("out")}
	var count counter
	if record {
		w.arg, count = load64("arg"), s.counter()
	}
	best, arg, t, k := s.vecs(poolVecs), s.vecs(poolVecs), s.vec(), s.vec()
	w.open = func(vecs int, mask reg.Register) {
		for i := range vecs {
			s.load(s.at(w.img, i), maskOf(mask, i, vecs), best[i])
			if record {
				s.zero(arg[i])
			}
		}
		if record {
			s.zero(count.index)
		}
	}
	w.tap = func(at reg.Register, vecs int, mask reg.Register) {
		for i := range vecs {
			s.load(s.at(at, i), maskOf(mask, i, vecs), t)
			switch {
			case !record:
				VMAXPS(best[i], t, best[i]) // not t > best: the second source, best, stays
			case s.wide():
				above := K()
				VCMPPS(Imm(greater), best[i], t, above)
				VMOVAPS(t, above, best[i])
				VMOVDQA32(count.index, above, arg[i])
			default:
				VCMPPS(Imm(greater), best[i], t, k)
				VBLENDVPS(k, t, best[i], best[i])
				VBLENDVPS(k, count.index, arg[i], arg[i])
			}
		}
		if record {
			count.next()
		}
	}
	w.close = func(vecs int, mask reg.Register) {
		for i := range vecs {
			s.store(best[i], maskOf(mask, i, vecs), s.at(w.out, i))
			if record {
				s.storeBytes(arg[i], Mem{Base: w.arg, Disp: i * s.lanes})
			}
		}
	}
	w.generate(s)
}

// storeBytes stores the lanes of v, integers below 256, as bytes.
func (s isa) storeBytes(v reg.VecVirtual, m Mem) {
	if s.wide() {
		VPMOVDB(v, m)
		return
	}
	high := XMM()
	VEXTRACTI128(Imm(1), v, high)
	VPACKUSDW(high, v.AsX(), high)
	VPACKUSWB(high, high, high)
	VMOVQ(high, m)
}

func maxPoolBackward(s isa, sum bool) {
	name := "maxPoolWrite" + s.name
	if sum {
		name = "maxPoolAdd" + s.name
	}
	declare(name, "func(img, out *float32, arg *uint8, argStep int, "+geometry,
		name+" is Windows.MaxBackward for a block of channels.")
	w := windows{img: load64("img"), out: load64("out"), arg: load64("arg")}
	count := s.counter()
	g, arg, t, k := s.vecs(poolVecs), s.vecs(poolVecs), s.vec(), s.vec()
	w.open = func(vecs int, mask reg.Register) {
		for i := range vecs {
			s.load(s.at(w.out, i), maskOf(mask, i, vecs), g[i])
			VPMOVZXBD(Mem{Base: w.arg, Disp: i * s.lanes}, arg[i])
		}
		s.zero(count.index)
	}
	w.tap = func(at reg.Register, vecs int, mask reg.Register) {
		for i := range vecs {
			mask := maskOf(mask, i, vecs)
			if s.wide() {
				here := K()
				VPCMPEQD(count.index, arg[i], here)
				VMOVAPS_Z(g[i], here, t)
			} else {
				VPCMPEQD(count.index, arg[i], t)
				VANDPS(g[i], t, t)
			}
			s.put(sum, t, k, mask, s.at(at, i))
		}
		count.next()
	}
	w.generate(s)
}

// put stores t, or with sum adds it to what is there; k is free.
func (s isa) put(sum bool, t, k reg.VecVirtual, mask reg.Register, m Mem) {
	if !sum {
		s.store(t, mask, m)
		return
	}
	s.load(m, mask, k)
	VADDPS(t, k, k)
	s.store(k, mask, m)
}

func meanPool(s isa) {
	name := "meanPool" + s.name
	declare(name, "func(out, img *float32, factor *float32, "+geometry,
		name+" is Windows.Mean for a block of channels.")
	w := windows{img: load64("img"), out: load64("out")}
	factor := s.broadcast(Mem{Base: load64("factor")})
	acc, t := s.vecs(poolVecs), s.vec()
	w.open = func(vecs int, _ reg.Register) {
		for _, v := range acc[:vecs] {
			s.zero(v)
		}
	}
	w.tap = func(at reg.Register, vecs int, mask reg.Register) {
		for i, v := range acc[:vecs] {
			if maskOf(mask, i, vecs) == nil {
				VADDPS(s.at(at, i), v, v)
			} else {
				s.load(s.at(at, i), mask, t)
				VADDPS(t, v, v)
			}
		}
	}
	w.close = func(vecs int, mask reg.Register) {
		for i, v := range acc[:vecs] {
			VMULPS(factor, v, v)
			s.store(v, maskOf(mask, i, vecs), s.at(w.out, i))
		}
	}
	w.generate(s)
}

func meanPoolBackward(s isa, sum bool) {
	name := "meanPoolWrite" + s.name
	if sum {
		name = "meanPoolAdd" + s.name
	}
	declare(name, "func(img, out *float32, factor *float32, "+geometry,
		name+" is Windows.MeanBackward for a block of channels.")
	w := windows{img: load64("img"), out: load64("out")}
	factor := s.broadcast(Mem{Base: load64("factor")})
	g, k := s.vecs(poolVecs), s.vec()
	w.open = func(vecs int, mask reg.Register) {
		for i, v := range g[:vecs] {
			s.load(s.at(w.out, i), maskOf(mask, i, vecs), v)
			VMULPS(factor, v, v)
		}
	}
	w.tap = func(at reg.Register, vecs int, mask reg.Register) {
		for i, v := range g[:vecs] {
			s.put(sum, v, k, maskOf(mask, i, vecs), s.at(at, i))
		}
	}
	w.generate(s)
}

// bitTable is 1<<i in lane i of 8.
var bitTable *Mem

func bitsTable() Mem {
	if bitTable == nil {
		m := GLOBL("bits", 8|16) // RODATA, NOPTR
		for i := range 8 {
			DATA(4*i, U32(1<<i))
		}
		bitTable = &m
	}
	return *bitTable
}

// spread makes a mask of the lanes of vector i, whose bits are at m: of AVX2
// in t, of AVX-512 in what it returns.
func (s isa) spread(m Mem, i int, t, table reg.VecVirtual) reg.Register {
	m.Disp += i * s.lanes / 8
	if s.wide() {
		k := K()
		KMOVW(m, k)
		return k
	}
	VPBROADCASTB(m, t)
	VPAND(table, t, t)
	VPCMPEQD(table, t, t)
	return t
}

// bitLanes is what spread needs at hand.
func (s isa) bitLanes() (t, table reg.VecVirtual) {
	t = s.vec()
	if !s.wide() {
		table = s.vec()
		VMOVDQU(bitsTable(), table)
	}
	return t, table
}

func countBits(s isa) {
	name := "countBits" + s.name
	declare(name, "func(dst *float32, n int, words *uint64, count int, factor *float32)",
		name+" is CountBits for 1 ≤ n ≤ 64 and count ≥ 1.")
	dst, n, words, count := load64("dst"), load64("n"), load64("words"), load64("count")
	factor := s.broadcast(Mem{Base: load64("factor")})
	one, ones := GP32(), s.vec()
	MOVL(U32(0x3f800000), one)
	VMOVD(one, ones.AsX())
	VBROADCASTSS(ones.AsX(), ones)
	t, table := s.bitLanes()
	blocks(s, n, 64/s.lanes, func(vecs int, mask reg.Register, loop string) {
		acc := s.vecs(vecs)
		for _, v := range acc {
			s.zero(v)
		}
		Label(loop)
		for i, v := range acc {
			k := s.spread(Mem{Base: words}, i, t, table)
			if s.wide() {
				VADDPS(ones, v, k, v)
			} else {
				VANDPS(ones, t, t)
				VADDPS(t, v, v)
			}
		}
		ADDQ(Imm(8), words)
		DECQ(count)
		JNZ(LabelRef(loop))
		for i, v := range acc {
			VMULPS(factor, v, v)
			s.store(v, maskOf(mask, i, vecs), s.at(dst, i))
		}
	})
}

func selectBits(s isa, sum bool) {
	name := "selectBits" + s.name
	if sum {
		name = "addSelected" + s.name
	}
	declare(name, "func(dst, src *float32, n int, word *uint64)", name+" is "+map[bool]string{false: "SelectBits", true: "AddSelected"}[sum]+" for 1 ≤ n ≤ 64.")
	dst, src, n, word := load64("dst"), load64("src"), load64("n"), load64("word")
	t, table := s.bitLanes()
	v := s.vec()
	blocks(s, n, 64/s.lanes, func(vecs int, mask reg.Register, _ string) {
		for i := range vecs {
			mask := maskOf(mask, i, vecs)
			k := s.spread(Mem{Base: word}, i, t, table)
			if s.wide() {
				if mask != nil {
					KANDW(mask, k, k)
				}
				s.load(s.at(src, i), k, v)
			} else {
				s.load(s.at(src, i), mask, v)
				VANDPS(v, t, v)
			}
			s.put(sum, v, t, mask, s.at(dst, i))
		}
	})
}
