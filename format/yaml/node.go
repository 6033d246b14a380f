package yaml

import (
	"regexp"
	"strings"
)

// pos is a place in the text; both count from 1.
type pos struct{ line, column int }

type nodeKind int

const (
	invalid  nodeKind = iota // an error has been reported for it
	null                     // text: empty where nothing is written
	boolean                  // text: true or false
	integer                  // text: as written
	float                    // text: as written
	text                     // text: the string
	mapping                  // entries
	sequence                 // items
)

// node is a value of a document. Aliases share the node of their anchor, so it
// must not be changed once it is built.
type node struct {
	pos
	kind    nodeKind
	text    string
	entries []entry
	items   []*node
	size    int // number of values in it, itself and those behind aliases included
	height  int // 0 for a scalar
}

type entry struct {
	pos
	key   string
	value *node
}

func newScalar(at pos, kind nodeKind, s string) *node {
	return &node{pos: at, kind: kind, text: s, size: 1}
}

func newMapping(at pos, entries []entry) *node {
	n := &node{pos: at, kind: mapping, entries: entries, size: 1}
	for _, e := range entries {
		n.enclose(e.value)
	}
	return n
}

func newSequence(at pos, items []*node) *node {
	n := &node{pos: at, kind: sequence, items: items, size: 1}
	for _, item := range items {
		n.enclose(item)
	}
	return n
}

func (n *node) enclose(child *node) {
	n.size += child.size
	n.height = max(n.height, child.height+1)
}

func (n *node) isScalar() bool {
	return n.kind == boolean || n.kind == integer || n.kind == float || n.kind == text
}

// at is the value of a key or index, nil where there is none.
func (n *node) at(step any) *node {
	if i, ok := step.(int); ok && i >= 0 && i < len(n.items) {
		return n.items[i]
	}
	for _, e := range n.entries {
		if e.key == step {
			return e.value
		}
	}
	return nil
}

// describe is how a message names what was found.
func (n *node) describe() string {
	switch n.kind {
	case null:
		return "no value"
	case boolean:
		return "the boolean " + n.text
	case integer:
		return "the integer " + cut(n.text)
	case float:
		return "the number " + cut(n.text)
	case text:
		return "the string " + short(n.text)
	case mapping:
		return "a mapping"
	}
	return "a sequence"
}

// cut is short without quotes, for text that needs none.
func cut(s string) string {
	return strings.Trim(short(s), `"`)
}

var (
	integerForm = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*|0o[0-7]+|0x[0-9a-fA-F]+)$`)
	floatForm   = regexp.MustCompile(`^[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	specialForm = regexp.MustCompile(`^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
	plainForm   = regexp.MustCompile(`^([A-Za-z_./][A-Za-z0-9_./+-]*( [A-Za-z0-9_./+-]+)*|([0-9.]+[a-z]+)+)$`) // words, or durations
	nameForm    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
)

// plainKind is the type of an unquoted scalar by YAML 1.2's core schema, except
// that a number with leading zeros is a string: some readers take it for octal.
func plainKind(s string) nodeKind {
	switch s {
	case "", "~", "null", "Null", "NULL":
		return null
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return boolean
	}
	switch {
	case integerForm.MatchString(s):
		return integer
	case floatForm.MatchString(s), specialForm.MatchString(s):
		return float
	}
	return text
}

// isPlain reports whether s may be written without quotes. It is narrower than
// YAML's rule and leaves out what older readers take for booleans.
func isPlain(s string) bool {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "nan", "inf":
		return false
	}
	return plainForm.MatchString(s) && plainKind(s) == text
}
