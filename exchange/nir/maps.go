package nir

import (
	"fmt"
	"math"

	"synfire/layer"
	"synfire/tensor"
)

// param is a parameter that must be there.
func (n *Node) param(name string) (Param, error) {
	p, ok := n.Params[name]
	switch {
	case !ok:
		return p, fmt.Errorf("it has no %s", name)
	case p.Data == nil:
		return p, fmt.Errorf("%s is the text %q or empty, want numbers", name, p.Text)
	}
	return p, nil
}

// ints are whole numbers.
func (n *Node) ints(name string) ([]int, error) {
	p, err := n.param(name)
	if err != nil {
		return nil, err
	}
	v := make([]int, len(p.Data))
	for i, x := range p.Data {
		if x != math.Trunc(x) || math.Abs(x) > 1<<30 {
			return nil, fmt.Errorf("%s is %v, want whole numbers", name, p.Data)
		}
		v[i] = int(x)
	}
	return v, nil
}

// each is a number for each of so many axes, or one for all; fallback where there is none.
func (n *Node) each(name string, axes, fallback int) ([]int, error) {
	if _, ok := n.Params[name]; !ok {
		return repeat(fallback, axes), nil
	}
	v, err := n.ints(name)
	switch {
	case err != nil:
		return nil, err
	case len(v) == 1:
		return repeat(v[0], axes), nil
	case len(v) != axes:
		return nil, fmt.Errorf("%s is %v, want one number or %d", name, v, axes)
	}
	return v, nil
}

func repeat(x, n int) []int {
	v := make([]int, n)
	for i := range v {
		v[i] = x
	}
	return v
}

// tensorOf is an array in the engine's precision.
func tensorOf(n int, at func(i int) float64, shape ...int) tensor.Tensor {
	t := tensor.New(shape...)
	for i := range n {
		t.Data[i] = tensor.Float(at(i))
	}
	return t
}

// linear lowers Linear and Affine: their rows take the order in which elements stand here.
func (l *lowering) linear(n *Node, in value) error {
	w, err := n.weight(2)
	if err != nil {
		return err
	}
	outs, ins := w.Shape[0], w.Shape[1]
	if len(in.shape) != 1 || in.shape[0] != ins {
		return fmt.Errorf("weight of shape %v, want [outputs, inputs] for an input of shape %v; put a Flatten before it if that is an image", w.Shape, in.shape)
	}
	arrays := map[string]tensor.Tensor{"weight": w.transposed(in.order)}
	bias, err := n.bias(n.Kind == "Affine", outs)
	if err != nil {
		return err
	}
	if bias != nil {
		arrays["bias"] = *bias
	}
	l.add(n, in, value{shape: []int{outs}}, layer.Linear{Out: outs, NoBias: bias == nil}, arrays)
	return nil
}

// transposed is a matrix [out, in] as [in, out], its inputs in another order.
func (p Param) transposed(order []int) tensor.Tensor {
	outs, ins := p.Shape[0], p.Shape[1]
	return tensorOf(outs*ins, func(i int) float64 {
		from := i / outs
		if order != nil {
			from = order[from]
		}
		return p.Data[i%outs*ins+from]
	}, ins, outs)
}

// weight is the node's weight, of so many axes, none of which is empty.
func (n *Node) weight(axes int) (Param, error) {
	w, err := n.param("weight")
	if err != nil {
		return w, err
	}
	size := 1
	for _, d := range w.Shape {
		size *= d
	}
	if len(w.Shape) != axes || size == 0 || size != len(w.Data) {
		return w, fmt.Errorf("weight of shape %v, want %d axes, none empty", w.Shape, axes)
	}
	return w, nil
}

