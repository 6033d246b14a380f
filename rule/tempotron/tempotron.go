// Package tempotron trains neurons to fire or to stay silent for patterns of spikes, by the
// maximum of their potential (Gütig and Sompolinsky, "The tempotron: a neuron that learns spike
// timing-based decisions", Nature Neuroscience 9, 2006).
//
// Times are in milliseconds. Without a reset the potential is
//
//	V(t) = Σ_i w_i Σ_{t_i<t} K(t − t_i),   K(s) = V₀·(e^(−s/τ) − e^(−s/τ_s)),   max K = 1
//
// and the neuron fires where V reaches θ in the window. On an error alone, with t* the time
// of the maximum,
//
//	Δw_i = ±λ Σ_{t_i<t*} K(t* − t_i) + μ·Δw_i'        + for a spike that is missing, Δw' the change before
//
// which is the gradient of V(t*): that t* moves changes nothing, as dV/dt is 0 there.
//
// Between two spikes V is a·e^(−h/τ) − b·e^(−h/τ_s) times V₀, with its maximum in closed form:
//
//	h* = ττ_s/(τ − τ_s)·ln(bτ/(aτ_s))   for a, b > 0
//
// so that nothing depends on a grid of time, and a pattern costs a few operations a spike.
package tempotron

import (
	"cmp"
	"math"
	"slices"
)

// Spike is one of an afferent.
type Spike struct {
	At   float64 // ms
	Unit int
}

// Kernel is the time course of a spike's effect.
type Kernel struct {
	Tau, TauS float64 // ms, the first the longer
	scale     float64 // V₀
}

// NewKernel makes the kernel whose maximum is 1.
func NewKernel(tau, tauS float64) Kernel {
	peak := tau * tauS / (tau - tauS) * math.Log(tau/tauS)
	return Kernel{tau, tauS, 1 / (math.Exp(-peak/tau) - math.Exp(-peak/tauS))}
}

// At is K(s).
func (k Kernel) At(s float64) float64 {
	if s <= 0 {
		return 0
	}
	return k.scale * (math.Exp(-s/k.Tau) - math.Exp(-s/k.TauS))
}

// Pattern is spikes in a window that ends after the last of them, with what potentials keep
// from one to the next.
type Pattern struct {
	Spikes     []Spike
	Window     float64
	slow, fast []float64 // factors up to spike k, the last ones up to the end
}

// NewPattern sorts the spikes.
func NewPattern(k Kernel, spikes []Spike, window float64) *Pattern {
	p := &Pattern{Spikes: spikes, Window: window}
	slices.SortStableFunc(p.Spikes, func(a, b Spike) int { return cmp.Compare(a.At, b.At) })
	before := 0.0
	for i := range len(spikes) + 1 {
		at := window
		if i < len(spikes) {
			at = spikes[i].At
		}
		p.slow, p.fast = append(p.slow, math.Exp((before-at)/k.Tau)), append(p.fast, math.Exp((before-at)/k.TauS))
		before = at
	}
	return p
}

// Max is the largest potential after the first spike, and its time. One that stays below 0 is
// looked at where spikes come and at the end, so that there is a time at which to learn. Of a
// pattern without spikes it is 0 at 0.
func (k Kernel) Max(p *Pattern, w []float64) (v, at float64) {
	if len(p.Spikes) == 0 {
		return 0, 0
	}
	a, b := 0.0, 0.0
	v = math.Inf(-1)
	for i := range len(p.Spikes) + 1 {
		start, slow, fast := 0.0, a*p.slow[i], b*p.fast[i]
		if i > 0 {
			start = p.Spikes[i-1].At
			// A maximum within: V rises at the start and falls at the end.
			if a > 0 && b > 0 && b*k.Tau > a*k.TauS && fast*k.Tau < slow*k.TauS {
				h := k.Tau * k.TauS / (k.Tau - k.TauS) * math.Log(b*k.Tau/(a*k.TauS))
				if top := k.scale * (a*math.Exp(-h/k.Tau) - b*math.Exp(-h/k.TauS)); top > v {
					v, at = top, start+h
				}
			}
			end := p.Window
			if i < len(p.Spikes) {
				end = p.Spikes[i].At
			}
			if top := k.scale * (slow - fast); top > v {
				v, at = top, end
			}
		}
		a, b = slow, fast
		if i < len(p.Spikes) {
			a, b = a+w[p.Spikes[i].Unit], b+w[p.Spikes[i].Unit]
		}
	}
	return v, at
}

// Neuron is a tempotron.
type Neuron struct {
	Kernel
	Threshold float64
	W         []float64
	Before    []float64 // the last change
}

// NewNeuron has weights of 0.
func NewNeuron(k Kernel, threshold float64, inputs int) *Neuron {
	return &Neuron{k, threshold, make([]float64, inputs), make([]float64, inputs)}
}

// Fires tells whether the potential reaches the threshold.
func (n *Neuron) Fires(p *Pattern) bool {
	v, _ := n.Max(p, n.W)
	return v >= n.Threshold
}

// Learn changes the weights where the neuron fires and is not to, or the reverse. It returns
// whether it was right, and the largest potential before.
func (n *Neuron) Learn(p *Pattern, fire bool, rate, momentum float64) (right bool, v float64) {
	v, at := n.Max(p, n.W)
	if v >= n.Threshold == fire {
		return true, v
	}
	if !fire {
		rate = -rate
	}
	for i := range n.Before {
		n.Before[i] *= momentum
	}
	for _, s := range p.Spikes {
		if s.At >= at {
			break
		}
		n.Before[s.Unit] += rate * n.At(at-s.At)
	}
	for i, d := range n.Before {
		n.W[i] += d
	}
	return false, v
}
