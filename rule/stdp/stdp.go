// Package stdp simulates populations of spiking neurons whose synapses change by the times
// of their own spikes (spike-timing-dependent plasticity, STDP), and trains networks of such
// neurons that compete (winner-take-all) without labels.
//
// # Simulator
//
// A Network is populations and connections on a grid of steps of Δ ms:
//
//	n, err := stdp.New(stdp.Options{Step: 1, Seed: 1})
//	in, err := n.Add("input", 784, stdp.Poisson{})
//	out, err := n.Add("output", 100, stdp.LIF{Tau: 100, Threshold: 13, Rise: 0.05})
//	c, err := n.Connect("feed", in, out, stdp.Synapses{Weights: w, Rule: stdp.Pair{Plus: 0.01, TauPlus: 20}})
//	m := n.Monitor(out)
//	err = n.Run(ctx, 350)
//
// In step t, for each population in the order of Add: spikes of step t − d reach it through
// connections of delay d, its neurons take their step and fire; then the rules of all
// connections see the spikes of step t. A delay of 0 is for connections from a population
// that was added before.
//
// # Rules
//
// Traces decay with their τ and rise by 1 (all to all) or are set to 1 (nearest neighbour)
// at a spike of their neuron. With x of the input i, y of the neuron j:
//
//	Pair           pre: w −= A₋·w^μ·y_j               post: w += A₊·(w_max − w)^μ·x_i
//	Triplet        pre: w −= o₁·(A₂⁻ + A₃⁻·r₂)         post: w += r₁·(A₂⁺ + A₃⁺·o₂)
//	Order          post: w += a₊·w(1−w) where i has fired, else w −= a₋·w(1−w)
//	Probabilistic  post: w += a₊·e^(−w) where i was active, else w −= a₋
//	Inhibitory     pre: w += η·(y_j − 2ρτ)             post: w += η·x_i
//
// μ = 0 is the additive rule, 1 the multiplicative one, what lies between is Gütig's. A
// connection with Eligibility puts the changes of its rule into a trace of each synapse, and
// Reward takes them into the weights: w += R·e. Short-term plasticity scales what a spike
// passes on, by Tsodyks and Markram's variables of each input.
//
// Traces are kept lazily, as a value and the step that it belongs to, and only inputs and
// neurons that have fired are visited. With Options.Stepwise each trace is multiplied in each
// step instead: the plain reference, which gives the same but for rounding.
//
// # Winner-take-all
//
// Rule is one population that competes, after BindsNET's variant of Diehl and Cook's
// network (Kind): see there. It is a fast form of a network that the simulator runs too.
//
// Diehl and Cook, Front. Comput. Neurosci. 9:99, 2015. Pfister and Gerstner, J. Neurosci.
// 26:9673, 2006. Gütig et al., J. Neurosci. 23:3697, 2003. Vogels et al., Science 334:1569,
// 2011. Izhikevich, Cerebral Cortex 17:2443, 2007. Tsodyks and Markram, PNAS 94:719, 1997.
// Nessler et al., PLoS Comput. Biol. 9:e1003037, 2013. Kheradpisheh et al., Neural Networks
// 99:56, 2018. Hazan et al. (BindsNET), Front. Neuroinform. 12:89, 2018.
package stdp

import (
	"context"
	"fmt"
	"math"

	"synfire/tensor"
)

// Options of a network.
type Options struct {
	Step     float64 // Δ in ms
	Seed     uint64  // of Poisson trains and of draws among winners
	Stepwise bool    // multiply each trace in each step: the reference, slower
}

// Network is populations and connections between them. It is for one goroutine.
type Network struct {
	options     Options
	now         int64 // the step that comes
	frozen      bool
	populations []*Population
	connections []*Connection
	monitors    []*Monitor
}

// New is a network without populations.
func New(o Options) (*Network, error) {
	if !(o.Step > 0) || math.IsInf(o.Step, 0) {
		return nil, fmt.Errorf("stdp: step is %v ms, want a positive time; 1 is usual", o.Step)
	}
	return &Network{options: o}, nil
}

// maxUnits is the most neurons of a population.
const maxUnits = 1 << 24

// Add adds a population of size neurons of a kind: Poisson, Trains, LIF, Conductance or
// Softmax.
func (n *Network) Add(name string, size int, kind Neurons) (*Population, error) {
	if size < 1 || size > maxUnits {
		return nil, fmt.Errorf("stdp: population %q has %d neurons, want from 1 to %d", name, size, maxUnits)
	}
	for _, p := range n.populations {
		if p.name == name {
			return nil, fmt.Errorf("stdp: there are two populations %q; their states go by their names", name)
		}
	}
	p := &Population{network: n, name: name, size: size, place: len(n.populations), history: make([][]int32, 1)}
	cells, err := kind.cells(p)
	if err != nil {
		return nil, fmt.Errorf("stdp: population %q: %w", name, err)
	}
	p.cells = cells
	n.populations = append(n.populations, p)
	return p, nil
}

