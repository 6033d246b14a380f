package network

import (
	"fmt"

	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/signal"
	"synfire/tensor"
)

// Compiled is a snapshot of a network's weights, packed for products. Refresh
// it after the parameters have changed; until then it must not be used.
type Compiled struct {
	net     *Network
	train   bool
	weights []any
	version int
}

// Compile packs the weights; for inference alone, leave train false.
func (n *Network) Compile(pool *par.Pool, train bool) *Compiled {
	c := &Compiled{net: n, train: train, weights: make([]any, len(n.nodes))}
	c.Refresh(pool)
	return c
}

// Refresh packs the parameters' current values into the same memory.
func (c *Compiled) Refresh(pool *par.Pool) {
	c.version++
	for i, nd := range c.net.nodes {
		if w, ok := nd.Layer.(layer.Weighted); ok {
			c.weights[i] = w.Compile(c.weights[i], pool, c.net.values(i), c.train, nd.inShapes...)
		}
	}
}

// Network is the network that was compiled.
func (c *Compiled) Network() *Network { return c.net }

func (n *Network) values(i int) []tensor.Tensor {
	nd := n.nodes[i]
	var v []tensor.Tensor
	for _, p := range n.params[nd.param0:nd.param1] {
		v = append(v, p.Value)
	}
	return v
}

// Options of a Pass. The zero value runs on one goroutine.
type Options struct {
	Pool *par.Pool
	Path layer.Path // how spikes are multiplied; the bits are the same
	Soft layer.Soft // soft spikes, to check gradients

	Training []rng.Key // as given to SetTraining
}

// Pass owns the working memory to run a network on one goroutine (and the
// threads of its pool), and reuses it from call to call. What it returns is
// valid until its next call.
type Pass struct {
	c       *Compiled
	o       Options
	workers []layer.Worker
	nodes   []nodeMemory
	t0      int // start of the last window
	kept    bool
	trained bool
	// Constant signals belong to this input and these weights.
	constant        *tensor.Float
	constantVersion int
}

// nodeMemory is a node's part of a Pass.
type nodeMemory struct {
	call    layer.Call
	out     signal.Signal
	scratch layer.Scratch
	dense   []signal.Signal // inputs converted for a layer that needs Dense
	dout    signal.Signal   // sum of the consumers' errors, where there are several
	ddense  []signal.Signal // errors of repeated inputs
}

// NewPass makes a Pass over compiled weights.
func (c *Compiled) NewPass(o Options) *Pass {
	p := &Pass{c: c, o: o, workers: make([]layer.Worker, o.Pool.Threads()), nodes: make([]nodeMemory, len(c.net.nodes))}
	for i, nd := range c.net.nodes {
		m := &p.nodes[i]
		k := len(nd.in)
		m.dense, m.ddense = make([]signal.Signal, k), make([]signal.Signal, k)
		m.call = layer.Call{
			Pool: o.Pool, Workers: p.workers, Path: o.Path,
			Scratch: &m.scratch, Params: c.net.values(i),
			In: make([]*signal.Signal, k), Out: &m.out,
			DIn: make([]*signal.Signal, k), DParams: make([][]tensor.Float, nd.param1-nd.param0),
			Node: nd.Name, Buffers: c.net.bufferValues(i),
		}
		m.call.Stats = newStats(m.call.Buffers)
	}
	return p
}

// SetSoft switches between real and soft spikes.
func (p *Pass) SetSoft(s layer.Soft) { p.o.Soft = s }

