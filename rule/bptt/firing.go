package bptt

import (
	"math/bits"

	"synfire/layer"
	"synfire/loss"
	"synfire/network"
	"synfire/signal"
	"synfire/tensor"
)

// firing evaluates the regularizers of a learner: it counts the spikes of each
// unit on the way forward, and adds the errors on the way back. A nil one does
// nothing.
type firing struct {
	regularizers []loss.Regularizer
	nodes        []unitCounts // of all nodes, empty but for spiking ones
	counting     bool
}

// unitCounts are a node's spikes over time, and the errors at them, [B, N].
type unitCounts struct{ spikes, errors []tensor.Float }

// newFiring is nil where there is nothing to do.
func newFiring(net *network.Network, regularizers []loss.Regularizer) *firing {
	if len(regularizers) == 0 {
		return nil
	}
	return &firing{regularizers: regularizers, nodes: make([]unitCounts, len(net.Nodes()))}
}

// start begins the count for a batch.
func (f *firing) start(net *network.Network, b int) {
	if f == nil {
		return
	}
	f.counting = true
	for i, nd := range net.Nodes() {
		if layer.Fires(nd.Layer) {
			u := &f.nodes[i]
			u.spikes = tensor.Resize(u.spikes, b*nd.Out.Size())
			u.errors = tensor.Resize(u.errors, b*nd.Out.Size())
			clear(u.spikes)
			clear(u.errors)
		}
	}
}

// finish ends the count and returns the value of the regularizers.
func (f *firing) finish(b, steps int) (value float64) {
	if f == nil {
		return 0
	}
	f.counting = false // windows that run again count once
	for _, u := range f.nodes {
		for _, r := range f.regularizers {
			if len(u.spikes) > 0 {
				value += r.Penalty(u.errors, u.spikes, b, steps)
			}
		}
	}
	return value
}

// Fired counts, of graded spikes those taken back against the others.
func (f *firing) Fired(node int, s *signal.Signal) {
	u := f.nodes[node].spikes
	if !f.counting || len(u) == 0 {
		return
	}
	n := s.Units()
	for r := range s.Rows() {
		counts := u[r%s.B*n:][:n]
		if s.Kind == signal.Dense {
			for i, q := range s.Data[r*n:][:n] {
				counts[i] += q
			}
			continue
		}
		for i, w := range s.Raster.Row(r) {
			for ; w != 0; w &= w - 1 {
				counts[64*i+bits.TrailingZeros64(w)]++
			}
		}
	}
}

// Errors adds the errors of the regularizers, which are the same at each step.
func (f *firing) Errors(node int, d *signal.Signal) {
	errors := f.nodes[node].errors
	for t := 0; len(errors) > 0 && t < d.T; t++ {
		for i, g := range errors {
			d.Data[t*len(errors)+i] += g
		}
	}
}
