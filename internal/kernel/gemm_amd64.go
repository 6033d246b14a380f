//go:build !purego && !float64

package kernel

import (
	"sync"

	"synfire/internal/par"
)

// A product is computed in tiles of C. For each tile and each block of kc
// steps of k, the rows of A are copied into panels of mr rows (k outermost, so
// that a step's mr floats are adjacent), small enough for the second-level
// cache; B is already in panels of nr columns, of which kc steps fit the
// first-level cache. A micro-kernel runs one panel of A against one of B, for
// mr×nr elements of C that stay in registers.

// blocking is a level's sizes: mr×nr elements in registers, mc rows of A.
type blocking struct{ mr, nr, mc int }

const (
	maxMC = 144
	kc    = 256
	// serialWork is the products below which waking threads costs more than
	// it saves, serialMoves the elements likewise.
	serialWork  = 1 << 17
	serialMoves = 1 << 15
)

var blockings = [...]blocking{AVX2: {6, 16, 144}, AVX512: {14, 32, 140}}

// kernels are those of a table's level for a tile of width columns.
func (s blocking) kernels(level *[2][]micro, width int) []micro { return level[(2*width-1)/s.nr] }

// scratch is what one goroutine needs while it computes a tile.
type scratch struct {
	a [maxMC*kc + 8]Float // packing writes up to 7 floats beyond its end
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// product is one call of MatMul.
type product struct {
	blocking
	micros     *[2][]micro
	m, n, k    int
	a          []Float
	lda        int
	transA     bool
	b          []Float
	c          []Float
	ldc        int
	rows, cols int // of a tile, multiples of mr and nr
}

func matMulTiles(pool *par.Pool, m int, a []Float, lda int, transA bool, b *Packed, c []Float, ldc int) {
	g := product{blocking: blockings[b.level], micros: &bySteps[b.level], m: m, n: b.N, k: b.K,
		a: a, lda: lda, transA: transA, b: b.data, c: c, ldc: ldc}
	threads := pool.Threads()
	if m*b.N*b.K < serialWork {
		threads = 1
	}
	g.split(threads)
	if threads > 1 {
		g.parallel(pool)
		return
	}
	g.tiles(0, g.count())
}

// parallel has a receiver of its own, for the closure moves it to the heap.
func (g product) parallel(pool *par.Pool) {
	pool.For(g.count(), 1, func(_, lo, hi int) { g.tiles(lo, hi) })
}

// split chooses the size of tiles: as large as the caches allow, then halved
// until there are a few for each thread. A tile packs its rows of A anew, so
// columns are not split below 256 while rows can be.
func (g *product) split(threads int) {
	g.rows = even(g.m, g.mc, g.mr)
	g.cols = even(g.n, g.n, g.nr)
	if threads == 1 {
		return
	}
	for g.count() < 4*threads {
		switch {
		case g.cols >= 512:
			g.cols = even(g.n, g.cols/2, g.nr)
		case g.rows >= 4*g.mr:
			g.rows = even(g.m, g.rows/2, g.mr)
		case g.cols >= 4*g.nr:
			g.cols = even(g.n, g.cols/2, g.nr)
		default:
			return
		}
	}
}

// even is the length of the pieces, multiples of unit, when n is cut into as
// few equal ones as keep them below most.
func even(n, most, unit int) int {
	pieces := (n + most - 1) / most
	return (n + pieces*unit - 1) / (pieces * unit) * unit
}

func (g *product) count() int {
	return ((g.m + g.rows - 1) / g.rows) * ((g.n + g.cols - 1) / g.cols)
}

func (g *product) tiles(lo, hi int) {
	s := scratches.Get().(*scratch)
	across := (g.n + g.cols - 1) / g.cols
	for t := lo; t < hi; t++ {
		i, j := t/across*g.rows, t%across*g.cols
		g.tile(s, i, min(i+g.rows, g.m), j, min(j+g.cols, g.n))
	}
	scratches.Put(s)
}

// tile computes rows [i0, i1) and columns [j0, j1) of C.
func (g *product) tile(s *scratch, i0, i1, j0, j1 int) {
	for k0 := 0; k0 < g.k; k0 += kc {
		steps := min(kc, g.k-k0)
		g.packA(s.a[:], i0, i1, k0, steps)
		for j := j0; j < j1; j += g.nr {
			b, width := &g.b[j*g.k+k0*g.nr], min(g.nr, g.n-j)
			kernels := g.kernels(g.micros, width)
			for i := i0; i < i1; i += g.mr {
				rows, a := min(g.mr, i1-i), &s.a[(i-i0)*steps]
				kernels[rows](steps, a, rows, b, g.nr, &g.c[i*g.ldc+j], g.ldc, width)
			}
		}
	}
}

// packA writes rows [i0, i1) of A and steps of k from k0 in panels.
func (g *product) packA(dst []Float, i0, i1, k0, steps int) {
	for i := i0; i < i1; i += g.mr {
		rows := min(g.mr, i1-i)
		panel := dst[(i-i0)*steps:]
		if g.transA {
			copyColumns(panel, rows, g.a[k0*g.lda+i:], g.lda, rows, steps)
		} else {
			turnRows(panel, rows, g.a[i*g.lda+k0:], g.lda, rows, steps)
		}
	}
}

// packPanels stores B in panels of nr columns, the last one filled up.
func (p *Packed) packPanels(pool *par.Pool, b []Float, ldb int, trans bool) {
	if p.K == 0 || p.N == 0 {
		p.data = p.data[:0]
		return
	}
	nr := blockings[p.level].nr
	panels := (p.N + nr - 1) / nr
	p.data = grow(p.data, panels*nr*p.K)
	if p.N%nr != 0 {
		clear(p.data[(panels-1)*nr*p.K:])
	}
	if pool.Threads() == 1 || p.K*p.N < serialMoves {
		p.packRange(0, panels, nr, b, ldb, trans)
		return
	}
	grain := max(1, panels/(4*pool.Threads()))
	pool.For(panels, grain, func(_, lo, hi int) { p.packRange(lo, hi, nr, b, ldb, trans) })
}

// packRange fills panels [lo, hi). Rows are taken a few at a time across all
// panels, so that b is read along its rows.
func (p *Packed) packRange(lo, hi, nr int, b []Float, ldb int, trans bool) {
	chunk := 16
	if trans {
		chunk = p.K
	}
	for k := 0; k < p.K; k += chunk {
		steps := min(chunk, p.K-k)
		for q := lo; q < hi; q++ {
			dst, width := p.data[(q*p.K+k)*nr:], min(nr, p.N-q*nr)
			if trans {
				turnRows(dst, nr, b[q*nr*ldb:], ldb, width, steps)
			} else {
				copyColumns(dst, nr, b[k*ldb+q*nr:], ldb, width, steps)
			}
		}
	}
}

// copyColumns sets dst[i·ld+j] = src[i·lds+j] for steps of i and width of j.
func copyColumns(dst []Float, ld int, src []Float, lds, width, steps int) {
	for ; width > 16; width -= 16 {
		copy8Pairs(&dst[0], ld, &src[0], lds, 8, steps)
		dst, src = dst[16:], src[16:]
	}
	switch {
	case width >= 8:
		copy8Pairs(&dst[0], ld, &src[0], lds, width-8, steps)
	case width >= 4:
		copy4Pairs(&dst[0], ld, &src[0], lds, width-4, steps)
	default:
		for i := range steps {
			for j := range width {
				dst[i*ld+j] = src[i*lds+j]
			}
		}
	}
}

// turnRows sets dst[i·ld+j] = src[j·lds+i] for steps of i and rows of j. With
// fewer than 8 rows it may write up to 8 floats from dst[i·ld].
func turnRows(dst []Float, ld int, src []Float, lds, rows, steps int) {
	if steps < 8 {
		for i := range steps {
			for j := range rows {
				dst[i*ld+j] = src[j*lds+i]
			}
		}
		return
	}
	whole, last := steps/8, steps-8
	for j := 0; j < rows; j += 8 {
		j := max(0, min(j, rows-8)) // the last eight may overlap the ones before
		transpose8(&dst[j], ld, &src[j*lds], lds, rows-j, whole)
		if last%8 != 0 {
			transpose8(&dst[last*ld+j], ld, &src[j*lds+last], lds, rows-j, 1)
		}
	}
}
