package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// rows writes the sums of rows of a matrix that lists name. A call is for one
// block of columns, whose vectors stay in registers while the lists pass by.
func rows() {
	for _, s := range sets {
		maxRow(s)
		for _, scaled := range []bool{false, true} {
			addLists(s, scaled)
			sumLists(s, scaled)
		}
	}
}

// addMost and sumMost are the vectors of a block in addLists, and in sumLists,
// which holds totals and partial sums.
func (s isa) addMost() int {
	if s.wide() {
		return 16
	}
	return 12
}

func (s isa) sumMost() int {
	if s.wide() {
		return 12
	}
	return 6
}

// list is a list of rows, with a value each where val is set.
type list struct {
	s        isa
	at, val  reg.Register
	ldw      reg.Register
	row      reg.GPVirtual
	value, t reg.VecVirtual
}

func newList(s isa, at string, scaled bool) *list {
	l := &list{s: s, at: load64(at), ldw: stride("ldw"), row: GP64()}
	if scaled {
		l.val, l.value = load64("val"), s.vec()
	}
	l.t = s.vec()
	return l
}

// add adds entry i's row of the matrix at base to acc.
func (l *list) add(i, base reg.Register, acc []reg.VecVirtual, mask reg.Register) {
	MOVLQSX(Mem{Base: l.at, Index: i, Scale: 4}, l.row)
	IMULQ(l.ldw, l.row)
	ADDQ(base, l.row)
	if l.val != nil {
		VBROADCASTSS(Mem{Base: l.val, Index: i, Scale: 4}, l.value)
	}
	for j, v := range acc {
		m := Mem{Base: l.row, Disp: j * l.s.size()}
		mask := maskOf(mask, j, len(acc))
		switch {
		case mask != nil && (!l.s.wide() || len(acc) == 1):
			// A sum under a mask waits longer for the one before, which
			// shows where there is only one chain.
			l.s.load(m, mask, l.t)
			if l.val != nil {
				VFMADD231PS(l.t, l.value, v)
			} else {
				VADDPS(l.t, v, v)
			}
		case mask != nil && l.val != nil:
			VFMADD231PS(m, l.value, mask, v)
		case mask != nil:
			VADDPS(m, v, mask, v)
		case l.val != nil:
			VFMADD231PS(m, l.value, v)
		default:
			VADDPS(m, v, v)
		}
	}
}

func kernelName(name string, s isa, scaled bool) (full, val string) {
	if scaled {
		return name + "Scaled" + s.name, ", val *float32"
	}
	return name + s.name, ""
}

// columns loads and stores the vectors of c around body, for as many as n
// needs.
func columns(s isa, most int, body func(acc []reg.VecVirtual, mask reg.Register)) {
	n := load64("n")
	byVectors(s, n, most, func(vecs int) {
		mask, acc := s.tail(n, vecs), s.vecs(vecs)
		c := load64("c")
		s.loadAll(c, mask, acc)
		body(acc, mask)
		Load(Param("c"), c)
		s.storeAll(acc, mask, c)
	})
	end()
}

