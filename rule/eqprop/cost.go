package eqprop

import (
	"context"
	"errors"

	"synfire/data"
	"synfire/internal/kernel"
	"synfire/tensor"
)

// Cost is what the predictions of a batch take, and what they leave active, summed
// over its samples.
type Cost struct {
	// Products are multiply-accumulates where zeros of inputs, states and weights are
	// skipped; of spiking units additions of a weight.
	Products int
	// Forward is the part of Products of the predictor's pass, which is all that
	// Learner.Forward takes.
	Forward int
	// Active is the number of units above zero in the free states, by layer from 1.
	Active []int
}

// Add adds the cost of other samples.
func (c *Cost) Add(o Cost) {
	c.Products += o.Products
	c.Forward += o.Forward
	if c.Active == nil {
		c.Active = make([]int, len(o.Active))
	}
	for l, n := range o.Active {
		c.Active[l] += n
	}
}

// Cost predicts a batch and counts. With |·|₀ the number of weights that are not zero
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
func (l *Learner) Cost(ctx context.Context, d *data.Batch) (Cost, error) {
	c, r := l.c, l.r
	if c.Convolutional != nil || c.Schedule != Simultaneous || c.Output != SquaredError || c.Tolerance > 0 {
		return Cost{}, errors.New("eqprop: cost: want fully connected layers, simultaneous updates, the squared error and no tolerance")
	}
	if _, err := l.Predict(ctx, d); err != nil {
		return Cost{}, err
	}
	cost := Cost{Active: make([]int, r.top)}
	for i := range cost.Active {
		cost.Active[i] = kernel.CountNonzero(r.free[i+1][:d.Len()*r.sizes[i+1]])
	}
	if r.predictor != nil {
		cost.Forward = sent(d.X, fanOut(r.predictor, 1))
		for i := 1; i < r.top; i++ {
			cost.Forward += sent(r.guess[i][:d.Len()*r.sizes[i]], fanOut(r.predictor, i+1))
		}
	}
	cost.Products = cost.Forward + l.SynapticOperations()
	if c.Spiking == nil && d.Len() > 0 {
		cost.Products += l.products(d)
	}
	return cost, nil
}

// products relaxes a batch once more, in one block, and counts.
func (l *Learner) products(d *data.Batch) int {
	r, w, m := l.r, &l.r.blocks[0], newMeter(l.r.net)
	w.begin(r, 0, d.Len())
	r.setBase(w, &l.batch)
	r.start(w, &l.batch)
	n := sent(d.X, fanOut(r.net, 1))
	for range l.c.Free {
		n += m.step(w)
		r.step(w, &l.batch, 0)
	}
	if t := l.c.TopK; t != nil && t.Variant == Hard {
		for i := 1; i <= r.top; i++ {
			if r.binds(i) {
				n += m.drive(w, i)
			}
		}
		n += m.step(w)
		r.choose(w, &l.batch)
		n += m.step(w)
	}
	return n
}

// meter counts products with a network's weights. up and down are, by layer, the
// weights that a unit sends through to the layer above and to the one below.
type meter struct{ up, down [][]int }

func newMeter(n *Net) meter {
	top := len(n.W)
	m := meter{make([][]int, top+1), make([][]int, top+1)}
	for l := 2; l <= top; l++ {
		m.up[l-1], m.down[l] = fanOut(n, l), fanIn(n, l)
	}
	return m
}

// drive is the products of the drive of a layer.
func (m meter) drive(w *block, l int) (n int) {
	if l > 1 {
		n += sent(w.s[l-1], m.up[l-1])
	}
	if l < len(m.up)-1 {
		n += sent(w.s[l+1], m.down[l+1])
	}
	return n
}

// step is the products of a step of all layers.
func (m meter) step(w *block) (n int) {
	for l := 1; l < len(m.up); l++ {
		n += m.drive(w, l)
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
func fanOut(n *Net, l int) []int {
	out, columns := make([]int, n.Sizes[l-1]), n.Sizes[l]
	for i := range out {
		out[i] = kernel.CountNonzero(n.W[l-1].Value.Data[i*columns:][:columns])
	}
	return out
}

// fanIn is the number of weights of each column.
func fanIn(n *Net, l int) []int {
	in := make([]int, n.Sizes[l])
	for i, v := range n.W[l-1].Value.Data {
		if v != 0 {
			in[i%len(in)]++
		}
	}
	return in
}
