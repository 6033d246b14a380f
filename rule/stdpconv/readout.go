package stdpcnn

import (
	"context"
	"math"

	"synfire/internal/rng"
)

// example is the units that fired for an image, and its class.
type example struct {
	active []int32
	class  int
}

// linear is a softmax of sums of weights [unit, class]: of the readout, or of pooled features.
type linear struct {
	classes      int
	weight, bias []float64
}

const (
	passes = 15   // over the examples
	rate   = 0.02 // at the start; it falls to 0 along a line
)

// fit learns by gradient descent, an example at a time in an order of the seed.
func fit(ctx context.Context, list []example, units, classes int, src *rng.Source) (*linear, error) {
	l := &linear{classes: classes, weight: make([]float64, units*classes), bias: make([]float64, classes)}
	score := make([]float64, classes)
	for k := range passes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for n, i := range src.Perm(len(list)) {
			x := list[i]
			step := rate * (1 - (float64(k)+float64(n)/float64(len(list)))/passes)
			l.scores(x.active, score)
			softmax(score)
			score[x.class]--
			for c, g := range score {
				l.bias[c] -= step * g
			}
			for _, u := range x.active {
				w := l.weight[int(u)*classes:][:classes]
				for c, g := range score {
					w[c] -= step * g
				}
			}
		}
	}
	return l, nil
}

func (l *linear) scores(active []int32, score []float64) {
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

// right tells of each example whether the largest score is its class's, of equals the first.
func (l *linear) right(list []example) []bool {
	out, score := make([]bool, len(list)), make([]float64, l.classes)
	for i, x := range list {
		l.scores(x.active, score)
		best := 0
		for c, v := range score {
			if v > score[best] {
				best = c
			}
		}
		out[i] = best == x.class
	}
	return out
}

// percent is the share that is true.
func percent(list []bool) float64 {
	n := 0
	for _, ok := range list {
		if ok {
			n++
		}
	}
	return 100 * float64(n) / float64(max(len(list), 1))
}

// mcNemar is the two-sided exact p of two classifiers of the same examples: that of b or more of
// b + c tosses of a coin, b and c the examples that one alone has right.
func mcNemar(first, second []bool) float64 {
	b, c := 0, 0
	for i := range first {
		if first[i] && !second[i] {
			b++
		}
		if !first[i] && second[i] {
			c++
		}
	}
	n, tail := b+c, 0.0
	half := float64(n) * math.Ln2
	all, _ := math.Lgamma(float64(n + 1))
	for k := max(b, c); k <= n; k++ {
		x, _ := math.Lgamma(float64(k + 1))
		y, _ := math.Lgamma(float64(n - k + 1))
		tail += math.Exp(all - x - y - half)
	}
	return min(1, 2*tail)
}
