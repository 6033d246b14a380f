package spike

// Moments is mean and variance of a population, NaN for none. The variance is a sum of squares
// and never below 0, as one that is corrected for the rounding of the mean may be.
func Moments(x []float64) (mean, variance float64) {
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	for _, v := range x {
		variance += (v - mean) * (v - mean)
	}
	return mean, variance / float64(len(x))
}
