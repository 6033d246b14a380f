package eqprop

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"synfire/format/safetensors"
	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/loss"
	"synfire/modelfile"
	"synfire/rule/eqprop/coupling"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// Kind names the learner in checkpoints.
const Kind = "eqprop"

// Learner trains a layered network by equilibrium propagation. It implements
// train.Learner. The scores of a prediction are the free states of the outputs, or
// a readout's logits; predicted samples start from zeros, from the predictor, or in
// training from states that test-particles keeps.
type Learner struct {
	c     Config
	r     *relaxer
	batch batch
	betas [2]tensor.Float
	step  int // steps done, which decide random signs
	names []string
}

// New checks the configuration and draws the weights.
func New(c Config) (*Learner, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	l := &Learner{c: c, r: newRelaxer(c)}
	if c.Spiking != nil {
		l.names = append(l.names, "input")
	}
	for i := 1; i <= l.r.top; i++ {
		l.names = append(l.names, fmt.Sprintf("layer%d", i))
	}
	return l, nil
}

// Warnings are those of its configuration.
func (l *Learner) Warnings() []string { return l.c.Warnings() }

// Net is the network being trained. Call Refresh after writing to it.
func (l *Learner) Net() *coupling.Net { return l.r.net }

// Predictor is the forward network, or nil.
func (l *Learner) Predictor() *coupling.Net { return l.r.predictor }

// Refresh takes up parameters that someone else has written to.
func (l *Learner) Refresh() {
	l.r.mask()
	l.r.pack()
}

// Step learns from a batch. An empty one changes nothing. Rates are the shares of
// units above zero in the free states.
func (l *Learner) Step(_ context.Context, d *sample.Batch) (train.Metrics, error) {
	if d.Len() == 0 {
		return train.Metrics{}, nil
	}
	if err := l.take(d, true); err != nil {
		return train.Metrics{}, err
	}
	if err := l.begin(d, "particles", l.r.particles, l.c.Particles); err != nil {
		return train.Metrics{}, err
	}
	l.r.factor = l.c.annealed(l.step)
	l.learn(l.r.learned(), l.r.learnedPredictor())
	l.step++
	l.r.prune(l.step)
	l.r.schedule(l.step)
	l.r.pack()
	return l.metrics(), nil
}

// learn runs all phases and adds the steps to the parameters.
func (l *Learner) learn(net, predictor *coupling.Net) {
	betas, gap := l.nudges()
	l.r.run(&l.batch, betas, gap)
	l.r.add(&l.batch, betas, net, predictor)
}

// nudges are the strengths of the nudged phases, and how far apart in β the states
// are that are compared.
func (l *Learner) nudges() ([]tensor.Float, float64) {
	beta := l.c.Beta
	switch l.c.Nudge {
	case Centred:
		l.betas = [2]tensor.Float{tensor.Float(beta), tensor.Float(-beta)}
		return l.betas[:], 2 * beta
	case RandomSign:
		if rng.New(l.c.Seed, "nudge").Int(uint64(l.step)).Source().IntN(2) == 1 {
			beta = -beta
		}
	}
	l.betas[0] = tensor.Float(beta)
	return l.betas[:1], beta
}

// lastBetas are those of a learning step.
func (l *Learner) lastBetas() []tensor.Float {
	if l.c.Nudge == Centred {
		return l.betas[:2]
	}
	return l.betas[:1]
}

// SynapticOperations is the number of additions of a weight in the last Step or
// Predict of a spiking network, over all its samples; 0 for others.
func (l *Learner) SynapticOperations() int { return int(l.r.synapses.Load()) }

// Gradient is the estimate of the gradient of a batch's mean cost, and its
// predictor's, without learning: as gradients of Net and Predictor, by layer.
func (l *Learner) Gradient(d *sample.Batch) (net, predictor *coupling.Net, err error) {
	if err := l.take(d, false); err != nil {
		return nil, nil, err
	}
	rates := l.r.c.LearningRates
	defer func() { l.r.c.LearningRates = rates }()
	l.r.factor = 1
	l.r.c.LearningRates = make([]float64, len(rates))
	for i := range l.r.c.LearningRates {
		l.r.c.LearningRates[i] = -1 // descent backwards
	}
	net = l.r.net.Zeros()
	if l.r.predictor != nil {
		predictor = l.r.predictor.Zeros()
	}
	l.learn(net, predictor)
	return net, predictor, nil
}

