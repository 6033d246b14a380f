//go:build !purego && !float64

package kernel

func mulWalks(c, a []Float, p Walk, b []Float, q Walk, rows, steps int) {
	level := Current()
	if level == Go {
		mulWalksGo(c, a, p, b, q, rows, steps)
		return
	}
	run, block := mulWalksAVX2, 6*8
	if level == AVX512 {
		run, block = mulWalksAVX512, 8*16
	}
	for j := 0; j < len(c); j += block {
		run(&c[j], min(block, len(c)-j), &a[p.At+j], p.Row, p.Step, &b[q.At+j], q.Row, q.Step, rows, steps)
	}
}
