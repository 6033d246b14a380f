package bptt

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"synfire/loss"
	"synfire/network"
	"synfire/optim"
	"synfire/sample"
	"synfire/tensor"
	"synfire/train"
)

// Kind names the rule in configurations and model files.
const Kind = "bptt"

// Rule is backpropagation through time as a configuration describes it. It is the
// rule of a file that names none.
type Rule struct {
	Layers       []network.Node       `yaml:"layers,omitempty"`     // the network, from its input to its output
	Named        network.Architecture `yaml:"network,omitempty"`    // in place of layers: a network by name, which is written out as layers
	Outputs      []Output             `yaml:"outputs,omitempty"`    // nodes that leave the network; empty: the last, as output
	Loss         []Term               `yaml:"loss,single"`          // what training lowers, a sum where there are several
	Optimizer    optim.Optimizer      `yaml:"optimizer"`            // how a gradient changes the weights
	Schedule     optim.Schedule       `yaml:"schedule"`             // of the learning rate over the run
	Clip         float64              `yaml:"clip"`                 // largest norm of the gradients; 0: no limit
	Window       int                  `yaml:"window"`               // steps of time in memory at once; 0: all
	Memory       Bytes                `yaml:"memory"`               // that window is chosen for, such as 256MiB; 0: no bound
	Truncate     int                  `yaml:"truncate"`             // steps after which errors at states are dropped; 0: never
	Regularizers []loss.Regularizer   `yaml:"regularizers"`         // of the firing of each spiking layer
	EarlyExit    Lead                 `yaml:"early-exit,omitempty"` // of eval: off, certain or a lead; training and its tests run all steps
	Average      optim.Average        `yaml:"average,omitempty"`    // of the weights over the steps, which is measured, used and kept in place of them
	ShiftRate    float64              `yaml:"shift-rate,omitempty"` // factor of the learning rate of batch normalisation's shifts; 0: 1
	Frozen       []string             `yaml:"frozen,omitempty"`     // nodes whose weights stay as they start
	Whiten       *Whiten              `yaml:"whiten,omitempty"`     // sets the first convolution from the training images and freezes its weights
}

// Output names a node that leaves the network.
type Output struct {
	Name string `yaml:"name,required"` // as losses and tasks name it
	Node string `yaml:"node,required"` // of the network
}

