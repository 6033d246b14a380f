// Package diagnose looks at networks that learn by equilibrium propagation, from outside
// and slowly: how they relax, what bounds they break, how near their estimates are to
// the gradient by backpropagation through time, which is computed in float64 and plain
// loops, and what their predictions cost.
//
//	cos(g, ∂C/∂W) = ⟨g, ∂C/∂W⟩/(‖g‖·‖∂C/∂W‖)
//
// of an estimate g tells its direction from the gradient's; stable relaxations need steps
// ε(1 + λ + ‖A‖) < 2, with the norm of the coupling.
package diagnose

import (
	"context"
	"errors"

	"synfire/internal/kernel"
	"synfire/rule/eqprop"
	"synfire/rule/eqprop/coupling"
	"synfire/rule/eqprop/limit"
	"synfire/sample"
	"synfire/tensor"
)

// Cost is what the predictions of a batch take, and what they leave active, summed
// over its samples.
type Cost struct {
	// Products are multiply-accumulates where zeros of inputs, states and weights are
	// skipped; of spiking units additions of a weight.
	Products int
	// Forward is the part of Products of the predictor's pass, which is all that
	// eqprop.Learner.Forward takes.
	Forward int
	// Active is the number of units above zero in the free states, by layer from 1, and
	// Predicted that of a predictor's outputs that are not zero.
	Active, Predicted []int
}

// Add adds the cost of other samples.
func (c *Cost) Add(o Cost) {
	c.Products += o.Products
	c.Forward += o.Forward
	if c.Active == nil {
		c.Active, c.Predicted = make([]int, len(o.Active)), make([]int, len(o.Predicted))
	}
	for l, n := range o.Active {
		c.Active[l] += n
	}
	for l, n := range o.Predicted {
		c.Predicted[l] += n
	}
}

// CostOf predicts a batch and counts. With |·|₀ the number of weights that are not zero
// in a row or a column, a prediction takes, once, the product with the input,
//
//	Σ_{i: x_i ≠ 0} |W_1[i, ·]|₀
//
// and in each free step, from the states before it, what active units send up and down,
//
//	Σ_{l < L} Σ_{j: s_lj ≠ 0} |W_{l+1}[j, ·]|₀ + Σ_{l > 1} Σ_{j: s_lj ≠ 0} |W_l[·, j]|₀
//
// A predictor's pass comes before, its hidden outputs in place of s. Hard top-k adds the
// drives of its choice and two steps, of which the last counts the units that end active.
// Spiking units send spikes in place of states, the input too, in each step.
//
// It knows fully connected layers with simultaneous updates, the squared error and no
// tolerance.
func CostOf(ctx context.Context, l *eqprop.Learner, d *sample.Batch) (Cost, error) {
	c := l.Config()
	if c.Convolutional != nil || c.Schedule != eqprop.Simultaneous || c.Output != eqprop.SquaredError || c.Tolerance > 0 {
		return Cost{}, errors.New("eqprop: cost: want fully connected layers, simultaneous updates, the squared error and no tolerance")
	}
	if _, err := l.Predict(ctx, d); err != nil {
		return Cost{}, err
	}
	cost := Cost{}
	for _, s := range l.Free() {
		cost.Active = append(cost.Active, kernel.CountNonzero(s))
	}
	if guess := l.Guess(); guess != nil {
		cost.Forward = sent(d.X, fanOut(l.Predictor(), 1))
		for i, s := range guess {
			cost.Predicted = append(cost.Predicted, kernel.CountNonzero(s))
			if i+1 < len(guess) {
				cost.Forward += sent(s, fanOut(l.Predictor(), i+2))
			}
		}
	}
	cost.Products = cost.Forward + l.SynapticOperations()
	if c.Spiking == nil && d.Len() > 0 {
		n, err := products(l, d)
		if err != nil {
			return Cost{}, err
		}
		cost.Products += n
	}
	return cost, nil
}

// products relaxes a batch once more, and counts.
func products(l *eqprop.Learner, d *sample.Batch) (int, error) {
	x, err := l.Relaxation(d)
	if err != nil {
		return 0, err
	}
	c, m, states := l.Config(), newMeter(l.Net()), x.States()
	n := sent(d.X, fanOut(l.Net(), 1))
	for range c.Free {
		n += m.step(states)
		x.Step(0)
	}
	if c.TopK != nil && c.TopK.Variant == limit.Hard {
		for i := range states {
			if l.Chooses(i + 1) {
				n += m.drive(states, i+1)
			}
		}
		n += m.step(states)
		x.Choose()
		n += m.step(states)
	}
	return n, nil
}

// meter counts products with a network's weights. up and down are, by layer, the
// weights that a unit sends through to the layer above and to the one below.
type meter struct{ up, down [][]int }

func newMeter(n *coupling.Net) meter {
	top := len(n.W)
	m := meter{make([][]int, top+1), make([][]int, top+1)}
	for l := 2; l <= top; l++ {
		m.up[l-1], m.down[l] = fanOut(n, l), fanIn(n, l)
	}
	return m
}

// drive is the products of the drive of a layer.
func (m meter) drive(states [][]tensor.Float, l int) (n int) {
	if l > 1 {
		n += sent(states[l-2], m.up[l-1])
	}
	if l < len(m.up)-1 {
		n += sent(states[l], m.down[l+1])
	}
	return n
}

// step is the products of a step of all layers.
func (m meter) step(states [][]tensor.Float) (n int) {
	for l := 1; l < len(m.up); l++ {
		n += m.drive(states, l)
	}
	return n
}

// sent sums the weights that the units of some rows send through, of those that are
// not zero.
func sent(rows []tensor.Float, weights []int) (n int) {
	for at := 0; at < len(rows); at += len(weights) {
		for j, v := range rows[at:][:len(weights)] {
			if v != 0 {
				n += weights[j]
			}
		}
	}
	return n
}

// fanOut is the number of weights of each row of W_l that are not zero.
func fanOut(n *coupling.Net, l int) []int {
	out, columns := make([]int, n.Sizes[l-1]), n.Sizes[l]
	for i := range out {
		out[i] = kernel.CountNonzero(n.W[l-1].Value.Data[i*columns:][:columns])
	}
	return out
}

// fanIn is the number of weights of each column.
func fanIn(n *coupling.Net, l int) []int {
	in := make([]int, n.Sizes[l])
	for i, v := range n.W[l-1].Value.Data {
		if v != 0 {
			in[i%len(in)]++
		}
	}
	return in
}
