// Package bptt is backpropagation through time: a network.Network learns by the
// gradient of its losses through all T steps, with a surrogate in place of the
// derivative of a spike.
//
//	forward:   signals and states of steps 0 … T − 1, outputs o, scores
//	loss:      L = Σ_terms weight · L_term(o_output, y_target) + Σ regularizers
//	backward:  ∂L/∂w from step T − 1 to step 0
//	update:    optimizer, with the rate that the schedule scales
//
// Time may be cut into windows that are run again on the way back, which bounds the
// memory and changes no bit.
package bptt

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"sync/atomic"

	"synfire/encode"
	"synfire/format/safetensors"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/loss"
	"synfire/modelfile"
	"synfire/network"
	"synfire/optim"
	"synfire/sample"
	"synfire/signal"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// Options describe a learner. Net, Steps, Encoder, Losses and Optimizer are
// required.
type Options struct {
	Net       *network.Network
	Steps     int // T
	Encoder   encode.Encoder
	Losses    []Term
	Optimizer optim.Optimizer
	Schedule  optim.Schedule // nil: fixed
	Total     int            // steps that the schedule spans
	Clip      float64        // largest norm of the gradients; 0: no limit
	Window    int            // steps of time held in memory at once; 0: all T. Gradients are the same.
	Memory    int64          // bytes that Window is chosen for, with batches of Batch samples; 0: no bound
	Batch     int
	Truncate  int // steps after which errors at the states are dropped; 0: never
	Seed      uint64
	Pool      *par.Pool
	Meter     network.Meter // nil: nobody asks what the nodes do

	Regularizers []loss.Regularizer // of each spiking layer
	Tasks        []task.Binding     // whose running figures Step reports

	Average   optim.Average // of the weights, which predicts in their place; nil: none
	ShiftRate float64       // factor of the learning rate of batch normalisation's shifts; 0: 1
	Frozen    []string      // nodes whose parameters stay as they start
	Whiten    *Whiten       // what Start does with the first convolution; nil: nothing
}

// Learner trains a network by backpropagation through all T steps of time.
type Learner struct {
	*runner
	c     Options
	grads network.Grads
	bufs  [][][]tensor.Float
	step  int

	factors []float64  // of the parameters' rates; nil: all 1
	average *averaging // nil: none

	adjoint *network.Adjoint
	douts   []signal.Signal // errors at the outputs, of all steps
	masks   []rng.Key       // of the samples' dropout masks
	firing  *firing         // nil without regularizers
}

// New checks the options and makes the learner.
func New(c Options) (*Learner, error) {
	if c.Net == nil || c.Encoder == nil || len(c.Losses) == 0 || c.Optimizer == nil {
		return nil, errors.New("bptt.New: network, encoder, a loss and optimizer must be given")
	}
	if c.Steps < 1 || !(c.Clip >= 0) {
		return nil, fmt.Errorf("bptt.New: steps %d, clip %v: want at least one step, and a clip that is not negative", c.Steps, c.Clip)
	}
	if c.Schedule == nil {
		c.Schedule = optim.Fixed{}
	}
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("bptt.New: %w", err)
	}
	if err := c.chooseWindow(); err != nil {
		return nil, fmt.Errorf("bptt.New: %w", err)
	}
	if node, ok := c.Net.WholeTime(true); ok && c.Window < c.Steps {
		return nil, fmt.Errorf("bptt.New: node %q trains on all %d steps at once, a window of %d would change its results: leave window, memory and truncate out", node, c.Steps, c.Window)
	}
	r, err := newRunner(c.Net.Compile(c.Pool, true), c.Steps, c.Encoder, c.Losses, c.Seed, network.Options{Pool: c.Pool, Meter: c.Meter})
	if err != nil {
		return nil, fmt.Errorf("bptt.New: %w", err)
	}
	l := &Learner{
		runner: r, c: c, grads: c.Net.NewGrads(), bufs: optim.NewBuffers(c.Optimizer, c.Net.Params()),
		adjoint: c.Net.NewAdjoint(1), douts: make([]signal.Signal, len(r.outs)),
	}
	if l.factors, err = c.rates(); err != nil {
		return nil, fmt.Errorf("bptt.New: %w", err)
	}
	l.newAveraging()
	if l.firing = newFiring(c.Net, c.Regularizers); l.firing != nil {
		l.pass.SetFiring(l.firing)
	}
	return l, nil
}

