package superspike

import (
	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/tensor"
)

// addRows adds the rows of w of some inputs.
func addRows(current, w []tensor.Float, out int, rows []int32) {
	kernel.AddRows(current, w, out, rows)
}

// spikes is units by step, in ascending order within one: those of step t are
// units[at[t]:at[t+1]].
type spikes struct {
	at    []int32
	units []int32
}

func (s *spikes) reset() { s.at, s.units = append(s.at[:0], 0), s.units[:0] }

// end closes a step.
func (s *spikes) end() { s.at = append(s.at, int32(len(s.units))) }

func (s *spikes) step(t int) []int32 { return s.units[s.at[t]:s.at[t+1]] }

// blockUnits are the neurons of a layer that go through time together.
const blockUnits = 64

// block is some neurons of a layer in a trial.
type block struct {
	lo, hi     int            // neurons
	slope, e   []tensor.Float // [T, hi−lo]
	u, current []tensor.Float
	pause      []int32
	fired      spikes
	penalty    []tensor.Float // of the regulariser, summed over the trial
	trace      [4][]tensor.Float
}

// trial is a sample that runs through a network from rest, and what it teaches.
type trial struct {
	clock  clock
	net    *net
	steps  int
	input  spikes
	target spikes
	layers [][]*block
	fired  []spikes // of each layer
	m      [][]tensor.Float
	at     []int32            // steps in which outputs mismatch
	wrong  [][]mismatch       // and how
	errs   [][][]tensor.Float // [layer][mismatching step] → errors of its units
	pool   *par.Pool
}

func newTrial(k clock, n *net, pool *par.Pool) *trial {
	t := &trial{clock: k, net: n, pool: pool, fired: make([]spikes, len(n.layers))}
	for _, p := range n.layers {
		var blocks []*block
		for lo := 0; lo < p.out; lo += blockUnits {
			hi := min(lo+blockUnits, p.out)
			b := &block{lo: lo, hi: hi, u: make([]tensor.Float, hi-lo), current: make([]tensor.Float, hi-lo), pause: make([]int32, hi-lo), penalty: make([]tensor.Float, hi-lo)}
			for i := range b.trace {
				b.trace[i] = make([]tensor.Float, hi-lo)
			}
			blocks = append(blocks, b)
		}
		t.layers = append(t.layers, blocks)
		t.m = append(t.m, make([]tensor.Float, p.in*p.out))
	}
	return t
}

// run is the neurons' part: each layer through all steps. With slopes it keeps σ'.
func (t *trial) run(steps int, slopes bool) {
	t.steps = steps
	from := &t.input
	for l, blocks := range t.layers {
		p := &t.net.layers[l]
		t.pool.For(len(blocks), 1, func(_, lo, hi int) {
			for _, b := range blocks[lo:hi] {
				b.run(&t.clock, p, from, steps, slopes)
			}
		})
		to := &t.fired[l]
		to.reset()
		for s := range steps {
			for _, b := range blocks {
				to.units = append(to.units, b.fired.step(s)...)
			}
			to.end()
		}
		from = to
	}
}

func (b *block) run(k *clock, p *plastic, from *spikes, steps int, slopes bool) {
	n := b.hi - b.lo
	clear(b.u)
	clear(b.current)
	clear(b.pause)
	if slopes {
		b.slope = tensor.Resize(b.slope, steps*n)
	}
	b.fired.reset()
	for t := range steps {
		var slope []tensor.Float
		if slopes {
			slope = b.slope[t*n:][:n]
		}
		b.fired.units = k.advance(b.u, b.current, b.pause, slope, b.fired.units, b.lo)
		b.fired.end()
		if rows := from.step(t); len(rows) > 0 {
			addRows(b.current, p.w.Data[b.lo:], p.out, rows)
		}
		if t%flushEvery == 0 {
			flush(b.current)
		}
	}
}

// learn works out m, the sums of the rule over the trial that was run, and the loss D.
func (t *trial) learn() float64 {
	top := len(t.layers) - 1
	t.compare()
	for l := top; l >= 0; l-- {
		p := &t.net.layers[l]
		if !p.learns {
			continue
		}
		from, steps := &t.input, t.steps
		if l > 0 {
			from = &t.fired[l-1]
		}
		if l < top {
			steps = max(0, steps-t.clock.delay) // what comes later comes after the end
		}
		clear(t.m[l])
		t.pool.For(len(t.layers[l]), 1, func(_, lo, hi int) {
			for _, b := range t.layers[l][lo:hi] {
				b.errors(t, l, steps)
				b.learn(&t.clock, p, from, steps, t.m[l])
			}
		})
	}
	return t.loss()
}

