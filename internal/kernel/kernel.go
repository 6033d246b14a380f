// Package kernel holds the engine's inner loops, and is the only place with
// assembly.
//
// Every loop exists as a plain Go reference, which is its definition, and for
// some processors as assembly generated from tools/asm. One order of
// summation holds for all of them: an element of a product is one chain of
// multiply-adds in ascending k that starts from the stored C,
//
//	c ← C[i,j];  for k ascending:  c ← a[i,k]·b[k,j] + c,
//
// where the assembly levels round once (fused) and the plain Go level twice.
// Hence adding the row of a spike is the same as multiplying by one, leaving
// a row out is the same as multiplying by zero, and dense and event-driven
// paths, tile sizes, thread counts and both assembly levels agree bit for bit.
// The plain Go level may differ from them in the last bit.
//
// Functions here check lengths and panic on a caller's mistake: shapes are
// validated where networks are built.
package kernel

import (
	"fmt"
	"math/bits"

	"synfire/internal/par"
)

// Packed is a matrix B of K rows and N columns, rearranged for MatMul by the
// kernel level that was current when it was packed. The zero value is empty;
// packing again reuses its memory.
type Packed struct {
	K, N  int
	level Level
	data  []Float
}

// Pack stores b, row-major with ldb elements a row: K×N, or with trans its
// transpose N×K.
func (p *Packed) Pack(pool *par.Pool, b []Float, ldb, k, n int, trans bool) {
	if trans {
		checkMatrix("kernel.Pack: b", b, ldb, n, k)
	} else {
		checkMatrix("kernel.Pack: b", b, ldb, k, n)
	}
	p.K, p.N, p.level = k, n, current
	p.data = grow(p.data, k*n)
	for i := range k {
		for j := range n {
			if trans {
				p.data[i*n+j] = b[j*ldb+i]
			} else {
				p.data[i*n+j] = b[i*ldb+j]
			}
		}
	}
}

// MatMul computes C ← A·B + C for A of m rows and b.K columns (row-major, lda
// elements a row; with transA stored as its transpose, b.K rows of m) and C of
// m rows and b.N columns. Threads split the tiles of C.
func MatMul(pool *par.Pool, m int, a []Float, lda int, transA bool, b *Packed, c []Float, ldc int) {
	if transA {
		checkMatrix("kernel.MatMul: a", a, lda, b.K, m)
	} else {
		checkMatrix("kernel.MatMul: a", a, lda, m, b.K)
	}
	checkMatrix("kernel.MatMul: c", c, ldc, m, b.N)
	pool.For(m, 16, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			ci := c[i*ldc:][:b.N]
			for k := range b.K {
				x := a[i*lda+k*1]
				if transA {
					x = a[k*lda+i]
				}
				for j, w := range b.data[k*b.N:][:b.N] {
					ci[j] += Float(x * w)
				}
			}
		}
	})
}

// AddRows adds rows of w (row-major, ldw elements a row) to c, whose length is
// the row's: c[j] ← c[j] + w[r,j] for each r of rows in order. With the
// indices of the spikes of one vector it is that vector's product with w.
func AddRows(c, w []Float, ldw int, rows []int32) {
	for _, r := range rows {
		for j, x := range w[int(r)*ldw:][:len(c)] {
			c[j] += x
		}
	}
}

// Indices appends to dst the positions of the bits set in words among bits
// [lo, hi), ascending, each less lo and plus base.
func Indices(dst []int32, words []uint64, lo, hi int, base int32) []int32 {
	for w := lo >> 6; w<<6 < hi; w++ {
		x := words[w]
		if d := lo - w<<6; d > 0 {
			x &= ^uint64(0) << d
		}
		if d := hi - w<<6; d < 64 {
			x &= 1<<d - 1
		}
		for ; x != 0; x &= x - 1 {
			dst = append(dst, int32(w<<6+bits.TrailingZeros64(x)-lo)+base)
		}
	}
	return dst
}

// Reset says what a spike does to the membrane.
type Reset uint8

const (
	ResetSubtract Reset = iota // v = u − Amount
	ResetZero                  // v = 0
	ResetNone                  // v = u
)

