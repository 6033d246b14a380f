package encode

import (
	"synfire/signal"
	"synfire/tensor"
)

// FirstSpike scores outputs by how early they fire: −t, with t the step of the
// first spike and T for none. For outputs that are no spikes it is the form
// that is linear in each of them,
//
//	t = Σ_t Π_{t' ≤ t} (1 − o[t'])
//
// Of equal scores, the first class counts as best.
type FirstSpike struct{}

// Decode writes the scores [B, K] of o, Dense [T, B, K].
func (FirstSpike) Decode(scores []tensor.Float, o *signal.Signal) {
	n := len(scores)
	for i := range scores {
		silent, steps := tensor.Float(1), tensor.Float(0)
		for t := range o.T {
			silent *= 1 - o.Data[t*n+i]
			steps += silent
		}
		scores[i] = -steps
	}
}

// Backward turns errors at the scores into errors at the outputs o:
//
//	∂o[s] = ∂score · Π_{t' < s} (1 − o[t']) · Σ_{t ≥ s} Π_{s < t' ≤ t} (1 − o[t'])
func (FirstSpike) Backward(dst *signal.Signal, errors []tensor.Float, o *signal.Signal) {
	dst.Reset(signal.Dense, o.T, o.B, o.Shape)
	n := len(errors)
	for i, g := range errors {
		before := g
		for t := range o.T {
			dst.Data[t*n+i] = before
			before *= 1 - o.Data[t*n+i]
		}
		after := tensor.Float(0)
		for t := o.T - 1; t >= 0; t-- {
			at := t*n + i
			after++
			dst.Data[at] *= after
			after *= 1 - o.Data[at]
		}
	}
}
