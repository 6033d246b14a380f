package main

import (
	"fmt"
	"math"

	"synfire/tensor"
)

// Gaussian is a surrogate: the density of a normal distribution of deviation Width,
// scaled to 1 at the threshold, and its primitive.
//
//	σ'(z) = exp(−z²/(2w²)),   σ(z) = w·√(π/2)·(1 + erf(z/(w√2)))
type Gaussian struct {
	Width float64 `yaml:"width"` // w, per unit of membrane
}

// Validate returns an error unless Width is positive.
func (g Gaussian) Validate() error {
	if g.Width > 0 && !math.IsInf(g.Width, 0) {
		return nil
	}
	return fmt.Errorf("surrogate gaussian: width is %v, want a positive number, such as 0.5", g.Width)
}

// Derivative is σ'.
func (g Gaussian) Derivative(z tensor.Float) tensor.Float {
	x := float64(z) / g.Width
	return tensor.Float(math.Exp(-x * x / 2))
}

// Primitive is σ.
func (g Gaussian) Primitive(z tensor.Float) tensor.Float {
	return tensor.Float(g.Width * math.Sqrt(math.Pi/2) * (1 + math.Erf(float64(z)/(g.Width*math.Sqrt2))))
}
