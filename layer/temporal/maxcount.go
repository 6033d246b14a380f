package temporal

import (
	"errors"
	"fmt"

	"synfire/internal/kernel"
	"synfire/layer"
	"synfire/linmap"
	"synfire/signal"
	"synfire/tensor"
)

// MaxCount is max pooling over time: in each window of Size×Size, per channel, it gives what
// the largest sum of an element so far grows by,
//
//	N_j[t] = N_j[t−1] + x_j[t],   y[t] = max_j N_j[t] − max_j N_j[t−1],   N[−1] = 0
//
// so that its own sum is the largest of the sums, where MaxPool of spikes would give the
// number of steps in which any element spikes. Spikes stay spikes: one comes where an element
// spikes that has more of them than came before. This is the gate that counts exactly of
// Hu et al., Spiking Deep Residual Network, 2018. Stride 0 means Size; ties go to the first
// element in row-major order; padding never is the largest. The sums are the state.
//
//	∂x_j[t] = Σ_{τ ≥ t} (∂y[τ] − ∂y[τ+1]) where j has the largest sum at τ
//
// With Leader it gives what the element with the largest sum so far gives, itself included, the
// usual gate of conversions (Rueckauer et al., Front. Neurosci. 11:682, 2017). Of spikes its sum is
// never below the largest of the sums, and above it where the lead changes.
//
//	y[t] = x_j[t],   ∂x_j[t] = ∂y[t] where j has the largest sum at t
type MaxCount struct {
	Size    int   `yaml:"size,required"`            // height and width of a window
	Stride  int   `yaml:"stride"`                   // pixels between neighbouring windows; 0: size
	Padding []int `yaml:"padding,single,omitempty"` // around the image, less than size: one number, height and width, or top, bottom, left, right
	Leader  bool  `yaml:"leader,omitempty"`         // gives what the element with the largest sum gives
}

// largestWindow is the greatest Size: places in a window are bytes.
const largestWindow = 15

func (l MaxCount) pool(in tensor.Shape) (linmap.Pool, error) {
	return linmap.NewPool(in, l.Size, l.Stride, l.Padding)
}

// Output is an image of a pixel for each window.
func (l MaxCount) Output(in ...tensor.Shape) (tensor.Shape, error) {
	switch {
	case len(in) != 1:
		return nil, fmt.Errorf("max-count: %d inputs, want 1", len(in))
	case len(in[0]) != 3:
		return nil, fmt.Errorf("max-count: input of shape %v, want an image [height, width, channels]", in[0])
	case l.Size > largestWindow:
		return nil, errors.New("max-count: windows of more than 15×15; pool twice")
	}
	p, err := l.pool(in[0])
	if err != nil {
		return nil, fmt.Errorf("max-count: %w", err)
	}
	return p.Out(), nil
}

// Accepts is true for spikes.
func (MaxCount) Accepts(k signal.Kind) bool { return k != signal.Constant }

// StateSize is the sum of each element.
func (l MaxCount) StateSize(in ...tensor.Shape) int { return in[0].Size() }

// accepted is the pooling of an image that Output accepts.
func (l MaxCount) accepted(in tensor.Shape) linmap.Pool {
	p, err := l.pool(in)
	if err != nil {
		panic(fmt.Sprintf("temporal: max-count of an image that Output does not accept: %v", err))
	}
	return p
}

// leaders calls f for each output with the place in the image of the element that a record names.
func leaders(p linmap.Pool, record []uint8, f func(output, element int)) {
	pitch := p.Places() / p.Pixels()
	for q := range p.Pixels() {
		top, left := q/p.OW*p.StrideH-p.PadTop, q%p.OW*p.StrideW-p.PadLeft
		for ch, k := range record[q*pitch:][:p.C] {
			f(q*p.C+ch, ((top+int(k)/p.KW)*p.W+left+int(k)%p.KW)*p.C+ch)
		}
	}
}

// Forward adds up and compares; threads take samples.
func (l MaxCount) Forward(c *layer.Call) {
	in, p := c.In[0], l.accepted(c.In[0].Shape)
	kind := signal.Dense
	if in.Kind == signal.Spikes {
		kind = signal.Spikes
	}
	c.Out.Reset(kind, in.T, in.B, c.Shape)
	var won []uint8 // the places of the largest, before the first step and after each
	if c.Keep {
		won = c.Scratch.Bytes(0, (in.T+1)*in.B*p.Places())
	}
	c.Pool.For(in.B, 1, func(id, b0, b1 int) {
		w := &c.Workers[id]
		row, before, now := w.Floats(0, in.Units()), w.Floats(1, p.Outputs()), w.Floats(2, p.Outputs())
		record := w.Bytes(0, p.Places())
		for b := b0; b < b1; b++ {
			sums := c.State[b*len(row):][:len(row)]
			for t := -1; t < in.T; t++ {
				if t >= 0 {
					in.ReadRow(row, t*in.B+b)
					kernel.Add(sums, row)
				}
				if c.Keep {
					record = won[((t+1)*in.B+b)*p.Places():][:p.Places()]
				}
				p.Forward(w.Maps(), now, sums, record)
				if t >= 0 {
					l.grow(before, now, row, p, record)
					put(c.Out, t*in.B+b, before)
				}
				before, now = now, before
			}
		}
	})
}

// grow turns the largest sums before a step into what the layer gives in it.
func (l MaxCount) grow(before, now, row []tensor.Float, p linmap.Pool, record []uint8) {
	if l.Leader {
		leaders(p, record, func(o, i int) { before[o] = row[i] })
		return
	}
	for o, v := range now {
		before[o] = v - before[o]
	}
}

// put writes a row of values, or as spikes those above 0.
func put(out *signal.Signal, r int, values []tensor.Float) {
	if out.Kind == signal.Dense {
		copy(out.Data[r*len(values):], values)
		return
	}
	for o, v := range values {
		if v > 0 {
			out.Raster.Set(r, o)
		}
	}
}

// Backward carries the errors back through the sums of those that were the largest.
func (l MaxCount) Backward(c *layer.Call) {
	dout, din := c.DOut, c.DIn[0]
	if din == nil {
		return
	}
	p := l.accepted(din.Shape)
	n, m := din.Units(), dout.Units()
	won := c.Scratch.Bytes(0, (dout.T+1)*dout.B*p.Places())
	c.Pool.For(dout.B, 1, func(id, b0, b1 int) {
		w := &c.Workers[id]
		back := w.Floats(0, n)
		for b := b0; b < b1; b++ {
			sums := c.DState[b*n:][:n]
			for t := dout.T - 1; t >= 0; t-- {
				errs, dx := dout.Data[(t*dout.B+b)*m:][:m], din.Data[(t*dout.B+b)*n:][:n]
				after := won[((t+1)*dout.B+b)*p.Places():][:p.Places()]
				if l.Leader {
					clear(dx)
					leaders(p, after, func(o, i int) { dx[i] += errs[o] })
					continue
				}
				p.Transpose(w.Maps(), back, errs, after)
				kernel.Add(sums, back)
				copy(dx, sums)
				p.Transpose(w.Maps(), back, errs, won[(t*dout.B+b)*p.Places():][:p.Places()])
				for i, g := range back {
					sums[i] -= g
				}
			}
		}
	})
}
