package network

import (
	"fmt"

	"synfire/internal/kernel"
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
	// Chunk is the steps that layers are run over at once, 0 for as many as a
	// cache holds. The bits are the same; memory for currents and errors, which
	// nobody reads later, is that of a chunk.
	Chunk int
	Meter Meter // nil: nobody asks what the nodes do

	Training []rng.Key // as given to SetTraining
}

// Meter is told what nodes do, to profile a network. The kernels of a node
// start and stop between the start and the stop of its whole turn, which is
// called "forward" or "backward".
type Meter interface {
	Start(node int, kernel string)
	Stop(node int, w layer.Work)
}

// nodeMeter is the Meter as a node's layer sees it.
type nodeMeter struct {
	meter Meter
	node  int
}

func (m nodeMeter) Start(kernel string) { m.meter.Start(m.node, kernel) }
func (m nodeMeter) Stop(w layer.Work)   { m.meter.Stop(m.node, w) }

// Pass owns the working memory to run a network on one goroutine (and the
// threads of its pool), and reuses it from call to call. What it returns is
// valid until its next call.
type Pass struct {
	c       *Compiled
	o       Options
	workers []layer.Worker
	temp    layer.Temp
	nodes   []nodeMemory
	inputs  []signal.Signal // the chunks of the last window's input
	outputs []outputMemory
	outs    []*signal.Signal // what Forward returned
	t0      int              // start of the last window
	kept    bool
	trained bool
	firing  Firing // nil: nobody
	// Constant signals belong to this input and these weights.
	constant        *tensor.Float
	constantVersion int
}

// nodeMemory is a node's part of a Pass.
type nodeMemory struct {
	call     layer.Call
	lasting  bool          // its output is read in Backward; spikes are kept anyway
	again    bool          // where its input is spikes, its output is computed again for Backward
	holds    int           // the chunk whose output it then holds
	takes    bool          // it may exchange the memory of its input
	overlays bool          // its error may be written over that of its output
	chunks   []chunkMemory // one that serves all where nothing is kept
	spikes   int           // of the last window
	slots    int
	dout     signal.Signal   // sum of the errors at its output, where there are several
	ddense   []signal.Signal // errors of repeated inputs
}

// outputMemory is an output's part of a Pass.
type outputMemory struct {
	joined   signal.Signal // the chunks of the last window
	constant signal.Signal // a Constant's, for all steps of it
	error    signal.Signal // the chunk of what Backward was given
}

// chunkMemory is what a node holds of one chunk of time.
type chunkMemory struct {
	out     signal.Signal
	dense   []signal.Signal // inputs converted for a layer that needs Dense
	scratch layer.Scratch
}

// NewPass makes a Pass over compiled weights.
func (c *Compiled) NewPass(o Options) *Pass {
	nodes := c.net.nodes
	p := &Pass{c: c, o: o, workers: make([]layer.Worker, o.Pool.Threads()), nodes: make([]nodeMemory, len(nodes))}
	p.outputs, p.outs = make([]outputMemory, len(c.net.outputs)), make([]*signal.Signal, len(c.net.outputs))
	for i := len(nodes) - 1; i >= 0; i-- {
		nd, m := &nodes[i], &p.nodes[i]
		k := len(nd.in)
		m.ddense = make([]signal.Signal, k)
		m.call = layer.Call{
			Fixed:  c.fixed(i, o.Pool),
			Mode:   layer.Mode{Path: o.Path},
			Chunk:  layer.Chunk{In: make([]*signal.Signal, k), DIn: make([]*signal.Signal, k), DParams: make([][]tensor.Float, nd.param1-nd.param0)},
			Memory: layer.Memory{Temp: &p.temp, Workers: p.workers},
		}
		m.call.Stats = newStats(m.call.Buffers)
		if o.Meter != nil {
			m.call.Meter = nodeMeter{o.Meter, i}
		}
		m.lasting = nd.terminal()
		viewed := false // then what is computed again would be seen in its place
		for _, e := range nd.consumers {
			l := nodes[e.node].Layer
			viewed = viewed || layer.IsView(l)
			m.lasting = m.lasting || !layer.Forgets(l) || layer.IsView(l) && p.nodes[e.node].lasting
		}
		if k == 1 && nd.in[0] != inputNode {
			from := &nodes[nd.in[0]]
			m.takes = len(from.consumers) == 1 && len(from.outputs) == 0 && !layer.IsView(from.Layer)
		}
		m.overlays = k == 1 && !nd.terminal() && (layer.IsElementWise(nd.Layer) || layer.IsView(nd.Layer))
		m.again = k == 1 && nd.in[0] != inputNode && layer.IsCheap(nd.Layer) && !viewed
	}
	return p
}

