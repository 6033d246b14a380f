package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"synfire/data"
	"synfire/encode"
	"synfire/format/safetensors"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/loss"
	"synfire/network"
	"synfire/optim"
	"synfire/signal"
	"synfire/tensor"
)

// BPTTConfig describes surrogate-gradient backpropagation through time.
type BPTTConfig struct {
	Net       *network.Network
	Steps     int // T
	Encoder   encode.Encoder
	Loss      loss.Loss
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
}

// BPTT trains a network by backpropagation through all T steps of time.
type BPTT struct {
	c      BPTTConfig
	packed *network.Compiled
	pass   *network.Pass
	grads  network.Grads
	bufs   [][][]tensor.Float
	step   int

	state   *network.State
	adjoint *network.Adjoint
	borders []*network.State
	in, out signal.Signal
	dout    signal.Signal
	scores  []tensor.Float
	keys    []rng.Key // of the samples' encodings
	masks   []rng.Key // of their dropout masks
	rates   []Rate
	firing  *firing // nil without regularizers
}

// NewBPTT checks the configuration and makes the learner.
func NewBPTT(c BPTTConfig) (*BPTT, error) {
	if c.Net == nil || c.Encoder == nil || c.Loss == nil || c.Optimizer == nil {
		return nil, errors.New("train.NewBPTT: network, encoder, loss and optimizer must be given")
	}
	if c.Steps < 1 || !(c.Clip >= 0) {
		return nil, fmt.Errorf("train.NewBPTT: steps %d, clip %v: want at least one step, and a clip that is not negative", c.Steps, c.Clip)
	}
	if len(c.Net.OutputShape()) != 1 {
		return nil, fmt.Errorf("train.NewBPTT: the network's output has shape %v, want a vector of classes; end it with flatten and linear layers", c.Net.OutputShape())
	}
	if err := errors.Join(c.Encoder.Validate(), c.Optimizer.Validate()); err != nil {
		return nil, fmt.Errorf("train.NewBPTT: %w", err)
	}
	if c.Schedule == nil {
		c.Schedule = optim.Fixed{}
	}
	for _, part := range []any{c.Schedule, c.Loss} {
		if v, ok := part.(interface{ Validate() error }); ok {
			if err := v.Validate(); err != nil {
				return nil, fmt.Errorf("train.NewBPTT: %w", err)
			}
		}
	}
	for _, r := range c.Regularizers {
		if err := r.Validate(); err != nil {
			return nil, fmt.Errorf("train.NewBPTT: %w", err)
		}
	}
	if err := c.chooseWindow(); err != nil {
		return nil, fmt.Errorf("train.NewBPTT: %w", err)
	}
	if node, ok := c.Net.WholeTime(true); ok && c.Window < c.Steps {
		return nil, fmt.Errorf("train.NewBPTT: node %q trains on all %d steps at once, a window of %d would change its results: leave window, memory and truncate out", node, c.Steps, c.Window)
	}
	l := &BPTT{
		c: c, packed: c.Net.Compile(c.Pool, true), grads: c.Net.NewGrads(),
		bufs: optim.NewBuffers(c.Optimizer, c.Net.Params()), state: c.Net.NewState(1), adjoint: c.Net.NewAdjoint(1),
	}
	l.pass = l.packed.NewPass(network.Options{Pool: c.Pool, Meter: c.Meter})
	if l.firing = newFiring(c.Net, c.Regularizers); l.firing != nil {
		l.pass.SetFiring(l.firing)
	}
	for _, nd := range c.Net.Nodes() {
		if layer.Fires(nd.Layer) {
			l.rates = append(l.rates, Rate{Layer: nd.Name})
		}
	}
	return l, nil
}

// Network is the network being trained.
func (l *BPTT) Network() *network.Network { return l.c.Net }

// Step takes one optimiser step on a batch.
func (l *BPTT) Step(_ context.Context, b *data.Batch) (Metrics, error) {
	l.keys = l.sampleKeys(l.keys, b, rng.Encode, b.Epoch)
	l.masks = l.sampleKeys(l.masks, b, rng.Dropout, b.Epoch)
	l.pass.SetTraining(l.masks)
	l.firing.start(l.c.Net, b.Len())
	err := l.forward(b, l.c.Window)
	penalty := l.firing.finish(b.Len(), l.c.Steps)
	if err != nil {
		return Metrics{}, err
	}
	value, err := l.c.Loss.Eval(&l.dout, l.scores, &l.out, b.Labels)
	if err != nil {
		return Metrics{}, err
	}
	value += penalty
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return Metrics{}, l.nonFinite(b, fmt.Sprintf("the loss is %v", value))
	}
	m := l.metrics(b, value)
	if err := l.backward(b); err != nil {
		return Metrics{}, err
	}
	for i := range l.grads {
		if !l.finite(l.grads[i]) {
			return Metrics{}, l.nonFinite(b, "a gradient is not finite")
		}
	}
	if l.c.Clip > 0 {
		optim.Clip(l.grads, l.c.Clip)
	}
	eta := l.c.Optimizer.Rate() * l.c.Schedule.Scale(l.step, l.c.Total)
	l.step++
	optim.Apply(l.c.Pool, l.c.Optimizer, l.c.Net.Params(), l.grads, l.bufs, l.step, eta)
	l.pass.UpdateBuffers()
	l.packed.Refresh(l.c.Pool)
	return m, nil
}

