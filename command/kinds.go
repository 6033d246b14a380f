package command

import (
	"encoding/json"
	"fmt"
)

type kindsCmd struct {
	Name string `arg:"" optional:"" help:"Name of a kind, as lif, or of what they are: rule, task, source, layer, neuron, …"`
	JSON bool   `help:"Print JSON."`
}

// Help is the verb's longer help.
func (kindsCmd) Help() string {
	return `Lists what a YAML file may name. With a name, what that kind computes, and its keys
with their defaults.

  synfire kinds
  synfire kinds neuron
  synfire kinds lif`
}

// Run lists kinds.
func (c *kindsCmd) Run(a *app) error {
	list, err := a.Catalog.Described(c.Name)
	if err != nil {
		return usageError{fmt.Errorf("kinds: %w", err)}
	}
	if c.JSON {
		return json.NewEncoder(a.out).Encode(list)
	}
	if c.Name == "" || list[0].Of == c.Name {
		return a.Kinds(list, a.Name)
	}
	for i, k := range list {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		if err := a.Kind(k); err != nil {
			return err
		}
	}
	return nil
}
