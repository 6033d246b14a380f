package bench

import (
	"fmt"
	"slices"

	"synfire/layer"
	"synfire/neuron"
	"synfire/surrogate"
	"synfire/tensor"
)

// lif is the layer of neurons of W1 to W3: v > 1 fires, reset by subtraction.
var lif = layer.Spiking{
	Neuron:    neuron.LIF{Beta: 0.95, Threshold: 1, Strict: true},
	Surrogate: surrogate.FastSigmoid{Slope: 25},
}

// negligible is the distance from the threshold beyond which W2b's further row
// takes the surrogate for zero: there it has fallen to a hundredth, since
// 1/(1 + 25·0.36)² = 1/100.
const negligible = 0.36

// table lists all cases in order.
func table(s Selection) []Case {
	var cases []Case
	add := func(w *work, phases ...string) {
		for _, p := range phases {
			c := Case{Workload: w.name, Phase: p, Shape: w.shape, Threads: s.Threads, work: w}
			c.run = map[string]func(Case, Options) ([]Row, error){Train: trainNetwork, Infer: inferNetwork, Latency: latency}[p]
			cases = append(cases, c)
		}
	}
	add(w1(s.Small), Train, Infer, Latency)
	add(w2a(s.Small), Train, Infer)
	add(w2b(s.Small, 0), Train, Infer)
	add(w2b(s.Small, negligible), Train)
	for _, density := range []float64{0.01, 0.05, 0.10} {
		add(w3(s.Small, density), Train, Infer)
	}
	add(w4(s.Small), Infer)
	cases = append(append(cases, w5(s)), matrices(s)...)
	cases = append(append(cases, w7(s), w7Spiking(s)), prunings(s)...)
	cases = append(cases, w8(s))
	for _, steps := range []int{2, 4, 8, 16} {
		add(w9(s.Small, steps), Train)
	}
	cases = append(append(append(cases, w10(s)), w11(s)...), products(s)...)
	return append(cases, densities(s)...)
}

// pick is the first value, or the second for a small selection.
func pick(small bool, full, tiny int) int {
	if small {
		return tiny
	}
	return full
}

// w1 is a network on images held before it.
func w1(small bool) *work {
	hidden, batch := pick(small, 1000, 40), pick(small, 128, 8)
	return &work{
		name: "W1", shape: fmt.Sprintf("784-%d-10", hidden), input: tensor.Shape{784},
		layers: []layer.Layer{layer.Linear{Out: hidden}, lif, layer.Linear{Out: 10}, lif},
		steps:  25, window: 25, batch: batch, density: 0.19, rate: 0.1,
	}
}

// w2a is a small convolutional network for such images.
func w2a(small bool) *work {
	a, b := pick(small, 12, 4), pick(small, 64, 8)
	return &work{
		name: "W2a", shape: fmt.Sprintf("28x28x1-%dC5-MP2-%dC5-MP2-10", a, b), input: tensor.Shape{28, 28, 1},
		layers: []layer.Layer{
			layer.Conv2D{Out: a, Kernel: []int{5}}, layer.MaxPool{Size: 2}, lif,
			layer.Conv2D{Out: b, Kernel: []int{5}}, layer.MaxPool{Size: 2}, lif,
			layer.Flatten{}, layer.Linear{Out: 10}, lif,
		},
		steps: 25, window: 25, batch: pick(small, 128, 4), density: 0.19, rate: 0.1,
	}
}

