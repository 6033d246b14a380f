package energy

import (
	"fmt"
	"math/bits"
)

// Spiking is what a spiking network does for a sample.
type Spiking struct {
	Steps     int
	Spikes    float64 // of neurons
	Additions float64 // of weights that spikes cause
	Sums      float64 // additions without weights that they cause
	Products  float64 // multiply-accumulates in all steps, of what is neither held nor spikes
	Plan      *Plan
}

// Of is the mean of a tally over samples of a run of some steps.
func Of(p *Plan, t Tally, samples, steps int) Spiking {
	n := float64(max(1, samples))
	return Spiking{
		Steps: steps, Spikes: float64(t.Spikes) / n, Additions: float64(t.Additions) / n, Sums: float64(t.Sums) / n,
		Products: float64(t.Products)/n + float64(p.Values*steps), Plan: p,
	}
}

// Papers is the account of papers, in µJ a sample. Total is Spikes, First and Products; what they
// leave out is beside.
type Papers struct {
	Spikes   float64 `json:"spikes_uj"`      // additions that spikes cause
	First    float64 `json:"first_layer_uj"` // products of what is held, counted once: computed in the first step and kept
	Products float64 `json:"products_uj"`    // of other numbers, in each step
	Total    float64 `json:"total_uj"`

	FirstEachStep float64 `json:"first_layer_each_step_uj"` // in place of First, where what is held is computed in each step
	Updates       float64 `json:"updates_uj"`               // an addition for each neuron and bias in each step
}

const micro = 1e-6 // µJ in a pJ

// Papers accounts as papers do.
func (s Spiking) Papers(c Constants) Papers {
	t := float64(s.Steps)
	p := Papers{
		Spikes: micro * c.AC * (s.Additions + s.Sums), First: micro * c.MAC * float64(s.Plan.Held), Products: micro * c.MAC * s.Products,
		Updates: micro * c.AC * t * float64(s.Plan.Neurons+s.Plan.Biases),
	}
	if s.Plan.Connections == 0 { // an ordinary network: nothing is kept for later steps
		p.First, p.Products = 0, p.Products+p.First
	}
	p.FirstEachStep = t * p.First
	p.Total = p.Spikes + p.First + p.Products
	return p
}

// Ordinary is an ordinary network of quantised activations.
type Ordinary struct {
	Bits  int      // of an activation
	First Products // of the input's first layers, which are held in a spiking network
	Rest  Products // of the layers that get spikes there
	Units float64  // whose activations are written
}

// Products are multiply-accumulates for a sample.
type Products struct{ Dense, Effective float64 }

// Density is the share of them whose input is not 0; NaN where there are none.
func (p Products) Density() float64 { return p.Effective / p.Dense }

// DataFlow is how a spiking network goes through its memory.
type DataFlow uint8

// How it does.
const (
	Scatter DataFlow = iota // spike by spike: a weight, and a membrane that is read and written, for each that it reaches
	Outputs                 // neuron by neuron: the sum stays in a register, each input is asked in each step
)

// Flows are all ways.
func Flows() []DataFlow { return []DataFlow{Scatter, Outputs} }

// String names it.
func (f DataFlow) String() string { return [...]string{"event scatter", "output stationary"}[f] }

// MarshalText is String.
func (f DataFlow) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// Cost is energy with memory, in µJ a sample.
type Cost struct {
	First    float64 `json:"first_layer_uj"` // layers of the input, once
	Synapses float64 `json:"synapses_uj"`    // weights of what is not 0
	Scan     float64 `json:"scan_uj"`        // inputs that are read and are 0
	Neurons  float64 `json:"neurons_uj"`     // activations that are written; membranes that are read, updated and written, and their spikes, in each step
	Total    float64 `json:"total_uj"`
}

func (c Cost) summed() Cost {
	c.Total = c.First + c.Synapses + c.Scan + c.Neurons
	return c
}

// Cost is that of an ordinary network, neuron by neuron, where products of 0 are left out.
func (o Ordinary) Cost(c Constants) Cost {
	b := float64(o.Bits)
	return Cost{
		First:    micro * (o.First.Effective*c.product(c.Pixel) + (o.First.Dense-o.First.Effective)*c.bits(c.Pixel)),
		Synapses: micro * o.Rest.Effective * c.product(b),
		Scan:     micro * (o.Rest.Dense - o.Rest.Effective) * c.bits(b),
		Neurons:  micro * o.Units * c.bits(b),
	}.summed()
}

// Cost is that of a spiking network whose first layers are those of the ordinary one.
func (s Spiking) Cost(c Constants, f DataFlow, o Ordinary) Cost {
	t := float64(s.Steps)
	cost := Cost{
		First:    o.Cost(c).First,
		Synapses: micro * (s.Additions*c.addition(f) + s.Sums*c.sum(f) + s.Products*c.product(c.Membrane)),
		Neurons:  micro * t * float64(s.Plan.Neurons) * (2*c.bits(c.Membrane) + c.Add + c.bits(1)),
	}
	if f == Outputs {
		cost.Scan = micro * t * float64(s.Plan.Connections) * c.bits(1)
	}
	return cost.summed()
}

