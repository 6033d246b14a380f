package kernel

import (
	"fmt"
	"slices"
	"testing"
)

// sum is a problem of AddRowsMulti or, with ends, of SumRows.
type sum struct {
	count, cstep, wstep, ldw, n int
	rows, ends                  []int32
	val                         []Float
	c, w                        []Float
}

// newSum draws a problem with n floats a row, rows of odd lengths apart or
// overlapping, and all of that tightly enclosed.
func newSum(r source, n, most int) sum {
	const k = 20
	s := sum{count: 1 + r.IntN(4), n: n, ldw: []int{n, n + 3, (n + 1) / 2}[r.IntN(3)]}
	s.cstep, s.wstep = n+r.IntN(3), r.IntN(3*n+1)
	s.rows = make([]int32, r.IntN(most+1))
	for i := range s.rows {
		s.rows[i] = int32(r.IntN(k))
	}
	for end := r.IntN(5); end <= len(s.rows); end += r.IntN(5) {
		s.ends = append(s.ends, int32(end))
	}
	if r.IntN(2) == 0 {
		s.val = r.fill(make([]Float, len(s.rows)))
	}
	last := 0
	for _, row := range s.rows {
		last = max(last, int(row))
	}
	s.w = r.fill(make([]Float, (s.count-1)*s.wstep+last*s.ldw+n))
	s.c = r.fill(make([]Float, (s.count-1)*s.cstep+n))
	return s
}

func (s sum) String() string {
	return fmt.Sprintf("%d×%d cstep=%d wstep=%d ldw=%d values=%v rows=%v ends=%v",
		s.count, s.n, s.cstep, s.wstep, s.ldw, s.val != nil, s.rows, s.ends)
}

func (s sum) value(e int) Float {
	if s.val == nil {
		return 1
	}
	return s.val[e]
}

func (s sum) addRowsMulti(f func(a, b, c Float) Float) []Float {
	c := slices.Clone(s.c)
	for i := range s.count {
		for e, r := range s.rows {
			for j := range s.n {
				c[i*s.cstep+j] = f(s.value(e), s.w[i*s.wstep+int(r)*s.ldw+j], c[i*s.cstep+j])
			}
		}
	}
	return c
}

func (s sum) sumRows(f func(a, b, c Float) Float) []Float {
	c := slices.Clone(s.c)
	for i := range s.count {
		start := 0
		for _, end := range s.ends {
			for j := 0; j < s.n && start < int(end); j++ {
				var sum Float
				for e := start; e < int(end); e++ {
					sum = f(s.value(e), s.w[i*s.wstep+int(s.rows[e])*s.ldw+j], sum)
				}
				c[i*s.cstep+j] += sum
			}
			start = int(end)
		}
	}
	return c
}

func TestAddRowsMultiAndSumRows(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		for trial := range 2400 {
			r := newSource(uint64(trial), trial%2 == 1)
			s := newSum(r, 1+trial%600, 40)
			got, check := guarded(len(s.c))
			copy(got, s.c)
			what := fmt.Sprintf("%v AddRowsMulti %v", l, s)
			AddRowsMulti(s.count, got, s.cstep, s.w, s.wstep, s.ldw, s.n, s.rows, s.val)
			compare(t, what, got, s.addRowsMulti(mulAdd(l)))
			check(t, what)
			copy(got, s.c)
			what = fmt.Sprintf("%v SumRows %v", l, s)
			SumRows(s.count, got, s.cstep, s.w, s.wstep, s.ldw, s.n, s.rows, s.val, s.ends)
			compare(t, what, got, s.sumRows(mulAdd(l)))
			check(t, what)
		}
	})
}

