package yaml

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// shownErrors is how many lines Errors prints.
const shownErrors = 10

// Error is one complaint about a document.
type Error struct {
	File   string
	Line   int    // from 1; 0 where the complaint is not about a place in the document
	Column int    // in characters, from 1
	Path   string // such as layers[2].neuron.beta; empty for the document as a whole
	Msg    string // what is wrong: expected and found
	Hint   string // what to try, may be empty
	Err    error  // the cause, from Validate or UnmarshalText; else nil
}

// Error is one line: file:line:column: path: message; hint.
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File + ":")
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, "%d:%d:", e.Line, e.Column)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	b.WriteString(e.Msg)
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Errors is all that is wrong with a document, by line. At most 100 complaints
// are collected.
type Errors []*Error

// Error is a line for each of the first ten errors.
func (e Errors) Error() string {
	var lines []string
	for _, err := range e[:min(len(e), shownErrors)] {
		lines = append(lines, err.Error())
	}
	if rest := len(e) - shownErrors; rest > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", rest))
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find an *Error.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i := range e {
		all[i] = e[i]
	}
	return all
}

// log collects the errors of one document.
type log struct {
	file string
	errs Errors
}

func (l *log) add(at pos, p *path, msg, hint string, cause error) {
	if !l.full() {
		l.errs = append(l.errs, &Error{l.file, at.line, at.column, p.String(), msg, hint, cause})
	}
}

func (l *log) full() bool { return len(l.errs) >= maxErrors }

func (l *log) err() error {
	if len(l.errs) == 0 {
		return nil
	}
	slices.SortStableFunc(l.errs, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return l.errs
}

// path is a place in a document; nil is the document itself. It is a list, so
// that walking down costs nothing and only errors pay for the text.
type path struct {
	parent *path
	key    string
	index  int // of an element; -1 where key counts
}

func (p *path) child(key string) *path  { return &path{parent: p, key: key, index: -1} }
func (p *path) element(index int) *path { return &path{parent: p, index: index} }

func (p *path) String() string {
	if p == nil {
		return ""
	}
	parent := p.parent.String()
	switch {
	case p.index >= 0:
		return parent + "[" + strconv.Itoa(p.index) + "]"
	case !nameForm.MatchString(p.key):
		return parent + "[" + short(p.key) + "]"
	case parent == "":
		return p.key
	}
	return parent + "." + p.key
}

// short quotes s and cuts it where it is too long for a message.
func short(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}
