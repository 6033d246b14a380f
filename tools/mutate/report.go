package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// tally counts what became of faults. What no test calls has survived too.
type tally struct{ all, killed, timeout, survived, bare int }

func (t *tally) add(status string) {
	switch status {
	case Killed:
		t.killed++
	case Timeout:
		t.timeout++
	case Survived:
		t.survived++
	case Bare:
		t.bare++
	default:
		return
	}
	t.all++
}

// score is the share of faults noticed, in percent.
func (t tally) score() float64 { return 100 * float64(t.killed+t.timeout) / float64(t.all) }

// report writes a table with a line a package, and a list of the faults that
// no test noticed.
func report(w io.Writer, trials map[string]Trial) error {
	of, total := map[string]*tally{}, tally{}
	for _, t := range trials {
		if t.Status == Invalid {
			continue
		}
		if of[t.Package] == nil {
			of[t.Package] = &tally{}
		}
		of[t.Package].add(t.Status)
		total.add(t.Status)
	}
	if total.all == 0 {
		return fmt.Errorf("the log has no faults that compile; run mutate without -report first")
	}
	fmt.Fprintf(w, "\n| package | faults | noticed | by no end | survived | not called | score |\n|---|---|---|---|---|---|---|\n")
	line := func(name string, t tally) {
		fmt.Fprintf(w, "| %s | %d | %d | %d | %d | %d | %.1f %% |\n", name, t.all, t.killed+t.timeout, t.timeout, t.survived, t.bare, t.score())
	}
	for _, name := range slices.Sorted(maps.Keys(of)) {
		line(name, *of[name])
	}
	line("all", total)
	fmt.Fprintln(w)
	list := slices.SortedFunc(maps.Values(trials), func(a, b Trial) int {
		return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Key(), b.Key()))
	})
	for _, t := range list {
		if t.Status == Survived || t.Status == Bare {
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
