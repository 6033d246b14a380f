package neuron

import (
	"fmt"
	"math"

	"synfire/surrogate"
	"synfire/tensor"
)

// CuBaLIF is the leaky integrate-and-fire neuron with a current-based synapse:
// a filter before the membrane. With input x, current I, decays per step α and
// β, and u, s, v as in the package comment,
//
//	I[t] = α·I[t−1] + x[t]
//	u[t] = β·v[t−1] + κ·I[t]        input of step t acts at t
//	     | β·v[t−1] + κ·I[t−1]      where Delay: it acts at t+1
//
// The coupling κ is 1, 1 − β or the exact propagator. x is added after the
// decay of I, which goes on while a unit is refractory. Backwards, with ∂u as
// in the package comment,
//
//	∂I[t] = ∂x[t] = α·∂I[t+1] + κ·∂u[t]   (where Delay, κ·∂u[t+1])
//
// Exact is the solution of the equations τs·dI/dt = −I and τm·dv/dt = −v + I
// over a step Δ of constant decays α = exp(−Δ/τs) and β = exp(−Δ/τm), spikes
// arriving at its start or, with Delay, at its end (Rotter and Diesmann, "Exact
// digital simulation of time-invariant linear systems", 1999). A resistance or
// the gain of a synapse is a matter of the weights. See also Exactly, Norse,
// Lava and SnnTorchSynaptic.
type CuBaLIF struct {
	Alpha      float64  `yaml:"alpha"`      // α, what remains of the current after a step
	Beta       float64  `yaml:"beta"`       // β, what remains of the membrane after a step
	Coupling   Coupling `yaml:"coupling"`   // κ: unit, euler or exact
	Delay      bool     `yaml:"delay"`      // input acts one step later
	Threshold  float64  `yaml:"threshold"`  // θ, the fire level
	Strict     bool     `yaml:"strict"`     // fire above the threshold only, not at it
	Reset      Reset    `yaml:"reset"`      // subtract, zero or none
	Refractory int      `yaml:"refractory"` // steps of silence after a spike
}

// Coupling says what part κ of a synapse's current charges the membrane in a
// step.
type Coupling uint8

const (
	Unit  Coupling = iota // "unit": κ = 1
	Euler                 // "euler": κ = 1 − β, Euler's method with β = 1 − Δ/τm
	Exact                 // "exact": κ = −ln β·(β − α)/(ln β − ln α), and −β·ln β for α = β
)

var couplingNames = [...]string{"unit", "euler", "exact"}

// String is the coupling's name in configuration files.
func (c Coupling) String() string {
	if int(c) < len(couplingNames) {
		return couplingNames[c]
	}
	return fmt.Sprintf("coupling(%d)", c)
}

// MarshalText is String.
func (c Coupling) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText is the inverse of String.
func (c *Coupling) UnmarshalText(text []byte) error {
	for i, name := range couplingNames {
		if string(text) == name {
			*c = Coupling(i)
			return nil
		}
	}
	return fmt.Errorf("coupling %q: want unit, euler or exact", text)
}

// Validate returns an error unless the threshold is positive, Alpha and Beta
// are in [0, 1], and for the exact coupling within (0, 1).
func (n CuBaLIF) Validate() error {
	if err := checkDecay("cuba-lif", "alpha", n.Alpha); err != nil {
		return err
	}
	if err := checkDecay("cuba-lif", "beta", n.Beta); err != nil {
		return err
	}
	if int(n.Coupling) >= len(couplingNames) {
		return fmt.Errorf("neuron cuba-lif: %v: want unit, euler or exact", n.Coupling)
	}
	if k := n.kappa(); !(k > 0) {
		return fmt.Errorf("neuron cuba-lif: with coupling %v, alpha %v and beta %v no current reaches the membrane; want decays between 0 and 1", n.Coupling, n.Alpha, n.Beta)
	}
	return checkFiring("cuba-lif", n.Threshold, n.Reset, n.Refractory)
}

