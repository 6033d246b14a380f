package layer

import (
	"fmt"

	"synfire/internal/kernel"
	"synfire/signal"
	"synfire/spike"
	"synfire/tensor"
)

// Add is the sum of two or more inputs of one shape, in their order: the end
// of a residual block. Constants alone stay Constant; a Constant among others
// is added at each step. Sums of spikes are Dense small integers.
//
//	y[t] = Σ_k x_k[t],   ∂x_k[t] = ∂y[t];  for a Constant among others ∂x_k = Σ_t ∂y[t]
type Add struct{}

// Concat joins two or more inputs along their last axis, the channels, in
// their order; all other dimensions must agree. Spikes alone stay Spikes and
// Constants alone Constant; a Constant among others is repeated at each step.
// The error of an input is its part of the error at the output, for a Constant
// among others summed over time.
type Concat struct{}

// Output is the inputs' shape.
func (Add) Output(in ...tensor.Shape) (tensor.Shape, error) {
	if err := several("add", in); err != nil {
		return nil, err
	}
	for k, s := range in {
		if !s.Equal(in[0]) {
			return nil, fmt.Errorf("add: input %d has shape %v, input 0 %v, want the same; adapt one by a conv2d layer of kernel 1", k, s, in[0])
		}
	}
	return in[0], nil
}

func several(kind string, in []tensor.Shape) error {
	if len(in) < 2 {
		return fmt.Errorf("%s: %d inputs, want at least 2; name the nodes that it joins", kind, len(in))
	}
	return nil
}

// Accepts is true for each kind of signal.
func (Add) Accepts(signal.Kind) bool { return true }

// ForgetsInput is true.
func (Add) ForgetsInput() bool { return true }

// ElementWise is true: the error at the last input is that at the output.
func (Add) ElementWise() bool { return true }

// joined is the kind of a dense result of several inputs.
func joined(in []*signal.Signal) signal.Kind {
	for _, s := range in {
		if s.Kind != signal.Constant {
			return signal.Dense
		}
	}
	return signal.Constant
}

// rowOf is the row of s that row r of the output sees.
func rowOf(s *signal.Signal, r int) int {
	if s.Kind == signal.Constant {
		return r % s.B
	}
	return r
}

// Forward adds.
func (Add) Forward(c *Call) {
	out, first := c.Out, c.In[0]
	out.Reset(joined(c.In), first.T, first.B, first.Shape)
	n := out.Units()
	c.Pool.For(out.Rows(), max(tileElems/n, 1), func(id, r0, r1 int) {
		for r := r0; r < r1; r++ {
			y := out.Data[r*n:][:n]
			first.ReadRow(y, rowOf(first, r))
			for _, s := range c.In[1:] {
				addRow(y, s, rowOf(s, r), &c.Workers[id])
			}
		}
	})
}

// addRow adds a stored row of s to y.
func addRow(y []tensor.Float, s *signal.Signal, r int, wk *Worker) {
	if s.Kind == signal.Spikes {
		wk.ints = kernel.Indices(wk.ints[:0], s.Raster.Row(r), 0, len(y), 0)
		for _, u := range wk.ints {
			y[u]++
		}
		return
	}
	kernel.Add(y, s.Data[r*len(y):][:len(y)])
}

// Backward hands the error to each input.
func (Add) Backward(c *Call) {
	for _, din := range c.DIn {
		if din != nil && &din.Data[0] != &c.DOut.Data[0] {
			c.pass(din, c.DOut.Units(), c.DOut.Units(), 0)
		}
	}
}

// pass gives din the columns [at, at+k) of each n of the error at the output.
// A Constant din of an output that is not adds them up, last step first.
func (c *Call) pass(din *signal.Signal, k, n, at int) {
	dy := c.DOut
	rows := len(din.Data) / k // of columns
	summed := din.Kind == signal.Constant && dy.Kind != signal.Constant
	c.Pool.For(rows, max(tileElems/k, 1), func(_, r0, r1 int) {
		for r := r0; r < r1; r++ {
			dx := din.Data[r*k:][:k]
			if !summed {
				copy(dx, dy.Data[r*n+at:])
				continue
			}
			for t := dy.T - 1; t >= 0; t-- {
				for i, g := range dy.Data[(t*rows+r)*n+at:][:k] {
					dx[i] += g
				}
			}
		}
	})
}

// Output has the channels of all inputs.
func (Concat) Output(in ...tensor.Shape) (tensor.Shape, error) {
	if err := several("concat", in); err != nil {
		return nil, err
	}
	out := append(tensor.Shape(nil), in[0]...)
	for k, s := range in {
		last := len(s) - 1
		if last < 0 || len(s) != len(out) || !s[:last].Equal(out[:last]) {
			return nil, fmt.Errorf("concat: input %d has shape %v, input 0 %v, want the same but for the channels; pool or pad one of them", k, s, in[0])
		}
		if k > 0 {
			out[last] += s[last]
		}
	}
	return out, nil
}

// Accepts is true for each kind of signal.
func (Concat) Accepts(signal.Kind) bool { return true }

// ForgetsInput is true.
func (Concat) ForgetsInput() bool { return true }

// Forward joins.
func (l Concat) Forward(c *Call) {
	kind, width := joined(c.In), channels(c.Shape)
	spikes := true
	for _, s := range c.In {
		spikes = spikes && s.Kind == signal.Spikes
	}
	if spikes {
		kind = signal.Spikes
	}
	first, out := c.In[0], c.Out
	out.Reset(kind, first.T, first.B, c.Shape)
	n := out.Units()
	c.Pool.For(out.Rows(), max(tileElems/n, 1), func(id, r0, r1 int) {
		for r := r0; r < r1; r++ {
			at := 0
			for _, s := range c.In {
				k := channels(s.Shape)
				if spikes {
					place := out.Raster.Row(r)
					for p := range n / width {
						spike.Or(place, p*width+at, s.Raster.Row(r), p*k, k)
					}
				} else {
					row := c.Workers[id].Floats(0, s.Units())
					s.ReadRow(row, rowOf(s, r))
					for p := range n / width {
						copy(out.Data[r*n+p*width+at:][:k], row[p*k:])
					}
				}
				at += k
			}
		}
	})
}

// Backward hands each input its part of the error.
func (Concat) Backward(c *Call) {
	width, at := channels(c.Shape), 0
	for k, s := range c.In {
		if c.DIn[k] != nil {
			c.pass(c.DIn[k], channels(s.Shape), width, at)
		}
		at += channels(s.Shape)
	}
}