// fixed is what a call of node i knows of it.
func (c *Compiled) fixed(i int, pool *par.Pool) layer.Fixed {
	nd := &c.net.nodes[i]
	return layer.Fixed{Node: nd.Name, Shape: nd.out, Pool: pool, Params: c.net.values(i), Buffers: c.net.bufferValues(i), Weights: c.weights[i]}
}

// SetSoft switches between real and soft spikes.
func (p *Pass) SetSoft(s layer.Soft) { p.o.Soft = s }

// chunkBytes is the size that the largest signal of a chunk should have: a few
// of them fit a last-level cache.
const chunkBytes = 12 << 20

// chunkSteps is the number of steps of a chunk, of in.T.
func (p *Pass) chunkSteps(in *signal.Signal) int {
	if _, whole := p.c.net.WholeTime(p.o.Training != nil); whole || p.o.Soft != layer.Hard {
		return in.T
	}
	if p.o.Chunk > 0 {
		return min(p.o.Chunk, in.T)
	}
	return p.c.net.chunkSteps(in.T, in.B)
}

// chunkSteps is the number of steps of a chunk of t steps of b samples, where
// nothing stands against cutting.
func (n *Network) chunkSteps(t, b int) int {
	units := 1
	for _, nd := range n.nodes {
		units = max(units, nd.out.Size())
	}
	most := max(1, chunkBytes/(4*units*b))
	chunks := (t + most - 1) / most
	return (t + chunks - 1) / chunks
}

// Forward runs the window of in.T steps that starts at st.Step and advances
// st. in is Constant, Spikes or Dense, of the network's input shape, and is
// read again by Backward; within one run (st.Step > 0) a Constant in that stands
// in the same memory is taken to be unchanged, and what follows from it alone is
// not computed again. With keep, Backward can follow. It returns a signal for
// each of the network's outputs, in their order.
func (p *Pass) Forward(st *State, in *signal.Signal, keep bool) ([]*signal.Signal, error) {
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
	steps := p.chunkSteps(in)
	p.inputs = p.inputs[:0]
	for t := 0; t < in.T; t += steps {
		p.inputs = append(p.inputs, in.Window(t, min(t+steps, in.T)))
	}
	for i := range p.nodes {
		m := &p.nodes[i]
		m.spikes, m.slots = 0, 0
		for len(m.chunks) < len(p.inputs) {
			m.chunks = append(m.chunks, chunkMemory{dense: make([]signal.Signal, len(m.call.In))})
		}
	}
	for k := range p.inputs {
		for i := range net.nodes {
			if out := &p.nodes[i].chunks[0].out; (reuse || k > 0) && out.Kind == signal.Constant {
				out.T = p.inputs[k].T
				continue
			}
			p.forwardNode(i, k, st)
		}
		for o := range p.outputs {
			p.join(o, k, in.T)
		}
	}
	for o := range p.outputs {
		p.outs[o] = p.output(o, in.T)
	}
	st.Step += in.T
	return p.outs, nil
}

// reuseConstant reports whether constant signals of the last call still hold.
func (p *Pass) reuseConstant(st *State, in *signal.Signal) bool {
	if in.Kind != signal.Constant {
		p.constant = nil
		return false
	}
	first := p.nodes[0].chunks
	same := st.Step > 0 && p.constant == &in.Data[0] && p.constantVersion == p.c.version && len(first) > 0 && first[0].out.B == in.B
	p.constant, p.constantVersion = &in.Data[0], p.c.version
	return same
}

// memory is where node i holds its output of chunk k, and its scratch.
func (p *Pass) memory(i, k int) (out *signal.Signal, own *chunkMemory) {
	m := &p.nodes[i]
	if !p.kept || m.chunks[0].out.Kind == signal.Constant && k > 0 {
		return &m.chunks[0].out, &m.chunks[0]
	}
	if (!m.lasting || p.recomputes(i)) && m.chunks[0].out.Kind != signal.Spikes {
		return &m.chunks[0].out, &m.chunks[k]
	}
	return &m.chunks[k].out, &m.chunks[k]
}

