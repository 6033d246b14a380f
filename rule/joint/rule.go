package joint

import (
	"errors"
	"fmt"
	"math"
	"unsafe"

	"synfire/internal/enum"
	"synfire/network"
	"synfire/optim"
	"synfire/tensor"
	"synfire/train"
)

// Kind names the rule in configurations and model files.
const Kind = "joint"

// Backward says by which gradient the spiking branch learns.
type Backward uint8

// The ways back through a layer of spiking neurons.
const (
	STDB   Backward = iota // through time, by each layer's own surrogate
	Tandem                 // through the ordinary units, at the spiking branch's rates
)

var backwardNames = []string{"stdb", "tandem"}

// String is the name in configurations.
func (b Backward) String() string { return enum.Name(b, backwardNames) }

// MarshalText is String.
func (b Backward) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText is the inverse of String.
func (b *Backward) UnmarshalText(text []byte) error {
	return enum.Parse(b, text, "backward", backwardNames)
}

// Rule is joint training as a configuration describes it. Layers are the spiking branch, a
// chain from the input to a linear layer of one output for each class, without biases;
// populations of spiking neurons are rectified units in the ordinary branch.
//
// The weight μ of the spiking branch is 0 before warmup, rises to mix at spiking-from, and
// is 1 from there on, all as shares of the run. With warmup 1 the ordinary network alone
// learns, with warmup and spiking-from 0 the spiking one, and with both 0.5 one after the
// other.
type Rule struct {
	Layers      []network.Node `yaml:"layers,required"` // the spiking branch, from its input to its output
	Warmup      float64        `yaml:"warmup"`          // share of the run in which the ordinary branch learns alone
	SpikingFrom float64        `yaml:"spiking-from"`    // share of the run from which the spiking branch learns alone
	Mix         float64        `yaml:"mix"`             // μ at spiking-from, to which it rises from 0
	Backward    Backward       `yaml:"backward"`        // of the spiking branch: stdb, through time, or tandem, through rates
	Distill     float64        `yaml:"distill"`         // κ_D, weight of the loss by which the ordinary branch teaches; 0: none
	Temperature float64        `yaml:"temperature"`     // τ of that loss
	Match       float64        `yaml:"match"`           // κ_R, weight of the loss between rates and activations; 0: none
	Saturate    bool           `yaml:"saturate"`        // ordinary units end at Λ, the most that a rate stands for, once the spiking branch learns
	Balance     bool           `yaml:"balance"`         // thresholds are measured; else they stay as layers have them
	Track       int            `yaml:"track"`           // batches between measurements; 0: one, when the spiking branch begins to learn
	Percentile  float64        `yaml:"percentile"`      // of a layer's inputs that its threshold is to reach; 100: the largest
	Scale       float64        `yaml:"scale"`           // s, factor of measured thresholds; the fewer steps, the smaller
	Equalize    bool           `yaml:"equalize"`        // ρ brings the spiking branch's gradient of each layer to the size of the other's
	Project     float64        `yaml:"project"`         // share of the run from which conflicts are taken out of the ordinary branch's gradients; 1: never

	Optimizer optim.Optimizer `yaml:"optimizer"` // how a gradient changes the weights
	Schedule  optim.Schedule  `yaml:"schedule"`  // of the learning rate over the run
	Clip      float64         `yaml:"clip"`      // largest norm of the gradients; 0: no limit
}

