package temporal

import (
	"errors"
	"fmt"

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

// windows are the elements of the windows: for each output, where its elements stand.
func (l MaxCount) windows(in tensor.Shape) (of [][]int32) {
	p, err := l.pool(in)
	if err != nil {
		panic(fmt.Sprintf("temporal: max-count of an image that Output does not accept: %v", err))
	}
	for y := range p.OH {
		_, top, high := p.TapRows(y)
		for x := range p.OW {
			_, left, wide := p.TapColumns(x)
			for ch := range p.C {
				var list []int32
				for i := range high {
					for j := range wide {
						list = append(list, int32(((top+i)*p.W+left+j)*p.C+ch))
					}
				}
				of = append(of, list)
			}
		}
	}
	return of
}

// largest is the place of the largest sum of a window.
func largest(sums []tensor.Float, window []int32) (place int) {
	for k, i := range window {
		if sums[i] > sums[window[place]] {
			place = k
		}
	}
	return place
}

// Forward adds up and compares; threads take samples.
func (l MaxCount) Forward(c *layer.Call) {
	in, n, m := c.In[0], c.In[0].Units(), c.Shape.Size()
	kind := signal.Dense
	if in.Kind == signal.Spikes {
		kind = signal.Spikes
	}
	c.Out.Reset(kind, in.T, in.B, c.Shape)
	windows := l.windows(in.Shape)
	var won []uint8 // the places of the largest, before the first step and after each
	if c.Keep {
		won = c.Scratch.Bytes(0, (in.T+1)*in.B*m)
	}
	c.Pool.For(in.B, 1, func(id, b0, b1 int) {
		row, most := c.Workers[id].Floats(0, n), c.Workers[id].Floats(1, m)
		for b := b0; b < b1; b++ {
			sums := c.State[b*n:][:n]
			for t := -1; t < in.T; t++ {
				if t >= 0 {
					in.ReadRow(row, t*in.B+b)
					for i, v := range row {
						sums[i] += v
					}
				}
				for o, w := range windows {
					place := largest(sums, w)
					if c.Keep {
						won[((t+1)*in.B+b)*m+o] = uint8(place)
					}
					grown := sums[w[place]] - most[o]
					most[o] = sums[w[place]]
					if l.Leader && t >= 0 {
						grown = row[w[place]]
					}
					switch r := t*in.B + b; {
					case t < 0:
					case kind == signal.Dense:
						c.Out.Data[r*m+o] = grown
					case grown > 0:
						c.Out.Raster.Set(r, o)
					}
				}
			}
		}
	})
}

// Backward carries the errors back through the sums of those that were the largest.
func (l MaxCount) Backward(c *layer.Call) {
	dout, din := c.DOut, c.DIn[0]
	if din == nil {
		return
	}
	if l.Leader {
		l.backwardLeader(c)
		return
	}
	n, m, windows := din.Units(), dout.Units(), l.windows(din.Shape)
	won := c.Scratch.Bytes(0, (dout.T+1)*dout.B*m)
	c.Pool.For(dout.B, 1, func(_, b0, b1 int) {
		for b := b0; b < b1; b++ {
			sums := c.DState[b*n:][:n]
			for t := dout.T - 1; t >= 0; t-- {
				errs := dout.Data[(t*dout.B+b)*m:][:m]
				for o, w := range windows {
					sums[w[won[((t+1)*dout.B+b)*m+o]]] += errs[o]
				}
				copy(din.Data[(t*dout.B+b)*n:][:n], sums)
				for o, w := range windows {
					sums[w[won[(t*dout.B+b)*m+o]]] -= errs[o]
				}
			}
		}
	})
}

// backwardLeader carries the errors back to those that had the largest sums.
func (l MaxCount) backwardLeader(c *layer.Call) {
	dout, din := c.DOut, c.DIn[0]
	n, m, windows := din.Units(), dout.Units(), l.windows(din.Shape)
	won := c.Scratch.Bytes(0, (dout.T+1)*dout.B*m)
	clear(din.Data[:dout.T*dout.B*n])
	c.Pool.For(dout.B, 1, func(_, b0, b1 int) {
		for b := b0; b < b1; b++ {
			for t := range dout.T {
				to := din.Data[(t*dout.B+b)*n:][:n]
				for o, w := range windows {
					to[w[won[((t+1)*dout.B+b)*m+o]]] += dout.Data[(t*dout.B+b)*m+o]
				}
			}
		}
	})
}
