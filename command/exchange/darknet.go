package exchange

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"synfire/catalog"
	"synfire/detect"
	"synfire/exchange/darknet"
	"synfire/internal/limit"
	"synfire/layer"
	"synfire/model"
	"synfire/network"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
)

// maxClasses is the most bytes of a file of names of classes.
const maxClasses = 1 << 20

// darknet imports a network of Darknet. What samples are its file says: without --data they are
// pictures of its size, and what it finds classes by their numbers, or by the names of a file.
func (c *Import) darknet(e Env) error {
	if c.readings != (readings{}) || c.Encoder != "" || c.Steps > 1 || c.Pad != 0 || len(c.Shape) > 0 || c.Network != "" || c.Names != "" {
		return Usage{errors.New("import: a network of Darknet says all of itself: leave out what is for NIR, ONNX and weights of PyTorch")}
	}
	if c.Weights == "" {
		return Usage{fmt.Errorf("import: %s has no numbers: give the file of its weights by --weights", c.File)}
	}
	g, classes, report, err := darknet.Read(c.File, c.Weights)
	if err != nil {
		return fmt.Errorf("import %s: %w", c.File, err)
	}
	rule, arrays, err := bptt.NewGraph(g)
	if err != nil {
		return fmt.Errorf("import %s: %w", c.File, err)
	}
	cfg := model.NewConfig()
	cfg.Rule, cfg.Valid, cfg.Steps = rule, 0, 1
	sets, err := c.pictures(e, &cfg, g, classes)
	if err != nil {
		return fmt.Errorf("import %s: %w", c.File, err)
	}
	if err := c.write(e, bptt.GraphKind, cfg, sets, arrays); err != nil {
		return err
	}
	return c.report(e, "NOT SAID BY THE FILE", "", imported{Format: "darknet", Nodes: darknetNodes(report), Steps: 1, Model: c.Out})
}

// pictures are the samples of a network of Darknet, those of a data set or of its own size.
func (c *Import) pictures(e Env, cfg *model.Config, g network.Graph, classes int) (model.Sets, error) {
	if classes > 0 {
		cfg.Task = []task.Binding{{Task: detect.NewDetect()}}
	}
	if c.Data != "" {
		if c.Classes != "" {
			return model.Sets{}, errors.New("--classes and --data both name classes; leave out --classes")
		}
		var err error
		if cfg.Data, err = e.Catalog.Named(c.Data, model.Data{}); err != nil {
			return model.Sets{}, err
		}
		var sets model.Sets
		if *cfg, sets, err = c.prepare(e, *cfg); err != nil {
			return sets, err
		}
		if f := sets.Spec.Targets; classes > 0 && (len(f) == 0 || f[0].Kind != sample.Boxes || len(f[0].Classes) != classes) {
			return sets, fmt.Errorf("it finds boxes of %d classes, and %s has no such target; leave --data out, or give another", classes, c.Data)
		}
		return sets, nil
	}
	if classes == 0 {
		return model.Sets{}, errors.New("the network finds no boxes: give the data that it is for by --data")
	}
	names, err := c.classes(classes)
	if err != nil {
		return model.Sets{}, err
	}
	cfg.Data = model.Data{Name: "pictures"}
	f := sample.Field{Name: "boxes", Kind: sample.Boxes, Classes: names, Shape: tensor.Shape{g.Input[0], g.Input[1]}}
	return model.Sets{Spec: sample.Spec{Shape: g.Input, Targets: []sample.Field{f}}}, nil
}

// classes are the names of classes, those of a file or numbers from 0.
func (c *Import) classes(n int) (names []string, err error) {
	if c.Classes == "" {
		for i := range n {
			names = append(names, strconv.Itoa(i))
		}
		return names, nil
	}
	text, err := limit.ReadPath(c.Classes, maxClasses)
	if err != nil {
		return nil, err
	}
	for _, line := range strings.Split(string(text), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			names = append(names, line)
		}
	}
	if len(names) != n {
		return nil, fmt.Errorf("%s has the names of %d classes, want %d, a line each", c.Classes, len(names), n)
	}
	return names, nil
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
	return darknetNodes(report), err
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
