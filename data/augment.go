package data

import (
	"fmt"
	"math"

	"synfire/sample"
	"synfire/tensor"
)

// Random is the random numbers of one sample in one epoch.
type Random interface {
	IntN(n int) int   // uniform in [0, n), for n > 0
	Float64() float64 // uniform in [0, 1)
}

// Augment changes a training sample at random, anew in each epoch. A type with
// a method Validate() error is checked by NewCursor.
type Augment interface {
	// Apply writes all of dst, values of the shape (H, W, C) unless it is Shaped, from src. What it
	// does may depend on src and r alone. Bytes come scaled to [0, 1]. Targets
	// that follow the values, such as boxes, it changes too; of a series, they
	// are given with the first step alone.
	Apply(dst, src []tensor.Float, targets []sample.Target, spec *sample.Spec, r Random)
}

// Shaped is an Augment of samples that are no images.
type Shaped interface {
	Augment
	// Check returns an error for samples that it does not take.
	Check(spec sample.Spec) error
}

// Planned is an Augment that plans what a sample looks like from epoch to epoch, rather
// than drawing it anew in each.
type Planned interface {
	Augment
	// Plan is the Augment of a sample in an epoch, from 0; once is random numbers of the
	// sample that are the same in all epochs.
	Plan(epoch int, once Random) Augment
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
func (s Shift) Apply(dst, src []tensor.Float, targets []sample.Target, spec *sample.Spec, r Random) {
	shape := spec.Shape
	if s.Max == 0 {
		copy(dst, src)
		return
	}
	dy, dx := r.IntN(2*s.Max+1)-s.Max, r.IntN(2*s.Max+1)-s.Max
	shift(dst, src, shape, dy, dx)
	moveBoxes(targets, shape, moveBy(dx, dy))
}

func shift(dst, src []tensor.Float, shape tensor.Shape, dy, dx int) {
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

// Border says what lies outside an image.
type Border int

// Borders.
const (
	Zero    Border = iota // zeros
	Edge                  // the nearest pixel of the image
	Reflect               // the image mirrored at its outermost pixels
)

var borderNames = []string{"zero", "edge", "reflect"}

// String is the border's name in files.
func (b Border) String() string { return borderNames[b] }

// MarshalText is String.
func (b Border) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText is the inverse of String.
func (b *Border) UnmarshalText(text []byte) error {
	for i, name := range borderNames {
		if name == string(text) {
			*b = Border(i)
			return nil
		}
	}
	return fmt.Errorf("border %q: want zero, edge or reflect", text)
}

// Crop pads an image on all sides and cuts a window of its former size out of it,
// at a place that is uniform among all: with a Zero border, a Shift.
type Crop struct {
	Padding int    `yaml:"padding"` // pixels on each side
	Border  Border `yaml:"border"`  // what the padding holds
}

// Validate returns an error where the padding is negative or the border unknown.
func (c Crop) Validate() error {
	if c.Padding < 0 {
		return fmt.Errorf("data: crop: padding of %d pixels, expected 0 or more", c.Padding)
	}
	if c.Border < Zero || c.Border > Reflect {
		return fmt.Errorf("data: crop: border %d, expected Zero, Edge or Reflect", c.Border)
	}
	return nil
}

// Apply implements Augment.
func (c Crop) Apply(dst, src []tensor.Float, targets []sample.Target, spec *sample.Spec, r Random) {
	shape := spec.Shape
	if c.Padding == 0 {
		copy(dst, src)
		return
	}
	dy, dx := r.IntN(2*c.Padding+1)-c.Padding, r.IntN(2*c.Padding+1)-c.Padding
	moveBoxes(targets, shape, moveBy(dx, dy))
	if c.Border == Zero {
		shift(dst, src, shape, dy, dx)
		return
	}
	c.Border.translate(dst, src, shape, dy, dx)
}

// translate is a shift that brings in what lies beyond the border.
func (b Border) translate(dst, src []tensor.Float, shape tensor.Shape, dy, dx int) {
	h, w, c := shape[0], shape[1], shape[2]
	for y := range h {
		row := b.inside(y-dy, h) * w
		for x := range w {
			copy(dst[(y*w+x)*c:(y*w+x+1)*c], src[(row+b.inside(x-dx, w))*c:])
		}
	}
}

// inside is the place in [0, n) that the border shows at i.
func (b Border) inside(i, n int) int {
	if b == Edge || n == 1 {
		return min(max(i, 0), n-1)
	}
	period := 2 * (n - 1)
	i = ((i % period) + period) % period
	return min(i, period-i)
}

// Flip mirrors an image left to right. Probability is that of doing so.
type Flip struct {
	Probability float64 `yaml:"probability"` // in [0, 1]
}

// AlternatingFlip mirrors an image left to right in every other epoch: whether in the first
// one is drawn once for each image. So an image is seen from both sides in any two epochs
// that follow each other, which flips drawn anew do not give (Jordan, "94% on CIFAR-10 in
// 3.29 seconds on a single GPU", 2024).
type AlternatingFlip struct{}

// Plan implements Planned.
func (AlternatingFlip) Plan(epoch int, once Random) Augment {
	return Flip{Probability: float64((once.IntN(2) + epoch) % 2)}
}

// Apply mirrors with probability ½, as where no epoch is known.
func (AlternatingFlip) Apply(dst, src []tensor.Float, targets []sample.Target, spec *sample.Spec, r Random) {
	Flip{Probability: 0.5}.Apply(dst, src, targets, spec, r)
}

// Validate returns an error where the probability is none.
func (f Flip) Validate() error {
	if !(f.Probability >= 0 && f.Probability <= 1) {
		return fmt.Errorf("data: flip: probability %v, expected one in [0, 1]", f.Probability)
	}
	return nil
}

// Apply implements Augment.
func (f Flip) Apply(dst, src []tensor.Float, targets []sample.Target, spec *sample.Spec, r Random) {
	shape := spec.Shape
	if r.Float64() >= f.Probability {
		copy(dst, src)
		return
	}
	w := shape[1]
	mirror(dst, src, shape)
	moveBoxes(targets, shape, func(b *sample.Box) { b.X0, b.X1 = float64(w)-b.X1, float64(w)-b.X0 })
}

// mirror writes an image left to right.
func mirror(dst, src []tensor.Float, shape tensor.Shape) {
	h, w, c := shape[0], shape[1], shape[2]
	for y := range h {
		for x := range w {
			copy(dst[(y*w+x)*c:(y*w+x+1)*c], src[(y*w+w-1-x)*c:])
		}
	}
}

// Scale makes an image larger or smaller, by a factor s that is log-uniform between 1/(1 + By) and
// 1 + By, and lays it at a place that is uniform among those where it covers the frame, or lies
// within it:
//
//	dst[y, x] = src[(y + ½ − d_y)/s − ½, (x + ½ − d_x)/s − ½], between pixels linear
//
// with d_x between 0 and (1 − s)·width, d_y likewise.
type Scale struct {
	By     float64 `yaml:"by"`     // largest factor − 1; 0 changes nothing
	Border Border  `yaml:"border"` // what is beside a smaller image
}

// Validate returns an error where the factor makes no sense or the border is unknown.
func (s Scale) Validate() error {
	if !(s.By >= 0 && s.By <= 10) {
		return fmt.Errorf("data: scale: by %v, expected a share such as 0.2, at most 10", s.By)
	}
	if s.Border < Zero || s.Border > Reflect {
		return fmt.Errorf("data: scale: border %d, expected Zero, Edge or Reflect", s.Border)
	}
	return nil
}

// Apply implements Augment.
func (s Scale) Apply(dst, src []tensor.Float, targets []sample.Target, spec *sample.Spec, r Random) {
	if s.By == 0 {
		copy(dst, src)
		return
	}
	shape := spec.Shape
	by := math.Exp((2*r.Float64() - 1) * math.Log1p(s.By))
	dy, dx := r.Float64()*(1-by)*float64(shape[0]), r.Float64()*(1-by)*float64(shape[1])
	s.paint(dst, src, shape, by, dy, dx)
	moveBoxes(targets, shape, func(b *sample.Box) {
		b.X0, b.X1, b.Y0, b.Y1 = by*b.X0+dx, by*b.X1+dx, by*b.Y0+dy, by*b.Y1+dy
	})
}

// paint writes the image, each pixel from four.
func (s Scale) paint(dst, src []tensor.Float, shape tensor.Shape, by, dy, dx float64) {
	h, w, c := shape[0], shape[1], shape[2]
	at := func(y, x, ch int) float64 {
		switch {
		case s.Border != Zero:
			y, x = s.Border.inside(y, h), s.Border.inside(x, w)
		case y < 0 || x < 0 || y >= h || x >= w:
			return 0
		}
		return float64(src[(y*w+x)*c+ch])
	}
	for y := range h {
		v := (float64(y)+0.5-dy)/by - 0.5
		y0 := int(math.Floor(v))
		fy := v - float64(y0)
		for x := range w {
			u := (float64(x)+0.5-dx)/by - 0.5
			x0 := int(math.Floor(u))
			fx := u - float64(x0)
			for ch := range c {
				top := (1-fx)*at(y0, x0, ch) + fx*at(y0, x0+1, ch)
				low := (1-fx)*at(y0+1, x0, ch) + fx*at(y0+1, x0+1, ch)
				dst[(y*w+x)*c+ch] = tensor.Float((1-fy)*top + fy*low)
			}
		}
	}
}

// moveBoxes moves the boxes of targets by f and cuts them off at the image's
// edges; one that is outside is dropped, since nothing of it is to be seen.
func moveBoxes(targets []sample.Target, shape tensor.Shape, f func(b *sample.Box)) {
	h, w := float64(shape[0]), float64(shape[1])
	for i := range targets {
		if targets[i].Boxes == nil {
			continue
		}
		moved := make([]sample.Box, 0, len(targets[i].Boxes)) // the source's own stay as they are
		for _, b := range targets[i].Boxes {
			f(&b)
			b.X0, b.X1, b.Y0, b.Y1 = max(b.X0, 0), min(b.X1, w), max(b.Y0, 0), min(b.Y1, h)
			if b.X0 < b.X1 && b.Y0 < b.Y1 {
				moved = append(moved, b)
			}
		}
		targets[i].Boxes = moved
	}
}

// moveBy is a move of dx pixels to the right and dy down.
func moveBy(dx, dy int) func(b *sample.Box) {
	return func(b *sample.Box) {
		b.X0, b.X1, b.Y0, b.Y1 = b.X0+float64(dx), b.X1+float64(dx), b.Y0+float64(dy), b.Y1+float64(dy)
	}
}

// Cutout sets a square to zero whose centre is uniform in the image; what lies
// outside of it is cut off (DeVries and Taylor, "Improved regularization of
// convolutional neural networks with cutout", 2017).
type Cutout struct {
	Size int `yaml:"size"` // side of the square in pixels; 0 changes nothing
}

// Validate returns an error where the size is negative.
func (c Cutout) Validate() error {
	if c.Size < 0 {
		return fmt.Errorf("data: cutout: square of %d pixels, expected 0 or more", c.Size)
	}
	return nil
}

// Apply implements Augment.
func (c Cutout) Apply(dst, src []tensor.Float, targets []sample.Target, spec *sample.Spec, r Random) {
	shape := spec.Shape
	copy(dst, src)
	if c.Size == 0 {
		return
	}
	h, w, ch := shape[0], shape[1], shape[2]
	top, left := r.IntN(h)-c.Size/2, r.IntN(w)-c.Size/2
	lo, hi := max(0, left), min(w, left+c.Size)
	for y := max(0, top); y < min(h, top+c.Size); y++ {
		clear(dst[(y*w+lo)*ch : (y*w+hi)*ch])
	}
}

// ColorJitter multiplies brightness, contrast and saturation, in this order, by
// factors b, c and s that are uniform in [1 − Brightness, 1 + Brightness] and so on,
// and keeps values within [0, 1] after each:
//
//	x ← b·x
//	x ← m + c·(x − m)   m: the mean luminance of the image
//	x ← g + s·(x − g)   g: the luminance of the pixel
//
// Brightness 0 leaves the brightness as it is, Contrast 0 the contrast, Saturation 0
// the saturation. The luminance is 0.299 R + 0.587 G + 0.114 B. An image that has not three
// channels has no saturation, and its values are their own luminance.
type ColorJitter struct {
	Brightness float64 `yaml:"brightness"` // half the range of b
	Contrast   float64 `yaml:"contrast"`   // half the range of c
	Saturation float64 `yaml:"saturation"` // half the range of s
}

// Validate returns an error where a range reaches below 0.
func (j ColorJitter) Validate() error {
	for _, v := range []float64{j.Brightness, j.Contrast, j.Saturation} {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("data: color-jitter: brightness %v, contrast %v, saturation %v, expected each in [0, 1]", j.Brightness, j.Contrast, j.Saturation)
		}
	}
	return nil
}

// Apply implements Augment.
func (j ColorJitter) Apply(dst, src []tensor.Float, targets []sample.Target, spec *sample.Spec, r Random) {
	shape := spec.Shape
	copy(dst, src)
	channels := shape[2]
	factor := func(spread float64) float64 { return 1 + spread*(2*r.Float64()-1) }
	if j.Brightness > 0 {
		blend(dst, 0, factor(j.Brightness))
	}
	if j.Contrast > 0 {
		var sum float64
		for at := 0; at < len(dst); at += channels {
			sum += luminance(dst[at : at+channels])
		}
		blend(dst, sum/float64(len(dst)/channels), factor(j.Contrast))
	}
	if j.Saturation > 0 && channels == 3 {
		s := factor(j.Saturation)
		for at := 0; at < len(dst); at += channels {
			pixel := dst[at : at+channels]
			blend(pixel, luminance(pixel), s)
		}
	}
}

// blend moves values away from a centre by a factor.
func blend(x []tensor.Float, center, factor float64) {
	for i, v := range x {
		x[i] = tensor.Float(min(max(center+factor*(float64(v)-center), 0), 1))
	}
}

// luminance of a pixel; the mean of its channels where they are not three.
func luminance(pixel []tensor.Float) float64 {
	if len(pixel) == 3 {
		return 0.299*float64(pixel[0]) + 0.587*float64(pixel[1]) + 0.114*float64(pixel[2])
	}
	var sum float64
	for _, v := range pixel {
		sum += float64(v)
	}
	return sum / float64(len(pixel))
}
