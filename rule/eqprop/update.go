package eqprop

import (
	"slices"

	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/rule/eqprop/coupling"
	"synfire/rule/eqprop/sparse"
	"synfire/sample"
	"synfire/tensor"
)

// denseInput is the share of inputs that are not zero above which lists of them
// are slower than whole products.
const denseInput = 0.35

// batch is the inputs of a run, as rows and, unless most elements count, as lists
// of those that are not zero.
type batch struct {
	n, in    int
	x        []tensor.Float
	labels   []int
	index    []int
	epoch    int
	learning bool
	dense    bool
	kept     [][]tensor.Float // states to begin from and to keep, by layer and place in the file; nil: none

	pitch int
	at    []int32
	val   []tensor.Float
	count []int
}

// purpose is that of random numbers.
func (b *batch) purpose() string {
	if b.learning {
		return rng.Encode
	}
	return rng.Eval
}

// set takes up a batch's inputs; what follows is listed by list.
func (b *batch) set(d *sample.Batch, in int, learning, events bool) {
	b.epoch = 0
	if learning {
		b.epoch = d.Epoch
	}
	b.n, b.in, b.x, b.labels, b.index, b.learning = d.Len(), in, d.X, d.Classes(), d.Index, learning
	b.kept = nil
	b.dense = !events && float64(kernel.CountNonzero(b.x)) > denseInput*float64(len(b.x))
	b.pitch = in + kernel.Slack
	if !b.dense && len(b.at) < b.n*b.pitch {
		b.at, b.val = make([]int32, b.n*b.pitch), make([]tensor.Float, b.n*b.pitch)
	}
	b.count = slices.Grow(b.count[:0], b.n)[:b.n]
}

// list finds the elements of samples [lo, hi) that are not zero.
func (b *batch) list(lo, hi int) {
	if b.dense {
		return
	}
	for i := lo; i < hi; i++ {
		from, to := i*b.pitch, (i+1)*b.pitch
		at, _ := kernel.Nonzeros(b.at[from:from:to], b.val[from:from:to], b.x[i*b.in:][:b.in], 0)
		b.count[i] = len(at)
	}
}

// events are the listed elements of a sample.
func (b *batch) events(i int) ([]int32, []tensor.Float) {
	return b.at[i*b.pitch:][:b.count[i]], b.val[i*b.pitch:][:b.count[i]]
}

// lists are the elements of some columns of a batch's inputs, column by column:
// the samples and their values.
type lists struct{ kernel.Lists }

// turn lists columns [lo, hi) of the inputs. Samples ascend within each.
func (t *lists) turn(b *batch, lo, hi int) {
	// First[c+1] is where column c goes on, and in the end where it ends.
	t.First = slices.Grow(t.First[:0], hi-lo+2)[:hi-lo+2]
	clear(t.First)
	for i := range b.n {
		at, _ := b.events(i)
		for _, c := range at[first(at, lo):first(at, hi)] {
			t.First[int(c)-lo+2]++
		}
	}
	for i := range hi - lo {
		t.First[i+2] += t.First[i+1]
	}
	total := int(t.First[hi-lo+1])
	t.First = t.First[:hi-lo+1]
	t.At, t.Val = slices.Grow(t.At[:0], total)[:total], tensor.Resize(t.Val, total)
	for i := range b.n {
		at, val := b.events(i)
		for e := first(at, lo); e < first(at, hi); e++ {
			place := &t.First[int(at[e])-lo+1]
			t.At[*place], t.Val[*place] = int32(i), val[e]
			*place++
		}
	}
}

// column is the samples and values of a column.
func (t *lists) column(i int) ([]int32, []tensor.Float) {
	from, to := t.First[i], t.First[i+1]
	return t.At[from:to], t.Val[from:to]
}

func first(at []int32, c int) int {
	i, _ := slices.BinarySearch(at, int32(c))
	return i
}

// update is an addition of a batch's estimates to parameters. Threads split the
// rows of the matrices, never the sums over samples.
type update struct {
	r              *relaxer
	b              *batch
	phases         int
	before         [][]tensor.Float // m
	net, predictor *coupling.Net    // added to
}

// add adds the steps of the last run to the parameters of net and predictor.
func (r *relaxer) add(b *batch, betas []tensor.Float, net, predictor *coupling.Net) {
	rows := 0
	for l := 1; l < len(r.sizes); l++ {
		rows += r.net.Rows(l) + 1 // the biases are one more
	}
	if predictor != nil {
		rows *= 2
	}
	r.updates.For(r.c.Pool, rows, 64, update{r, b, len(betas), r.compared(betas), net, predictor}, runUpdate)
}

