package network

import (
	"synfire/signal"
	"synfire/tensor"
)

// State is what a network carries from one window of time to the next: the
// number of steps done and each stateful node's variables. It is a value that
// the caller holds; Forward advances it in place.
type State struct {
	Step  int // steps done so far
	B     int // samples
	nodes [][]tensor.Float
}

// NewState is the state of b samples before step 0.
func (n *Network) NewState(b int) *State {
	return &State{B: b, nodes: n.stateSlices(b)}
}

// Reset makes s the state of b samples before step 0, reusing its memory.
func (s *State) Reset(n *Network, b int) {
	s.Step, s.B = 0, b
	if len(s.nodes) != len(n.nodes) {
		s.nodes = make([][]tensor.Float, len(n.nodes))
	}
	for i, nd := range n.nodes {
		s.nodes[i] = tensor.Resize(s.nodes[i], nd.state*b)
		clear(s.nodes[i])
	}
}

// Clone is a deep copy: a point in time to come back to.
func (s *State) Clone() *State {
	c := &State{Step: s.Step, B: s.B, nodes: make([][]tensor.Float, len(s.nodes))}
	for i, v := range s.nodes {
		c.nodes[i] = append([]tensor.Float(nil), v...)
	}
	return c
}

// Node is the state of one node, [B × its variables] (nil for none).
func (s *State) Node(n *Network, name string) ([]tensor.Float, error) {
	i, err := n.index(name)
	if err != nil {
		return nil, err
	}
	return s.nodes[i], nil
}

func (n *Network) stateSlices(b int) [][]tensor.Float {
	v := make([][]tensor.Float, len(n.nodes))
	for i, nd := range n.nodes {
		v[i] = make([]tensor.Float, nd.state*b)
	}
	return v
}

// Adjoint is what Backward carries from one window to the one before it: the
// errors at the states, and the sums over time of the errors at constant
// signals, whose nodes run once, at step 0.
type Adjoint struct {
	states [][]tensor.Float
	edges  [][]signal.Signal // of node, of input
	spare  spares            // memory of errors that have been read
}

// release takes back the memory of an error that has been read.
func (a *Adjoint) release(e *signal.Signal) {
	a.spare.release(e)
	e.Kind = signal.Dense // a Constant one starts when it is next needed
}

// NewAdjoint is the zero adjoint of b samples, for the last window of a run.
func (n *Network) NewAdjoint(b int) *Adjoint {
	a := &Adjoint{}
	a.Reset(n, b)
	return a
}

// Reset makes a the zero adjoint of b samples, reusing its memory. To truncate
// backpropagation at a window's border, reset it there.
func (a *Adjoint) Reset(n *Network, b int) {
	if len(a.states) != len(n.nodes) {
		a.states = make([][]tensor.Float, len(n.nodes))
		a.edges = make([][]signal.Signal, len(n.nodes))
	}
	for i, nd := range n.nodes {
		a.states[i] = tensor.Resize(a.states[i], nd.state*b)
		clear(a.states[i])
		if len(a.edges[i]) != len(nd.in) {
			a.edges[i] = make([]signal.Signal, len(nd.in))
		}
		for k := range a.edges[i] {
			a.edges[i][k].Kind = signal.Dense // a Constant one starts when it is first needed
		}
	}
}

// din prepares the error of input k of node i, over t steps, for a signal like
// in. Where errors at constants are summed over time, the sum starts at zero.
func (a *Adjoint) din(i, k int, in *signal.Signal, t int, summed bool) *signal.Signal {
	e := &a.edges[i][k]
	if in.Kind != signal.Constant {
		a.spare.take(e, t*in.B*in.Units())
		e.Reset(signal.Dense, t, in.B, in.Shape)
		return e
	}
	started := e.Kind == signal.Constant
	if !started {
		a.spare.take(e, in.B*in.Units())
	}
	e.Reset(signal.Constant, t, in.B, in.Shape)
	if summed && !started {
		clear(e.Data)
	}
	return e
}
