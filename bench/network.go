package bench

import (
	"context"
	"fmt"
	"slices"

	"synfire/data"
	"synfire/encode"
	"synfire/internal/par"
	"synfire/layer"
	"synfire/loss"
	"synfire/network"
	"synfire/optim"
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
// time and the optimiser's step.
func trainNetwork(c Case, o Options) ([]Row, error) {
	net, r, err := c.prepare(o)
	if err != nil {
		return nil, err
	}
	pool := par.New(c.Threads)
	defer pool.Close()
	batch, encoder := c.work.feed(c.work.batch)
	learner, err := train.NewBPTT(train.BPTTConfig{
		Net: net, Steps: c.work.steps, Encoder: encoder, Loss: loss.CountCrossEntropy{},
		Optimizer: optim.Adam{LR: 1e-3}, Seed: seed, Pool: pool,
	})
	if err != nil {
		return nil, err
	}
	var last train.Metrics
	first := true
	err = r.rate(o, float64(c.work.batch), func() error {
		if last, err = learner.Step(context.Background(), batch); first {
			r.FiringRate, first = rates(last), false
		}
		return err
	})
	r.RateEnd = rates(last)
	final := last.Loss()
	r.FinalLoss = &final
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

// inference is a network that runs a batch, as one would in use: weights packed
// for the forward pass alone, and no membrane kept.
type inference struct {
	*work
	net     *network.Network
	pass    *network.Pass
	state   *network.State
	encoder encode.Encoder
	batch   *data.Batch
	in, out signal.Signal
	scores  []tensor.Float // [B, 10]: spike counts, or the last membranes
	spikes  []int          // of each layer of neurons
}

func newInference(w *work, net *network.Network, pool *par.Pool, n int) *inference {
	f := &inference{work: w, net: net, state: net.NewState(n), spikes: make([]int, len(neurons(net)))}
	f.pass = net.Compile(pool, false).NewPass(network.Options{Pool: pool})
	f.batch, f.encoder = w.feed(n)
	f.scores = make([]tensor.Float, n*net.OutputShape().Size())
	return f
}

// run runs the batch, with the spikes counted where wanted.
func (f *inference) run(count bool) error {
	if err := f.resetState(f.state, f.net, f.state.B); err != nil {
		return err
	}
	clear(f.scores)
	clear(f.spikes)
	for t := 0; t < f.steps; t += f.window {
		f.encoder.Encode(&f.in, f.batch.X, f.input, nil, t, min(t+f.window, f.steps))
		out, err := f.pass.Forward(f.state, &f.in, false)
		if err != nil {
			return err
		}
		f.read(out)
		if count {
			f.count()
		}
	}
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

func (f *inference) count() {
	i := 0
	for j, nd := range f.net.Nodes() {
		if _, ok := nd.Layer.(layer.Spiking); ok {
			out := f.pass.Output(j)
			f.spikes[i] += out.Raster.Count(0, out.Rows())
			i++
		}
	}
}

// rates runs the batch once more and returns the firing rates.
func (f *inference) rates() ([]float64, error) {
	err := f.run(true)
	values := []float64{}
	for i, s := range f.spikes {
		units := 0
		for _, nd := range f.net.Nodes() {
			if nd.Name == neurons(f.net)[i] {
				units = nd.Out.Size()
			}
		}
		values = append(values, float64(s)/float64(f.steps*f.state.B*units))
	}
	return values, err
}

// loss is that of the scores of the last run; nil for a network without spikes
// at its output, which none is defined for here.
func (f *inference) loss() *float64 {
	if _, ok := f.layers[len(f.layers)-1].(layer.Spiking); !ok {
		return nil
	}
	// One step whose outputs are the counts.
	counts := signal.Signal{Kind: signal.Dense, T: 1, B: f.state.B, Shape: f.net.OutputShape(), Data: slices.Clone(f.scores)}
	v, err := loss.CountCrossEntropy{}.Eval(nil, f.scores, &counts, f.batch.Labels)
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
	f := newInference(c.work, net, pool, c.work.batch)
	if r.FiringRate, err = f.rates(); err != nil {
		return nil, err
	}
	if err = r.rate(o, float64(c.work.batch), func() error { return f.run(false) }); err == nil {
		r.RateEnd, err = f.rates()
	}
	r.FinalLoss = f.loss()
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
	f := newInference(c.work, net, pool, 1)
	if r.FiringRate, err = f.rates(); err != nil {
		return nil, err
	}
	r.Unit, r.Batch = "ms", 1
	var times, medians []float64
	err = o.each(func() error {
		start := o.Now()
		err := f.run(false)
		times = append(times, 1e3*o.Now().Sub(start).Seconds())
		return err
	}, func(n int, _ float64) {
		own := times[len(times)-n:]
		slices.Sort(own)
		medians = append(medians, median(own))
	})
	r.statistics(medians)
	if err == nil {
		r.RateEnd, err = f.rates()
	}
	if err != nil {
		err = fmt.Errorf("bench: %s at one sample: %w", c.Workload, err)
	}
	return c.judge(net, r, err)
}
