package yaml

import "fmt"

// Difference is a place in which two documents differ, such as layers[2].out. Old or
// New is the value there, on one line, and empty where the document has none.
type Difference struct {
	Path     string
	Old, New string
}

// String says it for people: "epochs: 3, now 4".
func (d Difference) String() string {
	path, old, now := d.Path, d.Old, d.New
	if path == "" {
		path = "the document"
	}
	if old == "" {
		old = "not there"
	}
	if now == "" {
		now = "not there"
	}
	return fmt.Sprintf("%s: %s, now %s", path, old, now)
}

// Diff is the differences between two documents, in the order of the first, then what
// only the second has. Comments, the order of keys and how values stand on lines are
// none. Mappings and sequences are gone through, others compared as written.
func Diff(old, now []byte) ([]Difference, error) {
	var l log
	a := parse(&l, old)
	if err := l.err(); err != nil {
		return nil, fmt.Errorf("the first document: %w", err)
	}
	b := parse(&l, now)
	if err := l.err(); err != nil {
		return nil, fmt.Errorf("the second document: %w", err)
	}
	return diff(nil, a, b, nil), nil
}

// diff adds the differences between two values to list.
func diff(list []Difference, a, b *node, p *path) []Difference {
	switch {
	case a == nil || b == nil || a.kind != b.kind:
		return append(list, Difference{p.String(), excerpt(a), excerpt(b)})
	case a.kind == mapping:
		for _, e := range a.entries {
			list = diff(list, e.value, b.at(e.key), p.child(e.key))
		}
		for _, e := range b.entries {
			if a.at(e.key) == nil {
				list = diff(list, nil, e.value, p.child(e.key))
			}
		}
	case a.kind == sequence:
		for i := range max(len(a.items), len(b.items)) {
			list = diff(list, a.at(i), b.at(i), p.element(i))
		}
	case a.text != b.text && a.kind != null:
		list = append(list, Difference{p.String(), excerpt(a), excerpt(b)})
	}
	return list
}

// excerpt is a value as a document has it, cut where it is too long for a message.
func excerpt(n *node) string {
	switch {
	case n == nil:
		return ""
	case n.kind == null:
		return "null"
	}
	const most = 60
	s := []rune(inline(n))
	if len(s) > most {
		return string(s[:most]) + "…"
	}
	return string(s)
}
