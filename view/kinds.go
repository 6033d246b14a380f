package view

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"synfire/catalog"
)

// Kinds prints the names, with the beginning of what is said of each.
func (s Screen) Kinds(list []catalog.KindInfo, program string) error {
	of := ""
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	for _, k := range list {
		if k.Of != of {
			if of != "" {
				fmt.Fprintln(w)
			}
			of = k.Of
			fmt.Fprintf(w, "%s\n", strings.ToUpper(of))
		}
		first, _, _ := strings.Cut(k.Doc, "\n\n")
		if first == "" {
			first = "Go type " + k.Source
		}
		fmt.Fprintf(w, "  %s\t%s\n", k.Kind, Shorten(first, max(20, s.Width-26)))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.Out, "\nOne with its keys and equations: %s kinds NAME\n", program)
	return err
}

// Kind prints all that is said of one.
func (s Screen) Kind(k catalog.KindInfo) error {
	fmt.Fprintf(s.Out, "%s  %s, Go type %s\n", s.Style(Bold, k.Kind), k.Of, k.Source)
	for _, p := range strings.Split(k.Doc, "\n\n") {
		if p == "" {
			continue // of another module, whose comments this program does not have
		}
		fmt.Fprintln(s.Out)
		if strings.HasPrefix(p, "\t") { // equations keep their lines
			fmt.Fprintln(s.Out, "    "+strings.ReplaceAll(strings.TrimSpace(p), "\n\t", "\n    "))
			continue
		}
		s.Paragraph(2, p)
	}
	if len(k.Keys) == 0 {
		_, err := fmt.Fprintln(s.Out, "\n  no keys")
		return err
	}
	fmt.Fprintln(s.Out)
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	told := slices.ContainsFunc(k.Keys, func(key catalog.Key) bool { return key.Doc != "" })
	line := func(cells ...string) {
		if !told {
			cells = cells[:3]
		}
		fmt.Fprintf(w, "  %s\n", strings.TrimRight(strings.Join(cells, "\t"), "\t"))
	}
	line("KEY", "TYPE", "DEFAULT", "WHAT")
	for _, key := range k.Keys {
		value := "–"
		if key.Required {
			value = "required"
		} else if raw, err := json.Marshal(key.Default); err == nil && key.Default != nil {
			value = Shorten(string(raw), 40)
		}
		what, _, _ := strings.Cut(key.Doc, "\n\n")
		line(key.Name, Shorten(key.Type, 40), value, strings.Join(strings.Fields(what), " "))
	}
	return w.Flush()
}
