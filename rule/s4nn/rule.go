package s4nn

import (
	"fmt"
	"math"
	"unsafe"

	"synfire/optim"
	"synfire/sample"
	"synfire/tensor"
	"synfire/train"
)

// Kind names the rule in configurations and model files.
const Kind = "s4nn"

// Rule is the learning of spike times as a configuration describes it: with times t, the
// first output at τ, y the label and δ = e/‖e‖,
//
//	t_i = ⌊(1 − x_i)·T⌋,   V_j(t) = Σ_i w_ji [t_i ≤ t],   t_j = 1 + min{t : V_j(t) > θ}
//	e_j = (T_j − t_j)/T,   T_y = τ,   T_j = min(τ + γ, T) where t_j − τ < γ
//	where no output fires, T_y = T − γ and T_j = T
//	w_ji ← w_ji − η δ_j [t_i < t_j] − η λ w_ji,   below e_i = Σ_j δ_j w_ji [t_i < t_j]
//
// Samples are values in [0, 1] with a class each; T is the run's steps. A Step learns from
// the samples of its batch one after another, so that the batch's size changes nothing,
// unless Average is set. Outputs that fire first together are a tie, which the first class
// wins; besides accuracy there are accuracy-with-ties, which counts the label among them as
// right, and accuracy-unique, which wants it alone. Kheradpisheh and Masquelier 2020.
type Rule struct {
	Hidden         []int          `yaml:"hidden,required"`     // units of the layers between input and output
	Threshold      float64        `yaml:"threshold"`           // θ, above which the potential of a neuron makes it fire
	Weights        []float64      `yaml:"weights,omitempty"`   // the greatest initial weight of each layer, drawn from 0 on; empty: 5, and 48 for the outputs
	Gap            int            `yaml:"gap"`                 // γ, steps by which the right output is to be ahead
	LR             float64        `yaml:"lr"`                  // η, the length of a layer's step for a sample
	Schedule       optim.Schedule `yaml:"schedule"`            // of the rate over the run
	Decay          float64        `yaml:"decay"`               // λ, of the weights, times the rate for each sample that has an error
	Dead           float64        `yaml:"dead"`                // share of an epoch's samples below which a hidden neuron that fires gets new weights before the next epoch; 0: never
	UpdatedWeights bool           `yaml:"use-updated-weights"` // errors pass back through weights that have learned already, as in the authors' program; else as they were
	Average        bool           `yaml:"average"`             // a batch's updates are averaged and added once, which is another method; else each sample's is added before the next
	EarlyExit      bool           `yaml:"early-exit"`          // predictions stop at the first output spike, without a loss; else they run all steps
}

// NewRule has the defaults of a configuration file, which are those of the authors'
// program, but for the order of the update.
func NewRule() Rule {
	return Rule{Threshold: 100, Gap: 3, LR: 0.2, Schedule: optim.Fixed{}, Decay: 1e-6, Dead: 0.001, EarlyExit: true}
}

// Ignores is the encoder: samples are encoded by the rule.
func (Rule) Ignores() []string { return []string{"encoder"} }

// Validate returns an error for a network that cannot learn.
func (r Rule) Validate() error {
	fail := func(format string, args ...any) error { return fmt.Errorf("s4nn: "+format, args...) }
	if len(r.Hidden) == 0 {
		return fail("hidden is empty: want the units of at least one layer, as [400]")
	}
	for _, n := range r.Hidden {
		if n < 1 || n > maxUnits {
			return fail("hidden %v: %d units, want from 1 to %d", r.Hidden, n, maxUnits)
		}
	}
	positive := func(v float64) bool { return v > 0 && v <= math.MaxFloat32/2 }
	switch {
	case !positive(r.Threshold):
		return fail("threshold is %v, want a positive number that single precision holds; with initial weights of up to 5, 100 is 40 spikes", r.Threshold)
	case len(r.Weights) > 0 && len(r.Weights) != len(r.Hidden)+1:
		return fail("weights %v: want a greatest initial weight for each of the %d layers, the outputs included", r.Weights, len(r.Hidden)+1)
	case r.Gap < 1:
		return fail("gap is %d, want at least one step; 3 is usual", r.Gap)
	case !positive(r.LR):
		return fail("lr is %v, want a positive number that single precision holds; 0.2 is usual", r.LR)
	case r.Schedule == nil:
		return fail("there is no schedule; fixed keeps the rate")
	case !(r.Decay >= 0 && r.Decay*r.LR < 1):
		return fail("decay is %v, want from 0 to below 1/lr = %v; 1e-6 is usual", r.Decay, 1/r.LR)
	case !(r.Dead >= 0 && r.Dead < 1):
		return fail("dead is %v, want a share of the samples in [0, 1); 0.001 is usual, and 0 draws no weights anew", r.Dead)
	case r.Average && r.UpdatedWeights:
		return fail("average adds the updates after a batch, so there are no updated weights before it; leave one of average and use-updated-weights out")
	}
	for _, w := range r.Weights {
		if !positive(w) {
			return fail("weights %v: %v, want positive numbers; 5 is usual, and 48 for the outputs", r.Weights, w)
		}
	}
	return nil
}

