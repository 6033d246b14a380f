package nir

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"synfire/layer"
	"synfire/layer/temporal"
	"synfire/network"
	"synfire/neuron"
	"synfire/tensor"
)

// levels are the values of a parameter for each neuron, in the order of this project.
type levels []float64

// levels reads a parameter of a population: a number for each neuron, for each channel, or for all.
func (n *Node) levels(name string, in value) (levels, error) {
	p, err := n.param(name)
	if err != nil {
		return nil, err
	}
	units := 1
	for _, d := range in.shape {
		units *= d
	}
	channels := in.shape[0]
	perChannel := len(in.shape) > 1 && len(p.Data) == channels
	switch {
	case len(p.Data) == 1:
	case len(p.Data) == units && (slices.Equal(p.Shape, in.shape) || len(in.shape) == 1):
	case perChannel && len(p.Shape) == 1 && in.shape[len(in.shape)-1] == channels:
		return nil, fmt.Errorf("%s of shape %v could stand for the channels or the columns of %v; give it the shape of a neuron population", name, p.Shape, in.shape)
	case perChannel && (len(p.Shape) == 1 || len(p.Shape) == len(in.shape) && p.Shape[0] == channels):
	default:
		return nil, fmt.Errorf("%s of shape %v, want one number, one a channel, or one a neuron of %v", name, p.Shape, in.shape)
	}
	v := make(levels, units)
	for i := range v {
		at := i
		if in.order != nil {
			at = in.order[i]
		}
		switch len(p.Data) {
		case 1:
			at = 0
		case units:
		default:
			at /= units / channels
		}
		if v[i] = p.Data[at]; math.IsNaN(v[i]) || math.IsInf(v[i], 0) {
			return nil, fmt.Errorf("%s of neuron %d is %v, want a finite number", name, at, v[i])
		}
	}
	return v, nil
}

// optional is levels of a parameter that may be missing.
func (n *Node) optional(name string, in value, fallback float64) (levels, error) {
	if _, ok := n.Params[name]; ok {
		return n.levels(name, in)
	}
	v := make(levels, in.size())
	for i := range v {
		v[i] = fallback
	}
	return v, nil
}

func (v value) size() int { return tensor.Shape(v.shape).Size() }

// decays are what remains after a step of what decays with the given time constants.
func (l *lowering) decays(tau levels) (levels, error) {
	v := make(levels, len(tau))
	for i, t := range tau {
		if !(t > 0) {
			return nil, fmt.Errorf("a time constant is %v, want it positive", t)
		}
		if v[i] = l.decay(t); v[i] < 0 {
			return nil, fmt.Errorf("a step of %v is longer than the time constant %v, which Euler's method does not follow; use smaller steps or the exact method", l.o.DT, t)
		}
	}
	return v, nil
}

// decay is what remains after a step with one time constant.
func (l *lowering) decay(tau float64) float64 {
	if l.o.Method == Euler {
		return 1 - l.o.DT/tau
	}
	return math.Exp(-l.o.DT / tau)
}

// options are the options of a population as values for each neuron, by the names of this project.
type options map[string]levels

// varied is the neuron with the options that all units share, which of them differ, and the arrays
// of those. An option is a value for all, for each channel (the last axis), or for each unit.
func varied(n neuron.Variable, o options, shape tensor.Shape) (neuron.Neuron, layer.Varied, map[string]tensor.Tensor) {
	var values []float64
	var differ layer.Varied
	var arrays map[string]tensor.Tensor
	channels := shape[len(shape)-1]
	for _, opt := range n.Options() {
		v, ok := o[opt.Name]
		if !ok {
			values = append(values, opt.Value)
			continue
		}
		values = append(values, v[0])
		period := v.period(channels)
		if period == 1 {
			continue
		}
		if differ == nil {
			differ, arrays = layer.Varied{}, map[string]tensor.Tensor{}
		}
		at := func(i int) float64 { return v[i] }
		if period == channels && len(shape) > 1 {
			differ[opt.Name], arrays[opt.Name] = layer.PerChannel, tensorOf(channels, at, channels)
		} else {
			differ[opt.Name], arrays[opt.Name] = layer.PerUnit, tensorOf(len(v), at, shape...)
		}
	}
	return n.With(values), differ, arrays
}

