package command

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"synfire/data"
	"synfire/docs"
	"synfire/internal/complete"
	"synfire/neuron/dynamics"
	"synfire/recipe"
	"synfire/run"
)

type completionCmd struct {
	Shell string `arg:"" help:"bash, zsh or fish." enum:"bash,zsh,fish"`
}

// Help is the verb's longer help.
func (completionCmd) Help() string {
	return `Prints a script for the shell, to be read when it starts:

    bash   source <(synfire completion bash)             in ~/.bashrc
    zsh    source <(synfire completion zsh)              in ~/.zshrc, after compinit
    fish   synfire completion fish | source              in config.fish`
}

// completeCmd is what the scripts call: it prints what may follow.
type completeCmd struct {
	Words []string `arg:"" optional:"" passthrough:"" help:"The words after synfire, the last one being typed."`
}

// Run prints the script.
func (c *completionCmd) Run(a *app) error {
	_, err := fmt.Fprint(a.out, complete.Scripts[c.Shell])
	return err
}

// Run prints what the last word may become, a line each.
func (c *completeCmd) Run(a *app, k *kong.Context) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	for _, s := range complete.Words(k.Model.Node, words, a.values) {
		fmt.Fprintln(a.out, s)
	}
	return nil
}

// values are the values that an argument may have, nil where they are not known.
func (a *app) values(node *kong.Node, v *kong.Value) []string {
	if v.Enum != "" {
		return strings.Split(v.Enum, ",")
	}
	inData := node.Parent != nil && node.Parent.Name == "data"
	switch {
	case v.Name == "recipe" || v.Name == "file|recipe":
		return names(a.Recipes, func(r recipe.Recipe) string { return r.ID })
	case v.Name == "key":
		papers, _ := docs.Papers() // a test reads them
		return names(papers, func(p docs.Paper) string { return p.Key })
	case node.Name == "neuron" && v.Name == "name":
		return append(slices.Sorted(maps.Keys(a.Catalog.Neurons)), names(dynamics.Kinds(), func(k dynamics.Kind) string { return k.Name })...)
	case node.Name == "kinds":
		return a.Catalog.KindNames()
	case v.Name == "data" || inData && v.Name == "name":
		return names(a.Catalog.Datasets, func(d data.Dataset) string { return d.Name })
	case node.Parent != nil && node.Parent.Name == "runs":
		runs, _ := run.List("runs") // nothing to offer is no reason to complain
		return names(runs, func(r run.Info) string { return r.Name })
	}
	return nil
}
