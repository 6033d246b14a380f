package nir

import (
	"fmt"
	"math"
	"slices"

	"synfire/layer"
	"synfire/neuron"
	"synfire/tensor"
)

// spikes raises a population that fires.
func (r *raising) spikes(n raiseNode, kind string, of neuron.Neuron, varied layer.Varied) error {
	if lif, ok := of.(neuron.LIF); ok && len(varied) == 0 && forgets(lif) {
		theta := levels(slices.Repeat([]float64{lif.Threshold}, sizeOf(n.in.shape)))
		r.add(n, kind, "Threshold", map[string]Param{"threshold": n.in.param(theta.rounded())}, n.in.shape, n.in.order, "surrogate")
		return nil
	}
	return r.population(n, kind, of, varied, r.firing)
}

// forgets reports whether a neuron is a Threshold.
func forgets(n neuron.LIF) bool {
	return n.Beta == 0 && n.Strict && n.Reset == neuron.None && n.Refractory == 0 && n.Floor == 0 && n.Leak == 0 && inputGain(n, n.Gain, 0) == 1
}

// raisePopulation makes the kind of a node and its parameters of a neuron and its options.
type raisePopulation func(n raiseNode, of neuron.Neuron, o options) (kind string, params map[string]Param, lost []string, err error)

// population raises a layer of neurons.
func (r *raising) population(n raiseNode, layer string, of neuron.Neuron, varied layer.Varied, raise raisePopulation) error {
	variable, ok := of.(neuron.Variable)
	if !ok {
		return fmt.Errorf("neuron %s has no counterpart in NIR; take if, lif or cuba-lif", neuron.Kind(of))
	}
	kind, params, lost, err := raise(n, of, optionsOf(variable, varied, n))
	if err != nil {
		return err
	}
	r.add(n, layer, kind, params, n.in.shape, n.in.order, lost...)
	return nil
}

// optionsOf are the options of each unit.
func optionsOf(of neuron.Variable, varied layer.Varied, n raiseNode) options {
	o := options{}
	for _, opt := range of.Options() {
		v := make(levels, sizeOf(n.in.shape))
		for i := range v {
			if v[i] = opt.Value; varied[opt.Name] != 0 {
				a := n.Arrays[opt.Name].Data
				v[i] = float64(a[i%len(a)])
			}
		}
		o[opt.Name] = v
	}
	return o
}

// param is a parameter for each neuron, in the order of the file.
func (v raised) param(of levels) Param {
	p := Param{Shape: v.shape, Data: make([]float64, len(of))}
	for i, x := range of {
		p.Data[v.place(i)] = x
	}
	return p
}

// rounded are levels as the engine has them.
func (v levels) rounded() levels {
	r := make(levels, len(v))
	for i, x := range v {
		r[i] = float64(tensor.Float(x))
	}
	return r
}

// firing raises a neuron's parameters with its threshold, and takes up what the file does not say.
func (r *raising) firing(n raiseNode, of neuron.Neuron, o options) (string, map[string]Param, []string, error) {
	kind, params, lost, err := r.equation(n, of, o, map[string]string{"IF": "IF", "LIF": "LIF", "CubaLIF": "CubaLIF"})
	if err != nil {
		return "", nil, nil, err
	}
	var reset neuron.Reset
	var strict bool
	var pause int
	var floor float64
	switch m := of.(type) {
	case neuron.IF:
		reset, strict, pause, floor = m.Reset, m.Strict, m.Refractory, m.Floor
		if m.Amount > 0 && m.Amount != m.Threshold {
			return "", nil, nil, fmt.Errorf("a reset by %v at the threshold %v, where a file has one number for both; a network that convert made has none with --start 0", m.Amount, m.Threshold)
		}
	case neuron.LIF:
		reset, strict, pause, floor = m.Reset, m.Strict, m.Refractory, m.Floor
		if m.Delayed {
			return "", nil, nil, fmt.Errorf("a reset that acts a step late (delayed) is none that a file is read with; take delayed out")
		}
		if m.ResetGradient {
			lost = append(lost, "reset-gradient")
		}
	case neuron.CuBaLIF:
		reset, strict, pause = m.Reset, m.Strict, m.Refractory
	}
	if err := r.agree(n.Name, reset, strict, pause, floor); err != nil {
		return "", nil, nil, err
	}
	params["v_threshold"] = n.in.param(o["threshold"].rounded())
	if v := o["reset-value"]; reset == neuron.Zero && !(v.period(1) == 1 && v[0] == 0) {
		params["v_reset"] = n.in.param(v.rounded())
	}
	lost = append(lost, fmt.Sprintf("reset: %v", reset), "surrogate")
	if strict {
		lost = append(lost, "strict: above the threshold only")
	}
	if floor != 0 {
		lost = append(lost, fmt.Sprintf("floor: %v", floor))
	}
	if pause > 0 {
		lost = append(lost, fmt.Sprintf("refractory: %d steps", pause))
	}
	return kind, params, lost, nil
}

