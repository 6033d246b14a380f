package sparse

import (
	"cmp"
	"slices"

	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/tensor"
)

// Sums over lists of the kept weights take less time than products with the whole
// matrix where few are kept, of a matrix that is not narrow.
const (
	sparseShare = 0.2
	sparseWidth = 64
	// fewShare is that for a thread's share of few samples: they fill no vectors.
	fewShare, few = 0.12, 16
	// learningShare is that of the products with listed inputs in a step of learning:
	// they skip zeros themselves, and lists must be made anew for one product.
	learningShare = 0.05
	// eventShare is that of a spike, which adds a row to one sample's sums: whole
	// rows go by vectors, kept weights one by one.
	eventShare = 0.02
)

// Matrix is a pruned matrix [k, n] by the weights that are left of it: once by row, for
// what comes from above, and once by column. The zero value is a whole matrix.
type Matrix struct {
	Rows, Columns Entries
	Sums          bool // whether a batch's products are sums over lists: see Choose

	source []int32  // of a column's entry, its number among the rows'
	bits   []uint64 // which weights are kept, from a new word on in each row
	stale  bool     // whether the values have changed since they were taken up
}

// Entries are the kept weights of each row, or column, one after another: a list for
// each, whose rows are the columns of the matrix, or its rows.
type Entries struct {
	kernel.Lists
	order []int32 // the lists, by their lengths
}

// of is a list and its weights.
func (e *Entries) of(i int) (at []int32, val []tensor.Float) {
	from, to := e.First[i], e.First[i+1]
	return e.At[from:to], e.Val[from:to]
}

// sort orders the lists.
func (e *Entries) sort() {
	e.order = e.order[:0]
	for i := range len(e.First) - 1 {
		e.order = append(e.order, int32(i))
	}
	length := func(i int32) int32 { return e.First[i+1] - e.First[i] }
	slices.SortStableFunc(e.order, func(i, j int32) int { return cmp.Compare(length(i), length(j)) })
}

// Count is the number of weights in some rows, of width where nothing was pruned.
func (e *Entries) Count(rows []int32, width int) (n int) {
	if e.First == nil {
		return len(rows) * width
	}
	for _, i := range rows {
		at, _ := e.of(int(i))
		n += len(at)
	}
	return n
}

// List takes up which weights of k rows of n are not zero.
func (m *Matrix) List(w []tensor.Float, k, n int) {
	m.stale = false
	rows, columns := &m.Rows, &m.Columns
	*rows, *columns, m.source = Entries{}, Entries{}, m.source[:0]
	starts, words := make([]int32, n+1), (n+63)/64
	m.bits = make([]uint64, k*words)
	rows.First = append(rows.First, 0)
	for i := range k {
		for j, v := range w[i*n:][:n] {
			if v != 0 {
				rows.At, rows.Val = append(rows.At, int32(j)), append(rows.Val, v)
				m.bits[i*words+j/64] |= 1 << (j % 64)
				starts[j+1]++
			}
		}
		rows.First = append(rows.First, int32(len(rows.At)))
	}
	for j := range n {
		starts[j+1] += starts[j]
	}
	columns.At, columns.Val = make([]int32, len(rows.At)), make([]tensor.Float, len(rows.At))
	columns.First, m.source = starts, make([]int32, len(rows.At))
	next := slices.Clone(starts)
	e := int32(0)
	for i := range k {
		for ; e < rows.First[i+1]; e++ {
			place := next[rows.At[e]]
			next[rows.At[e]]++
			columns.At[place], columns.Val[place], m.source[place] = int32(i), rows.Val[e], e
		}
	}
	rows.sort()
	columns.sort()
}

// size is that of the matrix.
func (m *Matrix) size() (k, n int) { return len(m.Rows.First) - 1, len(m.Columns.First) - 1 }

// Listed says whether anything may have been pruned.
func (m *Matrix) Listed() bool { return m.Rows.First != nil }

// below says whether the matrix is wide enough for lists and no more than a share of its
// weights is left.
func (m *Matrix) below(share float64) bool {
	k, n := m.size()
	return min(k, n) >= sparseWidth && float64(len(m.source)) <= share*float64(k*n)
}

// Always reports whether the products of all batches are sums over lists.
func (m *Matrix) Always() bool { return m.below(fewShare) }

// ForEvents reports whether what a spike adds are the kept weights one by one.
func (m *Matrix) ForEvents() bool { return m.below(eventShare) }

