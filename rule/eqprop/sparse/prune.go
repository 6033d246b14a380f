// Package sparse prunes the matrices of a network that relaxes, and multiplies by what
// is left of them: each product is one chain of multiply-adds, whose terms of pruned
// weights are left out,
//
//	c[j] += Σ_{i: w_ij ≠ 0} s_i·w_ij
//
// to the same bits as the product with the whole matrix.
package sparse

import (
	"fmt"
	"math"
	"slices"

	"synfire/internal/enum"
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
	Sparsity   float64  `yaml:"sparsity"`    // final share of pruned weights, in [0, 1)
	Last       float64  `yaml:"last"`        // the same of the last matrix
	Begin      int      `yaml:"begin"`       // step of training after which pruning begins
	End        int      `yaml:"end"`         // and that after which it is done
	Every      int      `yaml:"every"`       // steps from one pruning to the next
	Saliency   Saliency `yaml:"saliency"`    // what decides which weights are kept
	Regrow     bool     `yaml:"regrow"`      // masks are chosen anew each time
	SharedMask bool     `yaml:"shared-mask"` // a predictor's masks are those of the network, in place of its own
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

var saliencyNames = []string{"magnitude", "movement"}

// String is the saliency's name in configurations.
func (s Saliency) String() string { return enum.Name(s, saliencyNames) }

// MarshalText is String.
func (s Saliency) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is the inverse of String.
func (s *Saliency) UnmarshalText(text []byte) error {
	return enum.Parse(s, text, "saliency", saliencyNames)
}

// Validate returns an error for a schedule that cannot be followed.
func (p *Pruning) Validate() error {
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
	return nil
}

// At is the sparsity after a step, of a final one.
func (p *Pruning) At(step int, final float64) float64 {
	return final * Cubic(step, p.Begin, p.End)
}

// Cubic rises from 0 at begin to 1 at end, fast at first.
func Cubic(step, begin, end int) float64 {
	part := float64(min(max(step-begin, 0), end-begin)) / float64(end-begin)
	return 1 - math.Pow(1-part, 3)
}

// Due says whether masks change after a step.
func (p *Pruning) Due(step int) bool {
	return step >= p.Begin && step <= p.End && ((step-p.Begin)%p.Every == 0 || step == p.End)
}

// Prune sets the least salient weights to zero; of equal ones those that come last.
func Prune(w, saliency []tensor.Float, sparsity float64) {
	drop := int(math.Round(sparsity * float64(len(w))))
	if drop == 0 {
		return
	}
	limit := Smallest(slices.Clone(saliency), drop-1)
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

// Of are the saliencies of weights that were drawn as first. Those that are zero
// already come before all others, so that the number of zeros is exact.
func (s Saliency) Of(w, first []tensor.Float) []tensor.Float {
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

// Smallest is the element that n others of x, which it reorders, stand before when
// x is sorted.
func Smallest(x []tensor.Float, n int) tensor.Float {
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
