// Package named holds ordinary networks by their names, for images of 32×32 or 28×28
// pixels: what is trained with rectified units and made spiking afterwards. Each is a
// network.Architecture, options that stand for nodes:
//
//	VGG       convolutions in stages, a pooling behind each (Simonyan and Zisserman, ICLR 2015)
//	ResNet    blocks y = relu(F(x) + x) of two convolutions (He et al., CVPR 2016)
//	Fast      whitened patches and three groups of two convolutions, which learn in minutes
//	          (Jordan, 2024)
//	MLP       dense layers
//	Residual  dense blocks h ← relu(h + B·relu(A·h))
//
// What they end in is a linear layer of scores, one for each class. A convolution that batch
// normalisation follows has no bias: the normalisation would take it away again. One that none
// follows starts with weights by which rectified units keep the variance (He et al., ICCV 2015).
package named

import (
	"fmt"

	"synfire/layer"
	"synfire/network"
)

// he is √6, the gain of uniform weights for rectified units.
const he = 2.449489742783178

// net is nodes as they are added, one behind the other.
type net struct {
	nodes     []network.Node
	batchNorm bool
	bias      bool
}

func (n *net) add(layers ...layer.Layer) { n.nodes = append(n.nodes, network.Chain(layers...)...) }

// conv adds a convolution of k×k pixels, with the normalisation of its output.
func (n *net) conv(name string, from string, out, k, stride int) {
	c := layer.Conv2D{Out: out, Kernel: []int{k}, NoBias: n.batchNorm || !n.bias}
	if !n.batchNorm {
		c.Gain = he
	}
	if k > 1 {
		c.Padding = []int{k / 2}
	}
	if stride > 1 {
		c.Stride = []int{stride}
	}
	nd := network.Node{Name: name, Layer: c}
	if from != "" {
		nd.Inputs = []string{from}
	}
	n.nodes = append(n.nodes, nd)
	if n.batchNorm {
		norm := network.Node{Layer: layer.BatchNorm{Momentum: 0.1, Epsilon: 1e-5, Scale: 1}}
		if name != "" {
			norm.Name = name + "-norm"
		}
		n.nodes = append(n.nodes, norm)
	}
}

// head adds dense layers and the scores, each behind a dropout where there is any.
func (n *net) head(hidden []int, dropout float64, classes int) {
	drop := func() {
		if dropout > 0 {
			n.add(layer.Dropout{Rate: dropout})
		}
	}
	for _, h := range hidden {
		drop()
		n.add(layer.Linear{Out: h, NoBias: !n.bias}, layer.ReLU{})
	}
	drop()
	n.add(layer.Linear{Out: classes, NoBias: !n.bias})
}

// MLP is dense layers of rectified units.
type MLP struct {
	Hidden  []int   `yaml:"hidden"`  // units of each layer
	Bias    bool    `yaml:"bias"`    // of all layers
	Dropout float64 `yaml:"dropout"` // before each layer but the first
	Classes int     `yaml:"classes"` // scores
}

// NewMLP is 784–200–200–10 for digits.
func NewMLP() MLP { return MLP{Hidden: []int{200, 200}, Bias: true, Classes: 10} }

// Validate returns an error for options that make no sense.
func (a MLP) Validate() error {
	return check("mlp", a.Dropout, a.Classes, [][]int{a.Hidden})
}

// Nodes implements network.Architecture.
func (a MLP) Nodes() []network.Node {
	n := net{bias: a.Bias}
	n.add(layer.Flatten{})
	for i, h := range a.Hidden {
		if i > 0 && a.Dropout > 0 {
			n.add(layer.Dropout{Rate: a.Dropout})
		}
		n.add(layer.Linear{Out: h, NoBias: !a.Bias}, layer.ReLU{})
	}
	n.head(nil, a.Dropout, a.Classes)
	return n.nodes
}

// Residual is a dense layer of rectified units, blocks h ← relu(h + B·relu(A·h)) and the
// scores.
type Residual struct {
	Width   int  `yaml:"width"`   // units of each layer
	Blocks  int  `yaml:"blocks"`  // of two layers
	Bias    bool `yaml:"bias"`    // of all layers
	Classes int  `yaml:"classes"` // scores
}

// NewResidual is four blocks of 128 units without biases, for digits.
func NewResidual() Residual { return Residual{Width: 128, Blocks: 4, Classes: 10} }

// Validate returns an error for options that make no sense.
func (a Residual) Validate() error {
	return check("residual-mlp", 0, a.Classes, [][]int{{a.Width, a.Blocks}})
}

// Nodes implements network.Architecture.
func (a Residual) Nodes() []network.Node {
	dense := layer.Linear{Out: a.Width, NoBias: !a.Bias}
	n := net{bias: a.Bias, nodes: []network.Node{{Layer: layer.Flatten{}}, {Layer: dense}, {Name: "block0", Layer: layer.ReLU{}}}}
	for i := range a.Blocks {
		n.add(dense, layer.ReLU{}, dense)
		n.nodes = append(n.nodes,
			network.Node{Layer: layer.Add{}, Inputs: []string{network.Previous, fmt.Sprintf("block%d", i)}},
			network.Node{Name: fmt.Sprintf("block%d", i+1), Layer: layer.ReLU{}})
	}
	n.head(nil, 0, a.Classes)
	return n.nodes
}

// check returns an error unless sizes are positive and the dropout is a share.
func check(name string, dropout float64, classes int, sizes [][]int) error {
	if !(dropout >= 0 && dropout < 1) {
		return fmt.Errorf("network %s: dropout is %v, want a share in [0, 1)", name, dropout)
	}
	if classes < 1 {
		return fmt.Errorf("network %s: classes is %d, want the number of scores, at least 1", name, classes)
	}
	for _, list := range sizes {
		for _, size := range list {
			if size < 1 || size > 1<<16 {
				return fmt.Errorf("network %s: a size of %d among %v, want numbers from 1 to %d", name, size, list, 1<<16)
			}
		}
	}
	return nil
}
