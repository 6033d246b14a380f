package kernel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// directSize is a MulDirect of rows [k0, k0+kn) and of columns from panel
// first on, as many panels as given (0: up to N) of a k×n matrix.
type directSize struct {
	m, lda, k, k0, kn int
	n, first, panels  int
	gap               int
	odd               bool
}

func (d directSize) check(t *testing.T, l Level) {
	r := newSource(uint64(d.m*1000003+d.n*1009+d.kn), d.odd)
	a, w := r.fill(make([]Float, max(0, d.m-1)*d.lda+d.kn)), r.fill(make([]Float, d.k*d.n))
	j0, j1 := d.first*Panel(), d.n
	if d.panels > 0 {
		j1 = min(d.n, j0+d.panels*Panel())
	}
	ldc := j1 - j0 + d.gap
	got, check := guarded(max(0, d.m-1)*ldc + j1 - j0)
	r.fill(got)
	want := slices.Clone(got)
	f := mulAdd(l)
	for i := range d.m {
		for j := j0; j < j1; j++ {
			x := &want[i*ldc+j-j0]
			for k := range d.kn {
				*x = f(a[i*d.lda+k], w[(d.k0+k)*d.n+j], *x)
			}
		}
	}
	var b Packed
	b.Pack(nil, w, d.n, d.k, d.n, false)
	b.MulDirect(d.m, a, d.lda, d.k0, d.kn, j0, j1, got, ldc)
	what := fmt.Sprintf("%v %+v", l, d)
	compare(t, what, got, want)
	check(t, what)
}

func TestMulDirect(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		sizes := []directSize{
			{m: 0, k: 3, kn: 3, n: 5}, {m: 3, k: 3, kn: 0, n: 5}, {m: 3, k: 3, kn: 3, n: 0},
			{m: 32, lda: 8, k: 72, k0: 24, kn: 24, n: 64},              // patches of pixels with 8 channels
			{m: 5, lda: 0, k: 9, kn: 9, n: 10},                         // one row for all
			{m: 40, lda: 20, k: 600, k0: 1, kn: 590, n: 33, odd: true}, // more than one block of k
			{m: 7, lda: 33, k: 30, kn: 30, n: 200, first: 1, panels: 2},
			{m: 2, lda: 33, k: 30, kn: 30, n: 300, first: 2, panels: 3},
		}
		for m := 1; m <= 30; m++ { // each tile, at each width of a panel
			for n := 1; n <= 34; n++ {
				sizes = append(sizes, directSize{m: m, lda: 3, k: 9, k0: n % 3, kn: 1 + (m+n)%7, n: n, gap: n % 3, odd: n%2 == 0})
			}
		}
		for m := 1; m <= 4; m++ { // few rows, across panels
			for n := 20; n <= 330; n += 31 {
				sizes = append(sizes, directSize{m: m, lda: 21, k: 21, k0: 1, kn: 20, n: n, gap: n % 4, odd: n%3 == 0})
			}
		}
		r := rand.New(rand.NewPCG(3, 5))
		for range 60 {
			k := 1 + r.IntN(60)
			kn := 1 + r.IntN(k)
			sizes = append(sizes, directSize{m: 1 + r.IntN(70), lda: r.IntN(80), k: k, k0: r.IntN(k - kn + 1), kn: kn,
				n: 1 + r.IntN(140), gap: r.IntN(3), odd: r.IntN(2) == 0})
		}
		for _, d := range sizes {
			d.check(t, l)
		}
	})
}

// A convolution along a padded image with channels last, by one MulDirect for
// each row of the kernel, is the product with its patches.
func TestMulDirectOfPatches(t *testing.T) {
	const h, w, ch, kh, kw, n = 5, 17, 3, 3, 3, 21
	forLevels(t, func(t *testing.T, l Level) {
		r := newSource(8, false)
		image := r.fill(make([]Float, (h+kh-1)*(w+kw-1)*ch))
		weights := r.fill(make([]Float, kh*kw*ch*n))
		var b Packed
		b.Pack(nil, weights, n, kh*kw*ch, n, false)
		row, patch := (w+kw-1)*ch, kw*ch
		patches := make([]Float, 0, h*w*kh*patch)
		got := make([]Float, h*w*n)
		for y := range h {
			for x := range w {
				for dy := range kh {
					patches = append(patches, image[(y+dy)*row+x*ch:][:patch]...)
				}
			}
			for dy := range kh {
				b.MulDirect(w, image[(y+dy)*row:], ch, dy*patch, patch, 0, n, got[y*w*n:], n)
			}
		}
		want := make([]Float, h*w*n)
		MatMul(nil, h*w, patches, kh*patch, false, &b, want, n)
		compare(t, l.String(), got, want)
	})
}

func TestMulDirectAllocatesNothing(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		a, c := make([]Float, 20*30), make([]Float, 20*50)
		var b Packed
		b.Pack(nil, make([]Float, 30*50), 50, 30, 50, false)
		if n := testing.AllocsPerRun(50, func() { b.MulDirect(20, a, 30, 0, 30, 0, 50, c, 50) }); n > 0 {
			t.Errorf("%v allocations a call", n)
		}
	})
}

func TestMulDirectChecksLengths(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		n := 2*Panel() + 1
		a, c := make([]Float, 5), make([]Float, 3*n)
		var b Packed
		b.Pack(nil, make([]Float, 4*n), n, 4, n, false)
		b.MulDirect(2, a, 1, 0, 4, 0, n, c, n)
		panics(t, "short a", func() { b.MulDirect(3, a, 1, 0, 4, 0, n, c, n) })
		panics(t, "negative lda", func() { b.MulDirect(2, a, -1, 0, 4, 0, n, c, n) })
		panics(t, "short c", func() { b.MulDirect(2, a, 1, 0, 4, 0, n, c[:2*n-1], n) })
		panics(t, "narrow c", func() { b.MulDirect(2, a, 1, 0, 4, 0, n, c, n-1) })
		panics(t, "rows beyond", func() { b.MulDirect(2, a, 1, 1, 4, 0, n, c, n) })
		panics(t, "columns beyond", func() { b.MulDirect(1, a, 1, 0, 4, 0, n+1, c, n+1) })
		panics(t, "columns within a panel", func() { b.MulDirect(1, a, 1, 0, 4, 1, n, c, n) })
		panics(t, "columns up to within a panel", func() { b.MulDirect(1, a, 1, 0, 4, 0, n-2, c, n) })
	})
}
