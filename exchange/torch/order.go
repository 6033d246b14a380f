package torch

import (
	"fmt"
	"slices"

	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/layer/temporal"
	"synfire/network"
	"synfire/tensor"
)

// orders are, of the output of each node, where element i of a vector here stands in PyTorch; nil
// where it stands at i. Flatten of an image makes one, by channels first, and a linear map ends it.
func orders(infos []network.Info, outputs []network.Output) ([][]int, error) {
	of := map[string][]int{}
	all := make([][]int, len(infos))
	for i, n := range infos {
		order, err := orderOf(n, of)
		if err != nil {
			return nil, fmt.Errorf("layer %s: %w", n.Name, err)
		}
		all[i], of[n.Name] = order, order
	}
	for _, o := range outputs {
		if of[o.Node] != nil {
			return nil, fmt.Errorf("output %s: it is a flattened image, whose order is another here; put a linear map behind it, or leave the flatten out", o.Name)
		}
	}
	return all, nil
}

func orderOf(n network.Info, of map[string][]int) ([]int, error) {
	in := of[n.Inputs[0]]
	for _, from := range n.Inputs[1:] {
		if !slices.Equal(of[from], in) {
			return nil, fmt.Errorf("it joins a flattened image with what is in another order; put a linear map before it")
		}
	}
	switch n.Layer.(type) {
	case layer.Flatten:
		return channelsFirst(n.In[0]), nil
	case layer.Linear:
		return nil, nil
	case layer.Spiking, layer.ParametricSpiking, layer.Readout, temporal.Integrator, temporal.Delay, layer.Recurrent,
		layer.Dropout, layer.ReLU, ordinary.Clip, layer.BatchNorm, layer.Add:
		return in, nil
	}
	if in != nil {
		return nil, fmt.Errorf("it takes a flattened image, whose order is another here; put a linear map between")
	}
	return nil, nil
}

// channelsFirst is where the elements of a flattened image [h, w, c] stand in one of [c, h, w].
func channelsFirst(s tensor.Shape) (order []int) {
	if len(s) != 3 || s[2] == 1 || s[0]*s[1] == 1 {
		return nil
	}
	for p := range s[0] * s[1] {
		for c := range s[2] {
			order = append(order, c*s[0]*s[1]+p)
		}
	}
	return order
}

// orderInto is the order of what node i takes.
func (l *loading) orderInto(i int) []int {
	from := l.infos[i].Inputs[0]
	for k := range i {
		if l.infos[k].Name == from {
			return l.orders[k]
		}
	}
	return nil
}
