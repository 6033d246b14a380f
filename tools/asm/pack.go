package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// pack writes what rearranges operands of MatMul. The moves are the same at
// every level: they wait for memory, not for arithmetic.
func pack() {
	copyPairs("copy8Pairs", 8, YMM)
	copyPairs("copy4Pairs", 4, XMM)
	transpose8()
}

func copyPairs(name string, width int, vec func() reg.VecVirtual) {
	declare(name, "func(dst *float32, dstLd int, src *float32, srcLd, second, steps int)",
		label("%s copies, for each of steps ≥ 1 rows, the %d floats at 0 and the %d at second,", name, width, width),
		"which may overlap: a row of width to twice that.")
	dst, dstLd := load64("dst"), stride("dstLd")
	src, srcLd := load64("src"), stride("srcLd")
	second, steps := stride("second"), load64("steps")
	x, y := vec(), vec()
	Label("loop")
	VMOVUPS(Mem{Base: src}, x)
	VMOVUPS(Mem{Base: src, Index: second, Scale: 1}, y)
	// The next panel is the next 64 bytes of the same rows.
	PREFETCHT0(Mem{Base: src, Disp: 64})
	VMOVUPS(x, Mem{Base: dst})
	VMOVUPS(y, Mem{Base: dst, Index: second, Scale: 1})
	ADDQ(srcLd, src)
	ADDQ(dstLd, dst)
	DECQ(steps)
	JNZ(LabelRef("loop"))
	end()
}

func transpose8() {
	declare("transpose8", "func(dst *float32, dstLd int, src *float32, srcLd, rows, blocks int)",
		"transpose8 writes column i of src, of 1 to 8 rows, to the 8 floats at dst[i·dstLd],",
		"for 8·blocks ≥ 8 columns in ascending order; the last row stands in for missing ones.")
	dst, dstLd := load64("dst"), stride("dstLd")
	src, srcLd := load64("src"), stride("srcLd")
	rows, blocks := load64("rows"), load64("blocks")

	// Row addresses relative to row 0, so that one pointer advances.
	off := make([]reg.GPVirtual, 8)
	zero := GP64()
	XORQ(zero, zero)
	for i := 1; i < 8; i++ {
		off[i] = GP64()
		next := GP64()
		if i == 1 {
			MOVQ(zero, off[i])
			MOVQ(srcLd, next)
		} else {
			MOVQ(off[i-1], off[i])
			LEAQ(Mem{Base: off[i-1], Index: srcLd, Scale: 1}, next)
		}
		CMPQ(rows, Imm(uint64(i)))
		CMOVQGT(next, off[i])
	}
	Label("loop")
	r := make([]reg.VecVirtual, 8)
	// Halves of rows i and i+4 share a register, which saves the last stage.
	at := func(i, half int) Mem {
		m := Mem{Base: src, Disp: 16 * half}
		if i > 0 {
			m.Index, m.Scale = off[i], 1
		}
		return m
	}
	for i := range 4 {
		for half := range 2 {
			v := YMM()
			VMOVUPS(at(i, half), v.AsX())
			VINSERTF128(Imm(1), at(i+4, half), v, v)
			r[4*half+i] = v
		}
	}
	for half := range 2 {
		q := r[4*half : 4*half+4]
		lo0, hi0, lo1, hi1 := YMM(), YMM(), YMM(), YMM()
		VUNPCKLPS(q[1], q[0], lo0)
		VUNPCKHPS(q[1], q[0], hi0)
		VUNPCKLPS(q[3], q[2], lo1)
		VUNPCKHPS(q[3], q[2], hi1)
		for _, p := range []struct {
			lo, hi reg.VecVirtual
			imm    uint64
		}{{lo0, lo1, 0x44}, {lo0, lo1, 0xee}, {hi0, hi1, 0x44}, {hi0, hi1, 0xee}} {
			v := YMM()
			VSHUFPS(Imm(p.imm), p.hi, p.lo, v)
			VMOVUPS(v, Mem{Base: dst})
			ADDQ(dstLd, dst)
		}
	}
	ADDQ(Imm(32), src)
	DECQ(blocks)
	JNZ(LabelRef("loop"))
	end()
}
