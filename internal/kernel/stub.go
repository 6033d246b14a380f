package kernel

import "math"

func fma1(a, b, c Float) Float { return Float(math.FMA(float64(a), float64(b), float64(c))) }
func MulOuter(rows int, a []Float, lda int, k int, g []Float, ldg, n int, c []Float, ldc int) {
	for r := range rows {
		for i := range k {
			for j := range n {
				c[i*ldc+j] = fma1(a[r*lda+i], g[r*ldg+j], c[i*ldc+j])
			}
		}
	}
}