func TestSumsCheckLengths(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		w, c, ones := make([]Float, 40), make([]Float, 20), make([]Float, 2)
		rows := []int32{2, 0}
		AddRowsMulti(2, c, 10, w, 10, 10, 10, rows, ones)
		SumRows(2, c, 10, w, 10, 10, 10, rows, ones, []int32{1, 1, 2})
		AddRowsMulti(0, nil, 0, nil, 0, 0, 10, rows, nil)
		SumRows(2, nil, 0, nil, 0, 0, 10, rows, nil, []int32{0, 0})
		for _, b := range []struct {
			what                     string
			count, cstep, wstep, ldw int
			c, w                     []Float
			rows                     []int32
			val                      []Float
			ends                     []int32
		}{
			{"short c", 2, 10, 10, 10, c[:19], w, rows, nil, []int32{2}},
			{"short w", 2, 10, 10, 10, c, w[:39], rows, nil, []int32{2}},
			{"row beyond", 2, 10, 10, 10, c, w, []int32{3, 0}, nil, []int32{2}},
			{"negative row", 2, 10, 10, 10, c, w, []int32{1, -1}, nil, []int32{2}},
			{"negative step", 2, 10, -1, 10, c, w, rows, nil, []int32{2}},
			{"short values", 2, 10, 10, 10, c, w, rows, ones[:1], []int32{2}},
			{"descending ends", 2, 10, 10, 10, c, w, rows, nil, []int32{2, 1}},
			{"end beyond", 2, 10, 10, 10, c, w, rows, nil, []int32{3}},
		} {
			panics(t, "SumRows: "+b.what, func() { SumRows(b.count, b.c, b.cstep, b.w, b.wstep, b.ldw, 10, b.rows, b.val, b.ends) })
			if b.ends[0] == 2 && len(b.ends) == 1 {
				panics(t, "AddRowsMulti: "+b.what, func() { AddRowsMulti(b.count, b.c, b.cstep, b.w, b.wstep, b.ldw, 10, b.rows, b.val) })
			}
		}
	})
}

// patchRow is one call of Patches.AddRow and what the doc comment says of it.
type patchRow struct {
	Patches
	ldc, ldw, n, y, x0, x1 int
	c, w, image            []Float
	at, first              []int32
	val                    []Float
}

func newPatchRow(r source, n int, p Patches) patchRow {
	s := patchRow{Patches: p, n: n, ldc: n + r.IntN(3), ldw: n + r.IntN(3)}
	out := func(size, kernel, pad int) int { return (size+2*pad-kernel)/p.Stride + 1 }
	width := out(p.W, p.KW, p.PadW)
	s.y, s.x0 = r.IntN(out(p.H, p.KH, p.PadH)), r.IntN(width)
	s.x1 = s.x0 + r.IntN(width-s.x0+1)
	s.w = r.fill(make([]Float, (p.KH*p.KW*p.C-1)*s.ldw+n))
	s.c = r.fill(make([]Float, max(0, s.x1-s.x0-1)*s.ldc+n))
	s.image = newSource(r.Uint64(), false).sparse(p.H*p.W*p.C, rasterRates[r.IntN(len(rasterRates))])
	s.at, s.val = Nonzeros(nil, nil, s.image, 0)
	if r.IntN(2) == 0 {
		for i := range s.val {
			s.val[i], s.image[s.at[i]] = 1, 1
		}
		s.val = nil
	}
	s.first = make([]int32, p.H*p.W+1)
	Starts(s.first, s.at, p.C)
	return s
}

// dense is the convolution of the image, leaving out its zeros.
func (s patchRow) dense(f func(a, b, c Float) Float) []Float {
	c := slices.Clone(s.c)
	for x := s.x0; x < s.x1; x++ {
		for k := range s.KH * s.KW * s.C {
			sy := s.y*s.Stride - s.PadH + k/s.C/s.KW
			sx := x*s.Stride - s.PadW + k/s.C%s.KW
			if sy < 0 || sy >= s.H || sx < 0 || sx >= s.W {
				continue
			}
			v := s.image[(sy*s.W+sx)*s.C+k%s.C]
			for j := 0; j < s.n && v != 0; j++ {
				c[(x-s.x0)*s.ldc+j] = f(v, s.w[k*s.ldw+j], c[(x-s.x0)*s.ldc+j])
			}
		}
	}
	return c
}

