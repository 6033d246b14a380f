package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// notEqual is the comparison that is true for NaN and raises nothing.
const notEqual = 0x04

// events writes what finds nonzero elements and turns rasters.
func events() {
	for _, s := range sets {
		countNonzero(s)
		nonzeroBits(s)
		expand64(s)
		indices(s)
		nonzeros(s)
	}
	transpose64()
}

// nonzero writes to r a bit for each lane of the vector at m that is not zero.
func (s isa) nonzero(m Mem, nought, t reg.VecVirtual, r reg.GPVirtual) {
	if s.wide() {
		k := K()
		VCMPPS(Imm(notEqual), m, nought, k)
		KMOVW(k, r.As32())
		return
	}
	VCMPPS(Imm(notEqual), m, nought, t)
	VMOVMSKPS(t, r.As32())
}

func countNonzero(s isa) {
	name := "countNonzero" + s.name
	declare(name, "func(x *float32, count int) int",
		label("%s is CountNonzero of count ≥ 1 times 64 floats.", name))
	x, count := load64("x"), load64("count")
	n, r, nought, t := GP64(), GP64(), s.vec(), s.vec()
	XORQ(n, n)
	s.zero(nought)
	Label("loop")
	for i := range 64 / s.lanes {
		s.nonzero(Mem{Base: x, Disp: i * s.size()}, nought, t, r)
		POPCNTL(r.As32(), r.As32())
		ADDQ(r, n)
	}
	ADDQ(U32(256), x)
	DECQ(count)
	JNZ(LabelRef("loop"))
	Store(n, ReturnIndex(0))
	end()
}

func nonzeroBits(s isa) {
	name := "nonzeroBits" + s.name
	declare(name, "func(dst *uint64, x *float32, count int)",
		label("%s is NonzeroBits of count ≥ 1 times 64 floats.", name))
	dst, x, count := load64("dst"), load64("x"), load64("count")
	word, r, nought, t := GP64(), GP64(), s.vec(), s.vec()
	s.zero(nought)
	Label("loop")
	for i := range 64 / s.lanes {
		if i == 0 {
			s.nonzero(Mem{Base: x}, nought, t, word)
			continue
		}
		s.nonzero(Mem{Base: x, Disp: i * s.size()}, nought, t, r)
		SHLQ(Imm(uint64(i*s.lanes)), r)
		ORQ(r, word)
	}
	MOVQ(word, Mem{Base: dst})
	ADDQ(U32(256), x)
	ADDQ(Imm(8), dst)
	DECQ(count)
	JNZ(LabelRef("loop"))
	end()
}

var tables = map[string]Mem{}

// table is constant data of 32-bit numbers, written at its first use.
func table(name string, numbers ...uint32) Mem {
	if m, ok := tables[name]; ok {
		return m
	}
	m := GLOBL(name, 8|16) // RODATA, NOPTR
	for i, x := range numbers {
		DATA(4*i, U32(x))
	}
	tables[name] = m
	return m
}

func expand64(s isa) {
	const one = 0x3f800000
	name := "expand64" + s.name
	declare(name, "func(dst *float32, word uint64)",
		label("%s writes the 64 bits of word as zeros and ones.", name))
	dst, word := load64("dst"), load64("word")
	ones, v, r := s.vec(), s.vec(), GP32()
	MOVL(U32(one), r)
	x := XMM()
	VMOVD(r, x)
	VBROADCASTSS(x, ones)
	if s.wide() {
		k := K()
		for i := range 4 {
			KMOVW(word.As32(), k)
			VMOVAPS_Z(ones, k, v)
			VMOVUPS(v, Mem{Base: dst, Disp: i * s.size()})
			SHRQ(Imm(16), word)
		}
		end()
		return
	}
	bits := s.vec()
	VMOVDQU(table("lane", 1, 2, 4, 8, 16, 32, 64, 128), bits)
	for i := range 8 {
		VMOVD(word.As32(), x)
		VPBROADCASTD(x, v)
		VPAND(bits, v, v)
		VPCMPEQD(bits, v, v)
		VPAND(ones, v, v)
		VMOVUPS(v, Mem{Base: dst, Disp: i * s.size()})
		SHRQ(Imm(8), word)
	}
	end()
}

// count16 is 0, 1, … 15.
func count16() Mem {
	numbers := make([]uint32, 16)
	for i := range numbers {
		numbers[i] = uint32(i)
	}
	return table("count", numbers...)
}

// places has eight bytes for each value of a byte: where its bits are, ascending, and zeros behind.
func places() Mem {
	var numbers []uint32
	for b := range 256 {
		var at [8]uint32
		n := 0
		for i := range uint32(8) {
			if b>>i&1 == 1 {
				at[n] = i
				n++
			}
		}
		for i := 0; i < 8; i += 4 {
			numbers = append(numbers, at[i]|at[i+1]<<8|at[i+2]<<16|at[i+3]<<24)
		}
	}
	return table("places", numbers...)
}

