package exchange

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"synfire/catalog"
	"synfire/detect"
	"synfire/exchange/onnx"
	"synfire/layer"
	"synfire/network"
	"synfire/sample"
	"synfire/task"
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
	o := onnx.Options{Shapes: shapes}
	if len(c.Anchors) > 0 {
		if o.Read, err = anchored(c.Anchors); err != nil {
			return network.Graph{}, nil, err
		}
	}
	g, report, err := m.Lower(o)
	return g, onnxNodes(report), err
}

// anchored is what reads boxes by widths and heights of anchors.
func anchored(numbers []float64) (d detect.Boxes, err error) {
	if len(numbers)%2 != 0 {
		return d, fmt.Errorf("--anchors are %d numbers, want pairs of width and height", len(numbers))
	}
	for pair := range slices.Chunk(numbers, 2) {
		d.Anchors = append(d.Anchors, detect.Anchor{pair[0], pair[1]})
	}
	return d, d.Validate()
}

// boxes imports a detector, an ONNX file for pictures with one output that is boxes.
func (c *Import) boxes(e Env) error {
	g, nodes, err := readONNX(c)
	if err != nil {
		return fmt.Errorf("import %s: %w", c.File, err)
	}
	classes, err := classesOf(g)
	d := pictured{format: "onnx", graph: g, nodes: nodes, task: []task.Binding{{Task: detect.NewDetect()}}}
	if err == nil {
		d.classes, err = c.classes(classes)
	}
	if err != nil {
		return fmt.Errorf("import %s: %w", c.File, err)
	}
	return c.pictured(e, d)
}

// classesOf is how many classes the boxes have that a network of pictures gives.
func classesOf(g network.Graph) (int, error) {
	net, err := g.Outline()
	if err != nil {
		return 0, err
	}
	if len(g.Outputs) != 1 {
		return 0, fmt.Errorf("the file has %d outputs, want one of boxes; take the others out", len(g.Outputs))
	}
	if len(g.Input) != 3 || g.Input[2] != 1 && g.Input[2] != 3 {
		return 0, fmt.Errorf("the network takes %v, want pictures of 1 or 3 channels", g.Input)
	}
	d, _ := detect.AsBoxes(g.Outputs[0].Read)
	out := net.OutputShapes()[0]
	if err := d.Fits(out); err != nil {
		return 0, err
	}
	return out[2]/len(d.Anchors) - 5, nil
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
