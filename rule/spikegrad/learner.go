package spikegrad

import (
	"context"
	"errors"
	"fmt"
	"math"

	"synfire/format/safetensors"
	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/loss"
	"synfire/modelfile"
	"synfire/optim"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// Learner trains a network of signed spikes. It implements train.Learner. The scores of a
// prediction are the potentials V^L that its outputs end with.
type Learner struct {
	r      Rule
	s      train.Setting
	p      *passes
	params []tensor.Param
	layers []int // of each parameter, from 0
	grads  [][]tensor.Float
	bufs   [][][]tensor.Float
	step   int
	total  int // steps of the run
	labels []int
	sums   counts
}

// New is the rule's network for samples of a setting, with its initial weights.
func New(r Rule, s train.Setting) (*Learner, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	stages, err := r.network(s)
	if err != nil {
		return nil, err
	}
	r = r.withDefaults()
	l := &Learner{r: r, s: s, p: newPasses(r, stages, s.Pool.Threads())}
	l.total = s.Epochs * ((s.Samples + max(1, s.Batch) - 1) / max(1, s.Batch))
	for i, st := range stages {
		if st.size > 0 {
			continue
		}
		st.draw(i+1, s.Seed)
		l.params = append(l.params, tensor.Param{Name: partName(i+1, "weight"), Value: st.w}, tensor.Param{Name: partName(i+1, "bias"), Value: st.b})
		l.layers = append(l.layers, i, i)
	}
	for _, p := range l.params {
		l.grads = append(l.grads, make([]tensor.Float, len(p.Value.Data)))
	}
	l.bufs = optim.NewBuffers(r.Optimizer, l.params)
	l.Refresh()
	return l, nil
}

// network is the layers for samples of a setting.
func (r Rule) network(s train.Setting) ([]*stage, error) {
	f, err := s.Spec.Target("")
	switch {
	case err != nil:
		return nil, fmt.Errorf("spikegrad: %w", err)
	case f.Kind != sample.Class:
		return nil, fmt.Errorf("spikegrad: target %q is %v; outputs are the evidence for classes: choose data with classes", f.Name, f.Kind)
	case s.Spec.Events || s.Spec.Steps > 0:
		return nil, fmt.Errorf("spikegrad: samples are %v, want values without time; a rule that knows time is bptt", s.Spec)
	}
	in := s.Spec.Shape
	if len(in) != 3 {
		in = tensor.Shape{1, 1, s.Spec.Size()}
	}
	return r.withDefaults().stages(in, len(f.Classes))
}

// Warnings say where errors cannot become spikes.
func (l *Learner) Warnings() []string {
	const few = 5
	top := l.p.stages[len(l.p.stages)-1]
	if l.r.Truncate != Both || l.r.Alpha/float64(top.thetaBP) >= few {
		return nil
	}
	return []string{fmt.Sprintf("spikegrad: dead gradient: alpha %v over theta-bp %v: an error is at most 1, and one below %.2g sends no spike; raise alpha, 100 is common", l.r.Alpha, top.thetaBP, float64(top.thetaBP)/l.r.Alpha)}
}

// Refresh takes up parameters that someone else has written to.
func (l *Learner) Refresh() {
	for _, st := range l.p.stages {
		st.take(l.r)
	}
}

// Params are the weights and biases by layer, as they are learnt.
func (l *Learner) Params() []tensor.Param { return l.params }

// grain is how many samples a thread takes at once.
const grain = 16

// Step learns from a batch. Its figures are means over samples: spikes of the input, of
// the layers and of errors, synaptic operations of the three phases, the share of samples
// without an error spike (dead), and of those whose sums may be inexact.
func (l *Learner) Step(ctx context.Context, b *sample.Batch) (train.Metrics, error) {
	if b.Len() == 0 {
		return train.Metrics{}, nil
	}
	if err := l.take(b, true); err != nil {
		return train.Metrics{}, err
	}
	if err := l.gradients(ctx, b); err != nil {
		return train.Metrics{}, err
	}
	m := l.metrics(true)
	eta := l.r.Optimizer.Rate() * l.r.Schedule.Scale(l.step, max(l.total, l.step+1))
	l.step++
	optim.Apply(l.s.Pool, l.r.Optimizer, l.params, l.grads, l.bufs, l.step, eta, nil)
	for _, p := range l.params {
		if i, ok := tensor.Finite(p.Value.Data); !ok {
			return m, fmt.Errorf("spikegrad: step %d: element %d of %s is %v; lower the learning rate", l.step, i, p.Name, p.Value.Data[i])
		}
	}
	l.Refresh()
	return m, nil
}

// Gradient is the gradient of a batch's mean loss with Params, without learning. It is
// valid until the next call.
func (l *Learner) Gradient(ctx context.Context, b *sample.Batch) ([][]tensor.Float, error) {
	if err := l.take(b, true); err != nil {
		return nil, err
	}
	return l.grads, l.gradients(ctx, b)
}

// gradients runs both passes and leaves the mean gradients in grads.
func (l *Learner) gradients(ctx context.Context, b *sample.Batch) error {
	for _, g := range l.grads {
		clear(g)
	}
	if l.r.Side == Integers {
		if err := l.run(true); err != nil {
			return err
		}
		for k := 0; k < len(l.params); k += 2 {
			l.outer(k)
		}
	} else if err := l.spike(ctx, b, true); err != nil {
		return err
	}
	for k, i := range l.layers {
		factor := l.p.stages[i].c / float64(l.p.samples)
		if k%2 == 1 {
			factor *= float64(l.r.BiasSpikes)
		}
		kernel.Scale(l.grads[k], tensor.Float(factor))
	}
	return nil
}

// run is the passes of the equivalent network. It returns an error where spikes are more than
// can be counted.
func (l *Learner) run(back bool) error {
	p := l.p
	l.s.Pool.For(p.samples, grain, func(worker, lo, hi int) { p.forward(&p.workers[worker], lo, hi) })
	p.outputs()
	if l.labels != nil {
		for i, label := range l.labels {
			p.loss[i] = p.inject(row(p.d[len(p.stages)], p.samples, i), p.scores(i), label)
		}
	}
	if back {
		l.s.Pool.For(p.samples, grain, func(worker, lo, hi int) { p.backward(&p.workers[worker], lo, hi) })
	}
	return p.counted()
}

// outer adds n ⊗ D of a layer to the gradients k of its weights and k + 1 of its biases.
// Samples without errors are left out; threads split the rows.
func (l *Learner) outer(k int) {
	p, i := l.p, l.layers[k]
	s := p.stages[i]
	in, out := s.in.Size(), s.units()
	p.rows, p.errors = p.rows[:0], p.errors[:0]
	most, spikes := 0.0, 0.0
	for j := range p.samples {
		d := row(p.d[i+1], p.samples, j)
		if kernel.CountNonzero(d) == 0 {
			continue
		}
		x := row(p.n[i], p.samples, j)
		p.rows, p.errors = append(p.rows, x...), append(p.errors, d...)
		for _, v := range x {
			most = max(most, math.Abs(float64(v)))
		}
		for _, v := range d {
			spikes += math.Abs(float64(v))
		}
	}
	count := len(p.errors) / out
	if count == 0 {
		return
	}
	if l.r.Truncate == Both && most*spikes >= limit { // of all samples: they are added in one chain
		for j := range p.samples {
			p.each[j].inexact = 1
		}
	}
	kernel.ColumnSums(l.grads[k+1], p.errors, s.m.N, len(p.errors)/s.m.N)
	n := s.m.N
	const rows = 32
	l.s.Pool.For(s.m.Patch(), rows, func(worker, lo, hi int) {
		dw, sc := l.grads[k][lo*n:hi*n], &p.workers[worker].images
		if s.dense {
			s.m.Rows(count).OuterRows(sc, dw, p.rows, p.errors, lo, hi)
			return
		}
		for j := range count {
			s.m.OuterRows(sc, dw, p.rows[j*in:][:in], p.errors[j*out:][:out], lo, hi)
		}
	})
}

// Predict runs the forward pass.
func (l *Learner) Predict(ctx context.Context, b *sample.Batch) (train.Prediction, error) {
	if b.Len() == 0 {
		return train.Prediction{Outputs: []task.Output{{Name: OutputName, Shape: tensor.Shape{l.p.classes}}}}, nil
	}
	if err := l.take(b, false); err != nil {
		return train.Prediction{}, err
	}
	if l.r.Side == Integers {
		if err := l.run(false); err != nil {
			return train.Prediction{}, err
		}
	} else if err := l.spike(ctx, b, false); err != nil {
		return train.Prediction{}, err
	}
	return train.Prediction{
		Outputs: []task.Output{{Name: OutputName, Shape: tensor.Shape{l.p.classes}, Scores: l.p.n[len(l.p.stages)]}},
		Metrics: l.metrics(false),
	}, nil
}

// Residuals are the V/Θ that the neurons of each layer but the last end a forward phase
// with: [samples × neurons] each, the learner's own memory.
func (l *Learner) Residuals(b *sample.Batch) ([][]tensor.Float, error) {
	if err := l.take(b, false); err != nil {
		return nil, err
	}
	if err := l.run(false); err != nil {
		return nil, err
	}
	last := len(l.p.stages) - 1
	for i, s := range l.p.stages[:last] {
		kernel.Scale(l.p.v[i+1], 1/s.theta)
	}
	return l.p.v[1 : last+1], nil
}

// OutputName names the output.
const OutputName = "output"

// take checks a batch and sets it up.
func (l *Learner) take(b *sample.Batch, learning bool) error {
	in := l.p.stages[0].in.Size()
	if len(b.X) != b.Len()*in {
		return fmt.Errorf("spikegrad: %d inputs for %d samples of %d; give the data that the network was made for", len(b.X), b.Len(), in)
	}
	for i, v := range b.X {
		if count := float64(v) / l.r.ThetaIn; !(math.Abs(count) < limit) {
			return fmt.Errorf("spikegrad: input %d of sample %d is %v, which is %.3g spikes; clean the data, or raise theta-in", i%in, b.Index[i/in], v, count)
		}
	}
	l.labels = b.Classes()
	if learning && l.labels == nil {
		return errors.New("spikegrad: the samples have no class to learn; choose data with classes")
	}
	for i, label := range l.labels {
		if label < 0 || label >= l.p.classes {
			return fmt.Errorf("spikegrad: sample %d has label %d, and the network %d outputs; give the data that it was made for", b.Index[i], label, l.p.classes)
		}
	}
	l.p.reset(b)
	return nil
}

// metrics are those of the last batch.
func (l *Learner) metrics(learning bool) train.Metrics {
	p := l.p
	l.sums.reset(len(p.stages))
	correct, total := 0, 0.0
	for i := range p.samples {
		l.sums.add(p.each[i])
		if l.labels == nil {
			continue
		}
		total += p.loss[i]
		if loss.Best(p.scores(i)) == l.labels[i] {
			correct++
		}
	}
	m := train.Metrics{N: p.samples}
	sum := func(name, unit string, total float64) {
		m.Sums = append(m.Sums, train.Sum{Name: name, Unit: unit, Better: task.Lower, Total: total})
	}
	if l.labels != nil {
		m.Sums = append(m.Sums, train.LossSum(total), train.Sum{Name: "accuracy", Unit: "%", Better: task.Higher, Total: 100 * float64(correct)})
	}
	c := l.sums
	sum("input-spikes", "", float64(c.input))
	sum("spikes", "", float64(c.spikes))
	sum("forward-operations", "", float64(c.forward))
	if learning && l.r.Truncate == Both {
		sum("error-spikes", "", float64(c.errors))
		sum("backward-operations", "", float64(c.backward))
		sum("updates", "", float64(c.updates))
		sum("gradient-ratio", "", c.ratio)
		sum("dead", "%", 100*float64(c.dead))
	}
	sum("inexact", "%", 100*float64(c.inexact))
	for i, s := range p.stages[:len(p.stages)-1] {
		m.Rates = append(m.Rates, train.Rate{Layer: fmt.Sprintf("layer%d", i+1), Spikes: int(c.layers[i]), Slots: p.samples * s.units()})
	}
	return m
}

// Model is the parameters.
func (l *Learner) Model() map[string]train.Array {
	m := map[string]train.Array{}
	for _, p := range l.params {
		m[p.Name] = modelfile.Pack(p.Value)
	}
	return m
}

// stepName names the number of steps done.
const stepName = "optim.step"

// stored are the arrays of the state.
func (l *Learner) stored() []tensor.Param {
	all := append([]tensor.Param(nil), l.params...)
	for i, p := range l.params {
		for k, b := range l.bufs[i] {
			all = append(all, tensor.Param{Name: fmt.Sprintf("optim.%d.%s", k, p.Name), Value: tensor.Tensor{Shape: p.Value.Shape, Data: b}})
		}
	}
	return all
}

// State is the model, the optimiser's buffers and its step.
func (l *Learner) State() map[string]train.Array {
	s := map[string]train.Array{stepName: safetensors.U64([]uint64{uint64(l.step)}, 1)}
	for _, p := range l.stored() {
		s[p.Name] = modelfile.Pack(p.Value)
	}
	return s
}

// SetState takes up what State returned. On an error nothing has changed.
func (l *Learner) SetState(s map[string]train.Array) error {
	step, err := s[stepName].U64s()
	if err != nil || len(step) != 1 {
		return fmt.Errorf("spikegrad: the checkpoint has no step count (%s): it is not one of this rule's", stepName)
	}
	if err := unpack(l.stored(), s, 1); err != nil {
		return err
	}
	l.step = int(step[0])
	l.Refresh()
	return nil
}

// unpack fills parameters from a file that holds others besides.
func unpack(all []tensor.Param, s map[string]train.Array, others int) error {
	if want := len(all) + others; len(s) != want {
		return fmt.Errorf("spikegrad: the file holds %d arrays, this network %d: was it made with another configuration?", len(s), want)
	}
	values := make([][]tensor.Float, len(all))
	for i, p := range all {
		var err error
		if values[i], err = modelfile.Unpack(s, p.Name, p.Value.Shape); err != nil {
			return fmt.Errorf("spikegrad: %w", err)
		}
	}
	for i, p := range all {
		copy(p.Value.Data, values[i])
	}
	return nil
}

// order is the stream that a sample's random order of events is drawn from.
func (l *Learner) order(b *sample.Batch, i int, learning bool) rng.Key {
	if learning {
		return rng.New(l.s.Seed, rng.Encode).Int(uint64(b.Epoch)).Int(uint64(b.Index[i]))
	}
	return rng.New(l.s.Seed, rng.Eval).Int(0).Int(uint64(b.Index[i]))
}
