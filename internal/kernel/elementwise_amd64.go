//go:build !purego && !float64

package kernel

func add(dst, src []Float) {
	switch Current() {
	case AVX512:
		addAVX512(&dst[0], &src[0], len(src))
	case AVX2:
		addAVX2(&dst[0], &src[0], len(src))
	default:
		addGo(dst, src)
	}
}

func addScaled(dst, src []Float, factor Float) {
	switch Current() {
	case AVX512:
		addScaledAVX512(&dst[0], &src[0], len(src), &factor)
	case AVX2:
		addScaledAVX2(&dst[0], &src[0], len(src), &factor)
	default:
		addScaledGo(dst, src, factor)
	}
}

func subProducts(dst, a, b, c []Float) {
	switch Current() {
	case AVX512:
		subProductsAVX512(&dst[0], &a[0], &b[0], &c[0], len(a))
	case AVX2:
		subProductsAVX2(&dst[0], &a[0], &b[0], &c[0], len(a))
	default:
		subProductsGo(dst, a, b, c)
	}
}

func subScaled(dst, a, b []Float, factor Float) {
	switch Current() {
	case AVX512:
		subScaledAVX512(&dst[0], &a[0], &b[0], len(a), &factor)
	case AVX2:
		subScaledAVX2(&dst[0], &a[0], &b[0], len(a), &factor)
	default:
		subScaledGo(dst, a, b, factor)
	}
}

func scale(x []Float, factor Float) {
	switch Current() {
	case AVX512:
		scaleAVX512(&x[0], len(x), &factor)
	case AVX2:
		scaleAVX2(&x[0], len(x), &factor)
	default:
		scaleGo(x, factor)
	}
}

func rectify(dst, src []Float) {
	switch Current() {
	case AVX512:
		rectifyAVX512(&dst[0], &src[0], len(src))
	case AVX2:
		rectifyAVX2(&dst[0], &src[0], len(src))
	default:
		rectifyGo(dst, src)
	}
}

func rectifyBackward(dst, dy, x []Float) {
	switch Current() {
	case AVX512:
		rectifyBackwardAVX512(&dst[0], &dy[0], &x[0], len(x))
	case AVX2:
		rectifyBackwardAVX2(&dst[0], &dy[0], &x[0], len(x))
	default:
		rectifyBackwardGo(dst, dy, x)
	}
}

func columnSums(dst, x []Float, ld, rows int) {
	switch Current() {
	case AVX512:
		columnSumsAVX512(&dst[0], &x[0], len(dst), ld, rows)
	case AVX2:
		columnSumsAVX2(&dst[0], &x[0], len(dst), ld, rows)
	default:
		columnSumsGo(dst, x, ld, rows)
	}
}

func sumSteps(dst, x []Float, stride, steps int) {
	last := &x[(steps-1)*stride]
	switch Current() {
	case AVX512:
		sumStepsAVX512(&dst[0], last, len(dst), -stride, steps)
	case AVX2:
		sumStepsAVX2(&dst[0], last, len(dst), -stride, steps)
	default:
		sumStepsGo(dst, x, stride, steps)
	}
}

// finiteBlocks is a number of elements at the start of x that are finite, less
// than a block before the first that is not.
func finiteBlocks(x []Float) int {
	level, block := Current(), 64
	if level == AVX512 {
		block = 128
	}
	blocks := len(x) / block
	switch {
	case blocks == 0 || level == Go:
		return 0
	case level == AVX512:
		return finiteAVX512(&x[0], blocks) * block
	default:
		return finiteAVX2(&x[0], blocks) * block
	}
}

// squareBlocks adds the squares of whole blocks of lanes of x to s and returns
// how many elements they have.
func squareBlocks(s *[squareLanes]float64, x []Float) int {
	blocks := len(x) / squareLanes
	switch level := Current(); {
	case blocks == 0 || level == Go:
		return 0
	case level == AVX512:
		addSquaresAVX512(s, &x[0], blocks)
	default:
		addSquaresAVX2(s, &x[0], blocks)
	}
	return blocks * squareLanes
}

// magnitudeBlocks is squareBlocks of magnitudes.
func magnitudeBlocks(s *[squareLanes]float64, x []Float) int {
	blocks := len(x) / squareLanes
	switch level := Current(); {
	case blocks == 0 || level == Go:
		return 0
	case level == AVX512:
		addMagnitudesAVX512(s, &x[0], blocks)
	default:
		addMagnitudesAVX2(s, &x[0], blocks)
	}
	return blocks * squareLanes
}

func (p SGD) update(w, g, m []Float) {
	level, params := Current(), [3]Float{p.Rate, p.Decay, p.Momentum}
	switch {
	case level == Go:
		p.updateGo(w, g, m)
	case level == AVX512 && m == nil:
		sgdAVX512(&w[0], &g[0], len(w), &params)
	case level == AVX512:
		momentumAVX512(&w[0], &g[0], &m[0], len(w), &params)
	case m == nil:
		sgdAVX2(&w[0], &g[0], len(w), &params)
	default:
		momentumAVX2(&w[0], &g[0], &m[0], len(w), &params)
	}
}

func (p Adam) update(w, g, m, v []Float) {
	params := [7]Float{p.Beta1, p.Gain1, p.Beta2, p.Gain2, p.Rate, p.Epsilon, p.Keep}
	switch Current() {
	case AVX512:
		adamAVX512(&w[0], &g[0], &m[0], &v[0], len(w), &params)
	case AVX2:
		adamAVX2(&w[0], &g[0], &m[0], &v[0], len(w), &params)
	default:
		p.updateGo(w, g, m, v)
	}
}
