package command

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"synfire/catalog"
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
		return a.kindList(list)
	}
	for i, k := range list {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		if err := a.kind(k); err != nil {
			return err
		}
	}
	return nil
}

// kindList prints the names, with the beginning of what is said of each.
func (a *app) kindList(list []catalog.KindInfo) error {
	of := ""
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, k := range list {
		if k.Of != of {
			if of != "" {
				fmt.Fprintln(w)
			}
			of = k.Of
			fmt.Fprintf(w, "%s\n", strings.ToUpper(of))
		}
		first, _, _ := strings.Cut(k.Doc, "\n\n")
		fmt.Fprintf(w, "  %s\t%s\n", k.Kind, shorten(first, max(20, a.width-26)))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.out, "\nOne with its keys and equations: %s kinds NAME\n", a.Name)
	return err
}

// kind prints all that is said of one.
func (a *app) kind(k catalog.KindInfo) error {
	fmt.Fprintf(a.out, "%s  %s, Go type %s\n", a.style(bold, k.Kind), k.Of, k.Source)
	for _, p := range strings.Split(k.Doc, "\n\n") {
		fmt.Fprintln(a.out)
		if strings.HasPrefix(p, "\t") { // equations keep their lines
			fmt.Fprintln(a.out, "    "+strings.ReplaceAll(strings.TrimSpace(p), "\n\t", "\n    "))
			continue
		}
		a.paragraph(2, p)
	}
	if len(k.Keys) == 0 {
		_, err := fmt.Fprintln(a.out, "\n  no keys")
		return err
	}
	fmt.Fprintln(a.out)
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  KEY\tTYPE\tDEFAULT\tWHAT")
	for _, key := range k.Keys {
		value := "–"
		if key.Required {
			value = "required"
		} else if raw, err := json.Marshal(key.Default); err == nil && key.Default != nil {
			value = shorten(string(raw), 40)
		}
		what, _, _ := strings.Cut(key.Doc, "\n\n")
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", key.Name, shorten(key.Type, 40), value, strings.Join(strings.Fields(what), " "))
	}
	return w.Flush()
}