// finite reports whether no element is NaN or infinite, on the pool's threads.
func (l *BPTT) finite(x []tensor.Float) bool {
	var bad atomic.Bool
	l.c.Pool.For(len(x), 1<<16, func(_, lo, hi int) {
		if _, ok := tensor.Finite(x[lo:hi]); !ok {
			bad.Store(true)
		}
	})
	return !bad.Load()
}

// Predict runs a batch without learning.
func (l *BPTT) Predict(_ context.Context, b *data.Batch) (Prediction, error) {
	l.keys = l.sampleKeys(l.keys, b, rng.Eval, 0)
	l.pass.SetTraining(nil)
	if err := l.forward(b, 0); err != nil {
		return Prediction{}, err
	}
	value, err := l.c.Loss.Eval(nil, l.scores, &l.out, b.Labels)
	if err != nil {
		return Prediction{}, err
	}
	return Prediction{Scores: l.scores, Classes: l.out.Units(), Metrics: l.metrics(b, value)}, nil
}

// sampleKeys names the random stream of each sample, in the memory of keys.
func (l *BPTT) sampleKeys(keys []rng.Key, b *data.Batch, purpose string, epoch int) []rng.Key {
	base := rng.New(l.c.Seed, purpose).Int(uint64(epoch))
	keys = keys[:0]
	for _, i := range b.Index {
		keys = append(keys, base.Int(uint64(i)))
	}
	return keys
}

// forward runs all steps in windows (0: one window, nothing kept), collects
// the outputs, and remembers the states at the windows' borders.
func (l *BPTT) forward(b *data.Batch, window int) error {
	keep := window > 0
	if !keep {
		window = l.c.Steps
	}
	n := b.Len()
	l.state.Reset(l.c.Net, n)
	l.borders = l.borders[:0]
	for i := range l.rates {
		l.rates[i].Spikes, l.rates[i].Slots = 0, 0
	}
	l.out.Reset(signal.Dense, l.c.Steps, n, l.c.Net.OutputShape())
	l.scores = tensor.Resize(l.scores, n*l.out.Units())
	for t0 := 0; t0 < l.c.Steps; t0 += window {
		t1 := min(t0+window, l.c.Steps)
		if keep && window < l.c.Steps {
			l.borders = append(l.borders, l.state.Clone())
		}
		out, err := l.window(b, l.state, t0, t1, keep && t1 == l.c.Steps)
		if err != nil {
			return err
		}
		for r := range out.T * n {
			l.readRow(out, r, t0*n+r)
		}
		l.countSpikes()
	}
	return nil
}

// readRow copies a row of the network's output; a Constant one has one step.
func (l *BPTT) readRow(out *signal.Signal, from, to int) {
	k := l.out.Units()
	if out.Kind == signal.Constant {
		from %= out.B
	}
	out.ReadRow(l.out.Data[to*k:][:k], from)
}

func (l *BPTT) window(b *data.Batch, st *network.State, t0, t1 int, keep bool) (*signal.Signal, error) {
	l.c.Encoder.Encode(&l.in, b.X, b.Shape, l.keys, t0, t1)
	return l.pass.Forward(st, &l.in, keep)
}

func (l *BPTT) countSpikes() {
	i := 0
	for j, nd := range l.c.Net.Nodes() {
		if layer.Fires(nd.Layer) {
			spikes, slots := l.pass.Spikes(j)
			l.rates[i].Spikes += spikes
			l.rates[i].Slots += slots
			i++
		}
	}
}

// backward goes back window by window; all but the last are run again from
// the state at their border. Where it truncates, no error at a state passes.
func (l *BPTT) backward(b *data.Batch) error {
	l.grads.Zero()
	l.adjoint.Reset(l.c.Net, b.Len())
	if len(l.borders) == 0 {
		return l.pass.Backward(l.adjoint, l.error(0, l.c.Steps), l.grads)
	}
	for i := len(l.borders) - 1; i >= 0; i-- {
		t0 := i * l.c.Window
		t1 := min(t0+l.c.Window, l.c.Steps)
		if l.c.truncates() && t1%l.c.Truncate == 0 {
			l.adjoint.Truncate()
		}
		if i < len(l.borders)-1 {
			if _, err := l.window(b, l.borders[i], t0, t1, true); err != nil {
				return err
			}
		}
		if err := l.pass.Backward(l.adjoint, l.error(t0, t1), l.grads); err != nil {
			return err
		}
	}
	return nil
}

