package data

import (
	"fmt"

	"synfire/sample"
	"synfire/tensor"
)

// Views are ways to look at an image again when it is measured or predicted, whose scores
// are averaged (test-time augmentation, in the form of Jordan, "94% on CIFAR-10 in 3.29
// seconds on a single GPU", 2024). Training sees none of them.
//
// With Translate the image counts ½, and the image moved by so many pixels up and left,
// and down and right, ¼ each; what comes in is mirrored at the border. With Flip each of
// these is halved with its mirror image: two, three or six views.
type Views struct {
	Flip      bool `yaml:"flip"`      // the image and its mirror image, left to right
	Translate int  `yaml:"translate"` // pixels up and left, and down and right; 0: none
}

// On reports whether there is more than one view.
func (v Views) On() bool { return v != Views{} }

// Validate returns an error for a negative translation.
func (v Views) Validate() error {
	if v.Translate < 0 {
		return fmt.Errorf("data: views: translate is %d, want pixels of 0 or more", v.Translate)
	}
	return nil
}

// Check returns an error for samples that are no images.
func (v Views) Check(spec sample.Spec) error {
	if v.On() && (spec.Events || len(spec.Shape) != 3) {
		return fmt.Errorf("data: views of samples of %v, want images of height, width and channels: leave views out", spec)
	}
	return nil
}

// Each calls f for each view of a batch with its weight; the weights add up to 1. The batch
// that f is given is valid until f returns, and b stays as it is.
func (v Views) Each(b *sample.Batch, f func(view *sample.Batch, weight float64) error) error {
	type view struct {
		move   int
		mirror bool
		weight float64
	}
	all := []view{{weight: 1}}
	if v.Translate > 0 {
		all = []view{{weight: 0.5}, {move: -v.Translate, weight: 0.25}, {move: v.Translate, weight: 0.25}}
	}
	if v.Flip {
		for i := range all {
			all[i].weight /= 2
			mirrored := all[i]
			mirrored.mirror = true
			all = append(all, mirrored)
		}
	}
	shape := b.Spec.Shape
	n := shape.Size()
	other, moved := *b, make([]tensor.Float, n)
	other.X = make([]tensor.Float, len(b.X))
	for _, w := range all {
		for lo := 0; lo < len(b.X); lo += n {
			from, to := b.X[lo:lo+n], other.X[lo:lo+n]
			if w.move != 0 {
				Reflect.translate(moved, from, shape, w.move, w.move)
				from = moved
			}
			if w.mirror {
				mirror(to, from, shape)
			} else {
				copy(to, from)
			}
		}
		if err := f(&other, w.weight); err != nil {
			return err
		}
	}
	return nil
}
