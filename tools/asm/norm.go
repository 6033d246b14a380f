package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// norm writes the loops of batch normalisation: over columns, with rows passing by.
func norm() {
	for _, s := range sets {
		normalize(s)
		normalizeBackward(s)
		moments(s, "valueSums", "sum *float64, x *float32", "adds x to sum.", func(m moment, v reg.VecVirtual) {
			m.add(v)
		})
		moments(s, "squareSums", "sum *float64, x *float32, mean *float64", "adds (x − mean)² to sum.", func(m moment, v reg.VecVirtual) {
			VSUBPD(m.constants[0], v, v)
			VMULPD(v, v, v)
			m.add(v)
		})
		errorSums(s)
	}
}

// eachRow runs body for each of rows rows, with the offset of the row in bytes.
func eachRow(name string, rows, ld, off, r reg.GPVirtual, body func()) {
	XORQ(off, off)
	MOVQ(rows, r)
	Label(name)
	body()
	ADDQ(ld, off)
	DECQ(r)
	JNZ(LabelRef(name))
}

func rowLabel(vecs int, mask reg.Register) string {
	if mask != nil {
		return label("rows%dtail", vecs)
	}
	return label("rows%d", vecs)
}

func (s isa) in(base, off reg.Register, i int) Mem {
	return Mem{Base: base, Index: off, Scale: 1, Disp: i * s.size()}
}

// columns loads a vector of constants for each vector of columns.
func (s isa) columns(base reg.Register, vecs int, mask reg.Register) []reg.VecVirtual {
	v := s.vecs(vecs)
	s.loadAll(base, mask, v)
	return v
}

func normalize(s isa) {
	name := "normalize" + s.name
	declare(name, "func(y, x, mean, slope, shift *float32, n, ld, rows int)",
		name+" is Normalize for n columns of rows ≥ 1 rows, ld floats apart.")
	p, n := pointers("y", "x", "mean", "slope", "shift"), load64("n")
	ld, rows, off, r := stride("ld"), load64("rows"), GP64(), GP64()
	s.stream(n, 2, p, func(vecs int, mask reg.Register) {
		mean, slope, shift := s.columns(p[2], vecs, mask), s.columns(p[3], vecs, mask), s.columns(p[4], vecs, mask)
		v := s.vec()
		eachRow(rowLabel(vecs, mask), rows, ld, off, r, func() {
			for i := range vecs {
				mask := maskOf(mask, i, vecs)
				s.load(s.in(p[1], off, i), mask, v)
				VSUBPS(mean[i], v, v)
				VMULPS(slope[i], v, v)
				VADDPS(v, shift[i], v)
				s.store(v, mask, s.in(p[0], off, i))
			}
		})
	})
}

func normalizeBackward(s isa) {
	name := "normalizeBackward" + s.name
	declare(name, "func(dx, dy, x, mean, slope, byMean, byVariance *float32, n, ld, rows int)",
		name+" is NormalizeBackward for n columns of rows ≥ 1 rows, ld floats apart.")
	p, n := pointers("dx", "dy", "x", "mean", "slope", "byMean", "byVariance"), load64("n")
	ld, rows, off, r := stride("ld"), load64("rows"), GP64(), GP64()
	const most = 2
	s.stream(n, most, p, func(vecs int, mask reg.Register) {
		mean, slope := s.columns(p[3], vecs, mask), s.columns(p[4], vecs, mask)
		byMean, byVariance := s.columns(p[5], vecs, mask), s.columns(p[6], vecs, mask)
		v, g := s.vec(), s.vec()
		eachRow(rowLabel(vecs, mask), rows, ld, off, r, func() {
			for i := range vecs {
				mask := maskOf(mask, i, vecs)
				s.load(s.in(p[2], off, i), mask, v)
				VSUBPS(mean[i], v, v)
				VMULPS(byVariance[i], v, v)
				s.load(s.in(p[1], off, i), mask, g)
				VSUBPS(byMean[i], g, g)
				VSUBPS(v, g, g)
				VMULPS(slope[i], g, g)
				s.store(g, mask, s.in(p[0], off, i))
			}
		})
	})
}

// moment is a vector of columns in float64.
type moment struct {
	sum       reg.VecVirtual
	constants []reg.VecVirtual
}

