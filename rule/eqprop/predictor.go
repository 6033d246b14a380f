package eqprop

import (
	"errors"
	"fmt"
	"math"

	"synfire/internal/kernel"
	"synfire/rule/eqprop/limit"
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
// with h′ = 1 + Leak on [0, 1] and Leak outside. With TopK the outputs of hidden layers
// are limited as the states of theirs, s^f = Top(ρ(a) + Leak·a), and with the symmetric
// derivative J of the map, g = h′ ⊙ J (s⁰ − s^f), where for u = s⁰ − s^f
//
//	budget  J u = u − [θ > 0] mean_I u on I = {0 < s^f < 1}, 0 elsewhere
//	soft    J u = (v ⊙ u − v·vᵀu/Σv)/τ,  v = s^f ⊙ (1 − s^f)
//	hard    J u = u for the chosen units, 0 elsewhere
//
// Trained, it is a classifier by itself (Learner.Forward). O'Connor, Gavves and Welling, "Initialized Equilibrium
// Propagation for Backprop-Free Training", ICLR 2019.
type Predictor struct {
	Lambda float64 `yaml:"lambda"` // λ, not negative; 0.1 is common
	Leak   float64 `yaml:"leak"`   // of forward units, without which they die; 0: 0.01
	TopK   bool    `yaml:"top-k"`  // limits hidden layers as top-k does those of the network
}

// forwardPrefix begins the names of a predictor's parameters.
const forwardPrefix = "forward."

func (p *Predictor) validate(c Config) error {
	if p.TopK && (c.TopK == nil || c.TopK.Variant == limit.Perturbed) {
		return errors.New("eqprop: a predictor's top-k is that of the network's budget, soft or hard top-k, and there is none; choose one, or leave the predictor's out")
	}
	if !(p.Lambda >= 0) || math.IsInf(p.Lambda, 0) || !(p.Leak > 0) || math.IsInf(p.Leak, 0) {
		return fmt.Errorf("eqprop: predictor with lambda %v and leak %v: want a lambda that is not negative and a positive leak; 0.1 and 0.01 are common", p.Lambda, p.Leak)
	}
	return nil
}

// activate turns sums a into h(a), in place, and writes h′(a).
func (p *Predictor) activate(a, slope []tensor.Float) {
	leak := tensor.Float(p.Leak)
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
		if k := r.sizes[l-1]; l == 1 {
			r.addInput(w, b, a, r.forward[1])
		} else {
			r.forward[l].Up(&w.product, w.total, r.guess[l-1][w.lo*k:][:w.total*k], a)
		}
		slope := r.errors[l][lo:][:len(a)]
		r.c.Predictor.activate(a, slope)
		if r.limitsGuess(l) {
			for i := range w.total {
				r.limitGuess(w, l, i, a[i*n:][:n], slope[i*n:][:n])
			}
		}
	}
}

// limitsGuess says whether a layer's predictions are limited.
func (r *relaxer) limitsGuess(l int) bool { return r.c.Predictor.TopK && r.binds(l) }

// limitGuess limits the prediction of a layer for one of its samples. Slopes
// become zero where the limit lets nothing pass.
func (r *relaxer) limitGuess(w *block, l, i int, h, slope []tensor.Float) {
	switch m := &w.limiter; r.c.TopK.Variant {
	case limit.Soft:
		m.Soft(h, r.limit[l].K, r.limit[l].Temperature, limit.Unsought)
	case limit.Hard:
		for j, chosen := range m.Largest(h, int(r.limit[l].K)) {
			if !chosen {
				h[j], slope[j] = 0, 0
			}
		}
	default:
		w.shift[l][i] = m.Project(h, r.limit[l].K)
		for j, v := range h {
			if v <= 0 || v >= 1 {
				slope[j] = 0
			}
		}
	}
}

// predictorErrors turns a block's slopes into the scaled errors g.
func (r *relaxer) predictorErrors(w *block, samples int) {
	for l := 1; l <= r.top; l++ {
		n := r.sizes[l]
		scale := tensor.Float(r.rate(l) / float64(samples))
		for i := range w.total {
			at := (w.lo + i) * n
			guess, free, g := r.guess[l][at:][:n], r.free[l][at:][:n], r.errors[l][at:][:n]
			switch {
			case r.limitsGuess(l) && r.c.TopK.Variant == limit.Soft:
				softErrors(guess, free, g, scale/r.limit[l].Temperature)
				continue
			case r.limitsGuess(l) && r.c.TopK.Variant == limit.Budget && w.shift[l][i] > 0:
				budgetErrors(guess, free, g, scale)
				continue
			}
			for j, v := range guess {
				g[j] *= scale * (free[j] - v)
			}
		}
	}
}

// softErrors turns slopes into the errors under a soft limit.
func softErrors(guess, free, g []tensor.Float, scale tensor.Float) {
	var sum, mean tensor.Float
	for j, s := range guess {
		v := s * (1 - s)
		sum += v
		mean += tensor.Float(v * (free[j] - s))
	}
	if sum > 0 {
		mean /= sum
	}
	for j, s := range guess {
		g[j] *= scale * s * (1 - s) * (free[j] - s - mean)
	}
}

// budgetErrors turns slopes, which are zero at the bounds, into the errors under a
// budget that is used up.
func budgetErrors(guess, free, g []tensor.Float, scale tensor.Float) {
	var mean tensor.Float
	inside := 0
	for j, s := range guess {
		if g[j] != 0 {
			mean += free[j] - s
			inside++
		}
	}
	mean /= tensor.Float(max(1, inside))
	for j, s := range guess {
		g[j] *= scale * (free[j] - s - mean)
	}
}
