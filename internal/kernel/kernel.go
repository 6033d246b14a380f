// Package kernel holds the engine's inner loops, and is the only place with
// assembly.
//
// Every loop exists as a plain Go reference, which is its definition and
// stands in its doc comment, and for amd64 as AVX2 and AVX-512 assembly
// generated from tools/asm (dropped by the build tags purego and float64).
// The best level that the processor supports is chosen at start;
// SYNFIRE_KERNEL=go|avx2|avx512 forces one.
//
// One order of summation holds for all levels: an element of a product is one
// chain of multiply-adds in ascending k that starts from the stored C,
//
//	c ← C[i,j];  for k ascending:  c ← a[i,k]·b[k,j] + c,
//
// where the assembly levels round once (fused) and the plain Go level twice.
// Hence adding the row of a spike is the same as multiplying by one, leaving
// a row out is the same as multiplying by zero (for finite rows, and unless c
// is −0, which the product turns into +0), and dense and event-driven paths,
// tile sizes, thread counts and both assembly levels agree bit for bit. The
// plain Go level may differ from them in the last bit. All this is said of
// numbers: which of its many bit patterns a NaN has is left open.
//
// Functions here check lengths and panic on a caller's mistake: shapes are
// validated where networks are built.
package kernel

import (
	"fmt"

	"synfire/internal/huge"
	"synfire/internal/par"
)

// Packed is a matrix B of K rows and N columns, rearranged for MatMul by the
// kernel level that was current when it was packed. The zero value is empty;
// packing again reuses its memory. Many MatMul may read it at once.
type Packed struct {
	K, N  int
	level Level
	data  []Float
}

// Pack stores b, row-major with ldb elements a row: K×N, or with trans its
// transpose N×K. Threads of pool (nil: none) split the columns:
//
//	for i := range k {
//		for j := range n {
//			B[i,j] = b[i*ldb+j]   // trans: b[j*ldb+i]
//		}
//	}
func (p *Packed) Pack(pool *par.Pool, b []Float, ldb, k, n int, trans bool) {
	checkOperand("kernel.Pack: b", b, ldb, k, n, trans)
	p.K, p.N, p.level = k, n, Current()
	p.pack(pool, b, ldb, trans)
}

// MatMul computes C ← A·B + C for A of m rows and b.K columns (row-major, lda
// elements a row; with transA stored as its transpose, b.K rows of m) and C of
// m rows and b.N columns. C must not overlap A. Threads of pool (nil: none, as
// inside the body of another loop) split the tiles of C, never k:
//
//	for i := range m {
//		for j := range b.N {
//			for k := range b.K {
//				c[i*ldc+j] = fma(a[i*lda+k], B[k,j], c[i*ldc+j])   // transA: a[k*lda+i]
//			}
//		}
//	}
//
// The plain Go level rounds the product before it adds.
func MatMul(pool *par.Pool, m int, a []Float, lda int, transA bool, b *Packed, c []Float, ldc int) {
	checkOperand("kernel.MatMul: a", a, lda, m, b.K, transA)
	checkMatrix("kernel.MatMul: c", c, ldc, m, b.N)
	if m > 0 && b.K > 0 && b.N > 0 {
		g := b.product(0, 0)
		g.m, g.a, g.lda, g.transA, g.c, g.ldc = m, a, lda, transA, c, ldc
		g.run(pool, b.level)
	}
}

// AddRows adds rows of w (row-major, ldw elements a row) to c, whose length is
// the row's. With the indices of the spikes of one vector it is that vector's
// product with w:
//
//	for _, r := range rows {
//		for j := range c {
//			c[j] += w[int(r)*ldw+j]
//		}
//	}
func AddRows(c, w []Float, ldw int, rows []int32) {
	if len(rows) == 0 || len(c) == 0 {
		return
	}
	last := maxRow(rows)
	if ldw < 0 || int(last)*ldw+len(c) > len(w) || int32(last) < 0 {
		panic(fmt.Sprintf("kernel.AddRows: w: %d elements, %d a row, hold no row %d of %d", len(w), ldw, int32(last), len(c)))
	}
	addRows(c, w, ldw, rows)
}

func checkMatrix(name string, a []Float, ld, rows, cols int) {
	if rows < 0 || cols < 0 || ld < cols || rows > 0 && len(a) < (rows-1)*ld+cols {
		panic(fmt.Sprintf("%s: %d elements, %d a row, hold no %d×%d matrix", name, len(a), ld, rows, cols))
	}
}

func grow(s []Float, n int) []Float {
	if cap(s) < n {
		return huge.Make[Float](n)
	}
	return s[:n]
}
