//go:build !purego && !float64

package kernel

func mulWalks(c, a []Float, p Walk, b []Float, q Walk, rows, steps int) {
	level := Current()
	if level == Go {
		mulWalksGo(c, a, p, b, q, rows, steps)
		return
	}
	if level == AVX512 { // no function value, through which the operands would escape
		for j := 0; j < len(c); j += 8 * 16 {
			mulWalksAVX512(&c[j], min(8*16, len(c)-j), &a[p.At+j], p.Row, p.Step, &b[q.At+j], q.Row, q.Step, rows, steps)
		}
		return
	}
	for j := 0; j < len(c); j += 6 * 8 {
		mulWalksAVX2(&c[j], min(6*8, len(c)-j), &a[p.At+j], p.Row, p.Step, &b[q.At+j], q.Row, q.Step, rows, steps)
	}
}