// validate asks the parts.
func (c Options) validate() error {
	errs := []error{c.Encoder.Validate(), c.Optimizer.Validate(), c.checkWhiten()}
	if c.Average != nil {
		errs = append(errs, c.Average.Validate())
	}
	if !(c.ShiftRate >= 0) || math.IsInf(c.ShiftRate, 0) {
		errs = append(errs, fmt.Errorf("shift-rate is %v, want a factor of the learning rate, or 0 for 1", c.ShiftRate))
	}
	parts := []any{c.Schedule}
	for _, t := range c.Losses {
		parts = append(parts, t.Loss)
		if !(t.Weight >= 0) || math.IsInf(t.Weight, 0) {
			errs = append(errs, fmt.Errorf("a loss has the weight %v, want a number that is not negative", t.Weight))
		}
	}
	for _, part := range parts {
		if v, ok := part.(interface{ Validate() error }); ok {
			errs = append(errs, v.Validate())
		}
	}
	for _, r := range c.Regularizers {
		errs = append(errs, r.Validate())
	}
	return errors.Join(errs...)
}

// Network is the network being trained, with the average of its weights where one is kept.
func (l *Learner) Network() *network.Network {
	l.show(true)
	return l.net
}

// Predict runs a batch without learning, by the average of the weights where one is kept.
func (l *Learner) Predict(_ context.Context, b *sample.Batch) (train.Prediction, error) {
	l.show(true)
	return l.predict(b)
}

// Step takes one optimiser step on a batch.
func (l *Learner) Step(_ context.Context, b *sample.Batch) (train.Metrics, error) {
	l.show(false)
	l.keys = l.sampleKeys(l.keys, b, rng.Encode, b.Epoch)
	l.masks = l.sampleKeys(l.masks, b, rng.Dropout, b.Epoch)
	l.pass.SetTraining(l.masks)
	l.firing.start(l.net, b.Len())
	err := l.forward(b, l.c.Window)
	penalty := l.firing.finish(b.Len(), l.c.Steps)
	if err != nil {
		return train.Metrics{}, err
	}
	value, err := l.loss(b, true)
	if err != nil {
		return train.Metrics{}, err
	}
	value += penalty
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return train.Metrics{}, l.nonFinite(b, fmt.Sprintf("the loss is %v", value))
	}
	m, err := l.metrics(b, value)
	if err != nil {
		return train.Metrics{}, err
	}
	if err := l.backward(b); err != nil {
		return train.Metrics{}, err
	}
	for i := range l.grads {
		if !l.finite(l.grads[i]) {
			return train.Metrics{}, l.nonFinite(b, "a gradient is not finite")
		}
	}
	for i, f := range l.factors {
		if f == 0 {
			clear(l.grads[i]) // what stands still has no part in the norm
		}
	}
	if l.c.Clip > 0 {
		optim.Clip(l.grads, l.c.Clip)
	}
	eta := l.c.Optimizer.Rate() * l.c.Schedule.Scale(l.step, l.c.Total)
	l.step++
	optim.Apply(l.c.Pool, l.c.Optimizer, l.net.Params(), l.grads, l.bufs, l.step, eta, l.factors)
	if err := l.net.CheckParams(); err != nil {
		return train.Metrics{}, fmt.Errorf("bptt: %w", err)
	}
	l.pass.UpdateBuffers()
	l.follow()
	l.packed.Refresh(l.c.Pool)
	return m, nil
}

// metrics are those of a batch before learning from it.
func (l *Learner) metrics(b *sample.Batch, value float64) (train.Metrics, error) {
	m := train.Metrics{
		N: b.Len(), Sums: []train.Sum{train.LossSum(value * float64(b.Len()))},
		Rates: append([]train.Rate(nil), l.rates...),
	}
	if len(l.c.Tasks) == 0 {
		return m, nil
	}
	outputs, err := l.outputs(b, true)
	if err != nil {
		return m, err
	}
	running, err := train.Running(l.c.Tasks, outputs, b)
	m.Sums = append(m.Sums, running...)
	return m, err
}

