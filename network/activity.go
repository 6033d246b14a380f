package network

import "synfire/signal"

// Activity runs samples through the network from step 0, node by node (Eval), and
// hands each node's output to visit, in the order of the nodes: to look at what
// happens inside. The signals are visit's to keep.
func (c *Compiled) Activity(in *signal.Signal, visit func(node Info, out *signal.Signal) error) error {
	outputs := map[string]*signal.Signal{Input: in}
	st := c.net.NewState(in.B)
	before := Input
	for i, nd := range c.net.Nodes() {
		names := nd.Inputs
		if len(names) == 0 {
			names = []string{before}
		}
		var inputs []*signal.Signal
		for _, name := range names {
			inputs = append(inputs, outputs[name])
		}
		out, err := c.Eval(nd.Name, inputs, st.nodes[i])
		if err != nil {
			return err
		}
		if err := visit(nd, out); err != nil {
			return err
		}
		outputs[nd.Name], before = out, nd.Name
	}
	return nil
}
