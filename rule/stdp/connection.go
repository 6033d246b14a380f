package stdp

import (
	"errors"
	"fmt"
	"math"

	"synfire/internal/kernel"
	"synfire/internal/rng"
	"synfire/tensor"
)

// Synapses describe a connection. Of Weights, OneToOne, AllButOwn and Each one is given.
type Synapses struct {
	// Weights are [from, to], in mV for LIF, in units of the leak for Conductance: all to
	// all. The connection takes the memory over.
	Weights []tensor.Float
	// OneToOne is the weight from each neuron to that of the same place.
	OneToOne float64
	// AllButOwn is the weight from each neuron to all but that of the same place; below 0 it
	// is lateral inhibition.
	AllButOwn float64
	// Each is the weight of each of Indegree inputs of each neuron, which are drawn without
	// replacement by the network's seed and the connection's name: a sparse connection.
	Each     float64
	Indegree int
	// Inhibitory opens the inhibitory conductance of a population of kind Conductance.
	Inhibitory bool
	Delay      float64    // ms, whole steps; 0 where from was added before to
	Rule       Plasticity // of Weights; nil: they stay
	High       float64    // weights are kept in [0, High] when they change; 0: no limits
	ShortTerm  ShortTerm  // of the inputs; the zero value is none
	// Eligibility is τ_e in ms of a trace of each synapse that takes the changes of Rule in
	// the weights' place, until Reward; 0 is none.
	Eligibility float64
}

// ShortTerm is short-term plasticity: a spike of an input passes on u·x of its weights,
//
//	u ← U + (u − U)·e^(−Δt/τ_f),   x ← 1 + (x − 1)·e^(−Δt/τ_d)      since its last spike
//	u ← u + U·(1 − u),   passed on: u·x,   x ← x·(1 − u)
//
// from u = 0 + U, x = 1. Tsodyks and Markram 1997, with facilitation (1998).
type ShortTerm struct {
	Use         float64 // U in (0, 1]
	Recovery    float64 // τ_d in ms
	Facilitates float64 // τ_f in ms; 0: u is U at each spike
}

// Connection is the synapses from one population to another.
type Connection struct {
	network  *Network
	name     string
	from, to *Population
	synapses Synapses
	delay    int64
	weights  []tensor.Float
	sparse   sparse // of Each
	high     tensor.Float
	learner  learner
	pending  *trace         // of each synapse, with Eligibility
	u, x     []tensor.Float // of ShortTerm
	last     []int64        // spike of each input; −1: none
	total    []tensor.Float // scratch of Normalize
}

// Connect makes synapses from one population to another.
func (n *Network) Connect(name string, from, to *Population, s Synapses) (*Connection, error) {
	fail := func(format string, args ...any) (*Connection, error) {
		return nil, fmt.Errorf("stdp: connection %q: %w", name, fmt.Errorf(format, args...))
	}
	if from == nil || to == nil || from.network != n || to.network != n {
		return fail("its populations are not of this network; add them first")
	}
	for _, c := range n.connections {
		if c.name == name {
			return fail("there are two of this name; their weights go by it")
		}
	}
	if err := s.validate(from, to); err != nil {
		return fail("%w", err)
	}
	delay, err := n.steps("delay", s.Delay)
	if err != nil {
		return nil, err
	}
	if delay == 0 && from.place >= to.place {
		return fail("delay is %v ms, want at least a step of %v ms from %q to %q; a delay of 0 is for a population that was added before", s.Delay, n.options.Step, from.name, to.name)
	}
	c := &Connection{network: n, name: name, from: from, to: to, synapses: s, delay: int64(delay), weights: s.Weights, high: tensor.Float(s.High)}
	if s.Rule != nil {
		if c.learner, err = s.Rule.learner(c); err != nil {
			return fail("%w", err)
		}
	}
	if s.Eligibility > 0 {
		c.pending = newTrace(n, len(s.Weights), s.Eligibility, false)
	}
	if s.ShortTerm != (ShortTerm{}) {
		c.u, c.x, c.last = make([]tensor.Float, from.size), make([]tensor.Float, from.size), make([]int64, from.size)
	}
	if s.Each != 0 {
		c.sparse = drawn(rng.New(n.options.Seed, "stdp").Str("synapses").Str(name), from.size, to.size, s.Indegree)
	}
	c.rest()
	from.remember(delay)
	to.in(c.receptor())
	to.incoming = append(to.incoming, c)
	n.connections = append(n.connections, c)
	return c, nil
}