// each is a number in all lanes.
func (s isa) each(number reg.GPVirtual) reg.VecVirtual {
	v := s.vec()
	if s.wide() {
		VPBROADCASTD(number, v)
		return v
	}
	x := XMM()
	VMOVD(number, x)
	VPBROADCASTD(x, v)
	return v
}

// eachOf is a constant in all lanes.
func (s isa) eachOf(number uint32) reg.VecVirtual {
	r := GP32()
	MOVL(U32(number), r)
	return s.each(r)
}

func indices(s isa) {
	name := "indices" + s.name
	declare(name, "func(dst *int32, words *uint64, count int, base int32) int",
		label("%s is Indices of all bits of count ≥ 1 words; it returns their number and", name),
		"writes up to 16 places beyond it.")
	dst, words, count := load64("dst"), load64("words"), load64("count")
	base, start := GP32(), GP64()
	Load(Param("base"), base)
	MOVQ(dst, start)
	many := s.indicesOfMany()
	word, n, r := GP64(), GP64(), GP64()
	Label("loop")
	MOVQ(Mem{Base: words}, word)
	TESTQ(word, word)
	JZ(LabelRef("next"))
	if s.wide() {
		POPCNTQ(word, n)
		CMPQ(n, Imm(8))
		JG(LabelRef("many"))
		// Few: always eight, of which those behind the last bit are overwritten.
		for i := range 8 {
			TZCNTQ(word, r)
			ADDL(base, r.As32())
			MOVL(r.As32(), Mem{Base: dst, Disp: 4 * i})
			BLSRQ(word, word)
		}
		LEAQ(Mem{Base: dst, Index: n, Scale: 4}, dst)
		JMP(LabelRef("next"))
	}
	Label("many")
	many(dst, words, base, n)
	Label("next")
	ADDL(Imm(64), base)
	ADDQ(Imm(8), words)
	DECQ(count)
	JNZ(LabelRef("loop"))
	SUBQ(start, dst)
	SHRQ(Imm(2), dst)
	Store(dst, ReturnIndex(0))
	end()
}

// indicesOfMany sets up what finds the bits of a word with many, and returns what writes it. Whole
// vectors are stored, of which the next one overwrites the excess: compressing to memory is slow on
// some processors, and AVX2 has to look up where a byte's bits are.
func (s isa) indicesOfMany() func(dst, words, base, n reg.GPVirtual) {
	if s.wide() {
		lanes, sixteen := ZMM(), s.eachOf(16)
		VMOVDQU32(count16(), lanes)
		at, t, k := ZMM(), ZMM(), K()
		return func(dst, words, base, n reg.GPVirtual) {
			VPBROADCASTD(base, at)
			VPADDD(lanes, at, at)
			for i := range 4 {
				m := Mem{Base: words, Disp: 2 * i}
				KMOVW(m, k)
				MOVWLZX(m, n.As32())
				VPCOMPRESSD_Z(at, k, t)
				VMOVDQU32(t, Mem{Base: dst})
				POPCNTL(n.As32(), n.As32())
				LEAQ(Mem{Base: dst, Index: n, Scale: 4}, dst)
				VPADDD(sixteen, at, at)
			}
		}
	}
	look, eight, t := GP64(), s.eachOf(8), YMM()
	LEAQ(places(), look)
	return func(dst, words, base, n reg.GPVirtual) {
		from := s.each(base)
		for i := range 8 {
			MOVBLZX(Mem{Base: words, Disp: i}, n.As32())
			VPMOVZXBD(Mem{Base: look, Index: n, Scale: 8}, t)
			VPADDD(from, t, t)
			VMOVDQU(t, Mem{Base: dst})
			POPCNTL(n.As32(), n.As32())
			LEAQ(Mem{Base: dst, Index: n, Scale: 4}, dst)
			VPADDD(eight, from, from)
		}
	}
}

func nonzeros(s isa) {
	if !s.wide() {
		nonzerosAVX2()
		return
	}
	declare("nonzerosAVX512", "func(at *int32, val *float32, x *float32, n int, base int32) int",
		"nonzerosAVX512 is Nonzeros of n ≥ 1 floats; it returns their number and writes up to",
		"16 places beyond it.")
	at, val, x, n := load64("at"), load64("val"), load64("x"), load64("n")
	base, sixteen := GP32(), s.eachOf(16)
	Load(Param("base"), base)
	place := s.each(base)
	VPADDD(count16(), place, place)
	nought, v, t, k := ZMM(), ZMM(), ZMM(), K()
	found, r := GP64(), GP64()
	VPXORD(nought, nought, nought)
	XORQ(found, found)
	take := func() {
		VCMPPS(Imm(notEqual), nought, v, k)
		KMOVW(k, r.As32())
		VCOMPRESSPS_Z(v, k, t)
		VMOVUPS(t, Mem{Base: val, Index: found, Scale: 4})
		VPCOMPRESSD_Z(place, k, t)
		VMOVDQU32(t, Mem{Base: at, Index: found, Scale: 4})
		POPCNTL(r.As32(), r.As32())
		ADDQ(r, found)
	}
	Label("loop")
	CMPQ(n, Imm(16))
	JLE(LabelRef("tail"))
	VMOVUPS(Mem{Base: x}, v)
	take()
	VPADDD(sixteen, place, place)
	ADDQ(Imm(64), x)
	SUBQ(Imm(16), n)
	JMP(LabelRef("loop"))
	Label("tail")
	avx512.load(Mem{Base: x}, avx512.tail(n, 1), v)
	take()
	Store(found, ReturnIndex(0))
	end()
}

