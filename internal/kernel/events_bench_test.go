package kernel

import (
	"fmt"
	"testing"
)

var densities = []float64{0.01, 0.05, 0.1, 0.25, 0.5}

func benchDensities(b *testing.B, f func(b *testing.B, density float64)) {
	for _, d := range densities {
		b.Run(fmt.Sprintf("%g%%", 100*d), func(b *testing.B) { f(b, d) })
	}
}

// rates reports sums of rows of n floats: vectors of 16 floats, and the dense
// product that they replace.
func rates(b *testing.B, adds, dense, n int) {
	rate(b, float64(adds*((n+15)/16)), "vectors/ns")
	rate(b, 2*float64(dense*n), "dense-GFLOP/s")
}

// BenchmarkPatchesLinear adds each input of a batch to one row of outputs; the
// larger matrices lie in the third-level cache.
func BenchmarkPatchesLinear(b *testing.B) {
	benchLevels(b, func(b *testing.B) {
		for _, s := range []struct{ k, n int }{{800, 10}, {784, 128}, {2312, 800}, {4608, 512}} {
			b.Run(fmt.Sprintf("%dx%d", s.k, s.n), func(b *testing.B) {
				benchDensities(b, func(b *testing.B, density float64) {
					r := newSource(3, false)
					g := Patches{H: 1, W: 1, C: s.k, KH: 1, KW: 1, Stride: 1}
					w, c := r.fill(make([]Float, s.k*s.n)), make([]Float, s.n)
					const samples = 8
					var at [samples][]int32
					var first [samples][]int32
					adds := 0
					for i := range samples {
						at[i] = Indices(nil, r.raster(words(s.k), density), 0, s.k, 0)
						first[i] = []int32{0, int32(len(at[i]))}
						adds += len(at[i])
					}
					for b.Loop() {
						for i := range samples {
							g.AddRow(c, s.n, w, s.n, s.n, 0, 0, 1, at[i], nil, first[i])
						}
					}
					rates(b, adds, samples*s.k, s.n)
				})
			})
		}
	})
}

// BenchmarkPatchesConv is all of one image.
func BenchmarkPatchesConv(b *testing.B) {
	benchLevels(b, func(b *testing.B) {
		for _, s := range []struct{ size, c, k, n int }{{12, 12, 5, 64}, {16, 128, 3, 256}} {
			b.Run(fmt.Sprintf("%dx%dx%d-%dx%d-%d", s.size, s.size, s.c, s.k, s.k, s.n), func(b *testing.B) {
				benchDensities(b, func(b *testing.B, density float64) {
					r := newSource(3, false)
					g := Patches{H: s.size, W: s.size, C: s.c, KH: s.k, KW: s.k, Stride: 1, PadH: s.k / 2, PadW: s.k / 2}
					units := s.size * s.size * s.c
					at := Indices(nil, r.raster(words(units), density), 0, units, 0)
					first := make([]int32, s.size*s.size+1)
					Starts(first, at, s.c)
					w, c := r.fill(make([]Float, s.k*s.k*s.c*s.n)), make([]Float, s.size*s.n)
					adds := 0
					for y := range s.size {
						for x := range s.size {
							for i := max(0, y-s.k/2); i < min(s.size, y+s.k-s.k/2); i++ {
								adds += int(first[i*s.size+min(s.size, x+s.k-s.k/2)] - first[i*s.size+max(0, x-s.k/2)])
							}
						}
					}
					for b.Loop() {
						for y := range s.size {
							g.AddRow(c, s.n, w, s.n, s.n, y, 0, s.size, at, nil, first)
						}
					}
					rates(b, adds, s.size*s.size*s.k*s.k*s.c, s.n)
				})
			})
		}
	})
}

// BenchmarkSumRows adds 60 rows to each of 5 taps in segments of three.
func BenchmarkSumRows(b *testing.B) {
	benchLevels(b, func(b *testing.B) {
		for _, n := range []int{16, 64, 192, 800} {
			b.Run(fmt.Sprint(n), func(b *testing.B) {
				r := newSource(5, false)
				const taps, k = 5, 200
				w, c := r.fill(make([]Float, (k+taps)*n)), make([]Float, taps*n)
				var rows, ends []int32
				for s := range 20 {
					for range 3 {
						rows = append(rows, int32(r.IntN(k)))
					}
					ends = append(ends, int32(3*s+3))
				}
				for b.Loop() {
					SumRows(taps, c, n, w, n, n, n, rows, nil, ends)
				}
				rates(b, taps*len(rows), taps*k, n)
			})
		}
	})
}

// BenchmarkRaster finds the events of a raster of 1,000 rows of 1,024 bits.
func BenchmarkRaster(b *testing.B) {
	const rows, cols = 1000, 1024
	benchLevels(b, func(b *testing.B) {
		benchDensities(b, func(b *testing.B, density float64) {
			raster := newSource(7, false).raster(rows*cols/64, density)
			x, at, val := make([]Float, rows*cols), []int32(nil), []Float(nil)
			Expand(x, raster, 0)
			runBits := func(name string, bits float64, f func()) {
				b.Run(name, func(b *testing.B) {
					for b.Loop() {
						f()
					}
					rate(b, bits, "bits/ns")
				})
			}
			run := func(name string, f func()) { runBits(name, rows*cols, f) }
			run("Indices", func() { at = Indices(at[:0], raster, 0, rows*cols, 0) })
			run("Nonzeros", func() { at, val = Nonzeros(at[:0], val[:0], x, 0) })
			first := make([]int32, rows*cols/16+1)
			run("Starts", func() { Starts(first, at, 16) })
			if density != densities[0] {
				return // the time of the others does not depend on it
			}
			turned := make([]uint64, cols*words(rows))
			run("CountNonzero", func() { CountNonzero(x) })
			run("NonzeroBits", func() { NonzeroBits(raster, x) })
			run("Expand", func() { Expand(x, raster, 0) })
			run("TransposeBits", func() { TransposeBits(turned, words(rows), raster, cols, rows, cols) })
			runBits("TransposeBits/12", rows*12, func() { TransposeBits(turned, words(rows), raster, 12, rows, 12) })
		})
	})
}
