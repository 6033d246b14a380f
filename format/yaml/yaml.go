// Package yaml decodes configuration files strictly: every key must be known,
// every value must have the type of its field, and every complaint names the
// file, the line, the column and the place in the document.
//
// The fields of a struct that carry a tag are the keys of a mapping:
//
//	type Run struct {
//		Seed   uint64        `yaml:"seed"`
//		Steps  int           `yaml:"steps,required"`
//		Layers []Layer       `yaml:"layers"`          // an interface: see Kinds
//		Every  time.Duration `yaml:"every"`           // 1m30s
//		Common               `yaml:",inline"`         // an embedded struct's keys, as if they stood here
//		cache  map[string]int                         // without a tag: no key
//	}
//
//	type Node struct {
//		Name  string   `yaml:"name,omitempty"`        // Encode leaves it out where it is zero
//		Layer Layer    `yaml:",inline"`               // kind and keys of an interface's value, as if they stood here
//		Rule  Rule     `yaml:",inline,kind=rule:bptt"` // the same; the key rule names the kind, without it it is bptt
//		From  []string `yaml:"from,single"`           // one value may stand for a sequence of one
//	}
//
// What a struct holds before decoding are its defaults. A key replaces a
// slice, an array, a map or an interface as a whole, and changes single fields
// of a struct. null empties a pointer, slice, map or interface.
//
// Fields may be booleans, integers, floating-point numbers, strings, slices,
// arrays (with exactly their number of elements), maps with string keys,
// pointers, structs, time.Duration, types with encoding.TextUnmarshaler (from
// any scalar), and interfaces that Kinds has a table for. Nothing is converted
// silently: 8.0 is no integer, 8 is no string, yes is no boolean. Numbers must
// be finite and in the range of their field.
//
// A struct (or its pointer) with a method Validate() error is validated once
// its mapping has been decoded without an error.
//
// Anchors and aliases are expanded. Tags, merge keys (<<), keys that are not
// scalars, and more than one document are refused. Documents are bounded: 256
// KiB, 100 levels, 100,000 values after aliases, 4,096 keys in one mapping.
package yaml

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

const (
	maxBytes  = 256 << 10
	maxDepth  = 100
	maxValues = 100_000 // after expansion of aliases
	maxKeys   = 4096    // of one block mapping; the parser takes quadratic time in them
	maxErrors = 100     // collected from one document
)

// selector says how the kind of an interface's value is named: under which key,
// and what it is without one ("": an error).
type selector struct{ key, fallback string }

// byKind is the selector of all interfaces but those whose field says otherwise.
var byKind = selector{key: "kind"}

// Kinds says how values of interface types are written: for each interface
// type, the names that may stand as "kind", and for each name a function that
// returns a pointer to a new struct with its defaults. The other keys of the
// mapping are the struct's. A bare string s stands for {kind: s}.
//
// The interface receives the struct if that implements it, else the pointer.
type Kinds map[reflect.Type]map[string]func() any

// Decode reads the document src into the value that into points to. The name
// stands in errors only. On failure the value is as it was, and the error is
// an Errors.
func Decode(name string, src []byte, into any, kinds Kinds) error {
	d := &decoder{log: log{file: name}, kinds: kinds, fields: map[reflect.Type]fieldTable{}}
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		d.add(pos{}, nil, fmt.Sprintf("cannot decode into %T", into), "pass a non-nil pointer", nil)
		return d.err()
	}
	if root := parse(&d.log, src); root != nil {
		value := reflect.New(target.Type().Elem()).Elem()
		value.Set(target.Elem())
		d.decode(root, value, nil)
		if len(d.errs) == 0 {
			target.Elem().Set(value)
		}
	}
	return d.err()
}

// Locate is the place of a value in a document, by keys (string) and indices
// (int) from the top; ok is false where there is none.
func Locate(src []byte, path ...any) (line, column int, ok bool) {
	n := parse(&log{}, src)
	for _, step := range path {
		if n == nil {
			return 0, 0, false
		}
		n = n.at(step)
	}
	if n == nil {
		return 0, 0, false
	}
	return n.line, n.column, true
}

