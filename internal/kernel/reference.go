package kernel

// The plain Go level. Explicit conversions keep the compiler from fusing a
// product with a sum, so its bits are the same on every processor.

func (p *Packed) packGo(b []Float, ldb int, trans bool) {
	p.data = grow(p.data, p.K*p.N)
	for i := range p.K {
		row := p.data[i*p.N:][:p.N]
		if !trans {
			copy(row, b[i*ldb:])
			continue
		}
		for j := range row {
			row[j] = b[j*ldb+i]
		}
	}
}

func addRowsGo(c, w []Float, ldw int, rows []int32) {
	for _, r := range rows {
		for j, x := range w[int(r)*ldw:][:len(c)] {
			c[j] += x
		}
	}
}

func (p LIF) forwardGo(steps int, x []Float, xs int, v, u []Float, us int, spikes []uint64, ss int) {
	n := len(v)
	for t := range steps {
		row := spikes[t*ss:][:(n+63)/64]
		clear(row)
		for i, xi := range x[t*xs:][:n] {
			m := Float(p.Beta*v[i]) + Float(p.Gain*xi)
			if u != nil {
				u[t*us+i] = m
			}
			if m >= p.Fire {
				row[i>>6] |= 1 << (i & 63)
				switch p.Reset {
				case ResetSubtract:
					m -= p.Amount
				case ResetZero:
					m = 0
				}
			}
			v[i] = m
		}
	}
}

func (p LIFs) forwardGo(steps int, x []Float, xs int, v, u []Float, us int, spikes []uint64, ss int) {
	n := len(v)
	for t := range steps {
		row := spikes[t*ss:][:(n+63)/64]
		clear(row)
		for i, xi := range x[t*xs:][:n] {
			m := Float(p.Beta[i]*v[i]) + Float(p.Gain[i]*xi)
			if u != nil {
				u[t*us+i] = m
			}
			if m >= p.Fire[i] {
				row[i>>6] |= 1 << (i & 63)
				m -= p.Amount[i]
			}
			v[i] = m
		}
	}
}

func (p LIF) backwardGo(steps int, s Surrogate, u []Float, us int, gs []Float, gss int, gv, gx []Float, gxs int) {
	for t := steps - 1; t >= 0; t-- {
		for i := range gv {
			m := u[t*us+i]
			k := gv[i]
			if p.Reset == ResetZero && m >= p.Fire {
				k = 0
			}
			g := s.error(m, gs[t*gss+i]) + k
			gv[i] = p.Beta * g
			if gxs == 0 {
				gx[i] += Float(p.Gain * g)
			} else {
				gx[t*gxs+i] = p.Gain * g
			}
		}
	}
}

// error is g·σ'(u − Theta) in the order of operations of Surrogate.
func (s Surrogate) error(u, g Float) Float {
	z := u - s.Theta
	if z < 0 {
		z = -z
	}
	if s.Cut > 0 && z > s.Cut {
		return 0
	}
	switch s.Shape {
	case FastSigmoid:
		d := Float(s.A*z) + 1
		return g / Float(d*d)
	case ArcTan:
		y := s.A * z
		return Float(g*s.B) / (Float(y*y) + 1)
	case Triangle:
		return g * Float(s.B*max(0, 1-Float(s.A*z)))
	default:
		if !(Float(s.A*z) <= 1) {
			return 0
		}
		return g * s.B
	}
}
