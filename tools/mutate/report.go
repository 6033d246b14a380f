package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// report writes a table with a line a package, and a list of the faults that
// no test noticed.
func report(w io.Writer, trials map[string]Trial) error {
	const all = ""                              // sorts first
	count := map[string]map[string]int{all: {}} // package, status
	list := slices.SortedFunc(maps.Values(trials), func(a, b Trial) int {
		return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Key(), b.Key()))
	})
	for _, t := range list {
		if count[t.Package] == nil {
			count[t.Package] = map[string]int{}
		}
		count[t.Package][t.Status]++
		count[all][t.Status]++
	}
	names := append(slices.Sorted(maps.Keys(count))[1:], all)
	fmt.Fprintf(w, "\n| package | faults | noticed | survived | score |\n|---|---|---|---|---|\n")
	for _, name := range names {
		n := count[name]
		noticed, survived := n[Killed]+n[Timeout], n[Survived]+n[Bare]
		if noticed+survived > 0 {
			fmt.Fprintf(w, "| %s | %d | %d | %d | %.1f %% |\n", cmp.Or(name, "all"), noticed+survived, noticed, survived, 100*float64(noticed)/float64(noticed+survived))
		}
	}
	fmt.Fprintf(w, "\n%d did not compile, %d did not end, of %d no test calls the function.\n\n", count[all][Invalid], count[all][Timeout], count[all][Bare])
	for _, t := range list {
		if t.survived() {
			fmt.Fprintf(w, "- %s/%s:%d, %s: `%s` → `%s` (%s)\n", t.Package, t.File, t.Line, t.Kind, short(t.Old), short(t.New), t.Status)
		}
	}
	return nil
}

// short is a text on one line, cut where it is long.
func short(text string) string {
	const most = 90
	r := []rune(strings.Join(strings.Fields(text), " "))
	if len(r) > most {
		return string(r[:most]) + " …"
	}
	return string(r)
}
