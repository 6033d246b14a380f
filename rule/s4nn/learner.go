package s4nn

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"synfire/format/safetensors"
	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/modelfile"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// Output names the output of predictions.
const Output = "output"

// Predictor is a trained network. It is safe for one goroutine; see Fork.
type Predictor struct{ *runner }

// runner answers by the first output spike.
type runner struct {
	rule    Rule
	weights *weights
	pool    *par.Pool
	steps   int
	workers []*network // one a thread
	scores  []tensor.Float
	counts  []tally
	first   []int
}

func newRunner(r Rule, s train.Setting, w *weights) *runner {
	p := &runner{rule: r, weights: w, pool: s.Pool, steps: s.Steps}
	for range s.Pool.Threads() {
		p.workers = append(p.workers, newNetwork(w, r.Threshold, s.Steps))
	}
	return p
}

// Fork is another predictor of the same weights.
func (p *Predictor) Fork() train.Predictor {
	return &Predictor{newRunner(p.rule, train.Setting{Pool: p.pool, Steps: p.steps}, p.weights)}
}

// Predict runs a batch. Scores are −t_j. With EarlyExit a sample stops at the first output
// spike, later ones count as T, and Steps are what the samples took.
func (p *runner) Predict(ctx context.Context, b *sample.Batch) (train.Prediction, error) {
	if err := p.check(b); err != nil {
		return train.Prediction{}, err
	}
	labels, gap := b.Classes(), p.rule.Gap
	if p.rule.EarlyExit {
		gap = -1
	}
	k, in := p.classes(), p.weights.sizes[0]
	p.scores, p.counts, p.first = grow(p.scores, b.Len()*k), grow(p.counts, b.Len()), grow(p.first, b.Len())
	err := p.pool.Each(ctx, b.Len(), func(worker, i int) error {
		n := p.workers[worker]
		if err := n.run(b.X[i*in:][:in], p.rule.EarlyExit); err != nil {
			return fmt.Errorf("s4nn: sample %d: %w", b.Index[i], err)
		}
		label := -1
		if labels != nil {
			label = labels[i]
		}
		n.score(p.scores[i*k:][:k])
		p.counts[i] = tally{}
		p.counts[i].count(n, label, gap)
		p.first[i] = int(n.first())
		return nil
	})
	if err != nil {
		return train.Prediction{}, err
	}
	var sum tally
	for i := range b.Len() {
		sum.add(p.counts[i])
	}
	out := train.Prediction{
		Outputs: []task.Output{{Name: Output, Shape: tensor.Shape{k}, Scores: p.scores}},
		Metrics: p.metrics(sum, sum.sums(gap >= 0)),
	}
	if p.rule.EarlyExit {
		out.Steps = p.first
	}
	return out, nil
}

// classes is the number of outputs.
func (p *runner) classes() int { return p.weights.sizes[len(p.weights.sizes)-1] }

// metrics are the figures of samples that were run.
func (p *runner) metrics(c tally, sums []train.Sum) train.Metrics {
	sizes := p.weights.sizes
	hidden := 0
	for _, n := range sizes[1 : len(sizes)-1] {
		hidden += n
	}
	return train.Metrics{N: c.n, Sums: sums, Rates: []train.Rate{
		{Layer: "hidden", Spikes: c.hidden, Slots: c.n * hidden * p.steps},
		{Layer: Output, Spikes: c.outputs, Slots: c.n * p.classes() * p.steps},
	}}
}

// check returns an error for a batch that the network cannot take.
func (p *runner) check(b *sample.Batch) error {
	in := p.weights.sizes[0]
	if len(b.X) != b.Len()*in {
		return fmt.Errorf("s4nn: %d values for %d samples, want %d of each: use the data that the network is for", len(b.X), b.Len(), in)
	}
	for i, label := range b.Classes() {
		if label < 0 || label >= p.classes() {
			return fmt.Errorf("s4nn: sample %d has class %d, and there are %d outputs: use the data that the network is for", b.Index[i], label, p.classes())
		}
	}
	return nil
}

// Learner learns the weights. It implements train.Learner.
type Learner struct {
	*runner
	seed  uint64
	total int // steps of the run
	step  int

	epoch  int      // of the samples seen last
	seen   uint64   // samples of the epoch
	active []uint64 // of them, those for which a hidden neuron fired, of all hidden layers in turn

	update [][]tensor.Float // of a batch, where updates are averaged
}

