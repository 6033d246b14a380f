// Package spike holds spikes: as bits on a grid of time steps (Raster) and as
// times in a window (Train).
package spike

import "math/bits"

// Raster is a table of bits: Rows vectors of Units units. Each row starts at a
// whole word and its unused bits are zero.
type Raster struct {
	Rows, Units int
	Words       int // words of a row: (Units+63)/64
	Bits        []uint64
}

// NewRaster is a raster without spikes.
func NewRaster(rows, units int) Raster {
	var r Raster
	r.Reset(rows, units)
	return r
}

// Reset gives the raster a size and clears it, reusing its memory.
func (r *Raster) Reset(rows, units int) {
	r.Rows, r.Units, r.Words = rows, units, (units+63)/64
	n := rows * r.Words
	if cap(r.Bits) < n {
		r.Bits = make([]uint64, n)
		return
	}
	r.Bits = r.Bits[:n]
	clear(r.Bits)
}

// Row is the words of one row; they are the raster's own.
func (r Raster) Row(row int) []uint64 { return r.Bits[row*r.Words:][:r.Words] }

// Set adds a spike.
func (r Raster) Set(row, unit int) { r.Bits[row*r.Words+unit>>6] |= 1 << (unit & 63) }

// At reports whether a unit spikes in a row.
func (r Raster) At(row, unit int) bool { return r.Bits[row*r.Words+unit>>6]>>(unit&63)&1 == 1 }

// Count is the number of spikes in rows [lo, hi).
func (r Raster) Count(lo, hi int) int {
	n := 0
	for _, w := range r.Bits[lo*r.Words : hi*r.Words] {
		n += bits.OnesCount64(w)
	}
	return n
}

// Train is the train of one unit over rows first, first+stride, …, one a time
// step of length dt; a spike of step t is placed at t·dt, in the window
// [0, steps·dt].
func (r Raster) Train(unit, first, stride, steps int, dt float64) Train {
	tr := Train{Stop: float64(steps) * dt}
	for t := range steps {
		if r.At(first+t*stride, unit) {
			tr.Times = append(tr.Times, float64(t)*dt)
		}
	}
	return tr
}

// Bits is the n ≤ 64 bits of words from bit at on, the first lowest.
func Bits(words []uint64, at, n int) uint64 {
	i, shift := at>>6, at&63
	x := words[i] >> shift
	if shift+n > 64 {
		x |= words[i+1] << (64 - shift)
	}
	if n < 64 {
		x &= 1<<n - 1
	}
	return x
}

// Or sets the bits [at, at+n) of dst that are set among bits [from, from+n) of
// src.
func Or(dst []uint64, at int, src []uint64, from, n int) {
	for n > 0 {
		step := min(n, 64-from&63, 64-at&63)
		x := src[from>>6] >> (from & 63)
		if step < 64 {
			x &= 1<<step - 1
		}
		dst[at>>6] |= x << (at & 63)
		at, from, n = at+step, from+step, n-step
	}
}