// finite reports whether no element is NaN or infinite, on the pool's threads.
func (l *Learner) finite(x []tensor.Float) bool {
	var bad atomic.Bool
	l.c.Pool.For(len(x), 1<<16, func(_, lo, hi int) {
		if _, ok := tensor.Finite(x[lo:hi]); !ok {
			bad.Store(true)
		}
	})
	return !bad.Load()
}

// backward goes back window by window; all but the last are run again from
// the state at their border. Where it truncates, no error at a state passes.
func (l *Learner) backward(b *sample.Batch) error {
	l.grads.Zero()
	l.adjoint.Reset(l.net, b.Len())
	l.sumErrors()
	if len(l.borders) == 0 {
		return l.pass.Backward(l.adjoint, l.errors(0, l.steps), l.grads)
	}
	for i := len(l.borders) - 1; i >= 0; i-- {
		t0 := i * l.c.Window
		t1 := min(t0+l.c.Window, l.steps)
		if l.c.truncates() && t1%l.c.Truncate == 0 {
			l.adjoint.Truncate()
		}
		if i < len(l.borders)-1 {
			if _, err := l.window(b, l.borders[i], t0, t1, true); err != nil {
				return err
			}
		}
		if err := l.pass.Backward(l.adjoint, l.errors(t0, t1), l.grads); err != nil {
			return err
		}
	}
	return nil
}

// sumErrors adds up the weighted errors of the terms of each output. An output
// without a term has none. That of a single term of weight 1 is taken as it is.
func (l *Learner) sumErrors() {
	for i := range l.douts {
		l.douts[i].B = 0
	}
	for j := range l.heads {
		h := &l.heads[j]
		d, w := &l.douts[h.output], tensor.Float(h.weight())
		if w != 1 {
			for k := range h.dout.Data {
				h.dout.Data[k] *= w
			}
		}
		if d.B == 0 {
			*d = h.dout
			continue
		}
		for k, g := range h.dout.Data {
			d.Data[k] += g // in the first term's memory, which nobody reads again
		}
	}
}

// errors are those at the outputs of steps [t0, t1), in the form that the network's
// outputs have; nil where there are none.
func (l *Learner) errors(t0, t1 int) []*signal.Signal {
	all := make([]*signal.Signal, len(l.douts))
	for i := range l.douts {
		if l.douts[i].B == 0 {
			continue
		}
		d := l.douts[i]
		n := d.B * d.Units()
		d.T, d.Data = t1-t0, l.douts[i].Data[t0*n:t1*n]
		all[i] = &d
		if l.kinds[i] != signal.Constant {
			continue
		}
		total := &signal.Signal{}
		total.Reset(signal.Constant, d.T, d.B, d.Shape)
		clear(total.Data)
		for t := l.steps - 1; t >= 0; t-- {
			for k, g := range l.douts[i].Data[t*n:][:n] {
				total.Data[k] += g
			}
		}
		all[i] = total
	}
	return all
}

// nonFinite names the first node whose signal or gradient went wrong.
func (l *Learner) nonFinite(b *sample.Batch, what string) error {
	where := "in the loss"
	for i, p := range l.net.Params() {
		if _, ok := tensor.Finite(l.grads[i]); !ok {
			where = fmt.Sprintf("in the gradient of %s", p.Name)
			break
		}
	}
	seen := false
	l.pass.Watch(func(node int, out *signal.Signal) {
		if seen || out.Kind == signal.Spikes {
			return
		}
		if _, ok := tensor.Finite(out.Data); !ok {
			seen, where = true, fmt.Sprintf("first seen at the output of node %q", l.net.Nodes()[node].Name)
		}
	})
	defer l.pass.Watch(nil)
	if err := l.forward(b, 0); err != nil {
		return err
	}
	return fmt.Errorf("bptt: %s, %s; lower the learning rate or set clip", what, where)
}

