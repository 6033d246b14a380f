package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// rows writes AddRows: blocks of eight vectors of c stay in registers while
// the rows pass by.
func rows() {
	for _, s := range sets {
		name := "addRows" + s.name
		declare(name, "func(c, w *float32, n, ldw int, rows *int32, count int)",
			name+" adds count ≥ 1 rows of w to the n floats of c.")
		c, w, n, ldw := load64("c"), load64("w"), load64("n"), stride("ldw")
		index, count := load64("rows"), load64("count")

		block := func(vecs int, mask reg.Register) {
			loop := label("rows%d", vecs)
			if mask != nil {
				loop += "tail"
			}
			acc := s.vecs(vecs)
			for i, v := range acc {
				s.load(Mem{Base: c, Disp: i * s.size()}, maskOf(mask, i, vecs), v)
			}
			at, i, t := GP64(), GP64(), s.vec()
			XORQ(i, i)
			Label(loop)
			MOVLQSX(Mem{Base: index, Index: i, Scale: 4}, at)
			IMULQ(ldw, at)
			ADDQ(w, at)
			for j, v := range acc {
				m := Mem{Base: at, Disp: j * s.size()}
				if maskOf(mask, j, vecs) == nil {
					VADDPS(m, v, v)
				} else {
					s.load(m, mask, t)
					VADDPS(t, v, v)
				}
			}
			INCQ(i)
			CMPQ(i, count)
			JL(LabelRef(loop))
			for i, v := range acc {
				s.store(v, maskOf(mask, i, vecs), Mem{Base: c, Disp: i * s.size()})
			}
		}

		const most = 8
		Label("blocks")
		CMPQ(n, U32(uint32(most*s.lanes)))
		JL(LabelRef("tail"))
		block(most, nil)
		ADDQ(U32(uint32(most*s.size())), c)
		ADDQ(U32(uint32(most*s.size())), w)
		SUBQ(U32(uint32(most*s.lanes)), n)
		JMP(LabelRef("blocks"))
		Label("tail")
		TESTQ(n, n)
		JZ(LabelRef("done"))
		byVectors(s, n, most, func(vecs int) { block(vecs, s.tail(n, vecs)) })
		Label("done")
		end()
	}
}

// byVectors branches to the body for the number of vectors that n in
// [1, most·lanes] fills or starts, and goes on behind the last.
func byVectors(s isa, n reg.GPVirtual, most int, body func(vecs int)) {
	for v := 1; v < most; v++ {
		CMPQ(n, U32(uint32(v*s.lanes)))
		JLE(LabelRef(label("vectors%d", v)))
	}
	for v := most; v >= 1; v-- {
		if v < most {
			Label(label("vectors%d", v))
		}
		body(v)
		if v > 1 {
			JMP(LabelRef("joined"))
		}
	}
	Label("joined")
}
