package network

import (
	"fmt"

	"synfire/internal/par"
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
