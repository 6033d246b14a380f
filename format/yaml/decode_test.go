package yaml

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func ptr[T any](v T) *T { return &v }

var equal = cmp.AllowUnexported(config{})

func TestDecode(t *testing.T) {
	src := document(
		"# a comment",
		"seed: 18446744073709551615",
		"small: -0x80",
		"steps: 8",
		"learning-rate: 1e-3 # plain exponent",
		"debug: true",
		"every: 1m30s",
		"level: avx512",
		"data: {name: 'cifar', weights: {cat: 2, \"a: b\": .5}}",
		"extra:",
		"  classes: [a, b]",
		"layers:",
		"  - {kind: conv2d, out: 12, kernel: 5, bias: false, pad: [1, 2]}",
		"  - kind: spiking",
		"    neuron: {kind: lif, beta: 0.9}",
		"    surrogate: arctan",
		"  - relu",
		"  - kind: spiking",
		"    neuron: lif",
		"    surrogate: null",
		"  - ~",
		"named: {first: {kind: conv2d, out: 1}}",
	)
	got := defaults()
	extra := got.Extra
	if err := Decode("net.yaml", []byte(src), &got, kinds); err != nil {
		t.Fatal(err)
	}
	want := config{
		common: common{Seed: 18446744073709551615, Small: -128},
		Steps:  8, Rate: 1e-3, Debug: true, Every: 90 * time.Second, Level: 5,
		Data:  source{Name: "cifar", Classes: []string{"0", "1"}, Weights: map[string]float64{"cat": 2, "a: b": 0.5}},
		Extra: &source{Name: "extra", Classes: []string{"a", "b"}},
		Layers: []layer{
			conv{Out: 12, Kernel: 5, Bias: ptr(false), Pad: [2]int{1, 2}},
			spiking{Neuron: lif{Beta: 0.9, Theta: 1}, Surrogate: arctan{2}},
			&relu{},
			spiking{Neuron: lif{Beta: 0.95, Theta: 1}},
			nil,
		},
		Named: map[string]layer{"first": conv{Out: 1, Kernel: 3}},
	}
	if d := cmp.Diff(want, got, equal); d != "" {
		t.Error(d)
	}
	if extra.Classes != nil {
		t.Error("decoding changed what a default pointer points to")
	}
}

func TestNullAndEmpty(t *testing.T) {
	got := defaults()
	if err := Decode("", []byte("extra: null\nlayers: []\nnamed: {}\ndata: {classes: ~, weights:}\n"), &got, kinds); err != nil {
		t.Fatal(err)
	}
	if got.Extra != nil || got.Data.Classes != nil || got.Data.Weights != nil {
		t.Errorf("null left %v %v %v", got.Extra, got.Data.Classes, got.Data.Weights)
	}
	if got.Layers == nil || len(got.Layers) != 0 || got.Named == nil {
		t.Errorf("empty values became %#v %#v", got.Layers, got.Named)
	}
}

func TestListOfOneKind(t *testing.T) {
	for _, src := range []string{"a: relu\n", "a: {kind: relu}\n", "a: [relu]\n", "a: [{kind: relu}]\n"} {
		var got struct {
			A []layer `yaml:"a,single"`
		}
		if err := Decode("", []byte(src), &got, kinds); err != nil || len(got.A) != 1 {
			t.Errorf("%q: %v, %v", src, got.A, err)
		}
	}
}

func TestAliasesAndForms(t *testing.T) {
	tests := []struct{ name, src string }{
		{"alias", "data: &d {name: x, classes: [a]}\nextra: *d\n"},
		{"block anchor", "data: &d\n  name: x\n  classes:\n  - a\nextra: *d\n"},
		{"byte order mark and CRLF", "\ufeffdata: {name: x, classes: [a]}\r\nextra:\r\n  name: x\r\n  classes: [\"a\"]\r\n"},
		{"document markers", "---\ndata: {name: x, classes: [a]}\nextra: {name: x, classes: [a]}\n...\n"},
		{"JSON", `{"data": {"name": "x", "classes": ["a"]}, "extra": {"name": "x", "classes": ["a"]}}`},
		{"folded", "data: {name: x, classes: [a]}\nextra:\n  name: >-\n    x\n  classes:\n    - |-\n      a\n"},
	}
	want := source{Name: "x", Classes: []string{"a"}}
	for _, tt := range tests {
		var got config
		if err := Decode("", []byte(tt.src), &got, kinds); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if d := cmp.Diff(want, got.Data) + cmp.Diff(&want, got.Extra); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}

func TestFailureLeavesTheTarget(t *testing.T) {
	got := defaults()
	if err := Decode("", []byte("seed: 7\ndata: {name: x, classes: [b]}\nextra: {name: x}\nlayers: [relu]\nsteps: x\n"), &got, kinds); err == nil {
		t.Fatal("no error")
	}
	if d := cmp.Diff(defaults(), got, equal); d != "" {
		t.Error(d)
	}
}

func TestErrorFields(t *testing.T) {
	var c config
	err := Decode("net.yaml", []byte("layers:\n  - {kind: spiking, neuron: {kind: lif, beta: 2}}\n"), &c, kinds)
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error is %T", err)
	}
	want := Error{"net.yaml", 2, 29, "layers[0].neuron", "beta is 2, want 0 to 1", "", e.Err}
	if *e != want || e.Err == nil {
		t.Errorf("got %+v", *e)
	}
}