// Predict relaxes freely. Outputs are output, the free states or logits of the last
// layer, and of a network with a predictor forward, what that says by itself.
func (l *Learner) Predict(_ context.Context, d *sample.Batch) (train.Prediction, error) {
	if err := l.take(d, false); err != nil {
		return train.Prediction{}, err
	}
	if err := l.begin(d, "test-particles", l.r.tested, l.c.TestParticles); err != nil {
		return train.Prediction{}, err
	}
	l.r.run(&l.batch, nil, 0)
	last := len(l.c.Sizes) - 1
	p := train.Prediction{Metrics: l.metrics()}
	p.Outputs = append(p.Outputs, l.output(OutputName, l.r.free[last]))
	if l.r.predictor != nil {
		p.Outputs = append(p.Outputs, l.output(ForwardName, l.r.guess[last]))
	}
	return p, nil
}

// Settled is the free states of the layers that relax, layer1 to the last, for the
// samples of a batch: [n × units] each. It implements activity.Settler.
func (l *Learner) Settled(_ context.Context, d *sample.Batch) ([]task.Output, error) {
	if err := l.take(d, false); err != nil {
		return nil, err
	}
	l.r.run(&l.batch, nil, 0)
	var out []task.Output
	for k := 1; k <= l.r.top; k++ {
		units := l.c.Sizes[k]
		out = append(out, task.Output{Name: fmt.Sprintf("layer%d", k), Shape: tensor.Shape{units}, Scores: l.r.free[k][:l.batch.n*units]})
	}
	return out, nil
}

// The names of outputs.
const (
	OutputName  = "output"
	ForwardName = "forward"
)

func (l *Learner) output(name string, scores []tensor.Float) task.Output {
	k := l.c.Sizes[len(l.c.Sizes)-1]
	return task.Output{Name: name, Shape: tensor.Shape{k}, Scores: scores[:l.batch.n*k]}
}

// take checks a batch and sets it up.
func (l *Learner) take(d *sample.Batch, learning bool) error {
	in, classes := l.c.Sizes[0], l.c.Sizes[len(l.c.Sizes)-1]
	if len(d.X) != d.Len()*in {
		return fmt.Errorf("eqprop: %d inputs for %d samples of %d; make the first size that of a sample", len(d.X), d.Len(), in)
	}
	if i := kernel.Finite(d.X); i >= 0 {
		return fmt.Errorf("eqprop: input %d of sample %d is %v; clean the data set", i%in, d.Index[i/in], d.X[i])
	}
	labels := d.Classes()
	if learning && labels == nil {
		return errors.New("eqprop: the samples have no class to learn")
	}
	for i, label := range labels {
		if label < 0 || label >= classes {
			return fmt.Errorf("eqprop: sample %d has label %d, and the network %d outputs; make the last size the number of classes", d.Index[i], label, classes)
		}
	}
	if l.c.Spiking != nil || learning {
		what := "state of a unit"
		if l.c.Spiking != nil {
			what = "rate of spikes"
		}
		for i, v := range d.X {
			if v < 0 || v > 1 {
				return fmt.Errorf("eqprop: input %d of sample %d is %v, and no %s is outside [0, 1]; scale the data, and leave normalize out", i%in, d.Index[i/in], v, what)
			}
		}
	}
	l.batch.set(d, in, learning, l.c.Spiking != nil)
	return nil
}

// begin lets a batch begin from kept states, of n samples, where there are any.
func (l *Learner) begin(d *sample.Batch, key string, kept [][]tensor.Float, n int) error {
	if kept == nil {
		return nil
	}
	for _, i := range d.Index {
		if i < 0 || i >= n {
			return fmt.Errorf("eqprop: sample is number %d of its data set, and there are %d %s; set %s to the size of the set", i, n, key, key)
		}
	}
	l.batch.kept = kept
	return nil
}

