package bptt

import (
	"fmt"
	"slices"

	"synfire/encode"
	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/loss"
	"synfire/network"
	"synfire/sample"
	"synfire/signal"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// Term is a loss of one output against one target.
type Term struct {
	Loss   loss.Loss `yaml:",inline"`
	Output string    `yaml:"output,omitempty"` // of the network; empty: the first
	Target string    `yaml:"target,omitempty"` // of the data; empty: the first; input: the sample itself
	Weight float64   `yaml:"weight,omitempty"` // of the loss in the sum of all; 0: 1
}

func (t Term) weight() float64 {
	if t.Weight == 0 {
		return 1
	}
	return t.Weight
}

// head is a term with the place of its output, and its working memory.
type head struct {
	Term
	output int
	dout   signal.Signal
	scores []tensor.Float
}

// runner runs a network over all steps of a batch, without learning.
type runner struct {
	net     *network.Network
	packed  *network.Compiled
	steps   int
	encoder encode.Encoder
	seed    uint64
	pool    *par.Pool

	pass  *network.Pass
	state *network.State
	in    signal.Signal
	outs  []signal.Signal // of all steps, Dense, one for each output of the network
	kinds []signal.Kind   // in which the network gave them
	heads []head
	read  [][]tensor.Float // scores of outputs that no loss reads
	means bool             // all outputs are such, and read by their mean alone: no step of them is kept
	row   signal.Signal    // of an output, to be added
	keys  []rng.Key        // of the samples' encodings
	rates []train.Rate

	borders []*network.State // where windows of time meet, while training
}

// newRunner makes a runner of a compiled network.
func newRunner(packed *network.Compiled, steps int, encoder encode.Encoder, terms []Term, seed uint64, o network.Options) (*runner, error) {
	net := packed.Network()
	if err := net.CheckSteps(steps); err != nil {
		return nil, err
	}
	outputs := net.Outputs()
	r := &runner{
		net: net, packed: packed, steps: steps, encoder: encoder, seed: seed, pool: o.Pool,
		pass: packed.NewPass(o), state: &network.State{}, outs: make([]signal.Signal, len(outputs)),
		kinds: make([]signal.Kind, len(outputs)), read: make([][]tensor.Float, len(outputs)),
	}
	for _, t := range terms {
		i, err := outputOf(outputs, t.Output)
		if err != nil {
			return nil, err
		}
		r.heads = append(r.heads, head{Term: t, output: i})
	}
	for _, nd := range net.Nodes() {
		if layer.Fires(nd.Layer) {
			r.rates = append(r.rates, train.Rate{Layer: nd.Name})
		}
	}
	_, whole := net.WholeTime(false)
	r.means = !whole && len(r.heads) == 0 && !slices.ContainsFunc(outputs, func(o network.Output) bool {
		_, mean := o.Read.(encode.MeanReader)
		return !mean
	})
	return r, nil
}

// outputOf is the place of an output; the empty name is the first.
func outputOf(outputs []network.Output, name string) (int, error) {
	var known []string
	for i, o := range outputs {
		if name == "" || o.Name == name {
			return i, nil
		}
		known = append(known, o.Name)
	}
	return 0, fmt.Errorf("the network has no output %q; it has %v", name, known)
}

// sampleKeys names the random stream of each sample, in the memory of keys.
func (r *runner) sampleKeys(keys []rng.Key, b *sample.Batch, purpose string, epoch int) []rng.Key {
	base := rng.New(r.seed, purpose).Int(uint64(epoch))
	keys = keys[:0]
	for _, i := range b.Index {
		keys = append(keys, base.Int(uint64(i)))
	}
	return keys
}

// together is how many steps of an output are there at once where its mean is read.
const together = 16

// forward runs all steps in windows (0: nothing kept), collects the outputs, or
// their means, and remembers the states at the windows' borders.
func (r *runner) forward(b *sample.Batch, window int) error {
	keep := window > 0
	average := !keep && r.means && b.Valid(r.steps) == nil
	kept := r.steps
	switch {
	case average:
		window, kept = min(together, r.steps), 1
	case !keep:
		window = r.steps
	}
	n := b.Len()
	r.state.Reset(r.net, n)
	r.borders = r.borders[:0]
	for i := range r.rates {
		r.rates[i].Spikes, r.rates[i].Slots = 0, 0
	}
	for i, shape := range r.net.OutputShapes() {
		r.outs[i].Reset(signal.Dense, kept, n, shape)
		if average {
			clear(r.outs[i].Data)
		}
	}
	for t0 := 0; t0 < r.steps; t0 += window {
		t1 := min(t0+window, r.steps)
		if keep && window < r.steps {
			r.borders = append(r.borders, r.state.Clone())
		}
		outs, err := r.window(b, r.state, t0, t1, keep && t1 == r.steps)
		if err != nil {
			return err
		}
		for i, out := range outs {
			if average {
				r.add(&r.outs[i], out, t1-t0)
				continue
			}
			for row := range out.T * n {
				readRow(&r.outs[i], t0*n+row, out, row)
			}
		}
		r.countSpikes()
	}
	if average {
		for _, o := range r.outs {
			for i := range o.Data {
				o.Data[i] *= 1 / tensor.Float(r.steps)
			}
		}
	}
	return nil
}

// add adds the steps of a window's output to a sum, in their order, as encode.Membrane does.
func (r *runner) add(sum, out *signal.Signal, steps int) {
	k := sum.Units()
	r.row.Reset(signal.Dense, 1, 1, sum.Shape)
	for row := range steps * sum.B {
		readRow(&r.row, 0, out, row)
		kernel.Add(sum.Data[row%sum.B*k:][:k], r.row.Data)
	}
}

// readRow copies a row of a network's output; a Constant one has one step.
func readRow(dst *signal.Signal, to int, out *signal.Signal, from int) {
	k := dst.Units()
	if out.Kind == signal.Constant {
		from %= out.B
	}
	out.ReadRow(dst.Data[to*k:][:k], from)
}

func (r *runner) window(b *sample.Batch, st *network.State, t0, t1 int, keep bool) ([]*signal.Signal, error) {
	r.encoder.Encode(&r.in, b, r.keys, encode.Window{T0: t0, T1: t1, Steps: r.steps})
	outs, err := r.pass.Forward(st, &r.in, keep)
	if err != nil {
		return nil, err
	}
	for i, out := range outs {
		r.kinds[i] = out.Kind
	}
	return outs, nil
}

func (r *runner) countSpikes() {
	i := 0
	for j, nd := range r.net.Nodes() {
		if layer.Fires(nd.Layer) {
			spikes, slots := r.pass.Spikes(j)
			r.rates[i].Spikes += spikes
			r.rates[i].Slots += slots
			i++
		}
	}
}

// loss evaluates all terms, with the errors at the outputs where they are wanted.
func (r *runner) loss(b *sample.Batch, errors bool) (value float64, err error) {
	valid := b.Valid(r.steps)
	for i := range r.heads {
		h := &r.heads[i]
		y, err := b.Target(h.Target)
		if err != nil {
			return 0, err
		}
		out := &r.outs[h.output]
		h.scores = tensor.Resize(h.scores, out.B*out.Units())
		c := loss.Call{Out: out, Target: y, Valid: valid, Duration: b.Spec.Duration, Scores: h.scores}
		if errors {
			c.DOut = &h.dout
		}
		v, err := h.Loss.Eval(&c)
		if err != nil {
			return 0, err
		}
		value += h.weight() * v
	}
	return value, nil
}

// outputs are what the network says of the last batch, after loss where that was
// evaluated. Scores are those of the first loss that reads an output; of one that none
// reads they are read as the network says, and else the mean over time.
func (r *runner) outputs(b *sample.Batch, evaluated bool) ([]task.Output, error) {
	all := make([]task.Output, len(r.outs))
	for i, o := range r.net.Outputs() {
		s := &r.outs[i]
		all[i] = task.Output{Name: o.Name, Shape: s.Shape}
		if s.T == r.steps {
			all[i].Signal = s
		}
		h := r.head(i)
		switch {
		case h == nil:
			var d encode.Decoder = encode.Membrane{}
			if o.Read != nil {
				d = o.Read
			}
			r.read[i] = tensor.Resize(r.read[i], s.B*s.Units())
			c := loss.Call{Out: s, Valid: b.Valid(r.steps), Scores: r.read[i]}
			if err := c.Decode(d); err != nil {
				return nil, err
			}
			for k := range r.read[i] {
				r.read[i][k] *= scale(o)
			}
			all[i].Scores = r.read[i]
			continue
		case !evaluated:
			h.scores = tensor.Resize(h.scores, s.B*s.Units())
			if err := h.Loss.Score(&loss.Call{Out: s, Valid: b.Valid(r.steps), Scores: h.scores}); err != nil {
				return nil, err
			}
		}
		all[i].Scores = h.scores
	}
	return all, nil
}

// scale is the factor of an output's scores.
func scale(o network.Output) tensor.Float {
	if o.Scale == 0 {
		return 1
	}
	return tensor.Float(o.Scale)
}

// head is the first one that reads output i, or nil.
func (r *runner) head(i int) *head {
	for j := range r.heads {
		if r.heads[j].output == i {
			return &r.heads[j]
		}
	}
	return nil
}

// predict runs a batch without learning. Where the batch has the targets of the
// losses, they are in the metrics.
func (r *runner) predict(b *sample.Batch) (train.Prediction, error) {
	r.keys = r.sampleKeys(r.keys, b, rng.Eval, 0)
	r.pass.SetTraining(nil)
	if err := r.forward(b, 0); err != nil {
		return train.Prediction{}, err
	}
	m := train.Metrics{N: b.Len(), Rates: append([]train.Rate(nil), r.rates...)}
	evaluated := r.hasTargets(b)
	if evaluated {
		value, err := r.loss(b, false)
		if err != nil {
			return train.Prediction{}, err
		}
		m.Sums = []train.Sum{train.LossSum(value * float64(b.Len()))}
	}
	outputs, err := r.outputs(b, evaluated)
	return train.Prediction{Outputs: outputs, Metrics: m}, err
}

// hasTargets reports whether a batch has what all losses need.
func (r *runner) hasTargets(b *sample.Batch) bool {
	for _, h := range r.heads {
		if _, err := b.Target(h.Target); err != nil {
			return false
		}
	}
	return len(r.heads) > 0
}
