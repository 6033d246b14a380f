package eqprop

import (
	"fmt"
	"math"
	"slices"

	"synfire/tensor"
)

// TopK limits the activity of hidden layers to a budget of K, so that few units are
// above zero. In both variants the map from drives to states is the gradient of a
// convex function, so that the estimates stay gradients. A predictor has no limit of
// its own; its states are limited by the first step.
type TopK struct {
	K       float64 // units; at least the layer's size limits nothing
	Variant Variant
	// Temperature is τ of Soft.
	Temperature float64
}

// Variant is a form of top-k.
type Variant uint8

// The variants.
const (
	// Budget projects onto {0 ≤ s ≤ 1, Σ s ≤ K}: clip(v − θ, 0, 1) with θ = 0 where the
	// sum is within K, else the θ that makes it K.
	Budget Variant = iota
	// Soft replaces ½‖s‖² by τ Σ [s ln s + (1 − s) ln(1 − s)] with Σ s = K. A step moves
	// towards 1/(1 + exp(−(z − θ)/τ)), with the θ that makes its sum K: the optimal
	// transport of Xie et al., "Differentiable Top-k with Optimal Transport", NeurIPS
	// 2020, at twice τ.
	Soft
)

func (t *TopK) validate(c Config) error {
	switch {
	case !(t.K > 0) || math.IsInf(t.K, 0):
		return fmt.Errorf("eqprop: top-k of %v units, want a positive number", t.K)
	case t.Variant > Soft:
		return fmt.Errorf("eqprop: no variant %d of top-k", t.Variant)
	case t.Variant == Soft && !(t.Temperature > 0):
		return fmt.Errorf("eqprop: soft top-k with temperature %v, want a positive one, as 0.1", t.Temperature)
	case c.Activation != Continuous || c.Spiking != nil:
		return fmt.Errorf("eqprop: top-k goes with continuous dynamics of units that send their states; leave activation and spiking out")
	case t.Variant == Soft && c.Predictor != nil && c.Predictor.Lambda > 0:
		return fmt.Errorf("eqprop: soft top-k has no quadratic leak for a predictor's lambda to join; set lambda to 0, or take the budget")
	}
	return nil
}

// limits says whether a layer has a budget.
func (r *relaxer) limits(l int) bool {
	return r.c.TopK != nil && l < len(r.sizes)-1 && r.c.TopK.K < float64(r.sizes[l])
}

// settleRow moves one sample's states of a limited layer and returns the largest
// change.
func (r *relaxer) settleRow(s, z, scratch []tensor.Float) (change tensor.Float) {
	k := tensor.Float(r.c.TopK.K)
	if r.c.TopK.Variant == Soft {
		softTopK(z, k, tensor.Float(r.c.TopK.Temperature))
		return r.move.Step(s, z)
	}
	old := scratch[:len(s)]
	copy(old, s)
	for j, v := range s {
		s[j] = tensor.Float(r.move.Keep*v) + tensor.Float(r.move.Gain*z[j])
	}
	project(s, k)
	for j, v := range s {
		change = max(change, v-old[j], old[j]-v)
	}
	return change
}

// project replaces v by the nearest point of {0 ≤ s ≤ 1, Σ s ≤ k}. Newton steps on θ
// stay inside a bracket; they end exactly where the same units are inside (0, 1)
// twice.
func project(v []tensor.Float, k tensor.Float) {
	if sum, _ := clippedSum(v, 0); sum <= k {
		clipShifted(v, 0)
		return
	}
	lo, hi := tensor.Float(0), slices.Max(v)
	theta := lo
	for range 100 {
		sum, inside := clippedSum(v, theta)
		if sum > k {
			lo = theta
		} else {
			hi = theta
		}
		next := (lo + hi) / 2
		if inside > 0 {
			if newton := theta + (sum-k)/tensor.Float(inside); newton >= lo && newton <= hi {
				next = newton
			}
		}
		if next == theta || next == lo && sum <= k || next == hi && sum > k {
			theta = next
			break
		}
		theta = next
	}
	clipShifted(v, theta)
}

// clippedSum is Σ clip(v − θ, 0, 1), and how many terms lie inside.
func clippedSum(v []tensor.Float, theta tensor.Float) (sum tensor.Float, inside int) {
	for _, x := range v {
		switch d := x - theta; {
		case d >= 1:
			sum++
		case d > 0:
			sum += d
			inside++
		}
	}
	return sum, inside
}

func clipShifted(v []tensor.Float, theta tensor.Float) {
	for j, x := range v {
		v[j] = min(max(x-theta, 0), 1)
	}
}

// softTopK replaces scores by their soft membership in the top k < len(z).
func softTopK(z []tensor.Float, k, tau tensor.Float) {
	n, kk, t := float64(len(z)), float64(k), float64(tau)
	edge := t*math.Abs(math.Log((n-kk)/kk)) + 1
	lo, hi := float64(slices.Min(z))-edge, float64(slices.Max(z))+edge
	theta := (lo + hi) / 2
	for range 100 {
		sum, slope := 0.0, 0.0
		for _, v := range z {
			m := 1 / (1 + math.Exp(-(float64(v)-theta)/t))
			sum += m
			slope += m * (1 - m)
		}
		if math.Abs(sum-kk) < 1e-9*kk {
			break
		}
		if sum > kk {
			lo = theta
		} else {
			hi = theta
		}
		theta += (sum - kk) * t / slope
		if !(theta > lo && theta < hi) {
			theta = (lo + hi) / 2
		}
	}
	for j, v := range z {
		z[j] = tensor.Float(1 / (1 + math.Exp(-(float64(v)-theta)/t)))
	}
}
