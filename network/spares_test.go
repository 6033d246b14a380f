package network

import (
	"testing"

	"synfire/layer"
	"synfire/neuron"
	"synfire/signal"
	"synfire/surrogate"
	"synfire/tensor"
)

// elements is what a pass holds of the outputs of its nodes.
func (p *Pass) elements() (n int) {
	for i := range p.nodes {
		for k := range p.nodes[i].chunks {
			n += cap(p.nodes[i].chunks[k].out.Data)
		}
	}
	for _, d := range p.spare {
		n += cap(d)
	}
	return n
}

// A chain of any length needs the memory of two outputs, where nothing is kept, and not more from
// call to call, of whatever kind.
func TestOutputsShareMemory(t *testing.T) {
	const steps, samples, units = 3, 2, 6 * 5 * 4
	layers := []layer.Layer{layer.Conv2D{Out: 4, Kernel: []int{3}, Padding: []int{1}}}
	for range 5 {
		layers = append(layers,
			layer.Spiking{Neuron: neuron.IF{Threshold: 0.3}, Surrogate: surrogate.FastSigmoid{Slope: 4}},
			layer.Conv2D{Out: 4, Kernel: []int{3}, Padding: []int{1}}, layer.AvgPool{Size: 3, Stride: 1, Padding: []int{1}})
	}
	net, err := Sequential(tensor.Shape{6, 5, 4}, 1, layers...)
	if err != nil {
		t.Fatal(err)
	}
	input := func(samples int) *signal.Signal {
		in := &signal.Signal{}
		in.Reset(signal.Dense, steps, samples, net.InputShape())
		for i := range in.Data {
			in.Data[i] = tensor.Float(i%7) / 7
		}
		return in
	}
	in, p := input(samples), net.Compile(nil, true).NewPass(Options{})
	run := func(keep bool) int {
		if _, err := p.Forward(net.NewState(in.B), in, keep); err != nil {
			t.Fatal(err)
		}
		return p.elements()
	}
	if got, most := run(false), 2*steps*samples*units; got > most {
		t.Errorf("%d elements, want %d at most", got, most)
	}
	run(true)
	run(false)
	first := run(true)
	for range 3 {
		run(false)
		if got := run(true); got > first {
			t.Fatalf("%d elements, %d before", got, first)
		}
	}
	p = net.Compile(nil, true).NewPass(Options{})
	for n := range 40 {
		in = input(1 + n)
		if got, most := run(false), 4*steps*(1+n)*units; got > most {
			t.Fatalf("%d elements for %d samples after fewer, want %d at most", got, 1+n, most)
		}
	}
}
