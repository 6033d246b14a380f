package eqprop

import (
	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/rule/eqprop/unit"
	"synfire/tensor"
)

// runSpikes is runPhases for spiking networks, sample by sample.
func runSpikes(p *pass, worker, lo, hi int) {
	r, b, w := p.r, p.b, &p.r.blocks[worker]
	w.begin(r, lo, hi)
	b.list(lo, hi)
	if r.predictor != nil {
		r.predict(w, b)
	}
	m := w.spiking(r)
	clear(m.Spikes)
	m.Synapses = 0
	for i := lo; i < hi; i++ {
		r.awake(m, b, i)
		r.simulate(w, b, i, r.c.Free, 0)
		r.chooseSpiking(w, b, i)
		r.saveSpiking(m, i, r.free)
		m.Keep()
		for k, beta := range p.betas {
			m.Recall()
			r.simulate(w, b, i, r.c.Nudged, beta)
			r.saveSpiking(m, i, [][][]tensor.Float{r.plus, r.minus}[k])
		}
	}
	r.count(m)
	if len(p.betas) == 0 {
		return
	}
	r.differences(w, p)
	if r.predictor != nil {
		r.predictorErrors(w, b.n)
	}
}

// spiking is the thread's population.
func (w *block) spiking(r *relaxer) *unit.Population {
	if w.population == nil {
		w.population = unit.NewPopulation(r.c.Spiking.Quantiser, r.plan, r.sizes)
	}
	return w.population
}

// awake puts a sample's units at rest, or at their predictions.
func (r *relaxer) awake(m *unit.Population, b *batch, sample int) {
	m.Reset()
	m.Key = rng.New(r.c.Seed, b.purpose()).Int(uint64(b.epoch)).Int(uint64(b.index[sample]))
	for l := 1; l < len(r.sizes) && r.predictor != nil; l++ {
		n := r.sizes[l]
		m.Warm(r.c.Spiking, l, r.guess[l][sample*n:][:n], r.net.B[l-1].Value.Data)
	}
}

// count adds a thread's counts to the run's.
func (r *relaxer) count(m *unit.Population) {
	for l, n := range m.Spikes {
		r.spikes[l].Add(int64(n))
	}
	r.synapses.Add(int64(m.Synapses))
}

func (r *relaxer) saveSpiking(m *unit.Population, sample int, states [][]tensor.Float) {
	for l := 1; l < len(r.sizes); l++ {
		copy(states[l][sample*r.sizes[l]:], m.Layers[l].S)
	}
}

// spikesUp is W_l as the spikes of the layer below add it, spikesDown as those of layer l
// itself do.
func (r *relaxer) spikesUp(l int) unit.Matrix {
	w, ld := r.dense[l].Weights()
	kept := r.dense[l].Kept
	return unit.Matrix{W: w, LD: ld, Kept: &kept.Rows, Lists: kept.ForEvents()}
}

func (r *relaxer) spikesDown(l int) unit.Matrix {
	w, ld := r.dense[l].TurnedWeights()
	kept := r.dense[l].Kept
	return unit.Matrix{W: w, LD: ld, Kept: &kept.Columns, Lists: kept.ForEvents()}
}

// simulate runs steps of one sample.
func (r *relaxer) simulate(w *block, b *batch, sample, steps int, beta tensor.Float) {
	m, s, top := w.population, r.c.Spiking, len(r.sizes)-1
	for range steps {
		for l := 1; l <= top; l++ {
			n := r.sizes[l]
			u, states := m.U[:n], m.Layers[l].S
			clear(u)
			m.Receive(u, r.spikesUp(l), l-1)
			if l < top {
				m.Receive(u, r.spikesDown(l+1), l+1)
			}
			d := u
			copy(d, m.Decode(l, u))
			kernel.Add(d, r.net.B[l-1].Value.Data)
			if l == top && beta != 0 {
				strength := tensor.Float(2*r.c.CostScale) * beta
				for j, v := range states {
					d[j] -= strength * v
				}
				d[b.labels[sample]] += strength
			}
			if r.predictor != nil {
				pull := tensor.Float(r.c.Predictor.Lambda)
				for j, v := range r.guess[l][sample*n:][:n] {
					d[j] += pull * (v - states[j])
				}
			}
			if r.limits(l) {
				w.limiter.Limit(r.c.TopK, r.limit[l], d, &m.Theta[l])
			}
			m.Integrate(s, l, d)
			m.Silence(l)
			m.Encode(l)
		}
		at, val := b.events(sample)
		m.EncodeInput(b.in, at, val)
		m.Advance()
	}
}
