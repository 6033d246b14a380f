package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// eachLength runs f under each level for lengths around those of vectors and
// blocks, with ordinary and with odd values.
func eachLength(t *testing.T, f func(t *testing.T, what string, n int, r source)) {
	forLevels(t, func(t *testing.T, l Level) {
		for n := range 300 {
			f(t, fmt.Sprintf("%v n=%d", l, n), n, newSource(uint64(n), n%2 == 1))
		}
	})
}

func TestElementwise(t *testing.T) {
	eachLength(t, func(t *testing.T, what string, n int, r source) {
		src, other, factor := r.fill(make([]Float, n)), r.fill(make([]Float, n)), r.value()
		for name, op := range map[string]struct {
			run  func(dst []Float)
			want func(d, x, y Float) Float
		}{
			"add":               {func(dst []Float) { Add(dst, src) }, func(d, x, _ Float) Float { return d + x }},
			"add scaled":        {func(dst []Float) { AddScaled(dst, src, factor) }, func(d, x, _ Float) Float { return d + Float(factor*x) }},
			"subtract products": {func(dst []Float) { SubProducts(dst, dst, src, other) }, func(d, x, y Float) Float { return d - Float(x*y) }},
			"subtract scaled":   {func(dst []Float) { SubScaled(dst, src, dst, factor) }, func(d, x, _ Float) Float { return x - Float(factor*d) }},
			"scale":             {func(dst []Float) { Scale(dst, factor) }, func(d, _, _ Float) Float { return d * factor }},
			"rectify":           {func(dst []Float) { Rectify(dst, src) }, func(_, x, _ Float) Float { return max(0, x) }},
			"rectify backward": {func(dst []Float) { RectifyBackward(dst, dst, src) }, func(d, x, _ Float) Float {
				if x > 0 {
					return d
				}
				return 0
			}},
		} {
			dst, check := guarded(n)
			want := slices.Clone(r.fill(dst))
			for i, x := range src {
				want[i] = op.want(want[i], x, other[i])
			}
			op.run(dst)
			compare(t, what+": "+name, dst, want)
			check(t, what+": "+name)
		}
	})
}

func TestFillRows(t *testing.T) {
	for _, n := range []int{1, 3, 10, 12, 64, 1000, 5000} {
		for _, rows := range []int{0, 1, 2, 7, 500} {
			row := newSource(1, false).fill(make([]Float, n))
			dst, check := guarded(rows * n)
			FillRows(dst, row)
			compare(t, fmt.Sprintf("%d rows of %d", rows, n), dst, slices.Repeat(row, rows))
			check(t, "rows")
		}
	}
	dst := []Float{1, 2}
	FillRows(dst, nil)
	compare(t, "no row", dst, make([]Float, 2))
	panics(t, "part of a row", func() { FillRows(make([]Float, 5), make([]Float, 2)) })
}

func TestColumnSums(t *testing.T) {
	eachLength(t, func(t *testing.T, what string, n int, r source) {
		rows, ld := n%9, n+n%4
		x := r.fill(make([]Float, max(0, rows-1)*ld+n))
		dst, check := guarded(n)
		want := slices.Clone(r.fill(dst))
		for j := range want {
			var sum Float
			for i := range rows {
				sum += x[i*ld+j]
			}
			if rows > 0 {
				want[j] += sum
			}
		}
		ColumnSums(dst, x, ld, rows)
		compare(t, what, dst, want)
		check(t, what)
	})
}

func TestSumSteps(t *testing.T) {
	eachLength(t, func(t *testing.T, what string, n int, r source) {
		steps, stride := n%6, n+n%4
		x := r.fill(make([]Float, max(0, steps-1)*stride+n))
		dst, check := guarded(n)
		want := slices.Clone(r.fill(dst))
		for s := steps - 1; s >= 0; s-- {
			for i := range want {
				want[i] += x[s*stride+i]
			}
		}
		SumSteps(dst, x, stride, steps)
		compare(t, what, dst, want)
		check(t, what)
	})
}

