//go:build !amd64 || purego || float64

package kernel

func indices(dst []int32, words []uint64, lo, hi int, base int32) []int32 {
	return indicesGo(dst, words, lo, hi, base)
}

func nonzeros(at []int32, val []Float, x []Float, base int32) ([]int32, []Float) {
	return nonzerosGo(at, val, x, base)
}

func countNonzero(x []Float) int { return countNonzeroGo(x) }

func nonzeroBits(dst []uint64, x []Float) { nonzeroBitsGo(dst, x) }

func expand(dst []Float, words []uint64, lo int) { expandGo(dst, words, lo) }

func transpose64(a *[64]uint64) { transpose64Go(a) }

func maxRow(rows []int32) uint32 { return maxRowGo(rows) }

func addRowsMulti(count int, c []Float, cstep int, w []Float, wstep, ldw, n int, rows []int32, val []Float) {
	addRowsMultiGo(count, c, cstep, w, wstep, ldw, n, rows, val)
}

func sumRows(count int, c []Float, cstep int, w []Float, wstep, ldw, n int, rows []int32, val []Float, ends []int32) {
	sumRowsGo(count, c, cstep, w, wstep, ldw, n, rows, val, ends)
}

func (g Patches) addRow(c []Float, ldc int, w []Float, ldw, n, y, x0, x1 int, at []int32, val []Float, first []int32) {
	g.addRowGo(c, ldc, w, ldw, n, y, x0, x1, at, val, first)
}

func transpose(dst []Float, ld int, src []Float, lds, rows, cols int) {
	transposeGo(dst, ld, src, lds, rows, cols)
}