// NewRule has the defaults of a configuration file.
func NewRule() Rule {
	return Rule{
		Warmup: 0.2, SpikingFrom: 0.7, Mix: 0.9, Distill: 0.5, Temperature: 2, Match: 0.1, Saturate: true,
		Balance: true, Track: 100, Percentile: 99.7, Scale: 0.7, Equalize: true, Project: 1,
		Optimizer: optim.Adam{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, Schedule: optim.Fixed{},
	}
}

// Validate returns an error for numbers that make no sense.
func (r Rule) Validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf("joint: "+format, args...)) }
	for _, v := range []struct {
		name  string
		value float64
	}{{"warmup", r.Warmup}, {"spiking-from", r.SpikingFrom}, {"mix", r.Mix}, {"project", r.Project}} {
		if !(v.value >= 0 && v.value <= 1) {
			fail("%s is %v, want a share in [0, 1]", v.name, v.value)
		}
	}
	for _, v := range []struct {
		name  string
		value float64
	}{{"distill", r.Distill}, {"match", r.Match}, {"clip", r.Clip}} {
		if !(v.value >= 0) || math.IsInf(v.value, 0) {
			fail("%s is %v, want a number that is not negative; 0 leaves it out", v.name, v.value)
		}
	}
	for _, v := range []struct {
		name  string
		value float64
	}{{"temperature", r.Temperature}, {"scale", r.Scale}} {
		if !(v.value > 0) || math.IsInf(v.value, 0) {
			fail("%s is %v, want a positive number; 2 and 0.7 are usual", v.name, v.value)
		}
	}
	switch {
	case len(r.Layers) == 0:
		fail("layers is empty: give at least a spiking and a linear layer")
	case r.Warmup < 1 && r.SpikingFrom < r.Warmup:
		fail("spiking-from is %v and warmup %v: the spiking branch cannot learn alone before it begins; give a spiking-from of at least warmup", r.SpikingFrom, r.Warmup)
	case !(r.Percentile > 0 && r.Percentile <= 100):
		fail("percentile is %v, want above 0 and up to 100; 99.7 is usual", r.Percentile)
	case r.Track < 0:
		fail("track is %d, want a number of batches, or 0 to measure once", r.Track)
	case int(r.Backward) >= len(backwardNames):
		fail("backward is %v, want stdb or tandem", r.Backward)
	case r.Optimizer == nil || r.Schedule == nil:
		fail("optimizer and schedule must both be given, for instance adam and fixed")
	default:
		errs = append(errs, r.Optimizer.Validate())
		if v, ok := r.Schedule.(interface{ Validate() error }); ok {
			errs = append(errs, v.Validate())
		}
	}
	return errors.Join(errs...)
}

// mu is the weight of the spiking branch at a share of the run.
func (r Rule) mu(at float64) float64 {
	switch {
	case at < r.Warmup || r.Warmup == 1:
		return 0
	case at >= r.SpikingFrom:
		return 1
	}
	return r.Mix * (at - r.Warmup) / (r.SpikingFrom - r.Warmup)
}

// Learner makes the learner. It is a *Learner.
func (r Rule) Learner(s train.Setting) (train.Learner, error) {
	l, err := New(r, s)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Predictor makes the two branches of a model's arrays. It is a *Predictor.
func (r Rule) Predictor(s train.Setting, model map[string]train.Array) (train.Predictor, error) {
	p, err := newPair(r, s, false)
	if err != nil {
		return nil, err
	}
	if err := p.setModel(model); err != nil {
		return nil, err
	}
	return &Predictor{p}, nil
}

// evalBatch is the batch of an evaluation, as package train takes it.
const evalBatch = 256

// Plan works out what a run will need: each weight with the gradients of both branches, the
// optimiser's buffers and packed copies, and a batch of both branches.
func (r Rule) Plan(s train.Setting) (train.Plan, error) {
	g, err := r.graph(s)
	if err != nil {
		return train.Plan{}, err
	}
	net, err := g.Outline()
	if err != nil {
		return train.Plan{}, fmt.Errorf("joint: %w", err)
	}
	const float = int64(unsafe.Sizeof(tensor.Float(0)))
	step, state := net.Memory()
	batch := 2*step*int64(s.Steps+1) + state // the ordinary branch is one step more
	n := net.ParamCount()
	p := train.Plan{
		Parameters: n, Window: s.Steps,
		Weights: float * n * int64(7+r.Optimizer.Buffers()), Infer: 3*float*n + evalBatch*batch,
	}
	p.Train = p.Weights + max(int64(s.Batch), evalBatch)*batch
	for _, nd := range net.Nodes() {
		l := train.PlannedLayer{Name: nd.Name, Output: nd.Out}
		for _, w := range nd.Params {
			l.Parameters += int64(w.Value.Shape.Size())
		}
		p.Layers = append(p.Layers, l)
	}
	return p, nil
}
