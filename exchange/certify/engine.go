package certify

import (
	"slices"

	"synfire/exchange/nir"
	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/tensor"
)

// run is what the engine gives for an input, in the order of the file.
func run(net network.Graph, report []nir.Lowered, input [][]float64) (Course, error) {
	n, err := net.Build(0)
	if err != nil {
		return Course{}, err
	}
	var x signal.Signal
	x.Reset(signal.Dense, len(input), 1, n.InputShape())
	units := x.Units()
	first := slices.IndexFunc(report, func(l nir.Lowered) bool { return l.Kind == "Input" })
	for t, row := range input {
		for i := range units {
			x.Data[t*units+i] = tensor.Float(row[placed(report[first].Order, i)])
		}
	}
	given := map[string]*signal.Signal{network.Input: &x}
	nodes := map[string]network.GraphNode{}
	for _, nd := range n.Graph().Nodes {
		nodes[nd.Name] = nd
	}
	err = n.Compile(nil, false).Activity(&x, func(nd network.Info, out *signal.Signal) error {
		var d signal.Signal
		out.Densify(&d)
		given[nd.Name] = &d
		return nil
	})
	if err != nil {
		return Course{}, err
	}
	c := Course{map[string][][]float64{}, map[string][][]float64{}}
	for _, l := range report {
		nd, out := nodes[l.To], given[l.To]
		switch {
		case l.To == "":
		case l.Kind == "Threshold", l.Kind == "LIF", l.Kind == "IF", l.Kind == "CubaLIF":
			c.Spikes[l.Node] = rows(out.Data, out.T, l.Order)
			if l.Kind != "Threshold" {
				c.Voltages[l.Node] = rows(voltages(nd, given[nd.Inputs[0]], out), out.T, l.Order)
			}
		case slices.Contains(Populations, l.Kind):
			c.Voltages[l.Node] = rows(out.Data, out.T, l.Order)
		}
	}
	return c, nil
}

// voltages are those after the reset of a population that gets a current and fired so.
func voltages(nd network.GraphNode, current, fired *signal.Signal) []tensor.Float {
	shape, n := current.Shape, current.Units()
	var weight []tensor.Float
	spiking, ok := nd.Layer.(layer.Spiking)
	if r, recurs := nd.Layer.(layer.Recurrent); recurs && !ok {
		spiking, weight = layer.Spiking{Neuron: r.Neuron, Surrogate: r.Surrogate, Varied: r.Varied}, nd.Arrays["weight"].Data
	}
	var buffers []tensor.Tensor
	for _, b := range spiking.Buffers(shape) {
		buffers = append(buffers, nd.Arrays[b.Role])
	}
	values := spiking.Values(shape, buffers)
	state, bits, x := make([]tensor.Float, spiking.Neuron.States()*n), make([]uint64, (n+63)/64), make([]tensor.Float, n)
	all := make([]tensor.Float, 0, current.T*n)
	for t := range current.T {
		copy(x, current.Data[t*n:][:n])
		clear(bits)
		for i, s := range fired.Data[t*n:][:n] {
			if s != 0 {
				bits[i>>6] |= 1 << (i & 63)
			}
			if weight != nil && t > 0 && fired.Data[(t-1)*n+i] != 0 {
				for k := range x {
					x[k] += weight[i*n+k]
				}
			}
		}
		spiking.Neuron.Replay(neuron.Window{Steps: 1, Units: n, Input: neuron.Strided{Data: x}, State: state, Spikes: neuron.Bits{Data: bits, Stride: len(bits)}, Values: values})
		all = append(all, state[:n]...)
	}
	return all
}

func placed(order []int, i int) int {
	if order == nil {
		return i
	}
	return order[i]
}

// rows are numbers of one sample as a row a step, in the order of the file.
func rows(data []tensor.Float, steps int, order []int) [][]float64 {
	all := make([][]float64, steps)
	n := len(data) / steps
	for t := range all {
		all[t] = make([]float64, n)
		for i, v := range data[t*n:][:n] {
			all[t][placed(order, i)] = float64(v)
		}
	}
	return all
}
