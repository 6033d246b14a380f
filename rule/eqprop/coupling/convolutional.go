package coupling

import (
	"fmt"

	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/linmap"
	"synfire/tensor"
)

// Convolutional makes the first layers of a network convolutions with pooling. With
// the correlation ⋆ and the pooling P, layer l takes the place of its product in the
// energy by
//
//	Φ_l = ⟨P(w_l ⋆ s_{l−1} + c_l), s_l⟩
//
// so that s_l is driven by P(w_l ⋆ s_{l−1} + c_l) from below, and s_{l−1} by
// w_l ⋆ᵀ P⁻¹(s_l) from above. P⁻¹ of max pooling puts a state where the largest
// element of its window stands now, anew in each step; of average pooling it spreads
// the state. The gradient of the weights is ∂Φ_l/∂w_l = s_{l−1} ⋆ P⁻¹(s_l), that of
// the biases Σ s_l over the pixels. States are those behind the pooling, channels
// last; weights are [kernel, kernel, channels below, channels].
//
// Ernoult et al., NeurIPS 2019.
type Convolutional struct {
	Image  tensor.Shape  `yaml:"image"`  // of a sample: height, width, channels
	Layers []Convolution `yaml:"layers"` // the first layers, from the input on
}

// Convolution is one layer, of stride 1.
type Convolution struct {
	Out     int  `yaml:"out"`     // channels
	Kernel  int  `yaml:"kernel"`  // height and width
	Pad     int  `yaml:"pad"`     // zeros around the image
	Pool    int  `yaml:"pool"`    // height and width of a window, and their distance; 0 for none
	Average bool `yaml:"average"` // of the pooling: the mean in place of the largest
}

// Sizes are n_0 … n_L of the layers followed by fully connected ones.
func (c *Convolutional) Sizes(dense ...int) []int {
	sizes := []int{c.Image.Size()}
	for _, g := range c.Maps() {
		sizes = append(sizes, g.Outputs())
	}
	return append(sizes, dense...)
}

// Validate returns an error for layers that do not fit the image or each other.
func (c *Convolutional) Validate() error {
	if len(c.Image) != 3 || len(c.Layers) == 0 {
		return fmt.Errorf("eqprop: convolutions: image %v and %d layers, want height, width and channels, and at least one layer", c.Image, len(c.Layers))
	}
	for i, l := range c.Layers {
		if l.Out < 1 || l.Kernel < 1 || l.Pad < 0 || l.Pad >= l.Kernel || l.Pool < 0 || l.Pool > kernel.MaxWindow {
			return fmt.Errorf("eqprop: convolution %d: %+v: want channels and a kernel, a padding below the kernel, and a pooling of at most %d", i+1, l, kernel.MaxWindow)
		}
	}
	if maps := c.Maps(); len(maps) < len(c.Layers) {
		i, image := len(maps), c.Image
		if i > 0 {
			image = maps[i-1].Pool.Out()
		}
		return fmt.Errorf("eqprop: convolution %d: nothing is left of %d×%d pixels; take a smaller kernel or pooling, or more padding", i+1, image[0], image[1])
	}
	return nil
}

// Maps are the convolutions with their poolings, as far as something is left of the
// image; of none (nil) none.
func (c *Convolutional) Maps() (all []linmap.Pooled) {
	if c == nil || len(c.Image) != 3 {
		return nil
	}
	image := c.Image
	for _, l := range c.Layers {
		m, err := linmap.Conv(image, l.Out, linmap.Options{Kernel: []int{l.Kernel}, Padding: []int{l.Pad}})
		if err != nil {
			break
		}
		pool, err := linmap.NewPool(m.Out(), max(1, l.Pool), 0, nil)
		if err != nil {
			break
		}
		pool.Average = l.Average
		all = append(all, linmap.Pooled{Map: m, Pool: pool})
		image = pool.Out()
	}
	return all
}

// Conv couples two layers by a convolution with pooling.
type Conv struct {
	linmap.Pooled
	weights linmap.Weights
	w, bias []tensor.Float
}

// Convs are the convolutions of a network by the layer's number; nil for the others.
func Convs(net *Net) []*Conv {
	all := make([]*Conv, len(net.Sizes))
	for i, g := range net.Convolutional.Maps() {
		all[i+1] = &Conv{Pooled: g, w: net.W[i].Value.Data, bias: net.B[i].Value.Data}
	}
	return all
}

// Pack takes up the weights after they have changed.
func (g *Conv) Pack(pool *par.Pool) {
	g.weights.Renew(g.w)
	g.Packed(pool, &g.weights)
	g.Turned(&g.weights)
}

// Up writes P(w ⋆ below + c), and where the largest elements stand.
func (g *Conv) Up(s *linmap.Scratch, dst, below []tensor.Float, places []uint8) {
	g.Forward(s, &g.weights, g.bias, dst, below, places)
}

// Down adds w ⋆ᵀ P⁻¹(above) to the image dst.
func (g *Conv) Down(s *linmap.Scratch, dst, above []tensor.Float, places []uint8) {
	g.Transpose(s, &g.weights, dst, above, places)
}

// Correlate adds to rows [lo, hi) of the weights, which dst holds, the correlation of the
// images of n samples with their maps.
func (g *Conv) Correlate(s *linmap.Scratch, dst, images, maps []tensor.Float, n, lo, hi int) {
	for b := range n {
		g.OuterRows(s, dst, images[b*g.Units():][:g.Units()], maps[b*g.Mapped():][:g.Mapped()], lo, hi)
	}
}
