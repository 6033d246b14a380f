package network_test

import (
	"slices"
	"strings"
	"testing"

	"synfire/internal/rng"
	"synfire/layer"
	"synfire/network"
	"synfire/signal"
	"synfire/snntest"
	"synfire/tensor"
)

// noted is a ReLU that notes in its buffer how often it was told to learn, and
// the last mode, name and number of keys that it saw.
type noted struct {
	layer.ReLU
	seen *seen
}

type seen struct {
	train bool
	node  string
	keys  int
}

func (noted) Buffers(in ...tensor.Shape) []layer.ParamSpec {
	return []layer.ParamSpec{{Role: "count", Shape: tensor.Shape{1}, Value: 7}, {Role: "mean", Shape: in[0]}}
}

func (noted) UpdateBuffers(buffers []tensor.Tensor, stats [][]tensor.Float) {
	buffers[0].Data[0]++
	copy(buffers[1].Data, stats[1])
}

func (n noted) Forward(c *layer.Call) {
	*n.seen = seen{c.Train, c.Node, len(c.Keys)}
	if c.Train {
		copy(c.Stats[1], c.In[0].Data)
	}
	n.ReLU.Forward(c)
}

func (noted) NeedsWholeTime(train bool) bool { return train }

// Layers learn of the mode, and their buffers take the statistics of a window
// that trained once, when asked to.
func TestTraining(t *testing.T) {
	var saw seen
	net, err := network.New(tensor.Shape{2}, 1, network.Node{Name: "n", Layer: noted{seen: &saw}})
	if err != nil {
		t.Fatal(err)
	}
	buffers := net.Buffers()
	if len(buffers) != 2 || buffers[0].Name != "n.count" || buffers[0].Value.Data[0] != 7 || buffers[1].Value.Data[0] != 0 {
		t.Fatalf("buffers %v, want n.count of 7 and n.mean of zeros", buffers)
	}
	if infos := net.Nodes(); len(infos[0].Buffers) != 2 || len(infos[0].Params) != 0 {
		t.Errorf("node described as %+v", infos[0])
	}
	clone := net.Clone()
	pass := net.Compile(nil, true).NewPass(network.Options{})
	in := snntest.Random(signal.Constant, 1, 1, net.InputShape(), 0, 1)
	forward := func() {
		t.Helper()
		if _, err := pass.Forward(net.NewState(1), in, true); err != nil {
			t.Fatal(err)
		}
		pass.UpdateBuffers()
		pass.UpdateBuffers() // once for each Forward
	}
	forward()
	if want := (seen{node: "n"}); saw != want || buffers[0].Value.Data[0] != 7 {
		t.Errorf("inference: the layer saw %+v and counted to %v", saw, buffers[0].Value.Data[0])
	}
	pass.SetTraining([]rng.Key{rng.New(1, rng.Dropout)})
	forward()
	if want := (seen{true, "n", 1}); saw != want || buffers[0].Value.Data[0] != 8 || !slices.Equal(buffers[1].Value.Data, in.Data) {
		t.Errorf("training: the layer saw %+v and keeps %v", saw, buffers)
	}
	if clone.Buffers()[0].Value.Data[0] != 7 {
		t.Error("a clone shares its buffers")
	}
	pass.SetTraining(make([]rng.Key, 3))
	if _, err := pass.Forward(net.NewState(1), in, true); err == nil || !strings.Contains(err.Error(), "one key a sample") {
		t.Errorf("keys of 3 samples for 1: %v", err)
	}
	if node, ok := net.WholeTime(true); node != "n" || !ok {
		t.Errorf("the node that needs the whole time is %q, %v", node, ok)
	}
	if _, ok := net.WholeTime(false); ok {
		t.Error("inference needs the whole time")
	}
}
