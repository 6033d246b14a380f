package exchange

import (
	"synfire/exchange/onnx"
	"synfire/network"
)

// readONNX makes a network of an ONNX file. Scores are sums over time of its outputs, which of an
// ordinary network are alike at each step.
func readONNX(c *Import) (network.Graph, []node, error) {
	m, err := onnx.Open(c.File)
	if err != nil {
		return network.Graph{}, nil, err
	}
	defer m.Close()
	g, report, err := m.Lower(onnx.Options{})
	var nodes []node
	for _, l := range report {
		nodes = append(nodes, node{l.Node, l.Kind, l.To, append([]string{}, l.Lost...)})
	}
	return g, nodes, err
}
