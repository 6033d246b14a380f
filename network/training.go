package network

import (
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/tensor"
)

// Buffers are the arrays that layers keep beside their parameters, such as
// running statistics, in the order of the nodes, each named "node.role". They
// belong to a checkpoint; optimisers do not move them.
func (n *Network) Buffers() []tensor.Param { return n.buffers }

func (n *Network) bufferValues(i int) (v []tensor.Tensor) {
	for _, p := range n.buffers[n.nodes[i].buffer0:n.nodes[i].buffer1] {
		v = append(v, p.Value)
	}
	return v
}

// WholeTime is the name of the first node that needs all steps of a run in one
// window, in training or at inference; ok is false where there is none.
func (n *Network) WholeTime(train bool) (node string, ok bool) {
	for _, nd := range n.nodes {
		if w, is := nd.Layer.(layer.WholeTime); is && w.NeedsWholeTime(train) {
			return nd.Name, true
		}
	}
	return "", false
}

// SetTraining says that the coming windows are part of a training step, with
// one key for the random numbers of each sample (masks of dropout), or with
// nil that they are inference, as they are for a new Pass.
func (p *Pass) SetTraining(keys []rng.Key) {
	p.o.Training = keys
	p.constant = nil // computed in the other mode, or from other masks
}

// UpdateBuffers takes the statistics of the last Forward, if it trained, into
// the network's buffers. A learner calls it once a step, after the optimiser.
func (p *Pass) UpdateBuffers() {
	if !p.trained {
		return
	}
	p.trained, p.constant = false, nil
	for i, nd := range p.c.net.nodes {
		if b, ok := nd.Layer.(layer.Buffered); ok {
			call := &p.nodes[i].call
			b.UpdateBuffers(call.Buffers, call.Stats)
		}
	}
}

// newStats is the memory for the statistics behind the buffers.
func newStats(buffers []tensor.Tensor) (stats [][]tensor.Float) {
	for _, b := range buffers {
		stats = append(stats, make([]tensor.Float, len(b.Data)))
	}
	return stats
}
