// Package model is the one table of kinds, and the configuration of a training
// run that is written with it.
//
// A kind is a name for a type: of layer, neuron, surrogate, loss, regularizer,
// optimiser, schedule, encoder or augmentation. The same table serves YAML files,
// checkpoints and the gradient checks: each kind comes with an example, and a
// kind without one does not pass the tests. A Table is a value: callers add
// kinds of their own to a copy; nothing registers itself by being imported.
package model

import (
	"errors"
	"fmt"
	"reflect"

	"synfire/data"
	"synfire/encode"
	"synfire/format/yaml"
	"synfire/layer"
	"synfire/loss"
	"synfire/network"
	"synfire/neuron"
	"synfire/optim"
	"synfire/surrogate"
	"synfire/tensor"
)

// Table maps the names of kinds to their entries, by what they are.
type Table struct {
	Layers       map[string]Kind
	Neurons      map[string]Kind
	Surrogates   map[string]Kind
	Losses       map[string]Kind
	Regularizers map[string]Kind
	Optimizers   map[string]Kind
	Schedules    map[string]Kind
	Encoders     map[string]Kind
	Augments     map[string]Kind
}

// Kind is an entry of the table. New returns a pointer to a value with its
// defaults. Example is a valid value, small enough for a gradient check.
type Kind struct {
	New     func() any
	Example any
}

// kind is the entry of a type, with its defaults and an example.
func kind[T any](defaults, example T) Kind {
	return Kind{New: func() any { v := defaults; return &v }, Example: example}
}