// bias is the node's bias, nil where it has none and needs none.
func (n *Node) bias(needed bool, outs int) (*tensor.Tensor, error) {
	if _, ok := n.Params["bias"]; !ok && !needed {
		return nil, nil
	}
	b, err := n.param("bias")
	if err != nil {
		return nil, err
	}
	if len(b.Data) != outs {
		return nil, fmt.Errorf("bias of shape %v, want [%d]", b.Shape, outs)
	}
	t := tensorOf(outs, func(i int) float64 { return b.Data[i] }, outs)
	return &t, nil
}

// image is an input as channels, height and width, of which a line has one row.
func (v value) image() (c, h, w int, err error) {
	switch len(v.shape) {
	case 2:
		return v.shape[0], 1, v.shape[1], nil
	case 3:
		return v.shape[0], v.shape[1], v.shape[2], nil
	}
	return 0, 0, 0, fmt.Errorf("an input of shape %v, want channels×height×width, or channels×places of a Conv1d", v.shape)
}

// conv lowers Conv1d and Conv2d: weight [out, in/groups, (height,) width].
func (l *lowering) conv(n *Node, in value) error {
	axes := map[string]int{"Conv1d": 1, "Conv2d": 2}[n.Kind]
	c, h, w, err := in.image()
	if err != nil || len(in.shape) != axes+1 {
		return fmt.Errorf("an input of shape %v, want channels and %d axes", in.shape, axes)
	}
	k, err := n.weight(2 + axes)
	if err != nil {
		return err
	}
	conv := layer.Conv2D{Out: k.Shape[0], Groups: 1}
	kernel := k.Shape[2:]
	if conv.Stride, err = n.each("stride", axes, 1); err != nil {
		return err
	}
	if conv.Dilation, err = n.each("dilation", axes, 1); err != nil {
		return err
	}
	groups, err := n.each("groups", 1, 1)
	if err != nil {
		return err
	}
	conv.Groups = groups[0]
	if conv.Padding, err = n.padding(axes, kernel, conv.Stride, conv.Dilation); err != nil {
		return err
	}
	if axes == 1 { // an image of one row
		kernel = []int{1, kernel[0]}
		conv.Stride, conv.Dilation = []int{1, conv.Stride[0]}, []int{1, conv.Dilation[0]}
	}
	conv.Kernel = kernel
	if conv.Groups < 1 || k.Shape[1]*conv.Groups != c {
		return fmt.Errorf("weight of shape %v in %d groups takes %d channels, the input has %d", k.Shape, conv.Groups, k.Shape[1]*conv.Groups, c)
	}
	out, err := conv.Output(tensor.Shape{h, w, c})
	if err != nil {
		return err
	}
	arrays := map[string]tensor.Tensor{"weight": k.kernels(kernel)}
	bias, err := n.bias(false, conv.Out)
	if err != nil {
		return err
	}
	if conv.NoBias = bias == nil; bias != nil {
		arrays["bias"] = *bias
	}
	shape := []int{out[2], out[0], out[1]}
	if axes == 1 {
		shape = []int{out[2], out[1]}
	}
	l.add(n, in, imageValue(shape), conv, arrays)
	return nil
}

// imageValue is the value of an image or line of the file's shape.
func imageValue(shape []int) value {
	_, order, _ := channelsLast(shape) // a layer's output has a shape that is possible
	return value{shape: shape, order: order}
}

// kernels are weights [out, in, height, width] as [height, width, in, out].
func (p Param) kernels(kernel []int) tensor.Tensor {
	outs, ins, area := p.Shape[0], p.Shape[1], kernel[0]*kernel[1]
	return tensorOf(len(p.Data), func(i int) float64 {
		out, in, tap := i%outs, i/outs%ins, i/outs/ins
		return p.Data[(out*ins+in)*area+tap]
	}, kernel[0], kernel[1], ins, outs)
}

