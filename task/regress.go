package task

import (
	"fmt"
	"math"

	"synfire/loss"
	"synfire/sample"
	"synfire/tensor"
)

// Regress compares an output with values y, over all N values of all samples:
//
//	rmse   √(Σ (ŷ − y)² / N),   mae   Σ |ŷ − y| / N
//	R²     1 − Σ (ŷ − y)² / Σ (y − ȳ)²     ȳ the mean of y; undefined where y is constant
//
// A target that is a series is compared at every step, as read: each does.
type Regress struct {
	Read loss.Read `yaml:"read"` // of a target that is no series: mean, sum, last or each
}

// Validate always succeeds.
func (Regress) Validate() error { return nil }

// Check wants as many scores as values.
func (t Regress) Check(out tensor.Shape, steps int, target sample.Field) error {
	if target.Steps > 0 {
		t.Read = loss.ReadEach
	}
	if err := (loss.MSE{Read: t.Read}).Check(out, steps, target); err != nil {
		return fmt.Errorf("task regress: %w", err)
	}
	return nil
}

// Score begins an evaluation.
func (t Regress) Score(target sample.Field) Score {
	if target.Steps > 0 {
		t.Read = loss.ReadEach
	}
	return &Errors{unit: target.Unit, read: t.Read}
}

// shownPoints is the most points of a figure.
const shownPoints = 2000

// Errors is the score of Regress.
type Errors struct {
	unit           string
	read           loss.Read
	n              int
	squares, total float64 // Σ (ŷ − y)², Σ |ŷ − y|
	mean, spread   float64 // of y: the mean, and Σ (y − ȳ)², by Welford's recursion
	points         Points
	seen, every    int
}

// Add compares.
func (s *Errors) Add(c Case) error {
	k := c.Output.Shape.Size()
	for b := range c.Batch.Len() {
		y := c.Target.At(b).Values
		if s.read != loss.ReadEach {
			s.add(c.answer(b, s.read), y)
			continue
		}
		if c.Output.Signal == nil {
			return fmt.Errorf("task regress: the output has no course over time to compare with a series")
		}
		for t := range c.steps(b) {
			from := 0
			if c.Target.Field.Steps > 0 {
				from = t * k
			}
			s.add(c.Output.Signal.Data[(t*c.Batch.Len()+b)*k:][:k], y[from:from+k])
		}
	}
	return nil
}

// steps are those of sample b that are no padding.
func (c Case) steps(b int) int {
	if c.Valid == nil {
		return c.Output.Signal.T
	}
	return c.Valid[b]
}

// answer is what an output says of sample b: read off its course, or its scores
// where it has none.
func (c Case) answer(b int, read loss.Read) []tensor.Float {
	if c.Output.Signal == nil {
		return c.Output.Of(b)
	}
	k, n := c.Output.Shape.Size(), c.Batch.Len()
	out := make([]tensor.Float, k)
	steps := c.steps(b)
	if read == loss.ReadLast {
		copy(out, c.Output.Signal.Data[((steps-1)*n+b)*k:])
		return out
	}
	for t := range steps {
		for i, v := range c.Output.Signal.Data[(t*n+b)*k:][:k] {
			out[i] += v
		}
	}
	if read == loss.ReadMean {
		for i := range out {
			out[i] /= tensor.Float(steps)
		}
	}
	return out
}

func (s *Errors) add(have, want []tensor.Float) {
	for i, v := range have {
		y := float64(want[i])
		d := float64(v) - y
		s.n++
		s.squares += d * d
		s.total += math.Abs(d)
		off := y - s.mean
		s.mean += off / float64(s.n)
		s.spread += off * (y - s.mean)
		s.point(y, float64(v))
	}
}

// point keeps every point, and from a number on every second, every fourth, ….
func (s *Errors) point(x, y float64) {
	s.every = max(1, s.every)
	if s.seen++; (s.seen-1)%s.every != 0 {
		return
	}
	s.points.X, s.points.Y = append(s.points.X, x), append(s.points.Y, y)
	if len(s.points.X) < 2*shownPoints {
		return
	}
	for i := range shownPoints {
		s.points.X[i], s.points.Y[i] = s.points.X[2*i], s.points.Y[2*i]
	}
	s.points.X, s.points.Y = s.points.X[:shownPoints], s.points.Y[:shownPoints]
	s.every *= 2
}

// Scalars are rmse, mae and R².
func (s *Errors) Scalars() []Scalar {
	none, constant := "", ""
	if s.n == 0 {
		none, constant = "no samples", "no samples"
	} else if s.spread == 0 {
		constant = "the target is constant"
	}
	n := float64(max(1, s.n))
	r2 := Scalar{Name: "r2", Better: Higher, Why: constant}
	if constant == "" {
		r2.Value = 1 - s.squares/s.spread
	}
	return []Scalar{
		{Name: "rmse", Value: math.Sqrt(s.squares / n), Unit: s.unit, Better: Lower, Why: none},
		{Name: "mae", Value: s.total / n, Unit: s.unit, Better: Lower, Why: none},
		r2,
	}
}

// Exhibits are predicted against true values.
func (s *Errors) Exhibits() []Exhibit {
	p := s.points
	p.XName, p.YName = "true", "predicted"
	if s.unit != "" {
		p.XName, p.YName = p.XName+" ("+s.unit+")", p.YName+" ("+s.unit+")"
	}
	return []Exhibit{{Title: "Predicted against true values", Text: "On the diagonal a prediction is right.", Points: &p}}
}
