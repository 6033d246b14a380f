package kernel

import "fmt"

// goPanel stands in for the width of panels where the plain Go level has none.
const goPanel = 16

// Panel is the number of columns that a matrix packed at the current level is
// cut by: MulDirect starts at a multiple of it.
func Panel() int { return panel(Current()) }

// MulDirect computes C ← A·B + C for kn rows of B from row k0 on and its
// columns [j0, j1), on the calling goroutine. A has m rows of kn elements, lda
// apart; rows may overlap. In a padded image with channels last they are the
// patches of adjacent pixels (lda the channels, kn those of a row of the
// kernel), which need not be copied out. C has m rows of j1−j0 elements and
// must not overlap A. j0 is a multiple of Panel at the level of packing, j1
// too or N:
//
//	for i := range m {
//		for j := range j1 - j0 {
//			for k := range kn {
//				c[i*ldc+j] = fma(a[i*lda+k], B[k0+k,j0+j], c[i*ldc+j])
//			}
//		}
//	}
//
// The plain Go level rounds the product before it adds.
func (p *Packed) MulDirect(m int, a []Float, lda, k0, kn, j0, j1 int, c []Float, ldc int) {
	checkStrided("kernel.MulDirect: a", a, lda, m, kn)
	checkMatrix("kernel.MulDirect: c", c, ldc, m, j1-j0)
	if w := panel(p.level); k0 < 0 || k0+kn > p.K || j0 < 0 || j1 > p.N || j0%w != 0 || j1%w != 0 && j1 != p.N {
		panic(fmt.Sprintf("kernel.MulDirect: rows [%d, %d), columns [%d, %d) of a packed %d×%d matrix: want them inside, and columns cut at multiples of %d",
			k0, k0+kn, j0, j1, p.K, p.N, w))
	}
	if m > 0 && kn > 0 && j1 > j0 {
		g := p.product(k0, j0)
		g.m, g.n, g.k, g.a, g.lda, g.c, g.ldc = m, j1-j0, kn, a, lda, c, ldc
		g.run(nil, p.level)
	}
}

// checkStrided is checkMatrix for a matrix that is only read, whose rows may
// overlap.
func checkStrided(name string, a []Float, ld, rows, cols int) {
	if rows < 0 || cols < 0 || ld < 0 || rows > 0 && len(a) < (rows-1)*ld+cols {
		panic(fmt.Sprintf("%s: %d elements, rows %d apart, hold no %d rows of %d", name, len(a), ld, rows, cols))
	}
}
