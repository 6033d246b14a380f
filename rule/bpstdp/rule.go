package bpstdp

import (
	"fmt"

	"synfire/optim"
	"synfire/train"
	"synfire/train/online"
)

// Kind names the rule in configurations and model files.
const Kind = "bp-stdp"

// Rule is a network of neurons that integrate and fire as a configuration describes it, that learns
// at the times of wanted spikes by what fired in a window before. A value x in [0, 1] fires in a share
// rate·x of the run's steps. The answer is the output with most spikes. Samples are values with a class
// each; a step is by the mean of the changes of a batch. The encoder does not matter. Tavanaei and Maida 2019.
type Rule struct {
	Hidden          []int          `yaml:"hidden,omitempty"` // neurons of the layers between input and output
	Rate            float64        `yaml:"rate"`             // share of the steps in which an input of 1 fires
	Poisson         bool           `yaml:"poisson"`          // inputs fire by chance; else in regular trains
	Period          int            `yaml:"period"`           // steps from one wanted spike of the label's output to the next
	Window          int            `yaml:"window"`           // ε, steps before a wanted spike that count besides its own
	Threshold       float64        `yaml:"threshold"`        // θ of hidden neurons
	OutputThreshold float64        `yaml:"output-threshold"` // θ of outputs, for each neuron below them
	LR              float64        `yaml:"lr"`               // η
	Schedule        optim.Schedule `yaml:"schedule"`         // of the rate over the run
	Initial         float64        `yaml:"initial"`          // deviation of the first weights
}

// NewRule has the defaults of a configuration file.
func NewRule() Rule {
	return Rule{Hidden: []int{100}, Rate: 0.25, Period: 4, Window: 4, Threshold: 0.9, OutputThreshold: 0.025, LR: 5e-4, Schedule: optim.Fixed{}, Initial: 1}
}

// Ignores is the encoder: samples are encoded by the rule.
func (Rule) Ignores() []string { return []string{"encoder"} }

// Validate returns an error for options that make no sense.
func (r Rule) Validate() error {
	fail := func(format string, args ...any) error { return fmt.Errorf("bp-stdp: "+format, args...) }
	for _, n := range r.Hidden {
		if n < 1 || n > 1<<16 {
			return fail("hidden %v: %d neurons, want from 1 to %d; 1000 are usual", r.Hidden, n, 1<<16)
		}
	}
	for _, o := range []struct {
		name               string
		value, most, usual float64
	}{{"rate", r.Rate, 1, 0.25}, {"threshold", r.Threshold, 1e9, 0.9}, {"output-threshold", r.OutputThreshold, 1e9, 0.025}, {"lr", r.LR, 1e9, 5e-4}, {"initial", r.Initial, 1e9, 1}} {
		if !(o.value > 0 && o.value <= o.most) {
			return fail("%s is %v, want a positive number up to %g; %v is usual", o.name, o.value, o.most, o.usual)
		}
	}
	switch {
	case r.Period < 1 || r.Period > maxSteps:
		return fail("period is %d, want from 1 to %d steps; 4 is usual", r.Period, maxSteps)
	case r.Window < 0 || r.Window > maxSteps:
		return fail("window is %d, want from 0 to %d steps; 4 is usual", r.Window, maxSteps)
	case r.Schedule == nil:
		return fail("there is no schedule; fixed keeps the rate")
	}
	return nil
}

// maxSteps is the most steps.
const maxSteps = 1 << 16

func (r Rule) net(s train.Setting) (online.Network, online.Options, error) {
	if err := r.Validate(); err != nil {
		return nil, online.Options{}, err
	}
	inputs, classes, err := online.Sizes(Kind, s)
	if err != nil {
		return nil, online.Options{}, err
	}
	if s.Steps < r.Period || s.Steps > maxSteps {
		return nil, online.Options{}, fmt.Errorf("bp-stdp: steps is %d, want from period = %d to %d; 50 with a period of 4 are usual", s.Steps, r.Period, maxSteps)
	}
	sizes := append(append([]int{inputs}, r.Hidden...), classes)
	for l := 1; l < len(sizes); l++ {
		if sizes[l-1] > 1<<28/sizes[l] {
			return nil, online.Options{}, fmt.Errorf("bp-stdp: layer %d has %d neurons on %d inputs, want at most 2²⁸ weights; take fewer neurons", l, sizes[l], sizes[l-1])
		}
	}
	return r.NewNet(inputs, classes, s.Steps, s.Seed), online.Options{Rule: Kind, Inputs: inputs, Classes: classes, Schedule: r.Schedule}, nil
}

// Learner makes the learner.
func (r Rule) Learner(s train.Setting) (train.Learner, error) {
	return online.Maker(r.net).Learner(s)
}

// Predictor is the network of a model's arrays.
func (r Rule) Predictor(s train.Setting, model map[string]train.Array) (train.Predictor, error) {
	return online.Maker(r.net).Predictor(s, model)
}