// Now is the time of the network in ms.
func (n *Network) Now() float64 { return float64(n.now) * n.options.Step }

// Freeze stops or resumes all learning: weights, biases, and thresholds, which neither rise
// nor decay. Traces go on.
func (n *Network) Freeze(frozen bool) { n.frozen = frozen }

// Rest puts potentials, conductances, traces and spikes on their way back to what they are
// at the start. Weights, thresholds, biases and the time stay.
func (n *Network) Rest() {
	for _, p := range n.populations {
		for i := range p.history {
			p.history[i] = p.history[i][:0]
		}
		p.cells.rest()
	}
	for _, c := range n.connections {
		c.rest()
	}
}

// Run runs for a time in ms, which is rounded to whole steps. Interrupted, it stops between
// steps and returns ctx's error.
func (n *Network) Run(ctx context.Context, ms float64) error {
	steps, err := n.steps("run", ms)
	if err != nil {
		return err
	}
	for range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := n.step(); err != nil {
			return err
		}
	}
	return nil
}

// steps is a time as a number of steps.
func (n *Network) steps(what string, ms float64) (int, error) {
	k := math.Round(ms / n.options.Step)
	if !(k >= 0 && k < math.MaxInt32) {
		return 0, fmt.Errorf("stdp: %s of %v ms with steps of %v ms, want fewer than 2³¹ steps and not less than none", what, ms, n.options.Step)
	}
	return int(k), nil
}

func (n *Network) step() error {
	t := n.now
	for _, p := range n.populations {
		clear(p.input[excitatory])
		clear(p.input[inhibitory])
		for _, c := range p.incoming {
			c.deliver(t)
		}
		at := &p.history[t%int64(len(p.history))]
		fired, err := p.cells.step((*at)[:0], t)
		if *at = fired; err != nil {
			return fmt.Errorf("stdp: population %q at %v ms: %w", p.name, n.Now(), err)
		}
	}
	for _, c := range n.connections {
		c.learn(t)
	}
	for _, m := range n.monitors {
		m.record(t)
	}
	n.now++
	return nil
}

// receptor is which of a population's two inputs a connection feeds.
type receptor int

const (
	excitatory receptor = iota
	inhibitory
)

// Population is neurons of one kind.
type Population struct {
	network  *Network
	name     string
	size     int
	place    int // in the order of Add
	cells    cells
	incoming []*Connection
	input    [2][]tensor.Float // of a step, by receptor
	history  [][]int32         // spikes of the last steps, that of t at t mod its length
}

// Name is the population's.
func (p *Population) Name() string { return p.name }

// Len is the number of neurons.
func (p *Population) Len() int { return p.size }

// fired are the neurons that fired in a step, ascending. The step must be in the history.
func (p *Population) fired(t int64) []int32 {
	if t < 0 {
		return nil
	}
	return p.history[t%int64(len(p.history))]
}

// remember makes the history hold so many steps before the present.
func (p *Population) remember(steps int) {
	if steps >= len(p.history) {
		p.history = append(p.history, make([][]int32, steps+1-len(p.history))...)
	}
}

// in is the input of a receptor.
func (p *Population) in(r receptor) []tensor.Float {
	if p.input[r] == nil {
		p.input[r] = make([]tensor.Float, p.size)
	}
	return p.input[r]
}

// Monitor records the spikes of a population from now on.
type Monitor struct {
	Units []int32   // which fired, in order of time, of one step ascending
	Times []float64 // in ms, the beginning of their step
	Count []int     // spikes of each neuron

	population *Population
}

// Monitor begins to record.
func (n *Network) Monitor(p *Population) *Monitor {
	m := &Monitor{population: p, Count: make([]int, p.size)}
	n.monitors = append(n.monitors, m)
	return m
}

// Clear forgets what was recorded.
func (m *Monitor) Clear() {
	m.Units, m.Times = m.Units[:0], m.Times[:0]
	clear(m.Count)
}

func (m *Monitor) record(t int64) {
	for _, j := range m.population.fired(t) {
		m.Units = append(m.Units, j)
		m.Times = append(m.Times, float64(t)*m.population.network.options.Step)
		m.Count[j]++
	}
}
