package optim

import (
	"fmt"
	"math"

	"synfire/tensor"
)

// AdamW is Adam with weight decay apart from the gradient (Loshchilov and
// Hutter, "Decoupled weight decay regularization", 2019): each step first
// takes Decay·η of a weight away.
//
//	w ← w − η·λ·w, then Adam
type AdamW struct {
	Adam        `yaml:",inline"`
	Decay       float64 `yaml:"decay"`
	DecayBiases bool    `yaml:"decay-biases"` // see Decaying
}

// Decaying is an Optimizer with weight decay. Apply leaves it out for
// parameters of one dimension (biases, scales and shifts of normalisation),
// unless the optimiser's DecayBiases says otherwise.
type Decaying interface {
	Optimizer
	// ForVectors is the rule for parameters of one dimension.
	ForVectors() Optimizer
}

// Validate returns an error unless Adam's options are valid and the weight
// decay is not negative.
func (o AdamW) Validate() error {
	if err := checkWeightDecay("adamw", o.Decay); err != nil {
		return err
	}
	return o.validate("adamw")
}

// Update takes one step.
func (o AdamW) Update(w, g []tensor.Float, buf [][]tensor.Float, t int, eta float64) {
	k := o.kernel(t, eta)
	k.Keep = tensor.Float(1 - eta*o.Decay)
	k.Update(w, g, buf[0], buf[1])
}

// ForVectors is Adam, or o itself with DecayBiases.
func (o AdamW) ForVectors() Optimizer {
	if o.DecayBiases {
		return o
	}
	return o.Adam
}

// ForVectors is o without weight decay, or o itself with DecayBiases.
func (o SGD) ForVectors() Optimizer {
	if !o.DecayBiases {
		o.Decay = 0
	}
	return o
}

// forParam is the rule for a parameter.
func forParam(o Optimizer, p tensor.Param) Optimizer {
	if d, ok := o.(Decaying); ok && len(p.Value.Shape) < 2 {
		return d.ForVectors()
	}
	return o
}

func checkWeightDecay(kind string, decay float64) error {
	if decay >= 0 && !math.IsInf(decay, 0) {
		return nil
	}
	return fmt.Errorf("optimizer %s: decay is %v, want a weight decay of 0 or more (0.01 is usual for adamw, 1e-4 for sgd)", kind, decay)
}
