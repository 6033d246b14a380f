package convert

import (
	"context"
	"fmt"
	"math"

	"synfire/layer"
	"synfire/network"
	"synfire/tensor"
)

// Quantise is the Transform that rounds activations to a number of bits: of a network that is
// aligned to its scales a rectified unit gives
//
//	y = ⌊L·min(max(x, 0), 1) + ½⌋/L,   L = 2^Bits − 1
//
// which a neuron tells in L steps of even input. Weights stay as they are. It is for measuring: what
// it makes does not learn.
type Quantise struct{ Bits int }

// mostBits bounds what is worth telling apart.
const mostBits = 16

// Apply rounds; it needs no inputs.
func (q Quantise) Apply(_ context.Context, g network.Graph, _ network.Calibration) (network.Graph, network.Report, error) {
	if q.Bits < 1 || q.Bits > mostBits {
		return network.Graph{}, nil, fmt.Errorf("convert.Quantise: %d bits, want 1 to %d, such as 4", q.Bits, mostBits)
	}
	var r network.Report
	e := network.Edit(g)
	for _, nd := range e.Graph().Nodes {
		if !rectified(nd.Layer) {
			continue
		}
		l := rounded{levels: math.Exp2(float64(q.Bits)) - 1}
		if err := e.Replace(nd.Name, network.GraphNode{Node: network.Node{Layer: l}}); err != nil {
			return network.Graph{}, nil, fmt.Errorf("convert.Quantise: %w", err)
		}
		r.Add(nd.Name, network.Lost, "all but %d bits of its activations", q.Bits)
	}
	return e.Graph(), r, nil
}

// rounded is the unit of Quantise.
type rounded struct{ levels float64 }

// Output is the input's shape.
func (rounded) Output(in ...tensor.Shape) (tensor.Shape, error) { return layer.ReLU{}.Output(in...) }

// Forward rounds.
func (l rounded) Forward(c *layer.Call) {
	in, out := c.In[0], c.Out
	out.Reset(in.Kind, in.T, in.B, in.Shape)
	for i, v := range in.Data[:len(out.Data)] {
		out.Data[i] = tensor.Float(math.Floor(l.levels*min(max(float64(v), 0), 1)+0.5) / l.levels)
	}
}

// Backward is not asked for: Quantise makes networks to measure.
func (rounded) Backward(*layer.Call) {
	panic("convert: a network of rounded activations does not learn")
}

// Quantised is the ordinary network with activations of a number of bits, at the scales of the
// conversion.
func (c Conversion) Quantised(ctx context.Context, bits int) (network.Graph, error) {
	g, _, err := Apply(ctx, c.Ordinary, nil, Align{Scales: c.Scales}, Quantise{bits})
	return g, err
}
