//go:build !purego && !float64

package kernel

func (p Logistic) of(m, z []Float, sums *[2 * logisticLanes]Float) {
	params := [...]Float{
		p.Threshold, p.Slope, -logisticLimit, logisticLimit, perLn2, roundingBias, ln2High, ln2Low, 1,
		expTerms[0], expTerms[1], expTerms[2], expTerms[3], expTerms[4], expTerms[5],
	}
	switch Current() {
	case AVX512:
		logisticAVX512(&m[0], &z[0], len(z), &params, sums)
	case AVX2:
		logisticAVX2(&m[0], &z[0], len(z), &params, sums)
	default:
		p.ofGo(m, z, sums)
	}
}