// nonzerosAVX2 looks up where the bits of a comparison of eight floats are.
func nonzerosAVX2() {
	declare("nonzerosAVX2", "func(at *int32, val *float32, x *float32, count int, base int32) int",
		"nonzerosAVX2 is Nonzeros of count ≥ 1 times 8 floats; it returns their number and writes",
		"up to 8 places beyond it.")
	at, val, x, count := load64("at"), load64("val"), load64("x"), load64("count")
	base, look, found, r := GP32(), GP64(), GP64(), GP64()
	Load(Param("base"), base)
	from, eight := avx2.each(base), avx2.eachOf(8)
	nought, v, t := YMM(), YMM(), YMM()
	LEAQ(places(), look)
	avx2.zero(nought)
	XORQ(found, found)
	Label("loop")
	VMOVUPS(Mem{Base: x}, v)
	VCMPPS(Imm(notEqual), v, nought, t)
	VMOVMSKPS(t, r.As32())
	VPMOVZXBD(Mem{Base: look, Index: r, Scale: 8}, t)
	VPERMPS(v, t, v)
	VMOVUPS(v, Mem{Base: val, Index: found, Scale: 4})
	VPADDD(from, t, t)
	VMOVDQU(t, Mem{Base: at, Index: found, Scale: 4})
	POPCNTL(r.As32(), r.As32())
	ADDQ(r, found)
	VPADDD(eight, from, from)
	ADDQ(Imm(32), x)
	DECQ(count)
	JNZ(LabelRef("loop"))
	Store(found, ReturnIndex(0))
	end()
}

// transpose64 swaps ever smaller squares across the diagonal, as
// transpose64Go does: down to 8×8 bits between vectors, within them after
// gathering each square in one lane of 64 bits.
func transpose64() {
	declare("transpose64AVX512", "func(a *[64]uint64)",
		"transpose64AVX512 transposes a matrix of 64×64 bits.")
	a := load64("a")
	z := avx512.vecs(8)
	for i, v := range z {
		VMOVDQU64(Mem{Base: a, Disp: 64 * i}, v)
	}
	const exclusiveAnd = 0x28 // (a ^ b) & c of three operands
	const parity = 0x96       // a ^ b ^ c
	t, u, mask, r := ZMM(), ZMM(), ZMM(), GP64()
	setMask := func(m uint64) {
		MOVQ(U64(m), r)
		VPBROADCASTQ(r, mask)
	}
	for _, step := range []struct {
		away, shift int
		mask        uint64
	}{{4, 32, 0x00000000ffffffff}, {2, 16, 0x0000ffff0000ffff}, {1, 8, 0x00ff00ff00ff00ff}} {
		setMask(step.mask)
		for i := range z {
			if i&step.away > 0 {
				continue
			}
			upper, lower := z[i], z[i+step.away]
			VPSRLQ(Imm(uint64(step.shift)), upper, t)
			VPTERNLOGQ(Imm(exclusiveAnd), mask, lower, t)
			VPXORQ(t, lower, lower)
			VPSLLQ(Imm(uint64(step.shift)), t, t)
			VPXORQ(t, upper, upper)
		}
	}
	pairs, words := ZMM(), ZMM()
	VBROADCASTI32X4(table("pairs", 0x09010800, 0x0b030a02, 0x0d050c04, 0x0f070e06), pairs)
	var order []uint32
	for i := 0; i < 32; i += 2 {
		from := func(i int) uint32 { return uint32(i%4*8 + i/4) }
		order = append(order, from(i)|from(i+1)<<16)
	}
	VMOVDQU32(table("wordOrder", order...), words)
	gather := func(v reg.VecVirtual) {
		VPSHUFB(pairs, v, v)
		VPERMW(v, words, v)
	}
	for _, v := range z {
		gather(v)
	}
	for _, step := range []struct {
		shift int
		mask  uint64
	}{{7, 0x00aa00aa00aa00aa}, {14, 0x0000cccc0000cccc}, {28, 0x00000000f0f0f0f0}} {
		setMask(step.mask)
		for _, v := range z {
			VPSRLQ(Imm(uint64(step.shift)), v, t)
			VPTERNLOGQ(Imm(exclusiveAnd), mask, v, t)
			VPSLLQ(Imm(uint64(step.shift)), t, u)
			VPTERNLOGQ(Imm(parity), t, u, v)
		}
	}
	for i, v := range z {
		gather(v)
		VMOVDQU64(v, Mem{Base: a, Disp: 64 * i})
	}
	end()
}
