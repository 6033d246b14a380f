package superspike

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"synfire/encode"
	"synfire/format/safetensors"
	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/modelfile"
	"synfire/sample"
	"synfire/signal"
	"synfire/spike"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// OutputName is the name of a model's output.
const OutputName = "output"

// Learner trains a network on trials: each sample begins at rest, and the weights change
// once a batch. It implements train.Learner. Its loss is van Rossum's D, of the filter α,
// summed over the outputs: a single spike without a match gives 1. Scores are spike counts.
type Learner struct {
	rule    Rule
	clock   clock
	net     *net
	setting train.Setting
	field   int // of the targets; −1: none, as of a model that is asked
	outputs int
	trials  []*trial // one a thread
	sum     [][]tensor.Float
	in      signal.Signal
	out     signal.Signal
	scores  []tensor.Float
	keys    []rng.Key
}

// New makes the learner of a rule in a setting, with its initial weights.
func New(r Rule, s train.Setting) (*Learner, error) { return r.learner(s) }

// Learner makes the learner, with its initial weights.
func (r Rule) Learner(s train.Setting) (train.Learner, error) {
	l, err := r.learner(s)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Predictor makes the network of a model's arrays.
func (r Rule) Predictor(s train.Setting, model map[string]train.Array) (train.Predictor, error) {
	l, err := r.learner(s)
	if err != nil {
		return nil, err
	}
	return l, l.setModel(model)
}

// sizes are the inputs and outputs in a setting, and the place of the target.
func (r Rule) sizes(s train.Setting) (inputs, outputs, field int, err error) {
	if s.Encoder == nil || s.Steps < 1 {
		return 0, 0, 0, errors.New("superspike: no encoder or no steps; set encoder: events and steps for trains of your own")
	}
	shape, _, err := s.Encoder.Plan(s.Spec)
	if err != nil {
		return 0, 0, 0, fmt.Errorf("superspike: the data: %w", err)
	}
	if !(s.Spec.Duration > 0) {
		return 0, 0, 0, fmt.Errorf("superspike: samples are %v without a duration, want some in time with trains as targets, as of {source: {kind: trains, path: …}}", s.Spec)
	}
	field = slices.IndexFunc(s.Spec.Targets, func(f sample.Field) bool {
		return f.Kind == sample.Trains && (r.Target == "" || f.Name == r.Target)
	})
	if field < 0 {
		var have []string
		for _, f := range s.Spec.Targets {
			have = append(have, fmt.Sprintf("%s (%v)", f.Name, f.Kind))
		}
		return 0, 0, 0, fmt.Errorf("superspike: no target %q that is spike trains, the data have %v; name one, or use data with trains to emit", r.Target, have)
	}
	return shape.Size(), s.Spec.Targets[field].Shape.Size(), field, nil
}

func (r Rule) learner(s train.Setting) (*Learner, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	inputs, outputs, field, err := r.sizes(s)
	if err != nil {
		return nil, err
	}
	for _, t := range s.Tasks {
		f, err := s.Spec.Target(t.Target)
		if err == nil {
			err = t.Task.Check(tensor.Shape{outputs}, s.Steps, f)
		}
		if err != nil {
			return nil, fmt.Errorf("superspike: %w", err)
		}
	}
	k, err := r.clock(1000 * s.Spec.Duration / float64(s.Steps))
	if err != nil {
		return nil, err
	}
	l := &Learner{rule: r, clock: k, setting: s, field: field, outputs: outputs, net: newNet(r, inputs, outputs, s.Seed)}
	for _, p := range l.net.layers {
		l.sum = append(l.sum, make([]tensor.Float, p.in*p.out))
	}
	return l, nil
}

// Warnings says what is doubtful.
func (l *Learner) Warnings() (all []string) {
	if l.clock.dt > l.rule.TauSyn {
		all = append(all, fmt.Sprintf("superspike: a step lasts %.3g ms, longer than tau-syn, %v ms: spikes in it are told apart no more; set more steps", l.clock.dt, l.rule.TauSyn))
	}
	if r := l.rule; r.Hidden != nil && r.Feedback == Uniform && r.Rho == 0 && slices.Max(r.Hidden) > 8 {
		all = append(all, "superspike: uniform feedback pushes all hidden units alike, and many of them run away; set rho, as 1e-5")
	}
	return all
}

// group is the trials of n samples that run at once, one a thread at most.
func (l *Learner) group(n int) []*trial {
	for len(l.trials) < min(n, l.setting.Pool.Threads()) {
		l.trials = append(l.trials, newTrial(l.clock, l.net, l.setting.Pool))
	}
	return l.trials[:min(n, len(l.trials))]
}

// Step learns from a batch: one update by the sum over its samples.
func (l *Learner) Step(ctx context.Context, b *sample.Batch) (train.Metrics, error) {
	if b.Len() == 0 {
		return train.Metrics{}, nil
	}
	if err := l.encode(b, rng.Encode, b.Epoch); err != nil {
		return train.Metrics{}, err
	}
	for _, s := range l.sum {
		clear(s)
	}
	steps := 0
	m, err := l.trialsOf(ctx, b, true, func(_ int, t *trial) {
		steps += t.steps
		for i, s := range l.sum {
			kernel.Add(s, t.m[i])
		}
	})
	if err != nil {
		return train.Metrics{}, err
	}
	l.net.update(l.sum, steps, float64(steps)*l.clock.dt)
	return m, l.net.finite()
}

// Predict runs trials without learning.
func (l *Learner) Predict(ctx context.Context, b *sample.Batch) (train.Prediction, error) {
	if err := l.encode(b, rng.Eval, 0); err != nil {
		return train.Prediction{}, err
	}
	n, k := b.Len(), l.outputs
	l.out.Reset(signal.Dense, l.setting.Steps, n, tensor.Shape{k})
	clear(l.out.Data)
	l.scores = tensor.Resize(l.scores, n*k)
	clear(l.scores)
	m, err := l.trialsOf(ctx, b, false, func(i int, t *trial) {
		fired := &t.fired[len(t.fired)-1]
		for s := range t.steps {
			for _, u := range fired.step(s) {
				l.out.Data[(s*n+i)*k+int(u)] = 1
				l.scores[i*k+int(u)]++
			}
		}
	})
	if err != nil {
		return train.Prediction{}, err
	}
	return train.Prediction{Metrics: m, Outputs: []task.Output{{Name: OutputName, Shape: tensor.Shape{k}, Scores: l.scores, Signal: &l.out}}}, nil
}

// trialsOf runs the samples of an encoded batch, as many at once as there are threads, and
// hands them over in order.
func (l *Learner) trialsOf(ctx context.Context, b *sample.Batch, learn bool, take func(i int, t *trial)) (train.Metrics, error) {
	group, loss := l.group(b.Len()), 0.0
	m := train.Metrics{N: b.Len()}
	for i, p := range l.net.layers {
		m.Rates = append(m.Rates, train.Rate{Layer: fmt.Sprintf("layer%d", i+1), Slots: p.out * l.setting.Steps * b.Len()})
	}
	valid, targets := b.Valid(l.setting.Steps), len(b.Targets) > 0
	losses, errs := make([]float64, len(group)), make([]error, len(group))
	for at := 0; at < b.Len(); at += len(group) {
		if err := ctx.Err(); err != nil {
			return m, err
		}
		now := group[:min(len(group), b.Len()-at)]
		l.setting.Pool.For(len(now), 1, func(_, lo, hi int) {
			for i := lo; i < hi; i++ {
				steps := l.setting.Steps
				if valid != nil {
					steps = valid[at+i]
				}
				losses[i], errs[i] = l.one(now[i], b, at+i, steps, learn, targets)
			}
		})
		for i, t := range now {
			if errs[i] != nil {
				return m, errs[i]
			}
			loss += losses[i]
			for k := range m.Rates {
				m.Rates[k].Spikes += len(t.fired[k].units)
			}
			take(at+i, t)
		}
	}
	if targets {
		m.Sums = []train.Sum{train.LossSum(loss)}
	}
	return m, nil
}

// one is a trial of sample i.
func (l *Learner) one(t *trial, b *sample.Batch, i, steps int, learn, targets bool) (float64, error) {
	t.input.reset()
	for s := range steps {
		t.input.units = kernel.Indices(t.input.units, l.in.Raster.Row(s*b.Len()+i), 0, l.in.Units(), 0)
		t.input.end()
	}
	if targets {
		if err := l.targets(&t.target, b, i, steps); err != nil {
			return 0, err
		}
	}
	t.run(steps, learn)
	switch {
	case learn:
		return t.learn(), nil
	case targets:
		t.compare()
		return t.loss(), nil
	}
	return 0, nil
}

// encode makes spikes of a batch.
func (l *Learner) encode(b *sample.Batch, purpose string, epoch int) error {
	key := rng.New(l.setting.Seed, purpose).Int(uint64(epoch))
	l.keys = l.keys[:0]
	for _, i := range b.Index {
		l.keys = append(l.keys, key.Int(uint64(i)))
	}
	l.setting.Encoder.Encode(&l.in, b, l.keys, encode.Window{T0: 0, T1: l.setting.Steps, Steps: l.setting.Steps})
	if l.in.Kind != signal.Spikes {
		return fmt.Errorf("superspike: the encoder gives values (%v), want spikes; use events for trains, poisson or latency for values", l.in.Kind)
	}
	return nil
}

// targets are the target spikes of sample i by step.
func (l *Learner) targets(dst *spikes, b *sample.Batch, i, steps int) error {
	trains, all := b.Targets[l.field].Trains[i], l.setting.Steps
	fail := func(u int, at float64, why string) error {
		return fmt.Errorf("superspike: sample %d, target unit %d: the spike at %v s %s", b.Index[i], u, at, why)
	}
	if len(trains) != l.outputs {
		return fmt.Errorf("superspike: sample %d has %d target trains, want %d", b.Index[i], len(trains), l.outputs)
	}
	raster := spike.NewRaster(steps, l.outputs)
	for u, t := range trains {
		for _, at := range t.Times {
			s := encode.StepOf(at, all, l.setting.Spec.Duration)
			switch {
			case at < 0 || s < 0 || s >= steps:
				return fail(u, at, fmt.Sprintf("is outside of the sample's %d steps; clip the trains or lengthen the sample", steps))
			case raster.At(s, u):
				return fail(u, at, fmt.Sprintf("is in the same step of %.3g ms as the one before; set more steps, or merge them", l.clock.dt))
			}
			raster.Set(s, u)
		}
	}
	dst.reset()
	for s := range steps {
		dst.units = kernel.Indices(dst.units, raster.Row(s), 0, l.outputs, 0)
		dst.end()
	}
	return nil
}

// Model is the weights.
func (l *Learner) Model() map[string]train.Array {
	m := map[string]train.Array{}
	for i, p := range l.net.layers {
		m[weightName(i)] = modelfile.Pack(p.w)
	}
	return m
}

const updatesName = "superspike.updates"

// State is the weights, the largest gradients and the number of updates.
func (l *Learner) State() map[string]train.Array {
	m := l.Model()
	for i, p := range l.net.layers {
		m[scaleName(i)] = modelfile.Pack(p.scale)
	}
	m[updatesName] = safetensors.U64([]uint64{l.net.updates}, 1)
	return m
}

// SetState takes up what State returned. On an error nothing has changed.
func (l *Learner) SetState(m map[string]train.Array) error {
	updates, err := m[updatesName].U64s()
	if err != nil || len(updates) != 1 {
		return fmt.Errorf("superspike: the checkpoint has no count of updates (%s): it is not one of SuperSpike", updatesName)
	}
	scales := make([][]tensor.Float, len(l.net.layers))
	for i, p := range l.net.layers {
		if scales[i], err = modelfile.Unpack(m, scaleName(i), p.scale.Shape); err != nil {
			return fmt.Errorf("superspike: %w", err)
		}
	}
	if err := l.setWeights(m, 2*len(l.net.layers)+1); err != nil {
		return err
	}
	for i := range scales {
		copy(l.net.layers[i].scale.Data, scales[i])
	}
	l.net.updates = updates[0]
	return nil
}

func (l *Learner) setModel(m map[string]train.Array) error { return l.setWeights(m, len(l.net.layers)) }

// setWeights takes the weights of a model or state of so many arrays.
func (l *Learner) setWeights(m map[string]train.Array, arrays int) error {
	if len(m) != arrays {
		return fmt.Errorf("superspike: the file holds %d arrays, this network %d: was it made with another configuration?", len(m), arrays)
	}
	weights := make([][]tensor.Float, len(l.net.layers))
	var err error
	for i, p := range l.net.layers {
		if weights[i], err = modelfile.Unpack(m, weightName(i), p.w.Shape); err != nil {
			return fmt.Errorf("superspike: %w", err)
		}
	}
	for i := range weights {
		copy(l.net.layers[i].w.Data, weights[i])
	}
	l.net.transpose()
	return nil
}

// Stream is a stream that goes on from what the learner has learnt, with weights of its own,
// and updates them each so many milliseconds (0: 500).
func (l *Learner) Stream(update float64) (*Stream, error) {
	s, err := NewStream(l.rule, l.net.layers[0].in, l.outputs, l.clock.dt, update, l.setting.Seed)
	if err != nil {
		return nil, err
	}
	for i, p := range l.net.layers {
		copy(s.net.layers[i].w.Data, p.w.Data)
		copy(s.net.layers[i].scale.Data, p.scale.Data)
	}
	s.net.updates = l.net.updates
	s.net.transpose()
	return s, nil
}

// Pipe goes on learning from events as they arrive: that of a Stream, whose weights the
// learner takes over.
func (l *Learner) Pipe(ctx context.Context, update float64, r io.Reader, w io.Writer) error {
	s, err := l.Stream(update)
	if err != nil {
		return err
	}
	err = s.Pipe(ctx, r, w)
	for i, p := range s.net.layers {
		copy(l.net.layers[i].w.Data, p.w.Data)
		copy(l.net.layers[i].scale.Data, p.scale.Data)
	}
	l.net.updates = s.net.updates
	l.net.transpose()
	return err
}

// Fork is a network with the same weights for another goroutine.
func (l *Learner) Fork() train.Predictor {
	other, err := l.rule.learner(l.setting)
	if err == nil {
		err = other.setModel(l.Model())
	}
	if err != nil {
		panic(err) // it was made once
	}
	other.setting.Pool = nil
	return other
}
