package bench

import (
	"fmt"
	"math"

	"synfire/layer"
	"synfire/network"
	"synfire/signal"
	"synfire/tensor"
)

// Bounds of the rates of hidden layers.
const (
	lowest  = 0.02
	highest = 0.40
)

// Calibrate returns the factor of each layer of neurons: weights and bias of the
// layer that feeds it, multiplied by the factor, make it fire at the rate of the
// workload on its batch. It is nil for a case without neurons.
//
// The layers are done in order, each on the spikes of the one before. Scaling the
// weights scales the currents, so the product is computed once and only the
// neurons run again and again.
func (c Case) Calibrate() ([]float64, error) {
	if c.work == nil || c.work.rate == 0 {
		return nil, nil
	}
	net, err := c.work.network(nil)
	if err != nil {
		return nil, err
	}
	factors, err := calibrate(net, c.work)
	if err != nil {
		return nil, fmt.Errorf("bench: calibrate %s: %w", c.work.name, err)
	}
	return factors, nil
}

func calibrate(net *network.Network, w *work) (factors []float64, err error) {
	packed := net.Compile(nil, false)
	x := w.signal(w.batch)
	want := len(neurons(net))
	for _, nd := range net.Nodes() {
		if !layer.Fires(nd.Layer) {
			if x, err = packed.Eval(nd.Name, []*signal.Signal{x}, nil); err != nil {
				return nil, err
			}
			continue
		}
		var f float64
		if f, x, err = fit(packed, nd, x, w); err != nil {
			return nil, err
		}
		if factors = append(factors, f); len(factors) == want {
			break
		}
	}
	return factors, nil
}

// fit finds the factor of the currents x at which a layer fires at the rate of
// the workload, and its spikes there: by bisection of the factor's logarithm,
// from 1/64 to 64.
func fit(packed *network.Compiled, nd network.Info, x *signal.Signal, w *work) (float64, *signal.Signal, error) {
	var scaled signal.Signal
	scaled.Reset(x.Kind, x.T, x.B, x.Shape)
	size := 0 // of a sample's state, which begins with the membranes
	if l, ok := nd.Layer.(layer.Stateful); ok {
		size = l.StateSize(x.Shape)
	}
	state := make([]tensor.Float, x.B*size)
	lo, hi := -6.0, 6.0
	for range 24 {
		f := math.Exp2((lo + hi) / 2)
		for i, v := range x.Data {
			scaled.Data[i] = tensor.Float(f) * v
		}
		clear(state)
		for i := range state {
			if i%size < x.Units() {
				state[i] = tensor.Float(w.start)
			}
		}
		out, err := packed.Eval(nd.Name, []*signal.Signal{&scaled}, state)
		if err != nil {
			return 0, nil, err
		}
		switch rate := out.Density(); {
		case math.Abs(rate-w.rate) <= 0.01*w.rate:
			return f, out, nil
		case rate < w.rate:
			lo = (lo + hi) / 2
		default:
			hi = (lo + hi) / 2
		}
	}
	return 0, nil, fmt.Errorf("no factor makes %s fire at %g %%; use a larger batch", nd.Name, 100*w.rate)
}

// checkRates returns an error where a hidden layer fires too little or too much
// for the row to mean anything.
func checkRates(net *network.Network, when string, rates []float64) error {
	nodes := net.Nodes()
	for i, name := range neurons(net) {
		hidden := name != nodes[len(nodes)-1].Name
		if r := rates[i]; hidden && !(r >= lowest && r <= highest) {
			return fmt.Errorf("%s fires at %.1f %% at the %s, want %g to %g %%", name, 100*r, when, 100*lowest, 100*highest)
		}
	}
	return nil
}
