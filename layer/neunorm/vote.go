package neunorm

import (
	"fmt"

	"synfire/layer"
	"synfire/signal"
	"synfire/tensor"
)

// Vote is the mean of each Voters neighbouring units of a vector, in their order: the
// readout of a network in which several neurons stand for a class (Wu et al., "Direct
// training for spiking neural networks: faster, larger, better", AAAI 2019). It has no
// weights. With k = Voters,
//
//	y_c[t] = (1/k)·Σ_j o_{c·k + j}[t],   ∂o_{c·k + j}[t] = ∂y_c[t]/k
type Vote struct {
	Voters int `yaml:"voters,required"` // units that stand for a class
}

// Output is a vector with a unit for each group of the input's.
func (l Vote) Output(in ...tensor.Shape) (tensor.Shape, error) {
	if len(in) != 1 {
		return nil, fmt.Errorf("vote: %d inputs, want 1", len(in))
	}
	s := in[0]
	switch {
	case len(s) != 1:
		return nil, fmt.Errorf("vote: input of shape %v, want a vector; put a flatten layer before it", s)
	case l.Voters < 1 || s[0]%l.Voters != 0:
		return nil, fmt.Errorf("vote: %d voters of a class do not divide %d units; give the layer before it classes × voters outputs", l.Voters, s[0])
	}
	return tensor.Shape{s[0] / l.Voters}, nil
}

// ForgetsInput is true.
func (Vote) ForgetsInput() bool { return true }

// Forward takes the means.
func (l Vote) Forward(c *layer.Call) {
	in, out := c.In[0], c.Out
	kind := signal.Dense
	if in.Kind == signal.Constant {
		kind = signal.Constant
	}
	out.Reset(kind, in.T, in.B, c.Shape)
	scale := 1 / tensor.Float(l.Voters)
	for i := range out.Data {
		var sum tensor.Float
		for _, v := range in.Data[i*l.Voters:][:l.Voters] {
			sum += v
		}
		out.Data[i] = sum * scale
	}
}

// Backward gives each voter its share.
func (l Vote) Backward(c *layer.Call) {
	din := c.DIn[0]
	if din == nil {
		return
	}
	scale := 1 / tensor.Float(l.Voters)
	for i := range din.Data {
		din.Data[i] = c.DOut.Data[i/l.Voters] * scale
	}
}
