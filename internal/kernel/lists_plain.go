//go:build !amd64 || purego || float64

package kernel

func (l Lists) add(c []Float, ldc int, w []Float, ldw, n int, order []int32) {
	l.addGo(c, ldc, w, ldw, n, order)
}

func keepBits(x []Float, words []uint64) { keepBitsGo(x, words) }

func (l Lists) addKept(c []Float, w []Float, ldw, n int, bits []uint64) {
	l.addKeptRows(c, w, ldw, n, bits)
}
