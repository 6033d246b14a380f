package kernel

import (
	"fmt"
	"slices"
	"testing"
)

var (
	lengths = []int{1, 2, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 40, 47, 48, 49, 56, 57, 63, 64, 65, 100, 128, 131, 200}
	resets  = []Reset{ResetSubtract, ResetZero, ResetNone}
)

// scanCase is one set of options of a scan.
type scanCase struct {
	n, steps int
	reset    Reset
	constant bool // one input, or one error, for all steps
	option   bool // Forward: keep the membranes; Backward: sum gx over time
	odd      bool
	differ   bool // Forward: units have options of their own
}

// each are p's options, a unit's own where they differ.
func (c scanCase) each(p LIF, r source) (o LIFs) {
	for range c.n {
		if c.differ {
			q := c.params(r)
			p = LIF{Beta: q.Beta * Float(1+r.IntN(3)) / 3, Gain: q.Gain + 0.1*Float(r.IntN(4)), Fire: q.Fire + 0.1*Float(r.IntN(3)), Amount: q.Amount + 0.1*Float(r.IntN(3)), Reset: p.Reset}
		}
		o.Beta, o.Gain, o.Fire, o.Amount = append(o.Beta, p.Beta), append(o.Gain, p.Gain), append(o.Fire, p.Fire), append(o.Amount, p.Amount)
	}
	return o
}

func (c scanCase) params(r source) LIF {
	p := LIF{Beta: 0.95, Gain: 0.3, Fire: 0.25, Amount: 0.2, Reset: c.reset}
	if c.odd && r.IntN(3) == 0 {
		p.Fire = r.value() // below zero too, where idle lanes would fire
	}
	return p
}

func eachScan(t *testing.T, f func(t *testing.T, l Level, c scanCase)) {
	forLevels(t, func(t *testing.T, l Level) {
		for _, n := range lengths {
			for flags := range 8 {
				for _, reset := range resets {
					f(t, l, scanCase{n: n, steps: 1 + (n+flags)%7, reset: reset,
						constant: flags&1 > 0, option: flags&2 > 0, odd: flags&4 > 0})
				}
			}
		}
	})
}

func TestForward(t *testing.T) { eachScan(t, checkForward) }

func TestForwardOfUnitsThatDiffer(t *testing.T) {
	eachScan(t, func(t *testing.T, l Level, c scanCase) {
		if c.reset == ResetSubtract {
			c.differ = true
			checkForward(t, l, c)
		}
	})
}

func checkForward(t *testing.T, l Level, c scanCase) {
	what := fmt.Sprintf("%v %+v", l, c)
	r := newSource(uint64(c.n*64+c.steps), c.odd)
	p, fma := c.params(r), mulAdd(l)
	each := c.each(p, r)
	n, words := c.n, (c.n+63)/64
	xs, us, ss := n+3, n+1, words+1
	if c.constant {
		xs = 0
	}
	x := r.fill(make([]Float, (c.steps-1)*xs+n))
	v, checkV := guarded(n)
	r.fill(v)
	wantV := slices.Clone(v)
	var u []Float
	checkU := func(*testing.T, string) {}
	if c.option {
		u, checkU = guarded((c.steps-1)*us + n)
	}
	spikes := make([]uint64, c.steps*ss)
	for i := range spikes {
		spikes[i] = ^uint64(0)
	}
	wantU := make([]Float, c.steps*us)
	wantSpikes := slices.Clone(spikes)
	for t := range c.steps {
		clear(wantSpikes[t*ss:][:words])
		for i := range n {
			m := fma(each.Beta[i], wantV[i], each.Gain[i]*x[t*xs+i])
			wantU[t*us+i] = m
			if m >= each.Fire[i] {
				wantSpikes[t*ss+i/64] |= 1 << (i % 64)
				switch p.Reset {
				case ResetSubtract:
					m -= each.Amount[i]
				case ResetZero:
					m = 0
				}
			}
			wantV[i] = m
		}
	}
	if c.differ {
		each.Forward(c.steps, x, xs, v, u, us, spikes, ss)
	} else {
		p.Forward(c.steps, x, xs, v, u, us, spikes, ss)
	}
	compare(t, what+": v", v, wantV)
	checkV(t, what+": v")
	checkU(t, what+": u")
	for i, m := range u {
		if i%us >= n {
			wantU[i] = guard
		}
		compare(t, what+": u", []Float{m}, wantU[i:i+1])
	}
	if !slices.Equal(spikes, wantSpikes) {
		t.Fatalf("%s: spikes %x, want %x", what, spikes, wantSpikes)
	}
}