// Default is the table of this module's kinds, a fresh copy at each call.
func Default() Table {
	lif := neuron.LIF{Beta: 0.9, Threshold: 1}
	fast := surrogate.FastSigmoid{Slope: 25}
	adam := optim.Adam{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
	return Table{
		Layers: map[string]Kind{
			"linear": kind(layer.Linear{}, layer.Linear{Out: 4}),
			"conv2d": kind(layer.Conv2D{},
				layer.Conv2D{Out: 3, Kernel: []int{2, 3}, Stride: []int{2, 1}, Padding: []int{1, 0, 2, 1}, Dilation: []int{1, 2}}),
			"max-pool":        kind(layer.MaxPool{}, layer.MaxPool{Size: 3, Stride: 2, Padding: []int{1}}),
			"avg-pool":        kind(layer.AvgPool{}, layer.AvgPool{Size: 3, Stride: 2, Padding: []int{0, 1, 2, 1}}),
			"global-avg-pool": kind(layer.GlobalAvgPool{}, layer.GlobalAvgPool{}),
			"upsample":        kind(layer.Upsample{Factor: 2}, layer.Upsample{Factor: 3}),
			"flatten":         kind(layer.Flatten{}, layer.Flatten{}),
			"relu":            kind(layer.ReLU{}, layer.ReLU{Slope: 0.1, Max: 0.6}),
			"spiking": kind(layer.Spiking{Neuron: lif, Surrogate: fast},
				layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 0.3}, Surrogate: surrogate.FastSigmoid{Slope: 4}}),
			"readout":    kind(layer.Readout{Beta: 0.9}, layer.Readout{Beta: 0.9}),
			"batch-norm": kind(layer.BatchNorm{Momentum: 0.1, Epsilon: 1e-5, Scale: 1}, layer.BatchNorm{Scale: 0.5}),
			"dropout":    kind(layer.Dropout{}, layer.Dropout{Rate: 0.3}),
			"add":        kind(layer.Add{}, layer.Add{}),
			"recurrent": kind(layer.Recurrent{Neuron: lif, Surrogate: fast},
				layer.Recurrent{Neuron: neuron.LIF{Beta: 0.8, Threshold: 0.3}, Surrogate: surrogate.FastSigmoid{Slope: 4}}),
			"parametric-spiking": kind(layer.ParametricSpiking{Beta: 0.5, Threshold: 1, Surrogate: surrogate.ArcTan{Alpha: 2}},
				layer.ParametricSpiking{Beta: 0.7, Threshold: 0.3, Reset: neuron.Zero, DecayInput: true, Surrogate: surrogate.ArcTan{Alpha: 2}}),
			"concat": kind(layer.Concat{}, layer.Concat{}),
		},
		Neurons: map[string]Kind{
			"if":  kind(neuron.IF{Threshold: 1}, neuron.IF{Threshold: 0.3}),
			"lif": kind(lif, neuron.LIF{Beta: 0.8, Threshold: 0.3, Reset: neuron.Zero, DecayInput: true}),
			"cuba-lif": kind(neuron.CuBaLIF{Alpha: 0.8, Beta: 0.9, Threshold: 1},
				neuron.CuBaLIF{Alpha: 0.6, Beta: 0.8, Coupling: neuron.Exact, Delay: true, Threshold: 0.1, Reset: neuron.Zero, Refractory: 1}),
			"alif": kind(neuron.ALIF{Beta: 0.9, Threshold: 1, Adaptation: 0.1, Rho: 0.95},
				neuron.ALIF{Beta: 0.9, Threshold: 0.2, Adaptation: 0.4, Rho: 0.8}),
		},
		Surrogates: map[string]Kind{
			"fast-sigmoid": kind(fast, surrogate.FastSigmoid{Slope: 4}),
			"arctan":       kind(surrogate.ArcTan{Alpha: 2}, surrogate.ArcTan{Alpha: 2}),
			"triangle":     kind(surrogate.Triangle{Height: 1, Width: 1}, surrogate.Triangle{Height: 0.7, Width: 1.1}),
			"rectangle":    kind(surrogate.Rectangle{Height: 1, Width: 0.5}, surrogate.Rectangle{Height: 0.7, Width: 0.9}),
			"sigmoid":      kind(surrogate.Sigmoid{Slope: 4}, surrogate.Sigmoid{Slope: 3}),
			"exponential":  kind(surrogate.Exponential{Height: 1, Slope: 5}, surrogate.Exponential{Height: 0.8, Slope: 2}),
		},
		Losses: map[string]Kind{
			"count-cross-entropy":    kind(loss.CountCrossEntropy{}, loss.CountCrossEntropy{}),
			"membrane-cross-entropy": kind(loss.MembraneCrossEntropy{}, loss.MembraneCrossEntropy{}),
			"weighted-cross-entropy": kind(loss.WeightedCrossEntropy{Factor: 0.9}, loss.WeightedCrossEntropy{Factor: 0.7}),
			"count-mse":              kind(loss.CountMSE{}, loss.CountMSE{}),
			"rate-mse":               kind(loss.RateMSE{Right: 1}, loss.RateMSE{Right: 0.9, Wrong: 0.03}),
			"step-cross-entropy":     kind(loss.StepCrossEntropy{Level: 1}, loss.StepCrossEntropy{Lambda: 0.05, Level: 1}),
			"first-spike":            kind(loss.FirstSpike{Temperature: 1}, loss.FirstSpike{Temperature: 2}),
		},
		Regularizers: map[string]Kind{
			"rate-bounds": kind(loss.RateBounds{Weight: 1, Upper: 1}, loss.RateBounds{Weight: 0.1, Lower: 0.05, Upper: 0.3}),
		},
		Optimizers: map[string]Kind{
			"sgd":   kind(optim.SGD{}, optim.SGD{LR: 0.1, Momentum: 0.9}),
			"adam":  kind(adam, optim.Adam{LR: 1e-3}),
			"adamw": kind(optim.AdamW{Adam: adam, Decay: 0.01}, optim.AdamW{Adam: optim.Adam{LR: 1e-3}, Decay: 0.01}),
		},
		Schedules: map[string]Kind{
			"fixed":      kind(optim.Fixed{}, optim.Fixed{}),
			"cosine":     kind(optim.Cosine{}, optim.Cosine{Warmup: 3}),
			"step":       kind(optim.Step{Factor: 0.1}, optim.Step{Every: 100, Factor: 0.5}),
			"milestones": kind(optim.Milestones{Factor: 0.1}, optim.Milestones{At: []float64{0.5, 0.75}, Factor: 0.1}),
			"one-cycle":  kind(optim.OneCycle{Rise: 0.3, Divide: 25, FinalDivide: 1e4}, optim.OneCycle{}),
		},
		Encoders: map[string]Kind{
			"constant":     kind(encode.Constant{}, encode.Constant{}),
			"poisson":      kind(encode.Poisson{Scale: 1}, encode.Poisson{Scale: 0.5}),
			"latency":      kind(encode.Latency{}, encode.Latency{Span: 10}),
			"log-latency":  kind(encode.LogLatency{Tau: 5, Threshold: 0.01}, encode.LogLatency{Tau: 20, Threshold: 0.2}),
			"rank-order":   kind(encode.RankOrder{}, encode.RankOrder{Span: 10}),
			"burst":        kind(encode.Burst{Growth: 2, Threshold: 0.125}, encode.Burst{Growth: 1.5, Threshold: 0.2}),
			"phase":        kind(encode.Phase{Bits: 8}, encode.Phase{Bits: 4}),
			"frames":       kind(encode.Frames{}, encode.Frames{}),
			"delta":        kind(encode.Delta{Threshold: 0.1}, encode.Delta{Threshold: 0.2}),
			"step-forward": kind(encode.StepForward{Threshold: 0.1}, encode.StepForward{Threshold: 0.2}),
		},
		Augments: map[string]Kind{
			"shift":        kind(data.Shift{}, data.Shift{Max: 2}),
			"crop":         kind(data.Crop{Padding: 4}, data.Crop{Padding: 2, Border: data.Reflect}),
			"flip":         kind(data.Flip{Probability: 0.5}, data.Flip{Probability: 0.5}),
			"cutout":       kind(data.Cutout{}, data.Cutout{Size: 3}),
			"color-jitter": kind(data.ColorJitter{}, data.ColorJitter{Brightness: 0.2, Contrast: 0.2, Saturation: 0.2}),
		},
	}
}

