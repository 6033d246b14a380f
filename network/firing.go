package network

import "synfire/signal"

// Firing has a say in the spikes of nodes within a network, for terms of an
// objective such as bounds on firing rates.
type Firing interface {
	// Fired is told in Forward of the spikes of a node in steps that follow
	// those of its last call: bits, or graded ones as Dense whole numbers.
	Fired(node int, spikes *signal.Signal)
	// Errors may add to the errors at a node's spikes, Dense [T, B, …], before
	// Backward uses them, with later steps before earlier ones. At an output
	// that no node takes these can be the elements that Backward was given.
	Errors(node int, errors *signal.Signal)
}

// SetFiring lets f take part in the coming calls of Forward and Backward; nil,
// as at the start, is nobody.
func (p *Pass) SetFiring(f Firing) { p.firing = f }

// Watch shows f what each node gives in the coming calls of Forward, a chunk of time after
// another; what is constant and was not computed again is not shown again. f must not keep
// the signal. nil, as at the start, is nobody.
func (p *Pass) Watch(f func(node int, out *signal.Signal)) { p.watch = f }
