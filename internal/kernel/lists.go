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
	l.check("kernel.Lists.Add", c, ldc, w, ldw, n, int64(maxRow(order)))
	if l.First[len(l.First)-1] > 0 {
		l.add(c, ldc, w, ldw, n, order)
	}
}

// AddKept adds to row j of C, n floats long, the rows of W in list j, and clears the
// elements of these rows whose bit is not set, as KeepBits does: each row has whole words.
// Rows whose list is empty stay as they are.
func (l Lists) AddKept(c []Float, w []Float, ldw, n int, bits []uint64) {
	count := len(l.First) - 1
	if n < 1 || count < 1 {
		return
	}
	l.check("kernel.Lists.AddKept", c, n, w, ldw, n, int64(count)-1)
	if len(bits) != count*((n+63)/64) {
		panic(fmt.Sprintf("kernel.Lists.AddKept: %d words of bits for %d rows of %d", len(bits), count, n))
	}
	if l.First[count] > 0 {
		l.addKept(c, w, ldw, n, bits)
	}
}

// check is of the arguments of the function called name, which uses lists up to last.
func (l Lists) check(name string, c []Float, ldc int, w []Float, ldw, n int, last int64) {
	start := int32(0)
	for j, end := range l.First {
		if end < start || int(end) > len(l.At) || int(end) > len(l.Val) {
			panic(fmt.Sprintf("%s: list %d begins at %d of %d rows and %d values, after %d; numbers must ascend", name, j, end, len(l.At), len(l.Val), start))
		}
		start = end
	}
	if last >= int64(len(l.First))-1 || ldc < n || int(last)*ldc+n > len(c) {
		panic(fmt.Sprintf("%s: c: %d elements, %d a row, of %d lists, hold no row %d of %d", name, len(c), ldc, len(l.First)-1, int32(last), n))
	}
	if start == 0 {
		return
	}
	if row := maxRow(l.At[:start]); int32(row) < 0 || ldw < 0 || int(row)*ldw+n > len(w) {
		panic(fmt.Sprintf("%s: w: %d elements, %d a row, hold no row %d of %d", name, len(w), ldw, int32(row), n))
	}
}

// addKeptRows is addKept by rows.
func (l Lists) addKeptRows(c []Float, w []Float, ldw, n int, bits []uint64) {
	words := (n + 63) / 64
	for j := range len(l.First) - 1 {
		if lo, hi := l.First[j], l.First[j+1]; lo < hi {
			row := c[j*n:][:n]
			addRowsMulti(1, row, 0, w, 0, ldw, n, l.At[lo:hi], l.Val[lo:hi])
			KeepBits(row, bits[j*words:][:words])
		}
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