// compare lists the mismatches of the trial, and what errors each layer has of them.
func (t *trial) compare() {
	top := len(t.layers) - 1
	t.at = t.at[:0]
	for s := range t.steps {
		n := len(t.at)
		if n == len(t.wrong) {
			t.wrong = append(t.wrong, nil)
		}
		if t.wrong[n] = mismatches(t.wrong[n][:0], t.fired[top].step(s), t.target.step(s)); len(t.wrong[n]) > 0 {
			t.at = append(t.at, int32(s))
		}
	}
	if t.errs == nil {
		t.errs = make([][][]tensor.Float, len(t.layers))
	}
	row := make([][]tensor.Float, len(t.layers))
	for n := range t.at {
		for l := range t.errs {
			if n == len(t.errs[l]) {
				t.errs[l] = append(t.errs[l], make([]tensor.Float, t.net.layers[l].out))
			}
			row[l] = t.errs[l][n]
		}
		t.net.errors(row, t.wrong[n])
	}
}

// errors filters the errors of a block's neurons, and sums what the regulariser takes.
func (b *block) errors(t *trial, l, steps int) {
	k, n := &t.clock, b.hi-b.lo
	b.e = tensor.Resize(b.e, t.steps*n)
	q, e, own := b.trace[0], b.trace[1], b.trace[2]
	clear(q)
	clear(e)
	clear(own)
	clear(b.penalty)
	next := 0
	for s := range steps {
		var err []tensor.Float
		if next < len(t.at) && int(t.at[next]) == s {
			err = t.errs[l][next][b.lo:b.hi]
			next++
		}
		if next > 0 {
			k.filter(q, e, err)
			if s%flushEvery == 0 {
				flush(q, e)
			}
		}
		copy(b.e[s*n:], e)
		if k.rho > 0 {
			b.regularise(k, own, e, b.fired.step(s))
		}
	}
}

func (b *block) regularise(k *clock, own, e []tensor.Float, fired []int32) {
	for i, v := range own {
		own[i] = k.het * v
	}
	for _, i := range fired {
		own[int(i)-b.lo]++
	}
	for i, v := range own {
		b.penalty[i] += k.penalty(e[i], v)
	}
}

// learn runs the filters of the synapses backwards. With e, σ' = s of step t, r the rise's
// and c the synapse's decay, d = Δ/τ_mem and b = Δ/τ_decay,
//
//	Λ[t] = e[t] + (1−b)·Λ[t+1]      E[t] = b·Λ[t] + r·E[t+1]
//	Y[t] = Δ·s[t]·E[t] + (1−d)·Y[t+1]
//	Z[t] = d·Y[t+1] + c·Z[t+1]      m_ij = Σ_t S_j[t]·Z_i[t]
func (b *block) learn(k *clock, p *plastic, from *spikes, steps int, m []tensor.Float) {
	n := b.hi - b.lo
	lambda, el, y, z := b.trace[0], b.trace[1], b.trace[2], b.trace[3]
	for _, v := range b.trace {
		clear(v)
	}
	keepLambda, keepY := 1-k.decay, 1-k.mem
	for t := steps - 1; t >= 0; t-- {
		e, slope := b.e[t*n:][:n], b.slope[t*n:][:n]
		lambda, el, y, z := lambda[:len(e)], el[:len(e)], y[:len(e)], z[:len(e)]
		for i, v := range e {
			z[i] = k.mem*y[i] + k.syn*z[i]
			lambda[i] = v + keepLambda*lambda[i]
			el[i] = k.decay*lambda[i] + k.rise*el[i]
			y[i] = k.width*slope[i]*el[i] + keepY*y[i]
		}
		for _, j := range from.step(t) {
			kernel.Add(m[int(j)*p.out+b.lo:][:n], z)
		}
		if t%flushEvery == 0 {
			flush(b.trace[:]...)
		}
	}
	if k.rho == 0 {
		return
	}
	for j := range p.in {
		w, m := p.w.Data[j*p.out+b.lo:][:n], m[j*p.out+b.lo:][:n]
		for i, v := range b.penalty {
			m[i] -= w[i] * v
		}
	}
}

// loss is D summed over the outputs, of the mismatches that compare has listed: 0 if and
// only if all trains are equal step by step.
func (t *trial) loss() float64 {
	if len(t.at) == 0 {
		return 0
	}
	n := t.net.top().out
	state := make([]float64, 2*n)
	q, e := state[:n], state[n:]
	rise, decay, sum, next := float64(t.clock.rise), float64(t.clock.decay), 0.0, 0
	for s := int(t.at[0]); s < t.steps; s++ {
		for i, v := range q {
			q[i] = rise * v
		}
		if next < len(t.at) && int(t.at[next]) == s {
			for _, m := range t.wrong[next] {
				q[m.unit] += float64(m.err)
			}
			next++
		}
		for i, v := range q {
			e[i] += decay * (v - e[i])
			sum += e[i] * e[i]
		}
	}
	for i, v := range q {
		sum += t.clock.tail(v, e[i])
	}
	return sum / t.clock.spike
}
