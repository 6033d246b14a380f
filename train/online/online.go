// Package online has what rules share that learn from one sample after another, by equations
// of their own in double precision: batches, figures, threads for answers, and what files
// hold. The rule supplies a Network, which answers a sample and learns from it:
//
//	for each sample x of class y, in the order of the batch:
//		scores ← Run(x),   θ ← θ − η·∂L(x, y)/∂θ          η the rule's rate times the schedule's
//
// so that a batch's size changes nothing but how often progress is told.
package online

import (
	"context"
	"fmt"
	"math"
	"slices"

	"synfire/data"
	"synfire/format/safetensors"
	"synfire/internal/par"
	"synfire/optim"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// Output names the output of predictions.
const Output = "output"

// Array is a named array of a network, which shares its memory.
type Array struct {
	Name  string
	Shape []int
	Data  []float64
}

// Network is neurons that answer with scores, of which the largest is the answer.
type Network interface {
	// Run answers a sample by a score for each class, and tells the loss for a label of 0
	// or more.
	Run(x []tensor.Float, label int, scores []float64) (loss float64, err error)
	// Learn answers likewise, and then learns, by its rate times a factor.
	Learn(x []tensor.Float, label int, factor float64, scores []float64) (loss float64, err error)
	// Fork is another network with the same weights, shared, for another goroutine.
	Fork() Network
	// Model is what answers depend on, Memory what learning depends on besides.
	Model() []Array
	Memory() []Array
}

// Looker is a Network that sees all training samples before it learns.
type Looker interface {
	Network
	Look(x []tensor.Float)
}

// Refresher is a Network that works out something of its arrays, anew once they were taken up.
type Refresher interface {
	Network
	Refresh()
}

// Batch is samples that are learned from together.
type Batch struct {
	Ctx    context.Context
	Pool   *par.Pool
	X      []tensor.Float // the samples, one after another
	Labels []int
	Index  []int     // their numbers in the data, which errors name; nil: their places
	Factor float64   // of the rate
	Scores []float64 // to be written
	Loss   []float64 // to be written, of each sample
}

// Sample is the values of sample i.
func (b *Batch) Sample(i int) []tensor.Float { return row(b.X, len(b.Labels), i) }

// ScoresOf is where the scores of sample i are written.
func (b *Batch) ScoresOf(i int) []float64 { return row(b.Scores, len(b.Labels), i) }

func row[T any](all []T, rows, i int) []T {
	n := len(all) / rows
	return all[i*n:][:n]
}

// Each calls f for the samples, which threads share, until it returns an error or the context ends.
// Of several errors it returns that of the first sample, which it names.
func (b *Batch) Each(f func(i int) error) error {
	return b.Pool.Each(b.Ctx, len(b.Labels), func(_, i int) error { return b.Named(i, f(i)) })
}

// Named is an error with the sample that it is of.
func (b *Batch) Named(i int, err error) error {
	if err == nil {
		return nil
	}
	if b.Index != nil {
		i = b.Index[i]
	}
	return fmt.Errorf("sample %d: %w", i, err)
}

// Batcher is a Network that, where Batches says so, learns from all samples of a batch at once.
type Batcher interface {
	Network
	Batches() bool
	LearnBatch(b *Batch) error
}

// LearnOne is LearnBatch with one sample.
func LearnOne(n Batcher, x []tensor.Float, label int, factor float64, scores []float64) (float64, error) {
	loss := make([]float64, 1)
	err := n.LearnBatch(&Batch{Ctx: context.Background(), X: x, Labels: []int{label}, Factor: factor, Scores: scores, Loss: loss})
	return loss[0], err
}

// Options say how a network is run.
type Options struct {
	Rule     string // its name, which errors begin with
	Inputs   int
	Classes  int
	Schedule optim.Schedule // nil: the rate stays
}

// Sizes are the inputs and classes of a setting whose samples are values with a class each.
func Sizes(rule string, s train.Setting) (inputs, classes int, err error) {
	f, err := s.Spec.Target("")
	switch {
	case err != nil:
		return 0, 0, fmt.Errorf("%s: %w", rule, err)
	case f.Kind != sample.Class:
		return 0, 0, fmt.Errorf("%s: target %q is %v, and the rule learns classes: choose data with classes", rule, f.Name, f.Kind)
	case s.Spec.Events || s.Spec.Steps > 0:
		return 0, 0, fmt.Errorf("%s: samples are %v, want values without time, which become times; for these take rule bptt", rule, s.Spec)
	case s.Spec.Size() > 1<<24:
		return 0, 0, fmt.Errorf("%s: samples have %d values, want at most %d", rule, s.Spec.Size(), 1<<24)
	}
	for i, t := range s.Tasks {
		target, err := s.Spec.Target(t.Target)
		if err != nil {
			return 0, 0, fmt.Errorf("%s: task %d: %w", rule, i+1, err)
		}
		if err := t.Task.Check(tensor.Shape{len(f.Classes)}, s.Steps, target); err != nil {
			return 0, 0, fmt.Errorf("%s: %w", rule, err)
		}
	}
	return s.Spec.Size(), len(f.Classes), nil
}

// Predictor answers by a network. It is safe for one goroutine; see Fork.
type Predictor struct{ *runner }

// runner has a network for each thread; the first one learns.
type runner struct {
	options Options
	pool    *par.Pool
	nets    []Network
	scores  []float64
	out     []tensor.Float
	loss    []float64
}

func newRunner(n Network, o Options, pool *par.Pool) *runner {
	r := &runner{options: o, pool: pool, nets: []Network{n}}
	for len(r.nets) < pool.Threads() {
		r.nets = append(r.nets, n.Fork())
	}
	return r
}

// NewPredictor is the predictor of a model's arrays, which an untrained network takes up.
func NewPredictor(n Network, o Options, pool *par.Pool, model map[string]train.Array) (*Predictor, error) {
	if err := takeInto(n, o.Rule, model, n.Model()); err != nil {
		return nil, err
	}
	return &Predictor{newRunner(n, o, pool)}, nil
}

// Fork is another predictor of the same weights.
func (p *Predictor) Fork() train.Predictor {
	return &Predictor{newRunner(p.nets[0].Fork(), p.options, p.pool)}
}

// Net is the network that answers, for those who look into it.
func (r *runner) Net() Network { return r.nets[0] }

// check returns an error for a batch that the network cannot take.
func (r *runner) check(b *sample.Batch) error {
	o := r.options
	if len(b.X) != b.Len()*o.Inputs {
		return fmt.Errorf("%s: %d values for %d samples, want %d of each: use the data that the network is for", o.Rule, len(b.X), b.Len(), o.Inputs)
	}
	for i, label := range b.Classes() {
		if label < 0 || label >= o.Classes {
			return fmt.Errorf("%s: sample %d has class %d, and there are %d outputs: use the data that the network is for", o.Rule, b.Index[i], label, o.Classes)
		}
	}
	for i, v := range b.X {
		if v != v || math.IsInf(float64(v), 0) {
			return fmt.Errorf("%s: value %d of sample %d is %v, want a finite number; correct or remove the sample", o.Rule, i%o.Inputs, b.Index[i/o.Inputs], v)
		}
	}
	return nil
}

// Predict runs a batch.
func (r *runner) Predict(ctx context.Context, b *sample.Batch) (train.Prediction, error) {
	if err := r.check(b); err != nil {
		return train.Prediction{}, err
	}
	k, in, labels := r.options.Classes, r.options.Inputs, b.Classes()
	r.scores, r.loss = resize(r.scores, b.Len()*k), resize(r.loss, b.Len())
	err := r.pool.Each(ctx, b.Len(), func(worker, i int) (err error) {
		label := -1
		if labels != nil {
			label = labels[i]
		}
		if r.loss[i], err = r.nets[worker].Run(b.X[i*in:][:in], label, r.scores[i*k:][:k]); err != nil {
			return fmt.Errorf("%s: sample %d: %w", r.options.Rule, b.Index[i], err)
		}
		return nil
	})
	if err != nil {
		return train.Prediction{}, err
	}
	r.out = tensor.Resize(r.out, len(r.scores))
	for i, v := range r.scores {
		r.out[i] = tensor.Float(v)
	}
	p := train.Prediction{Outputs: []task.Output{{Name: Output, Shape: tensor.Shape{k}, Scores: r.out}}, Metrics: train.Metrics{N: b.Len()}}
	if labels != nil {
		p.Metrics = r.metrics(labels)
	}
	return p, nil
}

// metrics are the figures of a batch that was run.
func (r *runner) metrics(labels []int) train.Metrics {
	k, loss, right := r.options.Classes, 0.0, 0
	for i, label := range labels {
		loss += r.loss[i]
		if Best(r.scores[i*k:][:k]) == label {
			right++
		}
	}
	return train.Metrics{N: len(labels), Sums: []train.Sum{train.LossSum(loss), {Name: "accuracy", Unit: "%", Better: task.Higher, Total: 100 * float64(right)}}}
}

// Best is the place of the largest score, the first of equals.
func Best(scores []float64) (best int) {
	for j, v := range scores {
		if v > scores[best] {
			best = j
		}
	}
	return best
}

func resize(s []float64, n int) []float64 {
	if cap(s) < n {
		return make([]float64, n)
	}
	return s[:n]
}

// Learner learns from samples in turn. It implements train.Learner and train.Starter.
type Learner struct {
	*runner
	step, total int // of batches, for the schedule
}

// New makes the learner of a network in a setting.
func New(n Network, o Options, s train.Setting) *Learner {
	l := &Learner{runner: newRunner(n, o, s.Pool)}
	if s.Batch > 0 {
		l.total = s.Epochs * ((s.Samples + s.Batch - 1) / s.Batch)
	}
	return l
}

// Maker makes an untrained network for a setting, and says how it is run.
type Maker func(s train.Setting) (Network, Options, error)

// Learner is the learner of the network.
func (m Maker) Learner(s train.Setting) (train.Learner, error) {
	n, o, err := m(s)
	if err != nil {
		return nil, err
	}
	return New(n, o, s), nil
}

// Predictor is the network with a model's arrays.
func (m Maker) Predictor(s train.Setting, model map[string]train.Array) (train.Predictor, error) {
	n, o, err := m(s)
	if err != nil {
		return nil, err
	}
	return NewPredictor(n, o, s.Pool, model)
}

// Start shows a Looker the training samples.
func (l *Learner) Start(ctx context.Context, c *data.Cursor) error {
	looker, ok := l.nets[0].(Looker)
	if !ok {
		return nil
	}
	var b sample.Batch
	for {
		more, err := c.Next(ctx, &b)
		if err != nil || !more {
			return err
		}
		if err := l.check(&b); err != nil {
			return err
		}
		for i := range b.Len() {
			looker.Look(b.X[i*l.options.Inputs:][:l.options.Inputs])
		}
	}
}

// Step learns from the samples of a batch, in turn. Figures are those of each before it is
// learned from.
func (l *Learner) Step(ctx context.Context, b *sample.Batch) (train.Metrics, error) {
	labels, k, in := b.Classes(), l.options.Classes, l.options.Inputs
	if err := l.check(b); err != nil {
		return train.Metrics{}, err
	}
	if labels == nil && b.Len() > 0 {
		return train.Metrics{}, fmt.Errorf("%s: the samples have no class to learn; choose data with classes", l.options.Rule)
	}
	factor := 1.0
	if l.options.Schedule != nil {
		factor = l.options.Schedule.Scale(l.step, l.total)
	}
	l.scores, l.loss = resize(l.scores, b.Len()*k), resize(l.loss, b.Len())
	if n, ok := l.nets[0].(Batcher); ok && n.Batches() && b.Len() > 0 {
		if err := n.LearnBatch(&Batch{Ctx: ctx, Pool: l.pool, X: b.X, Labels: labels, Index: b.Index, Factor: factor, Scores: l.scores, Loss: l.loss}); err != nil {
			return train.Metrics{}, fmt.Errorf("%s: %w", l.options.Rule, err)
		}
		l.step++
		return l.metrics(labels), nil
	}
	for i := range b.Len() {
		if err := ctx.Err(); err != nil {
			return train.Metrics{}, err
		}
		var err error
		if l.loss[i], err = l.nets[0].Learn(b.X[i*in:][:in], labels[i], factor, l.scores[i*k:][:k]); err != nil {
			return train.Metrics{}, fmt.Errorf("%s: sample %d: %w", l.options.Rule, b.Index[i], err)
		}
	}
	l.step++
	return l.metrics(labels), nil
}

const stepName = "step"

// Model is the network's arrays.
func (l *Learner) Model() map[string]train.Array { return pack(l.nets[0].Model()) }

// State is the model, what else the network remembers, and the steps done.
func (l *Learner) State() map[string]train.Array {
	s := pack(append(l.nets[0].Model(), l.nets[0].Memory()...))
	s[stepName] = safetensors.U64([]uint64{uint64(l.step)}, 1)
	return s
}

// SetState takes up what State returned. On an error nothing has changed.
func (l *Learner) SetState(s map[string]train.Array) error {
	step, err := s[stepName].U64s()
	if err != nil || len(step) != 1 || step[0] > math.MaxInt32 || len(s[stepName].Shape) != 1 {
		return fmt.Errorf("%s: the checkpoint does not count the steps: was it made by another rule?", l.options.Rule)
	}
	rest := make(map[string]train.Array, len(s))
	for name, a := range s {
		if name != stepName {
			rest[name] = a
		}
	}
	if err := takeInto(l.nets[0], l.options.Rule, rest, append(l.nets[0].Model(), l.nets[0].Memory()...)); err != nil {
		return err
	}
	l.step = int(step[0])
	return nil
}

func pack(arrays []Array) map[string]train.Array {
	all := map[string]train.Array{}
	for _, a := range arrays {
		all[a.Name] = safetensors.F64(a.Data, a.Shape...)
	}
	return all
}

// takeInto is take for arrays of n.
func takeInto(n Network, rule string, from map[string]train.Array, to []Array) error {
	if err := take(rule, from, to); err != nil {
		return err
	}
	if r, ok := n.(Refresher); ok {
		r.Refresh()
	}
	return nil
}

// take copies arrays of a file into a network's. On an error nothing has changed.
func take(rule string, from map[string]train.Array, to []Array) error {
	if len(from) != len(to) {
		return fmt.Errorf("%s: the file holds %d arrays, this network %d: was it made with another configuration?", rule, len(from), len(to))
	}
	all := make([][]float64, len(to))
	for i, a := range to {
		v, err := numbers(from[a.Name])
		if err != nil || len(v) != len(a.Data) || !slices.Equal(from[a.Name].Shape, a.Shape) {
			return fmt.Errorf("%s: the file has no array %s of shape %v: was it made with another configuration?", rule, a.Name, a.Shape)
		}
		if k, ok := from[a.Name].Finite(); !ok {
			return fmt.Errorf("%s: element %d of array %s is %v, want a finite number; the file is damaged or its training failed", rule, k, a.Name, v[k])
		}
		all[i] = v
	}
	for i, a := range to {
		copy(a.Data, all[i])
	}
	return nil
}

// numbers are an array's as doubles; models that were rounded hold float32.
func numbers(a train.Array) ([]float64, error) {
	if v, err := a.F64s(); err == nil {
		return v, nil
	}
	short, err := a.F32s()
	if err != nil {
		return nil, err
	}
	v := make([]float64, len(short))
	for i, x := range short {
		v[i] = float64(x)
	}
	return v, nil
}
