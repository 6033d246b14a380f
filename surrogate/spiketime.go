package surrogate

import (
	"errors"
	"math"

	"synfire/tensor"
)

// Timed is a Surrogate whose derivative depends on the time since the unit's last
// spike, which only some neurons keep.
type Timed interface {
	Surrogate
	// Slope is the derivative at a unit whose last spike was this many steps ago.
	Slope(since tensor.Float) tensor.Float
}

// SpikeTime is the derivative of spike-timing dependent backpropagation (Rathi,
// Srinivasan, Panda and Roy, "Enabling deep spiking neural networks with hybrid
// conversion and spike timing dependent backpropagation", ICLR 2020, section 3.3),
// for a unit whose last spike was Δt steps ago:
//
//	∂s/∂z = α·exp(−β·Δt)
//
// with height α > 0 and decay β ≥ 0 per step. It does not depend on z and has no
// primitive: a gradient is checked with spikes α·exp(−β·Δt)·z whose Δt are recorded.
// Derivative and Primitive are those of a unit that fires now.
type SpikeTime struct {
	Alpha float64 `yaml:"alpha"` // α, of a unit that fires now
	Beta  float64 `yaml:"beta"`  // β, by which it decays in a step without a spike
}

// Validate returns an error unless alpha is positive and beta is not negative.
func (s SpikeTime) Validate() error {
	var err error
	if s.Beta != 0 { // no decay at all is allowed
		err = positive("spike-time", "beta", s.Beta)
	}
	return errors.Join(positive("spike-time", "alpha", s.Alpha), err)
}

// Derivative is α.
func (s SpikeTime) Derivative(tensor.Float) tensor.Float { return tensor.Float(s.Alpha) }

// Primitive is 1/2 + α·z.
func (s SpikeTime) Primitive(z tensor.Float) tensor.Float { return 0.5 + tensor.Float(s.Alpha)*z }

// Slope is α·exp(−β·Δt).
func (s SpikeTime) Slope(since tensor.Float) tensor.Float {
	return tensor.Float(s.Alpha * math.Exp(-s.Beta*float64(since)))
}
