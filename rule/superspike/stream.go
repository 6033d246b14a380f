package superspike

import (
	"fmt"

	"synfire/tensor"
)

// Stream learns step by step from spikes as they come, in constant memory: the rule as it
// is published, with traces at each synapse. Time runs on; a trial is what stands between
// two calls of Reset.
type Stream struct {
	clock  clock
	net    *net
	every  int // steps between updates
	since  int // steps since the last update
	steps  int // since Reset
	layers []traces
	err    [][]tensor.Float
	m      [][]tensor.Float // sums of each layer since the last update
	now    []mismatch
	late   [][]mismatch // the last delay steps', a ring
	energy float64
	top    []int32 // what the outputs fired, for the caller
}

// traces is the state of a layer.
type traces struct {
	u, current []tensor.Float // neurons
	slope      []tensor.Float
	pause      []int32
	fired      []int32
	q, e       []tensor.Float // error, and that filtered
	own        []tensor.Float // trace of own spikes, of the regulariser
	z, zt      []tensor.Float // inputs: filtered by the synapse, and by the membrane as well
	el, lambda []tensor.Float // synapses [in, out]
	past       []moment       // hidden layers with a delay: the last delay steps, a ring
}

// moment is what the traces of a layer were made of in a step.
type moment struct {
	inputs, fired []int32
	slope         []tensor.Float
}

// NewStream makes a network of a rule with so many inputs and outputs, in steps of dt
// milliseconds, which updates its weights each so many milliseconds (0: 500). Sizes come from
// the arguments, weights from the seed.
func NewStream(r Rule, inputs, outputs int, dt, update float64, seed uint64) (*Stream, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if inputs < 1 || outputs < 1 {
		return nil, fmt.Errorf("superspike: a stream of %d inputs and %d outputs, want at least one of each", inputs, outputs)
	}
	k, err := r.clock(dt)
	if err != nil {
		return nil, err
	}
	if update == 0 {
		update = 500
	}
	every := int(update/dt + 0.5)
	if !(update > 0) || update/dt > 1<<40 || every < 1 {
		return nil, fmt.Errorf("superspike: an update each %v ms of steps of %v ms, want at least a step", update, dt)
	}
	s := newStream(k, newNet(r, inputs, outputs, seed))
	s.every = every
	return s, nil
}

// newStream is a stream that never updates its weights by itself.
func newStream(k clock, n *net) *Stream {
	s := &Stream{clock: k, net: n, late: make([][]mismatch, k.delay)}
	for l, p := range n.layers {
		t := traces{
			u: make([]tensor.Float, p.out), current: make([]tensor.Float, p.out), slope: make([]tensor.Float, p.out), pause: make([]int32, p.out),
			q: make([]tensor.Float, p.out), e: make([]tensor.Float, p.out), own: make([]tensor.Float, p.out),
			z: make([]tensor.Float, p.in), zt: make([]tensor.Float, p.in),
			el: make([]tensor.Float, p.in*p.out), lambda: make([]tensor.Float, p.in*p.out),
		}
		if l < len(n.layers)-1 {
			t.past = make([]moment, k.delay)
			for i := range t.past {
				t.past[i].slope = make([]tensor.Float, p.out)
			}
		}
		s.layers = append(s.layers, t)
		s.err = append(s.err, make([]tensor.Float, p.out))
		s.m = append(s.m, make([]tensor.Float, p.in*p.out))
	}
	return s
}

// Reset forgets all traces and potentials, as before a trial; weights, and what has been
// gathered for the next update, stay.
func (s *Stream) Reset() {
	for i := range s.layers {
		t := &s.layers[i]
		for _, v := range [][]tensor.Float{t.u, t.current, t.slope, t.q, t.e, t.own, t.z, t.zt, t.el, t.lambda} {
			clear(v)
		}
		clear(t.pause)
		for j := range t.past {
			t.past[j].inputs, t.past[j].fired = t.past[j].inputs[:0], t.past[j].fired[:0]
			clear(t.past[j].slope)
		}
	}
	for i := range s.late {
		s.late[i] = s.late[i][:0]
	}
	s.steps, s.energy = 0, 0
}

// Step runs a step in which some inputs fire and some outputs are to fire, each list
// ascending, and learns from it. It returns the outputs that fired, valid until the next
// Step.
func (s *Stream) Step(inputs, targets []int32) ([]int32, error) {
	if err := ascending("input", inputs, s.net.layers[0].in); err != nil {
		return nil, err
	}
	if err := ascending("target", targets, s.net.top().out); err != nil {
		return nil, err
	}
	s.run(inputs)
	s.learn(inputs, targets)
	s.steps++
	if s.since++; s.since == s.every {
		s.net.update(s.m, s.since, float64(s.since)*s.clock.dt)
		for _, m := range s.m {
			clear(m)
		}
		s.since = 0
		if err := s.net.finite(); err != nil {
			return nil, err
		}
	}
	return s.top, nil
}

// ascending returns an error for a list of units of a step that is none.
func ascending(what string, units []int32, n int) error {
	for i, u := range units {
		switch {
		case u < 0 || int(u) >= n:
			return fmt.Errorf("superspike: %s unit %d, want one from 0 to %d", what, u, n-1)
		case i > 0 && u == units[i-1]:
			return fmt.Errorf("superspike: %s unit %d fires twice in a step; use shorter steps", what, u)
		case i > 0 && u < units[i-1]:
			return fmt.Errorf("superspike: %s unit %d comes after unit %d; sort the units of a step", what, u, units[i-1])
		}
	}
	return nil
}

