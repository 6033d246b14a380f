package network

import (
	"fmt"

	"synfire/layer"
	"synfire/tensor"
)

// FoldBatchNorm returns a network for inference in which each BatchNorm that
// alone follows a Linear or Conv2D layer is part of that layer's weights and
// bias. The layer keeps its name, the BatchNorm is gone; those that follow
// anything else stay. Outputs are the same up to rounding.
func FoldBatchNorm(n *Network) (*Network, error) {
	var nodes []Node
	values := map[string]tensor.Tensor{} // of parameters and buffers by name
	name := map[int]string{inputNode: Input}
	for i, nd := range n.nodes {
		if j := nd.in[0]; n.folds(i) {
			name[i] = name[j]
			continue
		}
		node := Node{Name: nd.Name, Layer: nd.Layer}
		for _, j := range nd.in {
			node.Inputs = append(node.Inputs, name[j])
		}
		params := n.values(i)
		if next := nd.consumers; len(next) == 1 && n.folds(next[0].node) {
			norm := next[0].node
			bn := n.nodes[norm].Layer.(layer.BatchNorm)
			scale, shift := bn.Affine(n.values(norm), n.bufferValues(norm))
			node.Layer, params, _ = layer.Fold(nd.Layer, params, scale, shift)
		}
		if w, ok := node.Layer.(layer.Weighted); ok {
			for k, spec := range w.Params(nd.inShapes...) {
				values[nd.Name+"."+spec.Role] = params[k]
			}
		}
		for _, b := range n.buffers[nd.buffer0:nd.buffer1] {
			values[b.Name] = b.Value
		}
		name[i] = nd.Name
		nodes = append(nodes, node)
	}
	folded, err := New(n.input, 0, nodes...)
	if err != nil {
		return nil, fmt.Errorf("network.FoldBatchNorm: %w", err)
	}
	for _, arrays := range [][]tensor.Param{folded.params, folded.buffers} {
		for _, p := range arrays {
			copy(p.Value.Data, values[p.Name].Data)
		}
	}
	return folded, nil
}

// folds reports whether node i is a BatchNorm that goes into the layer before.
func (n *Network) folds(i int) bool {
	nd := &n.nodes[i]
	if _, ok := nd.Layer.(layer.BatchNorm); !ok || nd.in[0] == inputNode {
		return false
	}
	before := &n.nodes[nd.in[0]]
	switch before.Layer.(type) {
	case layer.Linear, layer.Conv2D:
		return len(before.consumers) == 1
	}
	return false
}
