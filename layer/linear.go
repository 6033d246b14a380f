package layer

import (
	"errors"
	"fmt"
	"math"

	"synfire/internal/par"
	"synfire/linmap"
	"synfire/signal"
	"synfire/tensor"
)

// Linear is the affine map y = b + xᵀW, with W [in, out] and b [out]. The
// input is a vector: put Flatten before it where it is an image.
//
//	∂W = Σ_t xᵀ·∂y,  ∂b = Σ_t ∂y,  ∂x = ∂y·Wᵀ
type Linear struct {
	Out    int     `yaml:"out,required"`   // units of the output
	NoBias bool    `yaml:"no-bias"`        // leave b out
	Gain   float64 `yaml:"gain,omitempty"` // weights start uniform in ±gain/√inputs; 0: 1. Rectified units keep their variance with 2.45 (He et al., ICCV 2015)
}

// Conv2D is the cross-correlation of an image [h, w, cin] with Out kernels, plus a
// bias: W [kernel height, kernel width, cin, out], b [out]; see linmap.Map. Kernel,
// Stride and Dilation are one number, or height and width; Padding adds zeros on all
// sides, or by height and width, or at the top, the bottom, on the left and on the
// right. The output is
//
//	⌊(h + top + bottom − (kernel − 1)·dilation − 1)/stride⌋ + 1
//
// high, and as wide likewise. The errors at the input are the correlation of those at
// the output with the kernels turned by 180°.
//
// With Groups > 1, which must divide the channels in and out, the channels fall
// into as many groups, and each group of outputs sees its group of inputs
// alone: W [kernel height, kernel width, cin/groups, out]. Groups = cin is depthwise.
type Conv2D struct {
	Out      int     `yaml:"out,required"`              // channels of the output
	Kernel   []int   `yaml:"kernel,required,single"`    // height and width, or one number for both
	Stride   []int   `yaml:"stride,single,omitempty"`   // pixels between neighbouring windows, one number or two; none: 1
	Padding  []int   `yaml:"padding,single,omitempty"`  // zeros around the image: one number, height and width, or top, bottom, left, right
	Dilation []int   `yaml:"dilation,single,omitempty"` // pixels between neighbouring taps of the kernel, one number or two; none: 1
	Groups   int     `yaml:"groups"`                    // 0: 1
	NoBias   bool    `yaml:"no-bias"`                   // leave b out
	Gain     float64 `yaml:"gain,omitempty"`            // weights start uniform in ±gain/√inputs of a kernel; 0: 1
}

// Output is [Out].
func (l Linear) Output(in ...tensor.Shape) (tensor.Shape, error) {
	s, err := one("linear", in)
	switch {
	case err != nil:
		return nil, err
	case len(s) != 1:
		return nil, fmt.Errorf("linear: input of shape %v, want a vector; put a flatten layer before it", s)
	case l.Out < 1:
		return nil, fmt.Errorf("linear: out is %d, want the number of outputs, at least 1", l.Out)
	}
	return tensor.Shape{l.Out}, checkGain("linear", l.Gain)
}

func checkGain(kind string, gain float64) error {
	if !(gain >= 0) || math.IsInf(gain, 0) {
		return fmt.Errorf("%s: gain is %v, want a factor of the initial weights, such as 1", kind, gain)
	}
	return nil
}

// Accepts is true for each kind of signal.
func (l Linear) Accepts(signal.Kind) bool { return true }

func (l Linear) affine(in []tensor.Shape) affine {
	return affine{linmap.Dense(in[0][0], l.Out)}
}

// Params are weight [in, out] and bias [out].
func (l Linear) Params(in ...tensor.Shape) []ParamSpec {
	return l.affine(in).params(tensor.Shape{in[0][0], l.Out}, l.Gain, l.NoBias)
}

// Compile prepares the weights for products.
func (l Linear) Compile(old any, _ *par.Pool, params []tensor.Tensor, _ bool, _ ...tensor.Shape) any {
	return compiled(old, params)
}

// Forward computes y for each row.
func (l Linear) Forward(c *Call) {
	l.affine([]tensor.Shape{c.In[0].Shape}).forward(c, c.bias())
}

// Backward computes the gradients.
func (l Linear) Backward(c *Call) { l.affine([]tensor.Shape{c.In[0].Shape}).backward(c) }

// Output is [h', w', Out].
func (l Conv2D) Output(in ...tensor.Shape) (tensor.Shape, error) {
	s, err := image("conv2d", in)
	if err != nil {
		return nil, err
	}
	if len(l.Kernel) == 0 {
		return nil, errors.New("conv2d: no kernel is given; set its height and width, such as 3")
	}
	if err := checkGain("conv2d", l.Gain); err != nil {
		return nil, err
	}
	m, err := linmap.Conv(s, l.Out, l.options())
	if err != nil {
		return nil, fmt.Errorf("conv2d: %w", err)
	}
	return m.Out(), l.checkGroups(s[2])
}

func (l Conv2D) options() linmap.Options {
	return linmap.Options{Kernel: l.Kernel, Stride: l.stride(), Dilation: l.Dilation, Padding: l.Padding}
}

// stride is Stride, of which 0 means 1.
func (l Conv2D) stride() []int {
	if len(l.Stride) == 1 && l.Stride[0] == 0 {
		return nil
	}
	return l.Stride
}

// Accepts is true for each kind of signal.
func (l Conv2D) Accepts(signal.Kind) bool { return true }

// affine is the map of an image that Output accepts.
func (l Conv2D) affine(in []tensor.Shape) affine {
	m, err := linmap.Conv(in[0], l.Out, l.options())
	if err != nil {
		panic(fmt.Sprintf("layer: conv2d of an image that Output does not accept: %v", err))
	}
	return affine{m}
}

// Params are weight [kernel height, kernel width, cin/groups, out] and bias [out].
func (l Conv2D) Params(in ...tensor.Shape) []ParamSpec {
	if l.grouped() {
		return l.groupParams(in[0])
	}
	a := l.affine(in)
	return a.params(a.Kernel(), l.Gain, l.NoBias)
}

// Compile prepares the weights for products.
func (l Conv2D) Compile(old any, _ *par.Pool, params []tensor.Tensor, _ bool, in ...tensor.Shape) any {
	if l.grouped() {
		return l.compileGroups(old, params, in[0])
	}
	return compiled(old, params)
}

// Forward computes the correlation.
func (l Conv2D) Forward(c *Call) {
	if l.grouped() {
		l.forwardGroups(c)
		return
	}
	l.affine([]tensor.Shape{c.In[0].Shape}).forward(c, c.bias())
}

// Backward computes the gradients.
func (l Conv2D) Backward(c *Call) {
	if l.grouped() {
		l.backwardGroups(c)
		return
	}
	l.affine([]tensor.Shape{c.In[0].Shape}).backward(c)
}

func (a affine) params(weight tensor.Shape, gain float64, noBias bool) []ParamSpec {
	specs := []ParamSpec{
		{Role: "weight", Shape: weight, FanIn: a.Patch(), Gain: gain},
		{Role: "bias", Shape: tensor.Shape{a.N}, FanIn: a.Patch()},
	}
	if noBias {
		return specs[:1]
	}
	return specs
}

// bias is the second parameter's values, nil where there is none.
func (c *Call) bias() []tensor.Float {
	if len(c.Params) < 2 {
		return nil
	}
	return c.Params[1].Data
}
