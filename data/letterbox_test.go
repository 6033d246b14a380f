package data_test

import (
	"image"
	"image/color"
	"math"
	"testing"

	"synfire/data"
	"synfire/tensor"
)

// A picture lies in the middle, between bars above and below or at its sides, and the frame leads
// its corners back to those of the file: by a scale that differs where sides were rounded.
func TestFit(t *testing.T) {
	for _, c := range []struct{ w, h, x, y, width, height int }{
		{200, 100, 0, 16, 64, 32}, {100, 200, 16, 0, 32, 64}, {64, 64, 0, 0, 64, 64}, {300, 70, 0, 24, 64, 15}, {1, 1000, 31, 0, 1, 64},
	} {
		l := data.Fit(c.w, c.h, 64, 64)
		if l.X != c.x || l.Y != c.y || l.Width != c.width || l.Height != c.height {
			t.Errorf("%d×%d: at %d, %d of %d×%d, want %d, %d of %d×%d", c.w, c.h, l.X, l.Y, l.Width, l.Height, c.x, c.y, c.width, c.height)
		}
		f := l.Frame
		for _, corner := range []struct{ at, scale, offset, want float64 }{
			{float64(c.x), f.ScaleX, f.X, 0}, {float64(c.x + c.width), f.ScaleX, f.X, float64(c.w)},
			{float64(c.y), f.ScaleY, f.Y, 0}, {float64(c.y + c.height), f.ScaleY, f.Y, float64(c.h)},
		} {
			if got := corner.at*corner.scale + corner.offset; math.Abs(got-corner.want) > 1e-9 {
				t.Errorf("%d×%d: %v of the sample is %v of the file, want %v", c.w, c.h, corner.at, got, corner.want)
			}
		}
	}
}

// What is painted stands where Fit says, on grey.
func TestPaint(t *testing.T) {
	m := image.NewGray(image.Rect(0, 0, 4, 2))
	for i := range m.Pix {
		m.Pix[i] = 255
	}
	m.SetGray(0, 0, color.Gray{})
	shape := tensor.Shape{8, 8, 1}
	dst := make([]tensor.Float, shape.Size())
	data.Fit(4, 2, 8, 8).Paint(dst, shape, m)
	for _, c := range []struct {
		x, y int
		want tensor.Float
	}{{0, 0, 128.0 / 255}, {7, 1, 128.0 / 255}, {7, 2, 1}, {0, 2, 0}, {7, 5, 1}, {0, 6, 128.0 / 255}} {
		if got := dst[c.y*8+c.x]; got != c.want {
			t.Errorf("pixel %d, %d is %v, want %v", c.x, c.y, got, c.want)
		}
	}
}
