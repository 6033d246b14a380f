package stdpconv

import (
	"context"
	"math"

	"synfire/internal/rng"
)

// Readout is how the readout learns, as a configuration describes it.
type Readout struct {
	Labels int     `yaml:"labels"` // training samples that it learns, at most, evenly spaced; 0: all
	Global bool    `yaml:"global"` // it sees which maps fire anywhere, in place of where
	Passes int     `yaml:"passes"` // over its samples
	LR     float64 `yaml:"lr"`     // at the start; it falls to 0 along a line
}

// NewReadout has the defaults of a configuration file.
func NewReadout() Readout { return Readout{Passes: 15, LR: 0.02} }

// Example is the units that fired for an image, ascending, and its class.
type Example struct {
	Active []int32
	Class  int
}

// Linear is a softmax of sums of the weights of units that fired.
type Linear struct {
	classes      int
	weight, bias []float64 // [units, classes]
}

func newLinear(units, classes int) *Linear {
	return &Linear{classes: classes, weight: make([]float64, units*classes), bias: make([]float64, classes)}
}

// Fit learns by gradient descent, an example at a time in an order that src draws for each pass.
func (r Readout) Fit(ctx context.Context, list []Example, units, classes int, src *rng.Source) (*Linear, error) {
	l := newLinear(units, classes)
	score := make([]float64, classes)
	for k := range r.Passes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for n, i := range src.Perm(len(list)) {
			x := list[i]
			step := r.LR * (1 - (float64(k)+float64(n)/float64(len(list)))/float64(r.Passes))
			l.scores(x.Active, score)
			softmax(score)
			score[x.Class]--
			for c, g := range score {
				l.bias[c] -= step * g
			}
			for _, u := range x.Active {
				w := l.weight[int(u)*classes:][:classes]
				for c, g := range score {
					w[c] -= step * g
				}
			}
		}
	}
	return l, nil
}

func (l *Linear) scores(active []int32, score []float64) {
	copy(score, l.bias)
	for _, u := range active {
		for c, w := range l.weight[int(u)*l.classes:][:l.classes] {
			score[c] += w
		}
	}
}

func softmax(x []float64) {
	high, total := math.Inf(-1), 0.0
	for _, v := range x {
		high = max(high, v)
	}
	for i, v := range x {
		x[i] = math.Exp(v - high)
		total += x[i]
	}
	for i := range x {
		x[i] /= total
	}
}

// Say is the class of the largest score, the first of equals.
func (l *Linear) Say(active []int32) (best int) {
	score := make([]float64, l.classes)
	l.scores(active, score)
	for c, v := range score {
		if v > score[best] {
			best = c
		}
	}
	return best
}
