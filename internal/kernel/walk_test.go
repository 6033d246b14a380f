package kernel

import (
	"fmt"
	"testing"
)

func TestMulWalks(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		fma := mulAdd(l)
		for n := range 300 {
			r := newSource(uint64(n), n%2 == 1)
			rows, steps := r.IntN(4), r.IntN(4)
			walk := func() (w Walk, size int) {
				w.Row, w.Step = r.IntN(2*n+3)-n, r.IntN(2*n+3)-n
				down, right := max(rows-1, 0)*w.Row, max(steps-1, 0)*w.Step
				w.At = -min(down, 0) - min(right, 0)
				return w, w.At + max(down, 0) + max(right, 0) + n
			}
			p, sizeA := walk()
			q, sizeB := walk()
			a, b := r.fill(make([]Float, sizeA)), r.fill(make([]Float, sizeB))
			got, check := guarded(n)
			r.fill(got)
			want := append([]Float(nil), got...)
			for i := range rows {
				for k := range steps {
					for j := range want {
						want[j] = fma(a[p.At+i*p.Row+k*p.Step+j], b[q.At+i*q.Row+k*q.Step+j], want[j])
					}
				}
			}
			MulWalks(got, a, p, b, q, rows, steps)
			what := fmt.Sprintf("%v n=%d %d×%d a=%v b=%v", l, n, rows, steps, p, q)
			compare(t, what, got, want)
			check(t, what)
		}
	})
}

func TestMulWalksChecksLengths(t *testing.T) {
	c, x, good := make([]Float, 4), make([]Float, 20), Walk{At: 16, Row: -8, Step: -4}
	MulWalks(c, x, good, x, good, 2, 2)
	MulWalks(c, nil, Walk{}, nil, Walk{}, 0, 2)
	MulWalks(c[:0], nil, Walk{}, nil, Walk{}, 1, 2)
	for name, bad := range map[string]Walk{
		"before the start": {At: 7, Row: -8}, "beyond the end": {At: 9, Row: 8}, "step beyond": {At: 13, Step: 4}, "begins outside": {At: -1, Row: 8},
	} {
		panics(t, name, func() { MulWalks(c, x, bad, x, good, 2, 2) })
		panics(t, name, func() { MulWalks(c, x, good, x, bad, 2, 2) })
	}
}

// A pixel of a depthwise convolution, 3×3 over 64 channels.
func BenchmarkMulWalks(b *testing.B) {
	const n = 64
	c, x, w := make([]Float, n), make([]Float, 3*32*n), make([]Float, 9*n)
	for b.Loop() {
		MulWalks(c, x, Walk{Row: 32 * n, Step: n}, w, Walk{Row: 3 * n, Step: n}, 3, 3)
	}
	b.ReportMetric(2*9*n*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
}
