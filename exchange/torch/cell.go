package torch

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"

	"synfire/layer"
	"synfire/layer/temporal"
	"synfire/network"
	"synfire/neuron"
	"synfire/sample"
	"synfire/tensor"
)

// cell is where a neuron is converted: its module in the file, and the population here.
type cell struct {
	file   *File
	module string
	fires  bool // as the layer here does
	shape  tensor.Shape
	order  []int // of the units
	notes  []string
	varied layer.Varied
	arrays map[string]tensor.Tensor
	least  map[string]float64 // of the numbers that were read
}

func (c *cell) note(text string) { c.notes = append(c.notes, text) }

// neuron gives the layer of node i the neuron that it has there.
func (l *loading) neuron(i int, nd *network.GraphNode, r *Loaded) error {
	module, named := l.names.Names[nd.Name]
	of, given := l.names.Neurons[nd.Name]
	population := isPopulation(nd.Layer)
	switch {
	case given && !population:
		return errors.New("a neuron is given for it, and it has none; name a layer spiking, recurrent, parametric-spiking, integrator or readout")
	case !population:
		return nil
	case !given && named && l.file.has(join(module, "reset_mechanism_val")):
		if l.file.has(join(module, "alpha")) {
			of = Neurons()["Synaptic"]().(Neuron)
			r.Notes = append(r.Notes, "assumed: Synaptic, by its arrays; those of Alpha, which is not known here, are the same")
		} else {
			of = Neurons()["Leaky"]().(Neuron)
			r.Notes = append(r.Notes, "the kind is known by its arrays")
		}
	case !given:
		if r.Kind == "" {
			r.Kind = "–"
		}
		r.Notes = append(r.Notes, "the neuron is that of the network's description: no other is given")
		if named && len(nd.Arrays) == 0 && !l.file.hasModule(module) {
			r.Notes = append(r.Notes, "the file has no arrays of this module")
		}
		return nil
	}
	c := &cell{file: l.file, module: module, fires: fires(nd.Layer), shape: l.infos[i].Out, order: l.orders[i], varied: layer.Varied{}, arrays: map[string]tensor.Tensor{}, least: map[string]float64{}}
	n, err := of.convert(c)
	if err == nil {
		err = n.Validate()
	}
	kind := reflect.Indirect(reflect.ValueOf(of)).Type().Name()
	if err == nil {
		err = c.put(nd, n)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	if r.Kind == "" {
		r.Kind = kind
	} else {
		r.Kind += ", " + kind
	}
	r.Notes = append(r.Notes, c.notes...)
	return nil
}

func isPopulation(ly layer.Layer) bool {
	switch ly.(type) {
	case layer.Spiking, layer.Recurrent, layer.ParametricSpiking, layer.Readout, temporal.Integrator:
		return true
	}
	return false
}

// fires reports whether a population is read by its spikes.
func fires(ly layer.Layer) bool {
	switch ly.(type) {
	case layer.Readout, temporal.Integrator:
		return false
	}
	return true
}

// put gives a layer its neuron.
func (c *cell) put(nd *network.GraphNode, n neuron.Neuron) error {
	if nd.Arrays == nil {
		nd.Arrays = map[string]tensor.Tensor{}
	}
	for role, a := range c.arrays {
		nd.Arrays[role] = a
	}
	switch ly := nd.Layer.(type) {
	case layer.Spiking:
		ly.Neuron, ly.Varied = n, c.varied
		nd.Layer = ly
	case layer.Recurrent:
		ly.Neuron, ly.Varied = n, c.varied
		nd.Layer = ly
	case temporal.Integrator:
		ly.Neuron, ly.Varied = n, c.varied
		nd.Layer = ly
	case layer.Readout:
		lif, ok := n.(neuron.LIF)
		if !ok || lif.Reset != neuron.None || lif.DecayInput || len(c.varied) > 0 {
			return errors.New("a readout is a membrane with one beta that nothing resets; make the layer spiking, or an integrator")
		}
		ly.Beta = lif.Beta
		nd.Layer = ly
	case layer.ParametricSpiking:
		lif, ok := n.(neuron.LIF)
		if !ok || lif.Strict || lif.ResetValue != 0 || len(c.varied) > 0 {
			return errors.New("parametric-spiking is SpikingJelly's ParametricLIFNode; make the layer spiking")
		}
		ly.Beta, ly.Threshold, ly.Reset, ly.DecayInput = lif.Beta, lif.Threshold, lif.Reset, lif.DecayInput
		nd.Layer = ly
	}
	return nil
}

// number is an option of the neuron: that of the file, or as it is given; role is the option here,
// empty where units may not differ in it.
func (c *cell) number(name string, given *float64, role string, fallback float64) (float64, error) {
	return c.read(name, given, role, &fallback, func(v float64) float64 { return v })
}

// decay is number of a decay, which is clamped there.
func (c *cell) decay(name string, given *float64) (float64, error) {
	clamped := false
	v, err := c.read(name, given, name, nil, func(v float64) float64 {
		clamped = clamped || v < 0 || v > 1
		return min(max(v, 0), 1)
	})
	if clamped {
		c.note(name + " is clamped to [0, 1], as snnTorch does it")
	}
	return v, err
}

func (c *cell) read(name string, given *float64, role string, fallback *float64, as func(float64) float64) (float64, error) {
	full := join(c.module, name)
	if !c.file.has(full) {
		switch {
		case role == "":
			return 0, fmt.Errorf("the file has no %s; say under names what the module is called", sample.Printable(full))
		case given == nil && fallback == nil:
			return 0, fmt.Errorf("the file has no %s; give it under neurons, or the module under names", sample.Printable(full))
		case given == nil:
			c.note(fmt.Sprintf("assumed: %s %v", name, *fallback))
			given = fallback
		}
		c.least[name] = as(*given)
		return as(*given), nil
	}
	values, err := c.file.floats(full)
	if err != nil {
		return 0, err
	}
	for i, v := range values {
		values[i] = tensor.Float(as(float64(v)))
	}
	if len(values) == 0 {
		return 0, fmt.Errorf("%s is empty", sample.Printable(full))
	}
	first := shortest(values[0])
	c.least[name] = float64(slices.Min(values))
	if given != nil && (len(values) > 1 || shortest(tensor.Float(as(*given))) != first) {
		return 0, fmt.Errorf("%s is %v under neurons and %v in the file; leave it out", name, *given, first)
	}
	if slices.ContainsFunc(values, func(v tensor.Float) bool { return v != values[0] }) || len(values) > 1 && role == "" {
		return first, c.vary(full, role, values)
	}
	return first, nil
}

// vary makes an option an array of the layer: of the file's [c, 1, 1] a value a channel, of [n] or
// [c, h, w] one a unit.
func (c *cell) vary(full, role string, values []tensor.Float) error {
	shape := c.file.places[full].Shape
	for len(shape) > len(c.shape) && shape[0] == 1 { // the batch
		shape = shape[1:]
	}
	s := slot{role: role, shape: slices.Clone(c.shape), axes: []int{0}, places: [][]int{c.order}}
	grain := layer.PerUnit
	if len(c.shape) == 3 {
		s.axes, s.places = []int{1, 2, 0}, make([][]int, 3)
		if slices.Equal(shape, []int{c.shape[2], 1, 1}) {
			s.shape, s.axes, s.places, grain = tensor.Shape{c.shape[2]}, []int{0}, make([][]int, 1), layer.PerChannel
			shape = shape[:1]
		}
	}
	if role == "" || !slices.Equal(shape, s.there()) {
		return fmt.Errorf("%s is %v in the file, for neurons %v here; want one number, one a channel [c, 1, 1] or one a neuron", sample.Printable(full), c.file.places[full].Shape, c.shape)
	}
	if role == "threshold" && slices.Min(values) <= 0 {
		return fmt.Errorf("%s has %v among its values, want positive ones; did training diverge?", sample.Printable(full), shortest(slices.Min(values)))
	}
	c.varied[role] = grain
	c.arrays[role] = tensor.Tensor{Shape: s.shape, Data: s.arrange(values)}
	c.note(fmt.Sprintf("%s by %v", role, grain))
	return nil
}

// resetMechanisms are by snnTorch's reset_mechanism_val.
var resetMechanisms = []string{"subtract", "zero", "none"}

// reset is what snnTorch's reset_mechanism says, or the file by reset_mechanism_val.
func (c *cell) reset(given string) (neuron.Reset, error) {
	if err := c.ungraded(); err != nil {
		return 0, err
	}
	full := join(c.module, "reset_mechanism_val")
	if c.file.has(full) {
		values, err := c.file.floats(full)
		if err != nil {
			return 0, err
		}
		if len(values) != 1 || !slices.Contains([]tensor.Float{0, 1, 2}, values[0]) {
			return 0, fmt.Errorf("%s is %v, want 0, 1 or 2", sample.Printable(full), values)
		}
		found := resetMechanisms[int(values[0])]
		if given != "" && given != found {
			return 0, fmt.Errorf("reset_mechanism is %s under neurons and %s in the file; leave it out", sample.Printable(given), found)
		}
		given = found
	}
	if given == "" {
		given = resetMechanisms[0]
		c.note("assumed: reset_mechanism subtract")
	}
	var r neuron.Reset
	return r, r.UnmarshalText([]byte(given))
}

// ungraded returns an error where spikes are not 1.
func (c *cell) ungraded() error {
	full := join(c.module, "graded_spikes_factor")
	if !c.file.has(full) {
		return nil
	}
	values, err := c.file.floats(full)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(values, func(v tensor.Float) bool { return v != 1 }) {
		return fmt.Errorf("%s is %v: spikes are 1 here; multiply the weights behind it instead", sample.Printable(full), values[0])
	}
	return nil
}

// shortest is the number that a person would have written: of one that single precision holds, as
// those of files mostly are, the shortest that it rounds so.
func shortest(v tensor.Float) float64 {
	bits := 64
	if tensor.Float(float32(v)) == v {
		bits = 32
	}
	f, err := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, bits), 64)
	if err != nil {
		return math.NaN()
	}
	return f
}
