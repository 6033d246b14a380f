package onnx

import (
	"testing"

	"synfire/layer"
	"synfire/layer/ordinary"
)

func TestKindOf(t *testing.T) {
	for want, l := range map[string]layer.Layer{
		"batch-norm": layer.BatchNorm{}, "max-pool": layer.MaxPool{}, "global-avg-pool": layer.GlobalAvgPool{}, "avg-pool": layer.AvgPool{},
		"conv2d": layer.Conv2D{}, "relu": layer.ReLU{}, "softmax": ordinary.Softmax{}, "readout": layer.Readout{},
	} {
		if got := kindOf(l); got != want {
			t.Errorf("%T is %q, want %q", l, got, want)
		}
	}
}