// agree is an error for neurons that differ in what a file is read with for all.
func (r *raising) agree(name string, reset neuron.Reset, strict bool, pause int, floor float64) error {
	if r.o.Reset == nil {
		r.set, r.o.Reset, r.o.Strict, r.o.Refractory, r.o.Floor = name, &reset, strict, pause, floor
	}
	if *r.o.Reset != reset || r.o.Strict != strict || r.o.Refractory != pause || r.o.Floor != floor {
		return fmt.Errorf("reset %v, strict %v, refractory %d, floor %v, where node %q has reset %v, strict %v, refractory %d, floor %v: a file says none of it, and is read with one of each for all neurons; make them equal",
			reset, strict, pause, floor, r.set, *r.o.Reset, r.o.Strict, r.o.Refractory, r.o.Floor)
	}
	return nil
}

// integrator raises neurons that do not fire.
func (r *raising) integrator(n raiseNode, of neuron.Neuron, o options) (string, map[string]Param, []string, error) {
	if lif, ok := of.(neuron.LIF); ok && o["beta"].period(1) == 1 && lif.Beta == 0 && lif.Leak == 0 && o["leak"].period(1) == 1 {
		return "Scale", map[string]Param{"scale": n.in.param(decayed(lif, o))}, nil, nil
	}
	return r.equation(n, of, o, map[string]string{"IF": "I", "LIF": "LI", "CubaLIF": "CubaLI"})
}

// equation finds the parameters of the differential equation that Lower makes the same steps of.
func (r *raising) equation(n raiseNode, of neuron.Neuron, o options, kinds map[string]string) (string, map[string]Param, []string, error) {
	lost := []string{fmt.Sprintf("dt: %v", r.o.DT)}
	f := &fitting{l: lowering{o: r.o}, in: n.in, params: map[string]Param{}}
	kind := "LIF"
	switch m := of.(type) {
	case neuron.IF:
		kind = "IF"
		f.integrating(o)
	case neuron.LIF:
		if o["beta"].period(1) == 1 && m.Beta == 1 {
			kind = "IF"
			f.integrating(options{"gain": decayed(m, o)})
			break
		}
		f.leaky(m, o)
	case neuron.CuBaLIF:
		kind = "CubaLIF"
		if m.Delay {
			return "", nil, nil, fmt.Errorf("a synapse whose current acts a step late (delay) is none that a file is read with; put a delay of 1 step before it instead")
		}
		if err := r.agreeCoupling(n.Name, m.Coupling); err != nil {
			return "", nil, nil, err
		}
		f.l.o.Coupling = r.o.Coupling
		f.synaptic(m, o)
		lost = append(lost, fmt.Sprintf("coupling: %v", m.Coupling))
	default:
		return "", nil, nil, fmt.Errorf("neuron %s has no counterpart in NIR; take if, lif or cuba-lif", neuron.Kind(of))
	}
	if leak, ok := o["leak"]; ok && !(leak.period(1) == 1 && leak[0] == 0) {
		lost = append(lost, "the voltage starts from 0, not from v_leak")
	}
	return kinds[kind], f.params, lost, f.err
}

