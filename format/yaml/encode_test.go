package yaml

import (
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// fataler is what testing and rapid have in common.
type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// roundTrip demands that Encode and Decode give an equal value, whatever stood
// in the target before.
func roundTrip(t fataler, c config) {
	t.Helper()
	b, err := Encode(c, kinds)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	got := defaults()
	if err := Decode("f", b, &got, kinds); err != nil {
		t.Fatalf("own output is refused: %v\n%s", err, b)
	}
	got.private, got.Ignored = c.private, c.Ignored
	if d := cmp.Diff(c, got, equal); d != "" {
		t.Fatalf("%s\n%s", d, b)
	}
}

func TestEncodeGolden(t *testing.T) {
	c := defaults()
	c.Steps, c.Every, c.Rate = 8, 90*time.Second, 1e-5
	c.Data.Weights = map[string]float64{"dog": 1, "a: b": 0.1, "yes": 3}
	c.Extra = nil
	c.Layers = []layer{
		conv{Out: 12, Kernel: 5, Bias: ptr(true)},
		spiking{Neuron: lif{Beta: 0.9, Theta: 1}, Surrogate: arctan{2}},
		&relu{},
	}
	c.Named = map[string]layer{"last": spiking{Neuron: lif{Beta: 0.1, Theta: 123456789.25}, Surrogate: arctan{0.30000000000000004}}}
	got, err := Encode(&c, kinds)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/net.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Error(d)
	}
	roundTrip(t, c)
}

func TestRoundTripShapes(t *testing.T) {
	type inner struct {
		A [][]int             `yaml:"a"`
		B map[string][]string `yaml:"b"`
		C []map[string]int    `yaml:"c"`
		D [2][2]float32       `yaml:"d"`
		E **int               `yaml:"e"`
		F []*inner            `yaml:"f"`
		G string              `yaml:"g"`
		H []struct{}          `yaml:"h"`
	}
	v := inner{
		A: [][]int{{1, 2}, {}, nil, {3}},
		B: map[string][]string{"": {"", " "}, "k": nil, "~": {}},
		C: []map[string]int{{"x": 1}, nil, {}},
		D: [2][2]float32{{0.1, -0.0}, {1e-45, math.MaxFloat32}},
		E: ptr(ptr(7)),
		F: []*inner{nil, {G: strings.Repeat("long ", 40), A: [][]int{{1}}}},
		G: "# \"q\" \\ 'x'\n\ttab: \u00e9\u2028\U0001F600\x00",
		H: []struct{}{{}, {}},
	}
	b, err := Encode(v, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got inner
	if err := Decode("", b, &got, nil); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	if d := cmp.Diff(v, got); d != "" {
		t.Errorf("%s\n%s", d, b)
	}
}

func TestEncodeRootForms(t *testing.T) {
	tests := []struct {
		v    any
		want string
	}{
		{struct{}{}, "{}\n"},
		{[]int{}, "[]\n"},
		{[]int{1, 2}, "- 1\n- 2\n"},
		{[][]int{{1}, {2}}, "- [1]\n- [2]\n"},
		{[][][]int{{{1}, {2}}}, "- - [1]\n  - [2]\n"},
		{"a b", "a b\n"},
		{3, "3\n"},
		{nil, "null\n"},
	}
	for _, tt := range tests {
		if got, err := Encode(tt.v, nil); err != nil || string(got) != tt.want {
			t.Errorf("Encode(%v) = %q, %v; want %q", tt.v, got, err, tt.want)
		}
	}
}

func TestEncodeErrors(t *testing.T) {
	type cycle struct {
		Next *cycle `yaml:"next"`
	}
	loop := &cycle{}
	loop.Next = loop
	c := defaults()
	c.Layers = []layer{spiking{Neuron: lif{Theta: math.Inf(1)}}}
	tests := []struct {
		v    any
		want string
	}{
		{c, "yaml: encode layers[0].neuron.theta: +Inf is not finite"},
		{config{Level: 3}, "level: no such level"},
		{config{Level: 2, Data: source{Name: "\xff"}}, "data.name: the string"},
		{map[string]any{"a": 1}, "a: no kind of interface {} makes a int"},
		{map[int]int{1: 1}, "keys of Go type map[int]int are no strings"},
		{[]func(){nil}, "[0]: cannot encode the Go type func()"},
		{loop, "cycle of pointers"},
		{config{Level: 2, Layers: []layer{(*relu)(nil)}}, "layers[0]: no kind of yaml.layer makes a *yaml.relu"},
	}
	for _, tt := range tests {
		if _, err := Encode(tt.v, kinds); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %.200v, want %q", err, tt.want)
		}
	}
}

