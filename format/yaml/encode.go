package yaml

import (
	"encoding"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// encoder turns Go values into nodes.
type encoder struct {
	kinds Kinds
	names map[reflect.Type]map[reflect.Type]string // interface type → struct type → kind
	depth int
}

func (e *encoder) encode(v reflect.Value, p *path) (*node, error) {
	e.depth++
	defer func() { e.depth-- }()
	if e.depth > maxDepth {
		return nil, e.fail(p, "values are nested more than %d levels deep; is there a cycle of pointers?", maxDepth)
	}
	if !v.IsValid() {
		return newScalar(pos{}, null, "null"), nil
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return newScalar(pos{}, null, "null"), nil
		}
		return e.encode(v.Elem(), p)
	}
	if isText(v.Type()) {
		return e.encodeText(v, p)
	}
	switch v.Kind() {
	case reflect.Interface:
		return e.encodeInterface(v, p, byKind)
	case reflect.Struct:
		return e.encodeStruct(v, selector{}, "", p)
	case reflect.Map:
		return e.encodeMap(v, p)
	case reflect.Slice, reflect.Array:
		return e.encodeSequence(v, p)
	}
	return e.encodeScalar(v, p)
}

func (e *encoder) fail(p *path, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if p == nil {
		return err
	}
	return fmt.Errorf("%s: %w", p, err)
}

func (e *encoder) encodeText(v reflect.Value, p *path) (*node, error) {
	target := reflect.New(v.Type())
	target.Elem().Set(v)
	m, ok := target.Interface().(encoding.TextMarshaler)
	if !ok {
		return nil, e.fail(p, "Go type %s has UnmarshalText without MarshalText; add it", v.Type())
	}
	b, err := m.MarshalText()
	if err != nil {
		return nil, e.fail(p, "%w", err)
	}
	return e.str(string(b), p)
}

func (e *encoder) str(s string, p *path) (*node, error) {
	if !utf8.ValidString(s) {
		return nil, e.fail(p, "the string %s is not UTF-8; a document cannot hold it", short(s))
	}
	return newScalar(pos{}, text, s), nil
}

func (e *encoder) encodeInterface(v reflect.Value, p *path, by selector) (*node, error) {
	if v.IsNil() {
		return newScalar(pos{}, null, "null"), nil
	}
	value := v.Elem()
	if value.Kind() == reflect.Pointer && !value.IsNil() {
		value = value.Elem()
	}
	name, ok := e.kindNames(v.Type())[value.Type()]
	if !ok {
		return nil, e.fail(p, "no kind of %s makes a %s; add it to the table of kinds", v.Type(), value.Type())
	}
	return e.encodeStruct(value, by, name, p)
}

// kindNames inverts the table of an interface type. Of several names for one
// struct type the first in the alphabet stands, which is as good as any: all
// fields are written out.
func (e *encoder) kindNames(t reflect.Type) map[reflect.Type]string {
	if e.names[t] == nil {
		names := map[reflect.Type]string{}
		for _, name := range slices.Sorted(maps.Keys(e.kinds[t])) {
			made := reflect.TypeOf(e.kinds[t][name]())
			if made == nil || made.Kind() != reflect.Pointer || made.Elem().Kind() != reflect.Struct {
				continue // nothing can be decoded from it either
			}
			if _, ok := names[made.Elem()]; !ok {
				names[made.Elem()] = name
			}
		}
		e.names[t] = names
	}
	return e.names[t]
}

func (e *encoder) encodeStruct(v reflect.Value, by selector, kind string, p *path) (*node, error) {
	table, err := fieldsOf(v.Type())
	if err != nil {
		return nil, e.fail(p, "%w", err)
	}
	var entries []entry
	if kind != "" {
		if table.find(by.key) != nil {
			return nil, e.fail(p, "Go type %s has a field %q, which names its kind; rename the field", v.Type(), by.key)
		}
		entries = append(entries, entry{key: by.key, value: newScalar(pos{}, text, kind)})
	}
	for _, f := range table {
		value := v.FieldByIndex(f.index)
		if f.omitEmpty && value.IsZero() {
			continue
		}
		if f.single && value.Len() == 1 && !isNil(value.Index(0)) {
			value = value.Index(0)
		}
		if f.name != "" {
			n, err := e.encode(value, p.child(f.name))
			if err != nil {
				return nil, err
			}
			entries = append(entries, entry{key: f.name, value: n})
			continue
		}
		n, err := e.encodeInterface(value, p, f.kind)
		if err != nil {
			return nil, err
		}
		if n.kind == null {
			return nil, e.fail(p, "no value of %s is given", value.Type())
		}
		entries = append(entries, n.entries...)
	}
	return newMapping(pos{}, entries), nil
}

func (e *encoder) encodeMap(v reflect.Value, p *path) (*node, error) {
	if v.Type().Key().Kind() != reflect.String {
		return nil, e.fail(p, "the keys of Go type %s are no strings", v.Type())
	}
	if v.IsNil() {
		return newScalar(pos{}, null, "null"), nil
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		if a.String() < b.String() {
			return -1
		}
		return 1
	})
	var entries []entry
	for _, k := range keys {
		if _, err := e.str(k.String(), p); err != nil {
			return nil, err
		}
		n, err := e.encode(v.MapIndex(k), p.child(k.String()))
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{key: k.String(), value: n})
	}
	return newMapping(pos{}, entries), nil
}

func (e *encoder) encodeSequence(v reflect.Value, p *path) (*node, error) {
	if v.Kind() == reflect.Slice && v.IsNil() {
		return newScalar(pos{}, null, "null"), nil
	}
	items := make([]*node, v.Len())
	for i := range items {
		var err error
		if items[i], err = e.encode(v.Index(i), p.element(i)); err != nil {
			return nil, err
		}
	}
	return newSequence(pos{}, items), nil
}

func (e *encoder) encodeScalar(v reflect.Value, p *path) (*node, error) {
	switch {
	case v.Type() == durationType:
		return newScalar(pos{}, text, time.Duration(v.Int()).String()), nil
	case v.Kind() == reflect.String:
		return e.str(v.String(), p)
	case v.Kind() == reflect.Bool:
		return newScalar(pos{}, boolean, strconv.FormatBool(v.Bool())), nil
	case v.CanInt():
		return newScalar(pos{}, integer, strconv.FormatInt(v.Int(), 10)), nil
	case v.CanUint():
		return newScalar(pos{}, integer, strconv.FormatUint(v.Uint(), 10)), nil
	case v.CanFloat():
		if x := v.Float(); math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, e.fail(p, "%v is not finite; a configuration holds finite numbers only", x)
		}
		return newScalar(pos{}, float, decimal(v.Float(), v.Type().Bits())), nil
	}
	return nil, e.fail(p, "cannot encode the Go type %s", v.Type())
}

// decimal is the shortest text that reads back as x: digits where they are
// few, else an exponent.
func decimal(x float64, bits int) string {
	format := byte('f')
	if a := math.Abs(x); a != 0 && (a < 1e-4 || a >= 1e15) {
		format = 'e'
	}
	return strconv.FormatFloat(x, format, -1, bits)
}

func isNil(v reflect.Value) bool { return v.Kind() == reflect.Interface && v.IsNil() }
