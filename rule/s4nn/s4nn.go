// Package s4nn trains networks whose neurons fire at most once, by backpropagation
// through the times of their spikes. A value is how early it comes, and the answer is
// the output that fires first.
//
// # Neurons
//
// Time is t = 0 … T, with T the run's steps. A value x in [0, 1] fires once, the earlier
// the larger it is,
//
//	t_i = ⌊(1 − x_i)·T⌋,   and never where that is T
//
// and a neuron of weights w_ji without leak adds up what has come,
//
//	V_j(t) = Σ_i w_ji [t_i ≤ t],   c_j = min{t < T : V_j(t) > θ},   t_j = c_j + 1
//
// A neuron that does not reach θ, or only at T − 1, has t_j = T: it is silent, and the
// next layer gets nothing of it. An input has contributed to a spike exactly where
// t_i < t_j. The answer is the output of the least t_j, of several the first. Where none
// fires it is the one of the largest V_j at T − 3, as the authors' program has it (at 0 where T is 2).
//
// # Learning
//
// With τ the time of the first output and y the label, outputs shall fire at
//
//	T_y = τ,   T_j = min(τ + γ, T) where t_j − τ < γ,   T_j = t_j elsewhere
//
// or, where none fires, T_y = T − γ and T_j = T. The loss is ½ Σ_j e_j² with
// e_j = (T_j − t_j)/T. That a neuron's time falls by one where its potential rises by
// one, ∂t_j/∂V_j = −1, makes the gradient that of rectified units:
//
//	outputs   δ_j = e_j / ‖e‖
//	hidden    d_i = Σ_j δ_j w_ji [t_i < t_j],   δ_i = d_i / ‖d‖
//	weights   w_ji ← w_ji − η δ_j [t_i < t_j] − η λ w_ji
//
// for each sample by itself, so that a step is about as long in each layer, whatever the
// error. A sample without error changes nothing. Silent outputs learn too, or they could
// never be won; for hidden neurons T < t_j never holds. Between epochs, hidden neurons
// that fired for too small a share of the samples get new weights.
//
// # Cost
//
// Inputs are sorted into buckets by their times. A spike is one row of weights that is
// added to the potentials of the next layer, and in learning one row that a masked error
// is added to. Nothing is done for a step without a spike, and nothing is kept of a
// sample but times. The decay of weights is one factor for all of them.
//
// Kheradpisheh and Masquelier, "Temporal Backpropagation for Spiking Neural Networks with
// One Spike per Neuron", Int. J. Neural Systems 30(6), 2020.
package s4nn

import (
	"fmt"

	"synfire/internal/kernel"
	"synfire/tensor"
)

// spikes are those of a layer: in the order of their times, of one time in that of the
// units. Each unit has one at most.
type spikes struct {
	time []int32
	unit []int32
}

func (s *spikes) reset() { s.time, s.unit = s.time[:0], s.unit[:0] }

func (s *spikes) add(time, unit int32) { s.time, s.unit = append(s.time, time), append(s.unit, unit) }

// before is how many of the first n spikes come before a time.
func (s *spikes) before(t int32, n int) int {
	for n > 0 && s.time[n-1] >= t {
		n--
	}
	return n
}

// encoder turns values into spikes.
type encoder struct {
	steps  int
	at     []int32 // values that are not zero
	value  []tensor.Float
	count  []int32 // of spikes at each time, then where the next one goes
	sorted spikes
	found  spikes // in the order of the units
}

// precision is how far values are from the decimal numbers that they stand for: one of
// 0.3 is to fire at 0.7 T, be that a whole number.
const precision = 1e-6

// encode sorts the values' spikes into the order of their times, in linear time.
func (e *encoder) encode(x []tensor.Float) (*spikes, error) {
	if e.count == nil {
		e.count = make([]int32, e.steps)
	}
	clear(e.count)
	e.found.reset()
	steps := float64(e.steps)
	e.at, e.value = kernel.Nonzeros(e.at[:0], e.value[:0], x, 0)
	for k, v := range e.value {
		i := e.at[k]
		if !(v > 0 && v <= 1) {
			return nil, fmt.Errorf("value %d is %v, and times stand for values in [0, 1]; scale the data, and leave normalize out", i, v)
		}
		if t := int32((1-float64(v))*steps + precision*steps); int(t) < e.steps {
			e.found.add(t, i)
			e.count[t]++
		}
	}
	at := int32(0)
	for t, n := range e.count {
		e.count[t], at = at, at+n
	}
	e.sorted.time = grow(e.sorted.time, len(e.found.time))
	e.sorted.unit = grow(e.sorted.unit, len(e.found.time))
	for k, t := range e.found.time {
		to := e.count[t]
		e.count[t]++
		e.sorted.time[to], e.sorted.unit[to] = t, e.found.unit[k]
	}
	return &e.sorted, nil
}

// grow is a slice of n elements in the memory of s where that is large enough.
func grow[E any](s []E, n int) []E {
	if cap(s) < n {
		return make([]E, n, 2*n)
	}
	return s[:n]
}