// run is the neurons' part of a step.
func (s *Stream) run(inputs []int32) {
	for i := range s.layers {
		t := &s.layers[i]
		t.fired = s.clock.advance(t.u, t.current, t.pause, t.slope, t.fired[:0], 0)
	}
	from := inputs
	for i := range s.layers {
		t, p := &s.layers[i], &s.net.layers[i]
		addRows(t.current, p.w.Data, p.out, from)
		from = t.fired
	}
	s.top = from
}

// learn is the synapses' part of a step.
func (s *Stream) learn(inputs, targets []int32) {
	top := len(s.layers) - 1
	s.now = mismatches(s.now[:0], s.layers[top].fired, targets)
	arrived := s.now // at hidden layers
	if d := len(s.late); d > 0 {
		slot := &s.late[s.steps%d]
		arrived, *slot = *slot, append([]mismatch(nil), s.now...)
	}
	for l := top; l >= 0; l-- {
		t, from, m := &s.layers[l], inputs, s.now
		if l > 0 {
			from = s.layers[l-1].fired
		}
		if l < top {
			m = arrived
		}
		var err []tensor.Float
		if len(m) > 0 {
			if l >= top-1 { // once for the output, once for all hidden layers
				s.net.errors(s.err, m)
			}
			err = s.err[l]
		}
		s.clock.filter(t.q, t.e, err)
		s.plastic(l, from)
		if s.steps%flushEvery == 0 {
			flush(t.q, t.e, t.current, t.z, t.zt, t.el, t.lambda, t.own)
		}
	}
	for _, e := range s.layers[top].e {
		s.energy += float64(e) * float64(e)
	}
}

// plastic is a step of the synapses of a layer whose inputs fired.
func (s *Stream) plastic(l int, inputs []int32) {
	t, p, k := &s.layers[l], &s.net.layers[l], &s.clock
	slope, fired := t.slope, t.fired
	if d := len(t.past); d > 0 {
		slot := &t.past[s.steps%d]
		then := moment{append([]int32(nil), slot.inputs...), append([]int32(nil), slot.fired...), append([]tensor.Float(nil), slot.slope...)}
		slot.inputs, slot.fired = append(slot.inputs[:0], inputs...), append(slot.fired[:0], fired...)
		copy(slot.slope, slope)
		inputs, fired, slope = then.inputs, then.fired, then.slope
	}
	regularised := k.rho > 0
	if regularised {
		k.ownTrace(t.own, fired)
	}
	for j, zt := range t.zt {
		row := j * p.out
		el, lambda, m, w := t.el[row:][:p.out], t.lambda[row:][:p.out], s.m[l][row:][:p.out], p.w.Data[row:][:p.out]
		for i, e := range t.e {
			v := el[i] + zt*slope[i]*k.width
			lambda[i] += k.decay * (v - lambda[i])
			el[i] = k.rise * v
			m[i] += e * lambda[i]
			if regularised {
				m[i] -= w[i] * k.penalty(e, t.own[i])
			}
		}
	}
	for j, z := range t.z {
		t.z[j] = k.syn * z
	}
	for _, j := range inputs {
		t.z[j]++
	}
	for j, z := range t.z {
		t.zt[j] += k.mem * (z - t.zt[j])
	}
}

// ownTrace is a step of the trace of own spikes.
func (k *clock) ownTrace(own []tensor.Float, fired []int32) {
	for i, v := range own {
		own[i] = k.het * v
	}
	for _, i := range fired {
		own[i]++
	}
}

// penalty is what the regulariser takes off a synapse's sum in a step, for 1 mV of its
// weight.
func (k *clock) penalty(e, own tensor.Float) tensor.Float {
	v := k.rho * own * own * own * own
	if k.ungated {
		return v
	}
	return v * e * e
}

// Loss is the van Rossum distance D of all steps since Reset, summed over outputs: a single
// spike without a match gives 1. What the filters still hold counts.
func (s *Stream) Loss() float64 {
	t := &s.layers[len(s.layers)-1]
	sum := s.energy
	for i, q := range t.q {
		sum += s.clock.tail(float64(q), float64(t.e[i]))
	}
	return sum / s.clock.spike
}

// Potentials are those of the neurons of layer l in mV, after the last step's resets.
func (s *Stream) Potentials(l int) []float64 {
	out := make([]float64, len(s.layers[l].u))
	for i, v := range s.layers[l].u {
		out[i] = float64(v) + s.net.rule.Rest
	}
	return out
}

// Errors are e of the neurons of layer l, the filtered errors that they learn by.
func (s *Stream) Errors(l int) []float64 {
	out := make([]float64, len(s.layers[l].e))
	for i, v := range s.layers[l].e {
		out[i] = float64(v)
	}
	return out
}

// Updates is how many times the weights have been updated.
func (s *Stream) Updates() int { return int(s.net.updates) }

// Weights are those of layer l [in, out], in mV, the stream's own.
func (s *Stream) Weights(l int) tensor.Tensor { return s.net.layers[l].w }