func (m moment) add(v reg.VecVirtual) { VADDPD(v, m.sum, m.sum) }

// doubles runs body over n ≥ 1 columns in vectors of float64, most at a time, of which n is
// a multiple. The pointers advance, floats by half of what doubles do.
func (s isa) doubles(n reg.GPVirtual, most int, floats, doubles []reg.GPVirtual, body func(vecs int)) {
	lanes := s.lanes / 2
	Label("loop")
	for _, vecs := range []int{most, 1} {
		next := label("below%d", vecs)
		if vecs > 1 {
			CMPQ(n, U32(uint32(vecs*lanes)))
			JL(LabelRef(next))
		}
		body(vecs)
		for _, p := range floats {
			ADDQ(U32(uint32(4*vecs*lanes)), p)
		}
		for _, p := range doubles {
			ADDQ(U32(uint32(8*vecs*lanes)), p)
		}
		SUBQ(U32(uint32(vecs*lanes)), n)
		JNZ(LabelRef("loop"))
		JMP(LabelRef("done"))
		if vecs > 1 {
			Label(next)
		}
	}
	Label("done")
	end()
}

// widened loads vector i of a row as float64.
func (s isa) widened(base, off reg.Register, i int, v reg.VecVirtual) {
	VCVTPS2PD(Mem{Base: base, Index: off, Scale: 1, Disp: i * s.size() / 2}, v)
}

// moments sums something of x over rows, in float64.
func moments(s isa, name, args, doc string, term func(m moment, v reg.VecVirtual)) {
	name += s.name
	declare(name, "func("+args+", n, ld, rows int)", name+" "+doc,
		label("n ≥ 1 is a multiple of %d, of rows ≥ 1 rows, ld floats apart.", s.lanes/2))
	doubles := pointers("sum")
	floats := pointers("x")
	if name == "squareSums"+s.name {
		doubles = append(doubles, load64("mean"))
	}
	n, ld, rows, off, r := load64("n"), stride("ld"), load64("rows"), GP64(), GP64()
	s.doubles(n, 4, floats, doubles, func(vecs int) {
		m := make([]moment, vecs)
		for i := range m {
			m[i].sum = s.vec()
			VMOVUPD(s.at(doubles[0], i), m[i].sum)
			for _, p := range doubles[1:] {
				c := s.vec()
				VMOVUPD(s.at(p, i), c)
				m[i].constants = append(m[i].constants, c)
			}
		}
		v := s.vec()
		eachRow(label("rows%d", vecs), rows, ld, off, r, func() {
			for i := range m {
				s.widened(floats[0], off, i, v)
				term(m[i], v)
			}
		})
		for i := range m {
			VMOVUPD(m[i].sum, s.at(doubles[0], i))
		}
	})
}

func errorSums(s isa) {
	name := "errorSums" + s.name
	declare(name, "func(sum, dot *float64, dy, x *float32, mean, inv *float64, n, ld, rows int)",
		name+" adds dy to sum, and dy·((x − mean)·inv) to dot.",
		label("n ≥ 1 is a multiple of %d, of rows ≥ 1 rows, ld floats apart.", s.lanes/2))
	doubles, floats := pointers("sum", "dot", "mean", "inv"), pointers("dy", "x")
	n, ld, rows, off, r := load64("n"), stride("ld"), load64("rows"), GP64(), GP64()
	s.doubles(n, 2, floats, doubles, func(vecs int) {
		var c [4][]reg.VecVirtual
		for k := range c {
			c[k] = s.vecs(vecs)
			for i := range vecs {
				VMOVUPD(s.at(doubles[k], i), c[k][i])
			}
		}
		g, v := s.vec(), s.vec()
		eachRow(label("rows%d", vecs), rows, ld, off, r, func() {
			for i := range vecs {
				s.widened(floats[0], off, i, g)
				s.widened(floats[1], off, i, v)
				VADDPD(g, c[0][i], c[0][i])
				VSUBPD(c[2][i], v, v)
				VMULPD(c[3][i], v, v)
				VMULPD(v, g, g)
				VADDPD(g, c[1][i], c[1][i])
			}
		})
		for k := range 2 {
			for i := range vecs {
				VMOVUPD(c[k][i], s.at(doubles[k], i))
			}
		}
	})
}
