// Package torch loads the weights of PyTorch networks, such as those of snnTorch, SpikingJelly and
// Norse, into a network that is described here. In Python they are written by
//
//	safetensors.torch.save_file(net.state_dict(), "net.safetensors")
//
// Such a file has arrays by the names of modules and nothing of how these are connected, so the
// network is given, and Names say which module a layer of it is:
//
//	names:                       # a layer here: the module there
//	  conv2d1: conv
//	  linear1: fc
//	neurons:                     # a layer here: its neuron, with the options that it has there
//	  spiking1: {kind: LIFNode, tau: 2.0, v_reset: null}
//	ignore: [aux.weight]         # arrays that nothing here takes
//
// Without names the modules are found by their shapes, and where several of one shape differ by a
// number in their names, by that number; anything else is an error that says what could not be
// told apart.
//
// Layouts are converted. With o, i for channels out and in, y, x for the places of a kernel,
//
//	Linear       [o, i]        becomes  [i, o]
//	Conv2d       [o, i, y, x]  becomes  [y, x, i, o]
//	BatchNorm    weight, bias, running_mean, running_var  become  gamma, beta, mean, variance
//	recurrent    [to, from]    becomes  [from, to]
//
// Images are channels last here. Behind a flatten the rows of the next linear map are exchanged
// accordingly.
//
// Neurons of other programs become those of package neuron, as the methods of the Neuron types say;
// what was assumed is in the report.
package torch

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"synfire/format/safetensors"
	"synfire/format/yaml"
	"synfire/internal/suggest"
	"synfire/network"
)

// MaxNames is the most bytes that a file of Names has.
const MaxNames = 256 << 10

// Names say what a network of PyTorch calls the layers of one here.
type Names struct {
	Names   map[string]string `yaml:"names,omitempty"`   // of a layer, or of one of its arrays as linear1.weight, what it is called there
	Neurons map[string]Neuron `yaml:"neurons,omitempty"` // of a layer of neurons what they are there
	Ignore  []string          `yaml:"ignore,omitempty"`  // arrays that are left out
}

// DecodeNames reads Names from a YAML document; the name stands in errors.
func DecodeNames(name string, src []byte) (Names, error) {
	var n Names
	err := yaml.Decode(name, src, &n, kinds())
	return n, err
}

// Validate returns an error for a layer of which no neuron is said.
func (n Names) Validate() error {
	for _, name := range slices.Sorted(maps.Keys(n.Neurons)) {
		if n.Neurons[name] == nil {
			return fmt.Errorf("neurons: %q has no value, want a neuron such as {kind: LIFNode, tau: 2.0}; leave it out to keep that of the network", name)
		}
	}
	return nil
}

// Loaded says what became of a module.
type Loaded struct {
	Module string   // its name in the file
	Kind   string   // what it is there
	To     string   // the layer here
	Notes  []string // how it was converted, and what was assumed
}

// File is a file of arrays that was opened and not read.
type File struct {
	r      io.ReaderAt
	places map[string]safetensors.Place
	used   map[string]int // how often an array was read
}

// Open reads the header of a safetensors file of so many bytes.
func Open(r io.ReaderAt, size int64) (*File, error) {
	places, err := safetensors.Index(r, size, safetensors.Limits{})
	if err != nil {
		return nil, fmt.Errorf("torch: %w", err)
	}
	return &File{r: r, places: places, used: map[string]int{}}, nil
}

// Load gives a network the arrays of a file, and the neurons that it has there. The graph's own
// arrays are not read. Where no names are given they are guessed, which the report says. Arrays that are
// missing, and those of the file that nothing takes, are an error that lists them.
func Load(g network.Graph, f *File, names Names) (network.Graph, []Loaded, error) {
	out, report, err := load(g, f, names)
	if err != nil {
		return network.Graph{}, nil, fmt.Errorf("torch: %w", err)
	}
	return out, report, nil
}

