package kernel

import (
	"fmt"
	"testing"

	"synfire/internal/par"
)

func benchLevels(b *testing.B, f func(b *testing.B)) {
	for _, l := range Levels() {
		b.Run(l.String(), func(b *testing.B) {
			restore, err := SetLevel(l)
			if err != nil {
				b.Fatal(err)
			}
			defer restore()
			f(b)
		})
	}
}

// rate reports a number of events of one turn per nanosecond.
func rate(b *testing.B, events float64, unit string) {
	b.ReportMetric(events*float64(b.N)/float64(b.Elapsed().Nanoseconds()), unit)
}

// BenchmarkMatMul is of operands as a caller has them, without packed weights.
func BenchmarkMatMul(b *testing.B) {
	benchLevels(b, func(b *testing.B) {
		for _, s := range []struct{ m, n, k int }{{128, 1000, 784}, {1024, 1024, 1024}, {64, 8192, 576}} {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%dx%dx%d/threads=%d", s.m, s.n, s.k, threads), func(b *testing.B) {
					pool := par.New(threads)
					defer pool.Close()
					r := newSource(1, false)
					x, w, c := r.fill(make([]Float, s.m*s.k)), r.fill(make([]Float, s.k*s.n)), make([]Float, s.m*s.n)
					for b.Loop() {
						Gemm(pool, s.m, s.n, s.k, x, s.k, false, w, s.n, false, c, s.n)
					}
					rate(b, 2*float64(s.m)*float64(s.n)*float64(s.k), "GFLOP/s")
				})
			}
		}
	})
}

func BenchmarkPack(b *testing.B) {
	benchLevels(b, func(b *testing.B) {
		for _, trans := range []bool{false, true} {
			b.Run(fmt.Sprintf("1024x1024/trans=%v", trans), func(b *testing.B) {
				w := make([]Float, 1024*1024)
				var p Packed
				for b.Loop() {
					p.Pack(nil, w, 1024, 1024, 1024, trans)
				}
				rate(b, 1024*1024*4, "GB/s")
			})
		}
	})
}

// BenchmarkAddRows takes 5 % of the rows of a matrix whose block of columns
// fits the second-level cache. The rate is that of the dense product which it
// replaces.
func BenchmarkAddRows(b *testing.B) {
	benchLevels(b, func(b *testing.B) {
		for _, n := range []int{10, 64, 128, 1000} {
			b.Run(fmt.Sprintf("1000x%d", n), func(b *testing.B) {
				const k = 1000
				r := newSource(2, false)
				w, c := r.fill(make([]Float, k*n)), make([]Float, n)
				var rows []int32
				for i := range k {
					if r.IntN(20) == 0 {
						rows = append(rows, int32(i))
					}
				}
				for b.Loop() {
					AddRows(c, w, n, rows)
				}
				rate(b, 2*k*float64(n), "dense-GFLOP/s")
			})
		}
	})
}

// benchScans runs f over units and steps that fit the caches and that do not.
func benchScans(b *testing.B, f func(b *testing.B, n, steps int)) {
	benchLevels(b, func(b *testing.B) {
		for _, s := range []struct{ n, steps int }{{10, 25}, {1000, 25}, {1 << 18, 16}} {
			b.Run(fmt.Sprintf("%dx%d", s.n, s.steps), func(b *testing.B) {
				f(b, s.n, s.steps)
				rate(b, float64(s.n*s.steps), "updates/ns")
			})
		}
	})
}

func BenchmarkForward(b *testing.B) {
	benchScans(b, func(b *testing.B, n, steps int) {
		x := newSource(3, false).fill(make([]Float, n*steps))
		v, u, words := make([]Float, n), make([]Float, n*steps), (n+63)/64
		spikes := make([]uint64, words*steps)
		p := LIF{Beta: 0.95, Gain: 1, Fire: 1, Amount: 1}
		for b.Loop() {
			p.Forward(steps, x, n, v, u, n, spikes, words)
		}
	})
}

// BenchmarkForwardConstant is the first layer under direct encoding: one input
// for all steps, and only spikes come out.
func BenchmarkForwardConstant(b *testing.B) {
	benchScans(b, func(b *testing.B, n, steps int) {
		x := newSource(3, false).fill(make([]Float, n))
		v, words := make([]Float, n), (n+63)/64
		spikes := make([]uint64, words*steps)
		p := LIF{Beta: 0.95, Gain: 1, Fire: 1, Amount: 1}
		for b.Loop() {
			p.Forward(steps, x, 0, v, nil, 0, spikes, words)
		}
	})
}

func BenchmarkBackward(b *testing.B) {
	benchScans(b, func(b *testing.B, n, steps int) {
		r := newSource(4, false)
		u, gs := r.fill(make([]Float, n*steps)), r.fill(make([]Float, n*steps))
		gv, gx := make([]Float, n), make([]Float, n*steps)
		p := LIF{Beta: 0.95, Gain: 1, Fire: 1, Amount: 1}
		s := Surrogate{Shape: FastSigmoid, A: 25, Theta: 1}
		for b.Loop() {
			p.Backward(steps, s, u, n, gs, n, gv, gx, n)
		}
	})
}

// BenchmarkMulDirect has one call's share of a convolution, layers of a dense
// network, and single rows.
func BenchmarkMulDirect(b *testing.B) {
	benchLevels(b, func(b *testing.B) {
		for _, s := range []struct{ m, lda, kn, n int }{
			{32, 64, 192, 64}, {32, 16, 48, 16}, {16, 128, 384, 128}, {8, 512, 1536, 512},
			{64, 784, 784, 128}, {64, 128, 128, 10}, {1, 784, 784, 1000}, {1, 512, 512, 64}, {1, 1000, 1000, 10}, {4, 784, 784, 512},
		} {
			b.Run(fmt.Sprintf("%dx%dx%d/lda=%d", s.m, s.n, s.kn, s.lda), func(b *testing.B) {
				r := newSource(6, false)
				x, w, c := r.fill(make([]Float, (s.m-1)*s.lda+s.kn)), r.fill(make([]Float, s.kn*s.n)), make([]Float, s.m*s.n)
				var p Packed
				p.Pack(nil, w, s.n, s.kn, s.n, false)
				for b.Loop() {
					p.MulDirect(s.m, x, s.lda, 0, s.kn, 0, s.n, c, s.n)
				}
				rate(b, 2*float64(s.m)*float64(s.n)*float64(s.kn), "GFLOP/s")
			})
		}
	})
}

// BenchmarkMulOuter has the gradients of the layers of BenchmarkMulDirect: of
// a row of pixels, and of a whole batch.
func BenchmarkMulOuter(b *testing.B) {
	benchLevels(b, func(b *testing.B) {
		for _, s := range []struct{ rows, k, n, lda int }{
			{64, 192, 64, 64}, {4096, 27, 32, 27}, {512, 784, 128, 784}, {1024, 1600, 512, 1600}, {512, 1024, 10, 1024},
		} {
			b.Run(fmt.Sprintf("%dx%dx%d/lda=%d", s.k, s.n, s.rows, s.lda), func(b *testing.B) {
				r := newSource(7, false)
				x, g, c := r.fill(make([]Float, (s.rows-1)*s.lda+s.k)), r.fill(make([]Float, s.rows*s.n)), make([]Float, s.k*s.n)
				for b.Loop() {
					MulOuter(s.rows, s.k, s.n, x, s.lda, g, s.n, c, s.n)
				}
				rate(b, 2*float64(s.rows)*float64(s.n)*float64(s.k), "GFLOP/s")
			})
		}
	})
}
