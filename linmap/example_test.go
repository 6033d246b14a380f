package linmap_test

import (
	"fmt"

	"synfire/linmap"
	"synfire/tensor"
)

// The differences of neighbouring pixels in a row: a kernel of one row and two columns.
// What is carried back from outputs lands on the pixels that they were made of.
func Example() {
	m, err := linmap.Conv(tensor.Shape{1, 4, 1}, 1, linmap.Options{Kernel: []int{1, 2}})
	if err != nil {
		fmt.Println(err)
		return
	}
	var s linmap.Scratch
	w := &linmap.Weights{Data: []tensor.Float{-1, 1}}
	x, y := []tensor.Float{1, 4, 9, 16}, make([]tensor.Float, m.Out().Size())
	m.Forward(&s, w, y, x)
	fmt.Println(m.In(), "→", m.Out(), y)

	back := make([]tensor.Float, len(x))
	m.Transpose(&s, w, back, []tensor.Float{0, 1, 0})
	fmt.Println("back", back)

	dw := make([]tensor.Float, len(w.Data))
	m.Outer(&s, dw, x, []tensor.Float{0, 1, 0})
	fmt.Println("outer", dw)
	// Output:
	// 1×4×1 → 1×3×1 [3 5 7]
	// back [0 -1 1 0]
	// outer [4 9]
}
