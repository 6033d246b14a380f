// Package spikegrad is SpikeGrad: signed spikes carry activations forward and errors
// backward, and what a neuron sends in all is an integer that an ordinary network
// computes as well. Training runs that network; the spiking one proves it.
//
// # Neurons
//
// There is no leak and no time but the order of events. A neuron has a potential V with
// V(0) = B·b, to which a spike s = ±1 of input j adds w_j·s. Whenever V leaves (−Θ, Θ) it
// fires: a spike +1 where V ≥ Θ, and −1 where V ≤ −Θ and it is linear, or has n > 0 spikes
// sent; V falls by Θ·s. So with all input I = B·b + Σ w_j n_j, always
//
//	I = Θ·n + V
//
// The input is n⁰ = trunc(x/Θ_in), outputs do not fire. Which of two n it is may hang on
// the order of events, until a layer settles: a neuron with n > 0 and V < 0 sends −1, one
// with n < 0 and V > 0 sends +1. Then, in any order,
//
//	linear  n = trunc(I/Θ)        ReLU  n = max(0, ⌊I/Θ⌋)
//
// Errors go back through a second compartment of each neuron, U, likewise, linear and
// without bias, for neurons with S′ = 1: those that are linear, or end with V > 0 or n > 0.
//
//	p = softmax(V^L/κ),  D^L = trunc(α(p − y)/Θ_bp),  D^l = S′·trunc(W^{l+1}ᵀ D^{l+1}/Θ_bp)
//
// # Learning
//
// α ≫ 1 keeps errors, which are at most 1, from vanishing below Θ_bp. Those of classes that
// are hardly likely vanish first, so that the errors of the outputs no longer sum to 0 and all
// outputs are lifted together, by up to Θ_bp/α each. The softmax does not see that and nothing
// but decay holds it: where many classes stay possible over a long run, the layers below grow with
// it until learning breaks down. Then α must be larger. The gradients of the
// cross-entropy −log p_y are, with truncation for the identity,
//
//	∂W^l = c_l D^l ⊗ n^{l−1},  ∂b^l = c_l B D^l,  c_L = Θ_bp/(ακ),  c_l = c_{l+1} Θ_bp^l/Θ^l
//
// in the mean over a batch; an optimiser takes them. Weights are held as they are learnt,
// and used as the nearest multiples of 2^−bits.
//
// Average pooling is a layer of linear neurons with weights 1/size². Its truncation loses
// errors below size² spikes, unless the layer below it has the Θ_bp of 1/size².
//
// # Exactness
//
// Sums of multiples of 2^−bits are exact in float32 while they stay below 2²⁴ units (2⁵³ in
// float64), and then the network of integers is the spiking one, which counts in int64, to
// the last bit. The metric inexact is the share of samples for which that is not certain.
//
// Thiele, Bichler, Dupret, "SpikeGrad: An ANN-equivalent computation model for implementing
// backpropagation with spikes", ICLR 2020. Settling, bits, κ, B and c_l are ours.
package spikegrad

import (
	"errors"
	"fmt"
	"math"

	"synfire/internal/enum"
	"synfire/optim"
)

// Kind names the rule in configurations and model files.
const Kind = "spikegrad"

// Layer is a layer of neurons: one of Dense, Conv and Pool says of which kind.
type Layer struct {
	Dense   int     `yaml:"dense,omitempty"`    // units that see all of the layer below
	Conv    int     `yaml:"conv,omitempty"`     // channels of a convolution
	Kernel  int     `yaml:"kernel,omitempty"`   // side of its windows
	Stride  int     `yaml:"stride,omitempty"`   // from window to window; 0: 1
	Padding int     `yaml:"padding,omitempty"`  // pixels on each side of the image
	Pool    int     `yaml:"pool,omitempty"`     // side of the windows of an average pooling, whose neurons are linear
	Linear  bool    `yaml:"linear,omitempty"`   // neurons send spikes of both signs, in place of ReLU
	Theta   float64 `yaml:"theta,omitempty"`    // Θ of its neurons; 0: that of the rule
	ThetaBP float64 `yaml:"theta-bp,omitempty"` // Θ_bp of its neurons; 0: that of the rule
}

// Truncate says which passes count whole spikes.
type Truncate uint8

// The passes that truncate.
const (
	Both    Truncate = iota // spikes forward and backward
	Forward                 // spikes forward, errors are real
	None                    // an ordinary network of real values, with weights as they are
)

var truncateNames = []string{"both", "forward", "none"}

// String is the name in configurations.
func (t Truncate) String() string { return enum.Name(t, truncateNames) }

// MarshalText is String.
func (t Truncate) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText is the inverse of String.
func (t *Truncate) UnmarshalText(text []byte) error {
	return enum.Parse(t, text, "truncation", truncateNames)
}

// Side says what computes the passes. All sides give the same bits where sums are exact.
type Side uint8

// The sides.
const (
	Integers     Side = iota // the equivalent network, by products of matrices
	Synchronous              // spikes, layer by layer
	Asynchronous             // spikes of all layers in random order, then settling
)

var sideNames = []string{"integers", "synchronous", "asynchronous"}

// String is the name in configurations.
func (s Side) String() string { return enum.Name(s, sideNames) }

// MarshalText is String.
func (s Side) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is the inverse of String.
func (s *Side) UnmarshalText(text []byte) error { return enum.Parse(s, text, "side", sideNames) }

