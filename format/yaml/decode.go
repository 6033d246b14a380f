package yaml

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"synfire/internal/suggest"
)

// decoder fills Go values from nodes. It logs errors and goes on.
type decoder struct {
	log
	kinds  Kinds
	fields map[reflect.Type]fieldTable
}

// decode fills v, which is addressable and holds its defaults.
func (d *decoder) decode(n *node, v reflect.Value, p *path) {
	if n.kind == invalid || d.full() {
		return
	}
	if v.Kind() == reflect.Pointer {
		d.decodePointer(n, v, p)
		return
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.decodeText(n, u, p)
		return
	}
	switch v.Kind() {
	case reflect.Interface:
		d.decodeInterface(n, v, p, byKind, nil)
	case reflect.Struct:
		d.decodeStruct(n, v, p)
	case reflect.Map:
		d.decodeMap(n, v, p)
	case reflect.Slice:
		d.decodeSlice(n, v, p)
	case reflect.Array:
		d.decodeArray(n, v, p)
	default:
		d.decodeScalar(n, v, p)
	}
}

// expected reports a value of the wrong type.
func (d *decoder) expected(n *node, want string, p *path, hint string) {
	if n.kind == null {
		hint = "write a value, or remove the key to keep its default"
	}
	d.add(n.pos, p, fmt.Sprintf("expected %s, found %s", want, n.describe()), hint, nil)
}

// program reports a Go type that the package cannot decode into.
func (d *decoder) program(n *node, p *path, format string, args ...any) {
	d.add(n.pos, p, fmt.Sprintf(format, args...), "this is a mistake in the program, not in the document", nil)
}

func (d *decoder) decodePointer(n *node, v reflect.Value, p *path) {
	if n.kind == null {
		v.SetZero()
		return
	}
	target := reflect.New(v.Type().Elem())
	if !v.IsNil() {
		target.Elem().Set(v.Elem()) // defaults; what they belong to stays as it is
	}
	d.decode(n, target.Elem(), p)
	v.Set(target)
}

func (d *decoder) decodeText(n *node, u encoding.TextUnmarshaler, p *path) {
	if !n.isScalar() {
		d.expected(n, "a scalar", p, "write a single value")
		return
	}
	if err := u.UnmarshalText([]byte(n.text)); err != nil {
		d.add(n.pos, p, oneLine(err), "", err)
	}
}