func TestFinite(t *testing.T) {
	eachLength(t, func(t *testing.T, what string, n int, r source) {
		x := newSource(uint64(n), false).fill(make([]Float, n+1))[1:]
		for i := range x {
			if i%5 == 0 { // as finite as any
				x[i] = []Float{0, 3e38, -3e38, 1e-45}[i/5%4]
			}
		}
		if got := Finite(x); got != -1 {
			t.Fatalf("%s: element %d of finite ones", what, got)
		}
		if n == 0 {
			return
		}
		for range 5 {
			i, j := r.IntN(n), r.IntN(n)
			y := slices.Clone(x)
			y[i], y[j] = special[r.IntN(3)], special[r.IntN(3)] // NaN, Inf, −Inf
			if got := Finite(y); got != min(i, j) {
				t.Fatalf("%s: element %d, want %d", what, got, min(i, j))
			}
		}
	})
}

// The order of summation is the documented one at every level.
func TestSumSquares(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		for _, n := range []int{0, 1, 31, 32, 33, 100, 4095, 4096, 4097, 10000} {
			x := newSource(uint64(n), false).fill(make([]Float, n+1))[1:]
			var want float64
			for lo := 0; lo < n; lo += 4096 {
				var s [32]float64
				for i, v := range x[lo:min(lo+4096, n)] {
					s[i%32] += float64(float64(v) * float64(v))
				}
				for half := 16; half > 0; half /= 2 {
					for j := range half {
						s[j] += s[j+half]
					}
				}
				want += s[0]
			}
			if got := SumSquares(x); got != want {
				t.Errorf("%v n=%d: %v, want %v", l, n, got, want)
			}
		}
		if got := SumSquares(slices.Repeat([]Float{3e38}, 100)); math.Abs(got/9e78-1) > 1e-6 {
			t.Errorf("%v: squares beyond float32 sum to %v", l, got)
		}
		for _, v := range special[:3] {
			x := make([]Float, 70)
			x[40] = v
			if got := SumSquares(x); got-got == 0 {
				t.Errorf("%v: sum with %v is %v", l, v, got)
			}
		}
	})
}

func TestSGD(t *testing.T) {
	eachLength(t, func(t *testing.T, what string, n int, r source) {
		p := SGD{Rate: 0.1, Momentum: 0.9, Decay: Float(n%3) * 0.01}
		g := r.fill(make([]Float, n))
		w, checkW := guarded(n)
		m, checkM := guarded(n)
		wantW, wantM := slices.Clone(r.fill(w)), slices.Clone(r.fill(m))
		momentum := n%4 < 2
		for i, d := range g {
			d += Float(p.Decay * wantW[i])
			if momentum {
				d = Float(p.Momentum*wantM[i]) + d
				wantM[i] = d
			}
			wantW[i] -= Float(p.Rate * d)
		}
		if momentum {
			p.Update(w, g, m)
		} else {
			p.Update(w, g, nil)
		}
		compare(t, what+": w", w, wantW)
		compare(t, what+": m", m, wantM)
		checkW(t, what+": w")
		checkM(t, what+": m")
	})
}

func TestAdam(t *testing.T) {
	eachLength(t, func(t *testing.T, what string, n int, r source) {
		p := Adam{Beta1: 0.9, Gain1: 0.1, Beta2: 0.999, Gain2: 0.001, Rate: 0.01, Epsilon: 1e-8, Keep: 1 - Float(n%2)/64}
		g := r.fill(make([]Float, n))
		w, checkW := guarded(n)
		m, checkM := guarded(n)
		v, checkV := guarded(n)
		r.fill(v)
		for i, x := range v {
			v[i] = x * x
		}
		wantW, wantM, wantV := slices.Clone(r.fill(w)), slices.Clone(r.fill(m)), slices.Clone(v)
		for i, d := range g {
			wantM[i] = Float(p.Beta1*wantM[i]) + Float(p.Gain1*d)
			wantV[i] = Float(p.Beta2*wantV[i]) + Float(p.Gain2*Float(d*d))
			root := Float(math.Sqrt(float64(wantV[i])))
			wantW[i] = Float(p.Keep*wantW[i]) - Float(p.Rate*wantM[i])/(root+p.Epsilon)
		}
		p.Update(w, g, m, v)
		compare(t, what+": w", w, wantW)
		compare(t, what+": m", m, wantM)
		compare(t, what+": v", v, wantV)
		checkW(t, what+": w")
		checkM(t, what+": m")
		checkV(t, what+": v")
	})
}

