package detect

import (
	"fmt"
	"math"
	"slices"

	"synfire/encode"
	"synfire/loss"
	"synfire/sample"
	"synfire/tensor"
)

// box is how many values of a prediction come before its classes: x, y, w, h, object.
const box = 5

// largest is what t_w and t_h are limited to before exp, as outputs of spiking networks
// after few steps are wild.
const largest = 8

// YOLO is the loss of YOLOv2 (Redmon and Farhadi 2017, and the region layer of their
// Darknet). An output [G_h, G_w, K·(5+C)], of which the mean over the steps is read, has K
// predictions a cell. Of each truth the cell that its centre lies in and the anchor of the
// largest IoU are responsible, of two truths at one place the one that fits it better:
//
//	responsible  ½·coord·(2 − w·h)·[(σ(t_x) − x̂)² + (σ(t_y) − ŷ)² + (t_w − ŵ)² + (t_h − ĥ)²]
//	             + ½·object·(σ(t_o) − q)² + class·CE(softmax, class)
//	all others   ½·no-object·σ(t_o)², 0 where the predicted box has an IoU above ignore with a truth
//
// x̂ = x·G_w − c_x, ŵ = ln(w·G_w/p_w), with x, y, w, h the truth in fractions of the picture;
// q is 1, with rescore the IoU of prediction and truth, which is a constant to the gradient.
// The sum over a sample is averaged over the batch. Truths that are difficult are not
// learnt, and what overlaps them is not punished. Scores are boxes: centre and
// size b in fractions of the picture, σ(t_o) and softmax of the classes in the places of t, so
// that whoever reads them needs no anchors.
type YOLO struct {
	Anchors  []Anchor `yaml:"anchors"`   // width and height of K shapes, in cells of the grid
	Coord    float64  `yaml:"coord"`     // weight of place and size
	Object   float64  `yaml:"object"`    // weight of the score where there is an object
	NoObject float64  `yaml:"no-object"` // weight of the score where there is none
	Class    float64  `yaml:"class"`     // weight of the class
	Ignore   float64  `yaml:"ignore"`    // IoU above which a prediction without a truth of its own is not punished
	Rescore  bool     `yaml:"rescore"`   // scores learn the IoU rather than 1
}

// NewYOLO is the loss with Darknet's weights, without anchors.
func NewYOLO() YOLO {
	return YOLO{Coord: 1, Object: 5, NoObject: 1, Class: 1, Ignore: 0.6, Rescore: true}
}

// Validate returns an error for options that make no sense.
func (l YOLO) Validate() error {
	if len(l.Anchors) == 0 {
		return fmt.Errorf("loss yolo: no anchors; give the widths and heights of a few typical boxes in cells of the grid, as [[1, 1], [2, 3]]")
	}
	for i, a := range l.Anchors {
		if !positive(a[0]) || !positive(a[1]) {
			return fmt.Errorf("loss yolo: anchor %d is %v, want a width and a height above 0", i, a)
		}
	}
	for name, w := range map[string]float64{"coord": l.Coord, "object": l.Object, "no-object": l.NoObject, "class": l.Class} {
		if w != 0 && !positive(w) {
			return fmt.Errorf("loss yolo: weight %s is %v, want a number from 0 on", name, w)
		}
	}
	if !(l.Ignore >= 0 && l.Ignore <= 1) {
		return fmt.Errorf("loss yolo: ignore is %v, want an IoU in [0, 1], such as 0.6", l.Ignore)
	}
	return nil
}

func positive(v float64) bool { return v > 0 && !math.IsInf(v, 0) }

// Check wants K·(5+C) channels in each cell of a grid.
func (l YOLO) Check(out tensor.Shape, _ int, target sample.Field) error {
	if err := checkTarget(target); err != nil {
		return fmt.Errorf("loss yolo: %w", err)
	}
	k, c := len(l.Anchors), len(target.Classes)
	if len(out) != 3 || out[2] != k*(box+c) {
		return fmt.Errorf("loss yolo: the output is %v, want [rows, columns, %d], which is %d anchors × (5 + %d classes): give the last convolution out: %d, and no layer behind it", out, k*(box+c), k, c, k*(box+c))
	}
	return nil
}

// checkTarget returns an error unless a target is boxes in a picture of known size.
func checkTarget(target sample.Field) error {
	switch {
	case target.Kind != sample.Boxes:
		return fmt.Errorf("target %q is %v, want boxes: choose another loss or task, or another target", target.Name, target.Kind)
	case len(target.Shape) != 2 || len(target.Classes) == 0:
		return fmt.Errorf("target %q does not say the picture's height and width in pixels; its source must give them as the field's shape", target.Name)
	}
	return nil
}