// oneLine is the text of an error that may have several lines.
func oneLine(err error) string {
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

// decodeInterface builds the value that the selector's key names. The mapping is
// also that of a struct around it, whose keys are outer.
func (d *decoder) decodeInterface(n *node, v reflect.Value, p *path, by selector, outer fieldTable) {
	table, ok := d.kinds[v.Type()]
	if !ok {
		d.program(n, p, "there is no table of kinds for the Go type %s", v.Type())
		return
	}
	if n.kind == null {
		v.SetZero()
		return
	}
	names := slices.Sorted(maps.Keys(table))
	name := d.kindName(n, names, p, by)
	if name == nil {
		return
	}
	construct, ok := table[name.text]
	if !ok {
		d.add(name.pos, p, "unknown kind "+short(name.text), suggest.Names("kinds", name.text, names), nil)
		return
	}
	made := reflect.ValueOf(construct())
	if made.Kind() != reflect.Pointer || made.IsNil() || made.Elem().Kind() != reflect.Struct {
		d.program(n, p, "kind %q of %s makes no pointer to a struct", name.text, v.Type())
		return
	}
	content := n
	if n.kind != mapping {
		content = newMapping(n.pos, nil)
	}
	d.decodeKind(content, made.Elem(), p, v.Type(), by, outer)
	switch {
	case made.Elem().Type().Implements(v.Type()):
		v.Set(made.Elem())
	case made.Type().Implements(v.Type()):
		v.Set(made)
	default:
		d.program(n, p, "kind %q makes %s, which is no %s", name.text, made.Type(), v.Type())
	}
}

// kindName finds the string that names the kind, or reports why there is none.
func (d *decoder) kindName(n *node, names []string, p *path, by selector) *node {
	hint := "known kinds: " + strings.Join(names, ", ")
	switch n.kind {
	case text:
		return n
	case mapping:
		for _, e := range n.entries {
			switch {
			case e.key != by.key || e.value.kind == invalid:
			case e.value.kind == text:
				return e.value
			default:
				d.expected(e.value, "the name of a kind", p.child(by.key), hint)
				return nil
			}
		}
		if by.fallback != "" {
			return newScalar(n.pos, text, by.fallback)
		}
		d.add(n.pos, p, fmt.Sprintf("missing key %q", by.key), hint, nil)
	default:
		d.expected(n, "a mapping with a kind, or the name of a kind", p, hint)
	}
	return nil
}

// table returns the keys of a struct type, nil after reporting bad tags.
func (d *decoder) table(n *node, t reflect.Type, p *path) (fieldTable, bool) {
	if table, ok := d.fields[t]; ok {
		return table, true
	}
	table, err := fieldsOf(t)
	if err != nil {
		d.program(n, p, "%v", err)
		return nil, false
	}
	d.fields[t] = table
	return table, true
}

func suggestKeys(d *decoder, t reflect.Type) string {
	table, err := fieldsOf(t)
	if err != nil || len(table) == 0 {
		return "write key: value"
	}
	return "known keys: " + strings.Join(table.names(), ", ")
}

// decodeStruct fills a struct from a mapping, or around an inline interface
// from what that is made of.
func (d *decoder) decodeStruct(n *node, v reflect.Value, p *path) {
	table, ok := d.table(n, v.Type(), p)
	if !ok {
		return
	}
	inner := table.find("")
	if inner == nil && n.kind != mapping {
		d.expected(n, "a mapping", p, suggestKeys(d, v.Type()))
		return
	}
	if inner != nil && n.kind == null {
		d.expected(n, "a mapping with a kind, or the name of a kind", p, "write one, or remove the item")
		return
	}
	before := len(d.errs)
	if inner == nil {
		d.decodeFields(n, v, p, table, table.names())
	} else {
		own, rest := split(n, table)
		d.decodeFields(own, v, p, table, nil)
		d.decodeInterface(rest, v.FieldByIndex(inner.index), p, inner.kind, table)
	}
	d.validate(n, v, p, before)
}

// split parts the mapping of a struct around an inline interface into its keys
// and those of the interface. What is no mapping is the interface's.
func split(n *node, table fieldTable) (own, rest *node) {
	if n.kind != mapping {
		return newMapping(n.pos, nil), n
	}
	var mine, others []entry
	for _, e := range n.entries {
		if e.key != "" && table.find(e.key) != nil {
			mine = append(mine, e)
		} else {
			others = append(others, e)
		}
	}
	return newMapping(n.pos, mine), newMapping(n.pos, others)
}

// decodeKind fills a struct that is a kind of an interface type, from a mapping
// whose key that names the kind has been read already.
func (d *decoder) decodeKind(n *node, v reflect.Value, p *path, kindOf reflect.Type, by selector, outer fieldTable) {
	table, ok := d.table(n, v.Type(), p)
	if !ok {
		return
	}
	for _, f := range append(fieldTable{{name: by.key}, {}}, outer...) {
		if table.find(f.name) != nil {
			d.program(n, p, "Go type %s has a field %q, which means something else beside the kinds of %s", v.Type(), f.name, kindOf)
			return
		}
	}
	content := newMapping(n.pos, nil)
	for _, e := range n.entries {
		if e.key != by.key {
			content.entries = append(content.entries, e)
		}
	}
	before := len(d.errs)
	d.decodeFields(content, v, p, table, append(append([]string{by.key}, outer.names()...), table.names()...))
	d.validate(n, v, p, before)
}

// decodeFields fills the fields of a struct from the entries of a mapping;
// known are the names to suggest in place of one that is none of them.
func (d *decoder) decodeFields(n *node, v reflect.Value, p *path, table fieldTable, known []string) {
	given := map[string]bool{}
	for _, e := range n.entries {
		f := table.find(e.key)
		if f == nil {
			d.add(e.pos, p, "unknown key "+short(e.key), suggest.Names("keys", e.key, known), nil)
			continue
		}
		given[e.key] = true
		if value := e.value; f.single && (value.isScalar() || value.kind == mapping) {
			d.decode(newSequence(value.pos, []*node{value}), v.FieldByIndex(f.index), p.child(e.key))
		} else {
			d.decode(value, v.FieldByIndex(f.index), p.child(e.key))
		}
	}
	for _, f := range table {
		if f.required && !given[f.name] {
			d.add(n.pos, p, fmt.Sprintf("missing key %q", f.name), "it has no default: add it", nil)
		}
	}
}

// validate calls the struct's own check, unless there were errors already.
func (d *decoder) validate(n *node, v reflect.Value, p *path, before int) {
	c, ok := v.Addr().Interface().(interface{ Validate() error })
	if !ok || len(d.errs) > before {
		return
	}
	if err := c.Validate(); err != nil {
		d.add(n.pos, p, oneLine(err), "", err)
	}
}

func (d *decoder) decodeMap(n *node, v reflect.Value, p *path) {
	t := v.Type()
	switch {
	case t.Key().Kind() != reflect.String:
		d.program(n, p, "cannot decode into the Go type %s, whose keys are no strings", t)
		return
	case n.kind == null:
		v.SetZero()
		return
	case n.kind != mapping:
		d.expected(n, "a mapping", p, "write key: value")
		return
	}
	m := reflect.MakeMapWithSize(t, len(n.entries))
	for _, e := range n.entries {
		elem := reflect.New(t.Elem()).Elem()
		d.decode(e.value, elem, p.child(e.key))
		m.SetMapIndex(reflect.ValueOf(e.key).Convert(t.Key()), elem)
	}
	v.Set(m)
}

func (d *decoder) decodeSlice(n *node, v reflect.Value, p *path) {
	if n.kind == null {
		v.SetZero()
		return
	}
	if n.kind != sequence {
		d.expected(n, "a sequence", p, bracketHint(n))
		return
	}
	s := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
	for i, item := range n.items {
		d.decode(item, s.Index(i), p.element(i))
	}
	v.Set(s)
}

func (d *decoder) decodeArray(n *node, v reflect.Value, p *path) {
	want := fmt.Sprintf("a sequence of %d values", v.Len())
	if n.kind != sequence {
		d.expected(n, want, p, bracketHint(n))
		return
	}
	if len(n.items) != v.Len() {
		d.add(n.pos, p, fmt.Sprintf("expected %s, found %d", want, len(n.items)), "", nil)
		return
	}
	fresh := reflect.New(v.Type()).Elem()
	for i, item := range n.items {
		d.decode(item, fresh.Index(i), p.element(i))
	}
	v.Set(fresh)
}

func bracketHint(n *node) string {
	if n.isScalar() {
		return "put it in brackets: [" + cut(n.text) + "]"
	}
	return "write each value in a line that starts with a dash"
}
