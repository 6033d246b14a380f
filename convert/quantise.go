package convert

import (
	"context"
	"fmt"

	"synfire/layer/ordinary"
	"synfire/network"
)

// mostBits bounds what is worth telling apart.
const mostBits = 16

// Quantised is the ordinary network with activations of 1 to 16 bits, aligned to the scales of the
// conversion: its units are staircases (ordinary.QCFS) of 2^bits − 1 levels up to 1, which a neuron
// tells in as many steps of even input. Weights stay as they are.
func (c Conversion) Quantised(ctx context.Context, bits int) (network.Graph, error) {
	if bits < 1 || bits > mostBits {
		return network.Graph{}, fmt.Errorf("convert.Quantised: %d bits, want 1 to %d, such as 4", bits, mostBits)
	}
	g, _, err := Apply(ctx, c.Ordinary, nil, Align{Scales: c.Scales})
	if err != nil {
		return g, err
	}
	e := network.Edit(g)
	for _, nd := range e.Graph().Nodes {
		if !ordinary.Rectified(nd.Layer) {
			continue
		}
		unit := network.GraphNode{Node: network.Node{Layer: ordinary.QCFS{Levels: 1<<bits - 1}}}
		if err := e.Replace(nd.Name, limited(unit, 1)); err != nil {
			return network.Graph{}, fmt.Errorf("convert.Quantised: %w", err)
		}
	}
	return e.Graph(), nil
}
