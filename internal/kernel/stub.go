package kernel

import "math"

func fma1(a, b, c Float) Float { return Float(math.FMA(float64(a), float64(b), float64(c))) }
func CountNonzero(x []Float) int {
	n := 0
	for _, v := range x {
		if v != 0 {
			n++
		}
	}
	return n
}
func Nonzeros(at []int32, val []Float, x []Float, base int32) ([]int32, []Float) {
	for i, v := range x {
		if v != 0 {
			at = append(at, base+int32(i))
			val = append(val, v)
		}
	}
	return at, val
}
func NonzeroBits(dst []uint64, x []Float) {
	clear(dst)
	for i, v := range x {
		if v != 0 {
			dst[i>>6] |= 1 << (i & 63)
		}
	}
}
func Expand(dst []Float, words []uint64, lo int) {
	for i := range dst {
		dst[i] = Float(words[(lo+i)>>6] >> ((lo + i) & 63) & 1)
	}
}
func Starts(first []int32, at []int32, c int) {
	e := 0
	for p := range first {
		for e < len(at) && int(at[e]) < p*c {
			e++
		}
		first[p] = int32(e)
	}
}
func TransposeBits(dst []uint64, dstWords int, src []uint64, ld, rows, cols int) {
	clear(dst[:dstWords*cols])
	for p := range rows {
		for ch := range cols {
			b := p*ld + ch
			dst[ch*dstWords+p>>6] |= (src[b>>6] >> (b & 63) & 1) << (p & 63)
		}
	}
}
func AddRowsMulti(count int, c []Float, cstep int, w []Float, wstep int, ldw, n int, rows []int32, val []Float) {
	for i := range count {
		for e, r := range rows {
			v := Float(1)
			if val != nil {
				v = val[e]
			}
			for j := range n {
				c[i*cstep+j] = fma1(v, w[i*wstep+int(r)*ldw+j], c[i*cstep+j])
			}
		}
	}
}
func SumRows(count int, c []Float, cstep int, w []Float, wstep int, ldw, n int, rows []int32, val []Float, ends []int32) {
	sum := make([]Float, n)
	for i := range count {
		from := int32(0)
		for _, to := range ends {
			clear(sum)
			for e := from; e < to; e++ {
				v := Float(1)
				if val != nil {
					v = val[e]
				}
				for j := range n {
					sum[j] = fma1(v, w[i*wstep+int(rows[e])*ldw+j], sum[j])
				}
			}
			for j := range n {
				c[i*cstep+j] += sum[j]
			}
			from = to
		}
	}
}

type Patches struct{ H, W, C, KH, KW, Stride, PadH, PadW int }

func (p Patches) AddRow(c []Float, ldc int, w []Float, ldw, n int, y, x0, x1 int, at []int32, val []Float, first []int32) {
	for x := x0; x < x1; x++ {
		for i := range p.KH {
			sy := y*p.Stride - p.PadH + i
			if sy < 0 || sy >= p.H {
				continue
			}
			l := x*p.Stride - p.PadW
			a, b := max(l, 0), min(l+p.KW, p.W)
			if a >= b {
				continue
			}
			for e := first[sy*p.W+a]; e < first[sy*p.W+b]; e++ {
				r := i*p.KW*p.C + int(at[e]) - (sy*p.W+l)*p.C
				v := Float(1)
				if val != nil {
					v = val[e]
				}
				for j := range n {
					c[(x-x0)*ldc+j] = fma1(v, w[r*ldw+j], c[(x-x0)*ldc+j])
				}
			}
		}
	}
}
func Add(dst, src []Float) {
	for i, v := range src {
		dst[i] += v
	}
}
func ColumnSums(dst, x []Float, ld, rows, n int) {
	for j := range n {
		s := Float(0)
		for r := range rows {
			s += x[r*ld+j]
		}
		dst[j] += s
	}
}
func MulOuter(rows int, a []Float, lda int, k int, g []Float, ldg, n int, c []Float, ldc int) {
	for r := range rows {
		for i := range k {
			for j := range n {
				c[i*ldc+j] = fma1(a[r*lda+i], g[r*ldg+j], c[i*ldc+j])
			}
		}
	}
}
