package exchange

import (
	"encoding/json"
	"fmt"

	"synfire/catalog"
	"synfire/network"
)

// Export is the verb export.
type Export struct {
	Model  string   `arg:"" help:"Model file, checkpoint, or name of a model that ships (synfire models)."`
	Out    string   `short:"o" required:"" help:"File to write; its ending says the format: .nir, .onnx, or .cfg with the weights beside it." placeholder:"FILE"`
	DT     *float64 `name:"dt" help:"Length of a step in the unit of time of a NIR file, seconds; none: 0.001." placeholder:"TIME"`
	Method string   `help:"How steps become equations of a NIR file: exact or euler; none: exact." enum:",exact,euler" default:"" placeholder:"METHOD"`
	Fold   bool     `help:"Fold each batch-norm into the map before it first, which moves last bits."`
	Steps  *int     `help:"Steps that the certificate of a NIR file is of; none: 100." placeholder:"N"`
	JSON   bool     `help:"Print JSON."`
}

// Help is the verb's longer help.
func (Export) Help() string {
	return `Writes the network of a model to a NIR file, from which import makes a network of the
same spikes, bit for bit. What the file cannot carry is listed for each node: give it to
import again. Beside it stands a certificate, FILE.certificate.json, of what the file
means here; import checks it. An ONNX file holds an ordinary network, or the steps of a
run of a spiking one, one after another, for a sample that is the same at each. A .cfg file
is Darknet's, its weights are in FILE.weights beside it, boxes of a detector are read there as
here. A network
that the format cannot carry is refused by the node's name. See docs/nir.md and
docs/onnx.md.

  synfire export model.safetensors -o net.nir --dt 0.001
  synfire export ann.safetensors -o net.onnx
  synfire export detector.safetensors -o detector.cfg`
}

// exported is the JSON of export.
type exported struct {
	Format string   `json:"format"`
	Nodes  []node   `json:"nodes"`
	DT     *float64 `json:"dt"` // null: the format knows no time
	File   string   `json:"file"`
}

// Run exports.
func (c *Export) Run(e Env) error {
	f, err := formatOf(c.Out)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	m, err := e.Catalog.Open(c.Model, catalog.OpenOptions{})
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	g, err := m.Graph()
	if err == nil && c.Fold {
		g, _, err = network.FoldBatchNorm{}.Apply(e.Context, g, nil)
	}
	if err != nil {
		return fmt.Errorf("export %s: %w", c.Model, err)
	}
	nodes, err := f.write(c, g, m)
	if err != nil {
		return fmt.Errorf("export %s: %w", c.Model, err)
	}
	if m.Normalization != nil && f.name != "darknet" {
		nodes[0].Lost = append(nodes[0].Lost, "normalisation of samples")
	}
	if m.Config.Encoder != nil {
		nodes[0].Lost = append(nodes[0].Lost, "encoder")
	}
	if c.JSON {
		return json.NewEncoder(e.Out).Encode(exported{f.name, nodes, c.DT, c.Out})
	}
	if err := printNodes(e.Out, "NOT IN THE FILE", nodes); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.Out, "\n%s: what is not in the file must be given where it is read.\n", c.Out)
	return err
}
