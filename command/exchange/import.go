package exchange

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"synfire/catalog"
	"synfire/encode"
	"synfire/layer"
	"synfire/model"
	"synfire/modelfile"
	"synfire/network"
	"synfire/rule/bptt"
	"synfire/tensor"
	"synfire/train"
)

// Import is the verb import.
type Import struct {
	File    string            `arg:"" help:"NIR or ONNX file, Darknet's .cfg, manifest of face-api's tiny face detector, or weights of a PyTorch network in safetensors."`
	Out     string            `short:"o" required:"" help:"Model file to write." placeholder:"FILE"`
	Data    string            `xor:"samples" help:"Data set that the network is for, or your own as folder:PATH, npz:FILE, or yaml:FILE with the keys that training files have under data." placeholder:"DATA"`
	Network string            `xor:"samples" help:"For weights: the network, its data and steps, as train reads them." placeholder:"FILE.yaml"`
	Names   string            `help:"For weights: which module there a layer is; none: by shapes, where these tell." placeholder:"FILE.yaml"`
	Encoder string            `help:"What makes currents of samples: constant, frames, events (a spike a step) or counts (their number); none: constant." enum:",constant,frames,events,counts" default:"" placeholder:"ENCODER"`
	Steps   int               `help:"Steps of a run; of series those of the data." placeholder:"N"`
	Pad     float64           `help:"Duration that shorter recordings are padded to." placeholder:"SECONDS"`
	Shape   map[string]string `help:"For ONNX: shape of an input that the file leaves open, without the batch, channels first: image=3,32,32. Repeatable." placeholder:"INPUT=SIZES"`
	readings
	Weights string    `help:"For Darknet: the file of its weights." placeholder:"FILE"`
	Anchors []float64 `help:"For ONNX: the output is boxes, read as YOLOv2 has them, with these widths and heights of anchors in cells: 1.08,1.19,3.42,4.41." placeholder:"W,H,..."`
	Classes string    `help:"For Darknet, and ONNX with --anchors: file of the names of classes, a line each; none: numbers." placeholder:"FILE"`
	Size    int       `help:"For the face detector: side of its pictures in pixels, a multiple of 32; none: 416." placeholder:"N"`
	DataDir string    `help:"Folder with your own copies of data sets." placeholder:"DIR"`
	JSON    bool      `help:"Print JSON."`
}

// readings are what a NIR file leaves open.
type readings struct {
	DT         float64 `name:"dt" help:"Length of a step in the file's unit of time: seconds, or 1 where its neurons add up events of a step." placeholder:"TIME"`
	Reset      string  `help:"What a spike does to the voltage: subtract, zero or none." enum:",subtract,zero,none" default:"" placeholder:"RESET"`
	Method     string  `help:"How equations become steps: exact or euler; none: exact." enum:",exact,euler" default:"" placeholder:"METHOD"`
	Strict     bool    `help:"Fire above the threshold only, not at it."`
	Refractory int     `help:"Steps of silence after a spike." placeholder:"N"`
	Floor      float64 `help:"Least voltage of neurons, below 0, as Sinabs has it (--floor=-1); none: 0." placeholder:"VOLTAGE"`
	Coupling   string  `help:"How the current of a synapse charges a membrane: held over a step (euler), decaying (exact), or whole (unit); none: euler." enum:",euler,exact,unit" default:"" placeholder:"COUPLING"`
}

// Help is the verb's longer help.
func (Import) Help() string {
	return `Makes a model file of a network in NIR (.nir) or ONNX (.onnx), for eval and predict. What
the file does not say must be given; it is asked for, and listed for each node. A
certificate that export wrote beside a NIR file is checked: the file must be read and
fire as certified. A detector of Darknet (.cfg, --weights) becomes a model for detect, and
so do the tiny face detector of face-api, whose manifest (.json) names its weights, and an
ONNX file whose output is boxes of --anchors.
Weights that PyTorch wrote (.safetensors) are put into a network that
a YAML file describes. See docs/nir.md, docs/onnx.md and docs/bring.md.

  synfire import cnn.nir -o cnn.safetensors --data nmnist-1100 --encoder counts \
    --steps 340 --pad 0.34 --dt 1 --reset subtract
  synfire import weights.safetensors -o model.safetensors --network net.yaml
  synfire import yolov2-tiny-voc.cfg --weights yolov2-tiny-voc.weights -o tiny.safetensors
  synfire import detector.onnx -o detector.safetensors --anchors 0.5,0.6,2,2.25 --classes names.txt
  synfire import tiny_face_detector_model-weights_manifest.json -o faces.safetensors`
}

// imported is the JSON of import.
type imported struct {
	Format string  `json:"format"`
	Nodes  []node  `json:"nodes"`
	Steps  int     `json:"steps"`
	DT     float64 `json:"dt"`
	Model  string  `json:"model"`
}

