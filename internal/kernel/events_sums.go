package kernel

import "fmt"

// AddRowsMulti adds the same rows of count matrices, the i-th at w[i·wstep],
// to count vectors of n floats, the i-th at c[i·cstep], each row times its
// value; no values (nil) are all ones. Rows may overlap (ldw < n): the taps of
// a convolution's kernel rows are such matrices.
//
//	for i := range count {
//		for e, r := range rows {
//			for j := range n {
//				c[i*cstep+j] = fma(val[e], w[i*wstep+int(r)*ldw+j], c[i*cstep+j])
//			}
//		}
//	}
//
// The plain Go level rounds the product before it adds. The vectors of c must
// not overlap each other.
func AddRowsMulti(count int, c []Float, cstep int, w []Float, wstep, ldw, n int, rows []int32, val []Float) {
	if count < 1 || n < 1 || len(rows) == 0 {
		return
	}
	checkSum("kernel.AddRowsMulti", count, c, cstep, w, wstep, ldw, n, rows, val)
	addRowsMulti(count, c, cstep, w, wstep, ldw, n, rows, val)
}

// SumRows is AddRowsMulti in chains that restart: segment s of the list is
// rows[ends[s-1]:ends[s]], the first one rows[:ends[0]], and the sum of each
// that is not empty is added to c as a whole:
//
//	for i := range count {
//		start := 0
//		for _, end := range ends {
//			for j := range n {   // unless start = end
//				sum := 0
//				for e := start; e < end; e++ {
//					sum = fma(val[e], w[i*wstep+int(rows[e])*ldw+j], sum)
//				}
//				c[i*cstep+j] += sum
//			}
//			start = end
//		}
//	}
func SumRows(count int, c []Float, cstep int, w []Float, wstep, ldw, n int, rows []int32, val []Float, ends []int32) {
	start := int32(0)
	for s, end := range ends {
		if end < start || int(end) > len(rows) {
			panic(fmt.Sprintf("kernel.SumRows: segment %d is [%d, %d) of %d rows; ends must ascend", s, start, end, len(rows)))
		}
		start = end
	}
	if count < 1 || n < 1 || start == 0 {
		return
	}
	rows = rows[:start]
	checkSum("kernel.SumRows", count, c, cstep, w, wstep, ldw, n, rows, val)
	sumRows(count, c, cstep, w, wstep, ldw, n, rows, val, ends)
}

// Patches is the geometry of a convolution: KH×KW patches of an image of H×W
// pixels with C channels, Stride apart in both directions, the first one PadH
// above and PadW left of the image. A linear layer has one pixel and one
// patch, H = W = KH = KW = 1.
type Patches struct {
	H, W, C    int
	KH, KW     int
	Stride     int
	PadH, PadW int
}

// AddRow is the convolution of output pixels [x0, x1) of row y over the events
// of an image, with the KH·KW·C rows of n weights in w. The events are listed
// ascending by their place, at = (row·W + column)·C + channel, with their
// values (nil: ones), and first is Starts(first, at, C) for H·W + 1 entries:
//
//	for x := x0; x < x1; x++ {
//		l := x*Stride - PadW
//		for i := range KH {
//			sy := y*Stride - PadH + i
//			if sy < 0 || sy >= H {
//				continue
//			}
//			lo, hi := first[sy*W+max(l, 0)], first[sy*W+min(l+KW, W)]   // unless l+KW ≤ 0 or l ≥ W
//			for e := lo; e < hi; e++ {
//				r := i*KW*C + int(at[e]) - (sy*W+l)*C
//				for j := range n {
//					c[(x-x0)*ldc+j] = fma(val[e], w[r*ldw+j], c[(x-x0)*ldc+j])
//				}
//			}
//		}
//	}
//
// The plain Go level rounds the product before it adds. Lengths are checked,
// but not that at ascends and that first belongs to it: with other contents
// AddRow reads outside of w.
func (g Patches) AddRow(c []Float, ldc int, w []Float, ldw, n, y, x0, x1 int, at []int32, val []Float, first []int32) {
	checkMatrix("kernel.Patches.AddRow: w", w, ldw, g.KH*g.KW*g.C, n)
	checkMatrix("kernel.Patches.AddRow: c", c, ldc, max(0, x1-x0), n)
	pixels := g.H * g.W
	if len(first) != pixels+1 || int(first[pixels]) > len(at) || first[0] != 0 {
		panic(fmt.Sprintf("kernel.Patches.AddRow: first: %d entries for %d pixels and %d events; build it with Starts", len(first), pixels, len(at)))
	}
	if val != nil && len(val) < len(at) {
		panic(fmt.Sprintf("kernel.Patches.AddRow: %d values for %d events", len(val), len(at)))
	}
	if x0 < x1 && n > 0 && first[pixels] > 0 {
		g.addRow(c, ldc, w, ldw, n, y, x0, x1, at, val, first)
	}
}

// rowsSeen are the kernel rows [i0, i1) that lie inside the image in output
// row y.
func (g Patches) rowsSeen(y int) (i0, i1 int) {
	top := y*g.Stride - g.PadH
	return max(0, -top), min(g.KH, g.H-top)
}

func checkSum(name string, count int, c []Float, cstep int, w []Float, wstep, ldw, n int, rows []int32, val []Float) {
	if cstep < 0 || (count-1)*cstep+n > len(c) {
		panic(fmt.Sprintf("%s: c: %d elements, %d a step, hold no %d×%d", name, len(c), cstep, count, n))
	}
	if val != nil && len(val) < len(rows) {
		panic(fmt.Sprintf("%s: %d values for %d rows", name, len(val), len(rows)))
	}
	last := maxRow(rows)
	if ldw < 0 || wstep < 0 || int32(last) < 0 || (count-1)*wstep+int(last)*ldw+n > len(w) {
		panic(fmt.Sprintf("%s: w: %d elements, %d a row, %d a step, hold no row %d of %d in step %d",
			name, len(w), ldw, wstep, int32(last), n, count-1))
	}
}