// The most units of a layer, and the most steps.
const (
	maxUnits = 1 << 24
	maxSteps = 1 << 20
)

// initial is the greatest initial weight of each layer.
func (r Rule) initial() []float64 {
	if len(r.Weights) > 0 {
		return r.Weights
	}
	all := make([]float64, len(r.Hidden)+1)
	for l := range all {
		all[l] = 5
	}
	all[len(all)-1] = 48
	return all
}

// sizes are the units of the input and of each layer in a setting.
func (r Rule) sizes(s train.Setting) ([]int, error) {
	f, err := s.Spec.Target("")
	switch {
	case err != nil:
		return nil, fmt.Errorf("s4nn: %w", err)
	case f.Kind != sample.Class:
		return nil, fmt.Errorf("s4nn: target %q is %v; the first output to fire is a class: choose data with classes", f.Name, f.Kind)
	case s.Spec.Events || s.Spec.Steps > 0:
		return nil, fmt.Errorf("s4nn: samples are %v, want values without time, which become times; for these take rule bptt", s.Spec)
	case s.Steps < 2 || s.Steps > maxSteps:
		return nil, fmt.Errorf("s4nn: steps is %d, want from 2 to %d; 256 is usual", s.Steps, maxSteps)
	case r.Gap >= s.Steps:
		return nil, fmt.Errorf("s4nn: gap is %d of %d steps, want fewer; 3 is usual", r.Gap, s.Steps)
	}
	for i, t := range s.Tasks {
		if target, err := s.Spec.Target(t.Target); err != nil {
			return nil, fmt.Errorf("s4nn: task %d: %w", i+1, err)
		} else if err := t.Task.Check(tensor.Shape{len(f.Classes)}, s.Steps, target); err != nil {
			return nil, fmt.Errorf("s4nn: %w", err)
		}
	}
	sizes := append([]int{s.Spec.Size()}, r.Hidden...)
	sizes = append(sizes, len(f.Classes))
	for l := 1; l < len(sizes); l++ {
		if sizes[l-1] > math.MaxInt32/sizes[l] {
			return nil, fmt.Errorf("s4nn: layer %d has %d units on %d inputs, want fewer than 2³¹ weights; take fewer units", l, sizes[l], sizes[l-1])
		}
	}
	return sizes, nil
}

// Learner makes the learner. It is a *Learner.
func (r Rule) Learner(s train.Setting) (train.Learner, error) {
	l, err := r.New(s)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Predictor is the network of a model's arrays.
func (r Rule) Predictor(s train.Setting, model map[string]train.Array) (train.Predictor, error) {
	sizes, err := r.sizes(s)
	if err != nil {
		return nil, err
	}
	w := newWeights(sizes)
	if len(model) != w.layers()+1 {
		return nil, fmt.Errorf("s4nn: the model holds %d arrays, this network %d: was it made with another configuration?", len(model), w.layers()+1)
	}
	if err := w.take(model); err != nil {
		return nil, err
	}
	return &Predictor{newRunner(r, s, w)}, nil
}

// Plan tells what a run will need: the weights, the updates of a batch where they are
// averaged, and what each thread holds of a sample.
func (r Rule) Plan(s train.Setting) (train.Plan, error) {
	if err := r.Validate(); err != nil {
		return train.Plan{}, err
	}
	sizes, err := r.sizes(s)
	if err != nil {
		return train.Plan{}, err
	}
	const float = int64(unsafe.Sizeof(tensor.Float(0)))
	var p train.Plan
	sample := int64(4*s.Steps + 24*sizes[0])
	for l := 1; l < len(sizes); l++ {
		n := int64(sizes[l-1]) * int64(sizes[l])
		p.Parameters += n
		p.Layers = append(p.Layers, train.PlannedLayer{Name: layerName(l), Output: tensor.Shape{sizes[l]}, Parameters: n})
		sample += int64(sizes[l]) * ((block+4)*float + 64)
	}
	copies := int64(1)
	if r.Average {
		copies = 2
	}
	sample *= int64(s.Pool.Threads())
	p.Weights = copies * float * p.Parameters
	p.Train = p.Weights + sample
	p.Infer = float*p.Parameters + sample
	return p, nil
}

func layerName(l int) string { return fmt.Sprintf("layer%d", l) }