// wantError is g·σ'(u − Theta) with the level's multiply-add.
func wantError(s Surrogate, fma func(a, b, c Float) Float, u, g Float) Float {
	z := u - s.Theta
	if z < 0 {
		z = -z
	}
	if s.Cut > 0 && z > s.Cut {
		return 0
	}
	switch s.Shape {
	case FastSigmoid:
		d := fma(s.A, z, 1)
		return g / Float(d*d)
	case ArcTan:
		y := s.A * z
		return Float(g*s.B) / fma(y, y, 1)
	case Triangle:
		return g * Float(s.B*max(0, fma(-s.A, z, 1)))
	default:
		if s.A*z <= 1 {
			return g * s.B
		}
		return 0
	}
}

func TestBackward(t *testing.T) { eachScan(t, checkBackward) }

func checkBackward(t *testing.T, l Level, c scanCase) {
	for shape := FastSigmoid; shape <= Rectangle; shape++ {
		cut := [2]Float{0, 0.4}[(c.n+int(shape))%2]
		what := fmt.Sprintf("%v %+v shape %d cut %g", l, c, shape, cut)
		r := newSource(uint64(c.n*64+c.steps), c.odd)
		p, fma := c.params(r), mulAdd(l)
		s := Surrogate{Shape: shape, A: 1.7, B: 0.6, Theta: 0.21, Cut: cut}
		n := c.n
		us, gss, gxs := n+2, n+1, n+3
		if c.constant {
			gss = 0
		}
		if c.option {
			gxs = 0
		}
		u := r.fill(make([]Float, (c.steps-1)*us+n))
		gs := r.fill(make([]Float, (c.steps-1)*gss+n))
		gv, checkGV := guarded(n)
		r.fill(gv)
		gx, checkGX := guarded((c.steps-1)*gxs + n)
		if c.option {
			r.fill(gx)
		}
		wantGV, wantGX := slices.Clone(gv), slices.Clone(gx)
		for t := c.steps - 1; t >= 0; t-- {
			for i := range n {
				m := u[t*us+i]
				k := wantGV[i]
				if p.Reset == ResetZero && m >= p.Fire {
					k = 0
				}
				g := wantError(s, fma, m, gs[t*gss+i]) + k
				wantGV[i] = p.Beta * g
				if c.option {
					wantGX[i] += Float(p.Gain * g)
				} else {
					wantGX[t*gxs+i] = p.Gain * g
				}
			}
		}
		p.Backward(c.steps, s, u, us, gs, gss, gv, gx, gxs)
		compare(t, what+": gv", gv, wantGV)
		compare(t, what+": gx", gx, wantGX)
		checkGV(t, what+": gv")
		checkGX(t, what+": gx")
	}
}