// Encode writes v as a document that Decode reads back into an equal value,
// provided all that matters in v has a tag. Keys come in the order of the
// struct's fields, those of maps sorted; small mappings stand on one line. A
// nil pointer, slice, map or interface is null.
//
// It fails, with a path in the error, on values that a document cannot hold:
// numbers that are not finite, types outside Kinds, strings that are not UTF-8.
func Encode(v any, kinds Kinds) ([]byte, error) {
	e := &encoder{kinds: kinds, names: map[reflect.Type]map[reflect.Type]string{}}
	root, err := e.encode(reflect.ValueOf(v), nil)
	if err != nil {
		return nil, fmt.Errorf("yaml: encode %w", err)
	}
	return render(root), nil
}

var durationType = reflect.TypeFor[time.Duration]()

// fieldTable is how the mapping of a struct type looks.
type fieldTable []field

type field struct {
	name      string // empty for an inline interface
	index     []int
	required  bool
	omitEmpty bool
	single    bool
	kind      selector // of an inline interface
}

func (t fieldTable) find(name string) *field {
	for i := range t {
		if t[i].name == name {
			return &t[i]
		}
	}
	return nil
}

// names are the keys.
func (t fieldTable) names() []string {
	var all []string
	for _, f := range t {
		if f.name != "" {
			all = append(all, f.name)
		}
	}
	return all
}

// fieldsOf reads the tags of a struct type.
func fieldsOf(t reflect.Type) (fieldTable, error) {
	var table fieldTable
	for i := range t.NumField() {
		f := t.Field(i)
		tag, ok := f.Tag.Lookup("yaml")
		if !ok {
			continue
		}
		found, err := fieldsOfTag(f, tag)
		if err != nil {
			return nil, fmt.Errorf("Go type %s: %w", t, err)
		}
		for _, g := range found {
			g.index = append([]int{i}, g.index...)
			if table.find(g.name) != nil {
				return nil, fmt.Errorf("Go type %s has two fields with the key %q; rename one", t, g.name)
			}
			table = append(table, g)
		}
	}
	return slices.Clip(table), nil
}

// fieldsOfTag are the keys of one field.
func fieldsOfTag(f reflect.StructField, tag string) (fieldTable, error) {
	name, options, _ := strings.Cut(tag, ",")
	switch {
	case name == "" && options == "inline" && f.Anonymous && f.Type.Kind() == reflect.Struct:
		return fieldsOf(f.Type)
	case name == "" && f.IsExported() && f.Type.Kind() == reflect.Interface:
		if kind, ok := inlineKind(options); ok {
			return fieldTable{{kind: kind}}, nil
		}
	}
	g := field{name: name}
	ok := name != "" && f.IsExported()
	for _, o := range strings.Split(options, ",") {
		switch {
		case o == "required":
			g.required = true
		case o == "omitempty":
			g.omitEmpty = true
		case o == "single" && f.Type.Kind() == reflect.Slice:
			g.single = true
		default:
			ok = ok && o == ""
		}
	}
	if !ok {
		return nil, fmt.Errorf("field %s: bad tag %q; use \"name\" on exported fields with required, omitempty, or single on slices; \",inline\" on embedded structs and interfaces", f.Name, tag)
	}
	return fieldTable{g}, nil
}

// inlineKind reads the options of an inline interface: inline, and
// kind=KEY:FALLBACK or kind=KEY behind it.
func inlineKind(options string) (selector, bool) {
	first, rest, more := strings.Cut(options, ",")
	if first != "inline" || !more {
		return byKind, first == "inline"
	}
	value, ok := strings.CutPrefix(rest, "kind=")
	key, fallback, _ := strings.Cut(value, ":")
	return selector{key, fallback}, ok && key != ""
}