func TestManyErrors(t *testing.T) {
	var src strings.Builder
	for i := range 300 {
		fmt.Fprintf(&src, "key%d: 1\n", i)
	}
	var c config
	err := Decode("f", []byte(src.String()), &c, kinds)
	var all Errors
	if !errors.As(err, &all) || len(all) != maxErrors {
		t.Fatalf("%T of %d errors", err, len(all))
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != shownErrors+1 || lines[shownErrors] != "and 90 more" {
		t.Errorf("%d lines, last %q", len(lines), lines[len(lines)-1])
	}
}

func TestHostileDocuments(t *testing.T) {
	var bomb strings.Builder
	bomb.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&bomb, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	var chain strings.Builder
	chain.WriteString("a0: &a0 [x]\n")
	for i := 1; i < 200; i++ {
		fmt.Fprintf(&chain, "a%d: &a%d [*a%d]\n", i, i, i-1)
	}
	var ladder strings.Builder
	for i := range 300 {
		ladder.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	repeat := func(s string) string { return strings.Repeat(s, maxBytes/len(s)) }
	tests := []struct{ name, src, want string }{
		{"alias bomb", bomb.String(), "more than 100000 values once its aliases"},
		{"alias chain", chain.String(), "more than 100 levels deep once aliases"},
		{"own alias", "a: &a [*a]\n", "alias *a has no anchor &a before it"},
		{"too long", repeat("#") + "# over", "the limit is 262144"},
		{"flow sequences", repeat("["), "more than 100 levels deep"},
		{"flow mappings", repeat("{a: "), "more than 100 levels deep"},
		{"dashes", repeat("- "), "more than 100 levels deep"},
		{"question marks", repeat("? "), "more than 100 levels deep"},
		{"ladder", ladder.String(), "more than 100 levels deep"},
		{"keys", repeat("a: 1\n"), "a mapping has more than 4096 keys"},
		{"quoted keys", repeat("\"a\": 1\n"), "a mapping has more than 4096 keys"},
	}
	for _, unit := range []string{"a", "&a ", "!!x ", "*a ", ", ", "\t", "|\n", "# x\n", ": ", "a: ", "{}", "[]", "%", "---\n", "é", "'", "\"", "\r", "- |\n  x\n"} {
		tests = append(tests, struct{ name, src, want string }{"only " + unit, repeat(unit), ""})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			var into map[string][]string
			err := Decode("", []byte(tt.src), &into, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %.300v, want %q", err, tt.want)
			}
			if err != nil && len(err.Error()) > 20000 {
				t.Errorf("the message has %d bytes", len(err.Error()))
			}
			if d := time.Since(start); d > 20*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

func TestMistakesInTheProgram(t *testing.T) {
	type badTag struct {
		A int `yaml:"a,omitzero"`
	}
	type noSlice struct {
		A int `yaml:"a,single"`
	}
	type twice struct {
		A int `yaml:"a"`
		B int `yaml:"a"`
	}
	type hidden struct {
		a int `yaml:"a"`
	}
	type hasKind struct {
		conv
		Kind string `yaml:"kind"`
	}
	own := Kinds{reflect.TypeFor[layer](): {
		"field":   func() any { return &hasKind{} },
		"nothing": func() any { return nil },
		"other":   func() any { return &lif{} },
	}}
	tests := []struct {
		into any
		src  string
		want string
	}{
		{nil, "a: 1", "cannot decode into <nil>; pass a non-nil pointer"},
		{config{}, "a: 1", "cannot decode into yaml.config; pass a non-nil pointer"},
		{&badTag{}, "a: 1", `bad tag "a,omitzero"`},
		{&noSlice{}, "a: 1", `bad tag "a,single"`},
		{&twice{}, "a: 1", `two fields with the key "a"`},
		{&hidden{}, "a: 1", "bad tag"},
		{new(any), "a: 1", "no table of kinds for the Go type interface {}"},
		{new(map[int]string), "a: b", "whose keys are no strings"},
		{new([]chan int), "[1]", "[0]: cannot decode into the Go type chan int"},
		{new(layer), "field", `has a field "kind"`},
		{new(layer), "nothing", "makes no pointer to a struct"},
		{new(layer), "other", "makes *yaml.lif, which is no yaml.layer"},
	}
	for _, tt := range tests {
		if err := Decode("", []byte(tt.src), tt.into, own); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("into %T: error %v, want %q", tt.into, err, tt.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, tt := range goldenErrors {
		f.Add([]byte(tt.src))
	}
	if b, err := os.ReadFile("testdata/net.yaml"); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		got := defaults()
		err := Decode("f", src, &got, kinds)
		if err != nil {
			var all Errors
			if !errors.As(err, &all) || len(all) == 0 {
				t.Fatalf("error is %T: %v", err, err)
			}
			return
		}
		roundTrip(t, got)
	})
}
