package eqprop

import (
	"fmt"
	"math"

	"synfire/internal/kernel"
	"synfire/tensor"
)

// Predictor is the forward network of initialised equilibrium propagation, with
// weights ω_l and biases c_l of its own:
//
//	s^f_0 = x,   a_l = ω_lᵀ s^f_{l−1} + c_l,   s^f_l = ρ(a_l) + Leak·a_l
//
// Its outputs start the free phase, and the energy gains λ/2 Σ_l ‖s_l − s^f_l‖²,
// in all phases and in testing. Each of its layers learns the free state by a loss
// of its own, ½‖s^f_l − s⁰_l‖², for which the layer below is constant:
//
//	g_l = (s⁰_l − s^f_l) ⊙ h′(a_l),   ω_l += α_l mean[s^f_{l−1} g_lᵀ],   c_l += α_l mean[g_l]
//
// with h′ = 1 + Leak on [0, 1] and Leak outside. Trained, it is a classifier by
// itself (Learner.Forward). O'Connor, Gavves and Welling, "Initialized Equilibrium
// Propagation for Backprop-Free Training", ICLR 2019.
type Predictor struct {
	Lambda float64 // λ, not negative; 0.1 is common
	Leak   float64 // 0 means 0.01, without which forward units die
}

func (p *Predictor) leak() float64 {
	if p.Leak == 0 {
		return 0.01
	}
	return p.Leak
}

func (p *Predictor) validate() error {
	if !(p.Lambda >= 0) || math.IsInf(p.Lambda, 0) || !(p.leak() > 0) || math.IsInf(p.leak(), 0) {
		return fmt.Errorf("eqprop: predictor with lambda %v and leak %v: want a lambda that is not negative and a positive leak; 0.1 and 0.01 are common", p.Lambda, p.Leak)
	}
	return nil
}

// activate turns sums a into h(a), in place, and writes h′(a).
func (p *Predictor) activate(a, slope []tensor.Float) {
	leak := tensor.Float(p.leak())
	for i, v := range a {
		switch {
		case v > 1:
			a[i], slope[i] = 1+leak*v, leak
		case v < 0:
			a[i], slope[i] = leak*v, leak
		default:
			a[i], slope[i] = v+leak*v, 1+leak
		}
	}
}

// predict computes a block's predictions and slopes.
func (r *relaxer) predict(w *block, b *batch) {
	for l := 1; l <= r.top; l++ {
		n := r.sizes[l]
		lo := w.lo * n
		a := r.guess[l][lo:][:w.total*n]
		kernel.FillRows(a, r.predictor.B[l-1].Value.Data)
		if l == 1 {
			r.addInput(w, b, a, r.predictor.W[0].Value.Data, &r.predictorPacked[1])
		} else {
			k := r.sizes[l-1]
			r.predictorPacked[l].MulDirect(w.total, r.guess[l-1][w.lo*k:], k, 0, k, 0, n, a, n)
		}
		r.c.Predictor.activate(a, r.errors[l][lo:])
	}
}

// predictorErrors turns a block's slopes into the scaled errors g.
func (r *relaxer) predictorErrors(w *block, samples int) {
	for l := 1; l <= r.top; l++ {
		lo, hi := w.lo*r.sizes[l], (w.lo+w.total)*r.sizes[l]
		guess, free, g := r.guess[l][lo:hi], r.free[l][lo:hi], r.errors[l][lo:hi]
		scale := tensor.Float(r.rate(l) / float64(samples))
		for i, v := range guess {
			g[i] *= scale * (free[i] - v)
		}
	}
}
