//go:build !amd64 || purego || float64

package kernel

func valueSums([]float64, []Float) int             { return 0 }
func squareSums([]float64, []Float, []float64) int { return 0 }

func errorSums(_, _ []float64, _, _ []Float, _, _ []float64) int { return 0 }

func normalize(y, x, mean, slope, shift []Float) { normalizeGo(y, x, mean, slope, shift) }

func normalizeBackward(dx, dy, x, mean, slope, byMean, byVariance []Float) {
	normalizeBackwardGo(dx, dy, x, mean, slope, byMean, byVariance)
}