// Run imports.
func (c *Import) Run(e Env) error {
	if err := c.apart(); err != nil {
		return Usage{err}
	}
	switch ending := strings.ToLower(filepath.Ext(c.File)); {
	case len(c.Anchors) > 0 && ending != ".onnx":
		return Usage{errors.New("import: --anchors are for ONNX; leave them out")}
	case len(c.Anchors) > 0 && c.Weights == "":
		return c.boxes(e)
	case ending != ".cfg" && (c.Weights != "" || c.Classes != ""):
		return Usage{errors.New("import: --weights and --classes are for Darknet's .cfg, --classes for ONNX with --anchors too; leave them out")}
	case ending == ".cfg":
		return c.darknet(e)
	case ending == ".json":
		return c.faces(e)
	case c.Size != 0:
		return Usage{errors.New("import: --size is for the face detector's manifest; leave it out")}
	case c.Data == "" && c.Network == "":
		return Usage{errors.New("import: give the data that the network is for by --data, or for weights of PyTorch the network by --network")}
	case ending == ".safetensors":
		return c.weights(e)
	}
	f, err := formatOf(c.File)
	if err != nil {
		return fmt.Errorf("import: %w; weights of PyTorch end in .safetensors", err)
	}
	if len(c.Shape) > 0 && f.name != "onnx" {
		err = errors.New("--shape is for ONNX; leave it out")
	}
	if err == nil && (c.Network != "" || c.Names != "") {
		err = fmt.Errorf("%s has its own network: leave out --network and --names, which are for weights in safetensors, and give --data", c.File)
	}
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	net, nodes, err := f.read(c)
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
	if err := c.write(e, bptt.GraphKind, cfg, sets, arrays); err != nil {
		return err
	}
	return c.report(e, "NOT SAID BY THE FILE", f.chosen, imported{Format: f.name, Nodes: nodes, Steps: cfg.Steps, DT: c.DT, Model: c.Out})
}

// apart returns an error where the model would take the place of a file that it is made of.
func (c *Import) apart() error {
	out, err := os.Stat(c.Out)
	if err != nil {
		return nil // writing says what is wrong
	}
	for _, path := range []string{c.File, c.Network, c.Names, c.Weights, c.Classes} {
		if in, err := os.Stat(path); err == nil && os.SameFile(in, out) {
			return fmt.Errorf("import: --out %s is %s, which is read and would be lost; name another file", c.Out, path)
		}
	}
	return nil
}

// write writes the model file of arrays.
func (c *Import) write(e Env, kind string, cfg model.Config, sets model.Sets, arrays map[string]train.Array) error {
	text, err := e.Catalog.Encode(cfg)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	file := modelfile.File{Rule: kind, Config: text, Spec: &sets.Spec, Normalization: sets.Normalization, Arrays: arrays, Finished: true}
	if _, err := e.Catalog.FromFile(&file, catalog.OpenOptions{}); err != nil {
		return fmt.Errorf("import %s: the network does not fit the data: %w", c.File, err)
	}
	if err := modelfile.Write(c.Out, file); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	return nil
}

// report prints what was imported; lost is what the last column is about.
func (c *Import) report(e Env, lost, chosen string, r imported) error {
	if c.JSON {
		return json.NewEncoder(e.Out).Encode(r)
	}
	if err := printNodes(e.Out, lost, r.Nodes); err != nil {
		return err
	}
	_, err := fmt.Fprintf(e.Out, "\n%s: %d steps a run.%s\n", c.Out, r.Steps, chosen)
	return err
}

// asVector puts a flatten before a network of vectors where samples of the data are images or rows of
// one channel or one pixel, in which there is only one order.
func asVector(g network.Graph, shape tensor.Shape) network.Graph {
	if len(g.Input) != 1 || len(shape) < 2 || shape.Size() != g.Input[0] || shape[len(shape)-1] != 1 && shape[len(shape)-1] != g.Input[0] {
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
	return c.prepare(e, cfg)
}

// prepare loads the samples of a configuration and fills in what follows from them.
func (c *Import) prepare(e Env, cfg model.Config) (model.Config, model.Sets, error) {
	trainSet, testSet, err := e.Catalog.Load(e.Context, cfg.Data, e.Data(c.DataDir))
	if err != nil {
		return cfg, model.Sets{}, err
	}
	var sets model.Sets
	if testSet != nil {
		cfg, sets, err = cfg.Prepare(e.Context, trainSet, testSet)
	} else { // one's own samples, which need not be parted
		sets.Spec = trainSet.Spec()
		cfg, err = cfg.For(sets.Spec)
	}
	if err == nil && cfg.Steps == 0 {
		err = errors.New("the data do not say how many steps a run has; give --steps")
	}
	return cfg, sets, err
}
