package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// walk writes the sums of products along two walks, whose vectors stay in
// registers.
func walk() {
	for _, s := range sets {
		mulWalks(s)
	}
}

// walkMost is the vectors of a block in mulWalks.
func (s isa) walkMost() int {
	if s.wide() {
		return 8
	}
	return 6
}

func mulWalks(s isa) {
	name := "mulWalks" + s.name
	declare(name, "func(c *float32, n int, a *float32, arow, astep int, b *float32, brow, bstep, rows, steps int)",
		label("%s adds to the 1 ≤ n ≤ %d floats of c, for i of rows ≥ 1 and k of steps ≥ 1, the", name, s.walkMost()*s.lanes),
		"products of the floats at a[i·arow + k·astep] and b[i·brow + k·bstep].")
	columns(s, s.walkMost(), func(acc []reg.VecVirtual, mask reg.Register) {
		row, step := label("row%d", len(acc)), label("step%d", len(acc))
		a, b := load64("a"), load64("b")
		astep, bstep, rows := stride("astep"), stride("bstep"), load64("rows")
		x, y, k, move := GP64(), GP64(), GP64(), GP64()
		Label(row)
		MOVQ(a, x)
		MOVQ(b, y)
		Load(Param("steps"), k)
		Label(step)
		for j, v := range acc {
			mask, t := maskOf(mask, j, len(acc)), s.vec()
			s.load(Mem{Base: x, Disp: j * s.size()}, mask, t)
			m := Mem{Base: y, Disp: j * s.size()}
			switch {
			case mask == nil:
				VFMADD231PS(m, t, v)
			case s.wide():
				VFMADD231PS(m, t, mask, v)
			default:
				u := s.vec()
				s.load(m, mask, u)
				VFMADD231PS(u, t, v)
			}
		}
		ADDQ(astep, x)
		ADDQ(bstep, y)
		DECQ(k)
		JNZ(LabelRef(step))
		Load(Param("arow"), move)
		LEAQ(Mem{Base: a, Index: move, Scale: 4}, a)
		Load(Param("brow"), move)
		LEAQ(Mem{Base: b, Index: move, Scale: 4}, b)
		DECQ(rows)
		JNZ(LabelRef(row))
	})
}
