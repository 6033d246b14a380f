package energy

import (
	"context"
	"errors"
	"fmt"
	"unsafe"

	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/tensor"
)

// NeuroBench is what the harness of that name measures of a model (Yik et al., Nature
// Communications 16:1545, 2025), for a sample where there are samples. Pooling and
// normalisation have no operations, biases are none, and what is the same in each step counts in
// each: it counts what passes a layer of weights, not what a machine has to do.
type NeuroBench struct {
	Samples int `json:"samples"`
	Steps   int `json:"steps"`

	Footprint          int      `json:"footprint_bytes"`     // of parameters and buffers
	ConnectionSparsity *float64 `json:"connection_sparsity"` // share of weights that are 0; nil without weights
	ActivationSparsity *float64 `json:"activation_sparsity"` // share of what neurons and rectified units give that is 0, over steps; nil without units

	Dense         float64 `json:"dense"`          // synaptic operations, zeros included
	EffectiveMACs float64 `json:"effective_macs"` // those of weights and inputs that are not 0, where a layer's input has other numbers than 0, 1 and −1
	EffectiveACs  float64 `json:"effective_acs"`  // where it has not

	MembraneUpdates float64  `json:"membrane_updates"`        // membranes that a step changes; of the first step all
	NeuronOps       *float64 `json:"neuron_operations"`       // these times the operations of an update; nil: see Why
	NeuronOpsDense  *float64 `json:"neuron_operations_dense"` // of all membranes in all steps
	Why             string   `json:"why,omitempty"`           // why operations of neurons are not defined
}

// Measured are a network's operations over samples.
type Measured struct {
	NeuroBench
	Plan   *Plan
	Events Tally   // of all samples
	Layers []Layer // of weights
}

// Layer is a layer of weights, its operations for a sample.
type Layer struct {
	Name      string
	Dense     float64
	Effective float64 // inputs and weights that are not 0
}

// Measure runs samples through a network, step by step, and counts.
func Measure(ctx context.Context, net *network.Network, samples network.Calibration) (Measured, error) {
	m := &meter{net: net, pass: net.Compile(nil, false).NewPass(network.Options{}), state: net.NewState(1)}
	for in, err := range samples {
		if err == nil {
			err = m.run(ctx, in)
		}
		if err != nil {
			return Measured{}, fmt.Errorf("energy.Measure: %w", err)
		}
	}
	if m.samples == 0 {
		return Measured{}, errors.New("energy.Measure: there are no samples to count on")
	}
	return m.measured(), nil
}

// seen is what a signal is at a node in a step, of all samples.
type seen struct{ slots, zeros, dense, macs, acs int }

func (s *seen) add(o seen) {
	s.slots += o.slots
	s.zeros += o.zeros
	s.dense += o.dense
	s.macs += o.macs
	s.acs += o.acs
}

// meter counts.
type meter struct {
	net     *network.Network
	pass    *network.Pass
	state   *network.State
	count   *Counter
	takers  [][]int        // by node, and of the input behind them: the layers of weights that take it
	loops   [][]int32      // by node, of recurrent ones: weights that are not 0, by unit
	now     []seen         // by node, of this step; what is constant stays
	later   []seen         // by node, of recurrent ones: what their spikes do in the next step
	all     []seen         // by node, of all steps
	changed []int          // by node, of membranes
	row     []tensor.Float // of a signal
	samples int
	steps   int

	membranes [][]tensor.Float // by node, of the neurons after the last step
}

// start prepares for an input of a kind.
func (m *meter) start(kind signal.Kind) {
	m.count = NewCounter(m.net, kind)
	nodes := m.count.Plan.nodes
	n := len(nodes)
	m.takers, m.loops, m.changed, m.membranes = make([][]int, n+1), make([][]int32, n), make([]int, n), make([][]tensor.Float, n)
	m.now, m.later, m.all = make([]seen, n), make([]seen, n), make([]seen, n)
	at := map[string]int{network.Input: n}
	for i, nd := range nodes {
		at[nd.Name] = i
		if from := at[nd.Inputs[0]]; m.count.Plan.links[i] != nil {
			m.takers[from] = append(m.takers[from], i)
		}
		if _, ok := nd.Layer.(layer.Recurrent); ok {
			m.loops[i] = make([]int32, nd.Out.Size())
			for k, w := range nd.Params[0].Value.Data {
				if w != 0 {
					m.loops[i][k/nd.Out.Size()]++
				}
			}
		}
	}
	m.pass.Watch(m.saw)
}

// run counts a batch.
func (m *meter) run(ctx context.Context, in *signal.Signal) error {
	if m.count == nil {
		m.start(in.Kind)
	}
	m.state.Reset(m.net, in.B)
	m.samples, m.steps = m.samples+in.B, in.T
	clear(m.later)
	for t := range in.T {
		if err := ctx.Err(); err != nil {
			return err
		}
		step := in.Window(t, t+1)
		m.count.Input(&step)
		m.taken(len(m.now), &step)
		if _, err := m.pass.Forward(m.state, &step, false); err != nil {
			return err
		}
		if err := m.compare(t == 0); err != nil {
			return err
		}
		for i := range m.now {
			m.all[i].add(m.now[i])
		}
	}
	return nil
}

