package joint

import (
	"context"
	"fmt"
	"slices"

	"synfire/encode"
	"synfire/format/safetensors"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/loss"
	"synfire/modelfile"
	"synfire/network"
	"synfire/neuron"
	"synfire/sample"
	"synfire/signal"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// The outputs of predictions: the spiking branch's, then the ordinary branch's.
const (
	Output         = "output"
	OrdinaryOutput = "ann"
)

// branch is one of the two networks at work. Its outputs are the populations, or the
// rectified units in their place, and then the scores.
type branch struct {
	net    *network.Network
	packed *network.Compiled
	pass   *network.Pass
	state  *network.State
	in     signal.Signal
	outs   []*signal.Signal // of the last batch
	grads  network.Grads    // of a learner
	errors []*signal.Signal // at the outputs
	adj    *network.Adjoint
}

// compile makes a branch of a graph with the parameters that both share.
func (b *branch) compile(g network.Graph, params []tensor.Param, pool *par.Pool, learns bool) error {
	net, err := g.Build(0)
	if err != nil {
		return err
	}
	copy(net.Params(), params)
	b.net, b.packed, b.state = net, net.Compile(pool, learns), net.NewState(1)
	b.pass = b.packed.NewPass(network.Options{Pool: pool})
	if learns {
		b.adj, b.errors = net.NewAdjoint(1), make([]*signal.Signal, len(g.Outputs))
		if b.grads == nil {
			b.grads = net.NewGrads()
		}
	}
	return nil
}

// forward runs all steps of what stands in in.
func (b *branch) forward(keep bool) (err error) {
	b.state.Reset(b.net, b.in.B)
	b.outs, err = b.pass.Forward(b.state, &b.in, keep)
	return err
}

// backward is the gradients of the errors.
func (b *branch) backward() error {
	b.grads.Zero()
	b.adj.Reset(b.net, b.in.B)
	return b.pass.Backward(b.adj, b.errors, b.grads)
}

// scores is the signal of the output.
func (b *branch) scores() *signal.Signal { return b.outs[len(b.outs)-1] }

// pair is both branches, with one set of weights.
type pair struct {
	rule    Rule
	graph   network.Graph // the spiking branch as it was given
	setting train.Setting
	learns  bool
	params  []tensor.Param

	theta  []float64 // thresholds of the populations
	limits []float64 // at which rectified units end; 0: nowhere
	late   []int     // steps before an input reaches each population, and the output

	snn, ann branch
	logits   [2]logits // of the spiking and the ordinary branch
	expected []tensor.Float
	rates    [][]tensor.Float // of the populations, [B, N]
	keys     []rng.Key
}

// newPair makes both branches with initial weights.
func newPair(r Rule, s train.Setting, learns bool) (*pair, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	g, err := r.graph(s)
	if err != nil {
		return nil, err
	}
	first, err := g.Build(s.Seed)
	if err != nil {
		return nil, fmt.Errorf("joint: %w", err)
	}
	p := &pair{rule: r, graph: g, setting: s, learns: learns, params: first.Params(), late: first.Latencies()}
	for _, nd := range g.Nodes {
		if units, ok := nd.Layer.(layer.Spiking); ok {
			p.theta = append(p.theta, units.Neuron.(neuron.STDB).Threshold)
		}
	}
	p.limits = make([]float64, len(p.theta))
	p.rates = make([][]tensor.Float, len(p.theta))
	return p, p.build()
}

// build makes the networks of the current thresholds.
func (p *pair) build() error {
	back := STDB
	if p.learns {
		back = p.rule.Backward
	}
	if err := p.snn.compile(setThresholds(p.graph, p.theta, back), p.params, p.setting.Pool, p.learns); err != nil {
		return fmt.Errorf("joint: the spiking branch: %w", err)
	}
	if err := p.ann.compile(rectified(p.graph, p.limits), p.params, p.setting.Pool, p.learns); err != nil {
		return fmt.Errorf("joint: the ordinary branch: %w", err)
	}
	return nil
}

// refresh takes up parameters that have changed.
func (p *pair) refresh() {
	p.snn.packed.Refresh(p.setting.Pool)
	p.ann.packed.Refresh(p.setting.Pool)
}

// level is Λ behind population l − 1: what a rate of 1 there stands for.
func (p *pair) level(l int) float64 {
	product := 1.0
	for _, theta := range p.theta[:l] {
		product *= theta
	}
	return product
}

// encode writes the inputs of both branches: the spiking one's as it is drawn, the ordinary
// one's as its expectation. A value that is no probability of a spike is an error.
func (p *pair) encode(b *sample.Batch, keys []rng.Key) error {
	steps := p.setting.Steps
	if e, ok := p.setting.Encoder.(encode.Poisson); ok {
		scale := tensor.Float(e.Scale)
		if scale == 0 {
			scale = 1
		}
		p.expected = tensor.Resize(p.expected, len(b.X))
		for i, x := range b.X {
			if !(x >= 0 && x <= 1) {
				return fmt.Errorf("joint: sample %d has the value %v, which is no probability of a spike: leave values in [0, 1] (without normalize), or use encoder constant", b.Index[i*b.Len()/len(b.X)], x)
			}
			p.expected[i] = scale * x
		}
	}
	p.setting.Encoder.Encode(&p.snn.in, b, keys, encode.Window{T1: steps, Steps: steps})
	encode.Constant{}.Encode(&p.ann.in, b, keys, encode.Window{T1: 1, Steps: 1})
	if p.snn.in.Kind == signal.Spikes {
		p.ann.in.Data = p.expected
	}
	return nil
}

// read works out the spiking branch's scores and rates of the last batch.
func (p *pair) read() error {
	t, l := p.setting.Steps, len(p.theta)
	scale := p.level(l) * float64(t) / float64(t-p.late[l])
	for i := range p.rates {
		p.countRates(i)
	}
	return p.logits[0].read(p.snn.scores(), scale)
}

// countRates works out the rates of a population, in the steps in which it could fire.
func (p *pair) countRates(i int) {
	s := p.snn.outs[i]
	n, steps := s.Units(), s.T
	p.rates[i] = tensor.Resize(p.rates[i], s.B*n)
	clear(p.rates[i])
	row := make([]tensor.Float, n)
	for r := range s.Rows() {
		s.ReadRow(row, r)
		for k, v := range row {
			p.rates[i][r%s.B*n+k] += v
		}
	}
	for k := range p.rates[i] {
		p.rates[i][k] /= tensor.Float(steps - p.late[i])
	}
}

// keysOf names the random stream of each sample.
func (p *pair) keysOf(b *sample.Batch, purpose string, epoch int) []rng.Key {
	base := rng.New(p.setting.Seed, purpose).Int(uint64(epoch))
	keys := make([]rng.Key, 0, b.Len())
	for _, i := range b.Index {
		keys = append(keys, base.Int(uint64(i)))
	}
	return keys
}

// firing is how often the populations fired in the last batch.
func (p *pair) firing() (all []train.Rate) {
	for i, nd := range p.snn.net.Nodes() {
		if layer.Fires(nd.Layer) {
			spikes, slots := p.snn.pass.Spikes(i)
			all = append(all, train.Rate{Layer: nd.Name, Spikes: spikes, Slots: slots})
		}
	}
	return all
}

// Predict runs both branches on a batch. The spiking branch is what is meant; beside it are
// the accuracy of the ordinary one and the correlation of rates with activations, in the
// mean over samples and populations.
func (p *pair) Predict(_ context.Context, b *sample.Batch) (train.Prediction, error) {
	p.snn.pass.SetTraining(nil)
	p.ann.pass.SetTraining(nil)
	if err := p.encode(b, p.keysOf(b, rng.Eval, 0)); err != nil {
		return train.Prediction{}, err
	}
	if err := p.snn.forward(false); err != nil {
		return train.Prediction{}, err
	}
	if err := p.ann.forward(false); err != nil {
		return train.Prediction{}, err
	}
	if err := p.read(); err != nil {
		return train.Prediction{}, err
	}
	if err := p.logits[1].read(p.ann.scores(), 1); err != nil {
		return train.Prediction{}, err
	}
	m := train.Metrics{N: b.Len(), Rates: p.firing()}
	if target, err := b.Target(""); err == nil {
		value, err := p.logits[0].crossEntropy(target)
		if err != nil {
			return train.Prediction{}, err
		}
		m.Sums = []train.Sum{
			train.LossSum(value * float64(b.Len())),
			{Name: "ann-accuracy", Unit: "%", Better: task.Higher, Total: p.logits[1].right(target.Class) * 100},
		}
	}
	m.Sums = append(m.Sums, train.Sum{Name: "rate-correlation", Better: task.Higher, Total: p.correlation()})
	shape := p.snn.scores().Shape
	return train.Prediction{Metrics: m, Outputs: []task.Output{
		{Name: Output, Shape: shape, Scores: p.logits[0].scores}, {Name: OrdinaryOutput, Shape: shape, Scores: p.logits[1].scores},
	}}, nil
}

// correlation is the sum over samples of Pearson's correlation between rates and
// activations, in the mean over populations. A silent layer has none, which counts as 0.
func (p *pair) correlation() (sum float64) {
	for i, rates := range p.rates {
		a := p.ann.outs[i]
		n := a.Units()
		for s := range a.B {
			sum += pearson(rates[s*n:][:n], a.Data[s*n:][:n]) / float64(len(p.rates))
		}
	}
	return sum
}

// Network is the spiking branch.
func (p *pair) Network() *network.Network { return p.snn.net }

// Ordinary is the ordinary branch.
func (p *pair) Ordinary() *network.Network { return p.ann.net }

// Thresholds are those of the populations, from the input on.
func (p *pair) Thresholds() []float64 { return slices.Clone(p.theta) }

// The names of arrays in a model, besides param.NODE.ROLE.
const (
	paramPrefix    = "param."
	thresholdArray = "joint.threshold"
	limitArray     = "joint.limit"
)

// Model is the weights, thresholds and limits.
func (p *pair) Model() map[string]train.Array {
	m := map[string]train.Array{
		thresholdArray: safetensors.F64(slices.Clone(p.theta), len(p.theta)),
		limitArray:     safetensors.F64(slices.Clone(p.limits), len(p.limits)),
	}
	for _, w := range p.params {
		m[paramPrefix+w.Name] = modelfile.Pack(w.Value)
	}
	return m
}

// setModel takes up what Model returned. On an error nothing has changed.
func (p *pair) setModel(m map[string]train.Array) error {
	if want := len(p.params) + 2; len(m) != want {
		return fmt.Errorf("joint: the file holds %d arrays, this network %d: was it made with another configuration?", len(m), want)
	}
	var values [][]tensor.Float
	for _, w := range p.params {
		v, err := modelfile.Unpack(m, paramPrefix+w.Name, w.Value.Shape)
		if err != nil {
			return fmt.Errorf("joint: %w", err)
		}
		values = append(values, v)
	}
	theta, err := m[thresholdArray].F64s()
	limits, err2 := m[limitArray].F64s()
	if err != nil || err2 != nil || len(theta) != len(p.theta) || len(limits) != len(p.theta) {
		return fmt.Errorf("joint: the file does not have thresholds and limits of %d populations: was it made with another configuration?", len(p.theta))
	}
	for i, v := range theta {
		if !(v > 0) || !(limits[i] >= 0) {
			return fmt.Errorf("joint: population %d of the file has threshold %v and limit %v, want positive numbers: the file is damaged", i+1, v, limits[i])
		}
	}
	for i, v := range values {
		copy(p.params[i].Value.Data, v)
	}
	copy(p.theta, theta)
	copy(p.limits, limits)
	return p.build()
}

// Predictor is a trained pair that only predicts.
type Predictor struct{ *pair }

// Fork is another predictor with the same weights.
func (p *Predictor) Fork() train.Predictor {
	q, err := newPair(p.rule, p.setting, false)
	if err == nil {
		err = q.setModel(p.Model())
	}
	if err != nil {
		panic(err) // it was made once
	}
	return &Predictor{q}
}

// logits are the scores of a branch and the errors at them.
type logits struct {
	out    signal.Signal // [T, B, K], in the unit of an ordinary network's logits
	scores []tensor.Float
	scale  tensor.Float
	dout   signal.Signal
}

// read takes the scores, the mean over time of an output times scale.
func (l *logits) read(s *signal.Signal, scale float64) error {
	l.scale = tensor.Float(scale)
	l.out.Reset(signal.Dense, max(1, s.Rows()/s.B), s.B, s.Shape)
	for i, v := range s.Data {
		l.out.Data[i] = l.scale * v
	}
	l.scores = tensor.Resize(l.scores, s.B*s.Units())
	c := loss.Call{Out: &l.out, Scores: l.scores}
	return c.Decode(encode.Membrane{})
}

// crossEntropy is the loss, and the errors at the output.
func (l *logits) crossEntropy(y *sample.Column) (float64, error) {
	return loss.MembraneCrossEntropy{}.Eval(&loss.Call{Out: &l.out, Target: y, Scores: l.scores, DOut: &l.dout})
}

// back turns errors at the scaled output into those at the network's, of the kind that it has.
func (l *logits) back(kind signal.Kind) *signal.Signal {
	for i := range l.dout.Data {
		l.dout.Data[i] *= l.scale
	}
	l.dout.Kind = kind
	return &l.dout
}

// right counts the samples whose largest score is the label's.
func (l *logits) right(labels []int) (n float64) {
	k := len(l.scores) / len(labels)
	for b, label := range labels {
		if loss.Best(l.scores[b*k:][:k]) == label {
			n++
		}
	}
	return n
}