// period is 1 where all values are equal, channels where they repeat with them, else their number.
func (v levels) period(channels int) int {
	for _, p := range []int{1, channels} {
		if repeats(v, p) {
			return p
		}
	}
	return len(v)
}

func repeats(v levels, p int) bool {
	for i := p; i < len(v); i++ {
		if v[i] != v[i-p] {
			return false
		}
	}
	return true
}

// population is a population's neuron with options for each unit.
func (l *lowering) population(n *Node, in value) (neuron.Variable, options, []string, error) {
	o, lost := options{}, []string{fmt.Sprintf("dt: %v", l.o.DT)}
	r, err := n.optional("r", in, 1)
	if err != nil {
		return nil, nil, nil, err
	}
	o["gain"] = r
	var of neuron.Variable
	switch n.Kind {
	case "IF", "I":
		for i := range r {
			r[i] *= l.o.DT
		}
		of = neuron.IF{Threshold: 1}
	case "LIF", "LI":
		of, err = l.leaky(n, in, o)
	default:
		of, err = l.synaptic(n, in, o)
		lost = append(lost, fmt.Sprintf("coupling: %v", l.coupling()))
	}
	if leak, ok := o["leak"]; ok && err == nil && !(leak.period(1) == 1 && leak[0] == 0) {
		lost = append(lost, "the voltage starts from 0, not from v_leak")
	}
	return of, o, lost, err
}

// leaky are the options of LIF and LI.
func (l *lowering) leaky(n *Node, in value, o options) (neuron.Variable, error) {
	tau, err := n.levels("tau", in)
	if err != nil {
		return nil, err
	}
	if o["beta"], err = l.decays(tau); err != nil {
		return nil, err
	}
	for i, b := range o["beta"] {
		o["gain"][i] *= 1 - b
	}
	o["leak"], err = n.optional("v_leak", in, 0)
	return neuron.LIF{Threshold: 1}, err
}

// synaptic are the options of CubaLIF and CubaLI: the gain of the current has the resistance too.
func (l *lowering) synaptic(n *Node, in value, o options) (neuron.Variable, error) {
	var tau [2]levels
	var err error
	for i, name := range []string{"tau_syn", "tau_mem"} {
		if tau[i], err = n.levels(name, in); err != nil {
			return nil, err
		}
	}
	if o["alpha"], err = l.decays(tau[0]); err != nil {
		return nil, err
	}
	if o["beta"], err = l.decays(tau[1]); err != nil {
		return nil, err
	}
	w, err := n.optional("w_in", in, 1)
	if err != nil {
		return nil, err
	}
	for i := range w {
		o["gain"][i] *= w[i] * (1 - o["alpha"][i]) * l.share(o["alpha"][i], o["beta"][i])
	}
	o["leak"], err = n.optional("v_leak", in, 0)
	return neuron.CuBaLIF{Alpha: 0.5, Beta: 0.5, Threshold: 1, Coupling: l.coupling()}, err
}

func (l *lowering) coupling() neuron.Coupling {
	if l.o.Coupling == nil {
		return neuron.Euler
	}
	return *l.o.Coupling
}

// share is the factor of a synapse's gain by which a constant input drives the membrane to the same
// level with each coupling.
func (l *lowering) share(alpha, beta float64) float64 {
	if l.coupling() == neuron.Euler {
		return 1
	}
	return (1 - beta) / neuron.CuBaLIF{Alpha: alpha, Beta: beta, Coupling: l.coupling()}.Kappa()
}

