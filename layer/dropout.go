package layer

import (
	"fmt"

	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/signal"
	"synfire/tensor"
)

// Dropout silences each unit with probability Rate while training, and scales
// the others so that the expectation stays (Srivastava et al., "Dropout", JMLR
// 2014). A sample's mask holds for all steps of time, as Rathi et al. (ICLR
// 2020) have it, or a unit would merely be noisy:
//
//	y[t] = m·x[t],   ∂x[t] = m·∂y[t],   m = 0 with probability Rate, else 1/(1 − Rate)
//
// The mask follows from the sample's key (seed, epoch, index) and the node's
// name. Spikes become Dense while training. At inference signals pass through
// unchanged, sharing memory.
type Dropout struct {
	Rate float64 `yaml:"rate,required"`
}

// Output is the input's shape.
func (l Dropout) Output(in ...tensor.Shape) (tensor.Shape, error) {
	if !(l.Rate >= 0 && l.Rate < 1) {
		return nil, fmt.Errorf("dropout: rate is %v, want the probability that a unit is silenced, in [0, 1)", l.Rate)
	}
	return one("dropout", in)
}

// Accepts is true for each kind of signal.
func (l Dropout) Accepts(signal.Kind) bool { return true }

// IsView is true: at inference the output is the input.
func (l Dropout) IsView() bool { return true }

// ForgetsInput is true: the masks are kept.
func (l Dropout) ForgetsInput() bool { return true }

// ElementWise is true.
func (l Dropout) ElementWise() bool { return true }

// Forward applies the masks.
func (l Dropout) Forward(c *Call) {
	in, out := c.In[0], c.Out
	if !c.Train {
		view(out, in, in.Shape)
		return
	}
	n := in.Units()
	words := (n + 63) / 64
	bits := c.Scratch.Bits(0, in.B*words)
	// Out may still share its input's memory, from inference.
	*out = signal.Signal{Kind: rowKind(in), T: in.T, B: in.B, Shape: in.Shape, Data: c.Scratch.Floats(0, in.Rows()*n)}
	c.Pool.For(in.B, 1, func(id, b0, b1 int) {
		wk := &c.Workers[id]
		for b := b0; b < b1; b++ {
			row := bits[b*words:][:words]
			l.draw(row, n, c.Keys[b].Str(c.Node))
			mask := l.mask(wk, row, n)
			for r := b; r < in.Rows(); r += in.B {
				multiply(out.Data[r*n:][:n], imageOf(wk, in, r), mask)
			}
		}
	})
}

// draw sets the bits of the units of n that are kept.
func (l Dropout) draw(row []uint64, n int, key rng.Key) {
	clear(row)
	var u [256]float32
	for lo := 0; lo < n; lo += len(u) {
		v := u[:min(len(u), n-lo)]
		key.Uniforms(v, 0, uint64(lo))
		for i, x := range v {
			var keep uint64 // set without a branch, which would be mispredicted
			if float64(x) >= l.Rate {
				keep = 1
			}
			row[(lo+i)>>6] |= keep << ((lo + i) & 63)
		}
	}
}

// mask is the factor of each unit, in the worker's Floats 0.
func (l Dropout) mask(wk *Worker, row []uint64, n int) []tensor.Float {
	m := wk.Floats(0, n)
	kernel.Expand(m, row, 0)
	for i := range m {
		m[i] *= tensor.Float(1 / (1 - l.Rate))
	}
	return m
}

func multiply(y, x, m []tensor.Float) {
	x, m = x[:len(y)], m[:len(y)]
	for i := range y {
		y[i] = x[i] * m[i]
	}
}

// Backward applies the same masks to the errors.
func (l Dropout) Backward(c *Call) {
	dout, din := c.DOut, c.DIn[0]
	if din == nil {
		return
	}
	if !c.Train {
		copy(din.Data, dout.Data)
		return
	}
	n := din.Units()
	words := (n + 63) / 64
	bits := c.Scratch.Bits(0, din.B*words)
	c.Pool.For(din.B, 1, func(id, b0, b1 int) {
		for b := b0; b < b1; b++ {
			mask := l.mask(&c.Workers[id], bits[b*words:][:words], n)
			for r := b; r < din.Rows(); r += din.B {
				multiply(din.Data[r*n:][:n], dout.Data[r*n:][:n], mask)
			}
		}
	})
}
