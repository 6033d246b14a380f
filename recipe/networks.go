package recipe

import (
	"fmt"

	"synfire/encode"
	"synfire/layer"
	"synfire/loss"
	"synfire/model"
	"synfire/network"
	"synfire/optim"
	"synfire/rule/bptt"
)

// Ordinary is the training of an ordinary network by the cross-entropy of its scores. What
// it is given else is for the caller to fill in.
func Ordinary(seed uint64, d model.Data, nodes []network.Node, epochs, batch int, o optim.Optimizer, s optim.Schedule) model.Config {
	return model.Config{
		Seed: seed, Data: d, Encoder: encode.Constant{}, Steps: 1, Epochs: epochs, Batch: batch,
		Rule: bptt.Rule{Layers: nodes, Loss: []bptt.Term{{Loss: loss.CountCrossEntropy{}}}, Optimizer: o, Schedule: s},
	}
}

// Perceptron is a chain of dense layers for ten classes, without biases, with dropout
// behind each hidden one where its rate is above 0.
func Perceptron(dropout float64, hidden ...int) []network.Node {
	list := []layer.Layer{layer.Flatten{}}
	for _, n := range hidden {
		list = append(list, layer.Linear{Out: n, NoBias: true}, layer.ReLU{})
		if dropout > 0 {
			list = append(list, layer.Dropout{Rate: dropout})
		}
	}
	return network.Chain(append(list, layer.Linear{Out: 10, NoBias: true})...)
}

// he is the gain of initial weights by which rectified units keep their variance, which
// deep networks without batch normalisation need.
const he = 2.45

// VGGLike is 32-32-A-64-64-A-128-128-A-256-10 times a width, A means of 2×2, without biases
// and batch normalisation, with dropout.
func VGGLike(width, dropout float64) []network.Node {
	of := func(n int) int { return max(1, int(width*float64(n))) }
	var list []layer.Layer
	for _, n := range []int{32, 64, 128} {
		for range 2 {
			list = append(list, layer.Conv2D{Out: of(n), Kernel: []int{3}, Padding: []int{1}, NoBias: true, Gain: he}, layer.ReLU{}, layer.Dropout{Rate: dropout / 2})
		}
		list = append(list, layer.AvgPool{Size: 2})
	}
	return network.Chain(append(list, layer.Flatten{}, layer.Linear{Out: of(256), NoBias: true, Gain: he}, layer.ReLU{}, layer.Dropout{Rate: dropout}, layer.Linear{Out: 10, NoBias: true})...)
}

// Residual is a residual network for small images (He et al., CVPR 2016): a convolution,
// three stages of blocks, the second and third with half the side, a global mean, a dense
// layer. Depth is 6n + 2 for n blocks a stage. The first block of each stage has a
// convolution of 1×1 on its shortcut, and no unit.
type Residual struct {
	Depth  int
	Widths [3]int
	Plain  bool // without biases and batch normalisation, behind a stem of three convolutions instead of one
}

// Nodes is the network for ten classes.
func (r Residual) Nodes() []network.Node {
	b := &residual{r: r, names: map[string]int{}}
	stem := 1
	if r.Plain {
		stem = 3
	}
	at := network.Input
	for range stem {
		at = b.unit(b.conv(at, r.Widths[0], 3, 1))
	}
	for stage, n := range r.Widths {
		for k := range (r.Depth - 2) / 6 {
			at = b.block(at, n, k == 0, stage > 0 && k == 0)
		}
	}
	return append(b.nodes, network.Node{Layer: layer.GlobalAvgPool{}, Inputs: []string{at}}, network.Node{Layer: layer.Linear{Out: 10, NoBias: r.Plain}})
}

// residual is such a network on its way.
type residual struct {
	r     Residual
	nodes []network.Node
	names map[string]int
}

// add adds a node behind others, and returns its name.
func (b *residual) add(kind string, l layer.Layer, inputs ...string) string {
	b.names[kind]++
	name := fmt.Sprint(kind, b.names[kind])
	b.nodes = append(b.nodes, network.Node{Name: name, Layer: l, Inputs: inputs})
	return name
}

// conv is a convolution that keeps the side, or halves it, normalised.
func (b *residual) conv(in string, n, kernel, stride int) string {
	l := layer.Conv2D{Out: n, Kernel: []int{kernel}, Stride: []int{stride}, NoBias: true}
	if kernel > 1 {
		l.Padding = []int{kernel / 2}
	}
	if b.r.Plain {
		l.Gain = he
		return b.add("conv", l, in)
	}
	return b.add("norm", layer.BatchNorm{}, b.add("conv", l, in))
}

func (b *residual) unit(in ...string) string { return b.add("relu", layer.ReLU{}, in...) }

func (b *residual) block(in string, n int, project, halve bool) string {
	stride := 1
	if halve {
		stride = 2
	}
	branch := b.conv(b.unit(b.conv(in, n, 3, stride)), n, 3, 1)
	if project {
		in = b.conv(in, n, 1, stride)
	}
	return b.unit(b.add("add", layer.Add{}, branch, in))
}
