// Package faceapi makes a graph of the tiny face detector of face-api.js, from the weights that
// come with its package (format/tfjs): a Tiny-YOLOv2 whose convolutions are separable.
//
//	conv0    3×3, 3 to 16 channels, without padding, leaky 0.1, pool 2/2
//	conv1…4  separable 3×3, to 32, 64, 128, 256 channels, leaky 0.1, pool 2/2
//	conv5    separable 3×3, to 512 channels, leaky 0.1, pool 2/1
//	conv8    1×1, to 25 values: of 5 anchors x, y, w, h and object
//
// A separable convolution has nothing between its two products, so that it is one of 3×3,
//
//	w[y, x, i, o] = d[y, x, i]·p[i, o]
//
// which is what stands in the graph: nine times the weights, and no layer that a conversion
// could not swap. Boxes here have classes, of which a face has one; its value is 0 for each
// anchor. Pools take an odd last row and column along. Samples are pictures in [0, 1], less the
// mean of each channel.
package faceapi

import (
	"fmt"
	"io/fs"
	"slices"

	"synfire/detect"
	"synfire/format/tfjs"
	"synfire/layer"
	"synfire/network"
	"synfire/sample"
	"synfire/tensor"
)

// Grid is the pixels of a cell: a picture's side is a multiple of it.
const Grid = 32

// leak is the slope of its units below zero.
const leak = 0.1

var (
	// separable are the outputs of its separable convolutions.
	separable = []int{32, 64, 128, 256, 512}
	// anchors are in cells.
	anchors = []detect.Anchor{{1.603231, 2.094468}, {6.041143, 7.080126}, {2.882459, 3.518061}, {4.266906, 5.178857}, {9.041765, 10.66308}}
)

const (
	values = 5   // of an anchor there
	first  = 16  // channels of conv0
	inputs = 3   // red, green, blue
	last   = 512 // channels before conv8
)

// Task is how its boxes are read: of two that overlap by an IoU of more than 0.4 the better stays.
func Task() detect.Detect {
	t := detect.NewDetect()
	t.Overlap = 0.4
	return t
}

// Normalization is what is done with pictures before: their channels' means are those of the
// program, of 255.
func Normalization() sample.Normalization {
	return sample.Normalization{Mean: []float64{117.001 / 255, 114.697 / 255, 97.404 / 255}, Std: []float64{1, 1, 1}}
}

// Lowered says what became of a layer.
type Lowered struct{ Name, Kind, To string }

// Read makes a graph for pictures of side×side pixels of a manifest and the weights beside it.
// Arrays that are missing, have another shape, or are of no layer are errors.
func Read(fsys fs.FS, manifest string, side int) (network.Graph, []Lowered, error) {
	b, err := read(fsys, manifest, side)
	if err != nil {
		return network.Graph{}, nil, fmt.Errorf("face detector: %w", err)
	}
	return b.g, b.report, nil
}

func read(fsys fs.FS, manifest string, side int) (*builder, error) {
	if side < Grid || side%Grid != 0 {
		return nil, fmt.Errorf("pictures of %d×%d pixels, want a multiple of %d, such as 224 or 416", side, side, Grid)
	}
	all, err := tfjs.Read(fsys, manifest)
	if err != nil {
		return nil, err
	}
	b := &builder{arrays: map[string]tfjs.Array{}, g: network.Graph{Input: tensor.Shape{side, side, inputs}}, side: side, now: network.Input}
	for _, a := range all {
		b.arrays[a.Name] = a
	}
	if err := b.build(); err != nil {
		return nil, err
	}
	for _, a := range all {
		if _, left := b.arrays[a.Name]; left {
			return nil, fmt.Errorf("array %.80q is of no layer of the tiny face detector; is it the manifest of another network?", a.Name)
		}
	}
	_, err = b.g.Outline()
	return b, err
}

// builder takes arrays from those of the file.
type builder struct {
	arrays map[string]tfjs.Array
	g      network.Graph
	now    string // node that was added last
	side   int    // of its output
	report []Lowered
}

