package kernel

import "fmt"

// Lists are those of the rows of a matrix W, each with a value: list j is At and Val
// from First[j] up to First[j+1].
type Lists struct {
	First []int32
	At    []int32
	Val   []Float
}

// Add adds to row j of C (ldc apart, n floats) the rows of W (ldw apart) in list j, for
// each j of order, in which no number is twice:
//
//	for _, j := range order {
//		for e := First[j]; e < First[j+1]; e++ {
//			for i := range n {
//				c[j*ldc+i] = fma(Val[e], w[At[e]*ldw+i], c[j*ldc+i])
//			}
//		}
//	}
//
// The plain Go level rounds the product before it adds. Lists that are neighbours in
// order are added side by side: it is fastest where these have about one length.
func (l Lists) Add(c []Float, ldc int, w []Float, ldw, n int, order []int32) {
	if n < 1 || len(order) == 0 {
		return
	}
	l.check(c, ldc, w, ldw, n, order)
	if l.First[len(l.First)-1] > 0 {
		l.add(c, ldc, w, ldw, n, order)
	}
}

func (l Lists) check(c []Float, ldc int, w []Float, ldw, n int, order []int32) {
	start := int32(0)
	for j, end := range l.First {
		if end < start || int(end) > len(l.At) || int(end) > len(l.Val) {
			panic(fmt.Sprintf("kernel.Lists.Add: list %d begins at %d of %d rows and %d values, after %d; numbers must ascend", j, end, len(l.At), len(l.Val), start))
		}
		start = end
	}
	if row := maxRow(order); int64(row) >= int64(len(l.First))-1 || ldc < n || int(row)*ldc+n > len(c) {
		panic(fmt.Sprintf("kernel.Lists.Add: c: %d elements, %d a row, of %d lists, hold no row %d of %d", len(c), ldc, len(l.First)-1, int32(row), n))
	}
	if start == 0 {
		return
	}
	if row := maxRow(l.At[:start]); int32(row) < 0 || ldw < 0 || int(row)*ldw+n > len(w) {
		panic(fmt.Sprintf("kernel.Lists.Add: w: %d elements, %d a row, hold no row %d of %d", len(w), ldw, int32(row), n))
	}
}

func (l Lists) addGo(c []Float, ldc int, w []Float, ldw, n int, order []int32) {
	for _, j := range order {
		lo, hi := l.First[j], l.First[j+1]
		addScaledRows(c[int(j)*ldc:][:n], w, ldw, l.At[lo:hi], l.Val[lo:hi])
	}
}

func keepBitsGo(x []Float, words []uint64) {
	for i := range x {
		if words[i/64]>>(i%64)&1 == 0 {
			x[i] = 0
		}
	}
}