// NewRule has the defaults of a configuration file.
func NewRule() Rule {
	return Rule{
		Loss:      []Term{{Loss: loss.CountCrossEntropy{}}},
		Optimizer: optim.Adam{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, Schedule: optim.Fixed{},
	}
}

// Exit is when an evaluation answers a sample, unless it is told otherwise.
func (r Rule) Exit() Lead { return r.EarlyExit }

// Validate returns an error for counts that make no sense.
func (r Rule) Validate() error {
	for _, f := range []struct {
		name  string
		value int
		least int
	}{
		{"window", r.Window, 0},
		{"truncate", r.Truncate, 0},
		{"loss", len(r.Loss), 1},
	} {
		if f.value < f.least {
			return fmt.Errorf("%s is %d, want at least %d", f.name, f.value, f.least)
		}
	}
	switch {
	case len(r.Layers) == 0 && r.Named == nil:
		return errors.New("layers is missing, the network from its input to its output; or give network, one by name, such as resnet-20")
	case len(r.Layers) > 0 && r.Named != nil:
		return errors.New("layers and network are given, two networks; remove one")
	}
	if !(r.Clip >= 0) {
		return fmt.Errorf("clip is %v, want a norm, or 0 for no limit", r.Clip)
	}
	return nil
}

// Expand writes a network that is given by its name out as layers.
func (r Rule) Expand() train.Rule {
	if r.Named != nil {
		r.Layers, r.Named = r.Named.Nodes(), nil
	}
	return r
}

// graphOf is a network of layers for samples of a setting, without its weights.
func graphOf(layers []network.Node, s train.Setting) (network.Graph, error) {
	in, _, err := s.Encoder.Plan(s.Spec)
	if err != nil {
		return network.Graph{}, fmt.Errorf("bptt: the data: %w", err)
	}
	g := network.Graph{Input: in}
	for _, n := range layers {
		g.Nodes = append(g.Nodes, network.GraphNode{Node: n})
	}
	return g, nil
}

// Graph is the network for samples of a setting, without its weights; Outline checks it.
func (r Rule) Graph(s train.Setting) (network.Graph, error) {
	r = r.Expand().(Rule)
	g, err := graphOf(r.Layers, s)
	if err != nil {
		return g, err
	}
	for _, o := range r.Outputs {
		g.Outputs = append(g.Outputs, network.Output{Name: o.Name, Node: o.Node})
	}
	return g, nil
}

// fits returns an error where losses or tasks cannot be applied to the network's
// outputs and the data's targets.
func (r Rule) fits(net *network.Network, s train.Setting) error {
	check := func(what, output, target string, fits func(out tensor.Shape, steps int, f sample.Field) error) error {
		i, err := outputOf(net.Outputs(), output)
		if err != nil {
			return fmt.Errorf("bptt: %s: %w", what, err)
		}
		f, err := s.Spec.Target(target)
		if err != nil {
			return fmt.Errorf("bptt: %s: %w", what, err)
		}
		if err := fits(net.OutputShapes()[i], s.Steps, f); err != nil {
			return fmt.Errorf("bptt: %s: %w", what, atOutput(net, i, err))
		}
		return nil
	}
	var errs []error
	for _, t := range r.Loss {
		errs = append(errs, check("loss", t.Output, t.Target, t.Loss.Check))
	}
	for _, t := range s.Tasks {
		for _, output := range t.Outputs() {
			errs = append(errs, check("task", output, t.Target, t.Task.Check))
		}
	}
	return errors.Join(errs...)
}

// atOutput is an error about the node of output i.
func atOutput(net *network.Network, i int, err error) error {
	name := net.Outputs()[i].Node
	index := slices.IndexFunc(net.Nodes(), func(n network.Info) bool { return n.Name == name })
	return &network.NodeError{Index: index, Name: name, Err: err}
}

// Network builds the network of a setting, with its initial weights. An error about a
// node is a *network.NodeError.
func (r Rule) Network(s train.Setting) (*network.Network, error) {
	g, err := r.Graph(s)
	if err != nil {
		return nil, err
	}
	return g.Build(s.Seed)
}

// Learner makes the learner.
func (r Rule) Learner(s train.Setting) (train.Learner, error) {
	net, err := r.Network(s)
	if err != nil {
		return nil, err
	}
	if err := r.fits(net, s); err != nil {
		return nil, err
	}
	batches := (s.Samples + s.Batch - 1) / s.Batch
	l, err := New(Options{
		Net: net, Steps: s.Steps, Encoder: s.Encoder, Losses: r.Loss, Optimizer: r.Optimizer, Schedule: r.Schedule,
		Total: s.Epochs * batches, Clip: r.Clip, Window: r.Window, Seed: s.Seed, Pool: s.Pool,
		Memory: int64(r.Memory), Batch: s.Batch, Truncate: r.Truncate, Regularizers: r.Regularizers, Tasks: s.Tasks,
		Average: r.Average, ShiftRate: r.ShiftRate, Frozen: r.Frozen, Whiten: r.Whiten,
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Predictor is a trained network that only predicts.
type Predictor struct{ *runner }

// Predictor makes the network of a model's arrays. It is a *Predictor.
func (r Rule) Predictor(s train.Setting, model map[string]train.Array) (train.Predictor, error) {
	g, err := r.Graph(s)
	if err != nil {
		return nil, err
	}
	return predictorOf(g, s, model, r.Loss)
}

// predictorOf is the network of a graph with a model's arrays.
func predictorOf(g network.Graph, s train.Setting, model map[string]train.Array, losses []Term) (*Predictor, error) {
	net, err := g.Build(s.Seed)
	if err != nil {
		return nil, err
	}
	t := &taking{from: model}
	if err := t.model(net); err != nil {
		return nil, err
	}
	if err := t.done(); err != nil {
		return nil, err
	}
	return NewPredictor(net, s, losses)
}

// NewPredictor runs a network on samples of a setting. Scores are read as the losses
// read them, or as the network's outputs say.
func NewPredictor(net *network.Network, s train.Setting, losses []Term) (*Predictor, error) {
	run, err := newRunner(net.Compile(s.Pool, false), s.Steps, s.Encoder, losses, s.Seed, network.Options{Pool: s.Pool})
	if err != nil {
		return nil, fmt.Errorf("bptt: %w", err)
	}
	return &Predictor{run}, nil
}

// Network is the network.
func (p *Predictor) Network() *network.Network { return p.net }

// Predict runs a batch.
func (p *Predictor) Predict(_ context.Context, b *sample.Batch) (train.Prediction, error) {
	return p.predict(b)
}

// Fork is another predictor on the same weights.
func (p *Predictor) Fork() train.Predictor {
	var terms []Term
	for _, h := range p.heads {
		terms = append(terms, h.Term)
	}
	run, err := newRunner(p.packed, p.steps, p.encoder, terms, p.seed, network.Options{Pool: p.pool})
	if err != nil {
		panic(err) // it was made once
	}
	return &Predictor{run}
}