// recomputes reports whether the output of node i, which a Backward reads, is
// computed again for it rather than kept.
func (p *Pass) recomputes(i int) bool {
	m := &p.nodes[i]
	return m.again && p.nodes[p.c.net.nodes[i].in[0]].chunks[0].out.Kind == signal.Spikes
}

// bind points the call of node i at the signals and memory of chunk k.
func (p *Pass) bind(i, k int) *layer.Call {
	nd, c := &p.c.net.nodes[i], &p.nodes[i].call
	out, own := p.memory(i, k)
	c.Out, c.Scratch = out, &own.scratch
	c.First, c.Before, c.Chunks = &p.nodes[i].chunks[0].scratch, k*p.inputs[0].T, len(p.inputs)
	for j, from := range nd.in {
		s := &p.inputs[k]
		if from != inputNode {
			s, _ = p.memory(from, k)
		}
		if !layer.Accepts(nd.Layer, s.Kind) {
			s = &own.dense[j]
		}
		c.In[j] = s
	}
	return c
}

func (p *Pass) forwardNode(i, k int, st *State) {
	nd, m := &p.c.net.nodes[i], &p.nodes[i]
	if p.o.Meter != nil {
		p.o.Meter.Start(i, "forward")
		defer p.o.Meter.Stop(i, layer.Work{})
	}
	if k == 0 {
		m.chunks[0].out.Kind = signal.Dense // until the layer says otherwise
	}
	c := p.bind(i, k)
	for j, from := range nd.in {
		s := &p.inputs[k]
		if from != inputNode {
			s, _ = p.memory(from, k)
		}
		if c.In[j] != s {
			densify(c.In[j], s)
		}
	}
	c.Keep, c.Soft = p.kept, p.o.Soft
	c.Train, c.Keys = p.o.Training != nil, p.o.Training
	c.TakeIn = m.takes && c.In[0].Kind == signal.Dense
	c.Weights, c.State = p.c.weights[i], st.nodes[i]
	nd.Layer.Forward(c)
	m.holds = k
	if c.Out.Kind == signal.Spikes {
		m.spikes += c.Out.Raster.Count(0, c.Out.Rows())
		m.slots += c.Out.Rows() * c.Out.Units()
		if p.firing != nil {
			p.firing.Fired(i, c.Out)
		}
	}
}

// join adds chunk k of output o to the window's.
func (p *Pass) join(o, k, steps int) {
	s, _ := p.memory(p.c.net.outNodes[o], k)
	if len(p.inputs) == 1 || s.Kind == signal.Constant {
		return
	}
	out := &p.outputs[o].joined
	if k == 0 {
		out.Reset(s.Kind, steps, s.B, s.Shape)
	}
	row := k * p.inputs[0].T * s.B
	if s.Kind == signal.Spikes {
		copy(out.Raster.Bits[row*out.Raster.Words:], s.Raster.Bits)
		return
	}
	copy(out.Data[row*s.Units():], s.Data)
}

// output is output o of a window of so many steps.
func (p *Pass) output(o, steps int) *signal.Signal {
	s, m := &p.nodes[p.c.net.outNodes[o]].chunks[0].out, &p.outputs[o]
	switch {
	case len(p.inputs) == 1:
		return s
	case s.Kind == signal.Constant:
		m.constant = *s
		m.constant.T = steps
		return &m.constant
	}
	return &m.joined
}

// densify writes s to dst as Dense, a Constant repeated.
func densify(dst, s *signal.Signal) {
	if s.Kind != signal.Constant {
		s.Densify(dst)
		return
	}
	dst.Reset(signal.Dense, s.T, s.B, s.Shape)
	for t := range s.T {
		copy(dst.Data[t*len(s.Data):], s.Data)
	}
}

