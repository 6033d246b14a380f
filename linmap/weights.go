package linmap

import (
	"sync"
	"sync/atomic"

	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/tensor"
)

// Weights is the matrix W [patch, n] of a Map in the arrangements that its products
// take. Each is made when a path first needs it: with sparse input the packed matrix is
// often never used. Threads share a Weights.
type Weights struct {
	Data []tensor.Float // W, row-major; after a change call Renew

	mu                sync.Mutex // of making, for passes on several goroutines
	forward, backward form[kernel.Packed]
	turned            form[[]tensor.Float]          // rows (i, out), columns (j, in)
	slabs             map[int]*form[[]tensor.Float] // by their columns: one slab after the other
	flipped           []tensor.Float                // rows (i, j, out) of the kernel turned by 180°, columns in
}

// form is the weights in one arrangement.
type form[T any] struct {
	made  atomic.Bool // since the weights changed
	value T
}

// get is the form, made by f where it is not yet.
func (m *form[T]) get(ws *Weights, f func(*T)) *T {
	if !m.made.Load() {
		ws.mu.Lock()
		defer ws.mu.Unlock()
		if !m.made.Load() {
			f(&m.value)
			m.made.Store(true)
		}
	}
	return &m.value
}

// Renew takes up data that has changed: it forgets the arrangements, but for their
// memory.
func (ws *Weights) Renew(data []tensor.Float) {
	ws.Data = data
	ws.forward.made.Store(false)
	ws.backward.made.Store(false)
	ws.turned.made.Store(false)
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, s := range ws.slabs {
		s.made.Store(false)
	}
}

// inSlabs is the form for slabs of so many columns.
func (ws *Weights) inSlabs(columns int) *form[[]tensor.Float] {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.slabs[columns] == nil {
		if ws.slabs == nil {
			ws.slabs = map[int]*form[[]tensor.Float]{}
		}
		ws.slabs[columns] = &form[[]tensor.Float]{}
	}
	return ws.slabs[columns]
}

// Packed is W for the product of patches, made on the threads of pool.
func (m Map) Packed(pool *par.Pool, ws *Weights) *kernel.Packed {
	return ws.forward.get(ws, func(p *kernel.Packed) {
		p.Pack(pool, ws.Data, m.N, m.Patch(), m.N, false)
	})
}

// PackedBack is W for the product of the values that the transposed window sees.
func (m Map) PackedBack(pool *par.Pool, ws *Weights) *kernel.Packed {
	w := ws.Data
	return ws.backward.get(ws, func(p *kernel.Packed) {
		taps := m.KH * m.KW
		if taps == 1 {
			p.Pack(pool, w, m.N, m.N, m.C, true)
			return
		}
		ws.flipped = tensor.Resize(ws.flipped, len(w))
		pool.For(taps, 1, func(_, t0, t1 int) {
			for tap := t0; tap < t1; tap++ {
				kernel.Transpose(ws.flipped[(taps-1-tap)*m.C*m.N:], m.C, w[tap*m.C*m.N:], m.N, m.C, m.N)
			}
		})
		p.Pack(pool, ws.flipped, m.C, taps*m.N, m.C, false)
	})
}

// Pitch is the elements from one row of Turned to the next: each starts at a line of the
// cache.
func (m Map) Pitch() int { return (m.KW*m.C + 15) / 16 * 16 }

// Turned is the rows of W that a value at one output adds back: for row i of the kernel
// and channel o of the output, the row i·N + o.
func (m Map) Turned(ws *Weights) []tensor.Float {
	w := ws.Data
	return *ws.turned.get(ws, func(t *[]tensor.Float) {
		*t = tensor.Resize(*t, m.KH*m.N*m.Pitch())
		for i := range m.KH {
			for j := range m.KW {
				kernel.Transpose((*t)[i*m.N*m.Pitch()+j*m.C:], m.Pitch(), w[(i*m.KW+j)*m.C*m.N:], m.N, m.C, m.N)
			}
		}
	})
}

// Slab is W in slabs of columns, one slab after the other, and the elements from row to
// row of a slab: as it stands, or where slabs of its rows would fall into few sets of a
// cache, their rows being a large power of two apart, rearranged: a copy of W for each
// size of slab that is asked for.
func (m Map) Slab(ws *Weights, slab int) (w []tensor.Float, ld int) {
	w = ws.Data
	if slab == m.N || m.N%256 != 0 {
		return w, m.N
	}
	return *ws.inSlabs(slab).get(ws, func(t *[]tensor.Float) {
		*t = tensor.Resize(*t, len(w))
		dst := *t
		for j0 := 0; j0 < m.N; j0 += slab {
			n := min(slab, m.N-j0)
			for k := range m.Patch() {
				copy(dst[:n], w[k*m.N+j0:])
				dst = dst[n:]
			}
		}
	}), slab
}
