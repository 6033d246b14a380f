package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The terminal's styles, by the codes that follow the reader's own theme.
const (
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	plain  = "\x1b[0m"
)

// style is text in a style, where the output shows any.
func (a *app) style(code, text string) string {
	if !a.color || code == "" {
		return text
	}
	return code + text + plain
}

// paragraph prints text in lines of the terminal's width, indented.
func (a *app) paragraph(indent int, text string) {
	for _, line := range wrap(text, a.width-indent) {
		fmt.Fprintf(a.out, "%*s%s\n", indent, "", line)
	}
}

// wrap breaks text between words into lines of at most width columns; a word
// that is longer has a line of its own.
func wrap(text string, width int) (lines []string) {
	for _, word := range strings.Fields(text) {
		last := len(lines) - 1
		if last >= 0 && utf8.RuneCountInString(lines[last])+1+utf8.RuneCountInString(word) <= width {
			lines[last] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}

// choose is the place of a name among those that there are. Its error names the
// one that was probably meant, and all of them.
func choose(verb, what, name string, known []string) (int, error) {
	if i := slices.Index(known, name); i >= 0 {
		return i, nil
	}
	hint := ""
	if near := nearest(name, known); near != "" {
		hint = fmt.Sprintf("did you mean %q? ", near)
	}
	return 0, fmt.Errorf("%s: no %s %q; %sthere are: %s", verb, what, name, hint, strings.Join(known, ", "))
}

// nearest is the known name that a typing mistake probably meant: the closest by
// edits within a third of its length, or one that begins or ends so. It is "" where
// there is none.
func nearest(name string, known []string) string {
	best, least := "", len(name)+1
	for _, k := range known {
		d := edits(name, k)
		if len(name) >= 3 && (strings.HasPrefix(k, name) || strings.HasSuffix(k, name)) {
			d = min(d, 1)
		}
		if d < least && d <= max(1, len(k)/3) {
			best, least = k, d
		}
	}
	return best
}

// edits is the least number of letters to insert, remove, replace or swap with
// their neighbour that turns a into b.
func edits(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// names is the name of each item.
func names[T any](items []T, name func(T) string) (list []string) {
	for _, item := range items {
		list = append(list, name(item))
	}
	return list
}