// The membranes may replace the input, and the input's error the spike's.
func TestScansInPlace(t *testing.T) {
	const n, steps = 77, 5
	forLevels(t, func(t *testing.T, l Level) {
		r := newSource(3, false)
		p := LIF{Beta: 0.9, Gain: 1, Fire: 1, Amount: 1}
		s := Surrogate{Shape: FastSigmoid, A: 25, Theta: 1}
		x, words := r.fill(make([]Float, steps*n)), make([]uint64, steps*2)
		u := make([]Float, steps*n)
		p.Forward(steps, x, n, make([]Float, n), u, n, words, 2)
		p.Forward(steps, x, n, make([]Float, n), x, n, words, 2)
		compare(t, "u over x", x, u)
		gs, gx := r.fill(make([]Float, steps*n)), make([]Float, steps*n)
		p.Backward(steps, s, u, n, gs, n, make([]Float, n), gx, n)
		p.Backward(steps, s, u, n, gs, n, make([]Float, n), gs, n)
		compare(t, "gx over gs", gs, gx)
	})
}

// Summing over time inside the scan is summing what it would have written.
func TestBackwardSums(t *testing.T) {
	const n, steps = 50, 6
	forLevels(t, func(t *testing.T, l Level) {
		r := newSource(4, false)
		p := LIF{Beta: 0.9, Gain: 0.7, Fire: 1, Reset: ResetZero}
		s := Surrogate{Shape: ArcTan, A: 2, B: 1, Theta: 1}
		u, gs := r.fill(make([]Float, steps*n)), r.fill(make([]Float, steps*n))
		each, sum, want := make([]Float, steps*n), make([]Float, n), make([]Float, n)
		p.Backward(steps, s, u, n, gs, n, make([]Float, n), each, n)
		p.Backward(steps, s, u, n, gs, n, make([]Float, n), sum, 0)
		for t := steps - 1; t >= 0; t-- {
			for i := range want {
				want[i] += each[t*n+i]
			}
		}
		compare(t, l.String(), sum, want)
	})
}

func TestScansCheckLengths(t *testing.T) {
	forLevels(t, func(t *testing.T, l Level) {
		var p LIF
		f := func(n int) []Float { return make([]Float, n) }
		w := make([]uint64, 4)
		p.Forward(0, nil, 0, f(5), nil, 0, nil, 0)
		p.Forward(3, nil, 0, nil, nil, 0, nil, 0)
		panics(t, "short x", func() { p.Forward(2, f(9), 5, f(5), nil, 0, w, 1) })
		panics(t, "short u", func() { p.Forward(2, f(10), 5, f(5), f(9), 5, w, 1) })
		panics(t, "short spikes", func() { p.Forward(2, f(200), 100, f(100), nil, 0, w[:3], 2) })
		panics(t, "short gs", func() { p.Backward(2, Surrogate{}, f(10), 5, f(9), 5, f(5), f(10), 5) })
		panics(t, "short gx", func() { p.Backward(2, Surrogate{}, f(10), 5, f(10), 5, f(5), f(4), 0) })
	})
}

// On its border a cut passes the error, and beyond it nothing: of all shapes, on both
// sides and at all levels.
func TestBackwardAtTheCut(t *testing.T) {
	const theta, cut, little, n = 0.5, 0.25, 0x1p-20, 70 // exact, and so is u − θ
	forLevels(t, func(t *testing.T, l Level) {
		for shape := FastSigmoid; shape <= Rectangle; shape++ {
			s := Surrogate{Shape: shape, A: 1, B: 1, Theta: theta, Cut: cut}
			for _, c := range []struct {
				name string
				u    Float
				in   bool
			}{
				{"above, on the border", theta + cut, true}, {"above, beyond", theta + cut + little, false},
				{"below, on the border", theta - cut, true}, {"below, beyond", theta - cut - little, false},
				{"at the threshold", theta, true},
			} {
				u, gs, gx := make([]Float, n), make([]Float, n), make([]Float, n)
				for i := range u {
					u[i], gs[i] = c.u, 1
				}
				LIF{Beta: 1, Gain: 1, Reset: ResetNone}.Backward(1, s, u, n, gs, n, make([]Float, n), gx, n)
				for i, g := range gx {
					if (g > 0) != c.in {
						t.Fatalf("%v, shape %d, %s: error %v of unit %d, want one: %v", l, shape, c.name, g, i, c.in)
					}
				}
			}
		}
	})
}
