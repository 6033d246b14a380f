package tempotron

import (
	"fmt"
	"math"

	"synfire/internal/rng"
	"synfire/optim"
	"synfire/tensor"
	"synfire/train"
	"synfire/train/online"
)

// Kind names the rule in configurations and model files.
const Kind = "tempotron"

// Rule is tempotrons as a configuration describes them, one for each class, that is to fire for
// the samples of its class and for no others. A value x in (0, 1] fires at (1 − x)·window ms, one of 0
// never. The answer is the neuron of the largest potential; the loss is Σ |θ − V(t*)| over the
// neurons that are wrong. The run's steps and encoder do not matter. Gütig and Sompolinsky 2006.
type Rule struct {
	Window    float64        `yaml:"window"`    // ms in which inputs fire; potentials are looked at for 5 tau longer
	Tau       float64        `yaml:"tau"`       // τ in ms
	TauS      float64        `yaml:"tau-s"`     // τ_s in ms, less than tau
	Threshold float64        `yaml:"threshold"` // θ
	LR        float64        `yaml:"lr"`        // λ
	Schedule  optim.Schedule `yaml:"schedule"`  // of the rate over the run
	Momentum  float64        `yaml:"momentum"`  // μ
	Initial   float64        `yaml:"initial"`   // deviation of the first weights
}

// NewRule has the defaults of a configuration file.
func NewRule() Rule {
	return Rule{Window: 100, Tau: 15, TauS: 3.75, Threshold: 1, LR: 1e-3, Schedule: optim.Fixed{}, Momentum: 0.9, Initial: 0.01}
}

// Ignores are the encoder and the steps: time is continuous.
func (Rule) Ignores() []string { return []string{"encoder", "steps"} }

// Validate returns an error for options that make no sense.
func (r Rule) Validate() error {
	fail := func(format string, args ...any) error { return fmt.Errorf("tempotron: "+format, args...) }
	for _, o := range []struct {
		name         string
		value, usual float64
	}{{"window", r.Window, 100}, {"tau", r.Tau, 15}, {"tau-s", r.TauS, 3.75}, {"threshold", r.Threshold, 1}, {"lr", r.LR, 1e-3}, {"initial", r.Initial, 0.01}} {
		if !(o.value > 0 && o.value <= 1e9) {
			return fail("%s is %v, want a positive number up to 1e+09; %v is usual", o.name, o.value, o.usual)
		}
	}
	switch {
	case !(r.TauS < r.Tau):
		return fail("tau-s is %v and tau %v ms, want tau-s the shorter; a quarter is usual", r.TauS, r.Tau)
	case !(r.Momentum >= 0 && r.Momentum < 1):
		return fail("momentum is %v, want from 0 to below 1; 0.9 is usual", r.Momentum)
	case r.Schedule == nil:
		return fail("there is no schedule; fixed keeps the rate")
	}
	return nil
}

// net is a neuron for each class. It implements online.Network.
type net struct {
	rule    Rule
	kernel  Kernel
	inputs  int
	w       []float64 // [classes, inputs]
	before  []float64
	neurons []*Neuron
}

func (r Rule) newNet(inputs, classes int) *net {
	n := &net{rule: r, kernel: NewKernel(r.Tau, r.TauS), inputs: inputs, w: make([]float64, classes*inputs), before: make([]float64, classes*inputs)}
	for c := range classes {
		n.neurons = append(n.neurons, &Neuron{n.kernel, r.Threshold, n.w[c*inputs:][:inputs], n.before[c*inputs:][:inputs]})
	}
	return n
}

// Fork shares the weights: Run changes nothing.
func (n *net) Fork() online.Network { return n }

func (n *net) pattern(x []tensor.Float) (*Pattern, error) {
	var spikes []Spike
	for i, v := range x {
		if v < 0 || v > 1 {
			return nil, fmt.Errorf("value %d is %v, and times stand for values in [0, 1]; scale the data, and leave normalize out", i, v)
		}
		if v > 0 {
			spikes = append(spikes, Spike{(1 - float64(v)) * n.rule.Window, i})
		}
	}
	return NewPattern(n.kernel, spikes, n.rule.Window+5*n.rule.Tau), nil
}

// Run answers by the largest potentials.
func (n *net) Run(x []tensor.Float, label int, scores []float64) (loss float64, err error) {
	p, err := n.pattern(x)
	if err != nil {
		return 0, err
	}
	for c, neuron := range n.neurons {
		scores[c], _ = neuron.Max(p, neuron.W)
		if label >= 0 && scores[c] >= n.rule.Threshold != (c == label) {
			loss += math.Abs(n.rule.Threshold - scores[c])
		}
	}
	return loss, nil
}

// Learn changes the weights of the neurons that are wrong.
func (n *net) Learn(x []tensor.Float, label int, factor float64, scores []float64) (loss float64, err error) {
	p, err := n.pattern(x)
	if err != nil {
		return 0, err
	}
	for c, neuron := range n.neurons {
		right := false
		if right, scores[c] = neuron.Learn(p, c == label, factor*n.rule.LR, n.rule.Momentum); !right {
			loss += math.Abs(n.rule.Threshold - scores[c])
		}
	}
	return loss, nil
}

// Model is the weights.
func (n *net) Model() []online.Array {
	return []online.Array{{Name: "weight", Shape: []int{len(n.neurons), n.inputs}, Data: n.w}}
}

// Memory is the last changes.
func (n *net) Memory() []online.Array {
	return []online.Array{{Name: "change", Shape: []int{len(n.neurons), n.inputs}, Data: n.before}}
}

func (r Rule) net(s train.Setting) (online.Network, online.Options, error) {
	if err := r.Validate(); err != nil {
		return nil, online.Options{}, err
	}
	inputs, classes, err := online.Sizes(Kind, s)
	if err != nil {
		return nil, online.Options{}, err
	}
	if inputs > 1<<28/classes {
		return nil, online.Options{}, fmt.Errorf("tempotron: %d classes on %d inputs, want at most 2²⁸ weights", classes, inputs)
	}
	n := r.newNet(inputs, classes)
	src := rng.New(s.Seed, rng.Init).Str(Kind).Source()
	for i := range n.w {
		n.w[i] = r.Initial * src.Norm()
	}
	return n, online.Options{Rule: Kind, Inputs: inputs, Classes: classes, Schedule: r.Schedule}, nil
}

// Learner makes the learner.
func (r Rule) Learner(s train.Setting) (train.Learner, error) {
	return online.Maker(r.net).Learner(s)
}

// Predictor is the neurons of a model's arrays.
func (r Rule) Predictor(s train.Setting, model map[string]train.Array) (train.Predictor, error) {
	return online.Maker(r.net).Predictor(s, model)
}
