package encode

import (
	"synfire/signal"
	"synfire/tensor"
)

// Weighted is the sum over time in which early steps count more:
//
//	score = Σ_t Factor^t·o[t],   ∂o[t] = Factor^t·∂score
//
// For one spike an output it ranks by the time of that; with the spikes of a
// RankOrder it is the decoder of rank-order coding (Thorpe and Gautrais, "Rank
// order coding", 1998). Factor is in (0, 1].
type Weighted struct {
	Factor float64 `yaml:"factor"` // in (0, 1]
}

// Decode adds the steps in order.
func (d Weighted) Decode(scores []tensor.Float, o *signal.Signal) {
	clear(scores)
	weight := 1.
	for t := range o.T {
		for i, v := range o.Data[t*len(scores):][:len(scores)] {
			scores[i] += tensor.Float(tensor.Float(weight) * v)
		}
		weight *= d.Factor
	}
}

// Spread gives each step its share of the error.
func (d Weighted) Spread(dst *signal.Signal, errors []tensor.Float, t, b int, shape tensor.Shape) {
	dst.Reset(signal.Dense, t, b, shape)
	weight := 1.
	for s := range t {
		for i, g := range errors {
			dst.Data[s*len(errors)+i] = tensor.Float(weight) * g
		}
		weight *= d.Factor
	}
}
