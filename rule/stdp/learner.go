package stdp

import (
	"context"
	"errors"
	"fmt"

	"synfire/data"
	"synfire/internal/rng"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// The outputs of predictions.
const (
	Output     = "output"     // by the neurons' labels
	Proportion = "proportion" // by the shares of their responses
)

// The figures of a batch, besides rates.
const (
	Spikes  = "spikes" // of a sample
	Silent  = "silent" // percent of samples without a spike
	Average = "theta"  // mean of the thresholds' adaptive parts, mV
)

// Predictor is a trained network. It is safe for one goroutine; see Fork.
type Predictor struct{ *runner }

// worker shows samples to a network, with a working memory of its own.
type worker interface {
	// run shows a sample, whose random numbers are those of a key, and learns from it or not.
	run(x shown, key rng.Key, learning bool) error
	// counts are the spikes of the neurons in that sample, valid until the next.
	counts() []int32
}

// shown is a sample: values, or events in a duration above 0.
type shown struct {
	values   []tensor.Float
	events   []sample.Event
	duration float64
}

// of is a sample of a batch that was checked.
func (p *runner) of(b *sample.Batch, i int) shown {
	if b.Spec.Events {
		return shown{events: b.Events[i], duration: b.Spec.Duration}
	}
	in := p.memory.inputs
	return shown{values: b.X[i*in:][:in]}
}

// runner shows samples to a network that stands still.
type runner struct {
	setting train.Setting
	memory  *memory
	make    func() worker
	workers []worker // one a thread
	label   []int32  // of each neuron; −1: none
	size    []int32  // neurons of each label
	fired   []int32  // spikes of a batch, [samples, neurons]
	scores  [2][]tensor.Float
}

func newRunner(s train.Setting, m *memory, made func() worker) *runner {
	p := &runner{setting: s, memory: m, make: made}
	for range s.Pool.Threads() {
		p.workers = append(p.workers, made())
	}
	p.relabel()
	return p
}

// Fork is another predictor of the same network.
func (p *Predictor) Fork() train.Predictor {
	return &Predictor{newRunner(p.setting, p.memory, p.make)}
}

// Labels are the classes of the neurons; −1 for those that have none.
func (p *runner) Labels() []int32 { return p.label }

// relabel works out the labels from the responses.
func (p *runner) relabel() {
	m := p.memory
	p.label, p.size = make([]int32, m.neurons), make([]int32, m.classes)
	for j := range p.label {
		best, most := int32(-1), tensor.Float(0)
		for k := range m.classes {
			if v := m.response[k*m.neurons+j]; v > most {
				best, most = int32(k), v
			}
		}
		if p.label[j] = best; best >= 0 {
			p.size[best]++
		}
	}
}

// check returns an error for a batch that the network cannot take.
func (p *runner) check(b *sample.Batch) error {
	if b.Spec.Events != p.setting.Spec.Events {
		return fmt.Errorf("stdp: samples are %v, the network learns from %v: use the data that it is for", *b.Spec, p.setting.Spec)
	}
	if b.Spec.Events {
		if n := b.Spec.Shape.Size(); n != p.memory.inputs || len(b.Events) != b.Len() || !(b.Spec.Duration > 0) {
			return fmt.Errorf("stdp: %d recordings of %d units in %v s for %d samples, want %d units and a duration: use the data that the network is for", len(b.Events), n, b.Spec.Duration, b.Len(), p.memory.inputs)
		}
		return nil
	}
	if len(b.X) != b.Len()*p.memory.inputs {
		return fmt.Errorf("stdp: %d values for %d samples, want %d of each: use the data that the network is for", len(b.X), b.Len(), p.memory.inputs)
	}
	return nil
}

// show counts the spikes of the samples of a batch at some positions, with random numbers of
// a key and the sample.
func (p *runner) show(ctx context.Context, b *sample.Batch, at []int, key rng.Key) error {
	n := p.memory.neurons
	if cap(p.fired) < len(at)*n {
		p.fired = make([]int32, len(at)*n)
	}
	p.fired = p.fired[:len(at)*n]
	return p.setting.Pool.Each(ctx, len(at), func(worker, k int) error {
		c, i := p.workers[worker], at[k]
		if err := c.run(p.of(b, i), key.Int(uint64(b.Index[i])), false); err != nil {
			return fmt.Errorf("stdp: sample %d: %w", b.Index[i], err)
		}
		copy(p.fired[k*n:], c.counts())
		return nil
	})
}

// Predict runs a batch. Scores are mean spikes of the neurons of each class.
func (p *runner) Predict(ctx context.Context, b *sample.Batch) (train.Prediction, error) {
	if !p.memory.finished() {
		return train.Prediction{}, errors.New("stdp: the neurons have no labels yet, which they get when training ends an epoch")
	}
	if err := p.check(b); err != nil {
		return train.Prediction{}, err
	}
	at := make([]int, b.Len())
	for i := range at {
		at[i] = i
	}
	if err := p.show(ctx, b, at, rng.New(p.setting.Seed, rng.Eval)); err != nil {
		return train.Prediction{}, err
	}
	m := p.memory
	for o := range p.scores {
		p.scores[o] = make([]tensor.Float, b.Len()*m.classes)
	}
	var sum tally
	for i := range b.Len() {
		counts := p.fired[i*m.neurons:][:m.neurons]
		sum.add(counts)
		p.score(counts, p.scores[0][i*m.classes:][:m.classes], p.scores[1][i*m.classes:][:m.classes])
	}
	out := train.Prediction{Metrics: p.metrics(sum)}
	for o, name := range []string{Output, Proportion} {
		out.Outputs = append(out.Outputs, task.Output{Name: name, Shape: tensor.Shape{m.classes}, Scores: p.scores[o]})
	}
	return out, nil
}

// score works out the scores of one sample from the spikes of its neurons.
func (p *runner) score(counts []int32, output, proportion []tensor.Float) {
	m := p.memory
	for j, n := range counts {
		k := p.label[j]
		if n == 0 || k < 0 {
			continue
		}
		total := tensor.Float(0)
		for c := range m.classes {
			total += m.response[c*m.neurons+j]
		}
		output[k] += tensor.Float(n)
		proportion[k] += tensor.Float(n) * m.response[int(k)*m.neurons+j] / total
	}
	for k, n := range p.size {
		if n > 0 {
			output[k] /= tensor.Float(n)
			proportion[k] /= tensor.Float(n)
		}
	}
}

// tally sums up samples.
type tally struct{ n, spikes, silent int }

func (t *tally) add(counts []int32) {
	t.n++
	before := t.spikes
	for _, k := range counts {
		t.spikes += int(k)
	}
	if t.spikes == before {
		t.silent++
	}
}

func (p *runner) metrics(t tally) train.Metrics {
	return train.Metrics{
		N: t.n,
		Sums: []train.Sum{
			{Name: Spikes, Total: float64(t.spikes)},
			{Name: Silent, Unit: "%", Total: 100 * float64(t.silent)},
		},
		Rates: []train.Rate{{Layer: Output, Spikes: t.spikes, Slots: t.n * p.memory.neurons * p.setting.Steps}},
	}
}

// Learner learns the weights. It implements train.Finisher.
type Learner struct {
	*runner
	labels int // samples that neurons get their labels by; 0: all
}

// Weights are [inputs, neurons], in the learner's memory.
func (l *Learner) Weights() []tensor.Float { return l.memory.weight }

// Thresholds are the adaptive parts of the neurons' thresholds in mV, in the learner's memory.
func (l *Learner) Thresholds() []tensor.Float { return l.memory.theta }

// draw draws weights below most.
func (m *memory) draw(seed uint64, most float64) {
	src := rng.New(seed, rng.Init).Str("weight").Source()
	for i := range m.weight {
		m.weight[i] = tensor.Float(most * src.Float64())
	}
}

// Step learns from the samples of a batch, in turn.
func (l *Learner) Step(ctx context.Context, b *sample.Batch) (train.Metrics, error) {
	if err := l.check(b); err != nil {
		return train.Metrics{}, err
	}
	if err := ctx.Err(); err != nil {
		return train.Metrics{}, err
	}
	if l.memory.finished() {
		l.memory.forget()
		l.relabel()
	}
	c := l.workers[0]
	key := rng.New(l.setting.Seed, rng.Encode).Int(uint64(b.Epoch))
	var sum tally
	for i := range b.Len() {
		if err := c.run(l.of(b, i), key.Int(uint64(b.Index[i])), true); err != nil {
			return train.Metrics{}, fmt.Errorf("stdp: sample %d: %w", b.Index[i], err)
		}
		sum.add(c.counts())
	}
	m := l.metrics(sum)
	mean := 0.0
	for _, v := range l.memory.theta {
		mean += float64(v) / float64(len(l.memory.theta))
	}
	m.Sums = append(m.Sums, train.Sum{Name: Average, Unit: "mV", Total: mean * float64(b.Len())})
	return m, nil
}

// Finish gives the neurons their labels, by evenly spaced samples.
func (l *Learner) Finish(ctx context.Context, c *data.Cursor) error {
	m, want := l.memory, c.Samples()
	if l.labels > 0 {
		want = min(want, l.labels)
	}
	sums, seen := make([]float64, m.classes*m.neurons), make([]int64, m.classes)
	key := rng.New(l.setting.Seed, rng.Eval).Str("label")
	err := c.Spaced(ctx, want, func(b *sample.Batch, at []int) error {
		if err := l.check(b); err != nil {
			return err
		}
		labels := b.Classes()
		if labels == nil {
			return errors.New("stdp: the samples have no class to label neurons by; choose data with classes")
		}
		if err := l.show(ctx, b, at, key); err != nil {
			return err
		}
		for k, i := range at {
			if labels[i] < 0 || labels[i] >= m.classes {
				return fmt.Errorf("stdp: sample %d has class %d of %d: use the data that the network is for", b.Index[i], labels[i], m.classes)
			}
			seen[labels[i]]++
			for j, n := range l.fired[k*m.neurons:][:m.neurons] {
				sums[labels[i]*m.neurons+j] += float64(n)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for k, n := range seen {
		for j := range m.neurons {
			m.response[k*m.neurons+j] = tensor.Float(sums[k*m.neurons+j] / float64(max(1, n)))
		}
	}
	copy(m.labelled, seen)
	l.relabel()
	return nil
}

// Finished reports whether the neurons have labels for what they have learned.
func (l *Learner) Finished() bool { return l.memory.finished() }

// Model is weight [inputs, neurons], theta [neurons], response [classes, neurons], the mean
// spikes for a sample of each class, and labelled [classes], the samples behind it.
func (l *Learner) Model() map[string]train.Array { return l.memory.arrays() }

// State is the model: the random numbers of a step are functions of its samples.
func (l *Learner) State() map[string]train.Array { return l.memory.arrays() }

// SetState takes up what State returned. On an error nothing has changed.
func (l *Learner) SetState(s map[string]train.Array) error {
	if err := l.memory.take(s); err != nil {
		return err
	}
	l.relabel()
	return nil
}
