// Package scenes makes pictures with boxes of a data set of small grey images: digits of
// various size on a canvas, for detectors to learn from. Scene i of a part is a function of
// (part, i) alone and is drawn when it is read:
//
//	n ~ U{1, …, 4} images of the same part, each at a side of U{22, …, 44} pixels, bilinear,
//	at a place uniform within the canvas, drawn anew up to 20 times while its box has an IoU
//	above 0.1 with an earlier one, then left out;
//	x = max over the images + noise, N(0, 0.02), kept within [0, 1].
//
// The box of an image spans its pixels above 32/255.
package scenes

import (
	"context"
	"fmt"
	"image"
	"math"

	"synfire/data"
	"synfire/format/picture"
	"synfire/internal/rng"
	"synfire/sample"
	"synfire/tensor"
)

// The scenes.
const (
	Side     = 96 // of the canvas in pixels
	trainLen = 5000
	testLen  = 500

	most              = 4 // images of a scene
	smallest, largest = 22, 44
	tries             = 20
	overlap           = 0.1
	faint             = 32
	noise             = 0.02
)

// Dataset is scenes of the images of a data set, 96×96×1, 5,000 for training and 500 for
// the test. The target is named "boxes".
func Dataset(images data.Dataset, name string) data.Dataset {
	d := images
	d.Name, d.Title = name, images.Title+", several of various size on a canvas, with boxes"
	d.Splits = []data.Split{{Name: "train", Len: trainLen}, {Name: "test", Len: testLen}}
	d.Load = func(ctx context.Context, o data.Options) (train, test sample.Source, err error) {
		if train, test, err = images.Load(ctx, o); err != nil {
			return nil, nil, err
		}
		a, err := New(train, name+" train", trainLen)
		if err != nil || test == nil {
			return a, nil, err
		}
		b, err := New(test, name+" test", testLen)
		return a, b, err
	}
	return d
}

// New is n scenes of the images of a source, grey with a class each. The name is the part
// that the random numbers are of.
func New(images sample.Source, name string, n int) (sample.Source, error) {
	spec := images.Spec()
	if len(spec.Shape) != 3 || spec.Shape[2] != 1 || spec.Size() != spec.Shape.Size() || len(spec.Targets) == 0 || spec.Targets[0].Kind != sample.Class || images.Len() == 0 {
		return nil, fmt.Errorf("data: scenes: %d samples of %v, want grey images [height, width, 1] with a class each", images.Len(), spec)
	}
	return &source{images: images, name: name, n: n, key: rng.New(0, "digit-scenes").Str(name), spec: sample.Spec{
		Shape:   tensor.Shape{Side, Side, 1},
		Targets: []sample.Field{{Name: "boxes", Kind: sample.Boxes, Classes: spec.Targets[0].Classes, Shape: tensor.Shape{Side, Side}}},
	}}, nil
}

type source struct {
	images sample.Source
	name   string
	n      int
	key    rng.Key
	spec   sample.Spec
}

func (s *source) Spec() sample.Spec   { return s.spec }
func (s *source) Len() int            { return s.n }
func (s *source) Index(i int) int     { return i }
func (s *source) Origin(i int) string { return fmt.Sprintf("%s, scene %d", s.name, i) }

// Target draws the scene, since the boxes follow from its pixels.
func (s *source) Target(i, _ int) (sample.Target, error) {
	boxes, err := s.draw(context.Background(), i, make([]tensor.Float, s.spec.Size()))
	return sample.Target{Boxes: boxes}, err
}

func (s *source) Read(ctx context.Context, i int, x *sample.Sample) error {
	boxes, err := s.draw(ctx, i, x.X)
	if err != nil {
		return err
	}
	x.Targets = append(x.Targets, sample.Target{Boxes: boxes})
	return nil
}

// draw paints scene i and returns its boxes.
func (s *source) draw(ctx context.Context, i int, canvas []tensor.Float) ([]sample.Box, error) {
	clear(canvas)
	r := s.key.Int(uint64(i)).Source()
	boxes := []sample.Box{}
	for range 1 + r.IntN(most) {
		at, side := r.IntN(s.images.Len()), smallest+r.IntN(largest-smallest+1)
		class, pixels, err := s.image(ctx, at, side)
		if err != nil {
			return nil, fmt.Errorf("data: %s: %w", s.Origin(i), err)
		}
		for range tries {
			x, y := r.IntN(Side-side+1), r.IntN(Side-side+1)
			b, seen := extent(pixels, side, x, y)
			if b.Class = class; !seen || crowded(b, boxes) {
				continue
			}
			for j, v := range pixels {
				p := &canvas[(y+j/side)*Side+x+j%side]
				*p = max(*p, tensor.Float(v)/255)
			}
			boxes = append(boxes, b)
			break
		}
	}
	for j, v := range canvas {
		canvas[j] = tensor.Float(min(max(float64(v)+noise*r.Norm(), 0), 1))
	}
	return boxes, nil
}

// image is the pixels of an image, scaled to a square.
func (s *source) image(ctx context.Context, at, side int) (class int, pixels []uint8, err error) {
	shape := s.images.Spec().Shape
	x := sample.Sample{X: make([]tensor.Float, shape.Size())}
	if err := s.images.Read(ctx, at, &x); err != nil {
		return 0, nil, err
	}
	m := image.NewGray(image.Rect(0, 0, shape[1], shape[0]))
	for j, v := range x.X {
		m.Pix[j] = uint8(math.Round(255 * min(max(float64(v), 0), 1)))
	}
	pixels = make([]uint8, side*side)
	picture.Pack(pixels, m, side, side, 1)
	return x.Targets[0].Class, pixels, nil
}

// extent is the box around the pixels of an image that are not faint, moved to (x, y).
func extent(pixels []uint8, side, x, y int) (b sample.Box, seen bool) {
	b = sample.Box{X0: Side, Y0: Side}
	for j, v := range pixels {
		if v <= faint {
			continue
		}
		px, py := float64(x+j%side), float64(y+j/side)
		b.X0, b.X1, b.Y0, b.Y1 = min(b.X0, px), max(b.X1, px+1), min(b.Y0, py), max(b.Y1, py+1)
		seen = true
	}
	return b, seen
}

func crowded(b sample.Box, others []sample.Box) bool {
	for _, o := range others {
		if sample.IoU(b, o) > overlap {
			return true
		}
	}
	return false
}