// Forward runs the window of in.T steps that starts at st.Step and advances
// st. in is Constant, Spikes or Dense, of the network's input shape; within
// one run (st.Step > 0) a Constant in that stands in the same memory is taken
// to be unchanged, and what follows from it alone is not computed again. With
// keep, Backward can follow. It returns the output of the last node.
func (p *Pass) Forward(st *State, in *signal.Signal, keep bool) (*signal.Signal, error) {
	net := p.c.net
	if err := in.Check(net.input); err != nil {
		return nil, fmt.Errorf("network.Forward: input: %w", err)
	}
	if st.B != in.B || len(st.nodes) != len(net.nodes) {
		return nil, fmt.Errorf("network.Forward: state of %d samples, input of %d: make the state with NewState(%d)", st.B, in.B, in.B)
	}
	if p.o.Training != nil && len(p.o.Training) != in.B {
		return nil, fmt.Errorf("network.Forward: training keys of %d samples, input of %d: give SetTraining one key a sample", len(p.o.Training), in.B)
	}
	reuse := p.reuseConstant(st, in)
	p.t0, p.kept, p.trained = st.Step, keep, p.o.Training != nil
	for i := range net.nodes {
		if m := &p.nodes[i]; reuse && m.out.Kind == signal.Constant {
			m.out.T = in.T
			continue
		}
		p.forwardNode(i, st, in, keep)
	}
	st.Step += in.T
	return &p.nodes[len(net.nodes)-1].out, nil
}

// reuseConstant reports whether constant signals of the last call still hold.
func (p *Pass) reuseConstant(st *State, in *signal.Signal) bool {
	if in.Kind != signal.Constant {
		p.constant = nil
		return false
	}
	same := st.Step > 0 && p.constant == &in.Data[0] && p.constantVersion == p.c.version && p.nodes[0].out.B == in.B
	p.constant, p.constantVersion = &in.Data[0], p.c.version
	return same
}

func (p *Pass) forwardNode(i int, st *State, in *signal.Signal, keep bool) {
	nd, m := &p.c.net.nodes[i], &p.nodes[i]
	for k, j := range nd.in {
		s := in
		if j != inputNode {
			s = &p.nodes[j].out
		}
		m.call.In[k] = convert(nd.Layer, s, &m.dense[k])
	}
	m.call.Keep, m.call.Soft = keep, p.o.Soft
	m.call.Train, m.call.Keys = p.o.Training != nil, p.o.Training
	m.call.Weights, m.call.State = p.c.weights[i], st.nodes[i]
	nd.Layer.Forward(&m.call)
}

// convert gives a layer a signal that it accepts.
func convert(l layer.Layer, s, dense *signal.Signal) *signal.Signal {
	if layer.Accepts(l, s.Kind) {
		return s
	}
	if s.Kind != signal.Constant {
		s.Densify(dense)
		return dense
	}
	dense.Reset(signal.Dense, s.T, s.B, s.Shape)
	for t := range s.T {
		copy(dense.Data[t*len(s.Data):], s.Data)
	}
	return dense
}

// Backward runs back through the window of the last Forward, which must have
// been told to keep. dout is the error at its output: Dense [T, B, …], or
// Constant (the sum over all time, given with the window of step 0) where the
// output is. Gradients are added to grads; adj carries on to the window before.
func (p *Pass) Backward(adj *Adjoint, dout *signal.Signal, grads Grads) error {
	net := p.c.net
	last := len(net.nodes) - 1
	out := &p.nodes[last].out
	switch {
	case !p.kept || !p.c.train:
		return fmt.Errorf("network.Backward: compile for training and call Forward with keep first")
	case len(grads) != len(net.params):
		return fmt.Errorf("network.Backward: %d gradients for %d parameters: make them with NewGrads", len(grads), len(net.params))
	case dout.Kind == signal.Spikes || out.Kind == signal.Constant && dout.Kind != signal.Constant:
		return fmt.Errorf("network.Backward: the error at a %v output cannot be %v", out.Kind, dout.Kind)
	case dout.Rows() != out.Rows() || len(dout.Data) != out.Rows()*out.Units():
		return fmt.Errorf("network.Backward: error of %d rows for an output of %d rows of %v", dout.Rows(), out.Rows(), out.Shape)
	}
	for i := last; i >= 0; i-- {
		nd, m := &net.nodes[i], &p.nodes[i]
		if !nd.learns || m.out.Kind == signal.Constant && p.t0 > 0 {
			continue // a constant's errors are summed until step 0 is reached
		}
		m.call.DOut = dout
		if i != last {
			m.call.DOut = p.sumConsumers(i, adj)
		}
		p.backwardNode(i, adj, grads)
	}
	return nil
}