// error is the error at the outputs of steps [t0, t1), in the form that the
// network's output has.
func (l *BPTT) error(t0, t1 int) *signal.Signal {
	d := l.dout
	n := d.B * d.Units()
	d.T, d.Data = t1-t0, l.dout.Data[t0*n:t1*n]
	out := l.pass.Output(len(l.c.Net.Nodes()) - 1)
	if out.Kind != signal.Constant {
		return &d
	}
	total := &signal.Signal{}
	total.Reset(signal.Constant, d.T, d.B, d.Shape)
	clear(total.Data)
	for t := l.c.Steps - 1; t >= 0; t-- {
		for i, g := range l.dout.Data[t*n:][:n] {
			total.Data[i] += g
		}
	}
	return total
}

func (l *BPTT) metrics(b *data.Batch, value float64) Metrics {
	m := Metrics{N: b.Len(), LossSum: value * float64(b.Len()), Rates: append([]Rate(nil), l.rates...)}
	k := l.out.Units()
	for i, label := range b.Labels {
		if loss.Best(l.scores[i*k:][:k]) == label {
			m.Correct++
		}
	}
	return m
}

// nonFinite names the first node whose signal or gradient went wrong.
func (l *BPTT) nonFinite(b *data.Batch, what string) error {
	where := "in the loss"
	for i, p := range l.c.Net.Params() {
		if _, ok := tensor.Finite(l.grads[i]); !ok {
			where = fmt.Sprintf("in the gradient of %s", p.Name)
			break
		}
	}
	if err := l.forward(b, 0); err != nil { // the training pass has exchanged its signals' memory
		return err
	}
	for i, nd := range l.c.Net.Nodes() {
		if out := l.pass.Output(i); out.Kind != signal.Spikes {
			if _, ok := tensor.Finite(out.Data); !ok {
				where = fmt.Sprintf("first seen at the output of node %q", nd.Name)
				break
			}
		}
	}
	return fmt.Errorf("train: %s, %s; lower the learning rate or set clip", what, where)
}

// State is the parameters, the network's buffers, the optimiser's and its step.
func (l *BPTT) State() map[string]Array {
	s := map[string]Array{"optim.step": safetensors.U64([]uint64{uint64(l.step)}, 1)}
	for i, p := range l.c.Net.Params() {
		s["param."+p.Name] = safetensors.Of(p.Value)
		for k, b := range l.bufs[i] {
			s[bufferName(p, k)] = safetensors.Of(tensor.Tensor{Shape: p.Value.Shape, Data: b})
		}
	}
	for _, b := range l.c.Net.Buffers() {
		s["buffer."+b.Name] = safetensors.Of(b.Value)
	}
	return s
}

func bufferName(p tensor.Param, k int) string { return fmt.Sprintf("optim.%d.%s", k, p.Name) }

// SetState restores State. A state of another network is an error that names
// the array, and leaves the learner as it was.
func (l *BPTT) SetState(s map[string]Array) error {
	var dst []tensor.Tensor
	var src [][]tensor.Float
	take := func(name string, t tensor.Tensor) error {
		v, err := safetensors.Floats(s, name, t.Shape)
		dst, src = append(dst, t), append(src, v)
		if err != nil {
			return fmt.Errorf("train: %w", err)
		}
		return nil
	}
	for i, p := range l.c.Net.Params() {
		if err := take("param."+p.Name, p.Value); err != nil {
			return err
		}
		for k, b := range l.bufs[i] {
			if err := take(bufferName(p, k), tensor.Tensor{Shape: p.Value.Shape, Data: b}); err != nil {
				return err
			}
		}
	}
	for _, b := range l.c.Net.Buffers() {
		if err := take("buffer."+b.Name, b.Value); err != nil {
			return err
		}
	}
	step, err := s["optim.step"].U64s()
	if err != nil || len(step) != 1 {
		return fmt.Errorf("train: the checkpoint has no step count (optim.step): it is not one of a network trained by backpropagation")
	}
	if want := len(dst) + 1; len(s) != want {
		return fmt.Errorf("train: the checkpoint holds %d arrays, this network and optimizer %d: was it made with another configuration?", len(s), want)
	}
	for i := range dst {
		copy(dst[i].Data, src[i])
	}
	l.step = int(step[0])
	l.packed.Refresh(l.c.Pool)
	return nil
}

// Refresh takes up the network's parameters after someone else has written to
// them.
func (l *BPTT) Refresh() { l.packed.Refresh(l.c.Pool) }