// Crossing is s*, the spikes of an input and step above which a spiking network needs more
// than an ordinary one with the share d of inputs that are not 0 and activations of some bits.
func Crossing(c Constants, f DataFlow, d float64, bits, steps int) float64 {
	return d * c.product(float64(bits)) / (float64(steps) * c.addition(f))
}

// Published is the crossing that a spike costs as much traffic as 8 bits of an activation of
// ⌈log2(T+1)⌉ bits would give, ⌈log2(T+1)⌉/8T: 6.25 % at T = 8. The analysis whose equivalence
// of bits and steps it takes (Yan et al., arXiv 2409.08290) found 6.4 % for 5 to 10 steps (version
// 3) and 5.7 % for 5 (version 4).
func Published(steps int) float64 {
	return float64(BitsOf(steps)) / float64(8*steps)
}

// BitsOf is how many bits tell as many levels as so many steps do: ⌈log2(T+1)⌉.
func BitsOf(steps int) int { return bits.Len(uint(steps)) }

// Comparison is a spiking network beside an ordinary one.
type Comparison struct {
	Flow DataFlow `json:"data_flow"`
	Cost
	Rate     *float64 `json:"rate"`              // spikes that reach a weight of the ordinary network, in a step: s; nil where no layer takes spikes
	Crossing *float64 `json:"crossing_rate"`     // s*; nil likewise
	All      *float64 `json:"crossing_rate_all"` // the rate at which the totals are alike, all accesses counted; nil: see Why
	Why      string   `json:"why,omitempty"`
}

// Compare sets the networks beside each other. Behind pooling a rate is one of what is pooled.
func (s Spiking) Compare(c Constants, f DataFlow, o Ordinary) Comparison {
	out := Comparison{Flow: f, Cost: s.Cost(c, f, o)}
	if o.Rest.Dense == 0 || s.Plan.Connections == 0 {
		out.Why = "no layer takes spikes"
		return out
	}
	rate, crossing := s.Additions/(float64(s.Steps)*o.Rest.Dense), Crossing(c, f, o.Rest.Density(), o.Bits, s.Steps)
	out.Rate, out.Crossing = &rate, &crossing
	ordinary, fixed := o.Cost(c).Total, out.Total-out.Synapses
	switch {
	case out.Synapses == 0:
		out.Why = "there are no spikes"
	case ordinary <= fixed:
		out.Why = fmt.Sprintf("without any spike it needs %.4g µJ, the ordinary network %.4g", fixed, ordinary)
	default:
		at := rate * (ordinary - fixed) / out.Synapses
		out.All = &at
	}
	return out
}

// Account is that of one network, without another beside it.
type Account struct {
	Constants  Constants  `json:"constants"`
	Papers     Papers     `json:"papers"`
	NeuroBench NeuroBench `json:"neurobench"`
	Memory     []Alone    `json:"memory"`
}

// Alone is the account with memory of one network. Its Crossing is that with an ordinary network
// of as many levels as there are steps, none of whose activations is 0; nothing says that this is
// as accurate. Of an ordinary network, whose activations are given 8 bits, there is none.
type Alone struct {
	Flow string `json:"data_flow"`
	Cost
	Bits     int      `json:"bits"` // of the ordinary network's activations
	Rate     *float64 `json:"rate"`
	Crossing *float64 `json:"crossing_rate"`
}

// ordinaryBits is what the activations of an ordinary network are given.
const ordinaryBits = 8

// Account is the three accounts of what was measured.
func (m Measured) Account(c Constants) Account {
	s := Of(m.Plan, m.Events, m.Samples, m.Steps)
	a := Account{Constants: c, Papers: s.Papers(c), NeuroBench: m.NeuroBench}
	if m.Plan.Connections == 0 {
		o := m.ordinary(ordinaryBits)
		a.Memory = []Alone{{Flow: "ordinary, " + Outputs.String(), Cost: o.Cost(c), Bits: o.Bits}}
		return a
	}
	o := m.ordinary(BitsOf(m.Steps))
	o.Rest = Products{Dense: float64(m.Plan.Connections), Effective: float64(m.Plan.Connections)}
	for _, f := range Flows() {
		v := s.Compare(c, f, o)
		a.Memory = append(a.Memory, Alone{f.String(), v.Cost, o.Bits, v.Rate, v.Crossing})
	}
	return a
}

// ordinary are the layers whose input is held, once, and the others.
func (m Measured) ordinary(bits int) Ordinary {
	o := Ordinary{Bits: bits, Units: float64(m.Plan.rectified())}
	for _, l := range m.Layers {
		to, times := &o.Rest, 1.0
		if m.Plan.IsFirst(l.Name) {
			to, times = &o.First, float64(m.Steps)
		}
		to.Dense += l.Dense / times
		to.Effective += l.Effective / times
	}
	return o
}
