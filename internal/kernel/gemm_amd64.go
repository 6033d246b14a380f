//go:build !purego && !float64

package kernel

import (
	"sync"

	"synfire/internal/par"
)

// A product is computed in tiles of C. In each, a block of up to kc steps of k
// at a time, panels of nr columns of B pass by the rows of A: a micro-kernel
// runs mr rows against a panel, for mr×nr elements of C that stay in
// registers. A panel's block suits the first-level cache, and that of A the
// second. Both are read where they stand: their floats are loaded by vectors
// of B and one by one of A, at any distance. Only where that fails, as B is
// transposed or because caches would not hold it (see conflict), is a block of
// a panel copied just before it is used.

// blocking is a level's sizes: mr×nr elements in registers.
type blocking struct{ mr, nr int }

const (
	maxNR = 32
	mc    = 264 // rows of A in a block
	kc    = 352
	// serialWork is the products below which waking threads costs more than
	// it saves, serialMoves the elements likewise.
	serialWork  = 1 << 17
	serialMoves = 1 << 15
	// conflictRows is the rows of A, all in one set of the first-level cache,
	// that leave room in it for B and C.
	conflictRows = 10
	// minReuse is the micro-kernels that must read a copy for it to pay.
	minReuse = 8
)

var blockings = [...]blocking{AVX2: {6, 16}, AVX512: {12, 32}}

// conflict tells that rows ld floats apart fall into the same few sets of a
// cache: the distance is a multiple of 4 KiB.
func conflict(ld int) bool { return ld%1024 == 0 }

func panel(l Level) int {
	if l == Go {
		return goPanel
	}
	return blockings[l].nr
}

// product has the packed matrix from row k0 and column j0 on, a multiple of
// the panel, as its B, and no other operand yet.
func (p *Packed) product(k0, j0 int) product {
	if p.level == Go {
		return p.productGo(k0, j0)
	}
	nr := blockings[p.level].nr
	return product{n: p.N - j0, k: p.K - k0, b: p.data[j0*p.K+k0*nr:], ldb: nr, panel: p.K * nr}
}

// job is a product cut into tiles of C.
type job struct {
	*product
	blocking
	level      Level
	rows, cols int // of a tile; several across are multiples of nr
	copyB      bool

	own  product                  // what product points at in a job that threads share
	body func(worker, lo, hi int) // runs tiles [lo, hi)
}

// jobs keeps jobs with their body, which would be an allocation for each.
var jobs = sync.Pool{New: func() any {
	j := new(job)
	j.product = &j.own
	j.body = func(_, lo, hi int) { j.tiles(lo, hi) }
	return j
}}

// copies are blocks of a panel of B, one for each goroutine that needs one.
var copies = sync.Pool{New: func() any { return new([maxNR * kc]Float) }}

func (g *product) run(pool *par.Pool, l Level) {
	if l == Go {
		g.runGo(pool)
		return
	}
	threads := pool.Threads()
	if threads == 1 || g.m*g.n*g.k < serialWork {
		j := job{product: g, blocking: blockings[l], level: l}
		j.split(1)
		j.tiles(0, j.count())
		return
	}
	j := jobs.Get().(*job)
	j.own, j.blocking, j.level = *g, blockings[l], l
	j.split(threads)
	pool.For(j.count(), 1, j.body)
	j.own = product{} // keeps no operand alive
	jobs.Put(j)
}

// split chooses the size of tiles: as large as the caches allow, then halved
// until there are a few for each thread.
func (j *job) split(threads int) {
	if conflict(j.lda) && !j.transA {
		j.mr = min(j.mr, conflictRows)
	}
	j.rows, j.cols = even(j.m, mc, j.mr), even(j.n, j.n, j.nr)
	for threads > 1 && j.count() < 4*threads {
		switch {
		case j.cols >= 512:
			j.cols = even(j.n, j.cols/2, j.nr)
		case j.rows >= 4*j.mr:
			j.rows = even(j.m, j.rows/2, j.mr)
		case j.cols >= 4*j.nr:
			j.cols = even(j.n, j.cols/2, j.nr)
		default:
			threads = 1
		}
	}
	j.copyB = j.transB || conflict(j.ldb) && j.rows >= minReuse*j.mr
}

