package kernel

// Relax is a step of a relaxation towards a fixed point: a leaky sum of the state
// and what drives it, kept within bounds. Each operation is rounded.
type Relax struct {
	Keep, Gain Float
	Lo, Hi     Float
}

// Step moves the states s by their drives z, which may be the same list, and returns
// the largest change. A state that is not a number becomes Lo, and no change is counted
// from one:
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

// Adapt is a step of states that each find their own step size, by optimal step
// size adaptation from the drive. Each operation is rounded.
type Adapt struct {
	Nu, Keep Float // Keep = 1 − Nu
	Floor    Float
}

// Step moves the states s, kept in [0, 1], by their drives d, with the estimates of
// the drive's bias g, second moment h and mean, and the spread of the mean:
//
//	for i, x := range d {
//		e := x - mean[i]
//		g[i] = Float(Keep*g[i]) + Float(Nu*e)
//		h[i] = Float(Keep*h[i]) + Float(Nu*Float(e*e))
//		noise := max(h[i]-Float(g[i]*g[i]), 0) / (1 + spread[i])
//		a := 1 - (noise+Floor)/(h[i]+Floor)
//		k := 1 - a
//		spread[i] = Float(Float(k*k)*spread[i]) + Float(a*a)
//		mean[i] = Float(k*mean[i]) + Float(a*x)
//		s[i] = min(max(Float(k*s[i])+Float(a*x), 0), 1)
//	}
//
// Results for drives that are not numbers are left open.
func (p Adapt) Step(s, d, g, h, spread, mean []Float) {
	for _, x := range [...][]Float{s, g, h, spread, mean} {
		checkEqual("kernel.Adapt: list", len(x), len(d))
	}
	if len(d) > 0 {
		p.step(s, d, g, h, spread, mean)
	}
}

func (p Adapt) stepGo(s, d, g, h, spread, mean []Float) {
	n := len(d)
	s, g, h, spread, mean = s[:n], g[:n], h[:n], spread[:n], mean[:n]
	for i, x := range d {
		e := x - mean[i]
		g[i] = Float(p.Keep*g[i]) + Float(p.Nu*e)
		h[i] = Float(p.Keep*h[i]) + Float(p.Nu*Float(e*e))
		noise := max(h[i]-Float(g[i]*g[i]), 0) / (1 + spread[i])
		a := 1 - (noise+p.Floor)/(h[i]+p.Floor)
		k := 1 - a
		spread[i] = Float(Float(k*k)*spread[i]) + Float(a*a)
		mean[i] = Float(k*mean[i]) + Float(a*x)
		s[i] = min(max(Float(k*s[i])+Float(a*x), 0), 1)
	}
}