// Score writes boxes in place of the output's values.
func (l YOLO) Score(c *loss.Call) error {
	if err := c.Decode(encode.Membrane{}); err != nil {
		return err
	}
	g, err := l.grid(c.Out.Shape)
	if err != nil {
		return err
	}
	g.decode(c.Scores)
	return nil
}

// Eval computes the loss. Its scores are boxes.
func (l YOLO) Eval(c *loss.Call) (float64, error) {
	if c.Target == nil || c.Target.Len() != c.Out.B {
		return 0, fmt.Errorf("loss yolo: no boxes for %d samples", c.Out.B)
	}
	if err := l.Check(c.Out.Shape, c.Out.T, *c.Target.Field); err != nil {
		return 0, err
	}
	if err := c.Decode(encode.Membrane{}); err != nil {
		return 0, err
	}
	g, err := l.grid(c.Out.Shape)
	if err != nil {
		return 0, err
	}
	size, inv := c.Out.Shape.Size(), 1/float64(c.Out.B)
	var grad []tensor.Float
	if c.DOut != nil {
		grad = make([]tensor.Float, len(c.Scores))
	}
	var total float64
	for b, truths := range c.Target.Boxes {
		t := c.Scores[b*size:][:size]
		var d []tensor.Float
		if grad != nil {
			d = grad[b*size:][:size]
		}
		total += l.eval(d, t, l.plan(g, t, fractions(truths, c.Target.Field.Shape)), inv)
	}
	if c.DOut != nil {
		c.Spread(encode.Membrane{}, grad)
	}
	g.decode(c.Scores)
	return total, nil
}

// fractions are boxes in fractions of a picture [height, width].
func fractions(boxes []sample.Box, shape tensor.Shape) []sample.Box {
	h, w := float64(shape[0]), float64(shape[1])
	out := slices.Clone(boxes)
	for i := range out {
		b := &out[i]
		b.X0, b.X1, b.Y0, b.Y1 = b.X0/w, b.X1/w, b.Y0/h, b.Y1/h
	}
	return out
}

// grid is the places of predictions.
type grid struct {
	h, w, per int // cells, and values of a prediction
	anchors   []Anchor
	sigmoid   bool // classes do not exclude each other
}

func (l YOLO) grid(out tensor.Shape) (grid, error) {
	k := len(l.Anchors)
	if len(out) != 3 || k == 0 || out[2]%k != 0 || out[2]/k <= box {
		return grid{}, fmt.Errorf("loss yolo: an output of %v for %d anchors, want [rows, columns, anchors × (5 + classes)]", out, k)
	}
	return grid{h: out[0], w: out[1], per: out[2] / k, anchors: l.Anchors}, nil
}

// at is where the prediction of an anchor in a cell begins.
func (g grid) at(y, x, anchor int) int { return ((y*g.w+x)*len(g.anchors) + anchor) * g.per }

// decode turns the values of all predictions of some samples into boxes.
func (g grid) decode(scores []tensor.Float) {
	size := g.h * g.w * len(g.anchors) * g.per
	for first := 0; first < len(scores); first += size {
		for y := range g.h {
			for x := range g.w {
				for k := range g.anchors {
					t := scores[first+g.at(y, x, k):][:g.per]
					cx, cy, w, h := g.place(t, y, x, k)
					t[0], t[1], t[2], t[3] = tensor.Float(cx), tensor.Float(cy), tensor.Float(w), tensor.Float(h)
					t[4] = tensor.Float(logistic(float64(t[4])))
					if !g.sigmoid {
						softmax(t[box:])
						continue
					}
					for i, v := range t[box:] {
						t[box+i] = tensor.Float(logistic(float64(v)))
					}
				}
			}
		}
	}
}