func (r *raising) agreeCoupling(name string, c neuron.Coupling) error {
	if r.o.Coupling == nil {
		r.coupled, r.o.Coupling = name, &c
	}
	if *r.o.Coupling != c {
		return fmt.Errorf("coupling %v, where node %q has %v: a file does not say it, and is read with one for all synapses; make them equal", c, r.coupled, *r.o.Coupling)
	}
	return nil
}

// fitting finds parameters that Lower reads back to the same bits.
type fitting struct {
	l       lowering // its options
	in      raised
	precise bool // time constants come as close as they can: other parameters' rounding depends on them
	params  map[string]Param
	err     error
}

// inputGain is the factor of the input of a unit as the engine has it.
func inputGain(n neuron.LIF, gain, beta float64) tensor.Float {
	if gain == 0 {
		gain = 1
	}
	if n.DecayInput {
		gain *= 1 - beta
	}
	return tensor.Float(gain)
}

// decayed are the factors of the inputs of units.
func decayed(n neuron.LIF, o options) levels {
	v := make(levels, len(o["gain"]))
	for i, g := range o["gain"] {
		v[i] = float64(inputGain(n, g, o["beta"][i]))
	}
	return v
}

// fit is a value near the guess with which ok holds, in single precision where there is one.
func (f *fitting) fit(guess float64, ok func(float64) bool) (float64, bool) {
	short := float32(guess)
	for _, v := range []float32{short, math.Nextafter32(short, math.MaxFloat32), math.Nextafter32(short, -math.MaxFloat32)} {
		if !f.precise && ok(float64(v)) {
			return float64(v), true
		}
	}
	up, down := guess, guess
	for range 64 {
		if ok(up) {
			return up, true
		}
		if ok(down) {
			return down, true
		}
		up, down = math.Nextafter(up, math.MaxFloat64), math.Nextafter(down, -math.MaxFloat64)
	}
	return guess, false
}

// each fits a parameter of each unit; units alike get the same.
func (f *fitting) each(name string, units int, guess func(i int) float64, ok func(i int, v float64) bool) levels {
	v := make(levels, units)
	for i := range v {
		if i > 0 && ok(i, v[i-1]) && guess(i) == guess(i-1) {
			v[i] = v[i-1]
			continue
		}
		var found bool
		v[i], found = f.fit(guess(i), func(x float64) bool { return ok(i, x) })
		if !found && f.err == nil {
			f.err = fmt.Errorf("unit %d: no %s gives it back bit for bit, the nearest is %v; give other options to its neuron", i, name, v[i])
		}
	}
	f.params[name] = f.in.param(v)
	return v
}

// decay is what remains after a step with a time constant, as it is where the decays of units differ
// (they are an array then, in the engine's precision) or do not.
func (f *fitting) decay(tau float64, differ bool) float64 {
	b := f.l.decay(tau)
	if differ {
		b = float64(tensor.Float(b))
	}
	return b
}

// times fits time constants to decays, alike where these are: only then are they no array.
func (f *fitting) times(name string, decay levels, ok func(i int, b float64) bool) levels {
	differ := decay.period(1) != 1
	v := f.each(name, len(decay), func(i int) float64 { return f.time(decay[i]) }, func(i int, tau float64) bool {
		b := f.decay(tau, differ)
		return tensor.Float(b) == tensor.Float(decay[i]) && ok(i, b)
	})
	if !differ && v.period(1) != 1 && f.err == nil {
		f.err = fmt.Errorf("no one %s gives all its units back bit for bit; give other options to its neuron", name)
	}
	return v
}

// time is a time constant with which a decay remains after a step.
func (f *fitting) time(decay float64) float64 {
	switch {
	case f.l.o.Method == Euler:
		return f.l.o.DT / (1 - decay)
	case decay == 0:
		return f.l.o.DT / 1000 // exp(−1000) is 0 here
	}
	return -f.l.o.DT / math.Log(decay)
}