// neuron lowers LIF, IF and CubaLIF, with their recurrent weights where they have such.
func (l *lowering) neuron(n *Node, in value) error {
	of, o, lost, err := l.population(n, in)
	if err != nil {
		return err
	}
	if o["threshold"], err = n.levels("v_threshold", in); err != nil {
		return err
	}
	reset := *l.o.Reset
	if _, ok := n.Params["v_reset"]; ok && reset == neuron.Zero {
		if o["reset-value"], err = n.levels("v_reset", in); err != nil {
			return err
		}
	}
	switch m := of.(type) {
	case neuron.IF:
		m.Reset, m.Strict, m.Refractory, m.Floor = reset, l.o.Strict, l.o.Refractory, l.o.Floor
		of = m
	case neuron.LIF:
		m.Reset, m.Strict, m.Refractory, m.Floor = reset, l.o.Strict, l.o.Refractory, l.o.Floor
		of = m
	case neuron.CuBaLIF:
		if l.o.Floor != 0 {
			return fmt.Errorf("a floor of %v: neurons with a synapse have none here; read the file without", l.o.Floor)
		}
		m.Reset, m.Strict, m.Refractory = reset, l.o.Strict, l.o.Refractory
		of = m
	}
	lost = append(lost, fmt.Sprintf("reset: %v", reset), "surrogate")
	if l.o.Floor != 0 {
		lost = append(lost, fmt.Sprintf("floor: %v", l.o.Floor))
	}
	if l.o.Refractory > 0 {
		lost = append(lost, fmt.Sprintf("refractory: %d steps", l.o.Refractory))
	}
	return l.spikes(n, in, of, o, lost)
}

// spikes adds a layer of neurons.
func (l *lowering) spikes(n *Node, in value, of neuron.Variable, o options, lost []string) error {
	shape, _, err := channelsLast(in.shape)
	if err != nil {
		return err
	}
	if err := o.check(of); err != nil {
		return err
	}
	unit, differ, arrays := varied(of, o, shape)
	out := value{shape: in.shape, order: in.order}
	w := l.recurrent[n.Name]
	if w == nil {
		l.add(n, in, out, layer.Spiking{Neuron: unit, Surrogate: l.o.Surrogate, Varied: differ}, arrays, lost...)
		return nil
	}
	weight, err := l.recurrentWeight(n, w, in)
	if err != nil {
		return err
	}
	all := map[string]tensor.Tensor{"weight": weight}
	maps.Copy(all, arrays)
	lost = append(lost, "delay: its spikes act on itself in the step after theirs")
	l.add(n, in, out, layer.Recurrent{Neuron: unit, Surrogate: l.o.Surrogate, Varied: differ}, all, lost...)
	l.say(w, "")
	return nil
}

// check is an error for a unit whose options make no sense.
func (o options) check(of neuron.Variable) error {
	var values neuron.Values
	units := 0
	for _, opt := range of.Options() {
		v := o[opt.Name]
		var row []tensor.Float
		for _, x := range v {
			row = append(row, tensor.Float(x))
		}
		values.Of, units = append(values.Of, row), max(units, len(v))
	}
	return values.Check(of, units)
}

// recurrentWeight is the weight by which neurons see themselves; a bias goes to the map before them.
func (l *lowering) recurrentWeight(n, w *Node, in value) (tensor.Tensor, error) {
	fault := func(err error) (tensor.Tensor, error) {
		return tensor.Tensor{}, fmt.Errorf("recurrent weights %q: %w", w.Name, err)
	}
	p, err := w.weight(2)
	if err != nil {
		return fault(err)
	}
	units := in.size()
	if len(in.shape) != 1 || p.Shape[0] != units || p.Shape[1] != units {
		return fault(fmt.Errorf("weight of shape %v for a population of shape %v, want a vector of as many; put a Flatten before it", p.Shape, in.shape))
	}
	place := func(i int) int {
		if in.order != nil {
			return in.order[i]
		}
		return i
	}
	bias, err := w.bias(w.Kind == "Affine", units)
	if err != nil {
		return fault(err)
	}
	if bias != nil && slices.ContainsFunc(bias.Data, func(x tensor.Float) bool { return x != 0 }) {
		if err := l.addBias(n, in, func(i int) tensor.Float { return bias.Data[place(i)] }); err != nil {
			return fault(err)
		}
	}
	return tensorOf(units*units, func(i int) float64 {
		return p.Data[place(i%units)*units+place(i/units)]
	}, units, units), nil
}