func (b *builder) build() error {
	filters, err := b.take("conv0/filters", 3, 3, inputs, first)
	if err == nil {
		err = b.convolution(0, filters, 0)
	}
	if err != nil {
		return err
	}
	b.pool(0, "convolution", 2)
	in := first
	for k, out := range separable {
		i := k + 1
		depth, err := b.take(fmt.Sprintf("conv%d/depthwise_filter", i), 3, 3, in, 1)
		if err != nil {
			return err
		}
		point, err := b.take(fmt.Sprintf("conv%d/pointwise_filter", i), 1, 1, in, out)
		if err != nil {
			return err
		}
		if err := b.convolution(i, merged(depth, point), 1); err != nil {
			return err
		}
		stride := 2
		if i == len(separable) {
			stride = 1
		}
		b.pool(i, "separable convolution", stride)
		in = out
	}
	return b.boxes()
}

// take is an array of a shape, which is taken from the others.
func (b *builder) take(name string, shape ...int) (tensor.Tensor, error) {
	a, ok := b.arrays[name]
	if !ok {
		return tensor.Tensor{}, fmt.Errorf("no array %q; is it the manifest of another network?", name)
	}
	if !slices.Equal(a.Shape, shape) {
		return tensor.Tensor{}, fmt.Errorf("array %q is of shape %v, want %v", name, a.Shape, shape)
	}
	delete(b.arrays, name)
	t := tensor.New(shape...)
	for i, v := range a.Data {
		t.Data[i] = tensor.Float(v)
	}
	return t, nil
}

// merged is a convolution of each channel and then of all channels of a pixel in one. Kernels are
// [height, width, in, out], in the order of the graph.
func merged(depth, point tensor.Tensor) tensor.Tensor {
	in, out := point.Shape[2], point.Shape[3]
	w := tensor.New(depth.Shape[0], depth.Shape[1], in, out)
	for at := range w.Data {
		o, from := at%out, at/out // from: place and channel before
		w.Data[at] = depth.Data[from] * point.Data[from%in*out+o]
	}
	return w
}

// convolution adds one with its leaky units.
func (b *builder) convolution(i int, filters tensor.Tensor, padding int) error {
	out := filters.Shape[3]
	bias, err := b.take(fmt.Sprintf("conv%d/bias", i), out)
	if err != nil {
		return err
	}
	op := layer.Conv2D{Out: out, Kernel: []int{filters.Shape[0]}}
	if padding > 0 {
		op.Padding = []int{padding}
	}
	b.side += 2*padding - filters.Shape[0] + 1
	b.add(fmt.Sprintf("conv%d", i), op, map[string]tensor.Tensor{"weight": filters, "bias": bias})
	b.add(fmt.Sprintf("leaky%d", i), layer.ReLU{Slope: leak}, nil)
	return nil
}

// pool adds a maximum over 2×2 pixels. Where a window would leave the picture, right or below, it
// has what there is. It ends a layer, of a kind.
func (b *builder) pool(i int, kind string, stride int) {
	op := layer.MaxPool{Size: 2, Stride: stride}
	if stride == 1 || b.side%2 == 1 {
		op.Padding = []int{0, 1, 0, 1}
	}
	b.side = (b.side + stride - 1) / stride
	b.add(fmt.Sprintf("pool%d", i), op, nil)
	b.report = append(b.report, Lowered{fmt.Sprintf("conv%d", i), kind, fmt.Sprintf("conv%d, leaky%d, pool%d", i, i, i)})
}

// boxes adds conv8, whose anchors get a value of their one class behind the others.
func (b *builder) boxes() error {
	filters, err := b.take("conv8/filters", 1, 1, last, values*len(anchors))
	if err != nil {
		return err
	}
	bias, err := b.take("conv8/bias", values*len(anchors))
	if err != nil {
		return err
	}
	out := (values + 1) * len(anchors)
	w, c := tensor.New(1, 1, last, out), tensor.New(out)
	for j := range values * len(anchors) {
		to := j/values*(values+1) + j%values
		c.Data[to] = bias.Data[j]
		for i := range last {
			w.Data[i*out+to] = filters.Data[i*values*len(anchors)+j]
		}
	}
	b.add("conv8", layer.Conv2D{Out: out, Kernel: []int{1}}, map[string]tensor.Tensor{"weight": w, "bias": c})
	b.report = append(b.report, Lowered{"conv8", "convolution", "conv8, read as boxes"})
	b.g.Outputs = []network.Output{{Name: network.DefaultOutput, Node: b.now, Read: detect.Boxes{Anchors: anchors}}}
	return nil
}

func (b *builder) add(name string, op layer.Layer, arrays map[string]tensor.Tensor) {
	b.g.Nodes = append(b.g.Nodes, network.GraphNode{Node: network.Node{Name: name, Layer: op, Inputs: []string{b.now}}, Arrays: arrays})
	b.now = name
}
