package stdpconv

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

// Output names the scores of the readout.
const Output = "output"

// The figures of a batch, besides rates.
const (
	Learning  = "stage"     // that learns, from 1; one more than there are once all have learned
	Unsettled = "unsettled" // mean of 4w(1 − w) of its weights; unsettled-1, … of each stage where nothing learns
	Winners   = "winners"   // neurons of a sample that learn
	Silent    = "silent"    // percent of samples for which no neuron fires in the stage that learns; else in the last
)

// Predictor is a trained network. It is safe for one goroutine; see Fork.
type Predictor struct{ *runner }

// runner shows images to a network that stands still.
type runner struct {
	rule    Rule
	setting train.Setting
	memory  *memory
	passes  [][]Pass // of each thread and stage
	scores  []tensor.Float
}

func newRunner(r Rule, s train.Setting, m *memory) *runner {
	p := &runner{rule: r, setting: s, memory: m}
	for range s.Pool.Threads() {
		p.passes = append(p.passes, make([]Pass, len(m.net)))
	}
	return p
}

// Fork is another predictor of the same network.
func (p *Predictor) Fork() train.Predictor { return &Predictor{newRunner(p.rule, p.setting, p.memory)} }

// Layers are the stages, in the network's memory.
func (p *runner) Layers() Net { return p.memory.net }

// check returns an error for a batch that the network cannot take.
func (p *runner) check(b *sample.Batch) error {
	m := p.memory
	n := m.height * m.width * m.channels
	if len(b.X) != b.Len()*n {
		return fail("%d values for %d samples, want images of %d×%d pixels with %d channels: use the data that the network is for", len(b.X), b.Len(), m.height, m.width, m.channels)
	}
	for i, v := range b.X {
		if !(v >= 0 && v <= 1) {
			return fail("value %d of sample %d is %v, want brightness in [0, 1]; scale the data, and leave normalize out", i%n, b.Index[i/n], v)
		}
	}
	for i, label := range b.Classes() {
		if label < 0 || label >= m.classes {
			return fail("sample %d has class %d of %d: use the data that the network is for", b.Index[i], label, m.classes)
		}
	}
	return nil
}

// show runs the samples of a batch at some positions through the first layers, on all threads, and
// hands each one's wave to use.
func (p *runner) show(b *sample.Batch, at []int, layers int, use func(k int, w Wave, passes []Pass)) {
	m := p.memory
	n := m.height * m.width * m.channels
	p.setting.Pool.For(len(at), 1, func(worker, lo, hi int) {
		for k := lo; k < hi; k++ {
			w := m.front.Code(b.X[at[k]*n:][:n], m.height, m.width, m.channels)
			use(k, m.net[:layers].Run(w, p.passes[worker]), p.passes[worker])
		}
	})
}

// span is lo, lo + 1, …, hi − 1.
func span(lo, hi int) (list []int) {
	for i := lo; i < hi; i++ {
		list = append(list, i)
	}
	return list
}

// tally counts the spikes of samples, in each layer.
type tally struct {
	samples, silent int
	spikes          []int
}

// add adds a sample that was run through some layers.
func (t *tally) add(spikes []int) {
	t.samples++
	for k, n := range spikes {
		t.spikes[k] += n
	}
	if spikes[len(spikes)-1] == 0 {
		t.silent++
	}
}

// rates are those of the layers that were run.
func (p *runner) rates(t tally) (list []train.Rate) {
	for k, n := range t.spikes {
		z := p.memory.waves[k]
		list = append(list, train.Rate{Layer: layerName(k), Spikes: n, Slots: t.samples * z[0] * z[1] * p.memory.net[k].Maps * p.setting.Steps})
	}
	return list
}

// layerName is the name of stage k, counted from 0, in figures and files.
func layerName(k int) string { return fmt.Sprintf("stage%d", k+1) }

// fired are the spikes of each layer in the sample that was run last.
func fired(passes []Pass) []int {
	out := make([]int, len(passes))
	for k := range passes {
		out[k] = passes[k].Out.spikes()
	}
	return out
}

// Predict runs a batch. Scores are those of the readout before its softmax.
func (p *runner) Predict(ctx context.Context, b *sample.Batch) (train.Prediction, error) {
	m := p.memory
	if !m.finished() {
		return train.Prediction{}, errors.New(Kind + ": the readout has learned nothing yet, which it does when training ends an epoch")
	}
	if err := p.check(b); err != nil {
		return train.Prediction{}, err
	}
	if err := ctx.Err(); err != nil {
		return train.Prediction{}, err
	}
	p.scores = tensor.Resize(p.scores, b.Len()*m.classes)
	counts := make([][]int, b.Len())
	p.show(b, span(0, b.Len()), len(m.net), func(i int, w Wave, passes []Pass) {
		score := make([]float64, m.classes)
		m.readout.scores(w.Active(p.rule.Readout.Global), score)
		for c, v := range score {
			p.scores[i*m.classes+c] = tensor.Float(v)
		}
		counts[i] = fired(passes)
	})
	sum := tally{spikes: make([]int, len(m.net))}
	for _, n := range counts {
		sum.add(n)
	}
	out := train.Metrics{N: b.Len(), Rates: p.rates(sum), Sums: []train.Sum{{Name: Silent, Unit: "%", Total: 100 * float64(sum.silent)}}}
	for k, l := range m.net {
		out.Sums = append(out.Sums, train.Sum{Name: fmt.Sprintf("%s-%d", Unsettled, k+1), Better: task.Lower, Total: l.Unsettled() * float64(b.Len())})
	}
	return train.Prediction{Outputs: []task.Output{{Name: Output, Shape: tensor.Shape{m.classes}, Scores: p.scores}}, Metrics: out}, nil
}

