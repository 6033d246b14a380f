package mostafa

import (
	"fmt"
	"math"

	"synfire/optim"
	"synfire/train"
	"synfire/train/online"
)

// Kind names the rule in configurations and model files.
const Kind = "mostafa"

// Rule is a network of neurons without leak as a configuration describes it, that learns by the
// exact times of its spikes. A value x in [0, 1] fires at t = (1 − x)·late, or with binary at 0
// above ½ and else at late. The answer is the output that fires first. Samples are values with
// a class each; a step is by the mean of the gradients of a batch. The run's steps and encoder do not
// matter. Mostafa 2018.
type Rule struct {
	Hidden   []int          `yaml:"hidden,omitempty"` // neurons of the layers between input and output
	Binary   bool           `yaml:"binary"`           // inputs fire at one of two times
	Late     float64        `yaml:"late"`             // the latest time of an input, in units of the synapse's constant
	LR       float64        `yaml:"lr"`               // η
	Momentum float64        `yaml:"momentum"`         // μ, what remains of the last change
	Schedule optim.Schedule `yaml:"schedule"`         // of the rate over the run
	Clip     float64        `yaml:"clip"`             // the greatest norm of a sample's gradient in a layer
	SumCost  float64        `yaml:"sum-cost"`         // K, of weights that sum to less than 1
	Mean     float64        `yaml:"mean"`             // sum of a neuron's weights at first, in the mean
	Spread   float64        `yaml:"spread"`           // deviation of that sum at first
}

// NewRule has the defaults of a configuration file.
func NewRule() Rule {
	return Rule{Hidden: []int{100}, Binary: true, Late: math.Log(6), LR: 0.01, Schedule: optim.Fixed{}, Clip: 10, SumCost: 100, Mean: 4, Spread: 1}
}

// Ignores are the encoder and the steps: time is continuous.
func (Rule) Ignores() []string { return []string{"encoder", "steps"} }

// encoder gives the z of a value.
func (r Rule) encoder() func(x float64) float64 {
	if !r.Binary {
		return func(x float64) float64 { return math.Exp((1 - x) * r.Late) }
	}
	late := math.Exp(r.Late)
	return func(x float64) float64 {
		if x > 0.5 {
			return 1
		}
		return late
	}
}

// Validate returns an error for options that make no sense.
func (r Rule) Validate() error {
	fail := func(format string, args ...any) error { return fmt.Errorf("mostafa: "+format, args...) }
	for _, n := range r.Hidden {
		if n < 1 || n > 1<<16 {
			return fail("hidden %v: %d neurons, want from 1 to %d; 400 are usual", r.Hidden, n, 1<<16)
		}
	}
	for _, o := range []struct {
		name               string
		value, most, usual float64
	}{{"late", r.Late, 20, 1.79}, {"lr", r.LR, 1e9, 0.01}, {"clip", r.Clip, 1e9, 10}, {"mean", r.Mean, 1e9, 4}, {"spread", r.Spread, 1e9, 1}} {
		if !(o.value > 0 && o.value <= o.most) {
			return fail("%s is %v, want a positive number up to %g; %v is usual", o.name, o.value, o.most, o.usual)
		}
	}
	switch {
	case !(r.Momentum >= 0 && r.Momentum < 1):
		return fail("momentum is %v, want from 0 to below 1; 0 and 0.9 are usual", r.Momentum)
	case !(r.SumCost >= 0 && r.SumCost <= 1e9):
		return fail("sum-cost is %v, want a number from 0 on; 100 is usual", r.SumCost)
	case r.Schedule == nil:
		return fail("there is no schedule; fixed keeps the rate")
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
	sizes := append(append([]int{inputs}, r.Hidden...), classes)
	for l := 1; l < len(sizes); l++ {
		if sizes[l-1] > 1<<28/sizes[l] {
			return nil, online.Options{}, fmt.Errorf("mostafa: layer %d has %d neurons on %d inputs, want at most 2²⁸ weights; take fewer neurons", l, sizes[l], sizes[l-1])
		}
	}
	return r.NewNet(inputs, classes, s.Seed), online.Options{Rule: Kind, Inputs: inputs, Classes: classes, Schedule: r.Schedule}, nil
}

// Learner makes the learner.
func (r Rule) Learner(s train.Setting) (train.Learner, error) {
	return online.Maker(r.net).Learner(s)
}

// Predictor is the network of a model's arrays.
func (r Rule) Predictor(s train.Setting, model map[string]train.Array) (train.Predictor, error) {
	return online.Maker(r.net).Predictor(s, model)
}
