package layer

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"synfire/neuron"
	"synfire/tensor"
)

// Varied names options of a population's neurons that differ within it, from
// channel to channel (the last axis) or from unit to unit, such as
//
//	varied: {threshold: channel, beta: unit}
//
// The values of each are a buffer of the layer named like the option: arrays of
// the network that checkpoints hold and optimisers leave alone. They start at
// the option's value for all.
type Varied map[string]Grain

// Grain is what an option differs by.
type Grain uint8

const (
	PerChannel Grain = iota + 1 // "channel": a value for each element of the last axis
	PerUnit                     // "unit": a value for each unit
)

var grainNames = [...]string{"none", "channel", "unit"}

// String is the grain's name in configuration files.
func (g Grain) String() string {
	if int(g) < len(grainNames) {
		return grainNames[g]
	}
	return fmt.Sprintf("grain(%d)", g)
}

// MarshalText is String.
func (g Grain) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText reads channel and unit.
func (g *Grain) UnmarshalText(text []byte) error {
	if i := slices.Index(grainNames[:], string(text)); i > 0 {
		*g = Grain(i)
		return nil
	}
	return fmt.Errorf("varied by %q: want channel or unit; leave an option out that is the same for all", text)
}

// Varying is a layer of neurons whose options may differ within it.
type Varying interface {
	Population
	// Values are those of its units, for inputs of a shape, by the layer's buffers.
	Values(shape tensor.Shape, buffers []tensor.Tensor) neuron.Values
}

// check returns an error for options that the neuron does not have.
func (v Varied) check(n neuron.Neuron, shape tensor.Shape) error {
	if len(v) == 0 {
		return nil
	}
	of, ok := n.(neuron.Variable)
	if !ok {
		return fmt.Errorf("varied: the options of neuron %s are the same for all units; leave varied out", neuron.Kind(n))
	}
	var names []string
	for _, o := range of.Options() {
		names = append(names, o.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		switch g := v[name]; {
		case !slices.Contains(names, name):
			return fmt.Errorf("varied: %s is not an option of this neuron that may differ; it has %s", name, strings.Join(names, ", "))
		case g != PerChannel && g != PerUnit:
			return fmt.Errorf("varied: %s by %v, want channel or unit", name, g)
		case g == PerChannel && len(shape) == 0:
			return fmt.Errorf("varied: %s by channel, and the input is a scalar; give it by unit", name)
		}
	}
	return nil
}

// buffers are the arrays, in the order of the neuron's options.
func (v Varied) buffers(n neuron.Neuron, shape tensor.Shape) (specs []ParamSpec) {
	if len(v) == 0 {
		return nil
	}
	for _, o := range n.(neuron.Variable).Options() {
		switch v[o.Name] {
		case PerChannel:
			specs = append(specs, ParamSpec{Role: o.Name, Shape: tensor.Shape{channels(shape)}, Value: o.Value})
		case PerUnit:
			specs = append(specs, ParamSpec{Role: o.Name, Shape: shape, Value: o.Value})
		}
	}
	return specs
}

// values are the options of n's units by the buffers. What differs by channel is
// spread over the units, in the memory of spread.
func (v Varied) values(n neuron.Neuron, shape tensor.Shape, buffers []tensor.Tensor, spread *[]tensor.Float) (of [][]tensor.Float) {
	if len(v) == 0 {
		return nil
	}
	units, k := shape.Size(), 0
	*spread = tensor.Resize(*spread, len(buffers)*units)
	for _, o := range n.(neuron.Variable).Options() {
		if _, ok := v[o.Name]; !ok {
			of = append(of, nil)
			continue
		}
		values := buffers[k].Data
		if v[o.Name] == PerChannel {
			values = (*spread)[k*units:][:units]
			for i := 0; i < units; i += len(buffers[k].Data) {
				copy(values[i:], buffers[k].Data)
			}
		}
		of = append(of, values)
		k++
	}
	return of
}