// Learner learns the weights of one stage after another. It implements train.Finisher and
// train.Staged.
type Learner struct{ *runner }

// Warnings say where epochs or samples do not go with the stages.
func (l *Learner) Warnings() (list []string) {
	r, s := l.rule, l.setting
	if need := r.samples(); s.Samples > 0 && need <= (s.Epochs-1)*s.Samples {
		last := (need + s.Samples - 1) / s.Samples
		list = append(list, fmt.Sprintf("all stages will have learned their %d samples in epoch %d of %d, and nothing is learned after it; set epochs to %d, or raise the samples of the stages", need, last, s.Epochs, last))
	}
	for k, stage := range r.Stages {
		if a := r.plasticity().rate(stage.Samples - 1); a < r.Most {
			list = append(list, fmt.Sprintf("stage %d ends at a rate of %.4g, below most = %v, so that its weights may not have settled: raise its samples, or lower double = %d", k+1, a, r.Most, r.Double))
		}
	}
	return list
}

// Ready reports whether all stages have had their samples.
func (l *Learner) Ready() bool { return l.memory.stage() == len(l.memory.net) }

// Step learns from the samples of a batch, in turn.
func (l *Learner) Step(ctx context.Context, b *sample.Batch) (train.Metrics, error) {
	if err := l.check(b); err != nil {
		return train.Metrics{}, err
	}
	if err := ctx.Err(); err != nil {
		return train.Metrics{}, err
	}
	m := l.memory
	m.forget()
	out := train.Metrics{N: b.Len()}
	for i := 0; i < b.Len(); {
		k, n := m.stage(), b.Len()-i
		var won, silent int
		if k < len(m.net) {
			n = min(n, m.stages[k].Samples-m.net[k].seen)
			sum := l.learn(b, i, i+n, k, &won)
			silent = sum.silent
			out.Add(train.Metrics{Rates: l.rates(sum)})
		}
		open := m.net[min(k, len(m.net)-1)].Unsettled()
		out.Add(train.Metrics{Sums: []train.Sum{
			{Name: Learning, Total: float64(n * (k + 1))}, {Name: Unsettled, Total: open * float64(n), Better: task.Lower},
			{Name: Winners, Total: float64(won)}, {Name: Silent, Unit: "%", Total: 100 * float64(silent)},
		}})
		i += n
	}
	return out, nil
}

// learn lets stage k learn from samples [lo, hi), adding its winners up. What stands before it is
// run on all threads.
func (l *Learner) learn(b *sample.Batch, lo, hi, k int, won *int) tally {
	waves, counts := make([]Wave, hi-lo), make([][]int, hi-lo)
	l.show(b, span(lo, hi), k, func(i int, w Wave, passes []Pass) { waves[i], counts[i] = w, fired(passes[:k]) })
	sum := tally{spikes: make([]int, k+1)}
	p := &l.passes[0][k]
	for i, w := range waves {
		*won += l.memory.net[k].Learn(w, p)
		sum.add(append(counts[i], p.Out.spikes()))
	}
	return sum
}

// Finish lets the readout learn evenly spaced samples, with the stages as they are.
func (l *Learner) Finish(ctx context.Context, c *data.Cursor) error {
	var list []Example
	err := c.Spaced(ctx, l.rule.labels(c.Samples()), func(b *sample.Batch, at []int) error {
		if err := l.check(b); err != nil {
			return err
		}
		labels := b.Classes()
		if labels == nil {
			return errors.New(Kind + ": the samples have no class for the readout to learn; choose data with classes")
		}
		found := make([]Example, len(at))
		l.show(b, at, len(l.memory.net), func(k int, w Wave, _ []Pass) {
			found[k] = Example{w.Active(l.rule.Readout.Global), labels[at[k]]}
		})
		list = append(list, found...)
		return nil
	})
	if err != nil {
		return err
	}
	src := rng.New(l.setting.Seed, rng.Eval).Str("readout").Source()
	readout, err := l.rule.Readout.Fit(ctx, list, l.memory.units, l.memory.classes, src)
	if err != nil {
		return err
	}
	return l.memory.know(readout, len(list))
}

// Finished reports whether the readout has learned what the stages have.
func (l *Learner) Finished() bool { return l.memory.finished() }

// Model is stageK.weight [kernel, kernel, maps below, maps], readout.weight [units, classes],
// readout.bias [classes], and labelled, the samples that the readout has learned.
func (l *Learner) Model() map[string]train.Array { return l.memory.arrays(false) }

// State is the model and seen, the samples that each stage has learned.
func (l *Learner) State() map[string]train.Array { return l.memory.arrays(true) }

// SetState takes up what State returned. On an error nothing has changed.
func (l *Learner) SetState(s map[string]train.Array) error {
	return l.memory.take(s, true)
}