// Kinds is the table in the form in which YAML is decoded.
func (t Table) Kinds() yaml.Kinds {
	return yaml.Kinds{
		reflect.TypeFor[layer.Layer]():         constructors(t.Layers),
		reflect.TypeFor[neuron.Neuron]():       constructors(t.Neurons),
		reflect.TypeFor[surrogate.Surrogate](): constructors(t.Surrogates),
		reflect.TypeFor[loss.Loss]():           constructors(t.Losses),
		reflect.TypeFor[loss.Regularizer]():    constructors(t.Regularizers),
		reflect.TypeFor[optim.Optimizer]():     constructors(t.Optimizers),
		reflect.TypeFor[optim.Schedule]():      constructors(t.Schedules),
		reflect.TypeFor[encode.Encoder]():      constructors(t.Encoders),
		reflect.TypeFor[data.Augment]():        constructors(t.Augments),
	}
}

func constructors(kinds map[string]Kind) map[string]func() any {
	m := make(map[string]func() any, len(kinds))
	for name, k := range kinds {
		m[name] = k.New
	}
	return m
}

// Config is a training run of a network by backpropagation through time: what
// `synfire train FILE.yaml` reads and what a checkpoint carries.
type Config struct {
	Seed         uint64             `yaml:"seed"`                 // of all random numbers
	Data         Data               `yaml:"data,required"`        // what it learns from
	Encoder      encode.Encoder     `yaml:"encoder"`              // makes spikes or currents of samples
	Steps        int                `yaml:"steps,required"`       // T, of time
	Layers       []network.Node     `yaml:"layers,required"`      // the network, from its input to its output
	Loss         loss.Loss          `yaml:"loss"`                 // what training lowers
	Optimizer    optim.Optimizer    `yaml:"optimizer"`            // how a gradient changes the weights
	Schedule     optim.Schedule     `yaml:"schedule"`             // of the learning rate over the run
	Clip         float64            `yaml:"clip"`                 // largest norm of the gradients; 0: no limit
	Window       int                `yaml:"window"`               // steps of time in memory at once; 0: all
	Memory       Bytes              `yaml:"memory"`               // that window is chosen for, such as 256MiB; 0: no bound
	Truncate     int                `yaml:"truncate"`             // steps after which errors at states are dropped; 0: never
	Regularizers []loss.Regularizer `yaml:"regularizers"`         // of the firing of each spiking layer
	EarlyExit    EarlyExit          `yaml:"early-exit,omitempty"` // of eval: off, certain or a lead; training and its tests run all steps
	Epochs       int                `yaml:"epochs"`               // passes through the training samples
	Batch        int                `yaml:"batch"`                // samples a step
}

