package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// unroll is the steps of k in one turn of the inner loop.
const unroll = 4

// gemm writes the micro-kernels of MatMul, one for each number of rows.
func gemm() {
	for r := 1; r <= 6; r++ {
		micro(avx2, r)
	}
	for r := 1; r <= 14; r++ {
		micro(avx512, r)
	}
}

// micro holds a tile of C, rows by two vectors, in registers.
func micro(s isa, rows int) {
	name := label("micro%sx%d", s.name, rows)
	declare(name, "func(k int, a, b, c *float32, ldc int)",
		label("%s adds A·B to a tile of C of %d rows and %d columns, k ≥ 1 steps of", name, rows, 2*s.lanes),
		label("packed A (%d floats each) and packed B (%d floats each).", rows, 2*s.lanes))
	k, a, b, c, ldc := load64("k"), load64("a"), load64("b"), load64("c"), stride("ldc")

	acc := s.vecs(2 * rows)
	row := GP64()
	MOVQ(c, row)
	for r := range rows {
		VMOVUPS(Mem{Base: row}, acc[2*r])
		VMOVUPS(Mem{Base: row, Disp: s.size()}, acc[2*r+1])
		ADDQ(ldc, row)
	}

	b0, b1 := s.vec(), s.vec()
	x := s.vecs(2)
	step := func(i int) {
		VMOVUPS(Mem{Base: b, Disp: 2 * i * s.size()}, b0)
		VMOVUPS(Mem{Base: b, Disp: (2*i + 1) * s.size()}, b1)
		for r := range rows {
			t := x[r%2]
			VBROADCASTSS(Mem{Base: a, Disp: 4 * (i*rows + r)}, t)
			VFMADD231PS(b0, t, acc[2*r])
			VFMADD231PS(b1, t, acc[2*r+1])
		}
	}
	advance := func(steps int) {
		ADDQ(U32(uint32(4*steps*rows)), a)
		ADDQ(U32(uint32(2*steps*s.size())), b)
	}
	SUBQ(Imm(unroll), k)
	JL(LabelRef("rest"))
	Label("loop")
	for i := range unroll {
		step(i)
	}
	advance(unroll)
	SUBQ(Imm(unroll), k)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(Imm(unroll), k)
	JZ(LabelRef("store"))
	Label("single")
	step(0)
	advance(1)
	DECQ(k)
	JNZ(LabelRef("single"))

	Label("store")
	for r := range rows {
		VMOVUPS(acc[2*r], Mem{Base: c})
		VMOVUPS(acc[2*r+1], Mem{Base: c, Disp: s.size()})
		ADDQ(ldc, c)
	}
	end()
}
