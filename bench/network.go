package bench

import (
	"context"
	"slices"

	"synfire/encode"
	"synfire/internal/par"
	"synfire/layer"
	"synfire/loss"
	"synfire/network"
	"synfire/optim"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
	"synfire/train"
)

// prepare makes the calibrated network and the row that says so.
func (c Case) prepare(o Options) (*network.Network, Row, error) {
	r := c.row()
	factors := o.Factors
	if factors == nil {
		var err error
		if factors, err = c.Calibrate(); err != nil {
			return nil, r, err
		}
	}
	net, err := c.work.network(factors)
	if err != nil {
		return nil, r, err
	}
	r.Layers, r.Calibration = neurons(net), factors
	return net, r, nil
}

// trainNetwork times steps of training: forward, backward through all steps of
// time and the optimiser's step. Labels are random, and learning them by heart
// changes the rates: so each repeat starts from the same weights.
func trainNetwork(c Case, o Options) ([]Row, error) {
	net, r, err := c.prepare(o)
	if err != nil {
		return nil, err
	}
	pool := par.New(c.Threads)
	defer pool.Close()
	p := newProfiler(o)
	batch, encoder := c.work.feed(c.work.batch)
	learner, err := bptt.New(bptt.Options{
		Net: net, Steps: c.work.steps, Encoder: encoder, Losses: []bptt.Term{{Loss: loss.CountCrossEntropy{}}},
		Optimizer: optim.Adam{LR: 1e-3}, Seed: seed, Pool: pool, Meter: p.meter(),
	})
	if err != nil {
		return nil, err
	}
	var last train.Metrics
	start, fresh := net.Clone(), false
	restart := func() error {
		for i, p := range start.Params() {
			copy(net.Params()[i].Value.Data, p.Value.Data)
		}
		learner.Refresh()
		fresh = true
		p.restart()
		return nil
	}
	err = r.rate(o, float64(c.work.batch), restart, func() error {
		if last, err = learner.Step(context.Background(), batch); fresh {
			r.FiringRate, fresh = rates(last), false
		}
		p.batch()
		return err
	})
	r.Profile = p.profile(net)
	r.RateEnd = rates(last)
	r.FinalLoss = finalLoss(last)
	return c.judge(net, r, err)
}

// judge checks the rates of a row.
func (c Case) judge(net *network.Network, r Row, err error) ([]Row, error) {
	if err == nil {
		err = checkRates(net, "start", r.FiringRate)
	}
	if err == nil {
		err = checkRates(net, "end", r.RateEnd)
	}
	return []Row{r}, err
}

func rates(m train.Metrics) []float64 {
	values := []float64{}
	for _, r := range m.Rates {
		values = append(values, r.Value())
	}
	return values
}

// finalLoss is the mean loss of a batch.
func finalLoss(m train.Metrics) *float64 {
	v, ok := m.Mean(train.Loss)
	if !ok {
		return nil
	}
	return &v
}

// inference is a network that runs a batch, as one would in use: weights packed
// for the forward pass alone, and no membrane kept.
type inference struct {
	*work
	net     *network.Network
	spiking []int // indices of the layers of neurons
	pass    *network.Pass
	state   *network.State
	encoder encode.Encoder
	batch   *sample.Batch
	profile *profiler
	in, out signal.Signal
	scores  []tensor.Float // [B, 10]: spike counts, or the last membranes
	fired   []train.Rate   // of each layer of neurons, in the last run
}

func newInference(w *work, net *network.Network, pool *par.Pool, n int, o Options) *inference {
	f := &inference{work: w, net: net, state: net.NewState(n), profile: newProfiler(o)}
	for i, nd := range net.Nodes() {
		if layer.Fires(nd.Layer) {
			f.spiking = append(f.spiking, i)
		}
	}
	f.fired = make([]train.Rate, len(f.spiking))
	f.pass = net.Compile(pool, false).NewPass(network.Options{Pool: pool, Meter: f.profile.meter()})
	f.batch, f.encoder = w.feed(n)
	f.scores = make([]tensor.Float, n*net.OutputShape().Size())
	return f
}

