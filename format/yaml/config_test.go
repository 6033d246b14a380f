package yaml

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// The types of a representative configuration.

type layer interface{ layerKind() }

type conv struct {
	Out    int    `yaml:"out,required"`
	Kernel int    `yaml:"kernel"`
	Bias   *bool  `yaml:"bias"`
	Pad    [2]int `yaml:"pad"`
}

type spiking struct {
	Neuron    neuron    `yaml:"neuron,required"`
	Surrogate surrogate `yaml:"surrogate"`
}

// relu implements layer on its pointer only.
type relu struct{}

func (conv) layerKind()    {}
func (spiking) layerKind() {}
func (*relu) layerKind()   {}

type neuron interface{ neuronKind() }

type lif struct {
	Beta  float32 `yaml:"beta"`
	Theta float64 `yaml:"theta"`
}

func (lif) neuronKind() {}

func (n *lif) Validate() error {
	if n.Beta < 0 || n.Beta > 1 {
		return fmt.Errorf("beta is %v, want 0 to 1", n.Beta)
	}
	return nil
}

type surrogate interface{ surrogateKind() }

type arctan struct {
	Width float64 `yaml:"width"`
}

func (arctan) surrogateKind() {}

type level int8

func (l *level) UnmarshalText(b []byte) error {
	names := map[string]level{"avx2": 2, "avx512": 5}
	v, ok := names[string(b)]
	if !ok {
		return fmt.Errorf("no level %q\nlevels are avx2, avx512", b)
	}
	*l = v
	return nil
}

func (l level) MarshalText() ([]byte, error) {
	switch l {
	case 2:
		return []byte("avx2"), nil
	case 5:
		return []byte("avx512"), nil
	}
	return nil, errors.New("no such level")
}

type source struct {
	Name    string             `yaml:"name"`
	Classes []string           `yaml:"classes"`
	Weights map[string]float64 `yaml:"weights"`
}

type common struct {
	Seed  uint64 `yaml:"seed"`
	Small int8   `yaml:"small"`
}

// unit stands around an interface.
type unit struct {
	Name  string   `yaml:"name,omitempty"`
	Layer layer    `yaml:",inline"`
	From  []string `yaml:"from,omitempty,single"`
}

func (u *unit) Validate() error {
	if u.Name == "input" {
		return errors.New("the name input is taken")
	}
	return nil
}

type config struct {
	common  `yaml:",inline"`
	Steps   int              `yaml:"steps"`
	Rate    float64          `yaml:"learning-rate"`
	Debug   bool             `yaml:"debug"`
	Every   time.Duration    `yaml:"every"`
	Level   level            `yaml:"level"`
	Data    source           `yaml:"data"`
	Extra   *source          `yaml:"extra"`
	Layers  []layer          `yaml:"layers"`
	Named   map[string]layer `yaml:"named"`
	Nodes   []unit           `yaml:"nodes"`
	private int
	Ignored int
}

var kinds = Kinds{
	reflect.TypeFor[layer](): {
		"conv2d":  func() any { return &conv{Kernel: 3} },
		"spiking": func() any { return &spiking{Surrogate: arctan{2}} },
		"relu":    func() any { return &relu{} },
	},
	reflect.TypeFor[neuron]():    {"lif": func() any { return &lif{Beta: 0.95, Theta: 1} }},
	reflect.TypeFor[surrogate](): {"arctan": func() any { return &arctan{Width: 2} }},
}

func defaults() config {
	return config{
		common: common{Seed: 1},
		Rate:   0.01,
		Level:  2,
		Data:   source{Name: "mnist", Classes: []string{"0", "1"}, Weights: map[string]float64{"0": 1}},
		Extra:  &source{Name: "extra"},
	}
}

func document(lines ...string) string { return strings.Join(lines, "\n") + "\n" }
