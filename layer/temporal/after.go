package temporal

import (
	"fmt"

	"synfire/layer"
	"synfire/signal"
	"synfire/tensor"
)

// After gives what comes after Steps steps, and zeros until then:
//
//	y[t] = x[t] where t > Steps, else 0,   ∂x[t] = ∂y[t] likewise, t = 1 the first step
//
// At an output it leaves the first steps out of sums over time. The state is the step.
type After struct {
	Steps int `yaml:"steps"` // that are left out
}

// Output is the input's shape.
func (l After) Output(in ...tensor.Shape) (tensor.Shape, error) {
	switch {
	case len(in) != 1:
		return nil, fmt.Errorf("after: %d inputs, want 1", len(in))
	case l.Steps < 1 || l.Steps > maxDelay:
		return nil, fmt.Errorf("after: steps is %d, want 1 to %d; leave the layer out for none", l.Steps, maxDelay)
	}
	return in[0], nil
}

// StateSize is the number of steps that are left to leave out.
func (After) StateSize(...tensor.Shape) int { return 1 }

// ForgetsInput is true.
func (After) ForgetsInput() bool { return true }

// ElementWise is true.
func (After) ElementWise() bool { return true }

// Forward copies what comes after.
func (l After) Forward(c *layer.Call) {
	in, n := c.In[0], c.In[0].Units()
	c.Out.Reset(signal.Dense, in.T, in.B, in.Shape)
	shown := c.Scratch.Bytes(0, in.T*in.B)
	for b := range in.B {
		for t := range in.T {
			r := t*in.B + b
			y := c.Out.Data[r*n:][:n]
			if shown[r] = 1; int(c.State[b]) < l.Steps {
				shown[r] = 0
				c.State[b]++
				clear(y)
				continue
			}
			copy(y, in.Data[r*n:][:n])
		}
	}
}

// Backward passes the errors of what was given.
func (l After) Backward(c *layer.Call) {
	dout, din, n := c.DOut, c.DIn[0], c.DOut.Units()
	if din == nil {
		return
	}
	shown := c.Scratch.Bytes(0, dout.T*dout.B)
	for r, seen := range shown {
		dx := din.Data[r*n:][:n]
		if seen == 0 {
			clear(dx)
			continue
		}
		copy(dx, dout.Data[r*n:][:n])
	}
}
