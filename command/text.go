package command

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"synfire/internal/suggest"
)

// The terminal's styles, by the codes that follow the reader's own theme.
const (
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	plain  = "\x1b[0m"
)

// style is text in a style, where the output shows any.
func (a *app) style(code, text string) string {
	if !a.color || code == "" || text == "" {
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
	return 0, fmt.Errorf("%s: no %s %q: %s", verb, what, name, suggest.Names(what+"s", name, known))
}

// names is the name of each item.
func names[T any](items []T, name func(T) string) (list []string) {
	for _, item := range items {
		list = append(list, name(item))
	}
	return list
}
