package spikeprop

import (
	"fmt"
	"math"

	"synfire/internal/enum"
	"synfire/optim"
	"synfire/train"
	"synfire/train/online"
)

// Kind names the rule in configurations and model files.
const Kind = "spikeprop"

// Update says how weights follow the gradient.
type Update uint8

// The updates.
const (
	Plain     Update = iota // by the gradient
	Momentum                // with 0.9 of the change before (Xin and Embrechts 2001)
	QuickProp               // to the foot of a parabola through two gradients (McKennoch et al. 2006)
	RProp                   // by the signs of gradients (McKennoch et al. 2006, with the usual factors)
)

var updateNames = [...]string{"plain", "momentum", "quickprop", "rprop"}

// String is the name in configuration files.
func (u Update) String() string { return enum.Name(u, updateNames[:]) }

// MarshalText is String.
func (u Update) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText is the inverse of String.
func (u *Update) UnmarshalText(text []byte) error {
	return enum.Parse(u, text, "update", updateNames[:])
}

// Rule is SpikeProp as a configuration describes it: with E = ½ Σ_j (t_j − T_j)² over the
// outputs, that of the label wanted at early and the others at late, each sample changes the
// weights by −lr·∂E/∂w. The answer is the output that fires first. Samples are values with a
// class each; the run's steps and encoder do not matter. Bohte, Kok and La Poutré 2002.
type Rule struct {
	Hidden     []int          `yaml:"hidden,omitempty"`     // neurons of the layers between input and output
	Inhibitory int            `yaml:"inhibitory,omitempty"` // of each hidden layer's neurons, the last so many are inhibitory
	Fields     int            `yaml:"fields"`               // m, receptive fields of a value; 0: values are times in ms
	NoBias     bool           `yaml:"no-bias,omitempty"`    // leave out the input that fires at 0, a control
	Single     bool           `yaml:"single,omitempty"`     // one output for two classes, early for the second
	Terminals  int            `yaml:"terminals"`            // K, of a connection, with delays of 1 … K ms
	Tau        float64        `yaml:"tau"`                  // τ in ms
	Threshold  float64        `yaml:"threshold"`            // θ
	Initial    []float64      `yaml:"initial,omitempty"`    // the greatest initial weight of each layer, drawn from a tenth of it on; empty: 10
	Early      float64        `yaml:"early"`                // ms at which the output of the label is wanted
	Late       float64        `yaml:"late"`                 // ms at which the others are
	LR         float64        `yaml:"lr"`                   // η; with weights and θ ten times as large a hundred times as large
	Schedule   optim.Schedule `yaml:"schedule"`             // of the rate over the run
	Update     Update         `yaml:"update"`               // plain, momentum, quickprop or rprop
	FreeSigns  bool           `yaml:"free-signs,omitempty"` // weights may change sides; else they stop at 0
	Several    bool           `yaml:"several,omitempty"`    // neurons fire as often as they reach θ, and a spike takes θ off (Booij and tat Nguyen 2005)
}

// NewRule has the defaults of a configuration file.
func NewRule() Rule {
	return Rule{Hidden: []int{10}, Inhibitory: 1, Fields: 12, Terminals: 16, Tau: 7, Threshold: 50, Early: 10, Late: 16, LR: 1, Schedule: optim.Fixed{}}
}

// Ignores are the encoder and the steps: time is continuous.
func (Rule) Ignores() []string { return []string{"encoder", "steps"} }

// most is how many units a layer has at most, and terminals a connection.
const most = 1 << 16

// Validate returns an error for options that make no sense.
func (r Rule) Validate() error {
	fail := func(format string, args ...any) error { return fmt.Errorf("spikeprop: "+format, args...) }
	for _, n := range r.Hidden {
		if n < 1 || n > most {
			return fail("hidden %v: %d neurons, want from 1 to %d; 10 are usual", r.Hidden, n, most)
		}
		if r.Inhibitory >= n {
			return fail("inhibitory is %d of %d hidden neurons, want fewer; 1 is usual", r.Inhibitory, n)
		}
	}
	positive := func(v float64) bool { return v > 0 && v <= math.MaxFloat32 }
	switch {
	case r.Inhibitory < 0:
		return fail("inhibitory is %d, want a number of neurons from 0 on; 1 is usual", r.Inhibitory)
	case r.Fields != 0 && (r.Fields < 3 || r.Fields > 1000):
		return fail("fields is %d, want from 3 to 1000, or 0 where values are times; 12 are usual", r.Fields)
	case r.Terminals < 1 || r.Terminals > 1000:
		return fail("terminals is %d, want from 1 to 1000; 16 are usual", r.Terminals)
	case !positive(r.Tau):
		return fail("tau is %v ms, want a positive number that single precision holds; 7 is usual", r.Tau)
	case !positive(r.Threshold):
		return fail("threshold is %v, want a positive number that single precision holds; 50 is usual", r.Threshold)
	case len(r.Initial) > 0 && len(r.Initial) != len(r.Hidden)+1:
		return fail("initial %v: want a greatest weight for each of the %d layers, the outputs included", r.Initial, len(r.Hidden)+1)
	case !(r.Early > 0 && r.Early < r.Late && r.Late <= 1e6):
		return fail("early is %v and late %v ms, want early above 0 and below late, and late at most 1e+06; 10 and 16 are usual", r.Early, r.Late)
	case !positive(r.LR):
		return fail("lr is %v, want a positive number that single precision holds; 1 is usual", r.LR)
	case r.Schedule == nil:
		return fail("there is no schedule; fixed keeps the rate")
	case int(r.Update) >= len(updateNames):
		return fail("%v: want plain, momentum, quickprop or rprop", r.Update)
	}
	for _, w := range r.Initial {
		if !positive(w) {
			return fail("initial %v: %v, want positive numbers; 10 is usual", r.Initial, w)
		}
	}
	return nil
}

// initial is the greatest initial weight of layer l, counted from 0.
func (r Rule) initial(l int) float64 {
	if len(r.Initial) == 0 {
		return 10
	}
	return r.Initial[l]
}

// spikes is the number of inputs that values become.
func (r Rule) spikes(values int) int {
	n := values * max(1, r.Fields)
	if !r.NoBias {
		n++
	}
	return n
}

func (r Rule) net(s train.Setting) (online.Network, online.Options, error) {
	if err := r.Validate(); err != nil {
		return nil, online.Options{}, err
	}
	inputs, classes, err := online.Sizes(Kind, s)
	if err != nil {
		return nil, online.Options{}, err
	}
	if r.Single && classes != 2 {
		return nil, online.Options{}, fmt.Errorf("spikeprop: single is for two classes, and the data have %d; leave it out", classes)
	}
	sizes := append(append([]int{r.spikes(inputs)}, r.Hidden...), classes)
	for l := 1; l < len(sizes); l++ {
		if n := sizes[l-1] * r.Terminals; n > 1<<28/sizes[l] {
			return nil, online.Options{}, fmt.Errorf("spikeprop: layer %d has %d neurons on %d terminals, want at most 2²⁸ weights; take fewer fields, terminals or neurons", l, sizes[l], n)
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
