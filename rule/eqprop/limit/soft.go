package limit

import (
	"math"
	"slices"

	"synfire/internal/kernel"
	"synfire/rule/eqprop/sparse"
	"synfire/tensor"
)

// Unsought stands for the θ of a search that has not begun.
var Unsought = tensor.Float(math.NaN())

// softTolerance is a relative error of Σ m that rounding may leave.
var softTolerance = 8 * roundOff()

// roundOff is the distance from 1 to the next number.
func roundOff() tensor.Float {
	e := tensor.Float(1)
	for 1+e/2 > 1 {
		e /= 2
	}
	return e
}

// Soft replaces scores by their soft membership in the top k < len(z), and returns its
// θ. The search begins at theta, which the last step of the same sample has left: as
// states settle, one or two of Newton's steps find the next. At first it begins at the
// score of the k-th.
func (m *Limiter) Soft(z []tensor.Float, k, tau, theta tensor.Float) tensor.Float {
	if theta != theta {
		m.sorted = append(m.sorted[:0], z...)
		theta = sparse.Smallest(m.sorted, max(0, len(z)-int(max(1, k))))
	}
	m.shares = tensor.Resize(m.shares, len(z))
	lo, hi := -infinite, infinite
	for range 100 {
		sum, spread := kernel.Logistic{Threshold: theta, Slope: 1 / tau}.Of(m.shares, z)
		excess := sum - k
		if size(excess) <= softTolerance*k {
			break
		}
		if excess > 0 {
			lo = theta
		} else {
			hi = theta
		}
		step := excess * tau / spread
		if !(size(step) < farStep*tau) {
			lo, hi = enclose(z, k, tau, lo, hi)
		}
		next := theta + step
		if !(next > lo && next < hi) {
			next = lo + (hi-lo)/2
		}
		if next == theta {
			break
		}
		theta = next
	}
	copy(z, m.shares)
	return theta
}

// farStep is the length of Newton's steps, in temperatures, from which on the sum is
// too far from a line for them, and a bracket is needed.
const farStep = 4

// enclose cuts a bracket of θ to where it can be: the sum of shares is at least k where
// even the lowest score has the share k/n, and at most k where the highest has no more.
func enclose(z []tensor.Float, k, tau, lo, hi tensor.Float) (tensor.Float, tensor.Float) {
	mean := tau * tensor.Float(math.Log(float64(tensor.Float(len(z))/k-1)))
	return max(lo, slices.Min(z)+mean-tau), min(hi, slices.Max(z)+mean+tau)
}

func size(x tensor.Float) tensor.Float { return max(x, -x) }
