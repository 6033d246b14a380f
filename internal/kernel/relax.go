package kernel

// Relax is a step of a relaxation towards a fixed point: a leaky sum of the state
// and what drives it, kept within bounds. Each operation is rounded.
type Relax struct {
	Keep, Gain Float
	Lo, Hi     Float
}

// Step moves the states s by their drives z and returns the largest change. A
// state that is not a number becomes Lo, and no change is counted from one:
//
//	for i, x := range z {
//		v := Float(Keep*s[i]) + Float(Gain*x)
//		if !(v > Lo) {
//			v = Lo
//		}
//		if !(v < Hi) {
//			v = Hi
//		}
//		if d := |v − s[i]|; d > change {
//			change = d
//		}
//		s[i] = v
//	}
func (p Relax) Step(s, z []Float) (change Float) {
	checkEqual("kernel.Relax: s", len(s), len(z))
	if len(z) == 0 {
		return 0
	}
	return p.step(s, z)
}

func (p Relax) stepGo(s, z []Float) (change Float) {
	for i, x := range z {
		v := Float(p.Keep*s[i]) + Float(p.Gain*x)
		if !(v > p.Lo) {
			v = p.Lo
		}
		if !(v < p.Hi) {
			v = p.Hi
		}
		if d := v - s[i]; d > change {
			change = d
		} else if -d > change {
			change = -d
		}
		s[i] = v
	}
	return change
}
