//go:build !purego && !float64

package kernel

func (p Imbalanced) step(y, x, sums, count, v []Float) {
	params := [4]Float{p.Above, p.Below, -p.Below, 1}
	switch Current() {
	case AVX512:
		imbalancedAVX512(&y[0], &x[0], &sums[0], &count[0], &v[0], len(x), &params)
	case AVX2:
		imbalancedAVX2(&y[0], &x[0], &sums[0], &count[0], &v[0], len(x), &params)
	default:
		p.stepGo(y, x, sums, count, v)
	}
}

func (p Delta) step(y, x, sums, count []Float) {
	params := [5]Float{p.Theta, p.Slope, p.Half, -p.Half, 1}
	switch Current() {
	case AVX512:
		deltaAVX512(&y[0], &x[0], &sums[0], &count[0], len(x), &params)
	case AVX2:
		deltaAVX2(&y[0], &x[0], &sums[0], &count[0], len(x), &params)
	default:
		p.stepGo(y, x, sums, count)
	}
}
