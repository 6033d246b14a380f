package named

import (
	"fmt"

	"synfire/layer"
	"synfire/network"
)

// ResNet is the residual network for small images of 6n + 2 layers: a stem, three stages of
// n blocks with Width, 2·Width and 4·Width channels, the mean over all pixels, the scores.
// A block is
//
//	y = relu(conv(relu(conv(x))) + shortcut(x))
//
// of convolutions of 3×3 pixels. The first block of each stage has a convolution of 1×1 as
// its shortcut, the others the identity; the first of the second and the third stage halves
// the image. Stem convolutions of Width channels stand before the blocks: 1 as published,
// or 3 as plain layers whose thresholds can be balanced (Sengupta et al., 2019).
type ResNet struct {
	Depth     int  `yaml:"depth"`      // 6n + 2
	Width     int  `yaml:"width"`      // channels of the first stage
	Stem      int  `yaml:"stem"`       // convolutions before the first block
	StemPool  bool `yaml:"stem-pool"`  // the mean of 2×2 pixels behind them
	BatchNorm bool `yaml:"batch-norm"` // behind each convolution
	Bias      bool `yaml:"bias"`       // of the scores, and of convolutions without batch-norm
	Classes   int  `yaml:"classes"`    // scores
}

// NewResNet is the network of so many layers, with 16, 32 and 64 channels.
func NewResNet(depth int) ResNet {
	return ResNet{Depth: depth, Width: 16, Stem: 1, BatchNorm: true, Bias: true, Classes: 10}
}

// Validate returns an error for options that make no sense.
func (a ResNet) Validate() error {
	if a.Depth < 8 || a.Depth > 1202 || a.Depth%6 != 2 {
		return fmt.Errorf("network resnet: depth is %d, want 6n + 2 layers from 8 to 1202, such as 20, 32, 44, 56 or 110", a.Depth)
	}
	return check("resnet", 0, a.Classes, [][]int{{a.Width, a.Stem}})
}

// Nodes implements network.Architecture.
func (a ResNet) Nodes() []network.Node {
	n := net{batchNorm: a.BatchNorm, bias: a.Bias}
	last := ""
	unit := func(name string) {
		n.nodes = append(n.nodes, network.Node{Name: name, Layer: layer.ReLU{}})
		last = name
	}
	for i := range a.Stem {
		name := fmt.Sprintf("stem%d", i+1)
		n.conv(name, "", a.Width, 3, 1)
		unit(name + "-relu")
	}
	if a.StemPool {
		last = "stem-pool"
		n.nodes = append(n.nodes, network.Node{Name: last, Layer: layer.AvgPool{Size: 2}})
	}
	for stage := range 3 {
		for block := range (a.Depth - 2) / 6 {
			stride := 1
			if stage > 0 && block == 0 {
				stride = 2
			}
			n.block(fmt.Sprintf("stage%d-block%d", stage+1, block+1), last, a.Width<<stage, stride, block == 0, unit)
		}
	}
	n.add(layer.GlobalAvgPool{})
	n.head(nil, 0, a.Classes)
	return n.nodes
}

// block adds a residual block that takes the node from.
func (n *net) block(name, from string, width, stride int, project bool, unit func(name string)) {
	shortcut := from
	if project {
		n.conv(name+"-shortcut", from, width, 1, stride)
		if shortcut = name + "-shortcut"; n.batchNorm {
			shortcut += "-norm"
		}
	}
	n.conv(name+"-conv1", from, width, 3, stride)
	unit(name + "-relu")
	n.conv(name+"-conv2", "", width, 3, 1)
	n.nodes = append(n.nodes, network.Node{Name: name + "-add", Layer: layer.Add{}, Inputs: []string{network.Previous, shortcut}})
	unit(name)
}