// drawConfig makes any configuration.
func drawConfig(t *rapid.T) config {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"", " ", "~", "null", "true", "yes", "1", "-", "- a", "a: b", "a #b", "#", "0x1", ".5", "1e3", "...", "---", "a-", "./x", "<<", "*a", "&a",
		"!!int", "[", "{", "a\nb", "a\r\nb", " a", "a ", "'", "\"", "\\", "\t", "%", "@", "`", "?", "? a", ":", "a:", "|", ">", "é", "a\u0085b", "\ufeff", ".inf", "a, b",
	}))
	finite := rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64)
	neurons := rapid.Custom(func(t *rapid.T) neuron {
		return lif{rapid.Float32Range(0, 1).Draw(t, "beta"), finite.Draw(t, "theta")}
	})
	layers := rapid.Custom(func(t *rapid.T) layer {
		switch rapid.IntRange(0, 3).Draw(t, "layer") {
		case 0:
			bias := rapid.SampledFrom([]*bool{nil, ptr(true), ptr(false)}).Draw(t, "bias")
			return conv{rapid.Int().Draw(t, "out"), rapid.Int().Draw(t, "kernel"), bias, [2]int{rapid.Int().Draw(t, "pad")}}
		case 1:
			s := spiking{Neuron: neurons.Draw(t, "neuron")}
			if rapid.Bool().Draw(t, "surrogate?") {
				s.Surrogate = arctan{finite.Draw(t, "width")}
			}
			return s
		case 2:
			return &relu{}
		}
		return nil
	})
	units := rapid.Custom(func(t *rapid.T) unit {
		u := unit{Name: text.Draw(t, "name"), Layer: conv{Out: rapid.Int().Draw(t, "out")}}
		if u.Name == "input" {
			u.Name = ""
		}
		if rapid.Bool().Draw(t, "from?") {
			u.From = rapid.SliceOf(text).Draw(t, "from")
		}
		return u
	})
	sources := rapid.Custom(func(t *rapid.T) source {
		return source{
			Name:    text.Draw(t, "name"),
			Classes: rapid.OneOf(rapid.SliceOf(text), rapid.Just[[]string](nil)).Draw(t, "classes"),
			Weights: rapid.MapOf(text, finite).Draw(t, "weights"),
		}
	})
	return config{
		common: common{rapid.Uint64().Draw(t, "seed"), rapid.Int8().Draw(t, "small")},
		Steps:  rapid.Int().Draw(t, "steps"),
		Rate:   finite.Draw(t, "rate"),
		Debug:  rapid.Bool().Draw(t, "debug"),
		Every:  time.Duration(rapid.Int64().Draw(t, "every")),
		Level:  rapid.SampledFrom([]level{2, 5}).Draw(t, "level"),
		Data:   sources.Draw(t, "data"),
		Extra:  rapid.OneOf(rapid.Ptr(sources, true)).Draw(t, "extra"),
		Layers: rapid.SliceOf(layers).Draw(t, "layers"),
		Named:  rapid.MapOf(text, layers).Draw(t, "named"),
		Nodes:  rapid.SliceOf(units).Draw(t, "nodes"),
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { roundTrip(t, drawConfig(t)) })
}

func TestFirstNameOfAType(t *testing.T) {
	two := Kinds{reflect.TypeFor[neuron](): {
		"z": func() any { return &lif{} },
		"b": func() any { return &lif{Beta: 1} },
	}}
	got, err := Encode(struct {
		Cell neuron `yaml:"cell"`
	}{lif{0.5, 1}}, two)
	if want := "cell: {kind: b, beta: 0.5, theta: 1}\n"; err != nil || string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func BenchmarkDecode(b *testing.B) {
	var src strings.Builder
	src.WriteString("layers:\n")
	for i := range 1000 {
		fmt.Fprintf(&src, "  - {kind: conv2d, out: %d, kernel: 5}\n", i)
	}
	for b.Loop() {
		var c config
		if err := Decode("", []byte(src.String()), &c, kinds); err != nil {
			b.Fatal(err)
		}
	}
}
