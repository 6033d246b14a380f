//go:build !purego && !float64

package kernel

func (p Relax) step(s, z []Float) (change Float) {
	params, lanes := [4]Float{p.Keep, p.Gain, p.Lo, p.Hi}, [16]Float{}
	switch Current() {
	case AVX512:
		relaxAVX512(&s[0], &z[0], len(z), &params, &lanes)
	case AVX2:
		relaxAVX2(&s[0], &z[0], len(z), &params, &lanes)
	default:
		return p.stepGo(s, z)
	}
	for _, d := range lanes {
		change = max(change, d)
	}
	return change
}

func (p Adapt) step(s, d, g, h, spread, mean []Float) {
	params := [4]Float{p.Nu, p.Keep, p.Floor, 1}
	switch Current() {
	case AVX512:
		adaptAVX512(&s[0], &d[0], &g[0], &h[0], &spread[0], &mean[0], len(d), &params)
	case AVX2:
		adaptAVX2(&s[0], &d[0], &g[0], &h[0], &spread[0], &mean[0], len(d), &params)
	default:
		p.stepGo(s, d, g, h, spread, mean)
	}
}
