// Package dbn is the spiking belief net of O'Connor, Neil, Liu, Delbruck and Pfeiffer
// ("Real-time classification and sensor fusion with a spiking deep belief network", Front.
// Neurosci. 7:178, 2013): restricted Boltzmann machines that learn by contrastive divergence,
// their units having the rates that Siegert's formula gives leaky integrate-and-fire neurons,
// and that answer as a network of such neurons, spike by spike.
//
// An activity is a rate as a part of the largest, 1/t_ref. With weights W in units of the
// threshold, machine by machine, each learning from the rates of the one below,
//
//	h = S(W, v),  v' = S(Wᵀ, h),  h' = S(W, v')          S: Siegert's rates, LIF.Rate
//	ΔW = η·(v·hᵀ − v'·h'ᵀ)
//
// The last machine sees the rates below and a unit for each class together, so that it learns
// how they go together. To answer, spikes of the inputs run upwards and from the last hidden
// layer to the labels; the label that fires most is the answer.
//
// As in the authors' program there are no biases. Hidden units may be pushed to a mean activity, as
// in sparse belief nets (Lee, Ekanadham and Ng, "Sparse deep belief net model for visual area V2",
// NIPS 2007), by the weights of what is active where these have biases:
//
//	ΔW += η·push·(sparsity − ⟨h⟩)·⟨v⟩
//
// Left out of that program are its persistent chains and its fast weights; all machines learn at
// once, not one after another.
package dbn

import (
	"errors"
	"fmt"

	"synfire/optim"
	"synfire/train"
	"synfire/train/online"
)

// Kind names the rule in configurations and model files.
const Kind = "spiking-dbn"

// Rule is a spiking belief net as a configuration describes it: restricted Boltzmann machines
// that learn by contrastive divergence with Siegert's rates and answer by spikes. Samples are
// values in [0, 1] with a class each; the run's steps and encoder do not matter. O'Connor et al.
// 2013.
type Rule struct {
	Hidden   []int          `yaml:"hidden"`   // units of the layers behind the input; the last learns with the labels
	Neuron   LIF            `yaml:"neuron"`   // whose rates are learned with, and which answer
	Bright   float64        `yaml:"bright"`   // activity of an input of 1, and of a label, as part of the largest rate
	Duration float64        `yaml:"duration"` // of an answer, in seconds
	LR       float64        `yaml:"lr"`       // η
	Schedule optim.Schedule `yaml:"schedule"` // of the rate over the run
	Momentum float64        `yaml:"momentum"` // part of the last change that is made again
	Decay    float64        `yaml:"decay"`    // of weights, times η
	Push     float64        `yaml:"push"`     // how strongly hidden units are pushed to a mean activity; 0: not at all
	Sparsity float64        `yaml:"sparsity"` // that activity, as part of the largest rate
	Gibbs    int            `yaml:"gibbs"`    // steps that the machine goes by itself
	Noise    float64        `yaml:"noise"`    // deviation that states have from their rates
	Initial  float64        `yaml:"initial"`  // deviation of weights at first
}

// NewRule has the defaults of a configuration file.
func NewRule() Rule {
	return Rule{
		Hidden: []int{500, 500}, Neuron: LIF{TauM: 5, Refractory: 0.002}, Bright: 0.2, Duration: 0.2,
		LR: 0.5, Schedule: optim.Fixed{}, Momentum: 0.5, Decay: 1e-4, Sparsity: 0.02, Gibbs: 1, Noise: 0.005, Initial: 0.01,
	}
}

// Ignores are the encoder and the steps: time is continuous.
func (Rule) Ignores() []string { return []string{"encoder", "steps"} }

// Validate returns an error for options that make no sense.
func (r Rule) Validate() error {
	fail := func(format string, args ...any) error { return fmt.Errorf("spiking-dbn: "+format, args...) }
	if len(r.Hidden) == 0 {
		return fail("no hidden layers; [500, 500] is usual")
	}
	for _, n := range r.Hidden {
		if n < 1 || n > 1<<16 {
			return fail("hidden %v: %d units, want from 1 to %d; 500 are usual", r.Hidden, n, 1<<16)
		}
	}
	if err := r.Neuron.Validate(); err != nil {
		return fail("neuron: %w", err)
	}
	for _, o := range []struct {
		name               string
		value, most, usual float64
	}{{"bright", r.Bright, 1, 0.2}, {"duration", r.Duration, 100, 0.2}, {"lr", r.LR, 1e6, 0.5}, {"initial", r.Initial, 100, 0.01}} {
		if !(o.value > 0 && o.value <= o.most) {
			return fail("%s is %v, want a positive number up to %g; %v is usual", o.name, o.value, o.most, o.usual)
		}
	}
	switch {
	case !(r.Momentum >= 0 && r.Momentum < 1):
		return fail("momentum is %v, want a part from 0 to below 1; 0.5 is usual", r.Momentum)
	case !(r.Decay >= 0 && r.Decay <= 1):
		return fail("decay is %v, want a part from 0 to 1; 1e-4 is usual", r.Decay)
	case !(r.Push >= 0 && r.Push <= 1e3):
		return fail("push is %v, want a strength from 0 to 1000; 0 is none, 1 some", r.Push)
	case !(r.Sparsity >= 0 && r.Sparsity <= 1):
		return fail("sparsity is %v, want a mean activity from 0 to 1; 0.02 is usual", r.Sparsity)
	case !(r.Noise >= 0 && r.Noise <= 1):
		return fail("noise is %v, want a deviation from 0 to 1; 0.005 is usual", r.Noise)
	case r.Gibbs < 1 || r.Gibbs > 1000:
		return fail("gibbs is %d, want from 1 to 1000 steps; 1 is usual", r.Gibbs)
	case r.Schedule == nil:
		return errors.New("spiking-dbn: there is no schedule; fixed keeps the rate")
	}
	return nil
}

func (r Rule) net(s train.Setting) (online.Network, online.Options, error) {
	if err := r.Validate(); err != nil {
		return nil, online.Options{}, err
	}
	inputs, classes, err := online.Sizes(Kind, s)
	if err != nil {
		return nil, online.Options{}, err
	}
	below := inputs + classes
	for l, size := range r.Hidden {
		if below > 1<<28/size {
			return nil, online.Options{}, fmt.Errorf("spiking-dbn: layer %d has %d units on %d below, want at most 2²⁸ weights; take fewer", l+1, size, below)
		}
		below = size + classes
	}
	return r.NewNet(inputs, classes, s.Seed), online.Options{Rule: Kind, Inputs: inputs, Classes: classes, Schedule: r.Schedule}, nil
}

// Learner makes the learner.
func (r Rule) Learner(s train.Setting) (train.Learner, error) { return online.Maker(r.net).Learner(s) }

// Predictor is the net of a model's arrays.
func (r Rule) Predictor(s train.Setting, model map[string]train.Array) (train.Predictor, error) {
	return online.Maker(r.net).Predictor(s, model)
}
