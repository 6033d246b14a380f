package detect

import (
	"errors"
	"fmt"

	"synfire/encode"
	"synfire/signal"
	"synfire/tensor"
)

// Boxes reads an output [G_h, G_w, K·(5+C)] as boxes, of the mean over the steps: what [YOLO]
// does for a network that learns, it does for one that stands, as a conversion or an import
// leaves it. With Sigmoid classes do not exclude each other, as in YOLOv3 (Redmon and Farhadi,
// "YOLOv3: an incremental improvement", 2018): score of class c = σ(t_o)·σ(t_c).
type Boxes struct {
	Anchors []Anchor `yaml:"anchors"`           // width and height of K shapes, in cells of the grid
	Sigmoid bool     `yaml:"sigmoid,omitempty"` // classes by σ each, in place of softmax
}

// Validate returns an error for anchors that make no sense.
func (d Boxes) Validate() error {
	if len(d.Anchors) == 0 {
		return errors.New("read boxes: no anchors; give the widths and heights of a few typical boxes in cells of the grid, as [[1, 1], [2, 3]]")
	}
	for i, a := range d.Anchors {
		if !positive(a[0]) || !positive(a[1]) {
			return fmt.Errorf("read boxes: anchor %d is %v, want a width and a height above 0", i, a)
		}
	}
	return nil
}

// Fits returns an error for an output that is no grid of such predictions.
func (d Boxes) Fits(out tensor.Shape) error {
	if k := len(d.Anchors); len(out) != 3 || k == 0 || out[2]%k != 0 || out[2]/k <= box {
		return fmt.Errorf("an output of %v read as boxes of %d anchors, want [rows, columns, anchors × (5 + classes)]", out, k)
	}
	return nil
}

// Decode writes boxes, as the loss yolo does.
func (d Boxes) Decode(scores []tensor.Float, o *signal.Signal) {
	encode.Membrane{}.Decode(scores, o)
	d.grid(o.Shape).decode(scores)
}

// Spread gives each step its share of an error at the mean, before it became boxes.
func (d Boxes) Spread(dst *signal.Signal, errors []tensor.Float, t, b int, shape tensor.Shape) {
	encode.Membrane{}.Spread(dst, errors, t, b, shape)
}

// ReadsMean marks an encode.MeanReader.
func (Boxes) ReadsMean() {}

// grid is that of an output that fits.
func (d Boxes) grid(out tensor.Shape) grid {
	return grid{h: out[0], w: out[1], per: out[2] / len(d.Anchors), anchors: d.Anchors, sigmoid: d.Sigmoid}
}

// Decoder is what reads boxes of a network that the loss has trained.
func (l YOLO) Decoder() encode.Decoder { return Boxes{Anchors: l.Anchors} }

// AsBoxes is a decoder that reads boxes, by value.
func AsBoxes(d encode.Decoder) (Boxes, bool) {
	switch d := d.(type) {
	case Boxes:
		return d, true
	case *Boxes:
		return *d, d != nil
	}
	return Boxes{}, false
}
