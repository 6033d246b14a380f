package stdp

import (
	"fmt"
	"math"
	"unsafe"

	"synfire/sample"
	"synfire/tensor"
	"synfire/train"
)

// Kind names the rule in configurations and model files.
const Kind = "stdp"

// Rule is a population of neurons that compete for samples, without labels. A sample of values
// x in [0, 1] is shown for T steps of 1 ms, T the run's steps. In step t input i fires with
// probability x_i·rate/1000, and for neuron j, u in mV above rest:
//
//	u_j ← e^(−1/τ)·u_j + Σ_i w_ij·s_i(t−1) − inhibition·(spikes of others at t−1)    nothing but the leak in the refractory time
//	above threshold where u_j ≥ threshold + θ_j:  u_j ← reset,  θ_j ← θ_j + rise
//	one of these, drawn at random, fires
//	input i fires:   w_ij ← w_ij − minus·e^(−(t − t_j)/τ_s) for all j that have fired,
//	neuron j fires:  w_ij ← w_ij + plus·e^(−(t − t_i)/τ_s)  for all i that have fired
//
// with t_i and t_j the last spikes in this sample, those of step t included, and weights kept
// in [0, 1] when they change. Recordings of events make their inputs fire themselves, in the
// step that an event falls into: of a duration D that is ⌊T·t/D⌋, and rate counts for nothing.
// After the sample potentials and traces are forgotten,
// θ ← e^(−T/τ_θ)·θ, and the weights of each neuron that fired are scaled to a sum of norm, so
// that single ones may be above 1 until they change. Samples are learned from one after
// another: the size of a batch changes nothing.
//
// At the end weights and thresholds stand still, and labels samples of the training set, evenly
// spaced, are shown: a neuron gets the class that it fires most for in the mean, the first of
// equals; one that never fires gets none. The answer is the class whose neurons fire most in
// the mean (output), or with each neuron's spikes weighted by the share of its response that is
// the class's (proportion). A class without neurons scores 0.
//
// These are the equations of BindsNET's example of Diehl and Cook's network, with the published
// network's inhibitory population and conductances left out, but that there θ decays in each
// step. Diehl and Cook 2015; Hazan et al. 2018.
type Rule struct {
	Neurons    int     `yaml:"neurons,required"` // that compete
	Rate       float64 `yaml:"rate"`             // Hz, of an input of value 1
	Plus       float64 `yaml:"plus"`             // change of a weight at a spike of its neuron
	Minus      float64 `yaml:"minus"`            // and at one of its input
	TauTrace   float64 `yaml:"tau-trace"`        // τ_s in ms
	Inhibition float64 `yaml:"inhibition"`       // mV that a spike takes off all other neurons
	Threshold  float64 `yaml:"threshold"`        // mV above rest
	Reset      float64 `yaml:"reset"`            // mV above rest
	TauMem     float64 `yaml:"tau-mem"`          // τ in ms
	Refractory int     `yaml:"refractory"`       // ms
	Rise       float64 `yaml:"rise"`             // mV that a threshold rises by (homeostasis)
	TauTheta   float64 `yaml:"tau-theta"`        // ms in which it falls; 0: never
	Norm       float64 `yaml:"norm,omitempty"`   // sum of a neuron's weights; 0: a tenth of the inputs
	Initial    float64 `yaml:"initial"`          // weights begin below it
	Labels     int     `yaml:"labels"`           // training samples that neurons get their labels by, at most; 0: all
}

// NewRule has the defaults of a configuration file.
func NewRule() Rule {
	return Rule{
		Rate: 128, Plus: 0.01, Minus: 1e-4, TauTrace: 20, Inhibition: 120, Threshold: 13, Reset: 5, TauMem: 100, Refractory: 5,
		Rise: 0.05, TauTheta: 1e7, Initial: 0.3, Labels: 10_000,
	}
}

// Ignores is the encoder: samples are encoded by the rule.
func (Rule) Ignores() []string { return []string{"encoder"} }

// option is a number of a configuration that may not be below 0, and if positive not 0 either.
type option struct {
	name     string
	value    float64
	positive bool
	usual    float64
}

func checkOptions(list []option) error {
	for _, o := range list {
		if !(o.value >= 0 && o.value <= math.MaxFloat32) || o.positive && o.value == 0 {
			want := "a number from 0 on"
			if o.positive {
				want = "a positive number"
			}
			return fmt.Errorf("%s is %v, want %s that single precision holds; %v is usual", o.name, o.value, want, o.usual)
		}
	}
	return nil
}

// The most steps of a sample.
const maxSteps = 1 << 20