// sumConsumers is the error at a node's output: that of its one consumer, or
// the sum over its consumers in order.
func (p *Pass) sumConsumers(i int, adj *Adjoint) *signal.Signal {
	cs := p.c.net.nodes[i].consumers
	first := &adj.edges[cs[0].node][cs[0].k]
	if len(cs) == 1 {
		return first
	}
	sum := &p.nodes[i].dout
	sum.Reset(first.Kind, first.T, first.B, first.Shape)
	copy(sum.Data, first.Data)
	for _, e := range cs[1:] {
		for j, g := range adj.edges[e.node][e.k].Data {
			sum.Data[j] += g
		}
	}
	return sum
}

func (p *Pass) backwardNode(i int, adj *Adjoint, grads Grads) {
	nd, m := &p.c.net.nodes[i], &p.nodes[i]
	m.call.DState = adj.states[i]
	copy(m.call.DParams, grads[nd.param0:nd.param1])
	for k, j := range nd.in {
		m.call.DIn[k] = nil
		if j == inputNode || !p.c.net.nodes[j].learns {
			continue
		}
		s := &p.nodes[j].out
		m.call.DIn[k] = adj.din(i, k, s, nd.stateful)
		if s.Kind == signal.Constant && m.call.In[k] == &m.dense[k] { // repeated for the layer
			m.ddense[k].Reset(signal.Dense, s.T, s.B, s.Shape)
			m.call.DIn[k] = &m.ddense[k]
		}
	}
	nd.Layer.Backward(&m.call)
	for k := range nd.in {
		if m.call.DIn[k] == &m.ddense[k] {
			sumTime(&adj.edges[i][k], &m.ddense[k])
		}
	}
}

// sumTime adds the steps of d to the constant dst, last step first.
func sumTime(dst, d *signal.Signal) {
	n := len(dst.Data)
	for t := d.T - 1; t >= 0; t-- {
		for i, g := range d.Data[t*n:][:n] {
			dst.Data[i] += g
		}
	}
}

// Output is the signal of a node in the last window, by index into Nodes.
func (p *Pass) Output(i int) *signal.Signal { return &p.nodes[i].out }

// Eval runs one node alone on one goroutine, on inputs of the shapes that it
// has in the network, and advances its state (nil where it has none). It is
// for work on a network node by node, such as conversion.
func (c *Compiled) Eval(name string, in []*signal.Signal, state []tensor.Float) (*signal.Signal, error) {
	i, err := c.net.index(name)
	if err != nil {
		return nil, fmt.Errorf("network.Eval: %w", err)
	}
	nd := &c.net.nodes[i]
	if len(in) != len(nd.in) {
		return nil, fmt.Errorf("network.Eval: node %q takes %d inputs, found %d", name, len(nd.in), len(in))
	}
	call := layer.Call{
		Workers: make([]layer.Worker, 1), Weights: c.weights[i], Params: c.net.values(i),
		State: state, Scratch: &layer.Scratch{}, Out: &signal.Signal{},
		Node: name, Buffers: c.net.bufferValues(i),
	}
	for k, s := range in {
		if err := s.Check(nd.inShapes[k]); err != nil {
			return nil, fmt.Errorf("network.Eval: node %q, input %d: %w", name, k, err)
		}
		if s.B != in[0].B || s.T != in[0].T {
			return nil, fmt.Errorf("network.Eval: node %q: input %d has %d steps and %d samples, input 0 %d and %d", name, k, s.T, s.B, in[0].T, in[0].B)
		}
		call.In = append(call.In, convert(nd.Layer, s, &signal.Signal{}))
	}
	if want := nd.state * in[0].B; len(state) != want {
		return nil, fmt.Errorf("network.Eval: node %q: %d state variables, want %d", name, len(state), want)
	}
	nd.Layer.Forward(&call)
	return call.Out, nil
}