func addLists(s isa, scaled bool) {
	name, val := kernelName("addLists", s, scaled)
	declare(name, "func(c *float32, n, ldc, count int, w *float32, off, back, step, ldw int, first *int32, ahead, width, stride, lists int, at *int32"+val+")",
		label("%s adds to the 1 ≤ n ≤ %d floats of c, for each i of lists ≥ 1, the rows of w", name, s.addMost()*s.lanes),
		"that at[first[i·stride]:first[i·stride+width]] names, where row r is the floats at",
		"w[off + i·step + r·ldw], for each of count ≥ 1 vectors: to the next one c moves on by ldc,",
		"behind its lists w by back and first by ahead.")
	n := load64("n")
	byVectors(s, n, s.addMost(), func(vecs int) {
		vector, list, next, row := label("vector%d", vecs), label("list%d", vecs), label("next%d", vecs), label("row%d", vecs)
		mask, acc := s.tail(n, vecs), s.vecs(vecs)
		l := newList(s, "at", scaled)
		c, count := load64("c"), load64("count")
		base, off, step := load64("w"), stride("off"), stride("step")
		ADDQ(off, base)
		first, lists := load64("first"), GP64()
		i, last, t := GP64(), GP64(), GP64()
		advance := func(by string, p reg.GPVirtual) {
			Load(Param(by), t)
			LEAQ(Mem{Base: p, Index: t, Scale: 4}, p)
		}
		Label(vector)
		s.loadAll(c, mask, acc)
		Load(Param("lists"), lists)
		Label(list)
		Load(Param("width"), t)
		MOVLQSX(Mem{Base: first}, i)
		MOVLQSX(Mem{Base: first, Index: t, Scale: 4}, last)
		CMPQ(i, last)
		JGE(LabelRef(next))
		Label(row)
		l.add(i, base, acc, mask)
		INCQ(i)
		CMPQ(i, last)
		JL(LabelRef(row))
		Label(next)
		advance("stride", first)
		ADDQ(step, base)
		DECQ(lists)
		JNZ(LabelRef(list))
		s.storeAll(acc, mask, c)
		advance("ldc", c)
		advance("back", base)
		advance("ahead", first)
		DECQ(count)
		JNZ(LabelRef(vector))
	})
	end()
}

func sumLists(s isa, scaled bool) {
	name, val := kernelName("sumLists", s, scaled)
	declare(name, "func(c *float32, n int, w *float32, ldw int, ends *int32, lists int, rows *int32"+val+")",
		label("%s adds to the 1 ≤ n ≤ %d floats of c, for each i of lists ≥ 1 in turn, the sum of", name, s.sumMost()*s.lanes),
		"the rows of w that rows[ends[i-1]:ends[i]] names, rows[:ends[0]] in the first list.")
	columns(s, s.sumMost(), func(acc []reg.VecVirtual, mask reg.Register) {
		list, next, row := label("list%d", len(acc)), label("next%d", len(acc)), label("row%d", len(acc))
		l := newList(s, "rows", scaled)
		base, ends, lists := load64("w"), load64("ends"), load64("lists")
		i, last, sum := GP64(), GP64(), s.vecs(len(acc))
		XORQ(i, i)
		Label(list)
		MOVLQSX(Mem{Base: ends}, last)
		CMPQ(i, last)
		JGE(LabelRef(next))
		for _, v := range sum {
			s.zero(v)
		}
		Label(row)
		l.add(i, base, sum, mask)
		INCQ(i)
		CMPQ(i, last)
		JL(LabelRef(row))
		for j, v := range acc {
			VADDPS(sum[j], v, v)
		}
		Label(next)
		ADDQ(Imm(4), ends)
		DECQ(lists)
		JNZ(LabelRef(list))
	})
}

func maxRow(s isa) {
	name := "maxRow" + s.name
	declare(name, "func(rows *int32, count int) uint32",
		label("%s is the greatest of count ≥ %d unsigned numbers.", name, s.lanes))
	rows, count := load64("rows"), load64("count")
	last, most := GP64(), s.vec()
	LEAQ(Mem{Base: rows, Index: count, Scale: 4, Disp: -s.size()}, last)
	s.load(Mem{Base: last}, nil, most) // may overlap the one before
	Label("loop")
	CMPQ(rows, last)
	JGE(LabelRef("done"))
	VPMAXUD(Mem{Base: rows}, most, most)
	ADDQ(Imm(uint64(s.size())), rows)
	JMP(LabelRef("loop"))
	Label("done")
	half, x := YMM(), XMM()
	if s.wide() {
		VEXTRACTI64X4(Imm(1), most, half)
		VPMAXUD(most.AsY(), half, half)
	} else {
		VMOVDQU(most, half)
	}
	VEXTRACTI128(Imm(1), half, x)
	VPMAXUD(half.AsX(), x, x)
	for _, order := range []uint64{0x4e, 0xb1} {
		y := XMM()
		VPSHUFD(Imm(order), x, y)
		VPMAXUD(y, x, x)
	}
	r := GP32()
	VMOVD(x, r)
	Store(r, ReturnIndex(0))
	end()
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
