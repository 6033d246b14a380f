// Package exchange holds the verbs by which networks come from other frameworks.
package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"synfire/catalog"
	"synfire/data"
	"synfire/encode"
	"synfire/exchange/nir"
	"synfire/layer"
	"synfire/model"
	"synfire/modelfile"
	"synfire/network"
	"synfire/neuron"
	"synfire/rule/bptt"
	"synfire/sample"
	"synfire/surrogate"
	"synfire/tensor"
)

// Env is what the verbs work with.
type Env struct {
	Context context.Context
	Catalog catalog.Catalog
	Out     io.Writer
	Data    func(dir string) data.Options
}

// Import is the verb import.
type Import struct {
	File    string  `arg:"" help:"NIR or ONNX file."`
	Out     string  `short:"o" required:"" help:"Model file to write." placeholder:"FILE"`
	Data    string  `required:"" help:"Data set that the network is for, or your own as folder:PATH or npz:FILE." placeholder:"DATA"`
	Encoder string  `help:"What makes currents of samples: constant, frames, events (a spike a step) or counts (their number)." enum:"constant,frames,events,counts" default:"constant"`
	Steps   int     `help:"Steps of a run; of series those of the data." placeholder:"N"`
	Pad     float64 `help:"Duration that shorter recordings are padded to." placeholder:"SECONDS"`
	DT      float64 `name:"dt" help:"Length of a step in the file's unit of time: seconds, or 1 where its neurons add up events of a step." placeholder:"TIME"`
	Reset   string  `help:"What a spike does to the voltage: subtract, zero or none." enum:",subtract,zero,none" default:"" placeholder:"RESET"`
	Method  string  `help:"How equations become steps: exact or euler." enum:"exact,euler" default:"exact"`
	Strict  bool    `help:"Fire above the threshold only, not at it."`
	DataDir string  `help:"Folder with your own copies of data sets." placeholder:"DIR"`
	JSON    bool    `help:"Print JSON."`
}

// Help is the verb's longer help.
func (Import) Help() string {
	return `Makes a model file of a network in NIR (.nir) or ONNX (.onnx), for eval and predict. What
the file does not say must be given; it is asked for, and listed for each node. See
docs/nir.md and docs/onnx.md.

  synfire import cnn.nir -o cnn.safetensors --data nmnist-1100 --encoder counts \
    --steps 340 --pad 0.34 --dt 1 --reset subtract`
}

// imported is the JSON of import.
type imported struct {
	Format string  `json:"format"`
	Nodes  []node  `json:"nodes"`
	Steps  int     `json:"steps"`
	DT     float64 `json:"dt"`
	Model  string  `json:"model"`
}

// node is a node in the JSON, and what did not come along.
type node struct {
	Name      string   `json:"name"`
	Kind      string   `json:"kind"`
	LoweredTo string   `json:"lowered_to"`
	Lost      []string `json:"lost"`
}

// format is a kind of files of networks, known by their endings.
type format struct {
	name    string
	endings []string
	read    func(c *Import) (network.Graph, []node, error)
}

// formats are those that import knows.
var formats = []format{
	{"nir", []string{".nir", ".h5", ".hdf5"}, readNIR},
	{"onnx", []string{".onnx"}, readONNX},
}

// formatOf is the format of a file by its ending.
func formatOf(path string) (format, error) {
	var known []string
	for _, f := range formats {
		for _, ending := range f.endings {
			if strings.EqualFold(filepath.Ext(path), ending) {
				return f, nil
			}
		}
		known = append(known, f.endings...)
	}
	return format{}, fmt.Errorf("%s: expected a file that ends in %s; rename it", path, strings.Join(known, ", "))
}

// readNIR makes a network of a NIR file.
func readNIR(c *Import) (network.Graph, []node, error) {
	o, err := c.options()
	if err != nil {
		return network.Graph{}, nil, err
	}
	g, err := nir.Read(c.File)
	if err != nil {
		return network.Graph{}, nil, err
	}
	net, report, err := g.Lower(o)
	var nodes []node
	for _, l := range report {
		nodes = append(nodes, node{l.Node, l.Kind, l.To, append([]string{}, l.Lost...)})
	}
	return net, nodes, err
}

