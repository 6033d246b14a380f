package surrogate

import (
	"errors"
	"math"

	"synfire/tensor"
)

// Sigmoid is the derivative of the logistic sigmoid, the activation of Boltzmann
// machines and a common surrogate (Zenke and Vogels, "The remarkable
// robustness of surrogate gradient learning", 2021, compare it with others):
//
//	σ(z) = 1 / (1 + exp(−k·z)),   σ'(z) = k·σ(z)·(1 − σ(z))
//
// with slope k > 0 per unit of membrane; σ runs from 0 to 1, and σ' is k/4 at the
// threshold.
type Sigmoid struct {
	Slope float64 `yaml:"slope"` // k, per unit of membrane
	Cut   float64 `yaml:"cut"`   // distance from the threshold beyond which σ' counts as 0; 0: nowhere
}

// Validate returns an error unless the slope is positive and the cut is not
// negative.
func (s Sigmoid) Validate() error {
	return errors.Join(positive("sigmoid", "slope", s.Slope), cutoff("sigmoid", s.Cut))
}

// Derivative is σ'(z).
func (s Sigmoid) Derivative(z tensor.Float) tensor.Float {
	if beyond(z, s.Cut) {
		return 0
	}
	e := math.Exp(-s.Slope * float64(abs(z))) // σ' is even, and this never overflows
	return tensor.Float(s.Slope * e / ((1 + e) * (1 + e)))
}

// Primitive is σ(z).
func (s Sigmoid) Primitive(z tensor.Float) tensor.Float {
	z = within(z, s.Cut)
	return tensor.Float(1 / (1 + math.Exp(-s.Slope*float64(z))))
}

// Exponential is the derivative that decays exponentially on either side of the
// threshold, like the density of spikes of a neuron with noise (Shrestha and
// Orchard, "SLAYER: Spike layer error reassignment in time", 2018, where
// h = 1/α and k = β):
//
//	σ'(z) = h·exp(−k|z|),   σ(z) = 1/2 ± (h/k)·(1 − exp(−k|z|)) for z ≷ 0
//
// with height h > 0 and slope k > 0 per unit of membrane.
type Exponential struct {
	Height float64 `yaml:"height"` // h, at the threshold
	Slope  float64 `yaml:"slope"`  // k, per unit of membrane
	Cut    float64 `yaml:"cut"`    // distance from the threshold beyond which σ' counts as 0; 0: nowhere
}

// Validate returns an error unless height and slope are positive and the cut
// is not negative.
func (s Exponential) Validate() error {
	return errors.Join(positive("exponential", "height", s.Height), positive("exponential", "slope", s.Slope), cutoff("exponential", s.Cut))
}

// Derivative is σ'(z).
func (s Exponential) Derivative(z tensor.Float) tensor.Float {
	if beyond(z, s.Cut) {
		return 0
	}
	return tensor.Float(s.Height * math.Exp(-s.Slope*float64(abs(z))))
}

// Primitive is σ(z).
func (s Exponential) Primitive(z tensor.Float) tensor.Float {
	z = within(z, s.Cut)
	rise := -math.Expm1(-s.Slope * float64(abs(z)))
	return tensor.Float(0.5 + s.Height/s.Slope*math.Copysign(rise, float64(z)))
}
