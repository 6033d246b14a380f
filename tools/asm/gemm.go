package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// unroll is the steps of k in one turn of the inner loop.
const unroll = 4

// gemm writes the micro-kernels of products: for each number of rows, those
// whose tile of C is two vectors wide, and one.
func gemm() {
	for _, set := range []struct {
		isa
		rows int // as many as leave registers for operands
	}{{avx2, 6}, {avx512, 12}} {
		for vecs := 2; vecs >= 1; vecs-- {
			for r := 1; r <= set.rows; r++ {
				micro(set.isa, "Steps", r, vecs)
				micro(set.isa, "Rows", r, vecs)
			}
		}
		for _, w := range []struct{ rows, panels int }{{1, 4}, {1, 2}, {2, 2}, {3, 2}} {
			wide(set.isa, w.rows, w.panels)
		}
	}
}

// left addresses the operand A, an element for each row and step of k.
type left struct {
	at    func(row, step int) Mem
	bases []reg.GPVirtual
	step  func(steps int) // moves the bases on
}

// byRows is A whose rows lie ld apart in memory, and its steps side by side.
func byRows(rows int) left {
	// A row is a base and a stride scaled by 0, 1, 2 or 4: with strides of 1,
	// 3 and 5 rows, each base reaches seven.
	a, one := load64("a"), stride("lda")
	strides := map[int]reg.GPVirtual{1: one}
	for _, n := range []int{3, 5} {
		if min(rows, 7) > n {
			strides[n] = GP64()
			LEAQ(Mem{Base: one, Index: one, Scale: uint8(n - 1)}, strides[n])
		}
	}
	l := left{bases: []reg.GPVirtual{a}}
	if rows > 7 {
		second := GP64()
		LEAQ(Mem{Base: a, Index: strides[3], Scale: 2}, second)
		ADDQ(one, second)
		l.bases = append(l.bases, second)
	}
	l.at = func(row, step int) Mem {
		m := Mem{Base: l.bases[row/7], Disp: 4 * step}
		if r := row % 7; r > 0 {
			n := [7]int{0, 1, 1, 3, 1, 5, 3}[r]
			m.Index, m.Scale = strides[n], uint8(r/n)
		}
		return m
	}
	l.step = func(steps int) {
		for _, b := range l.bases {
			ADDQ(Imm(uint64(4*steps)), b)
		}
	}
	return l
}

// bySteps is A whose steps lie ld apart in memory, and its rows side by side.
func bySteps() left {
	a, ld := load64("a"), stride("lda")
	return left{
		at: func(row, step int) Mem {
			m := Mem{Base: a, Disp: 4 * row}
			if step > 0 {
				m.Index, m.Scale = ld, uint8(step)
			}
			return m
		},
		step: func(steps int) { LEAQ(Mem{Base: a, Index: ld, Scale: uint8(steps)}, a) },
	}
}

