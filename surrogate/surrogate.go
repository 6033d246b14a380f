// Package surrogate holds the derivatives that stand in for the derivative of
// a neuron's step when errors are propagated through spikes.
//
// A spike is s = H(z) with H the unit step, whose derivative is zero almost
// everywhere. Training uses σ'(z) in its place. Where σ' is the derivative of
// a smooth primitive σ, replacing H by σ (the soft spike) makes a network
// whose exact gradient is the one computed here: this is how gradients are
// checked.
//
// Some surrogates that never reach zero take a cut-off: beyond ±Cut (0: none)
// σ' counts as exactly zero and σ as constant. That is an approximation, off
// by default: it leaves out errors of up to σ'(Cut) of what arrives, and keeps
// rare and faint ones from being carried back at all.
package surrogate

import (
	"errors"
	"fmt"
	"math"

	"synfire/internal/kernel"
	"synfire/tensor"
)

// Surrogate is a derivative and its primitive, functions of the membrane's
// distance from threshold z (in units of the neuron's own choice).
type Surrogate interface {
	Derivative(z tensor.Float) tensor.Float
	Primitive(z tensor.Float) tensor.Float
	Validate() error
}

// Fast is a Surrogate that the kernels know. The Theta of the value returned
// is unset: the neuron fills it in.
type Fast interface{ Kernel() kernel.Surrogate }

// FastSigmoid is the derivative of the fast sigmoid (Zenke and Ganguli,
// "SuperSpike", 2018), scaled to 1 at the threshold:
//
//	σ'(z) = 1 / (1 + k|z|)²,   σ(z) = 1/2 + z / (1 + k|z|)
//
// with slope k > 0 per unit of membrane. The error of a Cut grows with
// σ'(Cut): with slope 25 and Cut 0.36 it is 1 %.
type FastSigmoid struct {
	Slope float64 `yaml:"slope"` // k, per unit of membrane
	Cut   float64 `yaml:"cut"`   // distance from the threshold beyond which σ' counts as 0; 0: nowhere
}

// Validate returns an error unless the slope is positive and the cut is not
// negative.
func (s FastSigmoid) Validate() error {
	return errors.Join(positive("fast-sigmoid", "slope", s.Slope), cutoff("fast-sigmoid", s.Cut))
}

// Kernel is the form that the kernels compute.
func (s FastSigmoid) Kernel() kernel.Surrogate {
	return kernel.Surrogate{Shape: kernel.FastSigmoid, A: tensor.Float(s.Slope), Cut: tensor.Float(s.Cut)}
}

// Derivative is σ'(z).
func (s FastSigmoid) Derivative(z tensor.Float) tensor.Float {
	if beyond(z, s.Cut) {
		return 0
	}
	d := 1 + tensor.Float(s.Slope)*abs(z)
	return 1 / (d * d)
}

// Primitive is σ(z).
func (s FastSigmoid) Primitive(z tensor.Float) tensor.Float {
	z = within(z, s.Cut)
	return 0.5 + z/(1+tensor.Float(s.Slope)*abs(z))
}

// ArcTan is the derivative of the arc tangent (Fang et al., "Incorporating
// learnable membrane time constant", ICCV 2021):
//
//	σ'(z) = (α/2) / (1 + (π/2·α·z)²),   σ(z) = 1/2 + atan(π/2·α·z)/π
//
// with α > 0; σ runs from 0 to 1. The error of a Cut grows with σ'(Cut): with
// α = 2 and Cut 3.17 it is 1 % of σ'(0).
type ArcTan struct {
	Alpha float64 `yaml:"alpha"` // α, per unit of membrane
	Cut   float64 `yaml:"cut"`   // distance from the threshold beyond which σ' counts as 0; 0: nowhere
}

// Validate returns an error unless alpha is positive and the cut is not
// negative.
func (s ArcTan) Validate() error {
	return errors.Join(positive("arctan", "alpha", s.Alpha), cutoff("arctan", s.Cut))
}

// Kernel is the form that the kernels compute.
func (s ArcTan) Kernel() kernel.Surrogate {
	return kernel.Surrogate{
		Shape: kernel.ArcTan,
		A:     tensor.Float(math.Pi / 2 * s.Alpha),
		B:     tensor.Float(s.Alpha / 2),
		Cut:   tensor.Float(s.Cut),
	}
}

// Derivative is σ'(z).
func (s ArcTan) Derivative(z tensor.Float) tensor.Float {
	if beyond(z, s.Cut) {
		return 0
	}
	y := tensor.Float(math.Pi/2*s.Alpha) * z
	return tensor.Float(s.Alpha/2) / (1 + y*y)
}

// Primitive is σ(z).
func (s ArcTan) Primitive(z tensor.Float) tensor.Float {
	z = within(z, s.Cut)
	return tensor.Float(0.5 + math.Atan(math.Pi/2*s.Alpha*float64(z))/math.Pi)
}

// Triangle is the piecewise linear derivative (Bellec et al., "Long short-term
// memory and learning-to-learn in networks of spiking neurons", 2018):
//
//	σ'(z) = γ·max(0, 1 − |z|/w)
//	σ(z)  = 1/2 + γ·(z − z|z|/(2w)) for |z| ≤ w, and 1/2 ± γ·w/2 beyond
//
// with height γ > 0 and half width w > 0. It is exactly zero beyond w.
type Triangle struct {
	Height float64 `yaml:"height"` // γ, at the threshold
	Width  float64 `yaml:"width"`  // w, from the threshold to where it ends
}

// Validate returns an error unless height and width are positive.
func (s Triangle) Validate() error {
	if err := positive("triangle", "height", s.Height); err != nil {
		return err
	}
	return positive("triangle", "width", s.Width)
}

// Kernel is the form that the kernels compute.
func (s Triangle) Kernel() kernel.Surrogate {
	return kernel.Surrogate{Shape: kernel.Triangle, A: tensor.Float(1 / s.Width), B: tensor.Float(s.Height)}
}

// Derivative is σ'(z).
func (s Triangle) Derivative(z tensor.Float) tensor.Float {
	return tensor.Float(s.Height) * max(0, 1-abs(z)*tensor.Float(1/s.Width))
}

// Primitive is σ(z).
func (s Triangle) Primitive(z tensor.Float) tensor.Float {
	w, g := tensor.Float(s.Width), tensor.Float(s.Height)
	z = min(max(z, -w), w)
	return 0.5 + g*(z-z*abs(z)/(2*w))
}

func abs(z tensor.Float) tensor.Float { return max(z, -z) }

// beyond reports whether z lies outside a cut-off (0: none).
func beyond(z tensor.Float, cut float64) bool { return cut > 0 && abs(z) > tensor.Float(cut) }

// within is the point nearest to z inside a cut-off (0: none).
func within(z tensor.Float, cut float64) tensor.Float {
	if cut == 0 {
		return z
	}
	return min(max(z, -tensor.Float(cut)), tensor.Float(cut))
}

func cutoff(kind string, cut float64) error {
	if cut >= 0 && !math.IsInf(cut, 0) {
		return nil
	}
	return fmt.Errorf("surrogate %s: cut is %v, want a distance from threshold, or 0 for no cut-off", kind, cut)
}

func positive(kind, option string, v float64) error {
	if v > 0 && !math.IsInf(v, 0) {
		return nil
	}
	return fmt.Errorf("surrogate %s: %s is %v, want a positive number", kind, option, v)
}