// Backward runs back through the window of the last Forward, which must have
// been told to keep. douts has the error at each output, in their order: Dense
// [T, B, …], or Constant (the sum over all time, given with the window of step 0)
// where the output is, or nil for none. Where other nodes take an output too, its
// error is the sum. Gradients are added to grads; adj carries on to the window
// before.
func (p *Pass) Backward(adj *Adjoint, douts []*signal.Signal, grads Grads) error {
	net := p.c.net
	if err := p.checkErrors(douts, grads); err != nil {
		return fmt.Errorf("network.Backward: %w", err)
	}
	t1 := 0
	for k := range p.inputs {
		t1 += p.inputs[k].T
	}
	for k := len(p.inputs) - 1; k >= 0; k-- {
		t0 := t1 - p.inputs[k].T
		for o, d := range douts {
			if d != nil {
				p.outputs[o].error = d.Window(t0, t1)
			}
		}
		for i := len(net.nodes) - 1; i >= 0; i-- {
			m := &p.nodes[i]
			if !net.nodes[i].learns || m.chunks[0].out.Kind == signal.Constant && (p.t0 > 0 || k > 0) {
				continue // a constant's errors are summed until step 0 is reached
			}
			given := p.given(i, douts)
			m.call.DOut = given
			if given == nil {
				m.call.DOut = p.sumErrors(i, k, douts, adj)
			}
			if p.firing != nil && m.chunks[0].out.Kind == signal.Spikes {
				p.firing.Errors(i, m.call.DOut)
			}
			p.backwardNode(i, k, adj, grads)
			if given == nil {
				p.settle(i, adj)
			}
		}
		t1 = t0
	}
	return nil
}

// checkErrors returns an error unless Backward can follow, with these errors.
func (p *Pass) checkErrors(douts []*signal.Signal, grads Grads) error {
	net := p.c.net
	switch {
	case !p.kept || !p.c.train:
		return fmt.Errorf("compile for training and call Forward with keep first")
	case len(grads) != len(net.params):
		return fmt.Errorf("%d gradients for %d parameters: make them with NewGrads", len(grads), len(net.params))
	case len(douts) != len(net.outputs):
		return fmt.Errorf("%d errors for %d outputs: give one each, nil where there is none", len(douts), len(net.outputs))
	}
	for o, dout := range douts {
		name, out := net.outputs[o].Name, p.outs[o]
		switch {
		case dout == nil:
		case dout.Kind == signal.Spikes || out.Kind == signal.Constant && dout.Kind != signal.Constant:
			return fmt.Errorf("output %q: the error at a %v output cannot be %v", name, out.Kind, dout.Kind)
		case dout.Rows() != out.Rows() || len(dout.Data) != out.Rows()*out.Units():
			return fmt.Errorf("output %q: error of %d rows for an output of %d rows of %v", name, dout.Rows(), out.Rows(), out.Shape)
		}
	}
	return nil
}

// given is the error at a node's output that is the caller's as it stands: where
// one output alone reads it. A view would hand the caller's memory on.
func (p *Pass) given(i int, douts []*signal.Signal) *signal.Signal {
	nd := &p.c.net.nodes[i]
	if !nd.terminal() || len(nd.outputs) != 1 || douts[nd.outputs[0]] == nil || layer.IsView(nd.Layer) {
		return nil
	}
	return &p.outputs[nd.outputs[0]].error
}

// settle gives away the memory of the errors at a node's output, which it has
// passed back: it is that of the errors at its input where these were written
// over them or are the same, and else for the next that are needed.
func (p *Pass) settle(i int, adj *Adjoint) {
	c := &p.nodes[i].call
	if len(c.DIn) == 1 && c.DIn[0] != nil && &c.DIn[0].Data[0] == &c.DOut.Data[0] {
		c.DOut.Data = nil
	}
	for _, e := range p.c.net.nodes[i].consumers {
		adj.release(&adj.edges[e.node][e.k])
	}
}

