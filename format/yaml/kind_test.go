package yaml_test

import (
	"reflect"
	"strings"
	"testing"

	"synfire/format/yaml"
)

type rule interface{ learns() }

type byGradient struct {
	Rate float64 `yaml:"rate"`
	Kind string  `yaml:"kind"` // a key like any other here
}
type byHand struct {
	Hands int `yaml:"hands,required"`
}

func (byGradient) learns() {}
func (byHand) learns()     {}

type plan struct {
	Seed int  `yaml:"seed"`
	Rule rule `yaml:",inline,kind=rule:gradient"`
}

var rules = yaml.Kinds{reflect.TypeFor[rule](): {
	"gradient": func() any { return &byGradient{Rate: 0.5} },
	"hand":     func() any { return &byHand{} },
}}

// The kind of an inline interface may stand under another key, and may be left out.
func TestKindUnderAnotherKey(t *testing.T) {
	for in, want := range map[string]plan{
		"seed: 3":                       {3, byGradient{Rate: 0.5}},
		"seed: 3\nrate: 2":              {3, byGradient{Rate: 2}},
		"rule: gradient\nkind: steep":   {0, byGradient{Rate: 0.5, Kind: "steep"}},
		"rule: hand\nhands: 2\nseed: 1": {1, byHand{2}},
	} {
		var got plan
		if err := yaml.Decode("plan.yaml", []byte(in), &got, rules); err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", in, got, err, want)
			continue
		}
		text, err := yaml.Encode(got, rules)
		var again plan
		if err == nil {
			err = yaml.Decode("plan.yaml", text, &again, rules)
		}
		if err != nil || again != want {
			t.Errorf("%q: written as %q, read as %+v, %v", in, text, again, err)
		}
	}
	for in, want := range map[string]string{
		"rule: feet":              `unknown kind "feet"`,
		"rule: hand":              `missing key "hands"`,
		"rule: [hand]":            "expected the name of a kind",
		"hands: 2":                `unknown key "hands"`,
		"rule: hand\nrate: 2":     `unknown key "rate"`,
		"rule: gradient\nrate: x": "rate",
	} {
		var got plan
		if err := yaml.Decode("plan.yaml", []byte(in), &got, rules); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", in, err, want)
		}
	}
	schema, err := yaml.Schema(plan{}, rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	definitions := schema["definitions"].(map[string]any)
	for name, want := range map[string][]string{"gradient": {}, "hand": {"rule", "hands"}} {
		d := definitions["yaml_test.plan."+name].(map[string]any)
		if !reflect.DeepEqual(d["required"], want) {
			t.Errorf("%s requires %v, want %v", name, d["required"], want)
		}
	}
}
