package onnx

import (
	"errors"
	"fmt"
	"slices"

	"synfire/layer"
	"synfire/layer/temporal"
	"synfire/neuron"
	"synfire/tensor"
)

// operators are what lowers a node, by its kind.
var operators map[string]func(*lowering, *node) (value, error)

func init() {
	operators = map[string]func(*lowering, *node) (value, error){
		"Conv": (*lowering).conv, "Gemm": (*lowering).gemm, "MatMul": (*lowering).matMul,
		"BatchNormalization": (*lowering).batchNorm, "Add": (*lowering).add,
		"Relu": (*lowering).relu, "LeakyRelu": (*lowering).leakyRelu, "Clip": (*lowering).clip, "Softmax": (*lowering).softmax,
		"MaxPool": (*lowering).pool, "AveragePool": (*lowering).pool, "GlobalAveragePool": (*lowering).globalPool,
		"Concat": (*lowering).concat, "Flatten": (*lowering).flatten, "Reshape": (*lowering).reshape, "Transpose": (*lowering).transpose,
		"Identity": (*lowering).identity, "Dropout": (*lowering).dropout, "Constant": (*lowering).constant,
		"Pad": (*lowering).pad, "Resize": (*lowering).resize, "Upsample": (*lowering).resize,
	}
}

// image is a signal as channels, height and width, of which a line has one row.
func (v value) image() (c, h, w int, err error) {
	switch len(v.shape) {
	case 2:
		return v.shape[0], 1, v.shape[1], nil
	case 3:
		return v.shape[0], v.shape[1], v.shape[2], nil
	}
	return 0, 0, 0, fmt.Errorf("a sample of shape %v, want channels and one or two axes", v.shape)
}

// apply adds a node of one input whose output has a shape in the file.
func (l *lowering) apply(n *node, in value, shape []int, ly layer.Layer, arrays map[string]tensor.Tensor) (value, error) {
	out, err := signalOf("", shape, in.batch)
	if err != nil {
		return out, err
	}
	got, err := ly.Output(in.here)
	if err != nil {
		return out, err
	}
	out.here = got
	out.name = l.put(n.titled(), ly, arrays, in.name)
	return out, nil
}

// imageShape is an image of this project as the file has it, with so many axes beside the channels.
func imageShape(s tensor.Shape, axes int) []int {
	if axes == 1 {
		return []int{s[2], s[1]}
	}
	return []int{s[2], s[0], s[1]}
}

// conv lowers Conv: weights [out, in/groups, (height,) width].
func (l *lowering) conv(n *node) (value, error) {
	in, c, h, w, err := n.image()
	if err != nil {
		return in, err
	}
	axes := len(in.shape) - 1
	k, err := n.constant(1, "weights")
	if err != nil {
		return in, err
	}
	if len(k.shape) != 2+axes || k.size() == 0 {
		return in, fmt.Errorf("weights of shape %v, want [outputs, inputs/group] and %d axes, none empty", k.shape, axes)
	}
	g, err := n.windows(in.shape[1:], k.shape[2:])
	if err != nil {
		return in, err
	}
	ly := layer.Conv2D{Out: k.shape[0], Kernel: g.size, Stride: g.stride, Dilation: g.dilation, Padding: g.padding, Groups: n.int("group", 1), NoBias: !n.has(2)}
	if ly.Groups < 1 || k.shape[1]*ly.Groups != c {
		return in, fmt.Errorf("weights of shape %v in %d groups take %d channels, the input has %d", k.shape, ly.Groups, k.shape[1]*ly.Groups, c)
	}
	if base, wider, ok := l.unpadded(n, in, ly); ok {
		in, ly, h, w = base, wider, base.here[0], base.here[1]
	}
	out, err := ly.Output(tensor.Shape{h, w, c})
	if err != nil {
		return in, err
	}
	outs, ins, area := k.shape[0], k.shape[1], g.size[0]*g.size[1]
	weight, err := k.tensor(1, func(i int) int { return (i%area*ins+i/area%ins)*outs + i/area/ins }, g.size[0], g.size[1], ins, outs)
	if err != nil {
		return in, fmt.Errorf("weights: %w", err)
	}
	arrays := map[string]tensor.Tensor{"weight": weight}
	if n.has(2) {
		if arrays["bias"], err = n.vector(2, "bias", outs); err != nil {
			return in, err
		}
	}
	return l.apply(n, in, imageShape(out, axes), ly, arrays)
}

