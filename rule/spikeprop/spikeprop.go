// Package spikeprop trains networks whose neurons fire once, or several times, by the gradient of the
// exact times of their spikes (Bohte, Kok and La Poutré, "Error-backpropagation in temporally
// encoded networks of spiking neurons", Neurocomputing 48, 2002).
//
// Times are in milliseconds. Between two neurons there are K terminals with delays of
// 1 … K ms and weights of their own. The potential of neuron j and its spike are
//
//	x_j(t) = Σ_i Σ_k w_ijk ε(t − t_i − k),   ε(s) = (s/τ)·e^(1−s/τ) for s > 0
//	t_j = min{t : x_j(t) ≥ θ}
//
// and with the wanted times T_j of the outputs
//
//	E = ½ Σ_j (t_j − T_j)²
//	outputs  δ_j = (T_j − t_j)/ẋ_j(t_j)
//	hidden   δ_i = Σ_j δ_j Σ_k w_ijk ε'(t_j − t_i − k) / ẋ_i(t_i)
//	∂E/∂w_ijk = δ_j ε(t_j − t_i − k)
//
// in which ẋ is taken as 0.1 where it is less: at a grazing crossing it is 0. A neuron that
// does not fire has no gradient; its weights grow instead by 5 % of their first mean, and the
// next layer does without it.
//
// # Several spikes
//
// With `several` a neuron fires each time its potential reaches θ, and a spike takes θ off it, which
// it recovers from with τ (Booij and tat Nguyen, "A gradient descent rule for spiking neurons emitting
// multiple spikes", Information Processing Letters 95, 2005): for its spikes t^1 < t^2 < …
//
//	x_j(t) = Σ_i Σ_k Σ_f w_ijk ε(t − t_i^f − k) − Σ_{t^g < t} θ·e^(−(t − t^g)/τ)
//
// A spike moves those behind it, so that with λ^f = ∂E/∂t^f, of a neuron's last spike first,
//
//	δ^f = −λ^f/ẋ(t^f),   λ^g ← λ^g − δ^f·(θ/τ)·e^(−(t^f − t^g)/τ) for g < f
//	∂E/∂w_ijk = Σ_f δ^f Σ_h ε(t^f − t_i^h − k),   ∂E/∂t_i^h = −Σ_j Σ_f δ^f Σ_k w_ijk ε'(t^f − t_i^h − k)
//
// which is exact as long as no spike appears or vanishes. The answer, and the error, are of the first
// spike of each output.
//
// # Exact times
//
// Between arrivals (x, b) with ẋ = b − x/τ follow x(t+h) = (x + b·h)·e^(−h/τ) and
// b(t+h) = b·e^(−h/τ), and an arrival adds w·e/τ to b. The potential has one extremum there at
// most, at h = τ − x/b, so that a crossing is found without a grid of time: by the ends of an
// interval and the extremum first, then by bisection to the last bits. Arrivals are sorted
// once for all neurons of a layer. A spike of several takes θ off x and leaves b as it is.
//
// # Values
//
// A value becomes the spikes of m units with Gaussian receptive fields over its range in the
// training samples: centres at I_min + (2i−3)/2·(I_max−I_min)/(m−2), i = 1 … m, widths of
// (I_max−I_min)/(1.5·(m−2)). A unit active by a ∈ (0, 1] fires at 10·(1−a) ms, below 0.1
// not at all, and one input more fires at 0, so that there is a time to measure others by. With
// fields of 0 values are times in ms themselves.
package spikeprop

import (
	"math"
	"slices"
)

// Slope is the least that ẋ is taken for.
const Slope = 0.1

// silent is the time of a neuron that does not fire.
var silent = math.Inf(1)

// arrival is a spike at the end of a terminal: where it comes from and when it comes.
type arrival struct {
	at    float64
	w     int // place of the weight in those of a neuron
	spike int // place in the train of its input
	decay float64
}

// Layer is neurons with terminals from all inputs.
type Layer struct {
	In, Out, Terminals int
	Tau, Threshold     float64
	W                  []float64 // [out, in, terminals]
	grow               float64   // what a weight of a silent neuron grows by

	arrivals []arrival
	out      []float64 // times
	slope    []float64 // ẋ at them, at least Slope
	delta    []float64
	at       []int // arrivals that came before a neuron's spike
}

// NewLayer makes a layer without weights.
func NewLayer(in, out, terminals int, tau, threshold float64) *Layer {
	return &Layer{
		In: in, Out: out, Terminals: terminals, Tau: tau, Threshold: threshold, W: make([]float64, in*out*terminals),
		out: make([]float64, out), slope: make([]float64, out), delta: make([]float64, out), at: make([]int, out),
	}
}

// share is a layer of the same weights.
func (l *Layer) share() *Layer {
	s := NewLayer(l.In, l.Out, l.Terminals, l.Tau, l.Threshold)
	s.W, s.grow = l.W, l.grow
	return s
}

// weights are those of neuron j, [in, terminals].
func (l *Layer) weights(j int) []float64 {
	n := l.In * l.Terminals
	return l.W[j*n:][:n]
}

