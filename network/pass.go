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
	spare   spares           // memory of outputs that have been read
	t0      int              // start of the last window
	kept    bool
	trained bool
	firing  Firing                             // nil: nobody
	watch   func(node int, out *signal.Signal) // nil: nobody
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
	overlays bool          // the error at its last input may be written over that at its output
	read     []int         // nodes whose outputs nobody reads after it
	chunks   []chunkMemory // one that serves all where nothing is kept
	spikes   int           // of the last window
	slots    int
	dout     signal.Signal   // sum of the errors at its output, where there are several or none
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
		m.overlays = !nd.terminal() && (layer.IsElementWise(nd.Layer) || layer.IsView(nd.Layer))
		m.again = k == 1 && nd.in[0] != inputNode && layer.IsCheap(nd.Layer) && !viewed
	}
	p.lastReaders()
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

// Largest is how many elements the largest output of a node has.
func (n *Network) Largest() int {
	units := 1
	for _, nd := range n.nodes {
		units = max(units, nd.out.Size())
	}
	return units
}

// chunkSteps is the number of steps of a chunk of t steps of b samples, where
// nothing stands against cutting.
func (n *Network) chunkSteps(t, b int) int {
	most := max(1, chunkBytes/(4*n.Largest()*b))
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
			p.settleOutputs(i)
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
	p.lend(i, p.inputs[k].T*st.B)
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
	if p.watch != nil {
		p.watch(i, c.Out)
	}
	m.holds = k
	if !p.spikes(i) {
		return
	}
	m.slots += c.Out.Rows() * c.Out.Units()
	if c.Out.Kind == signal.Spikes {
		m.spikes += c.Out.Raster.Count(0, c.Out.Rows())
	} else {
		m.spikes += int(kernel.SumMagnitudes(c.Out.Data))
	}
	if p.firing != nil {
		p.firing.Fired(i, c.Out)
	}
}

// spikes reports whether the last output of node i is spikes: bits, or of a population graded
// ones, whole numbers that are negative where spikes are taken back.
func (p *Pass) spikes(i int) bool {
	kind := p.nodes[i].call.Out.Kind
	return kind == signal.Spikes || kind == signal.Dense && p.o.Soft == layer.Hard && layer.Fires(p.c.net.nodes[i].Layer)
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

// Output is the signal of a node in the last chunk of time, by index into
// Nodes. What nobody reads later may have given its memory away.
func (p *Pass) Output(i int) *signal.Signal {
	out, _ := p.memory(i, len(p.inputs)-1)
	return out
}

// Spikes is how often the units of a node fired in the last window, graded spikes by their
// magnitudes, and units × steps × samples: how often they could have if there is one in a step at
// most. Both are zero for nodes that do not give spikes.
func (p *Pass) Spikes(i int) (spikes, slots int) { return p.nodes[i].spikes, p.nodes[i].slots }