// The names of arrays in a model: param.NODE.ROLE and buffer.NODE.ROLE.
const (
	paramPrefix  = "param."
	bufferPrefix = "buffer."
)

// modelOf is the arrays that a network's predictions depend on.
func modelOf(n *network.Network) map[string]train.Array {
	m := map[string]train.Array{}
	for _, p := range n.Params() {
		m[paramPrefix+p.Name] = modelfile.Pack(p.Value)
	}
	for _, b := range n.Buffers() {
		m[bufferPrefix+b.Name] = modelfile.Pack(b.Value)
	}
	return m
}

// Model is the parameters and the network's buffers, or their averages.
func (l *Learner) Model() map[string]train.Array {
	l.show(true)
	return modelOf(l.net)
}

// State is the model, the optimiser's buffers and its step, and what learns where the model
// is its average.
func (l *Learner) State() map[string]train.Array {
	s := l.Model()
	s["optim.step"] = safetensors.U64([]uint64{uint64(l.step)}, 1)
	for i, p := range l.net.Params() {
		for k, b := range l.bufs[i] {
			s[bufferName(p, k)] = modelfile.Pack(tensor.Tensor{Shape: p.Value.Shape, Data: b})
		}
	}
	for _, p := range l.average.learning() {
		s[p.Name] = modelfile.Pack(p.Value)
	}
	return s
}

func bufferName(p tensor.Param, k int) string { return fmt.Sprintf("optim.%d.%s", k, p.Name) }

// taking collects arrays of a state before any of them is taken up.
type taking struct {
	from map[string]train.Array
	dst  []tensor.Tensor
	src  [][]tensor.Float
}

func (t *taking) take(name string, to tensor.Tensor) error {
	v, err := modelfile.Unpack(t.from, name, to.Shape)
	t.dst, t.src = append(t.dst, to), append(t.src, v)
	return err
}

func (t *taking) model(n *network.Network) error {
	for _, p := range n.Params() {
		if err := t.take(paramPrefix+p.Name, p.Value); err != nil {
			return err
		}
	}
	for _, b := range n.Buffers() {
		if err := t.take(bufferPrefix+b.Name, b.Value); err != nil {
			return err
		}
	}
	return nil
}

// done checks that nothing is left over, and writes.
func (t *taking) done() error {
	if len(t.from) != len(t.dst) {
		return fmt.Errorf("bptt: the file holds %d arrays, this network and optimizer %d: was it made with another configuration?", len(t.from), len(t.dst))
	}
	for i := range t.dst {
		copy(t.dst[i].Data, t.src[i])
	}
	return nil
}

// SetState restores State. A state of another network is an error that names
// the array, and leaves the learner as it was.
func (l *Learner) SetState(s map[string]train.Array) error {
	step, err := s["optim.step"].U64s()
	if err != nil || len(step) != 1 {
		return fmt.Errorf("bptt: the checkpoint has no step count (optim.step): it is not one of a network trained by backpropagation")
	}
	rest := maps.Clone(s)
	delete(rest, "optim.step")
	t := &taking{from: rest}
	if err := t.model(l.net); err != nil {
		return err
	}
	for i, p := range l.net.Params() {
		for k, b := range l.bufs[i] {
			if err := t.take(bufferName(p, k), tensor.Tensor{Shape: p.Value.Shape, Data: b}); err != nil {
				return err
			}
		}
	}
	for _, p := range l.average.learning() {
		if err := t.take(p.Name, p.Value); err != nil {
			return err
		}
	}
	if err := t.done(); err != nil {
		return err
	}
	l.step = int(step[0])
	if l.average != nil {
		l.average.shown = true
	}
	if l.step == 0 { // what learns starts from the model, whoever gave it
		l.average.restart()
	}
	l.packed.Refresh(l.c.Pool)
	return nil
}

// Refresh takes up the network's parameters after someone else has written to
// them. An average starts anew from there.
func (l *Learner) Refresh() {
	l.average.restart()
	l.packed.Refresh(l.c.Pool)
}