func TestPatches(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		for trial := range 1500 {
			r := newSource(uint64(trial), trial%2 == 1)
			p := Patches{H: 1 + r.IntN(7), W: 1 + r.IntN(9), C: 1 + r.IntN(8), KH: 1 + r.IntN(4), KW: 1 + r.IntN(4), Stride: 1 + r.IntN(3)}
			p.PadH, p.PadW = max(r.IntN(p.KH+2), (p.KH-p.H+1)/2), max(r.IntN(p.KW+2), (p.KW-p.W+1)/2)
			if trial%5 == 0 {
				p = Patches{H: 1, W: 1, C: 1 + r.IntN(90), KH: 1, KW: 1, Stride: 1}
			}
			s := newPatchRow(r, 1+(trial*7)%300, p)
			got, check := guarded(len(s.c))
			copy(got, s.c)
			s.AddRow(got, s.ldc, s.w, s.ldw, s.n, s.y, s.x0, s.x1, s.at, s.val, s.first)
			what := fmt.Sprintf("%v %+v n=%d ldw=%d y=%d x=[%d, %d) %d events values=%v", l, p, s.n, s.ldw, s.y, s.x0, s.x1, len(s.at), s.val != nil)
			compare(t, what, got, s.dense(mulAdd(l)))
			check(t, what)
		}
	})
}

func TestPatchesCheckLengths(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		p := Patches{H: 2, W: 2, C: 3, KH: 2, KW: 2, Stride: 1}
		at := []int32{0, 4, 11}
		first := make([]int32, 5)
		Starts(first, at, p.C)
		c, w, ones := make([]Float, 10), make([]Float, 120), make([]Float, 3)
		p.AddRow(c, 10, w, 10, 10, 0, 0, 1, at, ones, first)
		panics(t, "short c", func() { p.AddRow(c, 10, w, 10, 10, 0, 0, 2, at, nil, first) })
		panics(t, "short w", func() { p.AddRow(c, 10, w[:119], 10, 10, 0, 0, 1, at, nil, first) })
		panics(t, "short first", func() { p.AddRow(c, 10, w, 10, 10, 0, 0, 1, at, nil, first[:4]) })
		panics(t, "short at", func() { p.AddRow(c, 10, w, 10, 10, 0, 0, 1, at[:2], nil, first) })
		panics(t, "short values", func() { p.AddRow(c, 10, w, 10, 10, 0, 0, 1, at, ones[:2], first) })
	})
}

func TestEventsDoNotAllocate(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		r := newSource(1, false)
		s := newPatchRow(r, 50, Patches{H: 6, W: 6, C: 12, KH: 3, KW: 3, Stride: 1, PadH: 1, PadW: 1})
		raster, turned := make([]uint64, words(len(s.image))), make([]uint64, s.C)
		at, val := Nonzeros(nil, nil, s.image, 0)
		at = Indices(at[:0], r.raster(len(raster), 1), 0, len(s.image), 0)
		rows, ends, c := []int32{1, 0, 2}, []int32{1, 3}, make([]Float, 6*s.ldc)
		allocs := testing.AllocsPerRun(10, func() {
			at, val = Nonzeros(at[:0], val[:0], s.image, 0)
			NonzeroBits(raster, s.image)
			at = Indices(at[:0], raster, 0, len(s.image), 0)
			TransposeBits(turned, 1, raster, s.C, s.H*s.W, s.C)
			Starts(s.first, at, s.C)
			s.AddRow(c, s.ldc, s.w, s.ldw, s.n, 2, 0, 6, at, val, s.first)
			AddRowsMulti(2, c, s.ldc, s.w, s.ldw, s.ldw, s.n, rows, nil)
			SumRows(2, c, s.ldc, s.w, s.ldw, s.ldw, s.n, rows, nil, ends)
			Expand(s.image, raster, 0)
		})
		if allocs != 0 {
			t.Errorf("%v: %g allocations", l, allocs)
		}
	})
}
