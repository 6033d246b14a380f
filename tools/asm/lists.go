package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// chains is the rows of a group, whose sums go on side by side: one sum alone waits
// for each of its additions.
const chains = 4

// chainMost is the vectors of a row of a group.
func (s isa) chainMost() int {
	if s.wide() {
		return 4
	}
	return 2
}

// lists writes sums of rows of a matrix, for many lists of them, and what clears
// elements that are in none.
func lists() {
	for _, s := range sets {
		addChains(s)
		keepBits(s)
	}
	addKept(avx512)
}

func keepBits(s isa) {
	declare("keepBits"+s.name, "func(x *float32, words *uint64, count int)", "keepBits"+s.name+" is KeepBits for 64 elements of each of count ≥ 1 words.")
	x, words, count := load64("x"), load64("words"), load64("count")
	t, table := s.bitLanes()
	v := s.vec()
	Label("loop")
	for i := range 64 / s.lanes {
		k := s.spread(Mem{Base: words}, i, t, table)
		if s.wide() {
			s.load(s.at(x, i), k, v)
		} else {
			VANDPS(s.at(x, i), t, v)
		}
		s.store(v, nil, s.at(x, i))
	}
	ADDQ(U32(256), x)
	ADDQ(Imm(8), words)
	DECQ(count)
	JNZ(LabelRef("loop"))
	end()
}

func addChains(s isa) {
	name := "addChains" + s.name
	declare(name, "func(c *float32, ldc, n int, w *float32, ldw int, order *int32, groups int, first, at *int32, val *float32)",
		label("%s adds to the 1 ≤ n ≤ %d floats of row j of c, for each j of %d·groups ≥ %d in order,", name, s.chainMost()*s.lanes, chains, chains),
		"the rows of w that at[first[j]:first[j+1]] names, each times its value. Equal numbers in a",
		"group are not allowed.")
	n := load64("n")
	byVectors(s, n, s.chainMost(), func(vecs int) {
		at := func(what string, k int) string { return label("%s%dof%d", what, k, vecs) }
		mask := s.tail(n, vecs)
		l := newList(s, "at", true)
		base, order, groups, common := load64("w"), load64("order"), load64("groups"), GP64()
		var next [chains]reg.GPVirtual
		var acc [chains][]reg.VecVirtual
		// number and place are of row k of the group, in l.row.
		number := func(k int) { MOVLQSX(Mem{Base: order, Disp: 4 * k}, l.row) }
		place := func(k int) {
			number(k)
			IMULQ(stride("ldc"), l.row)
			ADDQ(load64("c"), l.row)
		}
		Label(at("group", 0))
		for k := range chains {
			next[k], acc[k] = GP64(), s.vecs(vecs)
			number(k)
			first, count := load64("first"), GP64()
			MOVLQSX(Mem{Base: first, Index: l.row, Scale: 4}, next[k])
			MOVLQSX(Mem{Base: first, Index: l.row, Scale: 4, Disp: 4}, count)
			SUBQ(next[k], count)
			if k == 0 {
				MOVQ(count, common)
			} else {
				CMPQ(count, common)
				CMOVQLT(count, common)
			}
			place(k)
			s.loadAll(l.row, mask, acc[k])
		}
		TESTQ(common, common)
		JZ(LabelRef(at("rest", 0)))
		Label(at("common", 0))
		for k := range chains {
			l.add(next[k], base, acc[k], mask)
			INCQ(next[k])
		}
		DECQ(common)
		JNZ(LabelRef(at("common", 0)))
		for k := range chains {
			Label(at("rest", k))
			number(k)
			last := load64("first")
			MOVLQSX(Mem{Base: last, Index: l.row, Scale: 4, Disp: 4}, last)
			CMPQ(next[k], last)
			JGE(LabelRef(at("rest", k+1)))
			Label(at("row", k))
			l.add(next[k], base, acc[k], mask)
			INCQ(next[k])
			CMPQ(next[k], last)
			JL(LabelRef(at("row", k)))
		}
		Label(at("rest", chains))
		for k := range chains {
			place(k)
			s.storeAll(acc[k], mask, l.row)
		}
		ADDQ(Imm(4*chains), order)
		DECQ(groups)
		JNZ(LabelRef(at("group", 0)))
	})
	end()
}

// keptVecs are the vectors of a word of bits.
const keptVecs = 4

func addKept(s isa) {
	name := "addKept" + s.name
	declare(name, "func(c *float32, n int, w *float32, ldw, words int, rest uint64, bits *uint64, pitch int, first, at *int32, val *float32, count int)",
		name+" is AddKept for count ≥ 1 lists: words of 64 floats of each row of c, and those that",
		"bits of rest are set for. Rows of bits are pitch words apart.")
	l := newList(s, "at", true)
	c, bits, first := load64("c"), load64("bits"), load64("first")
	i, last, x, column, word, t := GP64(), GP64(), GP64(), GP64(), GP64(), GP64()
	acc, part := s.vecs(keptVecs), make([]reg.Register, keptVecs)
	Load(Param("rest"), t)
	for v := range part {
		k := K()
		KMOVW(t.As32(), k)
		SHRQ(Imm(16), t)
		part[v] = k
	}
	entries := func(name string, add func()) {
		MOVLQSX(Mem{Base: first}, i)
		Label(name)
		add()
		INCQ(i)
		CMPQ(i, last)
		JL(LabelRef(name))
	}
	store := func(at reg.Register, masks []reg.Register) {
		for v, sum := range acc {
			k := s.spread(Mem{Base: at}, v, nil, nil)
			VMOVAPS_Z(sum, k, sum)
			s.store(sum, masks[v], s.at(x, v))
		}
	}
	Label("row")
	MOVLQSX(Mem{Base: first}, i)
	MOVLQSX(Mem{Base: first, Disp: 4}, last)
	CMPQ(i, last)
	JGE(LabelRef("next"))
	MOVQ(c, x)
	MOVQ(bits, t)
	Load(Param("w"), column)
	Load(Param("words"), word)
	TESTQ(word, word)
	JZ(LabelRef("rest"))
	Label("word")
	for v, sum := range acc {
		s.load(s.at(x, v), nil, sum)
	}
	entries("entry", func() { l.add(i, column, acc, nil) })
	store(t, make([]reg.Register, keptVecs))
	ADDQ(U32(64*4), x)
	ADDQ(U32(64*4), column)
	ADDQ(Imm(8), t)
	DECQ(word)
	JNZ(LabelRef("word"))
	Label("rest")
	Load(Param("rest"), word)
	TESTQ(word, word)
	JZ(LabelRef("next"))
	for v, sum := range acc {
		s.load(s.at(x, v), part[v], sum)
	}
	entries("part", func() {
		MOVLQSX(Mem{Base: l.at, Index: i, Scale: 4}, l.row)
		IMULQ(l.ldw, l.row)
		ADDQ(column, l.row)
		VBROADCASTSS(Mem{Base: l.val, Index: i, Scale: 4}, l.value)
		for v, sum := range acc {
			s.load(s.at(l.row, v), part[v], l.t)
			VFMADD231PS(l.t, l.value, sum)
		}
	})
	store(t, part)
	Label("next")
	Load(Param("pitch"), t)
	LEAQ(Mem{Base: bits, Index: t, Scale: 8}, bits)
	Load(Param("n"), t)
	LEAQ(Mem{Base: c, Index: t, Scale: 4}, c)
	ADDQ(Imm(4), first)
	Load(Param("count"), t)
	DECQ(t)
	Store(t, Param("count"))
	JNZ(LabelRef("row"))
	end()
}
