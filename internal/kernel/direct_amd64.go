//go:build !purego && !float64

package kernel

// wideMicro adds A·B to a few rows of C across panels of B that lie panel
// floats apart.
type wideMicro struct {
	panels int
	run    func(k int, a *float32, lda int, b *float32, panel int, c *float32, ldc int)
}

// wides are the kernels for few rows, under level and rows.
var wides = [...][][]wideMicro{
	AVX2:   {1: {{4, wideAVX2x1x4}, {2, wideAVX2x1x2}}, 2: {{2, wideAVX2x2x2}}, 3: {{2, wideAVX2x3x2}}},
	AVX512: {1: {{4, wideAVX512x1x4}, {2, wideAVX512x1x2}}, 2: {{2, wideAVX512x2x2}}, 3: {{2, wideAVX512x3x2}}},
}

func panel(l Level) int {
	if l == Go {
		return goPanel
	}
	return blockings[l].nr
}

func (p *Packed) mulDirect(m int, a []Float, lda, k0, kn, j0, j1 int, c []Float, ldc int) {
	if p.level == Go {
		p.mulDirectGo(m, a, lda, k0, kn, j0, j1, c, ldc)
		return
	}
	if m < len(wides[p.level]) {
		j := p.mulWide(m, a, lda, k0, kn, j0, j1, c, ldc)
		c, j0 = c[j-j0:], j
		if j0 == j1 {
			return
		}
	}
	s := blockings[p.level]
	rows, steps := even(m, s.mr, 1), kn
	if m > rows {
		steps = even(kn, kc, 1) // more rows find their part of a panel in the first-level cache
	}
	for k := 0; k < kn; k += steps {
		n := min(steps, kn-k)
		for j := j0; j < j1; j += s.nr {
			b, width := &p.data[j*p.K+(k0+k)*s.nr], min(s.nr, j1-j)
			kernels := s.kernels(&byRows[p.level], width)
			for i := 0; i < m; i += rows {
				kernels[min(rows, m-i)](n, &a[i*lda+k], lda, b, s.nr, &c[i*ldc+j-j0], ldc, width)
			}
		}
	}
}

// mulWide does as many whole panels as the kernels for m rows take, and
// returns the column where it stopped.
func (p *Packed) mulWide(m int, a []Float, lda, k0, kn, j0, j1 int, c []Float, ldc int) int {
	nr, j := blockings[p.level].nr, j0
	for _, w := range wides[p.level][m] {
		for ; j1-j >= w.panels*nr; j += w.panels * nr {
			w.run(kn, &a[0], lda, &p.data[j*p.K+k0*nr], p.K*nr, &c[j-j0], ldc)
		}
	}
	return j
}
