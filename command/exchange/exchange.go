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

// Usage is a mistake in what was asked for.
type Usage struct{ Err error }

func (e Usage) Error() string { return e.Err.Error() }

// Unwrap is the mistake.
func (e Usage) Unwrap() error { return e.Err }

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
	write   func(c *Export, g network.Graph, m *catalog.Model) ([]node, error)
	chosen  string // by import, where the file does not say
}

// formats are those that import and export know.
var formats = []format{
	{"nir", []string{".nir", ".h5", ".hdf5"}, readNIR, writeNIR, " The file does not say how, so the surrogate is fast-sigmoid."},
	{"onnx", []string{".onnx"}, readONNX, writeONNX, ""},
	{"darknet", []string{".cfg"}, nil, writeDarknet, ""}, // Import.darknet reads it: it says its samples itself
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
	switch strings.ToLower(filepath.Ext(path)) {
	case ".pt", ".pth", ".bin", ".ckpt":
		return format{}, fmt.Errorf("%s: a file of PyTorch may run programs when it is read: write the weights in Python by safetensors.torch.save_file(net.state_dict(), \"net.safetensors\")", path)
	}
	return format{}, fmt.Errorf("%s: expected a file that ends in %s; rename it", path, strings.Join(known, ", "))
}

// widest is the longest text of what is said of a node that stands on one line.
const widest = 60

// printNodes prints the table of nodes for people.
func printNodes(out io.Writer, lost string, nodes []node) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NODE\tKIND\tBECAME\t"+lost)
	for _, n := range nodes {
		lines := []string{strings.Join(n.Lost, ", ")}
		if len(lines[0]) > widest {
			lines = n.Lost
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", sample.Printable(n.Name), sample.Printable(n.Kind), sample.Printable(n.LoweredTo), lines[0])
		for _, line := range lines[1:] {
			fmt.Fprintf(w, "\t\t\t%s\n", line)
		}
	}
	return w.Flush()
}
