package onnx

import (
	"fmt"
	"slices"

	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/network"
	"synfire/tensor"
)

// value is what a node of the file gives: a constant, or a signal, the output of a node of the
// network. A signal has the shape of one sample in the file, and the order of its elements says
// which of them stands where here.
type value struct {
	constant *array
	name     string       // of the node of the network
	here     tensor.Shape // its shape there
	shape    []int        // of a sample in the file, without the batch
	order    order
	batch    int // size of the batch in the file; 0: open
}

// order says which element of the file's sample stands at place i here: at first those of all
// channels of a place, as the file has first all places of a channel.
type order struct {
	channels, places int
	list             []int32 // if given, the elements themselves
}

func (o order) at(i int) int {
	if o.list != nil {
		return int(o.list[i])
	}
	return i%o.channels*o.places + i/o.channels
}

// to tells of an element of the file where it stands here.
func (o order) to() func(e int) int {
	if o.list == nil {
		return func(e int) int { return e%o.places*o.channels + e/o.places }
	}
	to := make([]int32, len(o.list))
	for i, e := range o.list {
		to[e] = int32(i)
	}
	return func(e int) int { return int(to[e]) }
}

// equal reports whether the same elements stand at the same places.
func (o order) equal(p order) bool {
	if o.list == nil && p.list == nil {
		plain := func(o order) bool { return o.channels == 1 || o.places == 1 }
		return o.channels == p.channels || plain(o) && plain(p)
	}
	for i := range o.channels * o.places {
		if o.at(i) != p.at(i) {
			return false
		}
	}
	return true
}

// maxSample bounds the elements of a sample at any node.
const maxSample = 1 << 24

// standard is how a sample of the file's shape stands here: a line of channels and places as an
// image of one row, an image with its channels last, what has more axes as a vector.
func standard(shape []int) (tensor.Shape, order, error) {
	size := 1
	for _, d := range shape {
		if d < 1 || d > maxSample || size > maxSample/d {
			return nil, order{}, fmt.Errorf("shape %v of a sample, want positive sizes, and %d elements at most", shape, maxSample)
		}
		size *= d
	}
	switch len(shape) {
	case 2:
		return tensor.Shape{1, shape[1], shape[0]}, order{channels: shape[0], places: shape[1]}, nil
	case 3:
		return tensor.Shape{shape[1], shape[2], shape[0]}, order{channels: shape[0], places: shape[1] * shape[2]}, nil
	}
	return tensor.Shape{size}, order{channels: size, places: 1}, nil
}

// signalOf is a signal in the standard layout.
func signalOf(name string, shape []int, batch int) (value, error) {
	here, o, err := standard(shape)
	return value{name: name, here: here, shape: shape, order: o, batch: batch}, err
}

// standard brings a signal into the standard layout: it adds a Flatten or a Gather where it is in
// another.
func (l *lowering) standard(v value) (value, error) {
	want, err := signalOf("", v.shape, v.batch)
	if err != nil {
		return v, err
	}
	switch same := want.order.equal(v.order); {
	case same && want.here.Equal(v.here):
		return v, nil
	case same && len(want.here) == 1:
		want.name = l.put(v.name+"_flat", layer.Flatten{}, nil, v.name)
	case same:
		want.name = l.put(v.name+"_shape", ordinary.Gather{Shape: want.here}, nil, v.name)
	default:
		to := v.order.to()
		want.name = l.gather(v, want.here, v.name+"_order", func(i int) int { return to(want.order.at(i)) })
	}
	return want, nil
}

// gather adds a Gather of the elements from(i) of a node, those below 0 zeros.
func (l *lowering) gather(v value, here tensor.Shape, name string, from func(i int) int) string {
	index := tensor.New(here...)
	l.listed += len(index.Data)
	for i := range index.Data {
		index.Data[i] = tensor.Float(from(i))
	}
	return l.put(name, ordinary.Gather{Shape: here, Indexed: true}, map[string]tensor.Tensor{"index": index}, v.name)
}

// put adds a node to the network, under a name that is free.
func (l *lowering) put(name string, ly layer.Layer, arrays map[string]tensor.Tensor, inputs ...string) string {
	name = l.free(name)
	l.g.Nodes = append(l.g.Nodes, network.GraphNode{Node: network.Node{Name: name, Layer: ly, Inputs: inputs}, Arrays: arrays})
	return name
}

// reshaped is the same elements under another shape: nothing moves.
func (v value) reshaped(shape []int) (value, error) {
	if v.constant != nil {
		c, err := v.constant.reshaped(shape)
		return value{constant: c}, err
	}
	v.shape = shape
	return v, nil
}

// transposed has the axes of a sample in another order: nothing moves, elements are called otherwise.
func (v value) transposed(perm []int) (value, error) {
	if v.constant != nil {
		c, err := v.constant.transposed(perm)
		return value{constant: c}, err
	}
	if slices.IsSorted(perm) {
		return v, nil
	}
	old := v.shape
	v.shape = make([]int, len(perm))
	for k, axis := range perm {
		v.shape[k] = old[axis]
	}
	to := (&array{shape: v.shape, stored: old, perm: perm}).places()
	list := make([]int32, v.order.channels*v.order.places)
	for i := range list {
		list[i] = int32(to(v.order.at(i)))
	}
	v.order = order{channels: v.order.channels, places: v.order.places, list: list}
	return v, nil
}

// toFront is the permutation that puts an axis first, and the one that undoes it.
func toFront(axis, axes int) (perm, back []int) {
	perm = []int{axis}
	for k := range axes {
		if k != axis {
			perm = append(perm, k)
		}
	}
	back = make([]int, axes)
	for k, a := range perm {
		back[a] = k
	}
	return perm, back
}
