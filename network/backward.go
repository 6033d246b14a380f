package network

import (
	"fmt"

	"synfire/internal/kernel"
	"synfire/layer"
	"synfire/signal"
)

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
			if p.firing != nil && p.spikes(i) {
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
	if last := c.DIn[len(c.DIn)-1]; last != nil && &last.Data[0] == &c.DOut.Data[0] {
		c.DOut.Data = nil
	}
	for _, e := range p.c.net.nodes[i].consumers {
		adj.release(&adj.edges[e.node][e.k])
	}
	adj.release(&p.nodes[i].dout)
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
		adj.spare.take(sum, p.inputs[k].T*out.B*out.Units())
		sum.Reset(kind, p.inputs[k].T, out.B, out.Shape)
		clear(sum.Data)
	case 1:
		sum = &adj.edges[cs[0].node][cs[0].k]
	default:
		first := &adj.edges[cs[0].node][cs[0].k]
		*sum, first.Data = *first, nil
		for _, e := range cs[1:] {
			p.add(sum, &adj.edges[e.node][e.k])
		}
	}
	for _, o := range nd.outputs {
		if douts[o] != nil {
			p.add(sum, &p.outputs[o].error)
		}
	}
	return sum
}

// addedAtOnce is the elements that a thread adds before it looks for the next.
const addedAtOnce = 1 << 15

// add adds an error to a sum.
func (p *Pass) add(sum, e *signal.Signal) {
	p.o.Pool.For(len(sum.Data), addedAtOnce, func(_, lo, hi int) { kernel.Add(sum.Data[lo:hi], e.Data[lo:hi]) })
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
		case m.overlays && j == len(nd.in)-1 && (s.Kind == signal.Constant) == !summed:
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
