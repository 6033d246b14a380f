//go:build !purego && !float64

package kernel

// chains is how many lists are added side by side, and chainBlock the floats of each.
const chains = 4

var chainBlock = [...]int{AVX2: 2 * 8, AVX512: 4 * 16}

func (l Lists) add(c []Float, ldc int, w []Float, ldw, n int, order []int32) {
	level := Current()
	if level == Go {
		l.addGo(c, ldc, w, ldw, n, order)
		return
	}
	run := addChainsAVX2
	if level == AVX512 {
		run = addChainsAVX512
	}
	groups := len(order) / chains
	block := columnBlock(n, chainBlock[level], lanes[level])
	for i := 0; i < n && groups > 0; i += block {
		run(&c[i], ldc, min(block, n-i), &w[i], ldw, &order[0], groups, &l.First[0], &l.At[0], &l.Val[0])
	}
	for _, j := range order[groups*chains:] {
		if lo, hi := l.First[j], l.First[j+1]; lo < hi {
			addRowsMulti(1, c[int(j)*ldc:], 0, w, 0, ldw, n, l.At[lo:hi], l.Val[lo:hi])
		}
	}
}

func keepBits(x []Float, words []uint64) {
	switch Current() {
	case AVX512:
		keepBitsAVX512(&x[0], &words[0], len(x)/64)
	case AVX2:
		keepBitsAVX2(&x[0], &words[0], len(x)/64)
	default:
		keepBitsGo(x, words)
	}
}

func (l Lists) addKept(c []Float, w []Float, ldw, n int, bits []uint64) {
	if Current() != AVX512 {
		l.addKeptRows(c, w, ldw, n, bits)
		return
	}
	rest := uint64(1)<<(n%64) - 1
	addKeptAVX512(&c[0], n, &w[0], ldw, n/64, rest, &bits[0], (n+63)/64, &l.First[0], &l.At[0], &l.Val[0], len(l.First)-1)
}
