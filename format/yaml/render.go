package yaml

import (
	"strconv"
	"strings"
)

const (
	lineWidth = 80 // a mapping or sequence that fits stands on one line
	indent    = 2
)

// render writes a tree as text: small values on one line, others in blocks.
func render(root *node) []byte {
	if len(root.entries)+len(root.items) == 0 {
		return []byte(inline(root) + "\n")
	}
	var b strings.Builder
	block(&b, root, 0, "")
	return []byte(b.String())
}

// block writes a mapping or sequence that is not empty, one line or more for
// each of its parts. The first line starts with lead, which stands for its
// margin.
func block(b *strings.Builder, n *node, margin int, lead string) {
	part := func(head string, value *node) {
		b.WriteString(lead + head)
		lead = strings.Repeat(" ", margin)
		switch {
		case fits(value, lineWidth-margin-len(head)):
			b.WriteString(" " + inline(value) + "\n")
		case n.kind == sequence: // the first line of the value follows the dash
			block(b, value, margin+indent, " ")
		default:
			b.WriteByte('\n')
			block(b, value, margin+indent, strings.Repeat(" ", margin+indent))
		}
	}
	for _, e := range n.entries {
		part(quoted(e.key)+":", e.value)
	}
	for _, item := range n.items {
		part("-", item)
	}
}

// fits reports whether a value goes on one line of the given width: scalars
// and empty values always, sequences of scalars and mappings of small values
// where there is room.
func fits(n *node, width int) bool {
	switch {
	case len(n.entries)+len(n.items) == 0:
		return true
	case n.kind == sequence && n.height > 1, n.height > 2, n.size > lineWidth:
		return false
	}
	return len(inline(n)) < width
}

// inline writes a value on one line.
func inline(n *node) string {
	switch n.kind {
	case mapping:
		parts := make([]string, len(n.entries))
		for i, e := range n.entries {
			parts[i] = quoted(e.key) + ": " + inline(e.value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case sequence:
		parts := make([]string, len(n.items))
		for i, item := range n.items {
			parts[i] = inline(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case text:
		return quoted(n.text)
	}
	return n.text
}

// quoted is a string as it stands in a document. Go's escapes are a part of
// YAML's.
func quoted(s string) string {
	if isPlain(s) {
		return s
	}
	return strconv.Quote(s)
}