// vector is a constant of so many elements.
func (n *node) vector(i int, what string, size int) (tensor.Tensor, error) {
	c, err := n.constant(i, what)
	if err != nil {
		return tensor.Tensor{}, err
	}
	if c.size() != size {
		return tensor.Tensor{}, fmt.Errorf("its %s of shape %v, want [%d]", what, c.shape, size)
	}
	t, err := c.tensor(1, same, size)
	if err != nil {
		err = fmt.Errorf("%s: %w", what, err)
	}
	return t, err
}

// geometry is where windows stand, for two axes; of a line the first has one row.
type geometry struct {
	size, stride, dilation []int
	padding                []int // top, bottom, left, right
}

// windows reads the attributes of windows of a size over the axes of an image.
func (n *node) windows(image, size []int) (g geometry, err error) {
	axes := len(image)
	if given, err := n.ints("kernel_shape", axes, 0); err != nil || n.attrs["kernel_shape"] != nil && !slices.Equal(given, size) {
		return g, errors.Join(err, fmt.Errorf("kernel_shape %v, want %v", given, size))
	}
	if g.stride, err = n.ints("strides", axes, 1); err != nil {
		return g, err
	}
	if g.dilation, err = n.ints("dilations", axes, 1); err != nil {
		return g, err
	}
	pads, err := n.ints("pads", 2*axes, 0)
	if err != nil {
		return g, err
	}
	for i := range axes {
		if size[i] < 1 || g.stride[i] < 1 || g.dilation[i] < 1 {
			return g, fmt.Errorf("windows of %v, strides %v and dilations %v, want positive numbers", size, g.stride, g.dilation)
		}
		before, after := pads[i], pads[i+axes]
		switch auto := n.text("auto_pad", "NOTSET"); auto {
		case "NOTSET":
		case "VALID":
			before, after = 0, 0
		case "SAME_UPPER", "SAME_LOWER":
			count := (image[i] + g.stride[i] - 1) / g.stride[i]
			total := max(0, (count-1)*g.stride[i]+(size[i]-1)*g.dilation[i]+1-image[i])
			if before, after = total/2, total-total/2; auto == "SAME_LOWER" {
				before, after = after, before
			}
		default:
			return g, fmt.Errorf("auto_pad %q, want NOTSET, VALID, SAME_UPPER or SAME_LOWER", auto)
		}
		g.padding = append(g.padding, before, after)
	}
	g.size = size
	if axes == 1 {
		g.size, g.stride, g.dilation = []int{1, size[0]}, []int{1, g.stride[0]}, []int{1, g.dilation[0]}
		g.padding = append([]int{0, 0}, g.padding...)
	}
	return g, nil
}

// gemm lowers Gemm, whose first operand is the signal.
func (l *lowering) gemm(n *node) (value, error) {
	in, err := n.vectorSignal()
	if err != nil {
		return in, err
	}
	b, err := n.constant(1, "weights")
	if err != nil {
		return in, err
	}
	n.int("broadcast", 0) // up to opset 6: that of a vector of biases
	if n.int("transA", 0) != 0 {
		return in, errors.New("transA: the batch would become the elements; not supported")
	}
	if n.int("transB", 0) != 0 && len(b.shape) == 2 {
		if b, err = b.transposed([]int{1, 0}); err != nil {
			return in, err
		}
	}
	arrays, outs, err := in.matrix(b, n.float("alpha", 1))
	if err != nil {
		return in, err
	}
	if beta := n.float("beta", 1); n.has(2) && beta != 0 {
		if arrays["bias"], err = n.bias(2, outs, beta); err != nil {
			return in, err
		}
	}
	return l.linear(n, in, arrays, outs)
}

// vectorSignal is input 0, whose samples must be vectors, in any order.
func (n *node) vectorSignal() (value, error) {
	in, err := n.signal(0)
	switch {
	case err != nil:
		return in, err
	case n.l.lead == 0:
		return in, errors.New("it takes a batch, whose axis the input was said not to have; leave Options.Unbatched out")
	case len(in.shape) != 1:
		return in, fmt.Errorf("a sample of shape %v, want a vector; put a Flatten before it", in.shape)
	}
	return in, nil
}

// matrix is the weights of a linear map of a vector: [in, out], times a number, their rows in the
// order of the signal.
func (v value) matrix(b *array, scale float64) (map[string]tensor.Tensor, int, error) {
	if len(b.shape) != 2 || b.shape[0] != v.shape[0] || b.shape[1] < 1 {
		return nil, 0, fmt.Errorf("weights of shape %v, want [%d, outputs]", b.shape, v.shape[0])
	}
	ins, outs, to := b.shape[0], b.shape[1], v.order.to()
	w, err := b.tensor(scale, func(i int) int { return to(i/outs)*outs + i%outs }, ins, outs)
	if err != nil {
		return nil, 0, fmt.Errorf("weights: %w", err)
	}
	return map[string]tensor.Tensor{"weight": w}, outs, nil
}

