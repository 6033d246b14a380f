package kernel

import "math/bits"

// The plain Go level of what finds and adds events.

func indicesGo(dst []int32, words []uint64, lo, hi int, base int32) []int32 {
	for w := lo >> 6; w<<6 < hi; w++ {
		for x := within(words[w], w<<6, lo, hi); x != 0; x &= x - 1 {
			dst = append(dst, int32(w<<6+bits.TrailingZeros64(x)-lo)+base)
		}
	}
	return dst
}

func nonzerosGo(at []int32, val []Float, x []Float, base int32) ([]int32, []Float) {
	for i, v := range x {
		if v != 0 {
			at, val = append(at, int32(i)+base), append(val, v)
		}
	}
	return at, val
}

func countNonzeroGo(x []Float) int {
	n := 0
	for _, v := range x {
		if v != 0 {
			n++
		}
	}
	return n
}

func nonzeroBitsGo(dst []uint64, x []Float) {
	for w := range dst {
		var word uint64
		for i, v := range x[w*64 : min(w*64+64, len(x))] {
			if v != 0 {
				word |= 1 << i
			}
		}
		dst[w] = word
	}
}

func expandGo(dst []Float, words []uint64, lo int) {
	for i := range dst {
		dst[i] = Float(words[(lo+i)>>6] >> ((lo + i) & 63) & 1)
	}
}

// transpose64Go swaps ever smaller squares across the diagonal: the right upper
// half of each pair of rows with the left lower one.
func transpose64Go(a *[64]uint64) {
	for s, m := 32, uint64(1<<32-1); s > 0; s, m = s/2, m^m<<(s/2) {
		for i := 0; i < 64; i = ((i | s) + 1) &^ s {
			t := (a[i]>>s ^ a[i|s]) & m
			a[i|s] ^= t
			a[i] ^= t << s
		}
	}
}

func maxRowGo(rows []int32) uint32 {
	var last uint32 // a negative row becomes a large one
	for _, r := range rows {
		last = max(last, uint32(r))
	}
	return last
}

func addRowsMultiGo(count int, c []Float, cstep int, w []Float, wstep, ldw, n int, rows []int32, val []Float) {
	for i := range count {
		addScaledRows(c[i*cstep:][:n], w[i*wstep:], ldw, rows, val)
	}
}

// addScaledRows adds the listed rows of w, each times its value, to c.
func addScaledRows(c, w []Float, ldw int, rows []int32, val []Float) {
	if val == nil {
		addRowsGo(c, w, ldw, rows)
		return
	}
	for e, r := range rows {
		for j, x := range w[int(r)*ldw:][:len(c)] {
			c[j] += Float(val[e] * x)
		}
	}
}

func sumRowsGo(count int, c []Float, cstep int, w []Float, wstep, ldw, n int, rows []int32, val []Float, ends []int32) {
	for i := range count {
		start := int32(0)
		for _, end := range ends {
			for j := range n {
				if start == end {
					break
				}
				var sum Float
				for e := start; e < end; e++ {
					x := w[i*wstep+int(rows[e])*ldw+j]
					if val != nil {
						x *= val[e]
					}
					sum += Float(x)
				}
				c[i*cstep+j] += sum
			}
			start = end
		}
	}
}

func (g Patches) addRowGo(c []Float, ldc int, w []Float, ldw, n, y, x0, x1 int, at []int32, val []Float, first []int32) {
	i0, i1 := g.rowsSeen(y)
	for x := x0; x < x1; x++ {
		l := x*g.Stride - g.PadW
		j0, j1 := max(l, 0), min(l+g.KW, g.W)
		if j0 >= j1 {
			continue
		}
		dst := c[(x-x0)*ldc:][:n]
		for i := i0; i < i1; i++ {
			row := (y*g.Stride - g.PadH + i) * g.W
			less := (row + l - i*g.KW) * g.C // from a place to its row of w
			for e := first[row+j0]; e < first[row+j1]; e++ {
				from := w[(int(at[e])-less)*ldw:][:n]
				for j, x := range from {
					if val != nil {
						x *= val[e]
					}
					dst[j] += Float(x)
				}
			}
		}
	}
}