// run runs the batch.
func (f *inference) run() error {
	if err := f.resetState(f.state, f.net, f.state.B); err != nil {
		return err
	}
	clear(f.scores)
	clear(f.fired)
	for t := 0; t < f.steps; t += f.window {
		f.encoder.Encode(&f.in, f.batch, nil, encode.Window{T0: t, T1: min(t+f.window, f.steps), Steps: f.steps})
		outs, err := f.pass.Forward(f.state, &f.in, false)
		if err != nil {
			return err
		}
		f.read(outs[0])
		f.count()
	}
	f.profile.batch()
	return nil
}

// restart begins a repeat.
func (f *inference) restart() error {
	f.profile.restart()
	return nil
}

// read adds the spikes of the output layer; a readout that never fires is read at
// its last step.
func (f *inference) read(out *signal.Signal) {
	n := len(f.scores)
	if out.Kind != signal.Spikes {
		copy(f.scores, out.Data[len(out.Data)-n:])
		return
	}
	out.Densify(&f.out)
	for i, s := range f.out.Data {
		f.scores[i%n] += s
	}
}

// count adds up how often the layers fired in the last window.
func (f *inference) count() {
	for i, node := range f.spiking {
		spikes, slots := f.pass.Spikes(node)
		f.fired[i].Spikes += spikes
		f.fired[i].Slots += slots
	}
}

// rates are the firing rates of the last run.
func (f *inference) rates() []float64 { return rates(train.Metrics{Rates: f.fired}) }

// loss is that of the scores of the last run; nil for a network without spikes
// at its output, which none is defined for here.
func (f *inference) loss() *float64 {
	if !layer.Fires(f.layers[len(f.layers)-1]) {
		return nil
	}
	// One step whose outputs are the counts.
	counts := signal.Signal{Kind: signal.Dense, T: 1, B: f.state.B, Shape: f.net.OutputShape(), Data: slices.Clone(f.scores)}
	v, err := loss.CountCrossEntropy{}.Eval(&loss.Call{Out: &counts, Target: &f.batch.Targets[0], Scores: f.scores})
	if err != nil {
		return nil
	}
	return &v
}

// inferNetwork times forward passes of a batch.
func inferNetwork(c Case, o Options) ([]Row, error) {
	net, r, err := c.prepare(o)
	if err != nil {
		return nil, err
	}
	pool := par.New(c.Threads)
	defer pool.Close()
	f := newInference(c.work, net, pool, c.work.batch, o)
	if err := f.run(); err != nil {
		return nil, err
	}
	r.FiringRate = f.rates()
	err = r.rate(o, float64(c.work.batch), f.restart, f.run)
	r.Profile = f.profile.profile(net)
	r.RateEnd, r.FinalLoss = f.rates(), f.loss()
	return c.judge(net, r, err)
}

// latency times single samples: the median of each repeat, in milliseconds.
func latency(c Case, o Options) ([]Row, error) {
	net, r, err := c.prepare(o)
	if err != nil {
		return nil, err
	}
	pool := par.New(c.Threads)
	defer pool.Close()
	f := newInference(c.work, net, pool, 1, o)
	if err := f.run(); err != nil {
		return nil, err
	}
	r.FiringRate = f.rates()
	r.Unit, r.Batch = "ms", 1
	var times, medians []float64
	err = r.each(o, f.restart, func() error {
		start := o.Now()
		err := f.run()
		times = append(times, 1e3*o.Now().Sub(start).Seconds())
		return err
	}, func(n int, _ float64) {
		own := times[len(times)-n:]
		slices.Sort(own)
		medians = append(medians, median(own))
	})
	r.Profile = f.profile.profile(net)
	r.statistics(medians)
	r.RateEnd = f.rates()
	return c.judge(net, r, err)
}
