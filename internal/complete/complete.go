// Package complete is completion in shells for a command line that kong parses: the scripts
// that shells read, and the words that may follow those typed so far.
package complete

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Scripts are what a shell reads when it starts, by its name. They call the command's verb
// complete.
var Scripts = map[string]string{
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

// Words are the words that begin as the last one does and may stand there; none where a
// file may. values are those that an argument or a flag of a verb may have.
func Words(node *kong.Node, words []string, values func(node *kong.Node, v *kong.Value) []string) []string {
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
		known = values(node, value.Value)
	case strings.HasPrefix(last, "-"):
		known = flags(node)
	case len(node.Children) > 0:
		for _, n := range node.Children {
			if !n.Hidden {
				known = append(known, n.Name)
			}
		}
	case place < len(node.Positional):
		known = values(node, node.Positional[place])
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
