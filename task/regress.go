package task

import (
	"fmt"
	"math"

	"synfire/sample"
	"synfire/tensor"
)

// Regress compares an output ŷ with K values y, over all samples (of a series, over
// all steps that are no padding): with N values in all and ȳ_k the mean of the k-th,
//
//	rmse   √(Σ (ŷ_k − y_k)² / N),   mae   Σ |ŷ_k − y_k| / N
//	R²     1 − Σ (ŷ_k − y_k)² / Σ (y_k − ȳ_k)²     undefined where no y_k varies
//
// So R² is 1 where all is right, and 0 for an output that knows the means alone. The
// output is compared by its scores; a target that is a series step by step.
type Regress struct {
	Read Read `yaml:"read"` // scores, mean, sum, last or each: a part of the output's course in place of its scores
}

// Validate always succeeds.
func (Regress) Validate() error { return nil }

// Check wants as many values of the output as of the target.
func (t Regress) Check(out tensor.Shape, steps int, target sample.Field) error {
	if err := t.Read.check(out, steps, target); err != nil {
		return fmt.Errorf("task regress: %w", err)
	}
	return nil
}

// Score begins an evaluation. It is an *Errors.
func (t Regress) Score(target sample.Field) Score {
	k := target.Shape.Size()
	return &Errors{unit: target.Unit, read: t.Read, mean: make([]float64, k)}
}

// Errors is the score of Regress.
type Errors struct {
	unit           string
	read           Read
	rows           int       // of K values each
	squares, total float64   // Σ (ŷ − y)², Σ |ŷ − y|
	mean           []float64 // ȳ_k, and
	spread         float64   // Σ (y_k − ȳ_k)², by Welford's recursion
	points         Points
	seen, every    int
}

// Add compares.
func (s *Errors) Add(c Case) error {
	if k := c.Output.Shape.Size(); k != len(s.mean) {
		return fmt.Errorf("task regress: an output of %d values for a target of %d", k, len(s.mean))
	}
	if err := c.pairs(s.read, s.add); err != nil {
		return fmt.Errorf("task regress: %w", err)
	}
	return nil
}

func (s *Errors) add(_ int, have, want []tensor.Float) {
	s.rows++
	for k, v := range have {
		y := float64(want[k])
		d := float64(v) - y
		s.squares += d * d
		s.total += math.Abs(d)
		off := y - s.mean[k]
		s.mean[k] += off / float64(s.rows)
		s.spread += off * (y - s.mean[k])
		s.point(y, float64(v))
	}
}

// shownPoints is the least number of points of a figure where there are more.
const shownPoints = 1000

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
	if s.rows == 0 {
		none, constant = noSamples, noSamples
	} else if s.spread == 0 {
		constant = "the target is constant"
	}
	n := float64(max(1, s.rows*len(s.mean)))
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
	if s.seen == 0 {
		return nil
	}
	p := Points{XName: "true", YName: "predicted", X: append([]float64(nil), s.points.X...), Y: append([]float64(nil), s.points.Y...)}
	if s.unit != "" {
		p.XName, p.YName = p.XName+" ("+s.unit+")", p.YName+" ("+s.unit+")"
	}
	text := "On the dashed line a prediction is right."
	if n := len(p.X); n < s.seen {
		text += fmt.Sprintf(" Of the %d values every %s is shown.", s.seen, ordinal(s.every))
	}
	return []Exhibit{{Title: "Predicted against true values", Text: text, Points: &p}}
}

// ordinal writes a power of two as 2nd, 4th, ….
func ordinal(n int) string {
	switch {
	case n%10 == 2 && n%100 != 12:
		return fmt.Sprintf("%dnd", n)
	case n%10 == 3 && n%100 != 13:
		return fmt.Sprintf("%drd", n)
	case n%10 == 1 && n%100 != 11:
		return fmt.Sprintf("%dst", n)
	}
	return fmt.Sprintf("%dth", n)
}
