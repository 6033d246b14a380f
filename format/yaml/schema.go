package yaml

import (
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Doc returns what a Go type is for, or with the name of one of its fields what
// that is; empty where it has nothing to say.
type Doc func(t reflect.Type, field string) string

// Schema is the JSON schema (draft 7) of the documents that Decode takes into a
// value like v, whose content are the defaults: for editors, which then complete
// keys, show what they are for and mark what is wrong. It is as strict as Decode
// about keys, kinds and types; what methods Validate check it does not know. A
// nil doc describes nothing.
func Schema(v any, kinds Kinds, doc Doc) (map[string]any, error) {
	if doc == nil {
		doc = func(reflect.Type, string) string { return "" }
	}
	s := &schemer{encoder: encoder{kinds: kinds, names: map[reflect.Type]map[reflect.Type]string{}}, doc: doc, definitions: map[string]any{}}
	root, err := s.schema(reflect.ValueOf(v), nil)
	if err != nil {
		return nil, fmt.Errorf("yaml: schema %w", err)
	}
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	if len(s.definitions) > 0 {
		root["definitions"] = s.definitions
	}
	return root, nil
}

// schemer writes the schemas of values that hold their defaults.
type schemer struct {
	encoder
	doc         Doc
	definitions map[string]any
}

func (s *schemer) schema(v reflect.Value, p *path) (map[string]any, error) {
	s.depth++
	defer func() { s.depth-- }()
	if s.depth > maxDepth {
		return nil, s.fail(p, "types are nested more than %d levels deep; is there a cycle?", maxDepth)
	}
	t := v.Type()
	if t.Kind() == reflect.Pointer {
		inner, err := s.schema(reflect.New(t.Elem()).Elem(), p)
		return orNull(inner), err
	}
	if isText(t) {
		return textSchema(t), nil
	}
	switch t.Kind() {
	case reflect.Interface:
		ref, err := s.interfaceSchema(t, t, byKind, nil, p)
		return orNull(ref), err
	case reflect.Struct:
		return s.structSchema(v, p)
	case reflect.Slice, reflect.Array:
		items, err := s.schema(reflect.New(t.Elem()).Elem(), p.element(0))
		list := map[string]any{"type": "array", "items": items}
		if t.Kind() == reflect.Array {
			list["minItems"], list["maxItems"] = t.Len(), t.Len()
			return list, err
		}
		return orNull(list), err
	case reflect.Map:
		values, err := s.schema(reflect.New(t.Elem()).Elem(), p)
		return orNull(map[string]any{"type": "object", "additionalProperties": values}), err
	}
	return s.scalarSchema(v, p)
}

// orNull also accepts null.
func orNull(schema map[string]any) map[string]any {
	return map[string]any{"anyOf": []any{schema, map[string]any{"type": "null"}}}
}

// orOne accepts a sequence, one of its values, or null.
func orOne(list map[string]any) map[string]any {
	return map[string]any{"anyOf": []any{list["items"], list, map[string]any{"type": "null"}}}
}

func (s *schemer) scalarSchema(v reflect.Value, p *path) (map[string]any, error) {
	switch {
	case v.Type() == durationType:
		return map[string]any{"type": "string", "pattern": `^([+-]?[0-9.]+(ns|us|µs|ms|s|m|h))+$`}, nil
	case v.Kind() == reflect.Bool:
		return map[string]any{"type": "boolean"}, nil
	case v.Kind() == reflect.String:
		return map[string]any{"type": "string"}, nil
	case v.CanUint():
		return map[string]any{"type": "integer", "minimum": 0}, nil
	case v.CanInt():
		return map[string]any{"type": "integer"}, nil
	case v.CanFloat():
		return map[string]any{"type": "number"}, nil
	}
	return nil, s.fail(p, "cannot describe the Go type %s", v.Type())
}

func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// textSchema is that of a type with a text of its own: of small integers with
// names the names, else any scalar.
func textSchema(t reflect.Type) map[string]any {
	if names := namesOf(t); len(names) > 0 {
		return map[string]any{"enum": names}
	}
	return map[string]any{"type": []string{"string", "number", "boolean"}}
}

// namesOf are the texts of 0, 1, 2, … up to the first that cannot be read
// again.
func namesOf(t reflect.Type) (names []string) {
	v := reflect.New(t)
	u := v.Interface().(encoding.TextUnmarshaler)
	m, ok := v.Interface().(encoding.TextMarshaler)
	if !ok || t.Kind() != reflect.Uint8 {
		return nil
	}
	for i := range 256 {
		v.Elem().SetUint(uint64(i))
		text, err := m.MarshalText()
		if err != nil || u.UnmarshalText(text) != nil || v.Elem().Uint() != uint64(i) {
			break
		}
		names = append(names, string(text))
	}
	return names
}

// structSchema is an object of the struct's keys, or a reference to a
// definition where it stands around an interface.
func (s *schemer) structSchema(v reflect.Value, p *path) (map[string]any, error) {
	table, err := fieldsOf(v.Type())
	if err != nil {
		return nil, s.fail(p, "%w", err)
	}
	object, err := s.object(v, table, p)
	if err != nil {
		return nil, err
	}
	if inner := table.find(""); inner != nil {
		return s.interfaceSchema(v.FieldByIndex(inner.index).Type(), v.Type(), inner.kind, object, p)
	}
	return object, nil
}

// object describes the keys of a struct.
func (s *schemer) object(v reflect.Value, table fieldTable, p *path) (map[string]any, error) {
	properties, required := map[string]any{}, []string{}
	for _, f := range table {
		if f.name == "" {
			continue
		}
		value := v.FieldByIndex(f.index)
		property, err := s.property(value, f, p.child(f.name))
		if err != nil {
			return nil, err
		}
		owner, name := fieldOf(v.Type(), f.index)
		describe(property, s.doc(owner, name))
		properties[f.name] = property
		if f.required {
			required = append(required, f.name)
		}
	}
	object := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		object["required"] = required
	}
	return object, nil
}

