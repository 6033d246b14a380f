//go:build !purego && !float64

package kernel

// Sums are of as many columns as vectors have place for, which they return.

func valueSums(sum []float64, x []Float) int {
	n := len(sum)
	level, whole := vectorColumns(n)
	switch {
	case whole == 0:
	case level == AVX512:
		valueSumsAVX512(&sum[0], &x[0], whole, n, len(x)/n)
	default:
		valueSumsAVX2(&sum[0], &x[0], whole, n, len(x)/n)
	}
	return whole
}

func squareSums(sum []float64, x []Float, mean []float64) int {
	n := len(sum)
	level, whole := vectorColumns(n)
	switch {
	case whole == 0:
	case level == AVX512:
		squareSumsAVX512(&sum[0], &x[0], &mean[0], whole, n, len(x)/n)
	default:
		squareSumsAVX2(&sum[0], &x[0], &mean[0], whole, n, len(x)/n)
	}
	return whole
}

func errorSums(sum, dot []float64, dy, x []Float, mean, inv []float64) int {
	n := len(sum)
	level, whole := vectorColumns(n)
	switch {
	case whole == 0:
	case level == AVX512:
		errorSumsAVX512(&sum[0], &dot[0], &dy[0], &x[0], &mean[0], &inv[0], whole, n, len(x)/n)
	default:
		errorSumsAVX2(&sum[0], &dot[0], &dy[0], &x[0], &mean[0], &inv[0], whole, n, len(x)/n)
	}
	return whole
}

// vectorColumns is how many of n columns vectors of float64 take.
func vectorColumns(n int) (Level, int) {
	switch level := Current(); level {
	case AVX512:
		return level, n &^ 7
	case AVX2:
		return level, n &^ 3
	default:
		return level, 0
	}
}

func normalize(y, x, mean, slope, shift []Float) {
	n := len(mean)
	switch Current() {
	case AVX512:
		normalizeAVX512(&y[0], &x[0], &mean[0], &slope[0], &shift[0], n, n, len(x)/n)
	case AVX2:
		normalizeAVX2(&y[0], &x[0], &mean[0], &slope[0], &shift[0], n, n, len(x)/n)
	default:
		normalizeGo(y, x, mean, slope, shift)
	}
}

func normalizeBackward(dx, dy, x, mean, slope, byMean, byVariance []Float) {
	n := len(mean)
	switch Current() {
	case AVX512:
		normalizeBackwardAVX512(&dx[0], &dy[0], &x[0], &mean[0], &slope[0], &byMean[0], &byVariance[0], n, n, len(x)/n)
	case AVX2:
		normalizeBackwardAVX2(&dx[0], &dy[0], &x[0], &mean[0], &slope[0], &byMean[0], &byVariance[0], n, n, len(x)/n)
	default:
		normalizeBackwardGo(dx, dy, x, mean, slope, byMean, byVariance)
	}
}
