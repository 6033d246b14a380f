package eqprop

import (
	"errors"
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
// Last. A pruned weight is zero in both directions, and without Regrow stays so. Biases
// are kept. A predictor's matrices are pruned likewise.
//
// With Regrow masks are chosen anew each time: what learns, as if nothing was pruned,
// is a dense shadow, and the weights are those of its elements that the mask keeps.
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
	Saliency          Saliency
	Regrow            bool
	SharedMask        bool // a predictor's masks are those of the network, in place of its own
}

// Saliency is the size of a weight that decides whether it is kept.
type Saliency uint8

// The saliencies.
const (
	Magnitude Saliency = iota // |w|
	// Movement is |w·ΣΔw| with the sum of all steps so far: the distance of the weight
	// from where the configuration draws it.
	Movement
)

func (p *Pruning) validate(c Config) error {
	in := func(q float64) bool { return q >= 0 && q < 1 }
	if !in(p.Sparsity) || !in(p.Last) {
		return fmt.Errorf("eqprop: pruning to sparsities %v and %v, want shares in [0, 1), as 0.9 and 0.45", p.Sparsity, p.Last)
	}
	if p.Begin < 0 || p.End <= p.Begin || p.Every < 1 {
		return fmt.Errorf("eqprop: pruning from step %d to %d, every %d: want a beginning before the end, and at least one step between", p.Begin, p.End, p.Every)
	}
	if p.Saliency > Movement {
		return fmt.Errorf("eqprop: pruning by saliency %d, want magnitude or movement", p.Saliency)
	}
	if p.SharedMask && c.Predictor == nil {
		return errors.New("eqprop: pruning with a shared mask, and there is no predictor to share it; leave it out")
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

// prune sets the least salient weights to zero; of equal ones those that come last.
func prune(w, saliency []tensor.Float, sparsity float64) {
	drop := int(math.Round(sparsity * float64(len(w))))
	if drop == 0 {
		return
	}
	limit := smallest(slices.Clone(saliency), drop-1)
	for i, v := range saliency {
		if v < limit {
			w[i] = 0
			drop--
		}
	}
	for i := len(w) - 1; drop > 0; i-- {
		if saliency[i] == limit {
			w[i] = 0
			drop--
		}
	}
}

// of are the saliencies of weights that were drawn as first. Those that are zero
// already come before all others, so that the number of zeros is exact.
func (s Saliency) of(w, first []tensor.Float) []tensor.Float {
	out := make([]tensor.Float, len(w))
	for i, v := range w {
		switch {
		case v == 0:
			out[i] = -1
		case s == Movement:
			out[i] = size(v * (v - first[i]))
		default:
			out[i] = size(v)
		}
	}
	return out
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

// thinned is a network that pruning thins out: its own shadow, or none, what is kept of
// it, and how it was drawn.
type thinned struct {
	net, shadow *Net
	kept        []kept
	prefix      string
}

// learned is the network that learns: the shadow, if there is one.
func (t thinned) learned() *Net {
	if t.shadow != nil {
		return t.shadow
	}
	return t.net
}

// thinned are the network and the predictor.
func (r *relaxer) thinned() []thinned {
	all := []thinned{{r.net, r.shadow, r.kept, ""}}
	if r.predictor != nil {
		all = append(all, thinned{r.predictor, r.forwardShadow, r.forwardKept, forwardPrefix})
	}
	return all
}

func (r *relaxer) regrows() bool { return r.c.Pruning != nil && r.c.Pruning.Regrow }

// prune follows the schedule after a step. Between its changes the update keeps at
// zero what was pruned.
func (r *relaxer) prune(step int) {
	p := r.c.Pruning
	if p == nil || !p.due(step) {
		return
	}
	for i, t := range r.thinned() {
		var first *Net
		if p.Saliency == Movement {
			first = newNet(r.net.Convolutional, r.sizes, r.c.Weights, r.c.Seed, t.prefix)
		}
		for l, param := range t.learned().W {
			w := param.Value.Data
			if p.Regrow {
				w = slices.Clone(w)
			}
			if i > 0 && p.SharedMask {
				r.kept[l].mask(w, 0, r.sizes[l])
			} else {
				r.thin(w, l, step, first)
			}
			t.kept[l].list(w, r.sizes[l], r.sizes[l+1])
		}
	}
}

// thin prunes a matrix as far as the schedule says.
func (r *relaxer) thin(w []tensor.Float, l, step int, first *Net) {
	p, final := r.c.Pruning, r.c.Pruning.Sparsity
	if l == len(r.sizes)-2 {
		final = p.Last
	}
	var drawn []tensor.Float
	if first != nil {
		drawn = first.W[l].Value.Data
	}
	prune(w, p.Saliency.of(w, drawn), p.at(step, final))
}

// listKept takes up which weights are not pruned.
func (r *relaxer) listKept() {
	for _, t := range r.thinned() {
		net := t.learned()
		if r.regrows() {
			net = t.net
		}
		for l, w := range net.W {
			t.kept[l].list(w.Value.Data, r.sizes[l], r.sizes[l+1])
		}
	}
}