// padding is that of a convolution: zeros at the top, the bottom, on the left and on the right.
func (n *Node) padding(axes int, kernel, stride, dilation []int) ([]int, error) {
	sides := func(v []int) []int {
		if axes == 1 {
			return []int{0, 0, v[0], v[0]}
		}
		return []int{v[0], v[0], v[1], v[1]}
	}
	switch text := n.Params["padding"].Text; text {
	case "":
		v, err := n.each("padding", axes, 0)
		if err != nil {
			return nil, err
		}
		return sides(v), nil
	case "valid":
		return nil, nil
	case "same":
		var all []int
		if axes == 1 {
			all = []int{0, 0}
		}
		for i := range axes {
			if stride[i] != 1 {
				return nil, fmt.Errorf("padding \"same\" with stride %v: want stride 1, as in PyTorch", stride)
			}
			total := dilation[i] * (kernel[i] - 1)
			all = append(all, total/2, total-total/2)
		}
		return all, nil
	default:
		return nil, fmt.Errorf("padding %q, want numbers, valid or same", text)
	}
}

// pool lowers SumPool2d and AvgPool2d: a mean of square windows is a layer, other sums and means
// are convolutions of each channel with a constant.
func (l *lowering) pool(n *Node, in value) error {
	c, h, w, err := in.image()
	if err != nil || len(in.shape) != 3 {
		return fmt.Errorf("an input of shape %v, want channels×height×width", in.shape)
	}
	kernel, err := n.each("kernel_size", 2, 0)
	if err != nil {
		return err
	}
	stride := kernel
	if _, ok := n.Params["stride"]; ok {
		if stride, err = n.each("stride", 2, 1); err != nil {
			return err
		}
	}
	pad, err := n.each("padding", 2, 0)
	if err != nil {
		return err
	}
	padding := []int{pad[0], pad[0], pad[1], pad[1]}
	average := n.Kind == "AvgPool2d"
	var ly layer.Layer
	var arrays map[string]tensor.Tensor
	if average && kernel[0] == kernel[1] && stride[0] == stride[1] {
		ly = layer.AvgPool{Size: kernel[0], Stride: stride[0], Padding: padding, CountPadding: pad[0] != 0 || pad[1] != 0}
	} else {
		if kernel[0] < 1 || kernel[1] < 1 || kernel[0]*kernel[1] > 1<<20 {
			return fmt.Errorf("kernel_size is %v, want positive sizes", kernel)
		}
		share := 1.0
		if average {
			share = 1 / float64(kernel[0]*kernel[1])
		}
		ly = layer.Conv2D{Out: c, Kernel: kernel, Stride: stride, Padding: padding, Groups: c, NoBias: true}
		arrays = map[string]tensor.Tensor{"weight": tensorOf(kernel[0]*kernel[1]*c, func(int) float64 { return share }, kernel[0], kernel[1], 1, c)}
	}
	out, err := ly.Output(tensor.Shape{h, w, c})
	if err != nil {
		return err
	}
	l.add(n, in, imageValue([]int{out[2], out[0], out[1]}), ly, arrays)
	return nil
}

// flatten lowers Flatten: of a vector nothing, of an image a vector in the order of this project,
// which the next weights take over.
func (l *lowering) flatten(n *Node, in value) error {
	start, err := n.each("start_dim", 1, 0)
	if err != nil {
		return err
	}
	end, err := n.each("end_dim", 1, -1)
	if err != nil {
		return err
	}
	axes := len(in.shape)
	last := end[0]
	if last < 0 {
		last += axes
	}
	var lost []string
	switch {
	case start[0] == 1 && (last == axes-1 || last == axes):
		lost = append(lost, "start_dim: 1 is taken to leave out the axis of the batch")
	case start[0] != 0 || last != axes-1:
		return fmt.Errorf("start_dim %d and end_dim %d of an input of shape %v: all axes of a sample are supported, 0 and −1", start[0], end[0], in.shape)
	}
	size := 1
	for _, d := range in.shape {
		size *= d
	}
	l.add(n, in, value{shape: []int{size}, order: in.order}, layer.Flatten{}, nil, lost...)
	return nil
}
