package precise

import (
	"fmt"
	"math"
	"slices"

	"synfire/internal/enum"
	"synfire/internal/rng"
	"synfire/optim"
	"synfire/sample"
	"synfire/tensor"
	"synfire/train"
)

// Kind names the rule in configurations and model files.
const Kind = "precise"

// Method is one of the rules.
type Method uint8

// The rules.
const (
	Resume Method = iota
	Span
	ChronotronE
	Pfister
)

var methodNames = [...]string{"resume", "span", "chronotron", "pfister"}

// Methods are the names of all.
func Methods() []Method { return []Method{Resume, Span, ChronotronE, Pfister} }

// String is the name in configuration files.
func (m Method) String() string { return enum.Name(m, methodNames[:]) }

// MarshalText is String.
func (m Method) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText is the inverse of String.
func (m *Method) UnmarshalText(text []byte) error {
	return enum.Parse(m, text, "method", methodNames[:])
}

// Rule is one layer of neurons that learn the trains of a target, each its own, as a
// configuration describes it. Samples are events; times within are exact, and the run's steps are
// those in which outputs are told. The loss is van Rossum's distance of 10 ms, summed over the neurons.
type Rule struct {
	Method    Method         `yaml:"method"`           // resume, span, chronotron or pfister
	Target    string         `yaml:"target,omitempty"` // the trains to emit; empty: the first target that is trains
	LR        float64        `yaml:"lr"`               // η
	Schedule  optim.Schedule `yaml:"schedule"`         // of the rate over the run
	Initial   float64        `yaml:"initial"`          // weights begin between 0 and it
	Tau       float64        `yaml:"tau"`              // τ in ms
	TauS      float64        `yaml:"tau-s"`            // τ_s in ms, less than tau
	Threshold float64        `yaml:"threshold"`        // θ
	TauLearn  float64        `yaml:"tau-learn"`        // τ_l in ms, of resume and span
	Add       float64        `yaml:"add"`              // a of resume
	TauQ      float64        `yaml:"tau-q"`            // τ_q in ms, of the chronotron
	Gamma     float64        `yaml:"gamma"`            // γ in ms, of the chronotron's pairs
	Rho       float64        `yaml:"rho"`              // ρ₀ in 1/ms, of pfister
	Width     float64        `yaml:"width"`            // Δ, of pfister
}

// NewRule has the defaults of a configuration file.
func NewRule() Rule {
	return Rule{Method: Resume, LR: 0.005, Schedule: optim.Fixed{}, Initial: 0.05, Tau: 10, TauS: 2.5, Threshold: 1, TauLearn: 5, Add: 0.01, TauQ: 10, Gamma: 10, Rho: 1, Width: 0.05}
}

// Ignores is the encoder: samples are events.
func (Rule) Ignores() []string { return []string{"encoder"} }

// Validate returns an error for options that make no sense.
func (r Rule) Validate() error {
	fail := func(format string, args ...any) error { return fmt.Errorf("precise: "+format, args...) }
	for _, o := range []struct {
		name         string
		value, usual float64
	}{
		{"lr", r.LR, 0.005}, {"initial", r.Initial, 0.05}, {"tau", r.Tau, 10}, {"tau-s", r.TauS, 2.5}, {"threshold", r.Threshold, 1},
		{"tau-learn", r.TauLearn, 5}, {"tau-q", r.TauQ, 10}, {"gamma", r.Gamma, 10}, {"rho", r.Rho, 1}, {"width", r.Width, 0.05},
	} {
		if !(o.value > 0 && o.value <= 1e9) {
			return fail("%s is %v, want a positive number up to 1e+09; %v is usual", o.name, o.value, o.usual)
		}
	}
	switch {
	case int(r.Method) >= len(methodNames):
		return fail("%v: want resume, span, chronotron or pfister", r.Method)
	case !(r.TauS < r.Tau):
		return fail("tau-s is %v and tau %v ms, want tau-s the shorter; a quarter is usual", r.TauS, r.Tau)
	case !(r.Add >= 0 && r.Add <= 1e9):
		return fail("add is %v, want a number from 0 on; 0.01 is usual", r.Add)
	case r.Schedule == nil:
		return fail("there is no schedule; fixed keeps the rate")
	}
	return nil
}

// Cell is the constants of the neurons.
func (r Rule) Cell() Cell { return NewCell(r.Tau, r.TauS, r.Threshold) }