// kappa is κ.
func (n CuBaLIF) kappa() float64 {
	switch n.Coupling {
	case Euler:
		return 1 - n.Beta
	case Exact:
		d := math.Log(n.Beta) - math.Log(n.Alpha)
		if d == 0 {
			return -math.Log(n.Beta) * n.Beta
		}
		return -math.Log(n.Beta) * n.Alpha * math.Expm1(d) / d
	}
	return 1
}

// States is 2, the membrane and the current, and with a refractory time 3: the
// steps of it that remain.
func (n CuBaLIF) States() int { return n.firing().states(2) }

// Argument is u − θ, with slope 1.
func (n CuBaLIF) Argument(u tensor.Float) (z, slope tensor.Float) { return argument(u, n.Threshold) }

// Forward runs the equations of the type's comment.
func (n CuBaLIF) Forward(steps, units int, x []tensor.Float, xs int, state, u []tensor.Float, us int, spikes []uint64, ss int) {
	n.scan(false, steps, units, x, xs, state, u, us, spikes, ss)
}

// Replay runs the charge and the reset for given spikes.
func (n CuBaLIF) Replay(steps, units int, x []tensor.Float, xs int, state, u []tensor.Float, us int, spikes []uint64, ss int) {
	n.scan(true, steps, units, x, xs, state, u, us, spikes, ss)
}

func (n CuBaLIF) scan(replay bool, steps, units int, x []tensor.Float, xs int, state, u []tensor.Float, us int, spikes []uint64, ss int) {
	f := n.firing()
	alpha, beta, kappa := tensor.Float(n.Alpha), tensor.Float(n.Beta), tensor.Float(n.kappa())
	var row [unitBlock]tensor.Float
	for lo := 0; lo < units; lo += unitBlock {
		hi := min(lo+unitBlock, units)
		v, current, pause, m := state[lo:hi], state[units+lo:units+hi], f.pauses(state, 2, units, lo, hi), row[:hi-lo]
		for t := range steps {
			if u != nil {
				m = u[t*us+lo:][:len(v)]
			}
			in := x[t*xs+lo:][:len(m)]
			for i, c := range current[:len(m)] {
				now := tensor.Float(alpha*c) + in[i]
				current[i] = now
				if !n.Delay {
					c = now
				}
				m[i] = tensor.Float(beta*v[i]) + tensor.Float(kappa*c)
			}
			f.run(replay, m, v, pause, spikes[t*ss+lo/64:])
		}
	}
}

// Backward runs the equations of the type's comment.
func (n CuBaLIF) Backward(steps, units int, s surrogate.Surrogate, u []tensor.Float, us int, gs []tensor.Float, gss int, gstate, gx []tensor.Float, gxs int) {
	f := n.firing()
	alpha, beta, kappa := tensor.Float(n.Alpha), tensor.Float(n.Beta), tensor.Float(n.kappa())
	var row [unitBlock]tensor.Float
	for lo := 0; lo < units; lo += unitBlock {
		hi := min(lo+unitBlock, units)
		gv, gc := gstate[lo:hi], gstate[units+lo:units+hi]
		for t := steps - 1; t >= 0; t-- {
			m, gu, out := u[t*us+lo:][:len(gv)], row[:len(gv)], gx[t*gxs+lo:][:len(gv)]
			f.throughSpikes(gu, gs[t*gss+lo:][:len(gv)], m, s)
			for i, g := range gu {
				if m[i] == refractory { // the membrane passes unchanged
					g = 0
				} else {
					if !f.cut(m[i]) {
						g += gv[i]
					}
					gv[i] = beta * g
				}
				now, before := gc[i], tensor.Float(kappa*g)
				if !n.Delay {
					now, before = now+before, 0
				}
				gc[i] = tensor.Float(alpha*now) + before
				put(out, i, now, gxs)
			}
		}
	}
}

func (n CuBaLIF) firing() firing {
	return newFiring(n.Threshold, n.Strict, n.Reset, n.Refractory)
}
