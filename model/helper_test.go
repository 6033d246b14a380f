package model_test

import (
	"testing"

	"synfire/catalog"
	"synfire/format/yaml"
	"synfire/layer"
	"synfire/model"
	"synfire/network"
	"synfire/rule/bptt"
	"synfire/sample"
)

// kinds is the table completed with the rules.
func kinds() model.Table { return catalog.Default().Table }

// rule is the rule of a configuration that learns by backpropagation.
func rule(t testing.TB, c model.Config) bptt.Rule {
	t.Helper()
	r, ok := c.Rule.(bptt.Rule)
	if !ok {
		t.Fatalf("the rule is a %T", c.Rule)
	}
	return r
}

// build makes the network that a configuration describes for samples.
func build(c model.Config, spec sample.Spec) (*network.Network, error) {
	l, err := c.Rule.Learner(c.Setting(model.Sets{Spec: spec}, nil))
	if err != nil {
		return nil, err
	}
	return l.(*bptt.Learner).Network(), nil
}

// layerOf reads a layer as a file has it.
func layerOf(t testing.TB, text string) layer.Layer {
	t.Helper()
	var v struct {
		Layer layer.Layer `yaml:"layer"`
	}
	if err := yaml.Decode("layer.yaml", []byte("layer: "+text), &v, kinds().Kinds()); err != nil {
		t.Fatal(err)
	}
	return v.Layer
}
