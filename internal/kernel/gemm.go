package kernel

import "synfire/internal/par"

// product is C ← A·B + C for A of m rows and k columns (transA: stored as its
// transpose) and B of k rows and n columns (transB likewise). Elements of B
// are b[i*ldb+j] within a panel of columns, and each panel is panel floats
// behind the one before (the plain Go level has one panel for all).
type product struct {
	m, n, k    int
	a          []Float
	lda        int
	transA     bool
	b          []Float
	ldb, panel int
	transB     bool
	c          []Float
	ldc        int
}

// Gemm computes C ← A·B + C for A of m rows and k columns, B of k rows and n
// columns and C of m rows and n columns, each row-major with lda, ldb and ldc
// elements a row, or with transA and transB stored as transposes. C must not
// overlap A or B. Threads of pool (nil: none, as inside the body of another
// loop) split the tiles of C, never k:
//
//	for i := range m {
//		for j := range n {
//			for l := range k {
//				c[i*ldc+j] = fma(a[i*lda+l], b[l*ldb+j], c[i*ldc+j])   // transA: a[l*lda+i], transB: b[j*ldb+l]
//			}
//		}
//	}
//
// The plain Go level rounds the product before it adds.
func Gemm(pool *par.Pool, m, n, k int, a []Float, lda int, transA bool, b []Float, ldb int, transB bool, c []Float, ldc int) {
	checkOperand("kernel.Gemm: a", a, lda, m, k, transA)
	checkOperand("kernel.Gemm: b", b, ldb, k, n, transB)
	checkMatrix("kernel.Gemm: c", c, ldc, m, n)
	if m > 0 && n > 0 && k > 0 {
		g := product{m: m, n: n, k: k, a: a, lda: lda, transA: transA, b: b, ldb: ldb, panel: Panel(), transB: transB, c: c, ldc: ldc}
		g.run(pool, Current())
	}
}

// MulOuter computes C ← Aᵀ·G + C, the sum of the outer products of rows of A
// and G in ascending order, on the calling goroutine: the gradient of weights
// C (k rows, n columns) from inputs A (rows of k elements, lda apart) and
// errors G (rows of n elements, ldg apart). Rows may overlap, as those of
// MulDirect; C must overlap neither:
//
//	for r := range rows {
//		for i := range k {
//			for j := range n {
//				c[i*ldc+j] = fma(a[r*lda+i], g[r*ldg+j], c[i*ldc+j])
//			}
//		}
//	}
//
// The plain Go level rounds the product before it adds.
func MulOuter(rows, k, n int, a []Float, lda int, g []Float, ldg int, c []Float, ldc int) {
	checkStrided("kernel.MulOuter: a", a, lda, rows, k)
	checkStrided("kernel.MulOuter: g", g, ldg, rows, n)
	checkMatrix("kernel.MulOuter: c", c, ldc, k, n)
	if rows > 0 && k > 0 && n > 0 {
		p := product{m: k, n: n, k: rows, a: a, lda: lda, transA: true, b: g, ldb: ldg, panel: Panel(), c: c, ldc: ldc}
		p.run(nil, Current())
	}
}

// productGo is Packed.product of the plain Go level.
func (p *Packed) productGo(k0, j0 int) product {
	return product{n: p.N - j0, k: p.K - k0, b: p.data[k0*p.N+j0:], ldb: p.N}
}

// runGo is the plain Go level's loop.
func (g *product) runGo(pool *par.Pool) {
	if pool.Threads() == 1 {
		g.rowsGo(0, g.m)
		return
	}
	g.parallelGo(pool)
}

// parallelGo has a receiver of its own, for the closure moves it to the heap.
func (g product) parallelGo(pool *par.Pool) {
	pool.For(g.m, 16, func(_, lo, hi int) { g.rowsGo(lo, hi) })
}

func (g *product) rowsGo(lo, hi int) {
	row, col := g.lda, 1 // from an element of A to the next in its column and row
	if g.transA {
		row, col = 1, g.lda
	}
	for i := lo; i < hi; i++ {
		c := g.c[i*g.ldc:][:g.n]
		for k := range g.k {
			x := g.a[i*row+k*col]
			if g.transB {
				for j := range c {
					c[j] += Float(x * g.b[j*g.ldb+k])
				}
				continue
			}
			for j, w := range g.b[k*g.ldb:][:g.n] {
				c[j] += Float(x * w)
			}
		}
	}
}

// checkOperand is checkMatrix for the transpose where trans is set.
func checkOperand(name string, a []Float, ld, rows, cols int, trans bool) {
	if trans {
		rows, cols = cols, rows
	}
	checkMatrix(name, a, ld, rows, cols)
}