// LIF is one step of the leaky integrate-and-fire family, with u the membrane
// before and v after the reset:
//
//	u[t] = Beta·v[t−1] + Gain·x[t]
//	s[t] = 1 if u[t] ≥ Fire, else 0
//	v[t] = u[t] − Amount·s[t]  |  u[t]·(1 − s[t])  |  u[t]
//
// Gain·x is rounded, Beta·v is fused with the addition (but for plain Go).
type LIF struct {
	Beta, Gain   Float
	Fire, Amount Float
	Reset        Reset
}

// Forward advances len(v) units over steps of time. x[t·xs+i] is the input
// (xs = 0: the same at each step), v the membrane, carried in and out. Where
// u is not nil the membranes before reset are written to u[t·us+i]; spikes are
// the bits of spikes[t·ss:], whose unused bits are cleared.
func (p LIF) Forward(steps int, x []Float, xs int, v, u []Float, us int, spikes []uint64, ss int) {
	n := len(v)
	for t := range steps {
		row := spikes[t*ss:][:(n+63)/64]
		clear(row)
		for i, xi := range x[t*xs:][:n] {
			m := Float(p.Beta*v[i]) + Float(p.Gain*xi)
			if u != nil {
				u[t*us+i] = m
			}
			if m >= p.Fire {
				row[i>>6] |= 1 << (i & 63)
				switch p.Reset {
				case ResetSubtract:
					m -= p.Amount
				case ResetZero:
					m = 0
				}
			}
			v[i] = m
		}
	}
}

// Shape is the form of a surrogate derivative, a function of z = u − Theta.
type Shape uint8

const (
	FastSigmoid Shape = iota // 1 / (A·|z| + 1)²
	ArcTan                   // B / ((A·z)² + 1)
	Triangle                 // B · max(0, 1 − A·|z|)
)

// Surrogate is the derivative that stands in for the step's.
type Surrogate struct {
	Shape Shape
	A, B  Float
	Theta Float
}

// Backward runs from the last step to the first. gs[t·gss+i] is the error at
// the spike (gss = 0: the same at each step), gv the error at the membrane
// after reset, carried in and out, and u what Forward wrote:
//
//	gu[t] = gs[t]·σ'(u[t] − Theta) + gv[t]·k[t],   k = 0 where a reset to zero fell, else 1
//	gx[t] = Gain·gu[t],   gv[t−1] = Beta·gu[t]
//
// The reset is detached. gx[t] goes to gx[t·gxs+i]; with gxs = 0 it is added
// to gx[i] instead, so the sum over time runs from the last step to the first.
func (p LIF) Backward(steps int, s Surrogate, u []Float, us int, gs []Float, gss int, gv, gx []Float, gxs int) {
	for t := steps - 1; t >= 0; t-- {
		for i := range gv {
			m := u[t*us+i]
			k := gv[i]
			if p.Reset == ResetZero && m >= p.Fire {
				k = 0
			}
			g := s.error(m, gs[t*gss+i]) + k
			gv[i] = p.Beta * g
			if gxs == 0 {
				gx[i] += Float(p.Gain * g)
			} else {
				gx[t*gxs+i] = p.Gain * g
			}
		}
	}
}

// error is g·σ'(u − Theta), in the order of operations that all levels share.
func (s Surrogate) error(u, g Float) Float {
	z := u - s.Theta
	if z < 0 {
		z = -z
	}
	switch s.Shape {
	case FastSigmoid:
		d := Float(s.A*z) + 1
		return g / Float(d*d)
	case ArcTan:
		y := s.A * z
		return Float(g*s.B) / (Float(y*y) + 1)
	default:
		return g * Float(s.B*max(0, 1-Float(s.A*z)))
	}
}

func checkMatrix(name string, a []Float, ld, rows, cols int) {
	if ld < cols || rows > 0 && len(a) < (rows-1)*ld+cols {
		panic(fmt.Sprintf("%s: %d elements, %d a row, hold no %d×%d matrix", name, len(a), ld, rows, cols))
	}
}

func grow(s []Float, n int) []Float {
	if cap(s) < n {
		return make([]Float, n)
	}
	return s[:n]
}
