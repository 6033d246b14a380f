package kernel

import "fmt"

// Reset says what a spike does to the membrane.
type Reset uint8

const (
	ResetSubtract Reset = iota // v = u − Amount
	ResetZero                  // v = 0
	ResetNone                  // v = u
)

// LIF is one step of the leaky integrate-and-fire family, with u the membrane
// before and v after the reset:
//
//	u[t] = Beta·v[t−1] + Gain·x[t]
//	s[t] = 1 if u[t] ≥ Fire, else 0
//	v[t] = u[t] − Amount·s[t]  |  u[t]·(1 − s[t])  |  u[t]
//
// Gain·x is rounded, Beta·v is fused with the addition (but for plain Go). A
// membrane that is not a number does not fire.
type LIF struct {
	Beta, Gain   Float
	Fire, Amount Float
	Reset        Reset
}

// Forward advances len(v) units over steps of time. x[t·xs+i] is the input
// (xs = 0: the same at each step), v the membrane, carried in and out. Where
// u is not nil the membranes before reset are written to u[t·us+i], and u may
// be x; spikes are the bits of spikes[t·ss:], whose unused bits are cleared:
//
//	for t := range steps {
//		for i := range v {
//			m := fma(Beta, v[i], Gain*x[t*xs+i])
//			u[t*us+i] = m
//			if m >= Fire {
//				spikes[t*ss+i/64] |= 1 << (i % 64)
//				m -= Amount   // ResetZero: m = 0, ResetNone: m = m
//			}
//			v[i] = m
//		}
//	}
func (p LIF) Forward(steps int, x []Float, xs int, v, u []Float, us int, spikes []uint64, ss int) {
	n := len(v)
	if steps <= 0 || n == 0 {
		return
	}
	checkSteps("kernel.LIF.Forward: x", len(x), steps, xs, n)
	if u != nil {
		checkSteps("kernel.LIF.Forward: u", len(u), steps, us, n)
	}
	checkSteps("kernel.LIF.Forward: spikes", len(spikes), steps, ss, (n+63)/64)
	p.forward(steps, x, xs, v, u, us, spikes, ss)
}

// LIFs is LIF with options of its own for each unit, and a reset by subtraction.
type LIFs struct{ Beta, Gain, Fire, Amount []Float }

// Forward is LIF.Forward with the options of unit i in place of those of all.
func (p LIFs) Forward(steps int, x []Float, xs int, v, u []Float, us int, spikes []uint64, ss int) {
	n := len(v)
	if steps <= 0 || n == 0 {
		return
	}
	for _, option := range [][]Float{p.Beta, p.Gain, p.Fire, p.Amount} {
		checkSteps("kernel.LIFs.Forward: an option", len(option), 1, 0, n)
	}
	checkSteps("kernel.LIFs.Forward: x", len(x), steps, xs, n)
	if u != nil {
		checkSteps("kernel.LIFs.Forward: u", len(u), steps, us, n)
	}
	checkSteps("kernel.LIFs.Forward: spikes", len(spikes), steps, ss, (n+63)/64)
	p.forward(steps, x, xs, v, u, us, spikes, ss)
}

// Shape is the form of a surrogate derivative, a function of z = u − Theta.
type Shape uint8

const (
	FastSigmoid Shape = iota // 1 / (A·|z| + 1)²
	ArcTan                   // B / ((A·z)² + 1)
	Triangle                 // B · max(0, 1 − A·|z|)
	Rectangle                // B where A·|z| ≤ 1, else 0
)

// Surrogate is the derivative that stands in for the step's. The error g at a
// spike becomes the error q at the membrane in one order of operations:
//
//	FastSigmoid:  d = fma(A, |z|, 1)            q = g / (d·d)
//	ArcTan:       y = A·|z|                     q = (g·B) / fma(y, y, 1)
//	Triangle:     m = max(0, fma(−A, |z|, 1))   q = g · (B·m)
//	Rectangle:                                  q = g·B, or 0 unless A·|z| ≤ 1
//
// Where |z| > Cut (Cut = 0: nowhere) the derivative is zero. A q that is zero
// for want of a derivative, by Cut or outside the rectangle, is +0 for any g,
// Inf and NaN included.
type Surrogate struct {
	Shape Shape
	A, B  Float
	Theta Float
	Cut   Float
}

// Backward runs from the last step to the first. gs[t·gss+i] is the error at
// the spike (gss = 0: the same at each step), gv the error at the membrane
// after reset, carried in and out, and u what Forward wrote:
//
//	gu[t] = gs[t]·σ'(u[t] − Theta) + gv[t]·k[t],   k = 0 where a reset to zero fell, else 1
//	gx[t] = Gain·gu[t],   gv[t−1] = Beta·gu[t]
//
// The reset is detached. gx[t] goes to gx[t·gxs+i], and gx may be gs; with
// gxs = 0 it is added to gx[i] instead, so the sum over time runs from the
// last step to the first, rounding each product and each sum:
//
//	for t := steps - 1; t >= 0; t-- {
//		for i := range gv {
//			if Reset == ResetZero && u[t*us+i] >= Fire {
//				gv[i] = 0
//			}
//			gu := q(gs[t*gss+i], u[t*us+i]-Theta) + gv[i]
//			gv[i] = Beta * gu
//			gx[t*gxs+i] = Gain * gu   // gxs = 0: gx[i] += Gain * gu
//		}
//	}
func (p LIF) Backward(steps int, s Surrogate, u []Float, us int, gs []Float, gss int, gv, gx []Float, gxs int) {
	n := len(gv)
	if steps <= 0 || n == 0 {
		return
	}
	checkSteps("kernel.LIF.Backward: u", len(u), steps, us, n)
	checkSteps("kernel.LIF.Backward: gs", len(gs), steps, gss, n)
	checkSteps("kernel.LIF.Backward: gx", len(gx), steps, gxs, n)
	p.backward(steps, s, u, us, gs, gss, gv, gx, gxs)
}

func checkSteps(name string, have, steps, stride, n int) {
	if stride < 0 || have < (steps-1)*stride+n {
		panic(fmt.Sprintf("%s: %d elements, %d a step, hold no %d steps of %d", name, have, stride, steps, n))
	}
}