// Choose decides whether the products of a batch of n samples are sums over lists.
// Relisted are inputs of a step of learning that are listed.
func (m *Matrix) Choose(n, threads int, relisted bool) {
	share := sparseShare
	switch {
	case relisted:
		share = learningShare
	case n <= few*threads:
		share = fewShare
	}
	m.Sums = m.below(share)
}

// Changed says that the weights have other values now.
func (m *Matrix) Changed() { m.stale = m.Listed() }

// RowBits are the bits of rows [lo, hi).
func (m *Matrix) RowBits(lo, hi int) []uint64 {
	_, n := m.size()
	words := (n + 63) / 64
	return m.bits[lo*words : hi*words]
}

// Mask returns rows [lo, hi) of a matrix to zero but for what is kept.
func (m *Matrix) Mask(w []tensor.Float, lo, hi int) {
	_, n := m.size()
	for i := lo; i < hi; i++ {
		kernel.KeepBits(w[i*n:][:n], m.RowBits(i, i+1))
	}
}

// Loops work on matrices on many threads, without garbage.
type Loops struct{ loop par.Loop[listing] }

// Mask returns a matrix w to zero but for what is kept.
func (l *Loops) Mask(pool *par.Pool, m *Matrix, w []tensor.Float) {
	k, _ := m.size()
	l.loop.For(pool, k, 64, listing{m, w}, func(p *listing, _, lo, hi int) { p.m.Mask(p.w, lo, hi) })
}

// Take takes up the values of a matrix w, if products need them and they have changed.
func (l *Loops) Take(pool *par.Pool, m *Matrix, w []tensor.Float) {
	if !m.Sums || !m.stale {
		return
	}
	k, n := m.size()
	m.stale = false
	l.loop.For(pool, k, 64, listing{m, w}, runRows)
	l.loop.For(pool, n, 64, listing{m, nil}, runColumns)
}

// listing is a part of the work on a matrix.
type listing struct {
	m *Matrix
	w []tensor.Float
}

// runRows gives rows [lo, hi) their values.
func runRows(p *listing, _, lo, hi int) {
	_, n := p.m.size()
	for i := lo; i < hi; i++ {
		at, val := p.m.Rows.of(i)
		row := p.w[i*n:][:n]
		for e, j := range at {
			val[e] = row[j]
		}
	}
}

// runColumns hands the values of the rows on to columns.
func runColumns(p *listing, _, lo, hi int) {
	m := p.m
	for j := lo; j < hi; j++ {
		_, val := m.Columns.of(j)
		for e, from := range m.source[m.Columns.First[j]:m.Columns.First[j+1]] {
			val[e] = m.Rows.Val[from]
		}
	}
}

// AddRow adds the kept weights of list i, times x, to u.
func (e *Entries) AddRow(u []tensor.Float, i int32, x tensor.Float) {
	at, weights := e.of(int(i))
	weights = weights[:len(at)]
	for k, j := range at {
		u[j] += tensor.Float(x * weights[k])
	}
}

// Product is working memory of sums over lists: samples side by side, so that a
// weight meets those of a block in one vector.
type Product struct{ in, out []tensor.Float }

// pitch is the distance of rows of samples.
func pitch(count int) int { return (count + 15) &^ 15 }

// Add adds to count rows of c the products of count rows of s with the listed
// weights: the sums of kernel.Packed.MulDirect, without the terms that are zero.
func (p *Product) Add(e *Entries, count int, s []tensor.Float, k int, c []tensor.Float, n int) {
	p.in = turn(p.in, s, count, k)
	p.addTurned(e, count, c, n)
}

// AddEvents is Add for count listed inputs of k elements: of gives each its places and
// values.
func (p *Product) AddEvents(e *Entries, count, k int, of func(i int) ([]int32, []tensor.Float), c []tensor.Float, n int) {
	ld := pitch(count)
	p.in = tensor.Resize(p.in, k*ld)
	clear(p.in)
	for i := range count {
		at, val := of(i)
		for e, j := range at {
			p.in[int(j)*ld+i] = val[e]
		}
	}
	p.addTurned(e, count, c, n)
}

func (p *Product) addTurned(e *Entries, count int, c []tensor.Float, n int) {
	ld := pitch(count)
	p.out = turn(p.out, c, count, n)
	e.Add(p.out, ld, p.in, ld, count, e.order)
	kernel.Transpose(c, n, p.out, ld, n, count)
}

// turn writes count rows of n as n rows of count.
func turn(dst, rows []tensor.Float, count, n int) []tensor.Float {
	ld := pitch(count)
	dst = tensor.Resize(dst, n*ld)
	kernel.Transpose(dst, ld, rows, n, count, n)
	return dst
}
