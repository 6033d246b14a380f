package model_test

import (
	"strings"
	"testing"

	"synfire/data"
	"synfire/encode"
	"synfire/layer"
	"synfire/model"
	"synfire/network"
	"synfire/tensor"
)

// A network is built for what the encoder makes of the samples.
func TestNetworkOfEncoder(t *testing.T) {
	set := &data.Set{Name: "series", Shape: tensor.Shape{9, 5}, Classes: []string{"a", "b"}}
	c := model.NewConfig()
	c.Encoder, c.Layers = encode.Delta{Threshold: 0.1}, network.Chain(layer.Flatten{}, layer.Linear{Out: 2})
	n, err := c.Network(set)
	if err != nil || !n.InputShape().Equal(tensor.Shape{5, 2}) {
		t.Fatalf("%v", err)
	}
	set.Shape = tensor.Shape{9}
	c.Encoder = encode.Frames{}
	if _, err := c.Network(set); err == nil || !strings.Contains(err.Error(), "time as the first") {
		t.Errorf("samples of one axis: %v", err)
	}
}
