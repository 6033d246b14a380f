package eqprop

import (
	"fmt"
	"math"

	"synfire/tensor"
)

// Pruning removes the smallest weights of each matrix in the course of training,
// those of both directions at once, by the cubic schedule of Zhu and Gupta ("To
// prune, or not to prune", arXiv 1710.01878): after step t the sparsity is
//
//	q_t = q · (1 − (1 − (t − Begin)/(End − Begin))³)
//
// changed every Every steps from Begin to End, with q = Sparsity, of the last matrix
// Last. A pruned weight stays zero, in both directions. Biases are kept, and so are a
// predictor's weights.
//
// Where a fifth of a matrix is left or less (an eighth for batches of few samples), its
// products add the kept weights alone, to the same bits; so do spikes from a fiftieth on.
// A batch's update is computed by whole rows, which vectors are faster for than single
// weights, but of a first matrix with many zeros in its inputs no more than kept weights
// are written; a twentieth of such a matrix, or less, is needed for sums over lists in
// steps of learning.
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
	return final * cubic(step, p.Begin, p.End)
}

// cubic rises from 0 at begin to 1 at end, fast at first.
func cubic(step, begin, end int) float64 {
	part := float64(min(max(step-begin, 0), end-begin)) / float64(end-begin)
	return 1 - math.Pow(1-part, 3)
}

// due says whether masks change after a step.
func (p *Pruning) due(step int) bool {
	return step >= p.Begin && step <= p.End && ((step-p.Begin)%p.Every == 0 || step == p.End)
}

// prune sets the smallest weights to zero; of equal ones those that come last.
func prune(w []tensor.Float, sparsity float64) {
	drop := int(math.Round(sparsity * float64(len(w))))
	if drop == 0 {
		return
	}
	sizes := make([]tensor.Float, len(w))
	for i, v := range w {
		sizes[i] = size(v)
	}
	limit := smallest(sizes, drop-1)
	for i, v := range w {
		if size(v) < limit {
			w[i] = 0
			drop--
		}
	}
	for i := len(w) - 1; drop > 0; i-- {
		if size(w[i]) == limit {
			w[i] = 0
			drop--
		}
	}
}

func size(x tensor.Float) tensor.Float { return max(x, -x) }

// smallest is the element that n others of x, which it reorders, stand before when
// x is sorted.
func smallest(x []tensor.Float, n int) tensor.Float {
	lo, hi := 0, len(x)-1
	for lo < hi {
		pivot := middle(x[lo], x[(lo+hi)/2], x[hi])
		i, j := lo, hi
		for i <= j {
			for x[i] < pivot {
				i++
			}
			for x[j] > pivot {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case n <= j:
			hi = j
		case n >= i:
			lo = i
		default:
			return x[n]
		}
	}
	return x[n]
}

func middle(a, b, c tensor.Float) tensor.Float {
	return max(min(a, b), min(max(a, b), c))
}

// prune follows the schedule after a step. Between its changes the update keeps at
// zero what was pruned.
func (r *relaxer) prune(step int) {
	p := r.c.Pruning
	if p == nil || !p.due(step) {
		return
	}
	weights := r.learned().W
	for l := range weights {
		final := p.Sparsity
		if l == len(weights)-1 {
			final = p.Last
		}
		prune(weights[l].Value.Data, p.at(step, final))
	}
	r.listKept()
}

// listKept takes up which weights are not pruned.
func (r *relaxer) listKept() {
	for l, w := range r.learned().W {
		r.kept[l].list(w.Value.Data, r.sizes[l], r.sizes[l+1])
	}
}