// escape is that of pfister.
func (r Rule) escape() Escape { return Escape{r.Rho, r.Width, min(0.1, r.TauS/4)} }

// Change adds the rule's change of the weights of one neuron to dw, whose own spikes were own.
func (r Rule) Change(dw []float64, t *Trial, w, own, want []float64, factor float64) {
	c, rate := r.Cell(), factor*r.LR
	switch r.Method {
	case Resume:
		ReSuMe(dw, t, own, want, rate, r.Add, r.TauLearn)
	case Span:
		SPAN(dw, t, own, want, rate, r.TauLearn)
	case ChronotronE:
		c.Chronotron(dw, t, own, want, rate, r.Gamma, r.TauQ)
	case Pfister:
		c.Likelihood(dw, t, w, want, r.escape(), rate)
	}
}

// Likelihood is ln p(want) of the neuron that fires by chance.
func (r Rule) Likelihood(t *Trial, w, want []float64) float64 {
	return r.Cell().Likelihood(nil, t, w, want, r.escape(), 0)
}

// Draw is the first weights of a neuron.
func (r Rule) Draw(inputs int, seed uint64, neuron int) []float64 {
	w := make([]float64, inputs)
	src := rng.New(seed, rng.Init).Str(Kind).Int(uint64(neuron)).Source()
	for i := range w {
		w[i] = r.Initial * src.Float64()
	}
	return w
}

// fits is the place of the target in a setting, with inputs and outputs.
func (r Rule) fits(s train.Setting) (field, inputs, outputs int, err error) {
	if err := r.Validate(); err != nil {
		return 0, 0, 0, err
	}
	if !s.Spec.Events || !(s.Spec.Duration > 0) {
		return 0, 0, 0, fmt.Errorf("precise: samples are %v, want events with a duration and trains as targets, as of {source: {kind: trains, path: …}}", s.Spec)
	}
	field = slices.IndexFunc(s.Spec.Targets, func(f sample.Field) bool {
		return f.Kind == sample.Trains && (r.Target == "" || f.Name == r.Target)
	})
	if field < 0 {
		return 0, 0, 0, fmt.Errorf("precise: the data have no target %q that is spike trains; name one, or use data with trains to emit", r.Target)
	}
	inputs, outputs = s.Spec.Shape.Size(), s.Spec.Targets[field].Shape.Size()
	if s.Steps < 1 || s.Steps > 1<<24 || inputs > 1<<28/outputs {
		return 0, 0, 0, fmt.Errorf("precise: %d steps, %d inputs and %d outputs, want steps from 1 to 2²⁴ and at most 2²⁸ weights", s.Steps, inputs, outputs)
	}
	for i, t := range s.Tasks {
		f, err := s.Spec.Target(t.Target)
		if err == nil {
			err = t.Task.Check(tensor.Shape{outputs}, s.Steps, f)
		}
		if err != nil {
			return 0, 0, 0, fmt.Errorf("precise: task %d: %w", i+1, err)
		}
	}
	return field, inputs, outputs, nil
}

// Learner makes the learner, with weights drawn anew.
func (r Rule) Learner(s train.Setting) (train.Learner, error) {
	l, err := r.learner(s)
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (r Rule) learner(s train.Setting) (*Learner, error) {
	field, inputs, outputs, err := r.fits(s)
	if err != nil {
		return nil, err
	}
	l := &Learner{runner: runner{rule: r, cell: r.Cell(), setting: s, field: field, inputs: inputs, w: make([]float64, inputs*outputs)}}
	if s.Batch > 0 {
		l.total = s.Epochs * ((s.Samples + s.Batch - 1) / s.Batch)
	}
	for j := range outputs {
		copy(l.neuron(j), r.Draw(inputs, s.Seed, j))
	}
	return l, nil
}

// Predictor is the neurons of a model's arrays.
func (r Rule) Predictor(s train.Setting, model map[string]train.Array) (train.Predictor, error) {
	l, err := r.learner(s)
	if err != nil {
		return nil, err
	}
	if len(model) != 1 {
		return nil, fmt.Errorf("precise: the model holds %d arrays, want weight alone: was it made by another rule?", len(model))
	}
	return &Predictor{l.runner}, l.take(model)
}

// finite tells numbers apart from those that learning that went wrong leaves behind.
func finite(v []float64) bool {
	return !slices.ContainsFunc(v, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) })
}
