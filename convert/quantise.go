package convert

import (
	"context"
	"fmt"
	"math"

	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/network"
	"synfire/signal"
	"synfire/tensor"
)

// mostBits bounds what is worth telling apart.
const mostBits = 16

// Quantised is the ordinary network with activations of 1 to 16 bits, aligned to the scales of the
// conversion: its units are staircases (ordinary.QCFS) of 2^bits − 1 levels up to 1, which a neuron
// tells in as many steps of even input. Of leaky units, which take 2 bits at least, one is the sign:
// there are 2^(bits−1) − 1 levels on either side of 0. Weights stay as they are.
func (c Conversion) Quantised(ctx context.Context, bits int) (network.Graph, error) {
	if least := c.leastBits(); bits < least || bits > mostBits {
		return network.Graph{}, fmt.Errorf("convert.Quantised: %d bits, want %d to %d, such as 4", bits, least, mostBits)
	}
	g, _, err := Apply(ctx, c.Ordinary, nil, Align{Scales: c.Scales})
	if err != nil {
		return g, err
	}
	e := network.Edit(g)
	for _, nd := range e.Graph().Nodes {
		u, ok := unitOf(nd)
		if !ok {
			continue
		}
		staircase := limited(network.GraphNode{Node: network.Node{Layer: ordinary.QCFS{Levels: 1<<bits - 1}}}, 1)
		if u.slope != 0 {
			staircase = network.GraphNode{Node: network.Node{Layer: rounded{slope: u.slope, levels: 1<<(bits-1) - 1}}}
		}
		if err := e.Replace(nd.Name, staircase); err != nil {
			return network.Graph{}, fmt.Errorf("convert.Quantised: %w", err)
		}
	}
	return e.Graph(), nil
}

// leastBits are those of an activation that is 0 or not, and has a sign where units are leaky.
func (c Conversion) leastBits() int {
	for _, nd := range c.Ordinary.Nodes {
		if u, ok := unitOf(nd); ok && u.slope != 0 {
			return 2
		}
	}
	return 1
}

// rounded is leaky units whose activations are cut off at 1 and −1 and rounded to levels between,
// halves away from 0. It is measured alone, never trained.
type rounded struct {
	slope  float64
	levels int // on either side of 0
}

// Output is the input's shape.
func (rounded) Output(in ...tensor.Shape) (tensor.Shape, error) {
	if len(in) != 1 {
		return nil, fmt.Errorf("rounded: %d inputs, want 1", len(in))
	}
	return in[0], nil
}

// Forward rounds.
func (l rounded) Forward(c *layer.Call) {
	in, n := c.In[0], float64(l.levels)
	kind := signal.Dense
	if in.Kind == signal.Constant {
		kind = signal.Constant
	}
	c.Out.Reset(kind, in.T, in.B, in.Shape)
	for i, x := range in.Data {
		v := unit{slope: l.slope}.of(float64(x))
		c.Out.Data[i] = tensor.Float(math.Round(n*max(-1, min(v, 1))) / n)
	}
}

// Backward is not for use.
func (rounded) Backward(*layer.Call) { panic("convert: quantised leaky units are not trained") }
