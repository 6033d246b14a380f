package coupling

import (
	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/linmap"
	"synfire/rule/eqprop/sparse"
	"synfire/tensor"
)

// Dense couples two layers by a matrix W [k, n], as a whole or by the weights that pruning
// has left. Rows of states stand one after another.
type Dense struct {
	linmap.Map
	Kept    *sparse.Matrix
	weights linmap.Weights
	w       []tensor.Float
}

// NewDense couples layers by a matrix of weights.
func NewDense(w tensor.Tensor, kept *sparse.Matrix) *Dense {
	return &Dense{Map: linmap.Dense(w.Shape[0], w.Shape[1]), Kept: kept, w: w.Data}
}

// Renew takes up the weights after they have changed.
func (d *Dense) Renew() { d.weights.Renew(d.w) }

// PackUp and PackDown prepare the products of whole rows, on many threads: before them
// Up and Down would, on one.
func (d *Dense) PackUp(pool *par.Pool)   { d.Packed(pool, &d.weights) }
func (d *Dense) PackDown(pool *par.Pool) { d.PackedBack(pool, &d.weights) }

// Up adds Wᵀ s of count rows of states below to z.
func (d *Dense) Up(p *sparse.Product, count int, s, z []tensor.Float) {
	if d.Kept.Sums {
		p.Add(&d.Kept.Columns, count, s, d.C, z, d.N)
		return
	}
	d.Rows(count).Multiply(nil, &d.weights, z, s)
}

// UpListed is Up for inputs listed by those that are not zero: of gives each row's places
// and values.
func (d *Dense) UpListed(p *sparse.Product, count int, of func(i int) ([]int32, []tensor.Float), z []tensor.Float) {
	if d.Kept.Sums {
		p.AddEvents(&d.Kept.Columns, count, d.C, of, z, d.N)
		return
	}
	for i := range count {
		at, val := of(i)
		kernel.AddRowsMulti(1, z[i*d.N:][:d.N], d.N, d.w, d.N, d.N, d.N, at, val)
	}
}

// Down adds W s of count rows of states above to z.
func (d *Dense) Down(p *sparse.Product, count int, s, z []tensor.Float) {
	if d.Kept.Sums {
		p.Add(&d.Kept.Rows, count, s, d.N, z, d.C)
		return
	}
	d.Rows(count).MultiplyBack(nil, &d.weights, z, s)
}

// Outer adds to rows [lo, hi) of W, which dst holds, the outer products of count rows of
// states below with those above.
func (d *Dense) Outer(dst []tensor.Float, count int, below, above []tensor.Float, lo, hi int) {
	d.Rows(count).OuterRows(nil, dst, below, above, lo, hi)
}

// Weights is W as its rows are added by events: a row for each unit below, and the
// elements from row to row.
func (d *Dense) Weights() (w []tensor.Float, ld int) { return d.w, d.N }

// TurnedWeights is the transpose likewise: a row for each unit above.
func (d *Dense) TurnedWeights() (w []tensor.Float, ld int) {
	return d.Turned(&d.weights), d.Pitch()
}