func TestElementwiseChecksLengths(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		f := func(n int) []Float { return make([]Float, n) }
		Add(nil, nil)
		Scale(nil, 2)
		ColumnSums(f(3), nil, 3, 0)
		SumSteps(f(3), nil, 3, 0)
		panics(t, "Add", func() { Add(f(3), f(4)) })
		panics(t, "AddScaled", func() { AddScaled(f(4), f(3), 1) })
		panics(t, "SubProducts: c", func() { SubProducts(f(4), f(4), f(4), f(3)) })
		panics(t, "SubScaled: dst", func() { SubScaled(f(3), f(4), f(4), 1) })
		panics(t, "Rectify", func() { Rectify(f(4), f(3)) })
		panics(t, "RectifyBackward", func() { RectifyBackward(f(3), f(3), f(2)) })
		panics(t, "ColumnSums", func() { ColumnSums(f(3), f(8), 3, 3) })
		panics(t, "SumSteps", func() { SumSteps(f(3), f(8), 3, 3) })
		panics(t, "SGD: g", func() { SGD{}.Update(f(3), f(2), nil) })
		panics(t, "SGD: m", func() { SGD{}.Update(f(3), f(3), f(4)) })
		panics(t, "Adam: v", func() { Adam{}.Update(f(3), f(3), f(3), f(2)) })
	})
}

// benchElementwise runs f over floats that fit the first-level cache and that
// fit none, and reports the bytes that it touches.
func benchElementwise(b *testing.B, bytes float64, f func(n int) func()) {
	benchLevels(b, func(b *testing.B) {
		for _, n := range []int{2000, 2_000_000} {
			b.Run(fmt.Sprint(n), func(b *testing.B) {
				run := f(n)
				for b.Loop() {
					run()
				}
				rate(b, bytes*float64(n), "GB/s")
			})
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	benchElementwise(b, 12, func(n int) func() {
		dst, src := make([]Float, n), make([]Float, n)
		return func() { Add(dst, src) }
	})
}

func BenchmarkRectifyBackward(b *testing.B) {
	benchElementwise(b, 12, func(n int) func() {
		x := newSource(1, false).fill(make([]Float, n))
		dst, dy := make([]Float, n), make([]Float, n)
		return func() { RectifyBackward(dst, dy, x) }
	})
}

func BenchmarkFinite(b *testing.B) {
	benchElementwise(b, 4, func(n int) func() {
		x := make([]Float, n)
		return func() {
			if Finite(x) >= 0 {
				b.Fatal("zeros are finite")
			}
		}
	})
}

func BenchmarkSumSquares(b *testing.B) {
	benchElementwise(b, 4, func(n int) func() {
		x := make([]Float, n)
		return func() {
			if SumSquares(x) != 0 {
				b.Fatal("zeros add up to zero")
			}
		}
	})
}

func BenchmarkSGD(b *testing.B) {
	benchElementwise(b, 20, func(n int) func() {
		w, g, m := make([]Float, n), make([]Float, n), make([]Float, n)
		return func() { SGD{Rate: 0.1, Momentum: 0.9}.Update(w, g, m) }
	})
}

func BenchmarkAdam(b *testing.B) {
	benchElementwise(b, 28, func(n int) func() {
		g := newSource(1, false).fill(make([]Float, n))
		w, m, v := make([]Float, n), make([]Float, n), make([]Float, n)
		p := Adam{Beta1: 0.9, Gain1: 0.1, Beta2: 0.999, Gain2: 0.001, Rate: 0.01, Epsilon: 1e-8, Keep: 1}
		return func() { p.Update(w, g, m, v) }
	})
}

func BenchmarkFillRows(b *testing.B) {
	for _, n := range []int{10, 32, 256} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dst, row := make([]Float, 64000/n*n), make([]Float, n)
			for b.Loop() {
				FillRows(dst, row)
			}
			rate(b, 4*float64(len(dst)), "GB/s")
		})
	}
}

func BenchmarkColumnSums(b *testing.B) {
	benchLevels(b, func(b *testing.B) {
		for _, n := range []int{10, 32, 256} {
			b.Run(fmt.Sprintf("4096x%d", n), func(b *testing.B) {
				dst, x := make([]Float, n), make([]Float, 4096*n)
				for b.Loop() {
					ColumnSums(dst, x, n, 4096)
				}
				rate(b, 4*4096*float64(n), "GB/s")
			})
		}
	})
}
