// Package unit holds the units of a network that relaxes: how a drive z moves the state s
// of one, and what it sends of it.
//
//	real     s ← clip((1 − ε)·s + ε·σ(z), 0, 1), and s itself is sent
//	spiking  a bit a step in place of the state, see Spiking
//	binary   weights that are signs of what learns, see Binary
package unit

import (
	"math"

	"synfire/internal/enum"
	"synfire/internal/kernel"
	"synfire/tensor"
)

// Activation is σ of the discrete dynamics.
type Activation uint8

// The activations.
const (
	Continuous  Activation = iota // none: the continuous dynamics
	HardSigmoid                   // min(max(z, 0), 1)
	HalfSigmoid                   // min(max(z/2, 0), 1)
	Logistic                      // 1/(1 + exp(−4(z − ½)))
	Tanh
)

var activationNames = []string{"continuous", "hard-sigmoid", "half-sigmoid", "logistic", "tanh"}

// String is the activation's name in configurations.
func (a Activation) String() string { return enum.Name(a, activationNames) }

// MarshalText is String.
func (a Activation) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is the inverse of String.
func (a *Activation) UnmarshalText(text []byte) error {
	return enum.Parse(a, text, "activation", activationNames)
}

// Apply is σ of each element, in place.
func (a Activation) Apply(z []tensor.Float) {
	switch a {
	case HardSigmoid:
		kernel.Relax{Gain: 1, Hi: 1}.Step(z, z)
	case HalfSigmoid:
		kernel.Relax{Gain: 0.5, Hi: 1}.Step(z, z)
	case Logistic:
		kernel.Logistic{Threshold: 0.5, Slope: 4}.Of(z, z)
	case Tanh:
		for i, v := range z {
			z[i] = tensor.Float(math.Tanh(float64(v)))
		}
	}
}

// Move is a step ε of real units towards σ(z), which a prediction joins with strength
// lambda: its leak is theirs.
func (a Activation) Move(step, lambda float64) kernel.Relax {
	m := kernel.Relax{Keep: tensor.Float(1 - step*(1+lambda)), Gain: tensor.Float(step), Hi: 1}
	if a == Tanh {
		m.Lo = -1
	}
	return m
}