// sumErrors is the error at a node's output in chunk k: that of its one
// consumer, or the sum over its consumers, in order, and then the outputs.
func (p *Pass) sumErrors(i, k int, douts []*signal.Signal, adj *Adjoint) *signal.Signal {
	nd, sum := &p.c.net.nodes[i], &p.nodes[i].dout
	switch cs := nd.consumers; len(cs) {
	case 0:
		out, _ := p.memory(i, k)
		kind := signal.Dense
		if out.Kind == signal.Constant {
			kind = signal.Constant
		}
		adj.take(sum, p.inputs[k].T*out.B*out.Units())
		sum.Reset(kind, p.inputs[k].T, out.B, out.Shape)
		clear(sum.Data)
	case 1:
		sum = &adj.edges[cs[0].node][cs[0].k]
	default:
		first := &adj.edges[cs[0].node][cs[0].k]
		sum.Reset(first.Kind, first.T, first.B, first.Shape)
		copy(sum.Data, first.Data)
		for _, e := range cs[1:] {
			kernel.Add(sum.Data, adj.edges[e.node][e.k].Data)
		}
	}
	for _, o := range nd.outputs {
		if douts[o] != nil {
			kernel.Add(sum.Data, p.outputs[o].error.Data)
		}
	}
	return sum
}

func (p *Pass) backwardNode(i, k int, adj *Adjoint, grads Grads) {
	nd, m := &p.c.net.nodes[i], &p.nodes[i]
	if p.o.Meter != nil {
		p.o.Meter.Start(i, "backward")
		defer p.o.Meter.Stop(i, layer.Work{})
	}
	for _, from := range nd.in {
		if from != inputNode && p.nodes[from].lasting && p.nodes[from].holds != k && p.recomputes(from) {
			p.nodes[from].holds = k
			p.c.net.nodes[from].Layer.Forward(p.bind(from, k))
		}
	}
	c := p.bind(i, k)
	c.DState = adj.states[i]
	summed := c.Out.Kind != signal.Constant // errors at constant inputs are sums over time
	copy(c.DParams, grads[nd.param0:nd.param1])
	for j, from := range nd.in {
		c.DIn[j] = nil
		if from == inputNode || !p.c.net.nodes[from].learns {
			continue
		}
		s, _ := p.memory(from, k)
		switch {
		case s.Kind != signal.Constant && m.overlays:
			e := &adj.edges[i][j]
			*e = *c.DOut
			e.Shape = s.Shape
			c.DIn[j] = e
		case s.Kind == signal.Constant && c.In[j] != s: // repeated for the layer
			adj.din(i, j, s, c.DOut.T, summed)
			m.ddense[j].Reset(signal.Dense, c.DOut.T, s.B, s.Shape)
			c.DIn[j] = &m.ddense[j]
		default:
			c.DIn[j] = adj.din(i, j, s, c.DOut.T, summed)
		}
	}
	nd.Layer.Backward(c)
	for j := range nd.in {
		if c.DIn[j] == &m.ddense[j] {
			sumTime(&adj.edges[i][j], &m.ddense[j])
		}
	}
}

// sumTime adds the steps of d to the constant dst, last step first.
func sumTime(dst, d *signal.Signal) {
	kernel.SumSteps(dst.Data, d.Data, len(dst.Data), d.T)
}

// Output is the signal of a node in the last chunk of time, by index into
// Nodes. What nobody reads later may have given its memory away.
func (p *Pass) Output(i int) *signal.Signal {
	out, _ := p.memory(i, len(p.inputs)-1)
	return out
}

// Spikes is how often the units of a node fired in the last window, and how
// often they could have: units × steps × samples. Both are zero for nodes that
// do not give spikes.
func (p *Pass) Spikes(i int) (spikes, slots int) { return p.nodes[i].spikes, p.nodes[i].slots }

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
		Fixed:  c.fixed(i, nil),
		Chunk:  layer.Chunk{Out: &signal.Signal{}, State: state, Chunks: 1},
		Memory: layer.NewMemory(nil),
	}
	for k, s := range in {
		if err := s.Check(nd.inShapes[k]); err != nil {
			return nil, fmt.Errorf("network.Eval: node %q, input %d: %w", name, k, err)
		}
		if s.B != in[0].B || s.T != in[0].T {
			return nil, fmt.Errorf("network.Eval: node %q: input %d has %d steps and %d samples, input 0 %d and %d", name, k, s.T, s.B, in[0].T, in[0].B)
		}
		if !layer.Accepts(nd.Layer, s.Kind) {
			dense := &signal.Signal{}
			densify(dense, s)
			s = dense
		}
		call.In = append(call.In, s)
	}
	if want := nd.state * in[0].B; len(state) != want {
		return nil, fmt.Errorf("network.Eval: node %q: %d state variables, want %d", name, len(state), want)
	}
	nd.Layer.Forward(&call)
	return call.Out, nil
}