// place is centre and size of a prediction in fractions of the picture.
func (g grid) place(t []tensor.Float, y, x, k int) (cx, cy, w, h float64) {
	return (logistic(float64(t[0])) + float64(x)) / float64(g.w), (logistic(float64(t[1])) + float64(y)) / float64(g.h),
		g.anchors[k][0] * math.Exp(min(float64(t[2]), largest)) / float64(g.w), g.anchors[k][1] * math.Exp(min(float64(t[3]), largest)) / float64(g.h)
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// softmax normalises scores.
func softmax(x []tensor.Float) {
	top := float64(slices.Max(x))
	var z float64
	for _, v := range x {
		z += math.Exp(float64(v) - top)
	}
	for i, v := range x {
		x[i] = tensor.Float(math.Exp(float64(v)-top) / z)
	}
}

// around is the box of a centre and a size.
func around(cx, cy, w, h float64) sample.Box {
	return sample.Box{X0: cx - w/2, Y0: cy - h/2, X1: cx + w/2, Y1: cy + h/2}
}

// goal is what a prediction should be.
type goal struct {
	x, y, w, h, coord float64 // place, size and their weight; 0: none
	score, weight     float64 // of an object
	class             int     // -1: none
}

// plan says what each prediction of a sample should be, by the truths in fractions.
func (l YOLO) plan(g grid, t []tensor.Float, truths []sample.Box) []goal {
	goals := make([]goal, len(t)/g.per)
	for i := range goals {
		cell, k := i/len(g.anchors), i%len(g.anchors)
		guess := around(g.place(t[i*g.per:], cell/g.w, cell%g.w, k))
		goals[i] = goal{weight: l.NoObject, class: -1}
		if slices.ContainsFunc(truths, func(b sample.Box) bool { return sample.IoU(guess, b) > l.Ignore }) {
			goals[i].weight = 0
		}
	}
	fit := map[int]float64{} // of the truth that a place has so far
	for _, b := range sortedBoxes(truths) {
		w, h := b.X1-b.X0, b.Y1-b.Y0
		if b.Difficult || !(w > 0 && h > 0) {
			continue
		}
		gx, gy := (b.X0+b.X1)/2*float64(g.w), (b.Y0+b.Y1)/2*float64(g.h)
		x, y := min(max(int(gx), 0), g.w-1), min(max(int(gy), 0), g.h-1)
		k, iou := nearest(l.Anchors, sample.Box{X1: w * float64(g.w), Y1: h * float64(g.h)})
		i := g.at(y, x, k) / g.per
		if was, taken := fit[i]; taken && was >= iou {
			continue
		}
		fit[i] = iou
		goals[i] = goal{
			x: gx - float64(x), y: gy - float64(y), w: math.Log(w * float64(g.w) / l.Anchors[k][0]), h: math.Log(h * float64(g.h) / l.Anchors[k][1]),
			coord: l.Coord * (2 - w*h), score: 1, weight: l.Object, class: b.Class,
		}
		if l.Rescore {
			goals[i].score = sample.IoU(around(g.place(t[i*g.per:], y, x, k)), b)
		}
	}
	return goals
}

func sortedBoxes(boxes []sample.Box) []sample.Box {
	out := slices.Clone(boxes)
	slices.SortFunc(out, compareBoxes)
	return out
}

// eval is the loss of a sample times scale, with its goals held fixed; grad, unless nil,
// becomes its gradient by t.
func (l YOLO) eval(grad, t []tensor.Float, goals []goal, scale float64) float64 {
	per := len(t) / len(goals)
	var total float64
	for i, want := range goals {
		v := t[i*per:][:per]
		var d []tensor.Float
		if grad != nil {
			d = grad[i*per:][:per]
		}
		add := func(j int, off, slope, weight float64) { // ½·weight·off²
			total += scale * weight * off * off / 2
			if d != nil {
				d[j] = tensor.Float(scale * weight * off * slope)
			}
		}
		if want.coord > 0 {
			for j, at := range [2]float64{want.x, want.y} {
				s := logistic(float64(v[j]))
				add(j, s-at, s*(1-s), want.coord)
			}
			for j, at := range [2]float64{want.w, want.h} {
				add(2+j, float64(v[2+j])-at, 1, want.coord)
			}
		}
		o := logistic(float64(v[4]))
		add(4, o-want.score, o*(1-o), want.weight)
		if want.class < 0 {
			continue
		}
		var classes []tensor.Float
		if d != nil {
			classes = d[box:]
		}
		total += scale * l.Class * loss.CrossEntropy(classes, v[box:], want.class)
		for j := range classes {
			classes[j] *= tensor.Float(scale * l.Class)
		}
	}
	return total
}

// Read lists the detections with a score above threshold in the scores of one sample, boxes
// in pixels of a picture [height, width].
func Read(scores []tensor.Float, classes int, picture tensor.Shape, threshold float64) ([]Detection, error) {
	per := box + classes
	if len(scores)%per != 0 || len(picture) != 2 {
		return nil, fmt.Errorf("detect: %d scores for %d classes in a picture of %v, want a multiple of %d and [height, width]", len(scores), classes, picture, per)
	}
	if i, ok := tensor.Finite(scores); !ok {
		return nil, fmt.Errorf("value %d of the output is %v, want a finite number: has training diverged? Lower its learning rate, or set clip", i, scores[i])
	}
	h, w := float64(picture[0]), float64(picture[1])
	var found []Detection
	for at := 0; at < len(scores); at += per {
		v := scores[at:][:per]
		b := around(float64(v[0])*w, float64(v[1])*h, float64(v[2])*w, float64(v[3])*h)
		for c, p := range v[box:] {
			if score := float64(v[4]) * float64(p); score > threshold {
				b.Class = c
				found = append(found, Detection{Box: b, Score: score})
			}
		}
	}
	return found, nil
}
