package kernel

import "fmt"

// Loops of batch normalisation over rows of channels. All levels give the same bits: each
// channel's sum is one chain over ascending rows in float64, each operation rounded.

// ValueSums adds the rows of x to sum, in float64:
//
//	for i, v := range x {
//		sum[i%n] += float64(v)
//	}
func ValueSums(sum []float64, x []Float) {
	checkRows("kernel.ValueSums: x", len(x), len(sum))
	done := 0
	if len(x) > 0 {
		done = valueSums(sum, x)
	}
	valueSumsGo(sum, x, done)
}

// SquareSums adds the squares of what rows of x are off from mean, in float64:
//
//	for i, v := range x {
//		d := float64(v) - mean[i%n]
//		sum[i%n] += float64(d * d)
//	}
func SquareSums(sum []float64, x []Float, mean []float64) {
	checkRows("kernel.SquareSums: x", len(x), len(sum))
	checkEqual("kernel.SquareSums: mean", len(mean), len(sum))
	done := 0
	if len(x) > 0 {
		done = squareSums(sum, x, mean)
	}
	squareSumsGo(sum, x, mean, done)
}

// ErrorSums adds the rows of dy to sum, and their products with the normalised x to dot, in
// float64:
//
//	for i, g := range dy {
//		j := i % n
//		sum[j] += float64(g)
//		dot[j] += float64(g) * ((float64(x[i]) - mean[j]) * inv[j])
//	}
func ErrorSums(sum, dot []float64, dy, x []Float, mean, inv []float64) {
	checkRows("kernel.ErrorSums: dy", len(dy), len(sum))
	checkEqual("kernel.ErrorSums: x", len(x), len(dy))
	for _, v := range [][]float64{dot, mean, inv} {
		checkEqual("kernel.ErrorSums: dot, mean, inv", len(v), len(sum))
	}
	done := 0
	if len(dy) > 0 {
		done = errorSums(sum, dot, dy, x, mean, inv)
	}
	errorSumsGo(sum, dot, dy, x, mean, inv, done)
}

// Normalize writes the rows of x, scaled and shifted, to y:
//
//	for i, v := range x {
//		j := i % n
//		y[i] = shift[j] + Float((v-mean[j])*slope[j])
//	}
func Normalize(y, x, mean, slope, shift []Float) {
	checkRows("kernel.Normalize: x", len(x), len(mean))
	checkEqual("kernel.Normalize: y", len(y), len(x))
	for _, v := range [][]Float{slope, shift} {
		checkEqual("kernel.Normalize: slope, shift", len(v), len(mean))
	}
	if len(x) > 0 {
		normalize(y, x, mean, slope, shift)
	}
}

// NormalizeBackward writes to dx, which may be dy, the errors at x of errors dy at what was
// normalised:
//
//	for i, g := range dy {
//		j := i % n
//		dx[i] = Float((g - byMean[j] - Float((x[i]-mean[j])*byVariance[j])) * slope[j])
//	}
func NormalizeBackward(dx, dy, x, mean, slope, byMean, byVariance []Float) {
	checkRows("kernel.NormalizeBackward: dy", len(dy), len(mean))
	checkEqual("kernel.NormalizeBackward: dx", len(dx), len(dy))
	checkEqual("kernel.NormalizeBackward: x", len(x), len(dy))
	for _, v := range [][]Float{slope, byMean, byVariance} {
		checkEqual("kernel.NormalizeBackward: slope, byMean, byVariance", len(v), len(mean))
	}
	if len(dy) > 0 {
		normalizeBackward(dx, dy, x, mean, slope, byMean, byVariance)
	}
}

func checkRows(name string, have, columns int) {
	if columns == 0 || have%columns != 0 {
		panic(fmt.Sprintf("%s: %d elements, want whole rows of %d", name, have, columns))
	}
}

// The plain Go level; sums are of the columns from first on.

func valueSumsGo(sum []float64, x []Float, first int) {
	n := len(sum)
	if first == n {
		return
	}
	for ; len(x) >= n; x = x[n:] {
		for j, v := range x[first:n] {
			sum[first+j] += float64(v)
		}
	}
}

func squareSumsGo(sum []float64, x []Float, mean []float64, first int) {
	n := len(sum)
	if first == n {
		return
	}
	for ; len(x) >= n; x = x[n:] {
		for j, v := range x[first:n] {
			d := float64(v) - mean[first+j]
			sum[first+j] += float64(d * d)
		}
	}
}

func errorSumsGo(sum, dot []float64, dy, x []Float, mean, inv []float64, first int) {
	n := len(sum)
	if first == n {
		return
	}
	for ; len(x) >= n; x, dy = x[n:], dy[n:] {
		for j := first; j < n; j++ {
			g := float64(dy[j])
			sum[j] += g
			dot[j] += float64(g * float64((float64(x[j])-mean[j])*inv[j]))
		}
	}
}

func normalizeGo(y, x, mean, slope, shift []Float) {
	n := len(mean)
	slope, shift = slope[:n], shift[:n]
	for ; len(x) >= n; x, y = x[n:], y[n:] {
		y := y[:n]
		for j, v := range x[:n] {
			y[j] = shift[j] + Float((v-mean[j])*slope[j])
		}
	}
}

func normalizeBackwardGo(dx, dy, x, mean, slope, byMean, byVariance []Float) {
	n := len(mean)
	slope, byMean, byVariance = slope[:n], byMean[:n], byVariance[:n]
	for ; len(dy) >= n; dx, dy, x = dx[n:], dy[n:], x[n:] {
		dx, x := dx[:n], x[:n]
		for j, g := range dy[:n] {
			dx[j] = slope[j] * (g - byMean[j] - Float((x[j]-mean[j])*byVariance[j]))
		}
	}
}
