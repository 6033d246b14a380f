package data

import (
	"fmt"

	"synfire/tensor"
)

// Random is the random numbers of one sample in one epoch.
type Random interface {
	IntN(n int) int   // uniform in [0, n), for n > 0
	Float64() float64 // uniform in [0, 1)
}

// Augment changes a training image at random, anew in each epoch. A type with
// a method Validate() error is checked by NewCursor.
type Augment interface {
	// Apply writes all of dst, an image of the shape (H, W, C), from src. What
	// it does may depend on src and r alone.
	Apply(dst, src []uint8, shape tensor.Shape, r Random)
}

// Shift moves an image by dy and dx pixels, each uniform in [−Max, Max], and
// fills what comes in with zeros: dst[y, x] = src[y − dy, x − dx].
type Shift struct {
	Max int `yaml:"pixels"` // 0 changes nothing
}

// Validate returns an error where Max is negative.
func (s Shift) Validate() error {
	if s.Max < 0 {
		return fmt.Errorf("data: shift: at most %d pixels, expected 0 or more", s.Max)
	}
	return nil
}

// Apply implements Augment.
func (s Shift) Apply(dst, src []uint8, shape tensor.Shape, r Random) {
	if s.Max == 0 {
		copy(dst, src)
		return
	}
	dy, dx := r.IntN(2*s.Max+1)-s.Max, r.IntN(2*s.Max+1)-s.Max
	shift(dst, src, shape, dy, dx)
}

func shift(dst, src []uint8, shape tensor.Shape, dy, dx int) {
	h, w, c := shape[0], shape[1], shape[2]
	clear(dst)
	width := w - abs(dx) // columns that stay inside
	if width <= 0 {
		return
	}
	for y := max(0, dy); y < min(h, h+dy); y++ {
		to, from := y*w+max(0, dx), (y-dy)*w+max(0, -dx)
		copy(dst[to*c:(to+width)*c], src[from*c:])
	}
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
