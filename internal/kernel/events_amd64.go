//go:build !purego && !float64

package kernel

import "math/bits"

func indices(dst []int32, words []uint64, lo, hi int, base int32) []int32 {
	if Current() == Go {
		return indicesGo(dst, words, lo, hi, base)
	}
	i, last := lo>>6, (hi-1)>>6
	if i == last && bits.OnesCount64(within(words[i], i<<6, lo, hi)) <= 4 {
		return indicesGo(dst, words, lo, hi, base) // sooner done than called
	}
	base += int32(i<<6 - lo)
	room := dst[:cap(dst)]
	n := len(dst)
	some := func(word *uint64, count int) {
		if Current() == AVX512 {
			n += indicesAVX512(&room[n], word, count, base)
		} else {
			n += indicesAVX2(&room[n], word, count, base)
		}
		base += int32(64 * count)
	}
	edge := within(words[i], i<<6, lo, hi)
	some(&edge, 1)
	if i+1 < last {
		some(&words[i+1], last-i-1)
	}
	if i < last {
		edge = within(words[last], last<<6, lo, hi)
		some(&edge, 1)
	}
	return dst[:n]
}

func nonzeros(at []int32, val []Float, x []Float, base int32) ([]int32, []Float) {
	switch level := Current(); {
	case level == AVX512 && len(x) > 0:
		n := nonzerosAVX512(&at[:cap(at)][len(at)], &val[:cap(val)][len(val)], &x[0], len(x), base)
		return at[:len(at)+n], val[:len(val)+n]
	case level == AVX2 && len(x) >= 8:
		n := nonzerosAVX2(&at[:cap(at)][len(at)], &val[:cap(val)][len(val)], &x[0], len(x)/8, base)
		at, val = at[:len(at)+n], val[:len(val)+n]
		x, base = x[len(x)&^7:], base+int32(len(x)&^7)
	}
	return nonzerosGo(at, val, x, base)
}

func countNonzero(x []Float) int {
	n, count := 0, len(x)/64
	if count > 0 {
		switch Current() {
		case AVX512:
			n = countNonzeroAVX512(&x[0], count)
		case AVX2:
			n = countNonzeroAVX2(&x[0], count)
		default:
			count = 0
		}
	}
	return n + countNonzeroGo(x[64*count:])
}

func nonzeroBits(dst []uint64, x []Float) {
	count := len(x) / 64
	if count > 0 {
		switch Current() {
		case AVX512:
			nonzeroBitsAVX512(&dst[0], &x[0], count)
		case AVX2:
			nonzeroBitsAVX2(&dst[0], &x[0], count)
		default:
			count = 0
		}
	}
	nonzeroBitsGo(dst[count:], x[64*count:])
}

func expand(dst []Float, words []uint64, lo int) {
	level := Current()
	for ; len(dst) >= 64 && level != Go; dst, lo = dst[64:], lo+64 {
		if level == AVX512 {
			expand64AVX512(&dst[0], wordAt(words, lo))
		} else {
			expand64AVX2(&dst[0], wordAt(words, lo))
		}
	}
	expandGo(dst, words, lo)
}

// transpose64 transposes a matrix of 64×64 bits.
func transpose64(a *[64]uint64) {
	if Current() == AVX512 {
		transpose64AVX512(a)
		return
	}
	transpose64Go(a)
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

// columnBlock is the width of equal blocks of n columns.
func columnBlock(n, most, unit int) int {
	if n <= most {
		return n // calls for few rows would feel the divisions
	}
	return even(n, most, unit)
}

// matrixLists are lists of rows of w, which addLists in assembly adds to a vector of c, and those
// of vectors beside it.
type matrixLists struct {
	level         Level
	w             []Float
	off, step     int // from w to row 0 of the first list, and on to the next one's
	ldw           int
	first         []int32
	width, stride int
	lists         int
	at            *int32
	val           []Float

	// From one vector to the next: in c, of off and in first.
	ldc, move, ahead int
}

// add adds the lists of count vectors to columns [j, j+n) of w's, which c begins with.
func (l *matrixLists) add(c []Float, n, count, j int) {
	_ = c[(count-1)*l.ldc+n-1]
	w, first := &l.w[0], &l.first[0]
	back, ahead := l.move-l.lists*l.step, l.ahead-l.lists*l.stride
	switch {
	case l.level == AVX512 && l.val == nil:
		addListsAVX512(&c[0], n, l.ldc, count, w, l.off+j, back, l.step, l.ldw, first, ahead, l.width, l.stride, l.lists, l.at)
	case l.level == AVX512:
		addListsScaledAVX512(&c[0], n, l.ldc, count, w, l.off+j, back, l.step, l.ldw, first, ahead, l.width, l.stride, l.lists, l.at, &l.val[0])
	case l.val == nil:
		addListsAVX2(&c[0], n, l.ldc, count, w, l.off+j, back, l.step, l.ldw, first, ahead, l.width, l.stride, l.lists, l.at)
	default:
		addListsScaledAVX2(&c[0], n, l.ldc, count, w, l.off+j, back, l.step, l.ldw, first, ahead, l.width, l.stride, l.lists, l.at, &l.val[0])
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
	l := matrixLists{level: level, w: w, ldw: ldw, first: ends[:], width: 1, lists: 1, at: &rows[0], val: val, ldc: cstep, move: wstep}
	block := columnBlock(n, addBlock[level], lanes[level])
	for j := 0; j < n; j += block {
		l.add(c[j:], min(block, n-j), count, j)
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
	// rows of w by a kernel row; from one pixel to the next both by a stride,
	// as long as all columns of the kernel lie inside the image.
	l := matrixLists{
		level: level, w: w, ldw: ldw, step: (g.KW - g.W) * g.C * ldw, stride: g.W, lists: i1 - i0, at: &at[0], val: val,
		ldc: ldc, move: -g.Stride * g.C * ldw, ahead: g.Stride,
	}
	row := (y*g.Stride - g.PadH + i0) * g.W
	inside, beyond := g.columnsInside()
	block := columnBlock(n, addBlock[level], lanes[level])
	for j := 0; j < n; j += block {
		for x := x0; x < x1; {
			left, count := x*g.Stride-g.PadW, 1
			if x >= inside && x < beyond {
				count = min(x1, beyond) - x
			}
			if j0, j1 := max(left, 0), min(left+g.KW, g.W); j0 < j1 {
				l.off = (i0*g.KW - row - left) * g.C * ldw
				l.first, l.width = first[row+j0:], j1-j0
				l.add(c[(x-x0)*ldc+j:], min(block, n-j), count, j)
			}
			x += count
		}
	}
}

// columnsInside are the output columns [lo, hi) whose patches lie inside the image but for rows.
func (g Patches) columnsInside() (lo, hi int) {
	return (g.PadW + g.Stride - 1) / g.Stride, (g.W - g.KW + g.PadW + g.Stride) / g.Stride
}

func sumRows(count int, c []Float, cstep int, w []Float, wstep, ldw, n int, rows []int32, val []Float, ends []int32) {
	level := Current()
	if level == Go {
		sumRowsGo(count, c, cstep, w, wstep, ldw, n, rows, val, ends)
		return
	}
	block := columnBlock(n, sumBlock[level], lanes[level])
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
