package command

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"synfire/data"
	"synfire/docs"
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

var completionScripts = map[string]string{
	"bash": `_synfire() {
    local IFS=$'\n' word="${COMP_WORDS[COMP_CWORD]}"
    COMPREPLY=($(synfire complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
    [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
}
complete -o filenames -F _synfire synfire
`,
	"zsh": `_synfire() {
    local -a found
    found=(${(f)"$(synfire complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)"})
    if (( ${#found} )); then compadd -a found; else _files; fi
}
compdef _synfire synfire
`,
	"fish": `function __synfire_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l found (synfire complete -- $words[2..-1] 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c synfire -f -a '(__synfire_complete)'
`,
}

// Run prints the script.
func (c *completionCmd) Run(a *app) error {
	_, err := fmt.Fprint(a.out, completionScripts[c.Shell])
	return err
}

// Run prints what the last word may become, a line each.
func (c *completeCmd) Run(a *app, k *kong.Context) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	for _, s := range a.completions(k.Model.Node, words) {
		fmt.Fprintln(a.out, s)
	}
	return nil
}

// completions are the words that begin as the last one does and may stand there;
// none where a file may.
func (a *app) completions(node *kong.Node, words []string) []string {
	last := ""
	if len(words) > 0 {
		last, words = words[len(words)-1], words[:len(words)-1]
	}
	place := 0           // of the positional argument
	var value *kong.Flag // whose value comes next
	for _, w := range words {
		value = valueFlag(node, w)
		child := slices.IndexFunc(node.Children, func(n *kong.Node) bool { return n.Name == w })
		switch {
		case child >= 0:
			node, place = node.Children[child], 0
		case !strings.HasPrefix(w, "-"):
			place++
		}
	}
	var known []string
	switch {
	case value != nil:
		known = a.values(node, value.Value)
	case strings.HasPrefix(last, "-"):
		known = flags(node)
	case len(node.Children) > 0:
		for _, n := range node.Children {
			if !n.Hidden {
				known = append(known, n.Name)
			}
		}
	case place < len(node.Positional):
		known = a.values(node, node.Positional[place])
	}
	return slices.DeleteFunc(known, func(s string) bool { return !strings.HasPrefix(s, last) })
}

// valueFlag is the flag that a word is, if its value is the word after it.
func valueFlag(node *kong.Node, word string) *kong.Flag {
	for n := node; n != nil; n = n.Parent {
		for _, f := range n.Flags {
			if "--"+f.Name == word && !f.IsBool() {
				return f
			}
		}
	}
	return nil
}

func flags(node *kong.Node) (names []string) {
	for n := node; n != nil; n = n.Parent {
		for _, f := range n.Flags {
			if !f.Hidden {
				names = append(names, "--"+f.Name)
			}
		}
	}
	return names
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
		return slices.Sorted(maps.Keys(a.Catalog.Neurons))
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