// saw is told what a node gave in a step.
func (m *meter) saw(node int, out *signal.Signal) {
	m.count.Saw(node, out)
	nd := m.count.Plan.nodes[node]
	if ordinary.Rectified(nd.Layer) || layer.Fires(nd.Layer) {
		slots := out.Rows() * out.Units()
		m.now[node].slots, m.now[node].zeros = slots, slots-nonzero(out)
	}
	if loops := m.loops[node]; loops != nil {
		n := out.Units()
		m.now[node].dense, m.now[node].acs = out.B*n*n, m.later[node].acs
		m.later[node].acs = m.operations(out, loops).acs
	}
	m.taken(node, out)
}

// taken counts what the layers of weights make of a signal of one step.
func (m *meter) taken(from int, s *signal.Signal) {
	for _, to := range m.takers[from] {
		c := m.count.Plan.links[to]
		m.now[to] = m.operations(s, c.linked)
		m.now[to].dense = s.B * c.dense
	}
}

// operations are those of what is not 0: additions of a sample's numbers where all are 0, 1 or −1.
func (m *meter) operations(s *signal.Signal, links []int32) (of seen) {
	m.row = tensor.Resize(m.row, s.Units())
	for r := range s.B {
		s.ReadRow(m.row, r)
		ops, binary := 0, true
		for i, v := range m.row {
			if v != 0 {
				ops += int(links[i])
				binary = binary && (v == 1 || v == -1)
			}
		}
		if binary {
			of.acs += ops
		} else {
			of.macs += ops
		}
	}
	return of
}

func nonzero(s *signal.Signal) (n int) {
	if s.Kind == signal.Spikes {
		return s.Raster.Count(0, s.Rows())
	}
	for _, v := range s.Data[:s.Rows()*s.Units()] {
		if v != 0 {
			n++
		}
	}
	return n
}

// compare counts the membranes that a step changed, of the first step all, and keeps them.
func (m *meter) compare(first bool) error {
	for i, nd := range m.count.Plan.nodes {
		if !layer.Fires(nd.Layer) {
			continue
		}
		state, err := m.state.Node(m.net, nd.Name)
		if err != nil {
			return err
		}
		n, size := nd.Out.Size(), len(state)/m.state.B
		m.membranes[i] = tensor.Resize(m.membranes[i], m.state.B*n)
		for b := range m.state.B {
			now, before := state[b*size:][:n], m.membranes[i][b*n:][:n] // membranes come first
			for k, v := range now {
				if first || v != before[k] {
					m.changed[i]++
				}
			}
			copy(before, now)
		}
	}
	return nil
}

// measured is the result.
func (m *meter) measured() Measured {
	out := Measured{Plan: m.count.Plan, Events: m.count.Tally}
	out.Samples, out.Steps = m.samples, m.steps
	for _, p := range append(m.net.Params(), m.net.Buffers()...) {
		out.Footprint += len(p.Value.Data) * int(unsafe.Sizeof(tensor.Float(0)))
	}
	n, weights, zeros := float64(m.samples), 0, 0
	var all seen
	for i, nd := range out.Plan.nodes {
		s := m.all[i]
		all.add(s)
		if out.Plan.links[i] == nil && m.loops[i] == nil {
			continue
		}
		out.Layers = append(out.Layers, Layer{nd.Name, float64(s.dense) / n, float64(s.macs+s.acs) / n})
		for _, w := range nd.Params[0].Value.Data {
			if weights++; w == 0 {
				zeros++
			}
		}
	}
	out.Dense, out.EffectiveMACs, out.EffectiveACs = float64(all.dense)/n, float64(all.macs)/n, float64(all.acs)/n
	out.ConnectionSparsity, out.ActivationSparsity = share(zeros, weights), share(all.zeros, all.slots)
	m.neurons(&out.NeuroBench)
	return out
}

// neurons are the operations of neurons.
func (m *meter) neurons(out *NeuroBench) {
	ops, dense, changed := 0, 0, 0
	for i, nd := range m.count.Plan.nodes {
		l, ok := nd.Layer.(layer.Population)
		if !ok {
			continue
		}
		k, why := operationsOf(l)
		if why != "" {
			out.Why = nd.Name + ": " + why
		}
		changed += m.changed[i]
		ops += k * m.changed[i]
		dense += k * nd.Out.Size() * m.steps
	}
	n := float64(m.samples)
	out.MembraneUpdates = float64(changed) / n
	if out.Why == "" {
		effective, all := float64(ops)/n, float64(dense)
		out.NeuronOps, out.NeuronOpsDense = &effective, &all
	}
}

func share(part, all int) *float64 {
	if all == 0 {
		return nil
	}
	v := float64(part) / float64(all)
	return &v
}

// operationsOf is how many operations the harness counts for an update of a membrane: its
// table has a neuron of one membrane (Leaky) and one of a current and a membrane
// (Synaptic), which reset by subtraction or to zero.
func operationsOf(l layer.Population) (n int, why string) {
	n = 4
	model, _ := l.Neurons()
	reset := neuron.Subtract
	switch of := model.(type) {
	case neuron.IF:
		reset = of.Reset
	case neuron.LIF:
		reset = of.Reset
	case neuron.CuBaLIF:
		if n, reset = 6, of.Reset; reset == neuron.Zero {
			n = 8
		}
	default:
		return 0, fmt.Sprintf("NeuroBench has no number of operations for a neuron %T", model)
	}
	if reset != neuron.Subtract && reset != neuron.Zero {
		return 0, fmt.Sprintf("NeuroBench has no number of operations for a neuron that resets by %v", reset)
	}
	return n, ""
}
