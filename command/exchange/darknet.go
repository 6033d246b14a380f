package exchange

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"synfire/catalog"
	"synfire/detect"
	"synfire/exchange/darknet"
	"synfire/layer"
	"synfire/network"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
)

// darknet imports a network of Darknet.
func (c *Import) darknet(e Env) error {
	if c.Weights == "" {
		return Usage{fmt.Errorf("import: %s has no numbers: give the file of its weights by --weights", c.File)}
	}
	if c.Size != 0 {
		return Usage{errors.New("import: the size of pictures stands in Darknet's .cfg: leave --size out")}
	}
	g, classes, report, err := darknet.Read(c.File, c.Weights)
	if err != nil {
		return fmt.Errorf("import %s: %w", c.File, err)
	}
	d := pictured{format: "darknet", graph: g, nodes: darknetNodes(report)}
	if classes > 0 {
		if d.classes, err = c.classes(classes); err != nil {
			return fmt.Errorf("import %s: %w", c.File, err)
		}
		d.task = []task.Binding{finding(g)}
	}
	return c.pictured(e, d)
}

// finding is the task of a detector: all its outputs of boxes are read together.
func finding(g network.Graph) task.Binding {
	b := task.Binding{Task: detect.NewDetect()}
	for _, o := range g.Outputs {
		if _, ok := detect.AsBoxes(o.Read); ok {
			b.Others = append(b.Others, o.Name)
		}
	}
	if len(b.Others) > 0 {
		b.Output, b.Others = b.Others[0], b.Others[1:]
	}
	if b.Output == g.Outputs[0].Name {
		b.Output = "" // the first need not be named
	}
	return b
}

// writeDarknet writes a network to a configuration, and its weights beside it. Normalised samples
// become a layer before the others.
func writeDarknet(c *Export, g network.Graph, m *catalog.Model) ([]node, error) {
	if c.DT != nil || c.Method != "" || c.Steps != nil {
		return nil, errors.New("darknet: the file has no equations and no certificate: leave out --dt, --method and --steps, which are for NIR")
	}
	classes := 0
	for _, f := range m.Spec.Targets {
		if f.Kind == sample.Boxes {
			classes = len(f.Classes)
		}
	}
	if m.Normalization != nil {
		var err error
		if g, err = normalising(g, *m.Normalization); err != nil {
			return nil, err
		}
	}
	weights := strings.TrimSuffix(c.Out, filepath.Ext(c.Out)) + ".weights"
	report, err := darknet.Write(c.Out, weights, g, classes)
	nodes := darknetNodes(report)
	for i := range nodes {
		if nodes[i].Kind == "output" {
			nodes[i].Lost = append(nodes[i].Lost, "names of classes")
		}
	}
	return nodes, err
}

// normalising is a graph that normalises its samples itself, channel by channel.
func normalising(g network.Graph, n sample.Normalization) (network.Graph, error) {
	if len(g.Input) != 3 {
		return g, fmt.Errorf("darknet: samples of shape %v, want images", g.Input)
	}
	c := g.Input[2]
	w, b := tensor.New(1, 1, 1, c), tensor.New(c)
	for i := range c {
		k := i % len(n.Mean)
		w.Data[i], b.Data[i] = tensor.Float(1/n.Std[k]), tensor.Float(-n.Mean[k]/n.Std[k])
	}
	e := network.Edit(g)
	err := e.InsertAfter(network.Input, network.GraphNode{
		Node:   network.Node{Name: "normalize_", Layer: layer.Conv2D{Out: c, Kernel: []int{1}, Groups: c}},
		Arrays: map[string]tensor.Tensor{"weight": w, "bias": b},
	})
	return e.Graph(), err
}

func darknetNodes(report []darknet.Lowered) (nodes []node) {
	for _, l := range report {
		nodes = append(nodes, newNode(l.Name, l.Kind, l.To, l.Lost))
	}
	return nodes
}