// bias is a constant that is added to each of so many outputs: one number, or one for each.
func (n *node) bias(i, outs int, scale float64) (tensor.Tensor, error) {
	c, err := n.constant(i, "bias")
	if err != nil {
		return tensor.Tensor{}, err
	}
	size := c.size()
	if last := len(c.shape) - 1; size != 1 && (size != outs || c.shape[last] != outs) {
		return tensor.Tensor{}, fmt.Errorf("its bias of shape %v, want [%d], the same for all samples", c.shape, outs)
	}
	t, err := c.tensor(scale, same, size)
	if err == nil && size != outs {
		t = tensor.Tensor{Shape: tensor.Shape{outs}, Data: slices.Repeat(t.Data, outs)}
	}
	return t, err
}

// linear adds a linear map: a Flatten before it where the elements stand as an image.
func (l *lowering) linear(n *node, in value, arrays map[string]tensor.Tensor, outs int) (value, error) {
	if len(in.here) != 1 {
		in.name = l.put(n.titled()+"_flat", layer.Flatten{}, nil, in.name)
		in.here = tensor.Shape{in.here.Size()}
	}
	_, bias := arrays["bias"]
	return l.apply(n, in, []int{outs}, layer.Linear{Out: outs, NoBias: !bias}, arrays)
}

// matMul lowers MatMul with a constant matrix: a linear map, or one at each place where samples have
// two axes.
func (l *lowering) matMul(n *node) (value, error) {
	if l.lead == 0 {
		return n.vectorSignal()
	}
	in, err := n.signal(0)
	if err != nil {
		return in, err
	}
	b, err := n.constant(1, "second factor")
	if err != nil {
		return in, err
	}
	switch {
	case len(b.shape) != 2:
		return in, fmt.Errorf("a second factor of shape %v, want a matrix that is the same for all samples", b.shape)
	case len(in.shape) == 1:
		arrays, outs, err := in.matrix(b, 1)
		if err != nil {
			return in, err
		}
		return l.linear(n, in, arrays, outs)
	case len(in.shape) != 2:
		return in, fmt.Errorf("a sample of shape %v, want one or two axes", in.shape)
	}
	if in, err = in.transposed([]int{1, 0}); err == nil {
		in, err = l.standard(in)
	}
	if err != nil {
		return in, err
	}
	ins, outs := b.shape[0], b.shape[1]
	if ins != in.shape[0] || outs < 1 {
		return in, fmt.Errorf("a second factor of shape %v, want [%d, outputs]", b.shape, in.shape[0])
	}
	w, err := b.tensor(1, same, 1, 1, ins, outs)
	if err != nil {
		return in, err
	}
	out, err := l.apply(n, in, []int{outs, in.shape[1]}, layer.Conv2D{Out: outs, Kernel: []int{1}, NoBias: true}, map[string]tensor.Tensor{"weight": w})
	if err != nil {
		return out, err
	}
	return out.transposed([]int{1, 0})
}

// batchNorm lowers BatchNormalization at inference.
func (l *lowering) batchNorm(n *node) (value, error) {
	in, err := n.batched(0)
	if err != nil {
		return in, err
	}
	switch {
	case len(in.shape) < 1 || len(in.shape) > 3:
		return in, fmt.Errorf("a sample of shape %v, want channels and at most two axes", in.shape)
	case n.int("training_mode", 0) != 0:
		return in, errors.New("training_mode: a network is imported for inference; export it in evaluation mode")
	case l.model.Opset < 7 && n.int("is_test", 0) == 0:
		return in, errors.New("is_test 0: a network is imported for inference; export it in evaluation mode")
	case n.int("spatial", 1) != 1:
		return in, errors.New("spatial 0: statistics of each place are not supported")
	}
	n.ints("consumed_inputs", 5, 0) // says nothing of the result
	ly := layer.BatchNorm{Epsilon: n.float("epsilon", 1e-5), Momentum: 1 - n.float("momentum", 0.9)}
	if !(ly.Epsilon > 0) {
		return in, fmt.Errorf("epsilon %v, want a positive number", ly.Epsilon)
	}
	if !(ly.Momentum > 0 && ly.Momentum <= 1) {
		n.lose("momentum: %v, here 0.9", 1-ly.Momentum)
		ly.Momentum = 0.1
	}
	arrays := map[string]tensor.Tensor{}
	for i, role := range []string{"gamma", "beta", "mean", "variance"} {
		if arrays[role], err = n.vector(i+1, role, in.shape[0]); err != nil {
			return in, err
		}
	}
	return l.apply(n, in, in.shape, ly, arrays)
}

