package exchange

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"synfire/catalog"
	"synfire/exchange/onnx"
	"synfire/layer"
	"synfire/network"
	"synfire/sample"
)

// readONNX makes a network of an ONNX file. Scores are sums over time of its outputs, which of an
// ordinary network are alike at each step.
func readONNX(c *Import) (network.Graph, []node, error) {
	if c.readings != (readings{}) {
		return network.Graph{}, nil, errors.New("onnx: the file has no neurons: leave out --dt, --reset, --method, --strict, --refractory, --floor and --coupling, which are for NIR")
	}
	shapes, err := shapesOf(c.Shape)
	if err != nil {
		return network.Graph{}, nil, err
	}
	m, err := onnx.Open(c.File)
	if err != nil {
		return network.Graph{}, nil, err
	}
	defer m.Close()
	g, report, err := m.Lower(onnx.Options{Shapes: shapes})
	return g, onnxNodes(report), err
}

// shapesOf are the shapes of inputs, as 3,32,32.
func shapesOf(given map[string]string) (map[string][]int, error) {
	shapes := map[string][]int{}
	for name, text := range given {
		for _, field := range strings.Split(text, ",") {
			d, err := strconv.Atoi(strings.TrimSpace(field))
			if err != nil || d < 1 {
				return nil, fmt.Errorf("--shape %s=%s: want positive sizes with commas between them, such as 3,32,32", sample.Printable(name), sample.Printable(text))
			}
			shapes[name] = append(shapes[name], d)
		}
	}
	return shapes, nil
}

// writeONNX writes a network to an ONNX file, one with state step by step.
func writeONNX(c *Export, g network.Graph, model *catalog.Model) ([]node, error) {
	if c.DT != nil || c.Method != "" || c.Steps != nil {
		return nil, errors.New("onnx: the file has no equations and no certificate: leave out --dt, --method and --steps, which are for NIR")
	}
	var err error
	if slices.ContainsFunc(g.Nodes, func(n network.GraphNode) bool { _, ok := n.Layer.(layer.Stateful); return ok }) {
		if g, err = onnx.Unroll(g, model.Config.Steps); err != nil {
			return nil, err
		}
	}
	m, report, err := onnx.Raise(g)
	if err != nil {
		return nil, err
	}
	return onnxNodes(report), onnx.Write(c.Out, m)
}

func onnxNodes(report []onnx.Lowered) (nodes []node) {
	for _, l := range report {
		nodes = append(nodes, newNode(l.Node, l.Kind, l.To, l.Lost))
	}
	return nodes
}
