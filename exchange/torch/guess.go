package torch

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"synfire/layer"
	"synfire/network"
	"synfire/sample"
)

// guess finds the modules of the layers by the shapes of their arrays, and those of neurons by what
// snnTorch keeps of them. What is not plain is an error that lists what there is.
func (l *loading) guess() (found, how map[string]string, err error) {
	g := guessing{file: l.file, modules: l.file.modules(), taken: map[string]bool{}, found: map[string]string{}, how: map[string]string{}}
	for _, name := range l.names.Ignore {
		g.taken[name] = true
	}
	for i, n := range l.infos {
		slots, kind, err := l.slots(i)
		if err != nil {
			return nil, nil, fmt.Errorf("layer %s: %w", n.Name, err)
		}
		if len(slots) > 0 {
			g.wanted = append(g.wanted, wanted{n.Name, kind, slots})
		}
	}
	if err := g.byShape(); err != nil {
		return nil, nil, err
	}
	err = g.neurons(l.infos)
	return g.found, g.how, err
}

// modules are the names before the last dot of all arrays, in the order of the numbers in them.
func (f *File) modules() []string {
	seen := map[string]bool{}
	for name := range f.places {
		at := max(strings.LastIndexByte(name, '.'), 0)
		seen[name[:at]] = true
	}
	return slices.SortedFunc(maps.Keys(seen), natural)
}

var digits = regexp.MustCompile(`\d+`)

// natural compares names, numbers in them by their values.
func natural(a, b string) int {
	pad := func(s string) string {
		return digits.ReplaceAllStringFunc(s, func(n string) string { return fmt.Sprintf("%20s", n) })
	}
	return strings.Compare(pad(a), pad(b))
}

// wanted is a layer with the arrays that it needs.
type wanted struct {
	name  string
	kind  string
	slots []slot
}

type guessing struct {
	file    *File
	modules []string
	taken   map[string]bool // arrays that a layer has
	wanted  []wanted
	found   map[string]string // of a layer its module
	how     map[string]string // and what told it
}

// fits reports whether a module has all arrays of a layer.
func (g *guessing) fits(w wanted, module string) bool {
	for _, s := range w.slots {
		ok := s.optional
		for _, leaf := range s.names {
			if name := join(module, leaf); g.file.has(name) {
				ok = g.file.fits(name, s) && !g.taken[name]
				break
			}
		}
		if !ok {
			return false
		}
	}
	return true
}

// byShape gives each layer the one module that fits; layers for which the same modules fit get these
// by the numbers in their names, if they differ by nothing else and are as many.
func (g *guessing) byShape() error {
	for len(g.wanted) > 0 {
		before := len(g.wanted)
		for _, w := range slices.Clone(g.wanted) {
			fit := g.candidates(w)
			same := g.alike(w.kind, fit)
			switch {
			case len(fit) == 0:
				return fmt.Errorf("no module of the file has what layer %s needs, %s; it has %s; mend the layer (out, kernel, groups, no-bias), or write a file of names", w.name, w.describe(), g.file.list())
			case len(fit) == len(same) && numbered(fit):
				for i, one := range same {
					g.give(one, fit[i], len(fit))
				}
			}
			if len(g.wanted) < before {
				break
			}
		}
		if len(g.wanted) == before {
			w := g.wanted[0]
			return fmt.Errorf("layer %s could be any of %s, and the numbers in their names do not tell which; say so in a file of names", w.name, listedNames(g.candidates(w)))
		}
	}
	return nil
}

func (g *guessing) candidates(w wanted) (fit []string) {
	for _, m := range g.modules {
		if g.fits(w, m) {
			fit = append(fit, m)
		}
	}
	return fit
}

// alike are the layers of a kind for which exactly these modules fit, in the order of the network.
func (g *guessing) alike(kind string, fit []string) (same []wanted) {
	for _, w := range g.wanted {
		if w.kind == kind && slices.Equal(g.candidates(w), fit) {
			same = append(same, w)
		}
	}
	return same
}

// numbered reports whether names are the same but for numbers.
func numbered(names []string) bool {
	for _, n := range names {
		if digits.ReplaceAllString(n, "#") != digits.ReplaceAllString(names[0], "#") {
			return false
		}
	}
	return true
}

// give gives a layer a module, one of so many that have its shapes.
func (g *guessing) give(w wanted, module string, of int) {
	g.found[w.name], g.how[w.name] = module, "the module was found by its shapes"
	if of > 1 {
		g.how[w.name] = fmt.Sprintf("of the %d modules with its shapes it was taken by the number in its name", of)
	}
	g.wanted = slices.DeleteFunc(g.wanted, func(o wanted) bool { return o.name == w.name })
	for _, s := range w.slots {
		for _, leaf := range s.names {
			g.taken[join(module, leaf)] = true
		}
	}
}

func (w wanted) describe() string {
	var parts []string
	for _, s := range w.slots {
		parts = append(parts, fmt.Sprintf("%s %v", s.names[0], s.there()))
	}
	return strings.Join(parts, ", ")
}

// most is how many names an error lists.
const most = 20

// listed are the first of many texts, and how many more there are.
func listed(parts []string) string {
	if len(parts) == 0 {
		return "nothing"
	}
	text := strings.Join(parts[:min(most, len(parts))], ", ")
	if len(parts) > most {
		text += fmt.Sprintf(" and %d more", len(parts)-most)
	}
	return text
}

// listedNames are names of modules for people.
func listedNames(modules []string) string {
	var parts []string
	for _, m := range modules {
		parts = append(parts, sample.Printable(m))
	}
	return listed(parts)
}

// list is what the file has.
func (f *File) list() string {
	var parts []string
	for _, name := range slices.SortedFunc(maps.Keys(f.places), natural) {
		parts = append(parts, f.describe(name))
	}
	return listed(parts)
}

// describe is the name of an array with its shape.
func (f *File) describe(name string) string {
	return fmt.Sprintf("%s %v", sample.Printable(name), f.places[name].Shape)
}

// neurons gives populations, in order, the modules in which snnTorch keeps neurons.
func (g *guessing) neurons(infos []network.Info) error {
	var modules, populations []string
	for _, m := range g.modules {
		if g.file.has(join(m, "reset_mechanism_val")) {
			modules = append(modules, m)
		}
	}
	for _, n := range infos {
		switch n.Layer.(type) {
		case layer.Spiking, layer.Recurrent:
			populations = append(populations, n.Name)
		}
	}
	switch {
	case len(modules) == 0:
		return nil
	case len(modules) != len(populations) || !numbered(modules):
		return fmt.Errorf("the file has the neurons %s for the layers %s: their names do not say which is which; write a file of names", listedNames(modules), listed(populations))
	}
	for i, name := range populations {
		g.found[name], g.how[name] = modules[i], "the module was found by the number in its name"
		if len(modules) == 1 {
			g.how[name] = "the module is the one with a neuron"
		}
	}
	return nil
}
