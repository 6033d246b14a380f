package exchange

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"synfire/catalog"
	"synfire/exchange/torch"
	"synfire/format/safetensors"
	"synfire/internal/limit"
	"synfire/model"
	"synfire/network"
	"synfire/rule/bptt"
)

// weights imports the weights of a PyTorch network into one that a file describes.
func (c *Import) weights(e Env) error {
	if c.Network == "" {
		return Usage{errors.New("import: a file of weights does not say how its modules are connected: describe the network in a YAML file, as for train, and give it by --network, in place of --data")}
	}
	if c.readings != (readings{}) || c.Encoder != "" || c.Steps != 0 || c.Pad != 0 || len(c.Shape) > 0 {
		return Usage{fmt.Errorf("import: %s says the encoder, steps and neurons: leave out --encoder, --steps, --pad and what is for NIR and ONNX", c.Network)}
	}
	cfg, rule, names, err := c.described(e)
	if err != nil {
		return Usage{err}
	}
	cfg, sets, err := c.prepare(e, cfg)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	g, err := rule.Graph(cfg.Setting(sets, nil))
	if err == nil {
		_, err = g.Outline()
	}
	if err != nil {
		return fmt.Errorf("import: %s: %w", c.Network, err)
	}
	g, nodes, err := c.load(g, names)
	if err != nil {
		return fmt.Errorf("import %s: %w", c.File, err)
	}
	stands, arrays, err := bptt.NewGraph(g)
	if err != nil {
		return fmt.Errorf("import %s: %w", c.File, err)
	}
	rule.Layers = stands.Layers
	cfg.Rule = rule
	if err := c.write(e, bptt.Kind, cfg, sets, arrays); err != nil {
		return err
	}
	return c.report(e, "CONVERTED, ASSUMED", "", imported{Format: "safetensors", Nodes: nodes, Steps: cfg.Steps, Model: c.Out})
}

// described reads the network and, where there is one, the file of names. Which samples the weights
// were learned from nobody knows: none count as held out.
func (c *Import) described(e Env) (cfg model.Config, rule bptt.Rule, names torch.Names, err error) {
	src, err := limit.ReadPath(c.Network, model.MaxConfig)
	if err != nil {
		return cfg, rule, names, fmt.Errorf("import: %w", err)
	}
	if cfg, err = e.Catalog.Decode(c.Network, src); err != nil {
		return cfg, rule, names, err
	}
	catalog.Relative(&cfg.Data, filepath.Dir(c.Network))
	if cfg.Init != "" || cfg.Convert != nil {
		return cfg, rule, names, fmt.Errorf("import: %s starts from another model, and the weights are those of %s: leave out init and convert", c.Network, c.File)
	}
	cfg.Valid, cfg.Patience = 0, 0
	rule, ok := cfg.Rule.(bptt.Rule)
	if !ok {
		return cfg, rule, names, fmt.Errorf("import: %s has rule %s, want layers of bptt; leave rule out", c.Network, e.Catalog.RuleName(cfg.Rule))
	}
	if c.Names == "" {
		return cfg, rule, names, nil
	}
	text, err := limit.ReadPath(c.Names, torch.MaxNames)
	if err != nil {
		return cfg, rule, names, fmt.Errorf("import: %w", err)
	}
	names, err = torch.DecodeNames(c.Names, text)
	return cfg, rule, names, err
}

// load gives a network the arrays of the file.
func (c *Import) load(g network.Graph, names torch.Names) (network.Graph, []node, error) {
	info, err := os.Stat(c.File)
	switch {
	case err != nil:
		return g, nil, err
	case !info.Mode().IsRegular(): // to open a pipe would wait for its writer
		return g, nil, errors.New("it is a folder, a pipe or a device, want a file; name the file of weights")
	}
	f, err := os.Open(c.File)
	if err != nil {
		return g, nil, err
	}
	defer f.Close()
	if h, err := safetensors.ReadFileHeader(c.File, safetensors.Limits{}); err == nil && strings.HasPrefix(h.Meta["format"], "synfire ") {
		return g, nil, errors.New("it is a model of this program: eval and predict take it as it is")
	}
	w, err := torch.Open(f, info.Size())
	if err != nil {
		return g, nil, err
	}
	g, report, err := torch.Load(g, w, names)
	var nodes []node
	for _, l := range report {
		nodes = append(nodes, newNode(l.Module, l.Kind, l.To, l.Notes))
	}
	return g, nodes, err
}
