package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// philox writes the random words, and those as numbers in [0, 1).
func philox() {
	for _, s := range sets {
		random(s, "words", "*uint32", false)
		random(s, "uniforms", "*float32", true)
	}
}

// random has a block of four words in each lane of 64 bits. What is above the lower
// half of a lane is never read: products take lower halves, and the last step masks.
func random(s isa, what, to string, numbers bool) {
	name := what + s.name
	declare(name, "func(dst "+to+", groups int, counters *[8]uint64, plane *[2]uint32, keys *[20]uint32, p *[5]uint32)",
		name+" fills dst with groups of "+label("%d", 2*s.lanes)+" "+what+". Of each lane counters holds the first block, in the",
		"order in which unpacking gives them back; keys are those of each round, p the two factors, the step, the mask and the scale.")
	dst, groups, counters, plane, keys, p := load64("dst"), load64("groups"), load64("counters"), load64("plane"), load64("keys"), load64("p")
	word := func(base reg.Register, i int) reg.VecVirtual {
		v := s.vec()
		VPBROADCASTD(Mem{Base: base, Disp: 4 * i}, v)
		return v
	}
	lane := func(base reg.Register, i int) reg.VecVirtual {
		v := word(base, i)
		VPSRLQ(Imm(32), v, v)
		return v
	}
	block := s.vec()
	VMOVUPS(Mem{Base: counters}, block)
	m0, m1 := word(p, 0), word(p, 1)
	var scale reg.VecVirtual
	if numbers {
		scale = word(p, 4)
	}
	step, low := lane(p, 2), lane(p, 3)
	c, next, a, b := s.vecs(4), s.vecs(4), s.vec(), s.vec()
	Label("groups")
	VMOVUPS(block, c[0])
	VPSRLQ(Imm(32), block, c[1])
	VPBROADCASTD(Mem{Base: plane}, c[2])
	VPBROADCASTD(Mem{Base: plane, Disp: 4}, c[3])
	for round := range 10 {
		VPMULUDQ(m0, c[0], next[3])
		VPMULUDQ(m1, c[2], next[1])
		VPSRLQ(Imm(32), next[1], a)
		VPSRLQ(Imm(32), next[3], b)
		s.xor3(c[1], a, a)
		s.xor3(c[3], b, b)
		VPBROADCASTD(Mem{Base: keys, Disp: 8 * round}, next[0])
		VPBROADCASTD(Mem{Base: keys, Disp: 8*round + 4}, next[2])
		s.xor3(a, next[0], next[0])
		s.xor3(b, next[2], next[2])
		c, next = next, c
	}
	for i := range 2 { // numbers 0 and 1, then 2 and 3, side by side
		s.and3(low, c[2*i], c[2*i])
		VPSLLQ(Imm(32), c[2*i+1], c[2*i+1])
		s.or3(c[2*i+1], c[2*i], c[2*i])
	}
	VPUNPCKLQDQ(c[2], c[0], a)
	VPUNPCKHQDQ(c[2], c[0], b)
	for i, v := range []reg.VecVirtual{a, b} {
		if numbers {
			VPSRLD(Imm(8), v, v)
			VCVTDQ2PS(v, v)
			VMULPS(scale, v, v)
		}
		VMOVUPS(v, s.at(dst, i))
	}
	VPADDQ(step, block, block)
	ADDQ(U32(uint32(2*s.size())), dst)
	DECQ(groups)
	JNZ(LabelRef("groups"))
	end()
}

func (s isa) xor3(x, y, to reg.VecVirtual) {
	if s.wide() {
		VPXORQ(x, y, to)
		return
	}
	VPXOR(x, y, to)
}

func (s isa) and3(x, y, to reg.VecVirtual) {
	if s.wide() {
		VPANDQ(x, y, to)
		return
	}
	VPAND(x, y, to)
}

func (s isa) or3(x, y, to reg.VecVirtual) {
	if s.wide() {
		VPORQ(x, y, to)
		return
	}
	VPOR(x, y, to)
}
