// Package balanced builds the random network of excitatory and inhibitory leaky neurons of
// Brunel (J. Comput. Neurosci. 8:183, 2000, figure 8) on the simulator of rule/stdp: by the
// strength g of its inhibition and the rate η of what comes from elsewhere it fires in step or
// irregularly.
//
//	τ·dV/dt = −V + J·τ·Σ δ(t − t_k − D) − g·J·τ·Σ δ(t − t_l − D) + Poisson input
//
// with τ = 20 ms, a threshold of 20 mV, a reset to 10 mV and 2 ms in which nothing arrives. Each
// neuron has a tenth of the excitatory and a tenth of the inhibitory neurons as inputs, and as many
// Poisson trains from elsewhere as excitatory ones, together at η times the rate that just reaches
// the threshold without a leak of chance, 1/(J·τ) · 20 mV.
package balanced

import (
	"fmt"
	"math"

	"synfire/rule/stdp"
)

// The network of the paper's figure 8, in ms and mV.
const (
	Excitatory = 10_000 // neurons; a quarter as many inhibitory ones

	tau       = 20
	threshold = 20
	step      = 0.1
	// reach is J times the inputs of a neuron, 0.1 mV of 1,000.
	reach = 100
	// delay is the paper's 1.5 ms and a step: a spike that arrives acts on firing in Brian2 in the
	// step after its arrival, in the simulator in that step itself.
	delay = 1.6
)

// Regime is where a network is put.
type Regime struct {
	Name  string
	G     float64 // strength of an inhibitory synapse in parts of an excitatory one
	Eta   float64 // rate from elsewhere, in parts of what just reaches the threshold
	About string
}

// Regimes are the four of the paper's figure 8.
func Regimes() []Regime {
	return []Regime{
		{"SR", 3, 2, "synchronous, regular"},
		{"SI-fast", 6, 4, "synchronous and irregular, fast"},
		{"AI", 5, 2, "asynchronous, irregular"},
		{"SI-slow", 4.5, 0.9, "synchronous and irregular, slow"},
	}
}

// Network is the network at rest.
type Network struct {
	*stdp.Network
	Excitatory, Inhibitory *stdp.Population
}

// New builds a network of so many excitatory neurons, a multiple of 40, and a quarter as many
// inhibitory ones. With fewer than Excitatory each input weighs more, so that the mean stays.
func New(r Regime, excitatory int, seed uint64) (*Network, error) {
	if excitatory < 40 || excitatory%40 != 0 {
		return nil, fmt.Errorf("balanced network: %d excitatory neurons, want a multiple of 40, such as %d", excitatory, Excitatory)
	}
	degree := excitatory / 10
	sim, err := stdp.New(stdp.Options{Step: step, Seed: seed})
	if err != nil {
		return nil, err
	}
	// What arrives decays in Brian2 for a step before it acts on firing.
	weight := reach / float64(degree)
	arrives := weight * math.Exp(-step/tau)
	rate := r.Eta * 1000 * threshold / (weight * tau) // Hz, of all trains from elsewhere together
	lif := stdp.LIF{Tau: tau, Threshold: threshold, Reset: 10, Refractory: 2, Holds: true, Background: rate, BackgroundWeight: arrives}
	n := &Network{Network: sim}
	if n.Excitatory, err = sim.Add("excitatory", excitatory, lif); err != nil {
		return nil, err
	}
	if n.Inhibitory, err = sim.Add("inhibitory", excitatory/4, lif); err != nil {
		return nil, err
	}
	e, i := n.Excitatory, n.Inhibitory
	for _, c := range []struct {
		name     string
		from, to *stdp.Population
		each     float64
		inputs   int
	}{{"ee", e, e, arrives, degree}, {"ei", e, i, arrives, degree}, {"ie", i, e, -r.G * arrives, degree / 4}, {"ii", i, i, -r.G * arrives, degree / 4}} {
		if _, err := sim.Connect(c.name, c.from, c.to, stdp.Synapses{Each: c.each, Indegree: c.inputs, Delay: delay}); err != nil {
			return nil, err
		}
	}
	return n, nil
}