// Rule is SpikeGrad as a configuration describes it. Behind Layers comes a dense layer of
// one output for each class.
type Rule struct {
	Layers     []Layer         `yaml:"layers,omitempty"` // between input and output, from the input on
	ThetaIn    float64         `yaml:"theta-in"`         // Θ_in, what an input spike stands for
	Theta      float64         `yaml:"theta"`            // Θ of forward potentials
	ThetaBP    float64         `yaml:"theta-bp"`         // Θ_bp of errors
	Alpha      float64         `yaml:"alpha"`            // α, the scale of errors
	Kappa      float64         `yaml:"kappa"`            // κ, the scale of output potentials; 0: 1/theta-in
	BiasSpikes int             `yaml:"bias-spikes"`      // B, of a unit that biases are the weights of; 0: 1/theta-in, rounded
	Bits       int             `yaml:"bits"`             // weights are multiples of 2^−bits
	Truncate   Truncate        `yaml:"truncate"`         // which passes count whole spikes
	Side       Side            `yaml:"side"`             // what computes the passes
	MostSpikes int             `yaml:"most-spikes"`      // of a sample on the spiking sides, all layers together, beyond which it is an error
	Optimizer  optim.Optimizer `yaml:"optimizer"`        // how a gradient changes the weights
	Schedule   optim.Schedule  `yaml:"schedule"`         // of the learning rate over the run
}

// NewRule has the defaults of a configuration file.
func NewRule() Rule {
	return Rule{
		ThetaIn: 1.0 / 16, Theta: 1, ThetaBP: 1, Alpha: 100, Bits: 12, MostSpikes: 10_000_000,
		Optimizer: optim.SGD{LR: 0.1, Momentum: 0.9}, Schedule: optim.Milestones{At: []float64{2.0 / 3}, Factor: 0.1},
	}
}

// withDefaults fills in what follows from the rest.
func (r Rule) withDefaults() Rule {
	if r.Kappa == 0 {
		r.Kappa = 1 / r.ThetaIn
	}
	if r.BiasSpikes == 0 {
		r.BiasSpikes = max(1, int(math.Round(1/r.ThetaIn)))
	}
	if r.Schedule == nil {
		r.Schedule = optim.Fixed{}
	}
	return r
}

// Ignores are the keys of time: there is none but the order of events.
func (Rule) Ignores() []string { return []string{"encoder", "steps"} }

// mostBits keeps units apart from the numbers of float32.
const mostBits = 20

// Validate returns an error for a network that cannot learn.
func (r Rule) Validate() error {
	fail := func(format string, args ...any) error { return fmt.Errorf("spikegrad: "+format, args...) }
	for _, v := range []struct {
		name  string
		value float64
	}{
		{"theta-in", r.ThetaIn}, {"theta", r.Theta}, {"theta-bp", r.ThetaBP}, {"alpha", r.Alpha}, {"kappa", r.withDefaults().Kappa},
	} {
		if !(v.value > 0) || math.IsInf(v.value, 0) {
			return fail("%s is %v, want a positive number; leave it out for its default", v.name, v.value)
		}
	}
	switch {
	case r.Bits < 0 || r.Bits > mostBits:
		return fail("bits is %d, want 0 to %d; 12 is common", r.Bits, mostBits)
	case r.BiasSpikes < 0:
		return fail("bias-spikes is %d, want a number of spikes, or 0 for 1/theta-in", r.BiasSpikes)
	case r.MostSpikes < 1:
		return fail("most-spikes is %d, want at least 1; 10000000 is the default", r.MostSpikes)
	case r.Truncate > None || r.Side > Asynchronous:
		return fail("truncate %d, side %d: one of them is unknown", r.Truncate, r.Side)
	case r.Side != Integers && r.Truncate != Both:
		return fail("truncate %v on the %v side: spikes are whole; leave truncate out, or take the integers' side", r.Truncate, r.Side)
	case r.Optimizer == nil:
		return fail("no optimizer; try sgd with lr 0.1 and momentum 0.9")
	}
	for i, l := range r.Layers {
		if err := l.validate(); err != nil {
			return fail("layer %d: %w", i+1, err)
		}
	}
	errs := []error{r.Optimizer.Validate()}
	if v, ok := r.Schedule.(interface{ Validate() error }); ok {
		errs = append(errs, v.Validate())
	}
	return errors.Join(errs...)
}

func (l Layer) validate() error {
	kinds := 0
	for _, n := range []int{l.Dense, l.Conv, l.Pool} {
		if n < 0 {
			return fmt.Errorf("%+v: none of dense, conv and pool may be negative", l)
		}
		if n > 0 {
			kinds++
		}
	}
	window := l.Kernel != 0 || l.Stride != 0 || l.Padding != 0
	switch {
	case kinds != 1:
		return errors.New("want one of dense: UNITS, conv: CHANNELS and pool: SIZE")
	case l.Conv > 0 && l.Kernel < 1:
		return fmt.Errorf("kernel is %d, want the side of the windows, as 5", l.Kernel)
	case l.Stride < 0 || l.Padding < 0:
		return fmt.Errorf("stride %d, padding %d: none may be negative", l.Stride, l.Padding)
	case l.Conv == 0 && window:
		return errors.New("kernel, stride and padding are of conv; leave them out")
	case l.Pool > 0 && l.Linear:
		return errors.New("neurons of a pooling are linear; leave linear out")
	}
	for name, v := range map[string]float64{"theta": l.Theta, "theta-bp": l.ThetaBP} {
		if !(v >= 0) || math.IsInf(v, 0) {
			return fmt.Errorf("%s is %v, want a positive number, or leave it out", name, v)
		}
	}
	return nil
}