func (s Synapses) validate(from, to *Population) error {
	given := 0
	for _, is := range []bool{s.Weights != nil, s.OneToOne != 0, s.AllButOwn != 0, s.Each != 0} {
		if is {
			given++
		}
	}
	_, conductance := to.cells.(*conductanceCells)
	_, source := to.cells.(*poisson)
	_, played := to.cells.(*player)
	switch {
	case given != 1:
		return fmt.Errorf("%d of weights, one-to-one, all-but-own and each are given, want one that is not 0", given)
	case s.Weights != nil && len(s.Weights) != from.size*to.size:
		return fmt.Errorf("%d weights, want %d×%d", len(s.Weights), from.size, to.size)
	case s.Each != 0 && (s.Indegree < 1 || s.Indegree > from.size), s.Each == 0 && s.Indegree != 0:
		return fmt.Errorf("indegree is %d, want from 1 to the %d neurons of %q, with each", s.Indegree, from.size, from.name)
	case s.Each != 0 && s.Indegree > maxSparse/to.size:
		return fmt.Errorf("%d synapses on each of %d neurons, want at most %d in all", s.Indegree, to.size, maxSparse)
	case s.Weights == nil && s.Each == 0 && from.size != to.size:
		return fmt.Errorf("from %d to %d neurons, want as many; give weights instead", from.size, to.size)
	case kernel.Finite(s.Weights) >= 0 || !finite(s.OneToOne, s.AllButOwn, s.Each):
		return errors.New("a weight is not finite")
	case source || played:
		return fmt.Errorf("population %q fires as it is told and takes no input", to.name)
	case s.Inhibitory && !conductance:
		return fmt.Errorf("population %q has no conductances; give a weight below 0 in place of inhibitory", to.name)
	case s.Weights == nil && (s.Rule != nil || s.High != 0):
		return errors.New("a rule and a limit are for weights, which are not given")
	case !(s.High >= 0) || !(s.Eligibility >= 0):
		return fmt.Errorf("high %v, eligibility %v ms: want neither below 0", s.High, s.Eligibility)
	case s.Eligibility > 0 && s.Rule == nil:
		return errors.New("eligibility is given without a rule whose changes it takes")
	}
	if st := s.ShortTerm; st != (ShortTerm{}) && !(st.Use > 0 && st.Use <= 1 && positive(st.Recovery) && st.Facilitates >= 0) {
		return fmt.Errorf("short term: use %v, recovery %v ms, facilitates %v ms; want use in (0, 1], a positive recovery, and no negative time", st.Use, st.Recovery, st.Facilitates)
	}
	return nil
}

func (c *Connection) receptor() receptor {
	if c.synapses.Inhibitory {
		return inhibitory
	}
	return excitatory
}

// Weights are those of the connection, [from, to], to be read and set; nil where it was given
// a single one.
func (c *Connection) Weights() []tensor.Float { return c.weights }

func (c *Connection) row(i int32) []tensor.Float { return c.weights[int(i)*c.to.size:][:c.to.size] }

// deliver adds what arrives in step t to the input of its population.
func (c *Connection) deliver(t int64) {
	fired := c.from.fired(t - c.delay)
	if len(fired) == 0 {
		return
	}
	in := c.to.in(c.receptor())
	switch {
	case c.last != nil:
		for _, i := range fired {
			c.add(in, i, c.release(i, t))
		}
	case c.weights != nil:
		kernel.AddRows(in, c.weights, c.to.size, fired)
	default:
		for _, i := range fired {
			c.add(in, i, 1)
		}
	}
}

