package energy

import (
	"math"
	"math/bits"

	"synfire/internal/kernel"
	"synfire/layer"
	"synfire/network"
	"synfire/signal"
	"synfire/tensor"
)

// Tally is what spikes caused.
type Tally struct {
	Spikes    int // of neurons, each once; of graded ones their size
	Additions int // of weights, by the true fan-out of each spike
	Sums      int // additions and comparisons without a weight: at shortcuts, gates, and neurons that take spikes as they are
	Products  int // multiply-accumulates of spikes that are no whole number
}

// Add adds another tally.
func (t *Tally) Add(o Tally) {
	t.Spikes += o.Spikes
	t.Additions += o.Additions
	t.Sums += o.Sums
	t.Products += o.Products
}

// Counter counts what spikes cause in a network, all samples together. Its Saw is for
// network.Pass.Watch; spikes of the network's input are shown to Input.
type Counter struct {
	Plan *Plan
	Tally

	at  []int32 // of a row: the elements that are not zero
	val []tensor.Float
}

// NewCounter counts in a network whose input is of a kind, as NewPlan.
func NewCounter(net *network.Network, input signal.Kind) *Counter {
	return &Counter{Plan: NewPlan(net, input)}
}

// Input counts what spikes of the input cause.
func (c *Counter) Input(in *signal.Signal) { c.count(c.Plan.fans[network.Input], in, false) }

// Saw counts what a node gave.
func (c *Counter) Saw(node int, out *signal.Signal) {
	nd := c.Plan.nodes[node]
	if c.Plan.flows[node] != events || passes(nd.Layer) { // those pass on what was counted
		return
	}
	c.count(c.Plan.fans[nd.Name], out, layer.Fires(nd.Layer))
}

func (c *Counter) count(f *fans, s *signal.Signal, neurons bool) {
	if f == nil {
		f = &fans{} // nothing takes them
	}
	switch s.Kind {
	case signal.Spikes:
		for r := range s.Rows() {
			n := c.spikes(f, s.Raster.Row(r))
			if neurons {
				c.Spikes += n
			}
		}
	case signal.Dense:
		for r := range s.Rows() {
			n := c.values(f, s.Data[r*s.Units():][:s.Units()])
			if neurons {
				c.Spikes += n
			}
		}
	}
}

// spikes counts the bits of a row.
func (c *Counter) spikes(f *fans, row []uint64) (n int) {
	for w, word := range row {
		n += bits.OnesCount64(word)
		if f.weighted == nil {
			continue
		}
		for rest := word & f.unusual[w]; rest != 0; rest &= rest - 1 {
			c.differ(f, 64*w+bits.TrailingZeros64(rest), 1)
		}
	}
	c.usual(f, n)
	return n
}

// values counts graded and signed spikes of a row by their size.
func (c *Counter) values(f *fans, row []tensor.Float) (n int) {
	c.at, c.val = kernel.Nonzeros(c.at[:0], c.val[:0], row, 0)
	for k, v := range c.val {
		i := int(c.at[k])
		size := math.Abs(float64(v))
		whole := int(size)
		switch {
		case float64(whole) == size && size < math.MaxInt32:
			n += whole
			if f.weighted != nil && f.unusual[i/64]>>(i%64)&1 != 0 {
				c.differ(f, i, whole)
			}
		case f.weighted != nil:
			c.Products += int(f.weighted[i])
		}
	}
	c.usual(f, n)
	return n
}

// usual counts what n spikes cause at most elements, and differ by how much more those of one cause.
func (c *Counter) usual(f *fans, n int) {
	c.Additions += n * f.usualWeighted
	c.Sums += n * f.usualPlain
}

func (c *Counter) differ(f *fans, i, n int) {
	c.Additions += n * (int(f.weighted[i]) - f.usualWeighted)
	c.Sums += n * (int(f.plain[i]) - f.usualPlain)
}
