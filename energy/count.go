package energy

import (
	"math"
	"math/bits"

	"synfire/layer"
	"synfire/network"
	"synfire/signal"
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
		n := s.Units()
		for k, v := range s.Data[:s.Rows()*n] {
			size := math.Abs(float64(v))
			switch {
			case size == 0:
			case size == math.Trunc(size) && size < math.MaxInt32:
				c.add(f, k%n, int(size))
				if neurons {
					c.Spikes += int(size)
				}
			case f.weighted != nil:
				c.Products += int(f.weighted[k%n])
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
			i := 64*w + bits.TrailingZeros64(rest)
			c.Additions += int(f.weighted[i]) - f.usualWeighted
			c.Sums += int(f.plain[i]) - f.usualPlain
		}
	}
	c.Additions += n * f.usualWeighted
	c.Sums += n * f.usualPlain
	return n
}

func (c *Counter) add(f *fans, i, size int) {
	if f.weighted != nil {
		c.Additions += size * int(f.weighted[i])
		c.Sums += size * int(f.plain[i])
	}
}
