package surrogate

import (
	"errors"

	"synfire/internal/kernel"
	"synfire/tensor"
)

// Rectangle is the piecewise constant derivative (Wu et al., "Spatio-temporal
// backpropagation for training high-performance spiking neural networks",
// 2018, where h = 1/a for a window of full width a = 2w):
//
//	σ'(z) = h for |z| ≤ w, else 0
//	σ(z)  = 1/2 + h·z for |z| ≤ w, and 1/2 ± h·w beyond
//
// with height h > 0 and half width w > 0. The edge |z| = w counts, unless Open:
// then σ'(w) = 0, as of SpikingJelly's Rect of α = h and w = 1/(2α).
type Rectangle struct {
	Height float64 `yaml:"height"`         // h
	Width  float64 `yaml:"width"`          // w, from the threshold to where it ends
	Open   bool    `yaml:"open,omitempty"` // leave the edge |z| = w out
}

// Validate returns an error unless height and width are positive.
func (s Rectangle) Validate() error {
	return errors.Join(positive("rectangle", "height", s.Height), positive("rectangle", "width", s.Width))
}

// Kernel is the form that the kernels compute.
func (s Rectangle) Kernel() kernel.Surrogate {
	k := kernel.Surrogate{Shape: kernel.Rectangle, A: tensor.Float(1 / s.Width), B: tensor.Float(s.Height)}
	if s.Open { // beyond the number below w is at w or beyond
		k.Cut = below(tensor.Float(s.Width))
	}
	return k
}

// below is the largest Float less than x, for finite positive x.
func below(x tensor.Float) tensor.Float {
	step := x // halve until the smallest step that still changes x
	for x-step/2 < x {
		step /= 2
	}
	return x - step
}

// Derivative is σ'(z).
func (s Rectangle) Derivative(z tensor.Float) tensor.Float {
	if s.Open && abs(z) >= tensor.Float(s.Width) {
		return 0
	}
	if abs(z)*tensor.Float(1/s.Width) <= 1 {
		return tensor.Float(s.Height)
	}
	return 0
}

// Primitive is σ(z).
func (s Rectangle) Primitive(z tensor.Float) tensor.Float {
	w := tensor.Float(s.Width)
	return 0.5 + tensor.Float(s.Height)*min(max(z, -w), w)
}