// Run imports.
func (c *Import) Run(e Env) error {
	from, err := formatOf(c.File)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	net, nodes, err := from.read(c)
	if err != nil {
		return fmt.Errorf("import %s: %w", c.File, err)
	}
	rule, _, err := bptt.NewGraph(net)
	if err != nil {
		return fmt.Errorf("import %s: %w", c.File, err)
	}
	cfg, sets, err := c.config(e, rule)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	rule, arrays, err := bptt.NewGraph(asVector(net, sets.Spec.Shape))
	if err != nil {
		return fmt.Errorf("import %s: %w", c.File, err)
	}
	cfg.Rule = rule
	text, err := e.Catalog.Encode(cfg)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	f := modelfile.File{Rule: bptt.GraphKind, Config: text, Spec: &sets.Spec, Normalization: sets.Normalization, Arrays: arrays, Finished: true}
	if _, err := e.Catalog.FromFile(&f, catalog.OpenOptions{}); err != nil {
		return fmt.Errorf("import %s: the network does not fit the data: %w", c.File, err)
	}
	if err := modelfile.Write(c.Out, f); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	return c.print(e, imported{Format: from.name, Nodes: nodes, Steps: cfg.Steps, DT: c.DT, Model: c.Out})
}

// options are what the file does not say.
func (c *Import) options() (nir.Options, error) {
	o := nir.Options{DT: c.DT, Method: nir.Method(c.Method), Strict: c.Strict, Surrogate: surrogate.FastSigmoid{Slope: 25}}
	if c.Reset == "" {
		return o, nil
	}
	o.Reset = new(neuron.Reset)
	return o, o.Reset.UnmarshalText([]byte(c.Reset))
}

// asVector puts a flatten before a network of vectors where samples of the data are images of one
// channel or one pixel, in which there is only one order.
func asVector(g network.Graph, shape tensor.Shape) network.Graph {
	if len(g.Input) != 1 || len(shape) != 3 || shape.Size() != g.Input[0] || shape[2] != 1 && shape[0]*shape[1] != 1 {
		return g
	}
	edit := network.Edit(g)
	if err := edit.InsertAfter(network.Input, network.GraphNode{Node: network.Node{Name: "vector_", Layer: layer.Flatten{}}}); err != nil {
		return g // a name that is taken: the error that shapes differ says enough
	}
	g = edit.Graph()
	g.Input = shape
	return g
}

// config is that of a run of the network on the data, with what the samples are.
func (c *Import) config(e Env, rule bptt.Graph) (model.Config, model.Sets, error) {
	cfg := model.NewConfig()
	cfg.Rule, cfg.Valid, cfg.Steps = rule, 0, c.Steps
	switch c.Encoder {
	case "frames":
		cfg.Encoder = encode.Frames{}
	case "events", "counts":
		cfg.Encoder = encode.Events{Count: c.Encoder == "counts"}
	}
	var err error
	if cfg.Data, err = e.Catalog.Named(c.Data, model.Data{}); err != nil {
		return cfg, model.Sets{}, err
	}
	cfg.Data.Length.Pad = c.Pad
	train, test, err := e.Catalog.Load(e.Context, cfg.Data, e.Data(c.DataDir))
	if err != nil {
		return cfg, model.Sets{}, err
	}
	var sets model.Sets
	if test != nil {
		cfg, sets, err = cfg.Prepare(e.Context, train, test)
	} else { // one's own samples, which need not be parted
		sets.Spec = train.Spec()
		cfg, err = cfg.For(sets.Spec)
	}
	if err == nil && cfg.Steps == 0 {
		err = errors.New("the data do not say how many steps a run has; give --steps")
	}
	return cfg, sets, err
}

func (c *Import) print(e Env, out imported) error {
	if c.JSON {
		return json.NewEncoder(e.Out).Encode(out)
	}
	w := tabwriter.NewWriter(e.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NODE\tKIND\tBECAME\tNOT SAID BY THE FILE")
	for _, n := range out.Nodes {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", sample.Printable(n.Name), sample.Printable(n.Kind), n.LoweredTo, strings.Join(n.Lost, ", "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	surrogate := ""
	if out.Format == "nir" {
		surrogate = " The file does not say how, so the surrogate is fast-sigmoid."
	}
	_, err := fmt.Fprintf(e.Out, "\n%s: %d steps a run.%s\n", out.Model, out.Steps, surrogate)
	return err
}