// add adds a share of what one spike of input i passes on.
func (c *Connection) add(in []tensor.Float, i int32, share tensor.Float) {
	switch s := c.synapses; {
	case c.weights != nil:
		kernel.AddScaled(in, c.row(i), share)
	case s.Each != 0:
		w := tensor.Float(tensor.Float(s.Each) * share)
		for _, j := range c.sparse.of(i) {
			in[j] += w
		}
	case s.OneToOne != 0:
		in[i] += tensor.Float(tensor.Float(s.OneToOne) * share)
	default:
		own, w := in[i], tensor.Float(tensor.Float(s.AllButOwn)*share)
		for j := range in {
			in[j] += w
		}
		in[i] = own
	}
}

// release is the share u·x that a spike of input i passes on, and takes from x.
func (c *Connection) release(i int32, t int64) tensor.Float {
	st, step := c.synapses.ShortTerm, c.network.options.Step
	use, u, x := st.Use, 0.0, 1.0
	if c.last[i] >= 0 {
		since := float64(t-c.last[i]) * step
		x = 1 + (float64(c.x[i])-1)*math.Exp(-since/st.Recovery)
		if st.Facilitates > 0 {
			u = use + (float64(c.u[i])-use)*math.Exp(-since/st.Facilitates)
		}
	}
	if st.Facilitates > 0 && c.last[i] >= 0 {
		u += use * (1 - u)
	} else {
		u = use
	}
	c.u[i], c.x[i], c.last[i] = tensor.Float(u), tensor.Float(x*(1-u)), t
	return tensor.Float(u * x)
}

// learn lets the rule see the spikes of step t. Its traces go on while the network is frozen.
func (c *Connection) learn(t int64) {
	if c.pending != nil {
		c.pending.begin()
	}
	if c.learner != nil {
		c.learner.step(c.from.fired(t), c.to.fired(t), t)
	}
}

// change changes weight k by a rule.
func (c *Connection) change(k int, by tensor.Float, t int64) {
	if c.network.frozen || by == 0 {
		return
	}
	if c.pending != nil {
		c.pending.add(int32(k), t, by)
		return
	}
	c.weights[k] = c.limited(c.weights[k] + by)
}

func (c *Connection) limited(w tensor.Float) tensor.Float {
	if c.high == 0 {
		return w
	}
	return min(max(w, 0), c.high)
}

// Reward adds r times the eligibility of each synapse to its weight (Izhikevich 2007). It is
// for between runs, and does nothing to the traces.
func (c *Connection) Reward(r float64) error {
	if c.pending == nil {
		return fmt.Errorf("stdp: reward connection %q: it has no eligibility; give it one", c.name)
	}
	if math.IsNaN(r) || math.IsInf(r, 0) {
		return fmt.Errorf("stdp: reward connection %q by %v, want a finite number", c.name, r)
	}
	t := c.network.now - 1 // the step that traces stand at
	for _, k := range c.pending.units() {
		c.weights[k] = c.limited(c.weights[k] + tensor.Float(tensor.Float(r)*c.pending.at(k, t)))
	}
	return nil
}

// Normalize scales the weights onto each neuron to a sum; those of a sum of 0 stay. Weights
// may be above High afterwards, until the rule changes them.
func (c *Connection) Normalize(sum float64) error {
	if c.weights == nil || !positive(sum) {
		return fmt.Errorf("stdp: normalize connection %q to %v, want weights and a positive sum", c.name, sum)
	}
	n := c.to.size
	if c.total == nil {
		c.total = make([]tensor.Float, n)
	}
	clear(c.total)
	kernel.ColumnSums(c.total, c.weights, n, c.from.size)
	for j, s := range c.total {
		if c.total[j] = 1; s > 0 {
			c.total[j] = tensor.Float(sum) / s
		}
	}
	for i := range c.from.size {
		row := c.row(int32(i))
		for j, f := range c.total {
			row[j] *= f
		}
	}
	return nil
}

func (c *Connection) rest() {
	if c.learner != nil {
		c.learner.rest()
	}
	if c.pending != nil {
		c.pending.rest()
	}
	for i := range c.last {
		c.u[i], c.x[i], c.last[i] = 0, 1, -1
	}
}
