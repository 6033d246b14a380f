package kernel

import "fmt"

// Loops over one index, and sums over rows or steps. All levels give the same
// bits: products are rounded before they are added.

// Add adds src to dst:
//
//	for i, x := range src {
//		dst[i] += x
//	}
func Add(dst, src []Float) {
	checkEqual("kernel.Add: dst", len(dst), len(src))
	if len(src) > 0 {
		add(dst, src)
	}
}

// AddScaled adds src times factor to dst:
//
//	for i, x := range src {
//		dst[i] += Float(factor * x)
//	}
func AddScaled(dst, src []Float, factor Float) {
	checkEqual("kernel.AddScaled: dst", len(dst), len(src))
	if len(src) > 0 {
		addScaled(dst, src, factor)
	}
}

// SubProducts writes a less the products of b and c to dst, which may be one of them:
//
//	for i, x := range a {
//		dst[i] = x - Float(b[i]*c[i])
//	}
func SubProducts(dst, a, b, c []Float) {
	checkEqual("kernel.SubProducts: dst", len(dst), len(a))
	checkEqual("kernel.SubProducts: b", len(b), len(a))
	checkEqual("kernel.SubProducts: c", len(c), len(a))
	if len(a) > 0 {
		subProducts(dst, a, b, c)
	}
}

// SubScaled writes a less b times factor to dst, which may be one of them:
//
//	for i, x := range a {
//		dst[i] = x - Float(factor*b[i])
//	}
func SubScaled(dst, a, b []Float, factor Float) {
	checkEqual("kernel.SubScaled: dst", len(dst), len(a))
	checkEqual("kernel.SubScaled: b", len(b), len(a))
	if len(a) > 0 {
		subScaled(dst, a, b, factor)
	}
}

// Scale multiplies x by factor:
//
//	for i := range x {
//		x[i] *= factor
//	}
func Scale(x []Float, factor Float) {
	if len(x) > 0 {
		scale(x, factor)
	}
}

// Rectify writes the positive part of src to dst, which may be src; NaN stays:
//
//	for i, x := range src {
//		dst[i] = max(0, x)
//	}
func Rectify(dst, src []Float) {
	checkEqual("kernel.Rectify: dst", len(dst), len(src))
	if len(src) > 0 {
		rectify(dst, src)
	}
}

// RectifyBackward writes to dst, which may be dy, the errors dy where x is
// positive, and zeros elsewhere:
//
//	for i, g := range dy {
//		if !(x[i] > 0) {
//			g = 0
//		}
//		dst[i] = g
//	}
func RectifyBackward(dst, dy, x []Float) {
	checkEqual("kernel.RectifyBackward: dst", len(dst), len(dy))
	checkEqual("kernel.RectifyBackward: x", len(x), len(dy))
	if len(dy) > 0 {
		rectifyBackward(dst, dy, x)
	}
}

// FillRows writes row to dst again and again; the length of dst must be a
// multiple of the row's. No row means zeros:
//
//	for i := range dst {
//		dst[i] = row[i%len(row)]
//	}
func FillRows(dst, row []Float) {
	n := len(row)
	if n == 0 {
		clear(dst)
		return
	}
	if len(dst)%n != 0 {
		panic(fmt.Sprintf("kernel.FillRows: dst: %d elements are no whole number of rows of %d", len(dst), n))
	}
	// What is written already is copied on, in pieces that stay in the
	// first-level cache.
	most := max(n, fillBlock/n*n)
	for done := copy(dst, row); done < len(dst); {
		done += copy(dst[done:], dst[:min(done, most)])
	}
}

// fillBlock is a quarter of a 32 KiB cache.
const fillBlock = 2048

// ColumnSums adds to dst the sums of the columns of x (rows of len(dst)
// elements, ld apart), each one chain over ascending rows that starts from
// zero:
//
//	for j := range dst {
//		sum := 0
//		for r := range rows {
//			sum += x[r*ld+j]
//		}
//		dst[j] += sum
//	}
func ColumnSums(dst, x []Float, ld, rows int) {
	checkMatrix("kernel.ColumnSums: x", x, ld, rows, len(dst))
	if rows > 0 && len(dst) > 0 {
		columnSums(dst, x, ld, rows)
	}
}

