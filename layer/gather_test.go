package layer_test

import (
	"math"
	"testing"

	"synfire/layer"
	"synfire/signal"
	"synfire/tensor"
)

// A Gather takes elements by their indices, and errors find their way back.
func TestGather(t *testing.T) {
	l := layer.Gather{Shape: []int{2, 3}, Indexed: true}
	k := call(t, l, sig(signal.Dense, 1, 1, tensor.Shape{4}, 10, 20, 30, 40), layer.Auto)
	k.Buffers = []tensor.Tensor{{Shape: k.Shape, Data: []tensor.Float{3, 3, -1, 0, 4, 2}}}
	l.Forward(k)
	checkFloats(t, "output", k.Out.Data, 40, 40, 0, 10, 0, 30)
	k.DOut = sig(signal.Dense, 1, 1, tensor.Shape{2, 3}, 1, 2, 4, 8, 16, 32)
	k.DIn = []*signal.Signal{sig(signal.Dense, 1, 1, tensor.Shape{4}, 9, 9, 9, 9)}
	l.Backward(k)
	checkFloats(t, "errors", k.DIn[0].Data, 8, 0, 32, 3)
}

// Shares sum to one, and large inputs do not overflow.
func TestSoftmax(t *testing.T) {
	k := call(t, layer.Softmax{}, sig(signal.Dense, 1, 1, tensor.Shape{2, 2}, 1000, 1000, 0, tensor.Float(math.Log(3))), layer.Auto)
	layer.Softmax{}.Forward(k)
	for i, want := range []float64{0.5, 0.5, 0.25, 0.75} {
		if got := float64(k.Out.Data[i]); math.Abs(got-want) > 1e-6 {
			t.Errorf("share %d is %v, want %v", i, got, want)
		}
	}
}

func checkFloats(t *testing.T, what string, got []tensor.Float, want ...tensor.Float) {
	t.Helper()
	for i, w := range want {
		if len(got) != len(want) || got[i] != w {
			t.Fatalf("%s %v, want %v", what, got, want)
		}
	}
}
