package kernel

import (
	"math"
	"slices"
	"testing"
)

// The kernels of batch normalisation are their loops, bit for bit on each level.
func TestNorm(t *testing.T) {
	eachLength(t, func(t *testing.T, what string, n int, r source) {
		if n == 0 {
			return
		}
		rows := 1 + n%7
		fill := func(n int) []Float { return r.fill(make([]Float, n)) }
		doubles := func(n int) []float64 {
			v := make([]float64, n)
			for i := range v {
				v[i] = float64(r.value()) / 3
			}
			return v
		}
		x, dy := fill(rows*n), fill(rows*n)
		mean, slope, shift, by := fill(n), fill(n), fill(n), fill(n)
		y, checkY := guarded(rows * n)
		dx, checkX := guarded(rows * n)
		wantY, wantX := make([]Float, rows*n), make([]Float, rows*n)
		m, inv := doubles(n), doubles(n)
		var got [4][]float64
		for k := range got {
			got[k] = append(doubles(n), 7) // a guard
		}
		want := [4][]float64{slices.Clone(got[0]), slices.Clone(got[1]), slices.Clone(got[2]), slices.Clone(got[3])}
		for i := range x {
			j := i % n
			wantY[i] = shift[j] + Float((x[i]-mean[j])*slope[j])
			wantX[i] = Float((dy[i] - shift[j] - Float((x[i]-mean[j])*by[j])) * slope[j])
			want[0][j] += float64(x[i])
			d := float64(x[i]) - m[j]
			want[1][j] += float64(d * d)
			want[2][j] += float64(dy[i])
			want[3][j] += float64(float64(dy[i]) * float64((float64(x[i])-m[j])*inv[j]))
		}
		Normalize(y, x, mean, slope, shift)
		copy(dx, dy)
		NormalizeBackward(dx, dx, x, mean, slope, shift, by)
		ValueSums(got[0][:n], x)
		SquareSums(got[1][:n], x, m)
		ErrorSums(got[2][:n], got[3][:n], dy, x, m, inv)
		compare(t, what+": y", y, wantY)
		compare(t, what+": dx", dx, wantX)
		checkY(t, what+": y")
		checkX(t, what+": dx")
		for k := range got {
			for j := range got[k] {
				a, b := got[k][j], want[k][j]
				if math.Float64bits(a) != math.Float64bits(b) && !(math.IsNaN(a) && math.IsNaN(b)) {
					t.Fatalf("%s: sum %d of column %d is %v, want %v", what, k, j, a, b)
				}
			}
		}
	})
	panics(t, "rows", func() { ValueSums(make([]float64, 2), make([]Float, 3)) })
	panics(t, "columns", func() { Normalize(nil, nil, nil, nil, nil) })
	panics(t, "mean", func() { SquareSums(make([]float64, 2), make([]Float, 4), make([]float64, 1)) })
}