// SumSteps adds the steps of x, stride apart, to dst, the last step first:
//
//	for t := steps - 1; t >= 0; t-- {
//		for i := range dst {
//			dst[i] += x[t*stride+i]
//		}
//	}
func SumSteps(dst, x []Float, stride, steps int) {
	if steps <= 0 || len(dst) == 0 {
		return
	}
	checkSteps("kernel.SumSteps: x", len(x), steps, stride, len(dst))
	sumSteps(dst, x, stride, steps)
}

// Finite is the index of the first element that is NaN or infinite, or −1:
//
//	for i, v := range x {
//		if v-v != 0 {
//			return i
//		}
//	}
//	return -1
func Finite(x []Float) int {
	done := finiteBlocks(x)
	for i, v := range x[done:] {
		if v-v != 0 {
			return done + i
		}
	}
	return -1
}

const (
	squareChunk = 4096 // elements of a partial sum of SumSquares
	squareLanes = 32
)

// SumSquares is the sum of the squares of x in float64. Chunks of 4,096
// elements are summed apart, each in 32 lanes that are added by halves, so the
// order depends on nothing but the length:
//
//	for each chunk c of x {
//		var s [32]float64
//		for i, v := range c {
//			s[i%32] += float64(v) * float64(v)
//		}
//		for half := 16; half > 0; half /= 2 {
//			for j := range half {
//				s[j] += s[j+half]
//			}
//		}
//		total += s[0]
//	}
func SumSquares(x []Float) float64 {
	var total float64
	for len(x) > 0 {
		c := x[:min(len(x), squareChunk)]
		x = x[len(c):]
		var s [squareLanes]float64
		done := squareBlocks(&s, c)
		for i, v := range c[done:] {
			s[i%squareLanes] += float64(float64(v) * float64(v))
		}
		for half := squareLanes / 2; half > 0; half /= 2 {
			for j := range half {
				s[j] += s[j+half]
			}
		}
		total += s[0]
	}
	return total
}

// SumMagnitudes is the sum of the magnitudes of whole numbers, exact as float64 is, in 32 lanes:
//
//	for _, v := range x {
//		sum += max(float64(v), -float64(v))
//	}
func SumMagnitudes(x []Float) (sum float64) {
	var lanes [squareLanes]float64
	done := magnitudeBlocks(&lanes, x)
	for i, v := range x[done:] {
		lanes[i%squareLanes] += max(float64(v), -float64(v))
	}
	for _, v := range lanes {
		sum += v
	}
	return sum
}

func checkEqual(name string, have, want int) {
	if have != want {
		panic(fmt.Sprintf("%s: %d elements, want %d", name, have, want))
	}
}

// The plain Go level.

func addGo(dst, src []Float) {
	for i, x := range src {
		dst[i] += x
	}
}

func addScaledGo(dst, src []Float, factor Float) {
	for i, x := range src {
		dst[i] += Float(factor * x)
	}
}

func subProductsGo(dst, a, b, c []Float) {
	dst, b, c = dst[:len(a)], b[:len(a)], c[:len(a)]
	for i, x := range a {
		dst[i] = x - Float(b[i]*c[i])
	}
}

func subScaledGo(dst, a, b []Float, factor Float) {
	dst, b = dst[:len(a)], b[:len(a)]
	for i, x := range a {
		dst[i] = x - Float(factor*b[i])
	}
}

func scaleGo(x []Float, factor Float) {
	for i := range x {
		x[i] *= factor
	}
}

func rectifyGo(dst, src []Float) {
	for i, x := range src {
		dst[i] = max(0, x)
	}
}

func rectifyBackwardGo(dst, dy, x []Float) {
	for i, g := range dy {
		if !(x[i] > 0) {
			g = 0
		}
		dst[i] = g
	}
}

// columnSumsGo takes a block of columns at a time, as the assembly does.
func columnSumsGo(dst, x []Float, ld, rows int) {
	var space [64]Float
	for lo := 0; lo < len(dst); lo += len(space) {
		d := dst[lo:min(lo+len(space), len(dst))]
		sum := space[:len(d)]
		clear(sum)
		for r := range rows {
			addGo(sum, x[r*ld+lo:][:len(sum)])
		}
		addGo(d, sum)
	}
}

func sumStepsGo(dst, x []Float, stride, steps int) {
	for t := steps - 1; t >= 0; t-- {
		addGo(dst, x[t*stride:][:len(dst)])
	}
}
