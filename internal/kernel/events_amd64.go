//go:build !purego && !float64

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

func transposeBits(dst []uint64, dstWords int, src []uint64, ld, rows, cols int) {
	transposeBitsGo(dst, dstWords, src, ld, rows, cols)
}

// maxRow is the greatest row number, where a negative one counts as large.
func maxRow(rows []int32) uint32 {
	level := Current()
	switch {
	case level == AVX512 && len(rows) >= 16:
		return maxRowAVX512(&rows[0], len(rows))
	case level >= AVX2 && len(rows) >= 8:
		return maxRowAVX2(&rows[0], len(rows))
	}
	return maxRowGo(rows)
}

// Columns are taken in blocks that registers hold: of addBlock floats, and of
// sumBlock where partial sums need registers too.
var (
	addBlock = [...]int{AVX2: 12 * 8, AVX512: 16 * 16}
	sumBlock = [...]int{AVX2: 6 * 8, AVX512: 12 * 16}
	lanes    = [...]int{AVX2: 8, AVX512: 16}
)

// matrixLists are lists of rows of w, which addLists in assembly adds.
type matrixLists struct {
	level         Level
	w             []Float
	off, step     int // from w to row 0 of the first list, and on to the next one's
	ldw           int
	first         []int32
	width, stride int
	count         int
	at            *int32
	val           []Float
}

// add adds the lists to c, columns [j, j+len(c)).
func (l *matrixLists) add(c []Float, j int) {
	w, first := &l.w[0], &l.first[0]
	switch {
	case l.level == AVX512 && l.val == nil:
		addListsAVX512(&c[0], len(c), w, l.off+j, l.step, l.ldw, first, l.width, l.stride, l.count, l.at)
	case l.level == AVX512:
		addListsScaledAVX512(&c[0], len(c), w, l.off+j, l.step, l.ldw, first, l.width, l.stride, l.count, l.at, &l.val[0])
	case l.val == nil:
		addListsAVX2(&c[0], len(c), w, l.off+j, l.step, l.ldw, first, l.width, l.stride, l.count, l.at)
	default:
		addListsScaledAVX2(&c[0], len(c), w, l.off+j, l.step, l.ldw, first, l.width, l.stride, l.count, l.at, &l.val[0])
	}
}

func addRows(c, w []Float, ldw int, rows []int32) {
	addRowsMulti(1, c, 0, w, 0, ldw, len(c), rows, nil)
}

func addRowsMulti(count int, c []Float, cstep int, w []Float, wstep, ldw, n int, rows []int32, val []Float) {
	level := Current()
	if level == Go {
		addRowsMultiGo(count, c, cstep, w, wstep, ldw, n, rows, val)
		return
	}
	ends := [2]int32{0, int32(len(rows))}
	l := matrixLists{level: level, w: w, ldw: ldw, first: ends[:], width: 1, count: 1, at: &rows[0], val: val}
	block := even(n, addBlock[level], lanes[level])
	for j := 0; j < n; j += block {
		for i := range count {
			l.off = i * wstep
			l.add(c[i*cstep+j:][:min(block, n-j)], j)
		}
	}
}

func (g Patches) addRow(c []Float, ldc int, w []Float, ldw, n, y, x0, x1 int, at []int32, val []Float, first []int32) {
	level := Current()
	if level == Go {
		g.addRowGo(c, ldc, w, ldw, n, y, x0, x1, at, val, first)
		return
	}
	i0, i1 := g.rowsSeen(y)
	if i0 >= i1 {
		return
	}
	// From one kernel row to the next, places move on by an image row and
	// rows of w by a kernel row.
	l := matrixLists{level: level, w: w, ldw: ldw, step: (g.KW - g.W) * g.C * ldw, stride: g.W, count: i1 - i0, at: &at[0], val: val}
	row := (y*g.Stride - g.PadH + i0) * g.W
	block := even(n, addBlock[level], lanes[level])
	for j := 0; j < n; j += block {
		for x := x0; x < x1; x++ {
			left := x*g.Stride - g.PadW
			j0, j1 := max(left, 0), min(left+g.KW, g.W)
			if j0 >= j1 {
				continue
			}
			l.off = (i0*g.KW - row - left) * g.C * ldw
			l.first, l.width = first[row+j0:], j1-j0
			l.add(c[(x-x0)*ldc+j:][:min(block, n-j)], j)
		}
	}
}

func sumRows(count int, c []Float, cstep int, w []Float, wstep, ldw, n int, rows []int32, val []Float, ends []int32) {
	level := Current()
	if level == Go {
		sumRowsGo(count, c, cstep, w, wstep, ldw, n, rows, val, ends)
		return
	}
	block := even(n, sumBlock[level], lanes[level])
	for j := 0; j < n; j += block {
		width := min(block, n-j)
		for i := range count {
			dst, src := &c[i*cstep+j], &w[i*wstep+j]
			switch {
			case level == AVX512 && val == nil:
				sumListsAVX512(dst, width, src, ldw, &ends[0], len(ends), &rows[0])
			case level == AVX512:
				sumListsScaledAVX512(dst, width, src, ldw, &ends[0], len(ends), &rows[0], &val[0])
			case val == nil:
				sumListsAVX2(dst, width, src, ldw, &ends[0], len(ends), &rows[0])
			default:
				sumListsScaledAVX2(dst, width, src, ldw, &ends[0], len(ends), &rows[0], &val[0])
			}
		}
	}
}
