package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"synfire/data"
	"synfire/run"
	"synfire/sample"
	"synfire/task"
)

// Evaluation is a predictor's result on a whole source.
type Evaluation struct {
	Metrics Metrics
	Scores  []task.Score // one for each task
	// Scalars are those of the tasks, the one that others are chosen by first, then the
	// figures that the rule has besides, and the loss where there is one.
	Scalars []task.Scalar
	Steps   float64 // of time that a sample took, in the mean; 0: all of the run's
}

// Scalar finds a figure by name.
func (e *Evaluation) Scalar(name string) (task.Scalar, bool) {
	for _, s := range e.Scalars {
		if s.Name == name {
			return s, true
		}
	}
	return task.Scalar{}, false
}

// Value is a figure by name, 0 where there is none.
func (e *Evaluation) Value(name string) float64 {
	s, _ := e.Scalar(name)
	return s.Value
}

// Figures are the scalars by name.
func (e *Evaluation) Figures() run.Figures { return figures(e.Scalars) }

// Classes is the score of the first task that classifies, or nil.
func (e *Evaluation) Classes() *task.Classes {
	for _, s := range e.Scores {
		if c, ok := s.(*task.Classes); ok {
			return c
		}
	}
	return nil
}

// EvaluateOptions say how an evaluation goes.
type EvaluateOptions struct {
	Tasks     []task.Binding
	Normalize *sample.Normalization
	Views     data.Views // of each sample, whose scores are averaged
	Batch     int        // samples at once; 0 means 256, of large images fewer
	Prefetch  int        // batches decoded ahead
	Progress  func(done, total int)
}

// evalBatch is how many samples an evaluation takes at once unless told otherwise, and evalPixels
// how many values of images: what layers make of them is many times that.
const (
	evalBatch  = 256
	evalPixels = evalBatch << 14
)

// fitting is how many samples an evaluation takes at once.
func fitting(spec sample.Spec) int {
	if spec.Events || len(spec.Shape) != 3 {
		return evalBatch
	}
	return max(1, min(evalBatch, evalPixels/spec.Shape.Size()))
}

// interrupted is ErrInterrupted where that is why something failed.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ErrInterrupted
	}
	return err
}

// Evaluate runs a predictor over a whole source, in order.
func Evaluate(ctx context.Context, p Predictor, src sample.Source, o EvaluateOptions) (*Evaluation, error) {
	if o.Batch == 0 {
		o.Batch = fitting(src.Spec())
	}
	cur, err := data.NewCursor(src, data.CursorOptions{Batch: o.Batch, Normalize: o.Normalize, Prefetch: o.Prefetch})
	if err != nil {
		return nil, err
	}
	if err := o.Views.Check(src.Spec()); err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	p = InViews(p, o.Views)
	ev := &Evaluation{Scores: make([]task.Score, len(o.Tasks))}
	for i, t := range o.Tasks {
		f, err := src.Spec().Target(t.Target)
		if err != nil {
			return nil, fmt.Errorf("evaluate: %w", err)
		}
		ev.Scores[i] = t.Task.Score(f)
	}
	steps := 0
	var b sample.Batch
	for at := 0; ; at += b.Len() {
		if ctx.Err() != nil {
			return nil, ErrInterrupted
		}
		more, err := cur.Next(ctx, &b)
		if err != nil {
			return nil, interrupted(ctx, err)
		}
		if !more {
			break
		}
		prediction, err := p.Predict(ctx, &b)
		if loss, ok := prediction.Metrics.Mean(Loss); err == nil && ok && (math.IsNaN(loss) || math.IsInf(loss, 0)) {
			err = fmt.Errorf("the loss is %v: the model's outputs or the targets are not finite; lower the learning rate or set clip", loss)
		}
		if err != nil {
			return nil, interrupted(ctx, fmt.Errorf("evaluate: %s …: %w", src.Origin(at), err))
		}
		ev.Metrics.Add(prediction.Metrics)
		for _, n := range prediction.Steps {
			steps += n
		}
		for i, t := range o.Tasks {
			c, err := caseOf(t, prediction, &b, at)
			if err == nil {
				c.Normalize = o.Normalize
				err = ev.Scores[i].Add(c)
			}
			if err != nil {
				return nil, unscored(src, err)
			}
		}
		if o.Progress != nil {
			o.Progress(at+b.Len(), src.Len())
		}
	}
	ev.Steps = float64(steps) / float64(max(1, ev.Metrics.N))
	for i := range o.Tasks {
		for _, s := range ev.Scores[i].Scalars() {
			s.Name = scalarName(o.Tasks, i, s.Name)
			ev.Scalars = append(ev.Scalars, s)
		}
	}
	ev.Scalars = append(ev.Scalars, ev.besides()...)
	if v, ok := ev.Metrics.Mean(Loss); ok {
		ev.Scalars = append(ev.Scalars, task.Scalar{Name: Loss, Value: v, Better: task.Lower})
	}
	return ev, nil
}

// besides are the rule's figures that are no task's; one that a task has goes by the
// task's.
func (e *Evaluation) besides() (out []task.Scalar) {
	for _, s := range e.Metrics.Scalars() {
		known := func(t task.Scalar) bool { return t.Name == s.Name || strings.HasSuffix(t.Name, "/"+s.Name) }
		if s.Name != Loss && !slices.ContainsFunc(e.Scalars, known) {
			out = append(out, s)
		}
	}
	return out
}

// unscored is the error of a task, with the origin of the sample that it names.
func unscored(src sample.Source, err error) error {
	var bad *task.SampleError
	if errors.As(err, &bad) && bad.Place < src.Len() {
		return fmt.Errorf("evaluate: %s: %w", src.Origin(bad.Place), err)
	}
	return fmt.Errorf("evaluate: %w", err)
}
