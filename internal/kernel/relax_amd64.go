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