// decays checks that decays lie in [0, 1).
func (f *fitting) decays(option string, v levels) bool {
	for i, b := range v {
		if !(b < 1) {
			f.err = fmt.Errorf("%s of unit %d is %v among others, want it below 1: it would have no time constant; put units without a leak into a node of their own", option, i, b)
			return false
		}
	}
	return true
}

// integrating fits an IF.
func (f *fitting) integrating(o options) {
	f.each("r", len(o["gain"]), func(i int) float64 { return o["gain"][i] / f.l.o.DT }, func(i int, r float64) bool {
		return tensor.Float(r*f.l.o.DT) == tensor.Float(o["gain"][i])
	})
}

// leaky fits a LIF.
func (f *fitting) leaky(n neuron.LIF, o options) {
	beta, leak, units := o["beta"], o["leak"], len(o["beta"])
	if !f.decays("beta", beta) {
		return
	}
	f.precise = leak.period(1) != 1
	tau := f.times("tau", beta, func(i int, b float64) bool {
		return tensor.Float((1-b)*leak[i]) == tensor.Float((1-beta[i])*leak[i])
	})
	f.precise = false
	gain := func(i int) tensor.Float { return inputGain(n, o["gain"][i], beta[i]) }
	f.each("r", units, func(i int) float64 { return float64(gain(i)) / (1 - f.l.decay(tau[i])) }, func(i int, r float64) bool {
		return tensor.Float(r*(1-f.l.decay(tau[i]))) == gain(i)
	})
	f.params["v_leak"] = f.in.param(leak)
}

// synaptic fits a CubaLIF: w_in has the gain, r is 1.
func (f *fitting) synaptic(n neuron.CuBaLIF, o options) {
	alpha, beta, leak, units := o["alpha"], o["beta"], o["leak"], len(o["beta"])
	if !f.decays("alpha", alpha) || !f.decays("beta", beta) {
		return
	}
	f.precise = leak.period(1) != 1 || n.Coupling == neuron.Exact
	syn := f.times("tau_syn", alpha, func(int, float64) bool { return true })
	kappa := func(alpha, beta float64) tensor.Float {
		n.Alpha, n.Beta = alpha, beta
		return tensor.Float(n.Kappa())
	}
	differ := alpha.period(1) != 1
	mem := f.times("tau_mem", beta, func(i int, b float64) bool {
		return tensor.Float((1-b)*leak[i]) == tensor.Float((1-beta[i])*leak[i]) && kappa(f.decay(syn[i], differ), b) == kappa(alpha[i], beta[i])
	})
	f.precise = false
	factor := func(i int) float64 {
		a := f.l.decay(syn[i])
		return (1 - a) * f.l.share(a, f.l.decay(mem[i]))
	}
	f.each("w_in", units, func(i int) float64 { return o["gain"][i] / factor(i) }, func(i int, w float64) bool {
		return tensor.Float(w*factor(i)) == tensor.Float(o["gain"][i])
	})
	f.params["r"] = f.in.param(levels(slices.Repeat([]float64{1}, units)))
	f.params["v_leak"] = f.in.param(leak)
}

// recurrent raises a recurrent: its neurons, and a Linear from them to themselves.
func (r *raising) recurrent(n raiseNode, l layer.Recurrent) error {
	if err := r.spikes(n, "recurrent", l.Neuron, l.Varied); err != nil {
		return err
	}
	name, units := r.values[n.Name].from[0], sizeOf(n.in.shape)
	if r.g.Nodes[len(r.g.Nodes)-1].Kind == "Threshold" {
		return fmt.Errorf("neurons without a memory that see themselves: a cycle through a Threshold is not read back; give them a beta above 0")
	}
	weights := r.free(name + "_recurrent")
	r.put(weights, "Linear", raised{from: []string{name}}, map[string]Param{"weight": n.in.matrix(n.Arrays["weight"], n.in.place, units, units)})
	r.g.Edges = append(r.g.Edges, Edge{weights, name})
	last := &r.report[len(r.report)-1]
	last.Lost = append(last.Lost, "delay: its spikes act on itself in the step after theirs")
	return nil
}
