package onnx

import (
	"errors"
	"fmt"
	"slices"

	"synfire/layer"
	"synfire/tensor"
)

// pool lowers MaxPool and AveragePool. Windows are square, or those of a line; a mean over other ones
// is a convolution of each channel.
func (l *lowering) pool(n *node) (value, error) {
	in, c, h, w, err := n.image()
	if err != nil {
		return in, err
	}
	axes := len(in.shape) - 1
	size, err := n.ints("kernel_shape", axes, 0)
	if err != nil {
		return in, err
	}
	g, err := n.windows(in.shape[1:], size)
	if err != nil {
		return in, err
	}
	average := n.GetOpType() == "AveragePool"
	counted := n.int("count_include_pad", 0) != 0 && slices.Max(g.padding) > 0
	if err := n.unusualPool(g, average); err != nil {
		return in, err
	}
	if n.int("ceil_mode", 0) != 0 {
		if g.extend([]int{h, w}) && counted {
			return in, errors.New("ceil_mode with count_include_pad: means that count some padding and not other are not supported")
		}
	}
	ly, arrays, err := g.pooling(c, average, counted)
	if err != nil {
		return in, err
	}
	out, err := ly.Output(tensor.Shape{h, w, c})
	if err != nil {
		return in, err
	}
	return l.apply(n, in, imageShape(out, axes), ly, arrays)
}

// unusualPool refuses what no layer does.
func (n *node) unusualPool(g geometry, average bool) error {
	if !average && n.int("storage_order", 0) != 0 {
		return errors.New("storage_order 1: not supported")
	}
	if slices.Max(g.dilation) > 1 {
		return fmt.Errorf("dilations %v: windows with gaps are not supported", g.dilation)
	}
	return nil
}

// extend pads behind the image so that windows which begin in it have room, and reports whether it
// had to.
func (g *geometry) extend(image []int) (extended bool) {
	for i, d := range image {
		before, after := g.padding[2*i], g.padding[2*i+1]
		span := d + before + after - g.size[i]
		if span < 0 {
			continue
		}
		windows := (span + g.stride[i] - 1) / g.stride[i]
		if windows*g.stride[i] >= d+before { // the last would begin behind the image
			windows--
		}
		if missing := windows*g.stride[i] - span; missing > 0 {
			g.padding[2*i+1] += missing
			extended = true
		}
	}
	return extended
}

// pooling is the layer for windows. Those of a line are squares that reach above it, where nothing
// counts.
func (g geometry) pooling(c int, average, counted bool) (layer.Layer, map[string]tensor.Tensor, error) {
	size, stride, padding := g.size[1], g.stride[1], slices.Clone(g.padding)
	if g.size[0] == 1 && size > 1 && g.stride[0] == 1 && padding[0] == 0 && padding[1] == 0 && !counted {
		padding[0] = size - 1
		g.size, g.stride = []int{size, size}, []int{stride, stride}
	}
	if g.size[0] == g.size[1] && g.stride[0] == g.stride[1] {
		if !average {
			return layer.MaxPool{Size: size, Stride: stride, Padding: padding}, nil, nil
		}
		return layer.AvgPool{Size: size, Stride: stride, Padding: padding, CountPadding: counted}, nil, nil
	}
	switch {
	case !average:
		return nil, nil, fmt.Errorf("windows of %v and strides %v: maxima are supported of square windows with equal strides", g.size, g.stride)
	case !counted && slices.Max(g.padding) > 0:
		return nil, nil, fmt.Errorf("windows of %v and strides %v with padding: means that leave padding out are supported of square windows with equal strides; set count_include_pad", g.size, g.stride)
	case g.size[0]*g.size[1] > 1<<20:
		return nil, nil, fmt.Errorf("windows of %v are too large", g.size)
	}
	weight := tensor.New(g.size[0], g.size[1], 1, c)
	for i := range weight.Data {
		weight.Data[i] = 1 / tensor.Float(g.size[0]*g.size[1])
	}
	return layer.Conv2D{Out: c, Kernel: g.size, Stride: g.stride, Padding: g.padding, Groups: c, NoBias: true}, map[string]tensor.Tensor{"weight": weight}, nil
}

// globalPool lowers GlobalAveragePool: a vector, which the file has as an image of one pixel.
func (l *lowering) globalPool(n *node) (value, error) {
	in, c, _, _, err := n.image()
	if err != nil {
		return in, err
	}
	shape := []int{c, 1}
	if len(in.shape) == 3 {
		shape = append(shape, 1)
	}
	return l.apply(n, in, shape, layer.GlobalAvgPool{}, nil)
}