// fieldOf is the struct type that a field, which may be embedded, belongs to.
func fieldOf(t reflect.Type, index []int) (reflect.Type, string) {
	for len(index) > 1 {
		t, index = t.Field(index[0]).Type, index[1:]
	}
	return t, t.Field(index[0]).Name
}

// property describes one key, with its default.
func (s *schemer) property(v reflect.Value, f field, p *path) (map[string]any, error) {
	schema, err := s.schema(v, p)
	if err != nil {
		return nil, err
	}
	if f.single {
		schema = orOne(schema["anyOf"].([]any)[0].(map[string]any))
	}
	if f.required || f.omitEmpty && v.IsZero() || v.Kind() == reflect.Struct && !isText(v.Type()) {
		return schema, nil
	}
	n, err := s.encode(v, p)
	if err != nil {
		return nil, err
	}
	if n.kind != null {
		schema["default"] = n.json()
	}
	return schema, nil
}

// json is the value in the form that encoding/json takes.
func (n *node) json() any {
	switch n.kind {
	case null:
		return nil
	case boolean:
		return n.text == "true"
	case integer, float:
		return json.Number(n.text)
	case mapping:
		object := map[string]any{}
		for _, e := range n.entries {
			object[e.key] = e.value.json()
		}
		return object
	case sequence:
		list := []any{}
		for _, item := range n.items {
			list = append(list, item.json())
		}
		return list
	}
	return n.text
}

func describe(schema map[string]any, text string) {
	if text != "" {
		schema["description"] = text
	}
}

// interfaceSchema refers to the definition of an interface's kinds, together
// with the keys of the struct that stands around it, if any. The definition has
// the name of that.
func (s *schemer) interfaceSchema(t, of reflect.Type, by selector, outer map[string]any, p *path) (map[string]any, error) {
	ref := map[string]any{"$ref": "#/definitions/" + of.String()}
	if _, ok := s.definitions[of.String()]; ok {
		return ref, nil
	}
	if s.kinds[t] == nil {
		return nil, s.fail(p, "there is no table of kinds for the Go type %s", t)
	}
	var bare []string
	var kinds []any
	union := map[string]any{}
	s.definitions[of.String()] = union // before its kinds, which may hold it
	for _, name := range slices.Sorted(maps.Keys(s.kinds[t])) {
		made := reflect.ValueOf(s.kinds[t][name]())
		if made.Kind() != reflect.Pointer || made.IsNil() || made.Elem().Kind() != reflect.Struct {
			return nil, s.fail(p, "kind %q of %s makes no pointer to a struct", name, t)
		}
		object, err := s.kindSchema(name, made.Elem(), by, outer, p)
		if err != nil {
			return nil, err
		}
		if by.fallback == "" && len(object["required"].([]string)) == 1 {
			bare = append(bare, name)
		}
		id := of.String() + "." + name
		s.definitions[id] = object
		kinds = append(kinds, map[string]any{"$ref": "#/definitions/" + id})
	}
	if len(bare) > 0 {
		kinds = append([]any{map[string]any{"enum": bare}}, kinds...)
	}
	if union["anyOf"] = kinds; kinds == nil {
		delete(union, "anyOf")
		union["not"] = map[string]any{} // a table without kinds takes nothing
	}
	describe(union, s.doc(of, ""))
	return ref, nil
}

// kindSchema is the object of one kind.
func (s *schemer) kindSchema(name string, v reflect.Value, by selector, outer map[string]any, p *path) (map[string]any, error) {
	table, err := fieldsOf(v.Type())
	if err != nil {
		return nil, s.fail(p, "%w", err)
	}
	object, err := s.object(v, table, p)
	if err != nil {
		return nil, err
	}
	text := s.doc(v.Type(), "")
	describe(object, text)
	kind := map[string]any{"const": name}
	describe(kind, text)
	properties := object["properties"].(map[string]any)
	properties[by.key] = kind
	required := []string{}
	if by.fallback != name {
		required = append(required, by.key)
	}
	for _, from := range []map[string]any{outer, object} {
		if more, ok := from["required"].([]string); ok {
			required = append(required, more...)
		}
	}
	object["required"] = required
	if outer != nil {
		maps.Copy(properties, outer["properties"].(map[string]any))
	}
	return object, nil
}