// micro holds a tile of C, rows by one or two vectors, in registers.
func micro(s isa, kind string, rows, vecs int) {
	name := label("micro%s%sx%dx%d", kind, s.name, rows, vecs)
	doc := "adjacent, and its steps lda apart."
	if kind == "Rows" {
		doc = "lda apart, and its steps adjacent."
	}
	declare(name, "func(k int, a *float32, lda int, b *float32, ldb int, c *float32, ldc, width int)",
		label("%s adds A·B to a tile of C of %d rows and %d to %d columns, in k ≥ 1", name, rows, (vecs-1)*s.lanes+1, vecs*s.lanes),
		"steps. Rows of B and C are ldb and ldc apart; rows of A are", doc)
	var a left
	if kind == "Rows" {
		a = byRows(rows)
	} else {
		a = bySteps()
	}
	k, b, ldb, c, ldc, width := load64("k"), load64("b"), stride("ldb"), load64("c"), stride("ldc"), load64("width")

	// tile is the whole work, for all lanes or with the last vector masked.
	tile := func(suffix string, mask reg.Register, unroll int) {
		ahead := mask == nil && vecs > 1 // fetch the next tile, most often the one below
		acc := s.vecs(vecs * rows)
		row := GP64()
		MOVQ(c, row)
		for r := range rows {
			for v := range vecs {
				s.load(Mem{Base: row, Disp: v * s.size()}, maskOf(mask, v, vecs), acc[r*vecs+v])
			}
			if r < rows-1 || ahead {
				ADDQ(ldc, row)
			}
		}
		if ahead {
			for r := range rows {
				for v := 0; v < vecs; v += 64 / s.size() {
					PREFETCHT0(Mem{Base: row, Disp: v * s.size()})
				}
				if r < rows-1 {
					ADDQ(ldc, row)
				}
			}
		}
		bs, x := s.vecs(vecs), s.vecs(2)
		step := func(i int) {
			for v := range vecs {
				s.load(Mem{Base: b, Disp: v * s.size()}, maskOf(mask, v, vecs), bs[v])
			}
			ADDQ(ldb, b)
			for r := range rows {
				VBROADCASTSS(a.at(r, i), x[r%2])
				for v := range vecs {
					VFMADD231PS(bs[v], x[r%2], acc[r*vecs+v])
				}
			}
		}
		if unroll > 1 {
			SUBQ(U32(uint32(unroll)), k)
			JL(LabelRef("rest" + suffix))
			Label("loop" + suffix)
			for i := 0; i < unroll; i += 2 {
				step(0)
				step(1)
				a.step(2)
			}
			SUBQ(U32(uint32(unroll)), k)
			JGE(LabelRef("loop" + suffix))
			Label("rest" + suffix)
			ADDQ(U32(uint32(unroll)), k)
			JZ(LabelRef("store" + suffix))
		}
		Label("single" + suffix)
		step(0)
		a.step(1)
		DECQ(k)
		JNZ(LabelRef("single" + suffix))
		Label("store" + suffix)
		for r := range rows {
			for v := range vecs {
				s.store(acc[r*vecs+v], maskOf(mask, v, vecs), Mem{Base: c, Disp: v * s.size()})
			}
			if r < rows-1 {
				ADDQ(ldc, c)
			}
		}
		end()
	}
	CMPQ(width, U32(uint32(vecs*s.lanes)))
	JNE(LabelRef("masked"))
	tile("", nil, unroll)
	Label("masked")
	tile("masked", s.tail(width, vecs), 1)
}

// wide holds few rows of C across several panels of B, so that as many chains
// run at once as the multipliers can start before the first one ends.
func wide(s isa, rows, panels int) {
	name := label("wide%sx%dx%d", s.name, rows, panels)
	declare(name, "func(k int, a *float32, lda int, b *float32, ldb, panel int, c *float32, ldc int)",
		label("%s adds A·B to %d rows and %d columns of C, in k ≥ 1 steps. Rows of", name, rows, 2*panels*s.lanes),
		label("A, B and C are lda, ldb and ldc apart; panels of %d columns of B are panel apart.", 2*s.lanes))
	a := byRows(rows)
	k, b, ldb, panel := load64("k"), load64("b"), stride("ldb"), stride("panel")
	c, ldc := load64("c"), stride("ldc")
	panel3 := GP64()
	if panels > 3 {
		LEAQ(Mem{Base: panel, Index: panel, Scale: 2}, panel3)
	}
	at := func(v int) Mem {
		m := Mem{Base: b, Disp: v % 2 * s.size()}
		switch p := v / 2; p {
		case 0:
		case 3:
			m.Index, m.Scale = panel3, 1
		default:
			m.Index, m.Scale = panel, uint8(p)
		}
		return m
	}
	vecs := 2 * panels
	acc := s.vecs(vecs * rows)
	row := GP64()
	MOVQ(c, row)
	for r := range rows {
		for v := range vecs {
			VMOVUPS(Mem{Base: row, Disp: v * s.size()}, acc[r*vecs+v])
		}
		if r < rows-1 {
			ADDQ(ldc, row)
		}
	}
	x, bv := s.vecs(rows), s.vec()
	Label("loop")
	for r := range rows {
		VBROADCASTSS(a.at(r, 0), x[r])
	}
	for v := range vecs {
		if rows == 1 {
			VFMADD231PS(at(v), x[0], acc[v])
			continue
		}
		VMOVUPS(at(v), bv)
		for r := range rows {
			VFMADD231PS(bv, x[r], acc[r*vecs+v])
		}
	}
	a.step(1)
	ADDQ(ldb, b)
	DECQ(k)
	JNZ(LabelRef("loop"))
	for r := range rows {
		for v := range vecs {
			VMOVUPS(acc[r*vecs+v], Mem{Base: c, Disp: v * s.size()})
		}
		if r < rows-1 {
			ADDQ(ldc, c)
		}
	}
	end()
}