// New makes the learner, with weights drawn anew.
func (r Rule) New(s train.Setting) (*Learner, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	sizes, err := r.sizes(s)
	if err != nil {
		return nil, err
	}
	l := &Learner{runner: newRunner(r, s, newWeights(sizes)), seed: s.Seed}
	if s.Batch > 0 {
		l.total = s.Epochs * ((s.Samples + s.Batch - 1) / s.Batch)
	}
	for k, most := range r.initial() {
		draw(l.weights.w[k], most, rng.New(s.Seed, rng.Init).Str(weightName(k+1)))
	}
	hidden := 0
	for _, n := range r.Hidden {
		hidden += n
	}
	l.active = make([]uint64, hidden)
	if r.Average {
		l.update = newWeights(sizes).w
	}
	return l, nil
}

// draw fills w with numbers from 0 to most.
func draw(w []tensor.Float, most float64, key rng.Key) {
	src := key.Source()
	for i := range w {
		w[i] = tensor.Float(most * src.Float64())
	}
}

// Warnings tell of layers that can hardly fire as they are drawn.
func (l *Learner) Warnings() (all []string) {
	for k, most := range l.rule.initial() {
		if in := l.weights.sizes[k]; float64(in)*most/2 <= l.rule.Threshold {
			all = append(all, fmt.Sprintf("s4nn: %d inputs of layer %d with initial weights of %v in the mean stay below the threshold %v, even if all fire: it will be silent; lower threshold, or raise weights", in, k+1, most/2, l.rule.Threshold))
		}
	}
	return all
}

// Step learns from the samples of a batch, in turn. Figures are those of each before it is
// learned from, at the end of its time. Where the batch is of a new epoch, neurons that were
// dead in the one before get new weights first.
func (l *Learner) Step(ctx context.Context, b *sample.Batch) (train.Metrics, error) {
	if b.Len() == 0 {
		return train.Metrics{}, nil
	}
	labels := b.Classes()
	if err := l.check(b); err != nil {
		return train.Metrics{}, err
	}
	if labels == nil {
		return train.Metrics{}, errors.New("s4nn: the samples have no class to learn; choose data with classes")
	}
	if err := ctx.Err(); err != nil {
		return train.Metrics{}, err
	}
	l.begin(b.Epoch)
	n, in := l.workers[0], l.weights.sizes[0]
	rate := l.rule.LR * l.rule.Schedule.Scale(l.step, l.total)
	var sum tally
	learned := 0
	for i := range b.Len() {
		if err := n.run(b.X[i*in:][:in], false); err != nil {
			return train.Metrics{}, fmt.Errorf("s4nn: sample %d: %w", b.Index[i], err)
		}
		sum.count(n, labels[i], l.rule.Gap)
		l.note(n)
		if l.rule.Average {
			learned += is(n.learn(l.update, labels[i], l.rule.Gap, rate/float64(b.Len()), false))
			continue
		}
		decayed := l.weights.scale * (1 - rate*l.rule.Decay)
		if n.learn(l.weights.w, labels[i], l.rule.Gap, rate/decayed, l.rule.UpdatedWeights) {
			l.weights.decay(decayed)
		}
	}
	if l.rule.Average {
		l.apply(rate, float64(learned)/float64(b.Len()))
	}
	l.step++
	return l.metrics(sum, sum.followed(true)), nil
}

// apply adds the averaged updates of a batch, of whose samples a share had an error.
func (l *Learner) apply(rate, share float64) {
	decayed := l.weights.scale * (1 - rate*l.rule.Decay*share)
	for k, u := range l.update {
		kernel.AddScaled(l.weights.w[k], u, tensor.Float(1/decayed))
		clear(u)
	}
	l.weights.decay(decayed)
}

// decay sets the scale. One that has become small is multiplied into the weights.
func (w *weights) decay(scale float64) {
	if w.scale = scale; scale > 0.5 {
		return
	}
	for _, m := range w.w {
		kernel.Scale(m, tensor.Float(scale))
	}
	w.scale = 1
}

// note counts the hidden neurons that fired.
func (l *Learner) note(n *network) {
	l.seen++
	at := int32(0)
	for _, p := range n.layer[:len(n.layer)-1] {
		for _, j := range p.out.unit {
			l.active[at+j]++
		}
		at += int32(len(p.v))
	}
}