// runUpdate finds the rows [lo, hi) of all matrices, one after another.
func runUpdate(u *update, worker, lo, hi int) {
	nets := []*coupling.Net{u.net, u.predictor}
	start := 0
	for which, net := range nets {
		if net == nil {
			break
		}
		for l := 1; l < len(u.r.sizes); l++ {
			n := u.r.net.Rows(l)
			if from, to := max(lo-start, 0), min(hi-start, n); from < to {
				u.rows(worker, which, l, from, to)
			}
			if bias := start + n; lo <= bias && bias < hi {
				u.bias(which, l)
			}
			start += n + 1
		}
	}
}

// rows updates rows [lo, hi) of a matrix of the network, or of the predictor.
func (u *update) rows(worker, which, l, lo, hi int) {
	r, b, n := u.r, u.b, u.r.net.Columns(l)
	if which == 1 {
		w, m := u.predictor.W[l-1].Value.Data, &r.forwardKept[l-1]
		masked := m.Listed() && !r.regrows() && u.predictor == r.learnedPredictor()
		dst := w[lo*n : hi*n]
		switch {
		case masked && l == 1 && !b.dense:
			u.keptInputRows(worker, lo, hi, dst, r.errors[1], m)
			return
		case l == 1:
			u.inputRows(worker, lo, hi, dst, r.errors[1])
		default:
			r.forward[l].Outer(dst, b.n, r.guess[l-1], r.errors[l], lo, hi)
		}
		if masked {
			m.Mask(w, lo, hi)
		}
		return
	}
	w, m := u.net.W[l-1].Value.Data, &r.kept[l-1]
	masked := m.Listed() && !r.regrows() && u.net == r.learned()
	dst := w[lo*n : hi*n]
	switch {
	case masked && l == 1 && !b.dense:
		u.keptInputRows(worker, lo, hi, dst, r.steps[1], m)
		return
	case r.convs[l] != nil:
		u.convolution(worker, l, lo, hi, dst)
	case l > r.top:
		r.dense[l].Outer(dst, b.n, r.plus[l-1], r.plus[l], lo, hi)
		if u.phases == 2 {
			r.dense[l].Outer(dst, b.n, r.minus[l-1], r.minus[l], lo, hi)
		}
	case l == 1:
		u.inputRows(worker, lo, hi, dst, r.steps[1])
	default:
		// p pᵀ − m mᵀ as (p − m) pᵀ + m (p − m)ᵀ, which is exact where nothing
		// moved and rounds small numbers.
		r.dense[l].Outer(dst, b.n, r.diff[l-1], r.scaled[l], lo, hi)
		r.dense[l].Outer(dst, b.n, u.before[l-1], r.steps[l], lo, hi)
	}
	if masked {
		m.Mask(w, lo, hi)
	}
}

// inputRows adds the products of columns [lo, hi) of the inputs with the errors to
// rows of a first matrix.
func (u *update) inputRows(worker, lo, hi int, dst, errors []tensor.Float) {
	b, n := u.b, u.r.sizes[1]
	if b.dense {
		u.r.dense[1].Outer(dst, b.n, b.x, errors, lo, hi)
		return
	}
	t := &u.r.blocks[worker].lists
	t.turn(b, lo, hi)
	for i := range hi - lo {
		samples, val := t.column(i)
		kernel.AddRowsMulti(1, dst[i*n:][:n], n, errors, n, n, n, samples, val)
	}
}

// keptInputRows is inputRows for the kept weights of a pruned matrix and listed inputs.
func (u *update) keptInputRows(worker, lo, hi int, dst, errors []tensor.Float, m *sparse.Matrix) {
	t, n := &u.r.blocks[worker].lists, u.r.sizes[1]
	t.turn(u.b, lo, hi)
	t.AddKept(dst, errors, n, n, m.RowBits(lo, hi))
}

// bias updates the biases of a layer.
func (u *update) bias(which, l int) {
	r, n := u.r, u.r.net.Columns(l)
	switch {
	case which == 1:
		kernel.ColumnSums(u.predictor.B[l-1].Value.Data, r.errors[l], n, u.b.n)
	case l > r.top:
		for _, states := range [][][]tensor.Float{r.plus, r.minus}[:u.phases] {
			kernel.ColumnSums(u.net.B[l-1].Value.Data, states[l], n, u.b.n)
		}
	default:
		kernel.ColumnSums(u.net.B[l-1].Value.Data, r.steps[l], n, u.b.n*r.mapped(l)/n)
	}
}

// convolution updates rows [lo, hi) of a convolution's weights: with u = P⁻¹(p) and
// v = P⁻¹(m), p ⋆ u − m ⋆ v as (p − m) ⋆ u + m ⋆ (u − v).
func (u *update) convolution(worker, l, lo, hi int, dst []tensor.Float) {
	r, g, s := u.r, u.r.convs[l], &u.r.blocks[worker].images
	if l == 1 {
		g.Correlate(s, dst, u.b.x, r.steps[l], u.b.n, lo, hi)
		return
	}
	g.Correlate(s, dst, r.diff[l-1], r.scaled[l], u.b.n, lo, hi)
	g.Correlate(s, dst, u.before[l-1], r.steps[l], u.b.n, lo, hi)
}