// Validate returns an error for options that make no sense.
func (r Rule) Validate() error {
	fail := func(format string, args ...any) error { return fmt.Errorf("stdp: "+format, args...) }
	if r.Neurons < 1 || r.Neurons > maxUnits {
		return fail("neurons is %d, want from 1 to %d; 100 to 6,400 are usual", r.Neurons, maxUnits)
	}
	if err := checkOptions([]option{
		{"rate", r.Rate, true, 128}, {"plus", r.Plus, false, 0.01}, {"minus", r.Minus, false, 1e-4}, {"tau-trace", r.TauTrace, true, 20},
		{"inhibition", r.Inhibition, false, 120}, {"threshold", r.Threshold, true, 13}, {"tau-mem", r.TauMem, true, 100},
		{"rise", r.Rise, false, 0.05}, {"tau-theta", r.TauTheta, false, 1e7}, {"norm", r.Norm, false, 78.4}, {"initial", r.Initial, true, 0.3},
	}); err != nil {
		return fail("%w", err)
	}
	switch {
	case r.Rate > 1000:
		return fail("rate is %v Hz, want at most 1000, a spike in each step of 1 ms", r.Rate)
	case !(r.Reset < r.Threshold && r.Reset > -math.MaxFloat32):
		return fail("reset is %v of a threshold of %v mV, want less; 5 is usual", r.Reset, r.Threshold)
	case r.Refractory < 0 || r.Refractory > maxSteps:
		return fail("refractory is %d ms, want from 0 to %d; 5 is usual", r.Refractory, maxSteps)
	case r.Labels < 0:
		return fail("labels is %d, want a number of samples, or 0 for all", r.Labels)
	case r.Initial > 1:
		return fail("initial is %v, want at most 1, the largest weight that is learned; 0.3 is usual", r.Initial)
	}
	return nil
}

// New makes the learner, with weights drawn anew and scaled.
func (r Rule) New(s train.Setting) (*Learner, error) {
	m, err := r.memory(s)
	if err != nil {
		return nil, err
	}
	m.draw(s.Seed, r.Initial)
	all := make([]int32, r.Neurons)
	for j := range all {
		all[j] = int32(j)
	}
	newCompetition(r, m, s.Steps).scale(all)
	return &Learner{r.runner(s, m), r.Labels}, nil
}

func (r Rule) runner(s train.Setting, m *memory) *runner {
	return newRunner(s, m, func() worker { return newCompetition(r, m, s.Steps) })
}

// memory is an empty one, of a rule and a setting that fit.
func (r Rule) memory(s train.Setting) (*memory, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	inputs, classes, err := shape(r.Neurons, s)
	if err != nil {
		return nil, err
	}
	return newMemory(inputs, r.Neurons, classes), nil
}

// shape is what a network of so many neurons has in a setting: inputs and classes.
func shape(neurons int, s train.Setting) (inputs, classes int, err error) {
	f, err := s.Spec.Target("")
	switch {
	case err != nil:
		return 0, 0, fmt.Errorf("stdp: %w", err)
	case f.Kind != sample.Class:
		return 0, 0, fmt.Errorf("stdp: target %q is %v, and neurons are labelled by classes: choose data with classes", f.Name, f.Kind)
	case s.Spec.Steps > 0:
		return 0, 0, fmt.Errorf("stdp: samples are %v, want events, or values without time, which become rates; series take rule bptt", s.Spec)
	case s.Steps < 1 || s.Steps > maxSteps:
		return 0, 0, fmt.Errorf("stdp: steps is %d, want from 1 to %d; 250 is usual", s.Steps, maxSteps)
	case s.Spec.Shape.Size() > math.MaxInt32/neurons:
		return 0, 0, fmt.Errorf("stdp: %d neurons on %d inputs, want fewer than 2³¹ weights; take fewer neurons", neurons, s.Spec.Shape.Size())
	}
	for i, t := range s.Tasks {
		target, err := s.Spec.Target(t.Target)
		if err != nil {
			return 0, 0, fmt.Errorf("stdp: task %d: %w", i+1, err)
		}
		if err := t.Task.Check(tensor.Shape{len(f.Classes)}, s.Steps, target); err != nil {
			return 0, 0, fmt.Errorf("stdp: %w", err)
		}
	}
	return s.Spec.Shape.Size(), len(f.Classes), nil
}

// norm is the sum that a neuron's weights are scaled to.
func (r Rule) norm(inputs int) float64 {
	if r.Norm > 0 {
		return r.Norm
	}
	return 0.1 * float64(inputs)
}

// Learner makes the learner. It is a *Learner.
func (r Rule) Learner(s train.Setting) (train.Learner, error) {
	l, err := r.New(s)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Predictor is the network of a model's arrays, with its labels.
func (r Rule) Predictor(s train.Setting, model map[string]train.Array) (train.Predictor, error) {
	m, err := r.memory(s)
	if err != nil {
		return nil, err
	}
	if err := m.take(model); err != nil {
		return nil, err
	}
	return &Predictor{r.runner(s, m)}, nil
}

// Plan tells what a run will need: weights and what each thread holds of a sample.
func (r Rule) Plan(s train.Setting) (train.Plan, error) {
	if err := r.Validate(); err != nil {
		return train.Plan{}, err
	}
	inputs, classes, err := shape(r.Neurons, s)
	if err != nil {
		return train.Plan{}, err
	}
	const float = int64(unsafe.Sizeof(tensor.Float(0)))
	n := int64(r.Neurons)
	p := train.Plan{Parameters: n * int64(inputs+1)}
	p.Layers = []train.PlannedLayer{{Name: Output, Output: tensor.Shape{r.Neurons}, Parameters: p.Parameters}}
	p.Weights = float * (p.Parameters + n*int64(classes))
	spikes := int64(float64(inputs)*float64(s.Steps)*min(1, r.Rate/1000)) + int64(s.Steps)
	p.Train = p.Weights + int64(s.Pool.Threads())*(8*spikes+48*n+32*int64(inputs)) + 8*n*int64(max(s.Batch, 256))
	p.Infer = p.Train
	return p, nil
}
