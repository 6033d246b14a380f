package dbn

import (
	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/tensor"
)

// units are what a machine is made of.
type units interface {
	// rates makes activities of drives Σ w·x, in place; powers are Σ w²·x.
	rates(drive, power []tensor.Float)
	// draw makes states of activities, in place.
	draw(x []tensor.Float, src *rng.Source)
}

// spiking are units with Siegert's rates, as parts of the largest rate, 1/t_ref, with noise.
type spiking struct {
	neuron LIF
	noise  float64
}

func (s spiking) rates(drive, power []tensor.Float) {
	most := 1 / s.neuron.Refractory
	for i, v := range drive {
		drive[i] = tensor.Float(s.neuron.Rate(float64(v)*most, float64(power[i])*most) / most)
	}
}

func (s spiking) draw(x []tensor.Float, src *rng.Source) {
	if s.noise == 0 {
		return
	}
	for i, v := range x {
		x[i] = max(0, v+tensor.Float(s.noise*src.Norm()))
	}
}

// machine is a restricted Boltzmann machine: weights between visible and hidden units, and none
// among either. There are no biases.
type machine struct {
	visible, hidden int
	w, moved        []float64      // [visible, hidden]; moved is the last change
	float, square   []tensor.Float // w and w², as products take them
	units           units
	scratch         [6][]tensor.Float
}

func newMachine(visible, hidden int, u units, spread float64, src *rng.Source) *machine {
	m := &machine{visible: visible, hidden: hidden, units: u}
	m.w, m.moved = make([]float64, visible*hidden), make([]float64, visible*hidden)
	for i := range m.w {
		m.w[i] = spread * src.Norm()
	}
	return m
}

// refresh rounds the weights for products, before these and after the weights have changed.
func (m *machine) refresh() {
	m.float, m.square = tensor.Resize(m.float, len(m.w)), tensor.Resize(m.square, len(m.w))
	for i, w := range m.w {
		m.float[i], m.square[i] = tensor.Float(w), tensor.Float(w*w)
	}
}

// up is the activities of the hidden units for n states of the visible ones.
func (m *machine) up(pool *par.Pool, dst, v []tensor.Float, n int) {
	m.across(pool, dst, v, n, m.visible, m.hidden, false)
}

// down is the activities of the visible units for n states of the hidden ones.
func (m *machine) down(pool *par.Pool, dst, h []tensor.Float, n int) {
	m.across(pool, dst, h, n, m.hidden, m.visible, true)
}

func (m *machine) across(pool *par.Pool, dst, x []tensor.Float, n, from, to int, back bool) {
	power := m.slot(5, n*to)
	clear(dst)
	kernel.Gemm(pool, n, to, from, x, from, false, m.float, m.hidden, back, dst, to)
	kernel.Gemm(pool, n, to, from, x, from, false, m.square, m.hidden, back, power, to)
	pool.For(n, 1, func(_, lo, hi int) { m.units.rates(dst[lo*to:hi*to], power[lo*to:hi*to]) })
}

// slot is a cleared piece of working memory.
func (m *machine) slot(i, n int) []tensor.Float {
	m.scratch[i] = tensor.Resize(m.scratch[i], n)
	clear(m.scratch[i])
	return m.scratch[i]
}

// step is how weights follow a difference of correlations, and how strongly hidden units are
// pushed to a mean activity.
type step struct{ rate, momentum, decay, push, sparsity float64 }

// learn is contrastive divergence (Hinton 2002) of n states of the visible units: correlations
// that the data give less those that the machine gives by itself, gibbs steps on,
//
//	Δw = η·(⟨v·h⟩_data − ⟨v·h⟩_model − decay·w + push·(sparsity − ⟨h⟩_data)·⟨v⟩_data) + momentum·Δw before
//
// means over the states. hidden is the activities for the data.
func (m *machine) learn(pool *par.Pool, v, hidden []tensor.Float, n, gibbs int, s step, src *rng.Source) {
	state, again := m.slot(0, n*m.hidden), m.slot(1, n*m.visible)
	copy(state, hidden)
	for range gibbs {
		m.units.draw(state, src)
		m.down(pool, again, state, n)
		m.units.draw(again, src)
		m.up(pool, state, again, n)
	}
	data, model := m.slot(2, len(m.w)), m.slot(3, len(m.w))
	kernel.Gemm(pool, m.visible, m.hidden, n, v, m.visible, true, hidden, m.hidden, false, data, m.hidden)
	kernel.Gemm(pool, m.visible, m.hidden, n, again, m.visible, true, state, m.hidden, false, model, m.hidden)
	seen, push := means(v, n, m.visible), means(hidden, n, m.hidden)
	for j, mean := range push {
		push[j] = s.push * (s.sparsity - mean)
	}
	for i, x := range seen {
		for j, p := range push {
			k := i*m.hidden + j
			m.moved[k] = s.momentum*m.moved[k] + s.rate*(float64(data[k]-model[k])/float64(n)-s.decay*m.w[k]+p*x)
			m.w[k] += m.moved[k]
		}
	}
}

// means are those of each of some units over n states.
func means(x []tensor.Float, n, units int) []float64 {
	out := make([]float64, units)
	for k := range n {
		for i, v := range x[k*units:][:units] {
			out[i] += float64(v) / float64(n)
		}
	}
	return out
}
