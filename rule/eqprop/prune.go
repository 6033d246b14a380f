package eqprop

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"synfire/tensor"
)

// Pruning removes the smallest weights of each matrix in the course of training,
// those of both directions at once, by the cubic schedule of Zhu and Gupta ("To
// prune, or not to prune", arXiv 1710.01878): after step t the sparsity is
//
//	q_t = q · (1 − (1 − (t − Begin)/(End − Begin))³)
//
// changed every Every steps from Begin to End, with q = Sparsity, of the last matrix
// Last. A pruned weight stays zero. Biases are kept, and so are a predictor's weights.
type Pruning struct {
	Sparsity, Last    float64 // in [0, 1)
	Begin, End, Every int     // steps of training
}

func (p *Pruning) validate() error {
	in := func(q float64) bool { return q >= 0 && q < 1 }
	if !in(p.Sparsity) || !in(p.Last) {
		return fmt.Errorf("eqprop: pruning to sparsities %v and %v, want shares in [0, 1), as 0.9 and 0.45", p.Sparsity, p.Last)
	}
	if p.Begin < 0 || p.End <= p.Begin || p.Every < 1 {
		return fmt.Errorf("eqprop: pruning from step %d to %d, every %d: want a beginning before the end, and at least one step between", p.Begin, p.End, p.Every)
	}
	return nil
}

// at is the sparsity after a step, of a final one.
func (p *Pruning) at(step int, final float64) float64 {
	part := float64(min(max(step-p.Begin, 0), p.End-p.Begin)) / float64(p.End-p.Begin)
	return final * (1 - math.Pow(1-part, 3))
}

// due says whether masks change after a step.
func (p *Pruning) due(step int) bool {
	return step >= p.Begin && step <= p.End && ((step-p.Begin)%p.Every == 0 || step == p.End)
}

// prune sets the smallest weights to zero; of equal ones those that come last.
func prune(w []tensor.Float, sparsity float64) {
	drop := int(math.Round(sparsity * float64(len(w))))
	order := make([]int32, len(w))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(size(w[a]), size(w[b])), cmp.Compare(b, a))
	})
	for _, i := range order[:drop] {
		w[i] = 0
	}
}

func size(x tensor.Float) tensor.Float { return max(x, -x) }

// zerosOf lists the places of the weights that are zero.
func zerosOf(at []int32, w []tensor.Float) []int32 {
	at = at[:0]
	for i, v := range w {
		if v == 0 {
			at = append(at, int32(i))
		}
	}
	return at
}

// prune follows the schedule after a step, and keeps what was pruned at zero.
func (r *relaxer) prune(step int) {
	p := r.c.Pruning
	if p == nil || step < p.Begin {
		return
	}
	for l, w := range r.net.W {
		data := w.Value.Data
		for _, i := range r.pruned[l] {
			data[i] = 0
		}
		if p.due(step) {
			final := p.Sparsity
			if l == len(r.net.W)-1 {
				final = p.Last
			}
			prune(data, p.at(step, final))
			r.pruned[l] = zerosOf(r.pruned[l], data)
		}
	}
}
