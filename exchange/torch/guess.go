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
func (l *loading) guess() (map[string]string, error) {
	g := guessing{file: l.file, modules: l.file.modules(), taken: map[string]bool{}, found: map[string]string{}}
	for _, name := range l.names.Ignore {
		g.taken[name] = true
	}
	for i, n := range l.infos {
		slots, kind, err := l.slots(i)
		if err != nil {
			return nil, fmt.Errorf("layer %s: %w", n.Name, err)
		}
		if len(slots) > 0 {
			g.wanted = append(g.wanted, wanted{n.Name, kind, slots})
		}
	}
	if err := g.byShape(); err != nil {
		return nil, err
	}
	err := g.neurons(l.infos)
	return g.found, err
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
	found   map[string]string
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
				return fmt.Errorf("no module of the file has what layer %s needs, %s; it has %s", w.name, w.describe(), listed(g.modules))
			case len(fit) == len(same) && numbered(fit):
				for i, one := range same {
					g.give(one, fit[i])
				}
			}
			if len(g.wanted) < before {
				break
			}
		}
		if len(g.wanted) == before {
			w := g.wanted[0]
			return fmt.Errorf("layer %s could be any of %s, and the numbers in their names do not tell which; say so in a file of names", w.name, listed(g.candidates(w)))
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

func (g *guessing) give(w wanted, module string) {
	g.found[w.name] = module
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

// listed are names of modules for people.
func listed(modules []string) string {
	var parts []string
	for _, m := range modules {
		parts = append(parts, sample.Printable(m))
	}
	return strings.Join(parts, ", ")
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
		return fmt.Errorf("the file has the neurons %s for the layers %s: their names do not say which is which; write a file of names", listed(modules), strings.Join(populations, ", "))
	}
	for i, name := range populations {
		g.found[name] = modules[i]
	}
	return nil
}