// begin draws the weights of dead neurons anew where an epoch begins.
func (l *Learner) begin(epoch int) {
	if epoch == l.epoch {
		return
	}
	at := 0
	for k, n := range l.rule.Hidden {
		for j := range n {
			if float64(l.active[at+j]) < l.rule.Dead*float64(l.seen) {
				l.revive(k, j, epoch)
			}
		}
		at += n
	}
	l.epoch, l.seen = epoch, 0
	clear(l.active)
}

// revive draws the incoming weights of neuron j of a layer anew.
func (l *Learner) revive(k, j, epoch int) {
	n := l.weights.sizes[k+1]
	column := make([]tensor.Float, l.weights.sizes[k])
	draw(column, l.rule.initial()[k]/l.weights.scale, rng.New(l.seed, rng.Init).Str(weightName(k+1)).Int(uint64(epoch)).Int(uint64(j)))
	for i, v := range column {
		l.weights.w[k][i*n+j] = v
	}
}

func weightName(l int) string { return fmt.Sprintf("weight%d", l) }

const scaleName = "scale"

// arrays are the weights: weight1, weight2, …, each [in, out], to be multiplied by scale.
func (w *weights) arrays() map[string]train.Array {
	all := map[string]train.Array{scaleName: safetensors.F64([]float64{w.scale}, 1)}
	for k := range w.w {
		all[weightName(k+1)] = modelfile.Pack(tensor.Tensor{Shape: w.shape(k), Data: w.w[k]})
	}
	return all
}

func (w *weights) shape(k int) tensor.Shape { return tensor.Shape{w.sizes[k], w.sizes[k+1]} }

// read returns what arrays hold, and changes nothing.
func (w *weights) read(s map[string]train.Array) (*weights, error) {
	scale, err := s[scaleName].F64s()
	if err != nil || len(scale) != 1 || !(scale[0] > 0 && scale[0] <= 1) {
		return nil, errors.New("s4nn: the file has no scale of its weights from 0 to 1: is it a model of another rule?")
	}
	out := &weights{sizes: w.sizes, scale: scale[0]}
	for k := range w.w {
		m, err := modelfile.Unpack(s, weightName(k+1), w.shape(k))
		if err != nil {
			return nil, fmt.Errorf("s4nn: %w", err)
		}
		out.w = append(out.w, m)
	}
	return out, nil
}

// take takes up what arrays hold. On an error nothing has changed.
func (w *weights) take(s map[string]train.Array) error {
	from, err := w.read(s)
	if err != nil {
		return err
	}
	for k, m := range from.w {
		copy(w.w[k], m)
	}
	w.scale = from.scale
	return nil
}

// Model is the weights: weight1, weight2, … as [in, out], and their common factor scale.
func (l *Learner) Model() map[string]train.Array { return l.weights.arrays() }

// State is the model, the steps done, and what is counted of the epoch for the dead
// neurons.
func (l *Learner) State() map[string]train.Array {
	s := l.Model()
	s["s4nn.step"] = safetensors.U64([]uint64{uint64(l.step), uint64(l.epoch), l.seen}, 3)
	s["s4nn.active"] = safetensors.U64(l.active, len(l.active))
	return s
}

// SetState takes up what State returned. On an error nothing has changed.
func (l *Learner) SetState(s map[string]train.Array) error {
	if want := l.weights.layers() + 3; len(s) != want {
		return fmt.Errorf("s4nn: the checkpoint holds %d arrays, this network %d: was it made with another configuration?", len(s), want)
	}
	step, err := s["s4nn.step"].U64s()
	active, err2 := s["s4nn.active"].U64s()
	if err != nil || err2 != nil || len(step) != 3 || len(active) != len(l.active) || len(s["s4nn.step"].Shape) != 1 || len(s["s4nn.active"].Shape) != 1 {
		return fmt.Errorf("s4nn: the checkpoint does not count the steps and %d hidden neurons: was it made with another configuration?", len(l.active))
	}
	if err := l.weights.take(s); err != nil {
		return err
	}
	l.step, l.epoch, l.seen = int(step[0]), int(step[1]), step[2]
	l.active = slices.Clone(active)
	return nil
}
