package named_test

import (
	"strings"
	"testing"

	"synfire/layer"
	"synfire/network"
	"synfire/network/named"
	"synfire/tensor"
)

// The networks have as many parameters as others count: those of the literature, of the
// same layers, and what follows from it.
func TestParameters(t *testing.T) {
	narrow := named.NewResNet(20)
	narrow.Width = 8
	plain := named.NewResNet(20)
	plain.Stem, plain.BatchNorm, plain.Bias = 3, false, false
	pooled := named.NewVGG(7)
	pooled.Stages, pooled.MaxPool = [][]int{{16, 16}, {32, 32}, {64, 64}}, true
	bare := named.NewVGG(16)
	bare.BatchNorm, bare.Bias = false, false
	biased := bare
	biased.Bias = true
	cifar, digit := tensor.Shape{32, 32, 3}, tensor.Shape{28, 28, 1}
	for _, c := range []struct {
		name string
		net  network.Architecture
		in   tensor.Shape
		want int64
	}{
		{"resnet-20, 16-32-64: 272,474 with projections in two stages, and that of the first", named.NewResNet(20), cifar, 272_474 + 16*16 + 2*16},
		{"resnet-20, 8-16-32, as in a calibration elsewhere", narrow, cifar, 68_866},
		{"resnet-20 with a stem of three, bare", plain, cifar, 9*3*16 + 2*9*16*16 + 16*16 + 6*9*16*16 + 16*32 + 9*16*32 + 5*9*32*32 + 32*64 + 9*32*64 + 5*9*64*64 + 640},
		{"16-16-M-32-32-M-64-64-M, as in a calibration elsewhere", pooled, cifar, 82_554},
		{"vgg-16: the convolutions of the paper with one linear layer", bare, cifar, 14_710_464 + 5120},
		{"vgg-16, biases", biased, cifar, 14_710_464 + 4224 + 5130},
		{"vgg-16: 14,728,266 less the 4,224 biases that batch norm makes idle", named.NewVGG(16), cifar, 14_728_266 - 4224},
		{"vgg-11: 9,231,114 less 2,752", named.NewVGG(11), cifar, 9_231_114 - 2752},
		{"784-200-200-10", named.NewMLP(), digit, 785*200 + 201*200 + 2010},
		{"residual perceptron", named.NewResidual(), digit, 784*128 + 8*128*128 + 1280},
		{"vgg-fast", named.NewFast(), cifar, 312 + 9*(24*64+64*64+64*192+192*192+192*256+256*256) + 4*(64+192+256) + 2560},
	} {
		if err := c.net.Validate(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		net, err := network.Outline(c.in, c.net.Nodes()...)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := net.ParamCount(); got != c.want {
			t.Errorf("%s: %d parameters, want %d", c.name, got, c.want)
		}
	}
}

// Depth is what the names say: layers with weights, but for the shortcuts' projections.
func TestDepth(t *testing.T) {
	for _, depth := range []int{8, 14, 20, 32, 44, 56, 110} {
		net, err := network.Outline(tensor.Shape{32, 32, 3}, named.NewResNet(depth).Nodes()...)
		if err != nil {
			t.Fatal(err)
		}
		weighted, identities := 0, 0
		for _, nd := range net.Nodes() {
			switch l := nd.Layer.(type) {
			case layer.Conv2D:
				if l.Kernel[0] == 3 {
					weighted++
				}
			case layer.Linear:
				weighted++
			case layer.Add:
				if !strings.Contains(nd.Inputs[1], "shortcut") {
					identities++
				}
			}
		}
		if weighted != depth || identities != (depth-2)/2-3 {
			t.Errorf("resnet-%d has %d layers and %d identities", depth, weighted, identities)
		}
		if out := net.OutputShapes()[0]; !out.Equal(tensor.Shape{10}) {
			t.Errorf("resnet-%d gives %v", depth, out)
		}
	}
	for name, want := range map[int]int{7: 7, 9: 9, 11: 9, 16: 14} { // 11 and 16 counted three dense layers
		count := 0
		for _, nd := range named.NewVGG(name).Nodes() {
			switch nd.Layer.(type) {
			case layer.Conv2D, layer.Linear:
				count++
			}
		}
		if count != want {
			t.Errorf("vgg-%d has %d layers with weights, want %d", name, count, want)
		}
	}
}

func TestOptions(t *testing.T) {
	vgg, resnet, mlp := named.NewVGG(7), named.NewResNet(20), named.NewMLP()
	vgg.Stages[0][0] = 0
	resnet.Depth = 21
	mlp.Dropout = 1
	for want, a := range map[string]network.Architecture{
		"a size of 0": vgg, "depth is 21": resnet, "dropout is 1": mlp,
		"no stages": named.VGG{Classes: 10}, "at least one convolution": named.VGG{Stages: [][]int{{}}, Classes: 10},
		"classes is 0": named.Residual{Width: 1, Blocks: 1}, "among [24 0]": named.Fast{Kernels: 1, Widths: []int{24, 0}, Classes: 1},
	} {
		if err := a.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", a, err, want)
		}
	}
	if again := named.NewVGG(7); again.Stages[0][0] != 32 {
		t.Error("options of one network are those of all")
	}
}
