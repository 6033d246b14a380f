package exchange

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"synfire/exchange/faceapi"
	"synfire/internal/limit"
	"synfire/model"
	"synfire/network"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
)

// maxClasses is the most bytes of a file of names of classes.
const maxClasses = 1 << 20

// faces imports the tiny face detector of face-api.
func (c *Import) faces(e Env) error {
	side := c.Size
	if side == 0 {
		side = 416
	}
	g, report, err := faceapi.Read(os.DirFS(filepath.Dir(c.File)), filepath.Base(c.File), side)
	if err != nil {
		return fmt.Errorf("import %s: %w", c.File, err)
	}
	n := faceapi.Normalization()
	d := pictured{format: "face-api", graph: g, normalize: &n, classes: []string{"face"}, task: []task.Binding{{Task: faceapi.Task()}}}
	for _, l := range report {
		d.nodes = append(d.nodes, newNode(l.Name, l.Kind, l.To, nil))
	}
	return c.pictured(e, d)
}

// pictured is a network for pictures whose file says all of it.
type pictured struct {
	format    string
	graph     network.Graph
	nodes     []node
	classes   []string // of its boxes; none where it finds none
	task      []task.Binding
	normalize *sample.Normalization
}

// pictured imports such a network. Without --data samples are pictures of its size.
func (c *Import) pictured(e Env, d pictured) error {
	if c.readings != (readings{}) || c.Encoder != "" || c.Steps > 1 || c.Pad != 0 || len(c.Shape) > 0 && d.format != "onnx" || c.Network != "" || c.Names != "" {
		return Usage{errors.New("import: the file says all of its network: leave out what is for NIR, ONNX and weights of PyTorch")}
	}
	rule, arrays, err := bptt.NewGraph(d.graph)
	if err != nil {
		return fmt.Errorf("import %s: %w", c.File, err)
	}
	cfg := model.NewConfig()
	cfg.Rule, cfg.Valid, cfg.Steps, cfg.Task = rule, 0, 1, d.task
	sets, err := c.pictures(e, &cfg, d)
	if err != nil {
		return fmt.Errorf("import %s: %w", c.File, err)
	}
	if err := c.write(e, bptt.GraphKind, cfg, sets, arrays); err != nil {
		return err
	}
	return c.report(e, "NOT SAID BY THE FILE", "", imported{Format: d.format, Nodes: d.nodes, Steps: 1, Model: c.Out})
}

// pictures are the samples of such a network, those of a data set or of its own size.
func (c *Import) pictures(e Env, cfg *model.Config, d pictured) (sets model.Sets, err error) {
	if c.Data == "" {
		if len(d.classes) == 0 {
			return sets, errors.New("the network finds no boxes: give the data that it is for by --data")
		}
		cfg.Data = model.Data{Name: "pictures"}
		f := sample.Field{Name: "boxes", Kind: sample.Boxes, Classes: d.classes, Shape: tensor.Shape{d.graph.Input[0], d.graph.Input[1]}}
		return model.Sets{Spec: sample.Spec{Shape: d.graph.Input, Targets: []sample.Field{f}}, Normalization: d.normalize}, nil
	}
	if c.Classes != "" {
		return sets, errors.New("--classes and --data both name classes; leave out --classes")
	}
	if cfg.Data, err = e.Catalog.Named(c.Data, model.Data{}); err != nil {
		return sets, err
	}
	if n := d.normalize; n != nil {
		cfg.Data.Mean, cfg.Data.Std = n.Mean, n.Std
	}
	if *cfg, sets, err = c.prepare(e, *cfg); err != nil {
		return sets, err
	}
	if sets.Normalization == nil {
		sets.Normalization = d.normalize
	}
	if f := sets.Spec.Targets; len(d.classes) > 0 && (len(f) == 0 || f[0].Kind != sample.Boxes || len(f[0].Classes) != len(d.classes)) {
		return sets, fmt.Errorf("it finds boxes of %d classes, and %s has no such target; leave --data out, or give another", len(d.classes), c.Data)
	}
	return sets, nil
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
