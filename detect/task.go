package detect

import (
	"fmt"

	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
)

// Detect scores boxes by average precision, the area under precision over recall, a class
// at a time; mAP is its mean over the classes that have a truth, difficult ones aside:
//
//	map50      of all points, right from an IoU of 0.5 on, as PASCAL VOC from 2010 on (VOC)
//	map50_95   of 101 points, mean over IoUs of 0.5, 0.55, …, 0.95, as COCO (COCO)
//	map50_11   of 11 points, right from an IoU of 0.5 on, as PASCAL VOC 2007
//
// Scores are those of the loss yolo: [cells, K·(5+C)] boxes. Those of several outputs, as of the
// grids of a YOLOv3, are read together.
type Detect struct {
	Threshold float64 `yaml:"threshold"` // score above which a box counts, in [0, 1)
	Overlap   float64 `yaml:"overlap"`   // IoU above which a box hides one of its class with a lower score, in [0, 1]
}

// NewDetect is the task with the thresholds that average precision is usually measured by.
func NewDetect() Detect { return Detect{Threshold: 0.005, Overlap: 0.45} }

// Of is the first of a model's tasks that is Detect, by value, and what it is bound to.
func Of(tasks []task.Binding) (d Detect, b task.Binding, ok bool) {
	for _, b := range tasks {
		switch t := b.Task.(type) {
		case Detect:
			return t, b, true
		case *Detect:
			return *t, b, true
		}
	}
	return d, b, false
}

// Validate returns an error for thresholds out of range.
func (d Detect) Validate() error {
	if !(d.Threshold >= 0 && d.Threshold < 1 && d.Overlap >= 0 && d.Overlap <= 1) {
		return fmt.Errorf("task detect: threshold %v and overlap %v, want a score in [0, 1), such as 0.005, and an IoU in [0, 1], such as 0.45", d.Threshold, d.Overlap)
	}
	return nil
}

// Check wants a whole number of predictions in each cell.
func (Detect) Check(out tensor.Shape, _ int, target sample.Field) error {
	if err := checkTarget(target); err != nil {
		return fmt.Errorf("task detect: %w", err)
	}
	if per := box + len(target.Classes); len(out) != 3 || out[2]%per != 0 {
		return fmt.Errorf("task detect: the output is %v, want [rows, columns, a multiple of %d], which is 5 + %d classes", out, per, per-box)
	}
	return nil
}

// Joins marks a task.Joint.
func (Detect) Joins() {}

// Score begins an evaluation. It is a *Pictures.
func (d Detect) Score(target sample.Field) task.Score {
	return &Pictures{task: d, field: target}
}

// Pictures is the score of Detect.
type Pictures struct {
	task  Detect
	field sample.Field
	all   []Picture
}

// Add collects the boxes of a batch.
func (s *Pictures) Add(c task.Case) error {
	outputs := append([]task.Output{c.Output}, c.Others...)
	for _, o := range outputs {
		if c.Target.Field.Kind != sample.Boxes || len(o.Scores) != o.Shape.Size()*c.Target.Len() {
			return fmt.Errorf("task detect: %d scores of %v for %d samples with %v, want one output and one list of boxes a sample", len(o.Scores), o.Shape, c.Target.Len(), c.Target.Field.Kind)
		}
	}
	for i, truths := range c.Target.Boxes {
		found, err := s.task.Find(outputs, i, s.field, s.task.Threshold)
		if err != nil {
			return fmt.Errorf("task detect: %w", &task.SampleError{Place: c.First + i, Err: err})
		}
		s.all = append(s.all, Picture{Truths: append([]sample.Box(nil), truths...), Found: found})
	}
	return nil
}

// Find is what outputs find together in sample i with a score above a threshold, boxes in pixels
// of the field's picture.
func (d Detect) Find(outputs []task.Output, i int, f sample.Field, threshold float64) ([]Detection, error) {
	var all []Detection
	for _, o := range outputs {
		boxes, err := Read(o.Of(i), len(f.Classes), f.Shape, threshold)
		if err != nil {
			return nil, err
		}
		all = append(all, boxes...)
	}
	return Suppress(all, d.Overlap), nil
}

// AP is the average precision of each class at an IoU of 0.5 over all points, in [0, 1];
// defined says which classes have a truth.
func (s *Pictures) AP() (ap []float64, defined []bool) {
	for _, c := range s.curves() {
		v, ok := c.AllPoints()
		ap, defined = append(ap, v), append(defined, ok)
	}
	return ap, defined
}

// Append adds a picture whose boxes were found elsewhere.
func (s *Pictures) Append(p Picture) { s.all = append(s.all, p) }

// Len is the number of pictures.
func (s *Pictures) Len() int { return len(s.all) }

// curves are those of PASCAL VOC at an IoU of 0.5, one a class.
func (s *Pictures) curves() (out []Curve) {
	for c := range s.field.Classes {
		out = append(out, VOC(s.all, c, 0.5))
	}
	return out
}

// coco is the mean over ten IoUs, a curve for each of these and each class.
func (s *Pictures) coco() (float64, bool) {
	var curves []Curve
	for k := range 10 {
		for c := range s.field.Classes {
			curves = append(curves, COCO(s.all, c, float64(50+5*k)/100))
		}
	}
	return Mean(curves, func(c Curve) (float64, bool) { return c.Interpolated(100) })
}

// Scalars are the means over classes.
func (s *Pictures) Scalars() []task.Scalar {
	scalar := func(name string, v float64, defined bool) task.Scalar {
		out := task.Scalar{Name: name, Unit: "%", Better: task.Higher}
		switch {
		case len(s.all) == 0:
			out.Why = "no samples"
		case !defined:
			out.Why = "no boxes are to be found"
		default:
			out.Value = 100 * v
		}
		return out
	}
	curves := s.curves()
	all, ok := Mean(curves, Curve.AllPoints)
	eleven, _ := Mean(curves, func(c Curve) (float64, bool) { return c.Interpolated(10) })
	coco, _ := s.coco()
	return []task.Scalar{scalar("map50", all, ok), scalar("map50_95", coco, ok), scalar("map50_11", eleven, ok)}
}

// Exhibits are the average precisions of the classes.
func (s *Pictures) Exhibits() []task.Exhibit {
	if len(s.all) == 0 {
		return nil
	}
	t := task.Table{Head: []string{"class", "boxes", "right", "wrong", "AP at IoU 0.5"}}
	for i, c := range s.curves() {
		var last Point
		if n := len(c.Points); n > 0 {
			last = c.Points[n-1]
		}
		shown := "undefined: no boxes are to be found"
		if ap, ok := c.AllPoints(); ok {
			shown = fmt.Sprintf("%.1f %%", 100*ap)
		}
		t.Rows = append(t.Rows, []string{s.field.Classes[i], fmt.Sprint(c.Truths), fmt.Sprint(last.Right), fmt.Sprint(last.Wrong), shown})
	}
	return []task.Exhibit{{Title: "Average precision of each class", Text: fmt.Sprintf("Right and wrong are all boxes of a score above %v.", s.task.Threshold), Table: &t}}
}