// NewConfig has the defaults of a configuration file.
func NewConfig() Config {
	return Config{
		Seed: 1, Encoder: encode.Constant{}, Loss: loss.CountCrossEntropy{},
		Optimizer: optim.Adam{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, Schedule: optim.Fixed{},
		Epochs: 1, Batch: 64,
	}
}

// Validate returns an error for counts that make no sense.
func (c Config) Validate() error {
	for _, f := range []struct {
		name  string
		value int
		least int
	}{
		{"steps", c.Steps, 1},
		{"epochs", c.Epochs, 1},
		{"batch", c.Batch, 1},
		{"window", c.Window, 0},
		{"truncate", c.Truncate, 0},
		{"layers", len(c.Layers), 1},
	} {
		if f.value < f.least {
			return fmt.Errorf("%s is %d, want at least %d", f.name, f.value, f.least)
		}
	}
	if err := c.Data.Validate(); err != nil {
		return err
	}
	if !(c.Clip >= 0) {
		return fmt.Errorf("clip is %v, want a norm, or 0 for no limit", c.Clip)
	}
	return nil
}

// Decode reads a configuration file; name stands in errors.
func (t Table) Decode(name string, src []byte) (Config, error) {
	c := NewConfig()
	if err := yaml.Decode(name, src, &c, t.Kinds()); err != nil {
		return Config{}, err
	}
	return c, nil
}

// Encode writes the configuration with all its defaults filled in.
func (t Table) Encode(c Config) ([]byte, error) { return yaml.Encode(c, t.Kinds()) }

// Network builds the configured network, with its initial weights, for a data
// set. An error about a node is a *network.NodeError.
func (c Config) Network(set *data.Set) (*network.Network, error) {
	return c.build(set, func(in tensor.Shape) (*network.Network, error) {
		return network.New(in, c.Seed, c.Layers...)
	})
}

// Outline is Network without the memory for its values, to tell sizes
// beforehand.
func (c Config) Outline(set *data.Set) (*network.Network, error) {
	return c.build(set, func(in tensor.Shape) (*network.Network, error) {
		return network.Outline(in, c.Layers...)
	})
}

func (c Config) build(set *data.Set, make func(in tensor.Shape) (*network.Network, error)) (*network.Network, error) {
	in := set.Shape
	if e, ok := c.Encoder.(encode.Shaper); ok {
		var err error
		if in, err = e.Shape(in); err != nil {
			return nil, fmt.Errorf("model: data set %s: %w", set.Name, err)
		}
	}
	n, err := make(in)
	if err != nil {
		return nil, err
	}
	if out := n.OutputShape(); out.Size() != len(set.Classes) {
		last := len(c.Layers) - 1
		err := fmt.Errorf("the last layer has %v outputs, data set %s has %d classes: give the last linear layer out: %d", out, set.Name, len(set.Classes), len(set.Classes))
		return nil, fmt.Errorf("model: %w", &network.NodeError{Index: last, Name: n.Nodes()[last].Name, Err: err})
	}
	return n, nil
}

// Locate gives an error of Network about a node of the configuration file src
// the node's line; other errors stay as they are.
func Locate(name string, src []byte, err error) error {
	var node *network.NodeError
	if !errors.As(err, &node) {
		return err
	}
	line, column, ok := yaml.Locate(src, "layers", node.Index)
	if !ok {
		return err
	}
	return &yaml.Error{File: name, Line: line, Column: column, Path: fmt.Sprintf("layers[%d]", node.Index), Msg: node.Error(), Err: err}
}
