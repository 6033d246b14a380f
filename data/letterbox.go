package data

import (
	"image"
	"math"

	"synfire/format/picture"
	"synfire/sample"
	"synfire/tensor"
)

// bars is the grey beside a picture that is letterboxed, of 255.
const bars = 128

// Letterbox is where a picture lies in a sample of another shape: as large as it fits
// without a change of its proportions, in the middle.
type Letterbox struct {
	X, Y, Width, Height int          // in pixels of the sample
	Frame               sample.Frame // the way back
}

// Fit letterboxes a picture of w×h pixels into a sample of intoW×intoH.
func Fit(w, h, intoW, intoH int) Letterbox {
	scale := min(float64(intoW)/float64(w), float64(intoH)/float64(h))
	l := Letterbox{
		Width:  min(intoW, max(1, int(math.Round(float64(w)*scale)))),
		Height: min(intoH, max(1, int(math.Round(float64(h)*scale)))),
	}
	l.X, l.Y = (intoW-l.Width)/2, (intoH-l.Height)/2
	f := sample.Frame{ScaleX: float64(w) / float64(l.Width), ScaleY: float64(h) / float64(l.Height), Width: w, Height: h}
	f.X, f.Y = -float64(l.X)*f.ScaleX, -float64(l.Y)*f.ScaleY
	l.Frame = f
	return l
}

// Paint writes a picture to a sample [height, width, channels] of values in [0, 1], with
// grey bars beside it.
func (l Letterbox) Paint(dst []tensor.Float, shape tensor.Shape, m image.Image) {
	w, c := shape[1], shape[2]
	pixels := make([]uint8, l.Width*l.Height*c)
	picture.Pack(pixels, m, l.Height, l.Width, c)
	for i := range dst {
		dst[i] = tensor.Float(bars) / 255
	}
	for y := range l.Height {
		row := dst[((y+l.Y)*w+l.X)*c:]
		for i, v := range pixels[y*l.Width*c : (y+1)*l.Width*c] {
			row[i] = tensor.Float(v) / 255
		}
	}
}
