// Package mostafa trains deep networks of neurons without leak that fire once, by the exact times
// of their spikes (Mostafa, "Supervised learning based on temporal coding in spiking neural
// networks", IEEE TNNLS 29, 2018).
//
// Time is in units of the synapse's constant. A neuron integrates currents that decay and fires
// where its potential reaches 1:
//
//	dV/dt = Σ_i w_i e^(−(t−t_i)) Θ(t − t_i)   →   Σ_{i∈C} w_i (1 − e^(t_i−t)) = 1
//
// In z = e^t that is linear, with the causal set C of the inputs before the spike:
//
//	z = Σ_{i∈C} w_i z_i / (S − 1),   S = Σ_{i∈C} w_i
//	∂z/∂w_i = (z_i − z)/(S − 1),   ∂z/∂z_i = w_i/(S − 1)   for i ∈ C, else 0
//
// C is the first prefix of the inputs, in the order of their times, with S > 1 and z not after the next
// input; a neuron without one is silent. With the label y,
//
//	L = −ln(e^(−z_y) / Σ_j e^(−z_j)) + K Σ_neurons max(0, 1 − Σ_i w_i)
//
// whose second part, over all neurons of all layers, keeps them able to fire. S − 1 may be
// small, so that the gradient of a sample is scaled to a norm of at most clip in each layer.
//
// All neurons of a layer go through the same sorted inputs: a layer adds row after row of its
// weights to the sums of all neurons, and looks for spikes between inputs of different times.
package mostafa

import (
	"cmp"
	"math"
	"slices"
)

// Silent is the z of a neuron that does not fire. In the loss it counts as latest.
var Silent = math.Inf(1)

// latest is the largest z in the loss, at which e^(−z) is nothing beside others.
const latest = 100

// Layer is neurons without leak.
type Layer struct {
	In, Out int
	W       []float64 // [in, out]

	in    []float64
	order []int // inputs that fire, by their times
	z     []float64
	sum   []float64 // S of the causal sets
	cause []int     // how many of order are in the causal set
	s, p  []float64
	live  []int
}

// NewLayer makes a layer without weights.
func NewLayer(in, out int) *Layer {
	return &Layer{
		In: in, Out: out, W: make([]float64, in*out), z: make([]float64, out), sum: make([]float64, out), cause: make([]int, out),
		s: make([]float64, out), p: make([]float64, out), live: make([]int, 0, out),
	}
}

// share is a layer of the same weights.
func (l *Layer) share() *Layer {
	s := NewLayer(l.In, l.Out)
	s.W = l.W
	return s
}

// Forward is the z of the neurons for those of the inputs. The result is the layer's until the
// next call.
func (l *Layer) Forward(in []float64) []float64 {
	l.in = append(l.in[:0], in...)
	l.order = l.order[:0]
	for i, z := range in {
		if !math.IsInf(z, 1) {
			l.order = append(l.order, i)
		}
	}
	slices.SortStableFunc(l.order, func(a, b int) int { return cmp.Compare(in[a], in[b]) })
	l.live = l.live[:0]
	for j := range l.z {
		l.z[j], l.s[j], l.p[j], l.cause[j] = Silent, 0, 0, len(l.order)
		l.live = append(l.live, j)
	}
	for k, i := range l.order {
		row, z := l.W[i*l.Out:][:l.Out], in[i]
		for j, w := range row { // of those that have fired too, which costs less than to skip them
			l.s[j] += w
			l.p[j] += w * z
		}
		next := math.Inf(1)
		if k+1 < len(l.order) {
			if next = in[l.order[k+1]]; next == z {
				continue
			}
		}
		l.fire(k+1, next)
		if len(l.live) == 0 {
			break
		}
	}
	return l.z
}

// fire takes the neurons that fire before the next input out of those that may.
func (l *Layer) fire(count int, next float64) {
	l.live = slices.DeleteFunc(l.live, func(j int) bool {
		if l.s[j] <= 1 {
			return false
		}
		z := l.p[j] / (l.s[j] - 1)
		if z > next || math.IsInf(z, 1) {
			return false
		}
		l.z[j], l.sum[j], l.cause[j] = z, l.s[j], count
		return true
	})
}

// Backward takes ∂L/∂z of the neurons, adds ∂L/∂w to grad [in, out], and writes ∂L/∂z of the
// inputs to back, nil for none. An error of a silent neuron does not count.
func (l *Layer) Backward(errors, grad, back []float64) {
	clear(back)
	most := 0
	for j, e := range errors { // l.s becomes e/(S − 1), 0 of those that do not learn
		if l.s[j] = 0; e == 0 || math.IsInf(l.z[j], 1) {
			continue
		}
		l.s[j] = e / (l.sum[j] - 1)
		most = max(most, l.cause[j])
	}
	for k, i := range l.order[:most] {
		row, g, z, sum := l.W[i*l.Out:][:l.Out], grad[i*l.Out:][:l.Out], l.in[i], 0.0
		for j, d := range l.s {
			if d == 0 || k >= l.cause[j] {
				continue
			}
			g[j] += d * (z - l.z[j])
			sum += d * row[j]
		}
		if back != nil {
			back[i] = sum
		}
	}
}

// loss is the cross-entropy of the outputs by a label, and its derivative by z.
func loss(z []float64, label int, errors []float64) (e float64) {
	least, sum := math.Inf(1), 0.0
	at := func(j int) float64 { return min(z[j], latest) }
	for j := range z {
		least = min(least, at(j))
	}
	for j := range z {
		errors[j] = math.Exp(least - at(j))
		sum += errors[j]
	}
	for j := range errors {
		errors[j] /= -sum
	}
	errors[label]++
	return at(label) - least + math.Log(sum)
}