// Forward is the times of the neurons for spikes at in, +∞ where there is none. The result is
// the layer's until the next call.
func (l *Layer) Forward(in []float64) []float64 {
	l.arrivals = l.arrivals[:0]
	for i, t := range in {
		l.arrive(i, 0, t)
	}
	l.sort()
	for j := range l.out {
		l.out[j], l.slope[j], l.at[j] = l.fire(l.weights(j))
	}
	return l.out
}

// arrive adds a spike of input i, the one at a place in its train, at the ends of its terminals.
func (l *Layer) arrive(i, spike int, t float64) {
	if math.IsInf(t, 1) {
		return
	}
	for k := range l.Terminals {
		l.arrivals = append(l.arrivals, arrival{at: t + float64(k+1), w: i*l.Terminals + k, spike: spike})
	}
}

// sort brings the arrivals into their order in time.
func (l *Layer) sort() {
	slices.SortStableFunc(l.arrivals, func(a, b arrival) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return a.w - b.w
	})
	for k := range l.arrivals {
		if k > 0 {
			l.arrivals[k].decay = math.Exp((l.arrivals[k-1].at - l.arrivals[k].at) / l.Tau)
		}
	}
}

// fire is the time of the first crossing, the slope there and how many arrivals came before.
func (l *Layer) fire(w []float64) (t, slope float64, n int) {
	x, b := 0.0, 0.0
	for k, a := range l.arrivals {
		if k > 0 {
			h := a.at - l.arrivals[k-1].at
			after := (x + b*h) * a.decay
			if rest := l.cross(x, b, h, after); rest >= 0 {
				t, slope = l.arrivals[k-1].at+rest, l.rise(x, b, rest)
				return t, slope, k
			}
			x, b = after, b*a.decay
		}
		b += w[a.w] * math.E / l.Tau
	}
	if n = len(l.arrivals); n > 0 {
		if rest := l.cross(x, b, math.Inf(1), 0); rest >= 0 {
			return l.arrivals[n-1].at + rest, l.rise(x, b, rest), n
		}
	}
	return silent, Slope, n
}

// value is the potential h after a state.
func (l *Layer) value(x, b, h float64) float64 { return (x + b*h) * math.Exp(-h/l.Tau) }

// rise is its slope, at least Slope.
func (l *Layer) rise(x, b, h float64) float64 {
	return max(Slope, (b-(x+b*h)/l.Tau)*math.Exp(-h/l.Tau))
}

// cross is the time after a state, below θ, at which the potential reaches θ within h; −1
// where it does not. After is the potential at h.
func (l *Layer) cross(x, b, h, after float64) float64 {
	top := -1.0 // of the maximum
	if b > 0 {
		top = l.Tau - x/b
	}
	switch {
	case top > 0 && top < h && l.value(x, b, top) >= l.Threshold:
		h = top
	case after < l.Threshold:
		return -1
	}
	lo, hi := 0.0, h
	for range 200 {
		mid := lo + (hi-lo)/2
		if mid <= lo || mid >= hi {
			break
		}
		if l.value(x, b, mid) >= l.Threshold {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// Potential is x_j at a time, of the spikes that Forward was given last.
func (l *Layer) Potential(j int, t float64) (x float64) {
	for _, a := range l.arrivals {
		if s := t - a.at; s > 0 {
			x += l.weights(j)[a.w] * l.response(s)
		}
	}
	return x
}

// Backward takes ∂E/∂t of the neurons' times and writes that of the inputs' to back, nil for
// none. Of a neuron that is silent the error does not count.
func (l *Layer) Backward(errors, back []float64) {
	clear(back)
	for j, e := range errors {
		if l.delta[j] = 0; math.IsInf(l.out[j], 1) || e == 0 {
			continue
		}
		l.delta[j] = -e / l.slope[j]
		if back == nil {
			continue
		}
		w := l.weights(j)
		for _, a := range l.arrivals[:l.at[j]] {
			s := l.out[j] - a.at
			back[a.w/l.Terminals] -= l.delta[j] * w[a.w] * l.climb(s)
		}
	}
}

// Gradient calls add for the gradient of each weight that took part.
func (l *Layer) Gradient(add func(place int, g float64)) {
	n := l.In * l.Terminals
	for j, d := range l.delta {
		if d == 0 {
			continue
		}
		for _, a := range l.arrivals[:l.at[j]] {
			s := l.out[j] - a.at
			add(j*n+a.w, d*l.response(s))
		}
	}
}

// response is ε, of a time after an arrival.
func (l *Layer) response(s float64) float64 { return s / l.Tau * math.Exp(1-s/l.Tau) }

// climb is ε'.
func (l *Layer) climb(s float64) float64 {
	return (1/l.Tau - s/(l.Tau*l.Tau)) * math.Exp(1-s/l.Tau)
}

// Revive lets the weights of silent neurons grow, and returns how many there are.
func (l *Layer) Revive() (n int) {
	for j, t := range l.out {
		if !math.IsInf(t, 1) || len(l.arrivals) == 0 {
			continue
		}
		n++
		w := l.weights(j)
		for _, a := range l.arrivals {
			w[a.w] += l.grow
		}
	}
	return n
}
