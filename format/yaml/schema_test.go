package yaml

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"
)

func validator(t testing.TB) *jsonschema.Schema {
	t.Helper()
	return validatorOf(t, defaults(), kinds)
}

func validatorOf(t testing.TB, v any, kinds Kinds) *jsonschema.Schema {
	t.Helper()
	made, err := Schema(v, kinds, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// value is a document as an editor sees it, nil where it has errors.
func value(src []byte) any {
	l := &log{}
	n := parse(l, src)
	if len(l.errs) > 0 {
		return nil
	}
	return n.json()
}

// What Encode writes the schema accepts.
func TestSchemaAccepts(t *testing.T) {
	s := validator(t)
	src, err := os.ReadFile("testdata/net.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(value(src)); err != nil {
		t.Error(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		src, err := Encode(c, kinds)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(value(src)); err != nil {
			t.Fatalf("%v in\n%s", err, src)
		}
	})
}

// An interface whose table has no kinds made a schema that is none.
func TestSchemaOfNoKinds(t *testing.T) {
	type shape interface{ Area() float64 }
	var v struct {
		Shape shape `yaml:"shape"`
		Size  int   `yaml:"size"`
	}
	s := validatorOf(t, v, Kinds{reflect.TypeFor[shape](): {}})
	if err := s.Validate(value([]byte("size: 3\n"))); err != nil {
		t.Error(err)
	}
	if s.Validate(value([]byte("shape: circle\n"))) == nil {
		t.Error("a kind that there is not is accepted")
	}
}

// What Decode refuses for its form the schema refuses as well.
func TestSchemaRefuses(t *testing.T) {
	s := validator(t)
	n := 0
	for _, tt := range goldenErrors {
		message := strings.Join(tt.want, "\n")
		known := strings.Contains(message, "unknown") || strings.Contains(message, "missing") || strings.Contains(message, ": expected")
		v := value([]byte(tt.src))
		if !known || v == nil || strings.Contains(message, "finite") {
			continue
		}
		switch tt.name {
		case "float for integer", "exponent for integer": // 8.0 and 8 are one number in JSON
			continue
		}
		n++
		if s.Validate(v) == nil {
			t.Errorf("%s: accepted: %s", tt.name, tt.src)
		}
	}
	if n < 25 {
		t.Errorf("only %d documents were tried", n)
	}
}

func TestSchema(t *testing.T) {
	doc := func(t reflect.Type, field string) string {
		return strings.TrimSuffix(t.Name()+"."+field, ".")
	}
	type holder struct {
		common `yaml:",inline"`
		Unit   unit `yaml:"unit,required"`
	}
	got, err := Schema(holder{common: common{Seed: 3}}, Kinds{reflect.TypeFor[layer](): {"relu": kinds[reflect.TypeFor[layer]()]["relu"]}}, doc)
	if err != nil {
		t.Fatal(err)
	}
	text := func(description string) map[string]any {
		return map[string]any{"type": "string", "description": description}
	}
	want := map[string]any{
		"$schema": "http://json-schema.org/draft-07/schema#",
		"type":    "object", "additionalProperties": false, "required": []string{"unit"},
		"properties": map[string]any{
			"seed":  map[string]any{"type": "integer", "minimum": 0, "default": json.Number("3"), "description": "common.Seed"},
			"small": map[string]any{"type": "integer", "default": json.Number("0"), "description": "common.Small"},
			"unit":  map[string]any{"$ref": "#/definitions/yaml.unit", "description": "holder.Unit"},
		},
		"definitions": map[string]any{
			"yaml.unit": map[string]any{"description": "unit", "anyOf": []any{
				map[string]any{"enum": []string{"relu"}}, map[string]any{"$ref": "#/definitions/yaml.unit.relu"},
			}},
			"yaml.unit.relu": map[string]any{
				"type": "object", "additionalProperties": false, "required": []string{"kind"}, "description": "relu",
				"properties": map[string]any{
					"kind": map[string]any{"const": "relu", "description": "relu"},
					"name": text("unit.Name"),
					"from": map[string]any{"description": "unit.From", "anyOf": []any{
						map[string]any{"type": "string"},
						map[string]any{"type": "array", "items": map[string]any{"type": "string"}},
						map[string]any{"type": "null"},
					}},
				},
			},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if names := namesOf(reflect.TypeFor[direction]()); !reflect.DeepEqual(names, []string{"up", "down"}) {
		t.Errorf("names %v", names)
	}
}

// direction is a small integer with names.
type direction uint8

func (d direction) MarshalText() ([]byte, error) {
	return []byte([]string{"up", "down", "?"}[min(d, 2)]), nil
}

func (d *direction) UnmarshalText(b []byte) error {
	switch string(b) {
	case "up":
		*d = 0
	case "down":
		*d = 1
	default:
		return os.ErrInvalid
	}
	return nil
}

func TestSchemaErrors(t *testing.T) {
	type cycle struct {
		Next *cycle `yaml:"next"`
	}
	type twice struct {
		A int `yaml:"a"`
		B int `yaml:"a"`
	}
	for _, c := range []struct {
		v    any
		want string
	}{
		{make(chan int), "cannot describe the Go type chan int"},
		{cycle{}, "is there a cycle?"},
		{twice{}, "two fields"},
		{defaults(), "no table of kinds"},
	} {
		if _, err := Schema(c.v, nil, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T: %v, want %q", c.v, err, c.want)
		}
	}
}
