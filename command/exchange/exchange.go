// Package exchange holds the verbs by which networks come from other frameworks, go there, and are
// checked for what their files mean.
package exchange

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"synfire/catalog"
	"synfire/data"
	"synfire/network"
	"synfire/sample"
)

// Env is what the verbs work with.
type Env struct {
	Context context.Context
	Catalog catalog.Catalog
	Out     io.Writer
	Data    func(dir string) data.Options
}

// Exit ends the command with a code and nothing more to say.
type Exit int

func (e Exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// node is a node in the JSON of the verbs, and what did not come along.
type node struct {
	Name      string   `json:"name"`
	Kind      string   `json:"kind"`
	LoweredTo string   `json:"lowered_to"`
	Lost      []string `json:"lost"`
}

func newNode(name, kind, to string, lost []string) node {
	return node{name, kind, to, append([]string{}, lost...)} // [] in JSON, not null
}

// format is a kind of files of networks, known by their endings.
type format struct {
	name    string
	endings []string
	read    func(c *Import) (network.Graph, []node, error)
	write   func(c *Export, g network.Graph, steps int) ([]node, error)
	chosen  string // by import, where the file does not say
}

// formats are those that import and export know.
var formats = []format{
	{"nir", []string{".nir", ".h5", ".hdf5"}, readNIR, writeNIR, " The file does not say how, so the surrogate is fast-sigmoid."},
	{"onnx", []string{".onnx"}, readONNX, writeONNX, ""},
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

// printNodes prints the table of nodes for people.
func printNodes(out io.Writer, lost string, nodes []node) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NODE\tKIND\tBECAME\t"+lost)
	for _, n := range nodes {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", sample.Printable(n.Name), sample.Printable(n.Kind), sample.Printable(n.LoweredTo), strings.Join(n.Lost, ", "))
	}
	return w.Flush()
}