// addBias adds a bias to the linear map that gives a node its input.
func (l *lowering) addBias(n *Node, in value, at func(i int) tensor.Float) error {
	i := slices.IndexFunc(l.g.Nodes, func(g network.GraphNode) bool { return g.Name == in.name })
	from := l.inputs(n)
	var linear layer.Linear
	ok := false
	if i >= 0 && len(from) == 1 {
		linear, ok = l.g.Nodes[i].Layer.(layer.Linear)
	}
	takers := 0
	for _, e := range l.file.Edges {
		if ok && e.From == from[0] {
			takers++
		}
	}
	if takers != 1 {
		return fmt.Errorf("its bias has no place: want one Linear or Affine before %q that gives to it alone; add the bias there", n.Name)
	}
	g := &l.g.Nodes[i]
	bias, has := g.Arrays["bias"]
	if !has {
		bias = tensor.New(linear.Out)
		linear.NoBias = false
		g.Layer, g.Arrays["bias"] = linear, bias
	}
	for k := range bias.Data {
		bias.Data[k] += at(k)
	}
	return nil
}

// threshold lowers Threshold: a neuron that forgets at once. It fires above its threshold.
func (l *lowering) threshold(n *Node, in value) error {
	v, err := n.levels("threshold", in)
	if err != nil {
		return err
	}
	forgets := neuron.LIF{Beta: 0, Threshold: 1, Reset: neuron.None, Strict: true}
	return l.spikes(n, in, forgets, options{"threshold": v}, []string{"surrogate"})
}

// integrator lowers LI, I and CubaLI: the same neurons without spikes.
func (l *lowering) integrator(n *Node, in value) error {
	of, o, lost, err := l.population(n, in)
	if err != nil {
		return err
	}
	switch m := of.(type) {
	case neuron.IF:
		m.Reset = neuron.None
		of = m
	case neuron.LIF:
		m.Reset = neuron.None
		of = m
	case neuron.CuBaLIF:
		m.Reset = neuron.None
		of = m
	}
	return l.membranes(n, in, of, o, lost)
}

// membranes adds a layer of neurons that are read by their voltages.
func (l *lowering) membranes(n *Node, in value, of neuron.Variable, o options, lost []string) error {
	shape, _, err := channelsLast(in.shape)
	if err == nil {
		err = o.check(of)
	}
	if err != nil {
		return err
	}
	unit, differ, arrays := varied(of, o, shape)
	out := value{shape: in.shape, order: in.order}
	if lif, ok := unit.(neuron.LIF); ok && n.Kind == "LI" && differ == nil && lif.Leak == 0 && tensor.Float(lif.Gain) == 1 {
		l.add(n, in, out, layer.Readout{Beta: lif.Beta}, nil, lost...)
		return nil
	}
	l.add(n, in, out, temporal.Integrator{Neuron: unit, Varied: differ}, arrays, lost...)
	return nil
}

// scale lowers Scale: an integrator that forgets at once.
func (l *lowering) scale(n *Node, in value) error {
	v, err := n.levels("scale", in)
	if err != nil {
		return err
	}
	return l.membranes(n, in, neuron.LIF{Beta: 0, Threshold: 1, Reset: neuron.None}, options{"gain": v}, nil)
}

// delay lowers Delay, in whole steps.
func (l *lowering) delay(n *Node, in value) error {
	v, err := n.levels("delay", in)
	if err != nil {
		return err
	}
	longest := 0
	for i, d := range v {
		steps := math.Round(d / l.o.DT)
		if math.Abs(d/l.o.DT-steps) > 1e-4 || steps < 0 || steps > math.MaxInt32 {
			return fmt.Errorf("a delay of %v is %v steps of %v, want a whole number of steps, not below 0; choose another DT", d, d/l.o.DT, l.o.DT)
		}
		v[i] = steps
		longest = max(longest, int(steps))
	}
	lost := fmt.Sprintf("dt: %v", l.o.DT)
	out := value{shape: in.shape, order: in.order}
	if longest == 0 { // nothing to do
		out.name = in.name
		l.values[n.Name] = out
		l.say(n, in.name, lost)
		return nil
	}
	shape, _, err := channelsLast(in.shape)
	if err != nil {
		return err
	}
	ly := temporal.Delay{Steps: longest, PerUnit: v.period(1) != 1}
	var arrays map[string]tensor.Tensor
	if ly.PerUnit {
		arrays = map[string]tensor.Tensor{"steps": tensorOf(len(v), func(i int) float64 { return v[i] }, shape...)}
	}
	if _, err := ly.Output(shape); err != nil {
		return err
	}
	l.add(n, in, out, ly, arrays, lost)
	return nil
}
