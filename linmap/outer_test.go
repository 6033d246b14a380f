package linmap_test

import (
	"slices"
	"testing"

	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/linmap"
	"synfire/tensor"
)

// The gradient of several images is that of one output row after another, bit for bit, where rows
// are gathered and where they are too long or the outputs too few for it, over parts of the patch and
// of the rows.
func TestOuterOfImages(t *testing.T) {
	src := rng.New(4, "outer").Source()
	for name, c := range map[string]struct {
		in  tensor.Shape
		out int
		o   linmap.Options
	}{
		"short rows":    {tensor.Shape{9, 7, 20}, 40, linmap.Options{Kernel: []int{3}, Padding: []int{1}}},
		"many patches":  {tensor.Shape{31, 30, 40}, 33, linmap.Options{Kernel: []int{3}, Padding: []int{1}}}, // a dozen groups
		"strides":       {tensor.Shape{11, 13, 50}, 32, linmap.Options{Kernel: []int{3, 2}, Stride: []int{2, 3}, Dilation: []int{2, 1}}},
		"no border":     {tensor.Shape{6, 6, 64}, 48, linmap.Options{Kernel: []int{1}}},
		"long rows":     {tensor.Shape{3, 50, 3}, 40, linmap.Options{Kernel: []int{3}}},
		"narrow":        {tensor.Shape{8, 8, 3}, 40, linmap.Options{Kernel: []int{3}}},
		"a few outputs": {tensor.Shape{8, 8, 20}, 10, linmap.Options{Kernel: []int{3}}},
	} {
		m, err := linmap.Conv(c.in, c.out, c.o)
		if err != nil {
			t.Fatal(err)
		}
		const images = 3
		_, cw := m.Canvas()
		canvases, y := draw(src, images*m.CanvasSize(), 0.8), draw(src, images*m.Pixels()*m.N, 0.8)
		run := m.Run()
		for _, rows := range [][2]int{{0, m.OH}, {1, m.OH}, {0, max(1, m.OH/2)}} {
			for _, part := range [][2]int{{0, m.Patch()}, {run + 1, run + 3}, {1, m.Patch() - 1}, {2, 60}} {
				if part[1] > m.Patch() {
					continue
				}
				got := draw(src, (part[1]-part[0])*m.N, 1)
				want := slices.Clone(got)
				m.OuterOn(got, canvases, y, images, part[0], part[1], rows[0], rows[1])
				for k := part[0]; k < part[1]; k++ { // an element of the patch at a time
					i, q := k/m.Run(), k%m.Run()
					runs := m.Patch() / m.Run() / m.KH
					from := (i/runs*m.DilateH*cw+i%runs*m.DilateW)*m.C + q
					for b := range images {
						for r := rows[0]; r < rows[1]; r++ {
							kernel.MulOuter(m.OW, 1, m.N, canvases[b*m.CanvasSize()+r*m.StrideH*cw*m.C+from:], m.StrideW*m.C, y[(b*m.OH+r)*m.OW*m.N:], m.N, want[(k-part[0])*m.N:], m.N)
						}
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s, rows %v, part %v: other bits than row by row", name, rows, part)
				}
			}
		}
	}
}
