package docs

import (
	"fmt"

	"synfire/encode"
	"synfire/internal/rng"
	"synfire/neuron"
	"synfire/report/figure"
	"synfire/sample"
	"synfire/signal"
	"synfire/surrogate"
	"synfire/tensor"
)

// Figures are the pictures of concepts.md by file name, drawn from what the
// packages compute.
func Figures() (map[string][]byte, error) {
	files := map[string][]byte{}
	for name, draw := range map[string]func() (figure.Figure, error){
		"membranes.svg": membranes, "surrogates.svg": surrogates, "steps.svg": steps, "codes.svg": codes,
	} {
		fig, err := draw()
		if err != nil {
			return nil, fmt.Errorf("draw %s: %w", name, err)
		}
		files[name] = fig.SVG()
	}
	return files, nil
}

// fire runs one unit from rest on a constant input.
func fire(n neuron.Neuron, input float64, steps int) (v []float64, spikes []int) {
	u, bits := make([]tensor.Float, steps), make([]uint64, steps)
	n.Forward(neuron.Window{
		Steps: steps, Units: 1, Input: neuron.Strided{Data: []tensor.Float{tensor.Float(input)}}, State: make([]tensor.Float, n.States()),
		Membrane: neuron.Strided{Data: u, Stride: 1}, Spikes: neuron.Bits{Data: bits, Stride: 1},
	})
	for t := range steps {
		v = append(v, float64(u[t]))
		if bits[t]&1 != 0 {
			spikes = append(spikes, t)
		}
	}
	return v, spikes
}

// membranes shows what leak and reset do to the same input.
func membranes() (figure.Figure, error) {
	var traces []figure.Trace
	for _, k := range []struct {
		name string
		n    neuron.Neuron
	}{
		{"no leak, reset by subtraction", neuron.IF{Threshold: 1}},
		{"leak β = 0.9, reset by subtraction", neuron.LIF{Beta: 0.9, Threshold: 1}},
		{"leak β = 0.9, reset to zero", neuron.LIF{Beta: 0.9, Threshold: 1, Reset: neuron.Zero}},
		{"leak β = 0.7: the input never reaches the threshold", neuron.LIF{Beta: 0.7, Threshold: 1}},
	} {
		v, spikes := fire(k.n, 0.28, 40)
		traces = append(traces, figure.Trace{Name: k.name, V: v, Threshold: 1, Spikes: spikes})
	}
	return figure.Membrane("One input of 0.28 a step, four neurons", traces)
}

// surrogates shows the derivatives that stand in for that of the step, and the
// soft spikes that they are the derivatives of.
func surrogates() (figure.Figure, error) {
	derivative, soft := figure.Panel{Name: "derivative σ′"}, figure.Panel{Name: "soft spike σ"}
	for _, k := range []struct {
		name string
		s    surrogate.Surrogate
	}{
		{"fast sigmoid, slope 5", surrogate.FastSigmoid{Slope: 5}},
		{"arctan, α 2", surrogate.ArcTan{Alpha: 2}},
		{"triangle", surrogate.Triangle{Height: 1, Width: 1}},
		{"rectangle", surrogate.Rectangle{Height: 1, Width: 0.5}},
	} {
		var x, d, p []float64
		for z := -1.5; z <= 1.5; z += 1.0 / 64 {
			x = append(x, z)
			d = append(d, float64(k.s.Derivative(tensor.Float(z))))
			p = append(p, float64(k.s.Primitive(tensor.Float(z))))
		}
		derivative.Series = append(derivative.Series, figure.Series{Name: k.name, X: x, Y: d})
		soft.Series = append(soft.Series, figure.Series{Name: k.name, X: x, Y: p})
	}
	return figure.Curves("Surrogates", "membrane less threshold", derivative, soft)
}

// steps shows how finely a count of spikes tells inputs apart.
func steps() (figure.Figure, error) {
	panel := figure.Panel{Name: "spikes a step"}
	for _, t := range []int{4, 16, 64} {
		var x, rate []float64
		for i := 0; i <= 120; i++ {
			input := float64(i) / 100
			_, spikes := fire(neuron.IF{Threshold: 1}, input, t)
			x, rate = append(x, input), append(rate, float64(len(spikes))/float64(t))
		}
		panel.Series = append(panel.Series, figure.Series{Name: fmt.Sprintf("T = %d", t), X: x, Y: rate})
	}
	return figure.Curves("The rate of an integrate-and-fire neuron", "input a step", panel)
}

// codes shows the same eight values as spikes of different codes.
func codes() (figure.Figure, error) {
	const values, window = 8, 32
	x := make([]tensor.Float, values)
	for i := range x {
		x[i] = tensor.Float(i+1) / values
	}
	in := &sample.Batch{Spec: &sample.Spec{Shape: tensor.Shape{values}}, Index: []int{0}, X: x}
	var layers []figure.Layer
	for _, k := range []struct {
		name string
		e    encode.Encoder
	}{{"Poisson: brighter fires more often", encode.Poisson{Scale: 1}}, {"latency: brighter fires earlier, once", encode.Latency{Span: window}}, {"phase: the bits of the value, again and again", encode.Phase{Bits: 8}}} {
		var s, dense signal.Signal
		k.e.Encode(&s, in, []rng.Key{rng.New(1, "docs")}, encode.Window{T1: window, Steps: window})
		s.Densify(&dense)
		layer := figure.Layer{Name: k.name, Steps: window, Units: values}
		for _, v := range dense.Data {
			layer.Values = append(layer.Values, float64(min(v, 1))) // a phase's spike has a weight
		}
		layers = append(layers, layer)
	}
	return figure.Raster("Values 1/8 (unit 0) to 1 (unit 7), three codes", layers)
}
