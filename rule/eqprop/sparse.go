package eqprop

import (
	"synfire/internal/kernel"
	"synfire/tensor"
)

// Sums over lists of the kept weights take less time than products with the whole
// matrix where few are kept, of a matrix that is not narrow.
const (
	sparseShare = 0.2
	sparseWidth = 64
	// eventShare is that of a spike, which adds a row to one sample's sums: whole
	// rows go by vectors, kept weights one by one.
	eventShare = 0.02
)

// kept is a pruned matrix [k, n] by the weights that are left of it: once by row, for
// what comes from above, and once by column. The zero value is a whole matrix.
type kept struct {
	rows, columns entries
	order         []int32  // of a column's entry, its number among the rows'
	bits          []uint64 // which weights are kept, from a new word on in each row
}

// entries are the kept weights of each row, or column, one after another.
type entries struct {
	ends []int32
	at   []int32 // column, or row
	val  []tensor.Float
}

func (e *entries) of(i int) (at []int32, val []tensor.Float) {
	from := int32(0)
	if i > 0 {
		from = e.ends[i-1]
	}
	return e.at[from:e.ends[i]], e.val[from:e.ends[i]]
}

// count is the number of weights in some rows, of width where nothing was pruned.
func (e *entries) count(rows []int32, width int) (n int) {
	if e.ends == nil {
		return len(rows) * width
	}
	for _, i := range rows {
		at, _ := e.of(int(i))
		n += len(at)
	}
	return n
}

// list takes up which weights of k rows of n are not zero.
func (m *kept) list(w []tensor.Float, k, n int) {
	rows, columns := &m.rows, &m.columns
	*rows, *columns, m.order = entries{}, entries{}, m.order[:0]
	starts, words := make([]int32, n+1), (n+63)/64
	m.bits = make([]uint64, k*words)
	for i := range k {
		for j, v := range w[i*n:][:n] {
			if v != 0 {
				rows.at, rows.val = append(rows.at, int32(j)), append(rows.val, v)
				m.bits[i*words+j/64] |= 1 << (j % 64)
				starts[j+1]++
			}
		}
		rows.ends = append(rows.ends, int32(len(rows.at)))
	}
	for j := range n {
		starts[j+1] += starts[j]
	}
	columns.at, columns.val = make([]int32, len(rows.at)), make([]tensor.Float, len(rows.at))
	columns.ends, m.order = starts[1:], make([]int32, len(rows.at))
	next := append([]int32(nil), starts...)
	e := int32(0)
	for i := range k {
		for ; e < rows.ends[i]; e++ {
			place := next[rows.at[e]]
			next[rows.at[e]]++
			columns.at[place], columns.val[place], m.order[place] = int32(i), rows.val[e], e
		}
	}
}

// listed says whether anything may have been pruned.
func (m *kept) listed() bool { return m.rows.ends != nil }

// sparse says whether lists are the faster way for products.
func (m *kept) sparse() bool { return m.below(sparseShare) }

func (m *kept) below(share float64) bool {
	k, n := len(m.rows.ends), len(m.columns.ends)
	return min(k, n) >= sparseWidth && float64(len(m.order)) <= share*float64(k*n)
}

// mask returns rows [lo, hi) of a matrix to zero but for what is kept, and takes up
// the values of that where sums are of lists.
func (m *kept) mask(w []tensor.Float, lo, hi int) {
	m.zero(w, lo, hi)
	if m.sparse() {
		m.take(w, lo, hi)
	}
}

// zero returns rows [lo, hi) of a matrix to zero but for what is kept.
func (m *kept) zero(w []tensor.Float, lo, hi int) {
	n := len(m.columns.ends)
	words := (n + 63) / 64
	for i := lo; i < hi; i++ {
		row := w[i*n:][:n]
		for j, word := range m.bits[i*words:][:words] {
			part := row[64*j : min(64*j+64, n)]
			kernel.SelectBits(part, part, word)
		}
	}
}

// take gives rows [lo, hi) the values of a matrix.
func (m *kept) take(w []tensor.Float, lo, hi int) {
	n := len(m.columns.ends)
	for i := lo; i < hi; i++ {
		at, val := m.rows.of(i)
		row := w[i*n:][:n]
		for e, j := range at {
			val[e] = row[j]
		}
	}
}

// spread writes the values of a row where they belong.
func (m *kept) spread(i int, row []tensor.Float) {
	at, val := m.rows.of(i)
	for e, j := range at {
		row[j] = val[e]
	}
}

// listing is a part of the work of taking up a matrix.
type listing struct {
	m *kept
	w []tensor.Float
}

func runMask(p *listing, _, lo, hi int) { p.m.mask(p.w, lo, hi) }
func runTake(p *listing, _, lo, hi int) { p.m.take(p.w, lo, hi) }

// runColumns hands the values of the rows on to columns.
func runColumns(p *listing, _, lo, hi int) {
	m := p.m
	for j := lo; j < hi; j++ {
		_, val := m.columns.of(j)
		from := m.order[int(m.columns.ends[j])-len(val):]
		for e := range val {
			val[e] = m.rows.val[from[e]]
		}
	}
}

// product is working memory of sums over lists: samples side by side, so that a
// weight meets those of a block in one vector.
type product struct{ in, out []tensor.Float }

// pitch is the distance of rows of samples.
func pitch(count int) int { return (count + 15) &^ 15 }

// add adds to count rows of c the products of count rows of s with the listed
// weights: the sums of kernel.Packed.MulDirect, without the terms that are zero.
func (p *product) add(e *entries, count int, s []tensor.Float, k int, c []tensor.Float, n int) {
	p.in = turn(p.in, s, count, k)
	p.addTurned(e, count, c, n)
}

// addEvents is add for listed inputs.
func (p *product) addEvents(e *entries, w *block, b *batch, c []tensor.Float, n int) {
	ld := pitch(w.total)
	p.in = tensor.Resize(p.in, b.in*ld)
	clear(p.in)
	for i := range w.total {
		at, val := b.events(w.lo + i)
		for e, j := range at {
			p.in[int(j)*ld+i] = val[e]
		}
	}
	p.addTurned(e, w.total, c, n)
}

func (p *product) addTurned(e *entries, count int, c []tensor.Float, n int) {
	ld := pitch(count)
	p.out = turn(p.out, c, count, n)
	for j := range n {
		at, val := e.of(j)
		kernel.AddRowsMulti(1, p.out[j*ld:][:count], count, p.in, ld, ld, count, at, val)
	}
	kernel.Transpose(c, n, p.out, ld, n, count)
}

// turn writes count rows of n as n rows of count.
func turn(dst, rows []tensor.Float, count, n int) []tensor.Float {
	ld := pitch(count)
	dst = tensor.Resize(dst, n*ld)
	kernel.Transpose(dst, ld, rows, n, count, n)
	return dst
}
