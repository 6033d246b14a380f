package eqprop

import (
	"math"

	"synfire/internal/kernel"
	"synfire/rule/eqprop/limit"
	"synfire/tensor"
)

var infinite = tensor.Float(math.Inf(1))

// limits says whether the states of a layer are limited in each step.
func (r *relaxer) limits(l int) bool {
	return r.c.TopK != nil && r.c.TopK.Variant != limit.Hard && r.binds(l)
}

// binds says whether a layer is hidden and has more units than may be active.
func (r *relaxer) binds(l int) bool {
	return l < len(r.sizes)-1 && r.limit[l].K < tensor.Float(r.sizes[l])
}

// schedule sets the limits of the layers after a step of training.
func (r *relaxer) schedule(step int) {
	t := r.c.TopK
	if t == nil {
		return
	}
	for l := range r.limit {
		r.limit[l].K, r.limit[l].Temperature = t.At(step, r.sizes[l]), tensor.Float(t.TemperatureAt(step))
	}
}

// settleRow moves one sample's states of a limited layer, that of a slot, and returns
// the largest change.
func (r *relaxer) settleRow(w *block, l, slot int, s, z []tensor.Float) (change tensor.Float) {
	free := r.move
	if r.c.TopK.Variant != limit.Budget {
		if lambda := r.c.lambda(); lambda > 0 {
			kernel.AddScaled(z, s, -tensor.Float(lambda))
		}
		w.limiter.Limit(r.c.TopK, r.limit[l], z, &w.theta[l][slot])
		free.Keep = 1 - free.Gain
		return free.Step(s, z)
	}
	old := w.scratch[:len(s)]
	copy(old, s)
	free.Hi = infinite
	free.Step(s, z)
	w.limiter.Project(s, r.limit[l].K)
	return kernel.Relax{Gain: 1, Lo: -infinite, Hi: infinite}.Step(old, s)
}

// choose ends a free phase under Hard: the units with the largest drives are kept,
// and the others held at zero from now on, by a drive of −∞.
func (r *relaxer) choose(w *block, b *batch) {
	if r.c.settling() == 0 {
		return
	}
	for l := 1; l <= r.top; l++ {
		if !r.binds(l) {
			continue
		}
		r.drive(w, b, l, 0)
		n := r.sizes[l]
		for i := range w.total {
			z, base := w.z[l][i*n:][:n], w.base[l][i*n:][:n]
			for j, chosen := range w.limiter.Largest(z, int(r.limit[l].K)) {
				if !chosen {
					base[j] = -infinite
				}
			}
		}
	}
	r.relax(w, b, settlingSteps, 0)
}

// settlingSteps are free steps after a choice.
const settlingSteps = 2

// settling is the number of free steps after the free phase.
func (c Config) settling() int {
	if c.TopK == nil || c.TopK.Variant != limit.Hard {
		return 0
	}
	return settlingSteps
}

// chooseSpiking is choose for a spiking sample. The others are held at zero by hand:
// no estimate of a drive stands −∞.
func (r *relaxer) chooseSpiking(w *block, b *batch, sample int) {
	if r.c.settling() == 0 {
		return
	}
	m := w.population
	for l := 1; l <= r.top; l++ {
		if !r.binds(l) {
			continue
		}
		n := r.sizes[l]
		z := m.U[:n]
		copy(z, r.net.B[l-1].Value.Data)
		if l == 1 {
			at, val := b.events(sample)
			m.Weigh(z, r.spikesUp(1), at, val)
		} else {
			m.WeighStates(z, r.spikesUp(l), l-1)
		}
		if l < r.top {
			m.WeighStates(z, r.spikesDown(l+1), l+1)
		}
		if lambda := r.c.lambda(); lambda > 0 {
			kernel.AddScaled(z, r.guess[l][sample*n:][:n], tensor.Float(lambda))
		}
		m.Chosen[l] = append(m.Chosen[l][:0], w.limiter.Largest(z, int(r.limit[l].K))...)
	}
	r.simulate(w, b, sample, settlingSteps, 0)
}
