package catalog

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"synfire/format/yaml"
	"synfire/internal/suggest"
	"synfire/model"
)

// KindInfo is a kind as people read of it.
type KindInfo struct {
	Kind   string `json:"kind"`
	Of     string `json:"of"` // layer, neuron, rule, …
	Keys   []Key  `json:"keys"`
	Doc    string `json:"doc"`    // what it is, with its equations
	Source string `json:"source"` // the Go type
}

// Key is an option of a kind. Default is null where it must be given, or where leaving
// it out means something of its own.
type Key struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Default  any    `json:"default"`
	Doc      string `json:"doc"`
	Required bool   `json:"required,omitempty"`
}

// group is one map of the table.
type group struct {
	of    string
	kinds map[string]model.Kind
	// definitions are where the schema describes its kinds.
	definitions []string
}

func (c Catalog) groups() []group {
	return []group{
		{"rule", c.Rules, []string{"model.Config"}},
		{"task", c.Tasks, []string{"task.Binding", "task.Task"}},
		{"source", c.Sources, []string{"data.Opener"}},
		{"augmentation", c.Augments, []string{"data.Augment"}},
		{"encoder", c.Encoders, []string{"encode.Encoder"}},
		{"decoder", c.Decoders, []string{"encode.Decoder"}},
		{"layer", c.Layers, []string{"network.Node"}},
		{"network", c.Networks, []string{"network.Architecture"}},
		{"neuron", c.Neurons, []string{"neuron.Neuron"}},
		{"surrogate", c.Surrogates, []string{"surrogate.Surrogate"}},
		{"loss", c.Losses, []string{"bptt.Term", "loss.Loss"}},
		{"regularizer", c.Regularizers, []string{"loss.Regularizer"}},
		{"optimizer", c.Optimizers, []string{"optim.Optimizer"}},
		{"schedule", c.Schedules, []string{"optim.Schedule"}},
		{"average", c.Averages, []string{"optim.Average"}},
	}
}

// KindNames are the names of all kinds and of what they are of, for completion.
func (c Catalog) KindNames() []string {
	seen := map[string]bool{}
	for _, g := range c.groups() {
		seen[g.of] = true
		for name := range g.kinds {
			seen[name] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Described are the kinds of a name, or all kinds of what the name is, as neuron; all
// kinds for the empty name.
func (c Catalog) Described(name string) ([]KindInfo, error) {
	docs := schemaDocs()
	var out []KindInfo
	for _, g := range c.groups() {
		for _, kind := range Names(g.kinds) {
			if name != "" && name != kind && name != g.of {
				continue
			}
			info, err := c.describe(g, kind, docs)
			if err != nil {
				return nil, err
			}
			out = append(out, info)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no kind %q: %s", name, suggest.Names("kinds", name, c.KindNames()))
	}
	return out, nil
}

func (c Catalog) describe(g group, kind string, docs map[string]described) (KindInfo, error) {
	v := reflect.ValueOf(g.kinds[kind].New()).Elem()
	info := KindInfo{Kind: kind, Of: g.of, Keys: []Key{}, Source: v.Type().PkgPath() + "." + v.Type().Name()}
	schema, err := yaml.Schema(v.Interface(), c.Kinds(), nil)
	if err != nil {
		return info, fmt.Errorf("kind %s: %w", kind, err)
	}
	var doc described
	for _, prefix := range g.definitions {
		if d, ok := docs[prefix+"."+kind]; ok {
			doc = d
			break
		}
	}
	info.Doc = doc.Description
	properties, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]string)
	for _, name := range keyOrder(v.Type(), properties) {
		p := properties[name].(map[string]any)
		info.Keys = append(info.Keys, Key{
			Name: name, Type: c.typeText(p), Default: p["default"], Doc: doc.Properties[name].Description, Required: slices.Contains(required, name),
		})
	}
	return info, nil
}

// keyOrder is the keys of a struct as its fields stand.
func keyOrder(t reflect.Type, properties map[string]any) []string {
	var out []string
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		for i := range t.NumField() {
			f := t.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if name == "" && f.Anonymous && f.Type.Kind() == reflect.Struct {
				walk(f.Type)
			} else if _, ok := properties[name]; ok {
				out = append(out, name)
			}
		}
	}
	walk(t)
	return out
}

// typeText is the type of a key in a few words.
func (c Catalog) typeText(schema map[string]any) string {
	if ref, ok := schema["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/definitions/")
		for _, g := range c.groups() {
			if slices.Contains(g.definitions, name) {
				return g.of
			}
		}
		return name
	}
	if list, ok := schema["enum"].([]string); ok {
		return strings.Join(list, "|")
	}
	if several, ok := schema["anyOf"].([]any); ok {
		for _, one := range slices.Backward(several) {
			if m, ok := one.(map[string]any); ok && m["type"] != "null" {
				return c.typeText(m)
			}
		}
	}
	if options, ok := schema["properties"].(map[string]any); ok {
		return "{" + strings.Join(slices.Sorted(maps.Keys(options)), ", ") + "}"
	}
	switch t := schema["type"].(type) {
	case string:
		if items, ok := schema["items"].(map[string]any); ok {
			return "list of " + c.typeText(items)
		}
		return t
	case []string:
		return "text"
	}
	return "mapping"
}

// described is what of a JSON schema is for people.
type described struct {
	Description string
	Properties  map[string]described
}

// schemaDocs are the texts of this module's kinds, by the definitions of the schema.
func schemaDocs() map[string]described {
	var s struct{ Definitions map[string]described }
	if json.Unmarshal(Schema(), &s) != nil {
		return nil // a test reads it
	}
	return s.Definitions
}

// JSONSchema is the JSON schema of the files that the catalogue decodes, with the
// descriptions of this module's kinds.
func (c Catalog) JSONSchema() ([]byte, error) {
	raw, err := c.Schema(nil)
	if err != nil {
		return nil, err
	}
	var schema, docs map[string]any
	for src, into := range map[*[]byte]*map[string]any{&raw: &schema, ptr(Schema()): &docs} {
		d := json.NewDecoder(bytes.NewReader(*src))
		d.UseNumber()
		if err := d.Decode(into); err != nil {
			return nil, fmt.Errorf("schema: %w", err)
		}
	}
	describeAs(schema, docs)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err = e.Encode(schema)
	return b.Bytes(), err
}

func ptr[T any](v T) *T { return &v }

// describeAs copies the descriptions of one schema to what stands at the same place in
// another.
func describeAs(schema, docs any) {
	switch a := schema.(type) {
	case map[string]any:
		b, ok := docs.(map[string]any)
		if !ok {
			return
		}
		if text, ok := b["description"].(string); ok && a["description"] == nil {
			a["description"] = text
		}
		for key, v := range a {
			describeAs(v, b[key])
		}
	case []any:
		if b, ok := docs.([]any); ok && len(b) == len(a) {
			for i := range a {
				describeAs(a[i], b[i])
			}
		}
	}
}

// Options are the options of a kind's value under the names that files use, without
// those that files leave out too.
func Options(v any) map[string]any {
	m := map[string]any{}
	s := reflect.Indirect(reflect.ValueOf(v))
	for i := range s.NumField() {
		key, form, _ := strings.Cut(s.Type().Field(i).Tag.Get("yaml"), ",")
		if key == "" || form == "omitempty" && s.Field(i).IsZero() {
			continue
		}
		value := s.Field(i).Interface()
		if text, ok := value.(encoding.TextMarshaler); ok {
			raw, err := text.MarshalText()
			if err != nil {
				continue // not a value that a file could hold
			}
			value = string(raw)
		}
		m[key] = value
	}
	return m
}
