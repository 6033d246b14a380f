package kernel

import "math"

// SGD is a step of gradient descent, each operation rounded.
type SGD struct {
	Rate, Momentum Float
	Decay          Float // of the weights, joined to the gradient; 0: none
	Nesterov       bool  // steps look ahead along the momentum, which m must be given for
}

// Update takes a step in one pass over weights w, gradients g and, where it is
// not nil, the momentum m:
//
//	for i, d := range g {
//		d += Float(Decay * w[i])
//		d = Float(Momentum*m[i]) + d   // m nil: d = d
//		m[i] = d
//		w[i] -= Float(Rate * d)
//	}
//
// With Nesterov:
//
//	d += Float(Decay * w[i])
//	m[i] = Float(Momentum*m[i]) + d
//	w[i] -= Float(Rate * (d + Float(Momentum*m[i])))
func (p SGD) Update(w, g, m []Float) {
	checkEqual("kernel.SGD.Update: g", len(g), len(w))
	if m != nil {
		checkEqual("kernel.SGD.Update: m", len(m), len(w))
	}
	switch {
	case len(w) == 0:
	case p.Nesterov:
		p.updateNesterov(w, g, m)
	default:
		p.update(w, g, m)
	}
}

// updateNesterov is plain Go on every level: beside the products of a step it is little.
func (p SGD) updateNesterov(w, g, m []Float) {
	m, w = m[:len(g)], w[:len(g)]
	for i, d := range g {
		d += Float(p.Decay * w[i])
		m[i] = Float(p.Momentum*m[i]) + d
		w[i] -= Float(p.Rate * (d + Float(p.Momentum*m[i])))
	}
}

func (p SGD) updateGo(w, g, m []Float) {
	for i, d := range g {
		d += Float(p.Decay * w[i])
		if m != nil {
			d = Float(p.Momentum*m[i]) + d
			m[i] = d
		}
		w[i] -= Float(p.Rate * d)
	}
}

// Adam is a step of Adam, each operation rounded. The caller puts the
// corrections of the moments into Rate and Epsilon.
type Adam struct {
	Beta1, Gain1  Float // Gain1 = 1 − Beta1
	Beta2, Gain2  Float // Gain2 = 1 − Beta2
	Rate, Epsilon Float
	Keep          Float // what decay leaves of a weight before the step; 1: all
}

// Update takes a step in one pass over weights w, gradients g and the moments
// m and v:
//
//	for i, d := range g {
//		m[i] = Float(Beta1*m[i]) + Float(Gain1*d)
//		v[i] = Float(Beta2*v[i]) + Float(Gain2*Float(d*d))
//		w[i] = Float(Keep*w[i]) - Float(Rate*m[i])/(√v[i] + Epsilon)
//	}
func (p Adam) Update(w, g, m, v []Float) {
	checkEqual("kernel.Adam.Update: g", len(g), len(w))
	checkEqual("kernel.Adam.Update: m", len(m), len(w))
	checkEqual("kernel.Adam.Update: v", len(v), len(w))
	if len(w) > 0 {
		p.update(w, g, m, v)
	}
}

func (p Adam) updateGo(w, g, m, v []Float) {
	for i, d := range g {
		m[i] = Float(p.Beta1*m[i]) + Float(p.Gain1*d)
		v[i] = Float(p.Beta2*v[i]) + Float(p.Gain2*Float(d*d))
		// The root of a float32 in float64, rounded, is its root rounded once.
		w[i] = Float(p.Keep*w[i]) - Float(p.Rate*m[i])/(Float(math.Sqrt(float64(v[i])))+p.Epsilon)
	}
}