// metrics are those of the free phase of the last run.
func (l *Learner) metrics() train.Metrics {
	m := train.Metrics{N: l.batch.n, Rates: make([]train.Rate, 0, len(l.names))}
	if l.batch.labels != nil {
		correct, cost := l.score(l.r.free[len(l.c.Sizes)-1])
		m.Sums = []train.Sum{train.LossSum(cost), {Name: "accuracy", Unit: "%", Better: task.Higher, Total: 100 * float64(correct)}}
	}
	if l.c.Spiking != nil {
		steps := l.c.Free + l.c.settling()
		if l.batch.learning {
			steps += l.c.Nudged * len(l.lastBetas())
		}
		for i := range l.r.spikes {
			m.Rates = append(m.Rates, train.Rate{Layer: l.names[i], Spikes: int(l.r.spikes[i].Load()), Slots: l.batch.n * l.c.Sizes[i] * steps})
		}
		return m
	}
	for i, name := range l.names {
		s := l.r.free[i+1][:l.batch.n*l.c.Sizes[i+1]]
		m.Rates = append(m.Rates, train.Rate{Layer: name, Spikes: kernel.CountNonzero(s), Slots: len(s), Graded: true})
	}
	return m
}

// score counts right answers and sums the cost.
func (l *Learner) score(scores []tensor.Float) (correct int, cost float64) {
	k := l.c.Sizes[len(l.c.Sizes)-1]
	for i, label := range l.batch.labels {
		row := scores[i*k:][:k]
		if loss.Best(row) == label {
			correct++
		}
		if l.c.Output == CrossEntropy {
			cost += loss.CrossEntropy(nil, row, label)
			continue
		}
		for j, v := range row {
			d := float64(v)
			if j == label {
				d--
			}
			cost += l.c.CostScale * d * d
		}
	}
	return correct, cost
}

// Model is what predictions depend on: all but the particles. The number of steps
// done is part of it, since limits of activity follow it.
func (l *Learner) Model() map[string]train.Array {
	s := l.State()
	maps.DeleteFunc(s, func(name string, _ train.Array) bool { return strings.HasPrefix(name, particles) })
	return s
}

// particles begins the names of arrays of kept states.
const particles = "particles"

// State is the parameters, the particles and the number of steps done.
func (l *Learner) State() map[string]train.Array {
	s := map[string]train.Array{"eqprop.step": safetensors.U64([]uint64{uint64(l.step)}, 1)}
	for _, p := range l.stored() {
		s[p.Name] = modelfile.Pack(p.Value)
	}
	return s
}

// stored are all arrays of the state.
func (l *Learner) stored() []tensor.Param {
	all := l.r.learned().Params()
	if l.r.predictor != nil {
		all = append(all, l.r.learnedPredictor().Params()...)
	}
	if l.r.regrows() { // what is zero tells the masks
		for _, t := range l.r.thinned() {
			all = append(all, t.net.W...)
		}
	}
	all = append(all, l.states(particles, l.r.particles)...)
	return append(all, l.states(particles+"-test", l.r.tested)...)
}

// states are kept states as arrays.
func (l *Learner) states(name string, kept [][]tensor.Float) (all []tensor.Param) {
	for i, s := range kept {
		if s != nil {
			n := l.c.Sizes[i]
			all = append(all, tensor.Param{Name: fmt.Sprint(name, i), Value: tensor.Tensor{Shape: tensor.Shape{len(s) / n, n}, Data: s}})
		}
	}
	return all
}

// SetState takes up what State returned. On an error nothing has changed.
func (l *Learner) SetState(s map[string]train.Array) error {
	step, err := s["eqprop.step"].U64s()
	if err != nil || len(step) != 1 {
		return errors.New("eqprop: the checkpoint has no step count (eqprop.step): it is not one of equilibrium propagation")
	}
	all := l.stored()
	if want := len(all) + 1; len(s) != want {
		return fmt.Errorf("eqprop: the checkpoint holds %d arrays, this network %d: was it made with another configuration?", len(s), want)
	}
	values := make([][]tensor.Float, len(all))
	for i, p := range all {
		if values[i], err = modelfile.Unpack(s, p.Name, p.Value.Shape); err != nil {
			return fmt.Errorf("eqprop: %w", err)
		}
	}
	for i, p := range all {
		copy(p.Value.Data, values[i])
	}
	l.step = int(step[0])
	l.r.schedule(l.step)
	clear(l.r.kept)
	clear(l.r.forwardKept)
	if p := l.c.Pruning; p != nil && l.step >= p.Begin {
		l.r.listKept()
	}
	l.r.pack()
	return nil
}