// add lowers Add, of two signals, or of a signal and a constant.
func (l *lowering) add(n *node) (value, error) {
	if l.model.Opset < 7 {
		n.int("broadcast", 0)
	}
	for i := range 2 {
		if n.has(i) && n.in[i].constant != nil {
			return l.shift(n, 1-i, i)
		}
	}
	a, err := n.signal(0)
	if err != nil {
		return a, err
	}
	b, err := n.signal(1)
	if err != nil {
		return b, err
	}
	if !slices.Equal(a.shape, b.shape) {
		return a, fmt.Errorf("samples of the shapes %v and %v, want the same", a.shape, b.shape)
	}
	if !a.order.equal(b.order) || !a.here.Equal(b.here) {
		if a, err = l.standard(a); err == nil {
			b, err = l.standard(b)
		}
		if err != nil {
			return a, err
		}
	}
	a.name = l.put(n.titled(), layer.Add{}, nil, a.name, b.name)
	return a, nil
}

// shift adds a constant: to the bias of the linear map before, if nobody else takes its output, or
// to each element by neurons that keep nothing.
func (l *lowering) shift(n *node, signal, constant int) (value, error) {
	in, err := n.signal(signal)
	if err != nil {
		return in, err
	}
	c, err := n.constant(constant, "summand")
	if err != nil {
		return in, err
	}
	shape := c.shape
	for len(shape) > len(in.shape) && shape[0] == 1 {
		shape = shape[1:]
	}
	if c.size() == 0 || len(shape) > len(in.shape) {
		return in, fmt.Errorf("a summand of shape %v, want one that is the same for all samples, of shape %v at most", c.shape, in.shape)
	}
	for i := range shape {
		if d := shape[len(shape)-1-i]; d != 1 && d != in.shape[len(in.shape)-1-i] {
			return in, fmt.Errorf("a summand of shape %v, want one that can be repeated to %v", c.shape, in.shape)
		}
	}
	values, err := c.tensor(1, same, c.size())
	if err != nil {
		return in, fmt.Errorf("summand: %w", err)
	}
	at := broadcast(shape, in.shape)
	perChannel := len(in.here) != 1 && len(in.shape) <= 3 && in.order.list == nil && len(shape) > 0 && shape[0] == c.size() && len(shape) == len(in.shape)
	if perChannel || len(in.shape) == 1 && len(in.here) == 1 && in.order.list == nil || c.size() == 1 {
		outs := in.here[len(in.here)-1]
		if l.intoBias(n.Input[signal], in.name, outs, func(i int) tensor.Float { return values.Data[i%c.size()] }) {
			return in, nil
		}
	}
	leak := tensor.New(in.here...)
	for i := range leak.Data {
		leak.Data[i] = values.Data[at(in.order.at(i))]
	}
	in.name = l.put(n.titled(), temporal.Integrator{
		Neuron: neuron.LIF{Beta: 0, Threshold: 1, Reset: neuron.None, Leak: 0},
		Varied: layer.Varied{"leak": layer.PerUnit},
	}, map[string]tensor.Tensor{"leak": leak}, in.name)
	return in, nil
}

// broadcast tells which element of a shape is added to an element of another that it is repeated to.
func broadcast(shape, to []int) func(e int) int {
	step := make([]int, len(to))
	for i, s := range strides(shape) {
		if shape[i] > 1 {
			step[len(to)-len(shape)+i] = s
		}
	}
	return func(e int) int {
		at := 0
		for k := len(to) - 1; k >= 0; k-- {
			at += e % to[k] * step[k]
			e /= to[k]
		}
		return at
	}
}

// intoBias adds numbers to the bias of a linear map or convolution whose output only one node takes,
// and reports whether it did.
func (l *lowering) intoBias(file, name string, outs int, v func(i int) tensor.Float) bool {
	last := len(l.g.Nodes) - 1
	if last < 0 || l.takers[file] != 1 || l.g.Nodes[last].Name != name {
		return false
	}
	nd := &l.g.Nodes[last]
	switch ly := nd.Layer.(type) {
	case layer.Linear:
		ly.NoBias = false
		nd.Layer = ly
	case layer.Conv2D:
		ly.NoBias = false
		nd.Layer = ly
	default:
		return false
	}
	bias, ok := nd.Arrays["bias"]
	if !ok {
		bias = tensor.New(outs)
	}
	for i := range bias.Data {
		bias.Data[i] += v(i)
	}
	nd.Arrays["bias"] = bias
	return true
}