// even is the length of the pieces when n is cut into as few equal ones as
// keep them below most: multiples of unit, but that a single one is n.
func even(n, most, unit int) int {
	if n <= most {
		return n // small products notice divisions
	}
	pieces := (n + most - 1) / most
	return (n + pieces*unit - 1) / (pieces * unit) * unit
}

func (j *job) count() int { return pieces(j.m, j.rows) * pieces(j.n, j.cols) }

// pieces is how many of the given length make up n.
func pieces(n, length int) int {
	if n <= length {
		return 1
	}
	return (n + length - 1) / length
}

func (j *job) tiles(lo, hi int) {
	var panel *[maxNR * kc]Float
	if j.copyB {
		panel = copies.Get().(*[maxNR * kc]Float)
		defer copies.Put(panel)
	}
	steps := j.k
	if j.rows > j.mr || j.copyB {
		steps = even(j.k, kc, 1)
	}
	across := pieces(j.n, j.cols)
	for t := lo; t < hi; t++ {
		i0, j0 := t/across*j.rows, t%across*j.cols
		i1, j1 := min(i0+j.rows, j.m), min(j0+j.cols, j.n)
		for k := 0; k < j.k; k += steps {
			j.block(panel, i0, i1, j0, j1, k, min(steps, j.k-k))
		}
	}
}

// block adds n steps from k on to rows [i0, i1) and columns [j0, j1) of C.
func (j *job) block(panel *[maxNR * kc]Float, i0, i1, j0, j1, k, n int) {
	table, row, col := &byRows[j.level], j.lda, 1 // of A: from an element to the next below, and behind
	if j.transA {
		table, row, col = &bySteps[j.level], 1, j.lda
	} else if i1-i0 < len(wides[j.level]) && !j.copyB {
		j0 = j.wide(i0, i1, j0, j1, k, n)
	}
	rows := even(i1-i0, j.mr, 1)
	for ; j0 < j1; j0 += j.nr {
		width, vecs := min(j.nr, j1-j0), 1
		if 2*width <= j.nr {
			vecs = 0
		}
		b, ldb := j.right(panel, j0, width, k, n)
		for i := i0; i < i1; i += rows {
			table[vecs][min(rows, i1-i)](n, &j.a[i*row+k*col], j.lda, b, ldb, &j.c[i*j.ldc+j0], j.ldc, width)
		}
	}
}

// wide does as many whole panels as the kernels for few rows take, and returns
// the column where it stopped.
func (j *job) wide(i0, i1, j0, j1, k, n int) int {
	for _, w := range wides[j.level][i1-i0] {
		for ; j1-j0 >= w.panels*j.nr; j0 += w.panels * j.nr {
			w.run(n, &j.a[i0*j.lda+k], j.lda, &j.b[j0/j.nr*j.panel+k*j.ldb], j.ldb, j.panel, &j.c[i0*j.ldc+j0], j.ldc)
		}
	}
	return j0
}

// right is n steps from k on of the panel of B at column j0, and the distance
// of its rows.
func (j *job) right(panel *[maxNR * kc]Float, j0, width, k, n int) (*Float, int) {
	switch {
	case j.transB:
		turnRows(panel[:], j.nr, j.b[j0*j.ldb+k:], j.ldb, width, n)
	case j.copyB:
		copyColumns(panel[:], j.nr, j.b[k*j.ldb+j0:], j.ldb, width, n)
	default:
		return &j.b[j0/j.nr*j.panel+k*j.ldb], j.ldb
	}
	return &panel[0], j.nr
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

func transpose(dst []Float, ld int, src []Float, lds, rows, cols int) {
	if Current() == Go {
		transposeGo(dst, ld, src, lds, rows, cols)
		return
	}
	turnRows(dst, ld, src, lds, rows, cols)
}
