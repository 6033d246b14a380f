package named

import (
	"fmt"
	"slices"

	"synfire/layer"
	"synfire/network"
)

// VGG is convolutions of 3×3 pixels in stages, each behind a normalisation where there is
// one and before rectified units, and a pooling of 2×2 pixels at the end of each stage; then
// dense layers. Average pooling is what converts without loss.
type VGG struct {
	Stages    [][]int `yaml:"stages"`     // channels of the convolutions of each stage
	Hidden    []int   `yaml:"hidden"`     // units of dense layers before the scores
	BatchNorm bool    `yaml:"batch-norm"` // behind each convolution
	Bias      bool    `yaml:"bias"`       // of dense layers, and of convolutions without batch-norm
	MaxPool   bool    `yaml:"max-pool"`   // in place of average pooling
	Dropout   float64 `yaml:"dropout"`    // before each dense layer
	Classes   int     `yaml:"classes"`    // scores
}

// vggs are the stages by the number of layers that gave the networks their names. VGG-9 is
// that of Rathi et al., ICLR 2020; 7 is the small network of 32-32-64-64-128-128.
var vggs = map[int][][]int{
	7:  {{32, 32}, {64, 64}, {128, 128}},
	9:  {{64}, {128, 256}, {256, 512}, {512}, {512}},
	11: {{64}, {128}, {256, 256}, {512, 512}, {512, 512}},
	16: {{64, 64}, {128, 128}, {256, 256, 256}, {512, 512, 512}, {512, 512, 512}},
}

// NewVGG is the network of 7, 9, 11 or 16 layers for images of 32×32 pixels, with batch
// normalisation and biases. VGG-9 has a dense layer of 512 units, the others none.
func NewVGG(layers int) VGG {
	var stages [][]int
	for _, s := range vggs[layers] {
		stages = append(stages, slices.Clone(s))
	}
	a := VGG{Stages: stages, Hidden: []int{}, BatchNorm: true, Bias: true, Classes: 10}
	if layers == 9 {
		a.Hidden = []int{512}
	}
	return a
}

// Validate returns an error for options that make no sense.
func (a VGG) Validate() error {
	if len(a.Stages) == 0 {
		return fmt.Errorf("network vgg: no stages; give the channels of the convolutions of each, such as [[32, 32], [64, 64]]")
	}
	for _, s := range a.Stages {
		if len(s) == 0 {
			return fmt.Errorf("network vgg: stages are %v, want at least one convolution in each", a.Stages)
		}
	}
	return check("vgg", a.Dropout, a.Classes, append([][]int{a.Hidden}, a.Stages...))
}

// Nodes implements network.Architecture.
func (a VGG) Nodes() []network.Node {
	n := net{batchNorm: a.BatchNorm, bias: a.Bias}
	var pool layer.Layer = layer.AvgPool{Size: 2}
	if a.MaxPool {
		pool = layer.MaxPool{Size: 2}
	}
	for _, stage := range a.Stages {
		for _, out := range stage {
			n.conv("", "", out, 3, 1)
			n.add(layer.ReLU{})
		}
		n.add(pool)
	}
	n.add(layer.Flatten{})
	n.head(a.Hidden, a.Dropout, a.Classes)
	return n.nodes
}

// Fast is the network of airbench94 as far as it carries over to what converts into
// spikes: rectified units for GELU, average for maximum pooling. A convolution of 2×2
// pixels, to be whitened from the training images (bptt.Whiten), is followed by groups of
//
//	conv 3×3 – average pooling 2×2 – batch norm – relu – conv 3×3 – batch norm – relu
//
// and the mean over all pixels by the scores.
type Fast struct {
	Kernels int   `yaml:"kernels"` // of the first convolution: 24 for both signs of each value of a patch, of grey images 8
	Widths  []int `yaml:"widths"`  // channels of each group
	Classes int   `yaml:"classes"` // scores
}

// NewFast has groups of 64, 192 and 256 channels.
func NewFast() Fast { return Fast{Kernels: 24, Widths: []int{64, 192, 256}, Classes: 10} }

// Validate returns an error for options that make no sense.
func (a Fast) Validate() error {
	return check("vgg-fast", 0, a.Classes, [][]int{a.Widths, {a.Kernels}})
}

// Nodes implements network.Architecture.
func (a Fast) Nodes() []network.Node {
	n := net{}
	norm := layer.BatchNorm{Momentum: 0.4, Epsilon: 1e-5, Scale: 1}
	conv := func(out int) layer.Layer {
		return layer.Conv2D{Out: out, Kernel: []int{3}, Padding: []int{1}, NoBias: true}
	}
	n.add(layer.Conv2D{Out: a.Kernels, Kernel: []int{2}}, layer.ReLU{})
	for _, w := range a.Widths {
		n.add(conv(w), layer.AvgPool{Size: 2}, norm, layer.ReLU{}, conv(w), norm, layer.ReLU{})
	}
	n.add(layer.GlobalAvgPool{}, layer.Linear{Out: a.Classes, NoBias: true})
	return n.nodes
}