func load(g network.Graph, f *File, names Names) (network.Graph, []Loaded, error) {
	clear(f.used)
	for i := range g.Nodes {
		g.Nodes[i].Arrays = nil
	}
	net, err := g.Outline()
	if err != nil {
		return g, nil, err
	}
	l := &loading{file: f, infos: net.Nodes(), spare: map[string]bool{}}
	if l.orders, err = orders(l.infos, net.Outputs()); err != nil {
		return g, nil, err
	}
	if err := l.known(names); err != nil {
		return g, nil, err
	}
	l.names = names
	if len(names.Names) == 0 {
		if l.names.Names, l.how, err = l.guess(); err != nil {
			return g, nil, err
		}
	}
	g = net.Graph()
	for i := range g.Nodes {
		if err := l.node(i, &g.Nodes[i]); err != nil {
			return g, nil, fmt.Errorf("layer %s: %w", g.Nodes[i].Name, err)
		}
	}
	if err := l.left(); err != nil {
		return g, nil, err
	}
	_, err = g.Outline()
	return g, l.report, err
}

// loading is the state of Load.
type loading struct {
	file    *File
	infos   []network.Info
	orders  [][]int // of each node its output's, see orders
	names   Names
	how     map[string]string // of a layer how its module was guessed
	spare   map[string]bool   // arrays that need not be taken
	missing []string
	report  []Loaded
}

// known returns an error for names of layers and arrays that there are not.
func (l *loading) known(names Names) error {
	if err := names.Validate(); err != nil {
		return err
	}
	var all []string
	for _, n := range l.infos {
		all = append(all, n.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(names.Names)) {
		layer, role, one := strings.Cut(name, ".")
		i := slices.Index(all, layer)
		if i < 0 {
			return fmt.Errorf("names: no layer %q: %s", name, suggest.Names("layers", layer, all))
		}
		if one {
			if err := l.knownRole(i, role); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names.Neurons)) {
		if !slices.Contains(all, name) {
			return fmt.Errorf("neurons: no layer %q: %s", name, suggest.Names("layers", name, all))
		}
	}
	for _, name := range names.Ignore {
		if _, ok := l.file.places[name]; !ok {
			return fmt.Errorf("ignore: the file has no array %q: %s", name, suggest.Names("arrays", name, slices.Sorted(maps.Keys(l.file.places))))
		}
	}
	return nil
}

// knownRole returns an error where node i takes no array of that role from the file.
func (l *loading) knownRole(i int, role string) error {
	slots, _, err := l.slots(i)
	if err != nil {
		return fmt.Errorf("layer %s: %w", l.infos[i].Name, err)
	}
	var roles []string
	for _, s := range slots {
		roles = append(roles, s.role)
	}
	switch {
	case slices.Contains(roles, role):
		return nil
	case len(roles) == 0:
		return fmt.Errorf("names: layer %s takes no array %q; name its module, without a dot", l.infos[i].Name, role)
	}
	return fmt.Errorf("names: layer %s takes no array %q: %s", l.infos[i].Name, role, suggest.Names("arrays", role, roles))
}

// node gives a node its arrays and its neuron.
func (l *loading) node(i int, nd *network.GraphNode) error {
	slots, kind, err := l.slots(i)
	if err != nil {
		return err
	}
	r := Loaded{Module: l.names.Names[nd.Name], Kind: kind, To: nd.Name}
	if how, ok := l.how[nd.Name]; ok {
		r.Notes = append(r.Notes, how)
	}
	for _, s := range slots {
		if err := l.take(s, nd, &r); err != nil {
			return err
		}
	}
	r.Notes = append(r.Notes, l.remarks(i)...)
	if err := l.neuron(i, nd, &r); err != nil {
		return err
	}
	if r.Kind != "" {
		l.report = append(l.report, r)
	}
	return nil
}

// left returns an error that lists the arrays which are missing, and those that nothing took.
func (l *loading) left() error {
	var unused []string
	for _, name := range slices.Sorted(maps.Keys(l.file.places)) {
		ignored := slices.Contains(l.names.Ignore, name)
		switch used := l.file.used[name] > 0; {
		case used && ignored:
			return fmt.Errorf("ignore: %q is taken by a layer, and to be left out; say one of both", name)
		case !used && !ignored && !l.spare[name]:
			unused = append(unused, l.file.describe(name))
		}
	}
	var parts []string
	if len(l.missing) > 0 {
		parts = append(parts, "the file lacks "+listed(l.missing))
	}
	if len(unused) > 0 {
		parts = append(parts, "nothing here takes "+listed(unused))
	}
	if len(parts) == 0 {
		return nil
	}
	return errors.New(strings.Join(parts, "; ") + "; say under names what they are called, list under ignore what is left out, or give a layer no-bias: true that has none there")
}
