package layer

import (
	"fmt"

	"synfire/internal/par"
	"synfire/signal"
	"synfire/tensor"
)

// Linear is the affine map y = b + xᵀW, with W [in, out] and b [out]. The
// input is a vector: put Flatten before it where it is an image.
//
//	∂W = Σ_t xᵀ·∂y,  ∂b = Σ_t ∂y,  ∂x = ∂y·Wᵀ
type Linear struct {
	Out    int  `yaml:"out,required"` // units of the output
	NoBias bool `yaml:"no-bias"`      // leave b out
}

// Conv2D is the cross-correlation of an image [h, w, cin] with Out kernels of
// Kernel×Kernel, plus a bias: W [kernel, kernel, cin, out], b [out]. Stride 0
// means 1; Padding adds zeros on all sides. The output is
// ⌊(h + 2·Padding − Kernel)/Stride⌋ + 1 high, and as wide likewise. The errors
// at the input are the correlation of those at the output with the kernels
// turned by 180°.
//
// With Groups > 1, which must divide the channels in and out, the channels fall
// into as many groups, and each group of outputs sees its group of inputs
// alone: W [kernel, kernel, cin/groups, out]. Groups = cin is depthwise.
type Conv2D struct {
	Out     int  `yaml:"out,required"`    // channels of the output
	Kernel  int  `yaml:"kernel,required"` // height and width
	Stride  int  `yaml:"stride"`          // pixels between neighbouring windows; 0: 1
	Padding int  `yaml:"padding"`         // zeros on each side
	Groups  int  `yaml:"groups"`          // 0: 1
	NoBias  bool `yaml:"no-bias"`         // leave b out
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
	return tensor.Shape{l.Out}, nil
}

// Accepts is true for each kind of signal.
func (l Linear) Accepts(signal.Kind) bool { return true }

func (l Linear) affine(in []tensor.Shape) affine {
	return affine{window: linearWindow(in[0][0]), n: l.Out}
}

// Params are weight [in, out] and bias [out].
func (l Linear) Params(in ...tensor.Shape) []ParamSpec {
	return l.affine(in).params(tensor.Shape{in[0][0], l.Out}, l.NoBias)
}

// Compile prepares the weights for products.
func (l Linear) Compile(old any, _ *par.Pool, _ []tensor.Tensor, _ bool, _ ...tensor.Shape) any {
	return compiled(old)
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
	switch {
	case err != nil:
		return nil, err
	case l.Out < 1 || l.Kernel < 1:
		return nil, fmt.Errorf("conv2d: out is %d and kernel %d, want both at least 1", l.Out, l.Kernel)
	case l.Stride < 0 || l.Padding < 0:
		return nil, fmt.Errorf("conv2d: stride is %d and padding %d, want neither negative", l.Stride, l.Padding)
	case min(s[0], s[1])+2*l.Padding < l.Kernel:
		return nil, fmt.Errorf("conv2d: a kernel of %d does not fit an image of %d×%d with padding %d; use a smaller kernel or more padding", l.Kernel, s[0], s[1], l.Padding)
	}
	a := l.affine(in)
	return tensor.Shape{a.oh, a.ow, l.Out}, l.checkGroups(s[2])
}

// Accepts is true for each kind of signal.
func (l Conv2D) Accepts(signal.Kind) bool { return true }

func (l Conv2D) affine(in []tensor.Shape) affine {
	s, stride := in[0], max(l.Stride, 1)
	return affine{n: l.Out, window: window{
		h: s[0], w: s[1], c: s[2],
		oh: (s[0]+2*l.Padding-l.Kernel)/stride + 1, ow: (s[1]+2*l.Padding-l.Kernel)/stride + 1,
		kh: l.Kernel, kw: l.Kernel, stride: stride, padH: l.Padding, padW: l.Padding, dilate: 1,
	}}
}

// Params are weight [kernel, kernel, cin/groups, out] and bias [out].
func (l Conv2D) Params(in ...tensor.Shape) []ParamSpec {
	if l.grouped() {
		return l.groupParams(in[0])
	}
	return l.affine(in).params(tensor.Shape{l.Kernel, l.Kernel, in[0][2], l.Out}, l.NoBias)
}

// Compile prepares the weights for products.
func (l Conv2D) Compile(old any, _ *par.Pool, params []tensor.Tensor, _ bool, in ...tensor.Shape) any {
	if l.grouped() {
		return l.compileGroups(old, params, in[0])
	}
	return compiled(old)
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

func (a affine) params(weight tensor.Shape, noBias bool) []ParamSpec {
	specs := []ParamSpec{
		{Role: "weight", Shape: weight, FanIn: a.patch()},
		{Role: "bias", Shape: tensor.Shape{a.n}, FanIn: a.patch()},
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
