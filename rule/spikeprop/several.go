package spikeprop

import "math"

// mostSpikes is how often a neuron may fire: more comes of weights that have run away.
const mostSpikes = 1000

// Trains is a layer whose neurons fire as often as they reach the threshold. It is a view of a
// Layer, whose weights and first spikes it shares.
type Trains struct {
	*Layer
	Spikes  [][]float64 // of each neuron, in order
	Runaway bool        // whether a neuron would have fired more than 1,000 times
	slopes  [][]float64
	before  [][]int // arrivals that came before each spike
	deltas  [][]float64
}

// NewTrains is a layer's view.
func NewTrains(l *Layer) *Trains {
	n := l.Out
	return &Trains{Layer: l, Spikes: make([][]float64, n), slopes: make([][]float64, n), before: make([][]int, n), deltas: make([][]float64, n)}
}

// Forward is the spikes of the neurons for those of the inputs. The result is the layer's until
// the next call.
func (l *Trains) Forward(in [][]float64) [][]float64 {
	l.arrivals = l.arrivals[:0]
	for i, train := range in {
		for f, t := range train {
			l.arrive(i, f, t)
		}
	}
	l.sort()
	l.Runaway = false
	for j := range l.Spikes {
		l.fire(j)
		if l.out[j] = silent; len(l.Spikes[j]) > 0 {
			l.out[j] = l.Spikes[j][0]
		}
	}
	return l.Spikes
}

// fire finds the spikes of a neuron, between arrivals and behind the last one.
func (l *Trains) fire(j int) {
	w := l.weights(j)
	l.Spikes[j], l.slopes[j], l.before[j] = l.Spikes[j][:0], l.slopes[j][:0], l.before[j][:0]
	x, b := 0.0, 0.0
	for k, a := range l.arrivals {
		b += w[a.w] * math.E / l.Tau
		at, h, after, decay := a.at, math.Inf(1), 0.0, 0.0
		last := k+1 == len(l.arrivals)
		if !last {
			h, decay = l.arrivals[k+1].at-at, l.arrivals[k+1].decay
			after = (x + b*h) * decay
		}
		for {
			rest := l.cross(x, b, h, after)
			if rest < 0 {
				x, b = after, b*decay
				break
			}
			if len(l.Spikes[j]) == mostSpikes {
				l.Runaway = true
				return
			}
			l.Spikes[j] = append(l.Spikes[j], at+rest)
			l.slopes[j] = append(l.slopes[j], l.rise(x, b, rest))
			l.before[j] = append(l.before[j], k+1)
			x, b = l.value(x, b, rest)-l.Threshold, b*math.Exp(-rest/l.Tau)
			if at += rest; !last {
				h = l.arrivals[k+1].at - at
				decay = math.Exp(-h / l.Tau)
				after = (x + b*h) * decay
			}
		}
	}
}

// Potential is x_j at a time, of the spikes that Forward was given last.
func (l *Trains) Potential(j int, t float64) float64 {
	x := l.Layer.Potential(j, t)
	for _, f := range l.Spikes[j] {
		if f < t {
			x -= l.Threshold * math.Exp((f-t)/l.Tau)
		}
	}
	return x
}

// Backward takes ∂E/∂t of the neurons' spikes, of each as many of its first ones as there are
// errors, and adds that of the inputs' to back, nil for none.
func (l *Trains) Backward(errors, back [][]float64) {
	for j, t := range l.Spikes {
		d := append(l.deltas[j][:0], make([]float64, len(t))...)
		copy(d, errors[j])
		for f := len(t) - 1; f >= 0; f-- {
			d[f] /= -l.slopes[j][f]
			for g := range f {
				d[g] -= d[f] * l.Threshold / l.Tau * math.Exp((t[g]-t[f])/l.Tau)
			}
		}
		if l.deltas[j] = d; back == nil {
			continue
		}
		w := l.weights(j)
		for f, delta := range d {
			if delta == 0 {
				continue
			}
			for _, a := range l.arrivals[:l.before[j][f]] {
				back[a.w/l.Terminals][a.spike] -= delta * w[a.w] * l.climb(t[f]-a.at)
			}
		}
	}
}

// Gradient calls add for the gradient of each weight that took part, once for each spike that it
// acted on.
func (l *Trains) Gradient(add func(place int, g float64)) {
	n := l.In * l.Terminals
	for j, d := range l.deltas {
		for f, delta := range d {
			if delta == 0 {
				continue
			}
			for _, a := range l.arrivals[:l.before[j][f]] {
				add(j*n+a.w, delta*l.response(l.Spikes[j][f]-a.at))
			}
		}
	}
}

// Follow learns one step of wanted trains: each neuron's spikes and the wanted ones are paired in their
// order, and weights change by −rate·∂E/∂w of E = ½ Σ (t − T)² over the pairs, or by a part of this with
// which none changes by more than most. A neuron that fires less or more often than wanted has
// the weights of all arrivals grow or shrink by most instead. It returns E, which is +∞ where a number of
// spikes is not the wanted one.
func (l *Trains) Follow(in, wanted [][]float64, rate, most float64) (e float64) {
	errors := make([][]float64, l.Out)
	for j, train := range l.Forward(in) {
		if n := len(wanted[j]) - len(train); n != 0 {
			e = math.Inf(1)
			w := l.weights(j)
			for _, a := range l.arrivals {
				w[a.w] += math.Copysign(most, float64(n))
			}
			continue
		}
		for f, t := range train {
			errors[j] = append(errors[j], t-wanted[j][f])
			e += errors[j][f] * errors[j][f] / 2
		}
	}
	l.Backward(errors, nil)
	change, largest := make([]float64, len(l.W)), 0.0
	l.Gradient(func(k int, g float64) { change[k] -= rate * g })
	for _, c := range change {
		largest = max(largest, math.Abs(c))
	}
	for k, c := range change {
		l.W[k] += c * most / max(largest, most)
	}
	return e
}
