package bench

import (
	"fmt"
	"slices"
	"strings"

	"synfire/encode"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/network"
	"synfire/sample"
	"synfire/signal"
	"synfire/spike"
	"synfire/tensor"
)

// work is a network and what it is fed.
type work struct {
	name    string
	shape   string
	input   tensor.Shape
	layers  []layer.Layer
	steps   int
	batch   int
	window  int     // steps that inference holds in memory at once
	density float64 // share of the inputs that are not zero
	events  bool    // binary, other ones at each step; else uniform and constant
	rate    float64 // that layers are calibrated to
	start   float64 // membranes before step 0
}

const seed = 1

// network draws the weights and multiplies those of each layer of neurons by its
// factor.
func (w *work) network(factors []float64) (*network.Network, error) {
	net, err := network.Sequential(w.input, seed, w.layers...)
	if err != nil {
		return nil, fmt.Errorf("bench: %s: %w", w.name, err)
	}
	feeders := feeders(net)
	if factors != nil && len(factors) != len(feeders) {
		return nil, fmt.Errorf("bench: %s: %d factors for %d layers of neurons; take those of Calibrate", w.name, len(factors), len(feeders))
	}
	for i, f := range factors {
		scale(feeders[i], f)
	}
	return net, nil
}

// feeders are, for each layer of neurons, the parameters that feed it.
func feeders(net *network.Network) (params [][]tensor.Param) {
	var last []tensor.Param
	for _, nd := range net.Nodes() {
		if len(nd.Params) > 0 {
			last = nd.Params
		}
		if layer.Fires(nd.Layer) {
			params = append(params, last)
		}
	}
	return params
}

func scale(params []tensor.Param, f float64) {
	for _, p := range params {
		for i := range p.Value.Data {
			p.Value.Data[i] *= tensor.Float(f)
		}
	}
}

// neurons are the names of the layers of neurons.
func neurons(net *network.Network) (names []string) {
	for _, nd := range net.Nodes() {
		if layer.Fires(nd.Layer) {
			names = append(names, nd.Name)
		}
	}
	return names
}

// newBatch is a batch whose samples are still to come.
func newBatch(shape tensor.Shape) *sample.Batch {
	digits := strings.Split("0123456789", "")
	b := &sample.Batch{}
	b.Reset(&sample.Spec{Shape: shape, Targets: []sample.Field{{Name: sample.Label, Kind: sample.Class, Classes: digits}}}, 0)
	return b
}

// feed draws the inputs and labels of n samples.
func (w *work) feed(n int) (*sample.Batch, encode.Encoder) {
	src := rng.New(seed, "bench").Str(w.name).Source()
	b := newBatch(w.input)
	for i := range n {
		b.Index = append(b.Index, i)
		b.Targets[0].Add(sample.Target{Class: src.IntN(10)})
	}
	if w.events {
		return b, drawEvents(src, w.steps, n, w.input, w.density)
	}
	b.X = make([]tensor.Float, n*w.input.Size())
	for i := range b.X {
		if src.Float64() < w.density {
			b.X[i] = tensor.Float(src.Float64())
		}
	}
	return b, encode.Constant{}
}

// events is an encoder that plays a recording, whatever the samples are.
type events struct {
	raster spike.Raster
	batch  int
}

func drawEvents(src *rng.Source, steps, batch int, shape tensor.Shape, density float64) events {
	e := events{spike.NewRaster(steps*batch, shape.Size()), batch}
	for r := range e.raster.Rows {
		for u := range e.raster.Units {
			if src.Float64() < density {
				e.raster.Set(r, u)
			}
		}
	}
	return e
}

// Validate always succeeds.
func (events) Validate() error { return nil }

// Plan takes any samples.
func (events) Plan(spec sample.Spec) (tensor.Shape, int, error) { return spec.Shape, 0, nil }

// Encode shares the recording's rows with dst.
func (e events) Encode(dst *signal.Signal, in *sample.Batch, _ []rng.Key, at encode.Window) {
	r := e.raster
	r.Bits = r.Bits[at.T0*e.batch*r.Words : at.T1*e.batch*r.Words]
	r.Rows = (at.T1 - at.T0) * e.batch
	*dst = signal.Signal{Kind: signal.Spikes, T: at.T1 - at.T0, B: e.batch, Shape: in.Spec.Shape, Raster: r}
}

// signal is the input of all steps.
func (w *work) signal(n int) *signal.Signal {
	b, e := w.feed(n)
	in := &signal.Signal{}
	e.Encode(in, b, nil, encode.Window{T1: w.steps, Steps: w.steps})
	return in
}

// newState is the state before step 0.
func (w *work) newState(net *network.Network, n int) (*network.State, error) {
	st := net.NewState(n)
	return st, w.resetState(st, net, n)
}

func (w *work) resetState(st *network.State, net *network.Network, n int) error {
	st.Reset(net, n)
	if w.start == 0 {
		return nil
	}
	for _, name := range neurons(net) {
		v, err := st.Node(net, name)
		if err != nil {
			return err
		}
		copy(v, slices.Repeat([]tensor.Float{tensor.Float(w.start)}, len(v)))
	}
	return nil
}
