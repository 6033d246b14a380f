package yaml_test

import (
	"fmt"
	"reflect"

	"synfire/format/yaml"
)

type Neuron interface{ Spikes(v float64) bool }

type LIF struct {
	Beta      float64 `yaml:"beta"`
	Threshold float64 `yaml:"threshold"`
}

func (n LIF) Spikes(v float64) bool { return v >= n.Threshold }

func Example() {
	kinds := yaml.Kinds{reflect.TypeFor[Neuron](): {
		"lif": func() any { return &LIF{Beta: 0.95, Threshold: 1} },
	}}
	type config struct {
		Seed   uint64 `yaml:"seed"`
		Steps  int    `yaml:"steps,required"`
		Neuron Neuron `yaml:"neuron"`
	}

	var c config
	err := yaml.Decode("net.yaml", []byte("steps: 8\nneuron: {kind: lif, beta: 0.9}\n"), &c, kinds)
	fmt.Printf("%+v %v\n", c, err)

	resolved, _ := yaml.Encode(c, kinds)
	fmt.Print(string(resolved))

	err = yaml.Decode("net.yaml", []byte("seed: -1\nneuron: {kind: lif, bet: 0.9}\n"), &c, kinds)
	fmt.Println(err)
	// Output:
	// {Seed:0 Steps:8 Neuron:{Beta:0.9 Threshold:1}} <nil>
	// seed: 0
	// steps: 8
	// neuron: {kind: lif, beta: 0.9, threshold: 1}
	// net.yaml:1:1: missing key "steps"; it has no default: add it
	// net.yaml:1:7: seed: -1 is out of range; uint64 holds 0 to 18446744073709551615
	// net.yaml:2:21: neuron: unknown key "bet"; did you mean "beta"? known keys: kind, beta, threshold
}