// w2b is a deeper one for coloured images, all of whose pixels count. A cut is the
// distance beyond which the surrogate is zero; 0 is none, as the peers have it.
func w2b(small bool, cut float64) *work {
	lif := layer.Spiking{Neuron: lif.Neuron, Surrogate: surrogate.FastSigmoid{Slope: 25, Cut: cut}}
	side, a, b, hidden := pick(small, 32, 8), pick(small, 64, 8), pick(small, 128, 16), pick(small, 256, 32)
	conv := func(n int) layer.Layer { return layer.Conv2D{Out: n, Kernel: []int{3}, Padding: []int{1}} }
	shape := fmt.Sprintf("%dx%dx3-%dC3-%dC3-AP2-%dC3-%dC3-AP2-%d-10", side, side, a, a, b, b, hidden)
	if cut > 0 {
		shape += fmt.Sprintf("@cut%g", cut)
	}
	return &work{
		name: "W2b", shape: shape, input: tensor.Shape{side, side, 3},
		layers: []layer.Layer{
			conv(a), lif, conv(a), lif, layer.AvgPool{Size: 2},
			conv(b), lif, conv(b), lif, layer.AvgPool{Size: 2},
			layer.Flatten{}, layer.Linear{Out: hidden}, lif, layer.Linear{Out: 10}, lif,
		},
		steps: 8, window: 8, batch: pick(small, 64, 4), density: 1, rate: 0.1,
	}
}

// w3 is a network on events, other ones at each step.
func w3(small bool, density float64) *work {
	side, hidden := pick(small, 34, 10), pick(small, 800, 40)
	in := 2 * side * side
	return &work{
		name: "W3", shape: fmt.Sprintf("%d-%d-10@%.2f", in, hidden, density), input: tensor.Shape{in},
		layers: []layer.Layer{layer.Linear{Out: hidden}, lif, layer.Linear{Out: 10}, lif},
		steps:  20, window: 20, batch: pick(small, 64, 8), density: density, events: true, rate: 0.1,
	}
}

// w4 has the shape of VGG-16 and the neurons of a converted network, whose
// readout adds up what reaches it and never fires.
func w4(small bool) *work {
	side, scale := pick(small, 32, 8), pick(small, 1, 16)
	integrate := layer.Spiking{Neuron: neuron.IF{Threshold: 1}, Surrogate: surrogate.FastSigmoid{Slope: 25}}
	blocks := [][]int{{64, 64}, {128, 128}, {256, 256, 256}, {512, 512, 512}, {512, 512, 512}}
	if small {
		blocks = blocks[:3]
	}
	var layers []layer.Layer
	convolutions := 0
	for _, block := range blocks {
		for _, n := range block {
			layers = append(layers, layer.Conv2D{Out: n / scale, Kernel: []int{3}, Padding: []int{1}}, integrate)
			convolutions++
		}
		layers = append(layers, layer.AvgPool{Size: 2})
	}
	layers = append(layers, layer.Flatten{}, layer.Linear{Out: 10}, layer.Readout{Beta: 1})
	return &work{
		name: "W4", shape: fmt.Sprintf("%dx%dx3-%dC3-AP2x%d-10", side, side, convolutions, len(blocks)), input: tensor.Shape{side, side, 3},
		layers: slices.Clip(layers),
		steps:  pick(small, 64, 16), window: pick(small, 16, 8), batch: pick(small, 8, 2), density: 1, rate: 0.05, start: 0.5,
	}
}

// w9 is the network of STBP's released program with its neurons, which errors pass through
// the reset of, over a number of steps: seconds beyond the first product should grow as
// these do.
func w9(small bool, steps int) *work {
	unit := layer.Spiking{
		Neuron:    neuron.LIF{Beta: 0.2, Threshold: 0.5, Strict: true, Reset: neuron.Zero, ResetGradient: true},
		Surrogate: surrogate.Rectangle{Height: 1, Width: 0.5},
	}
	side, maps, hidden := pick(small, 28, 12), pick(small, 32, 8), pick(small, 128, 40)
	conv := layer.Conv2D{Out: maps, Kernel: []int{3}, Padding: []int{1}}
	return &work{
		name: "W9", shape: fmt.Sprintf("%dx%dx1-%dC3-AP2-%dC3-AP2-%d-10@%d", side, side, maps, maps, hidden, steps), input: tensor.Shape{side, side, 1},
		layers: []layer.Layer{
			conv, unit, layer.AvgPool{Size: 2}, conv, unit, layer.AvgPool{Size: 2},
			layer.Flatten{}, layer.Linear{Out: hidden}, unit, layer.Linear{Out: 10}, unit,
		},
		steps: steps, window: steps, batch: pick(small, 100, 16), density: 0.19, rate: 0.1,
	}
}
