package onnx

import (
	"errors"
	"math"
	"slices"

	"synfire/layer"
	"synfire/layer/ordinary"
)

// elementwise adds a layer that treats each element alike, wherever it stands.
func (l *lowering) elementwise(n *node, ly layer.Layer) (value, error) {
	in, err := n.signal(0)
	if err != nil {
		return in, err
	}
	if _, err := ly.Output(in.here); err != nil {
		return in, err
	}
	in.name = l.put(n.titled(), ly, nil, in.name)
	return in, nil
}

func (l *lowering) relu(n *node) (value, error) { return l.elementwise(n, layer.ReLU{}) }

func (l *lowering) leakyRelu(n *node) (value, error) {
	return l.elementwise(n, layer.ReLU{Slope: n.float("alpha", 0.01)})
}

// clip lowers Clip: bounds are attributes up to opset 10, and inputs then.
func (l *lowering) clip(n *node) (value, error) {
	least, most := -math.MaxFloat32, math.MaxFloat32
	if l.model.Opset < 11 {
		least, most = n.float("min", least), n.float("max", most)
	} else {
		var err error
		if least, err = n.number(1, "min", least); err != nil {
			return value{}, err
		}
		if most, err = n.number(2, "max", most); err != nil {
			return value{}, err
		}
	}
	least, most = max(least, -math.MaxFloat32), min(most, math.MaxFloat32)
	switch {
	case least == 0 && most == math.MaxFloat32:
		return l.elementwise(n, layer.ReLU{})
	case least == 0 && most > 0:
		return l.elementwise(n, layer.ReLU{Max: most})
	}
	return l.elementwise(n, ordinary.Clip{Min: least, Max: most})
}

// softmax lowers Softmax: over an axis, up to opset 12 over it and all behind.
func (l *lowering) softmax(n *node) (value, error) {
	in, err := n.signal(0)
	if err != nil {
		return in, err
	}
	old := l.model.Opset < 13
	fallback := -1
	if old {
		fallback = 1
	}
	axis, err := n.axis(in, n.int("axis", fallback))
	switch {
	case err != nil:
		return in, err
	case axis < 0:
		return in, errors.New("over the axis of the batch: not supported")
	}
	shape := in.shape
	work, axes := shape, len(shape)
	if old { // all axes from this one on are one
		rest, _ := sizeOf(shape[axis:])
		work = append(slices.Clone(shape[:axis]), rest)
		axes = axis + 1
	}
	perm, back := toFront(axis, axes)
	v, err := in.reshaped(work)
	if err == nil {
		v, err = v.transposed(perm)
	}
	if err == nil {
		front := v.shape
		rest, _ := sizeOf(front[1:])
		if v, err = v.reshaped([]int{front[0], rest}); err == nil {
			if v, err = l.standard(v); err == nil {
				v.name = l.put(n.titled(), ordinary.Softmax{}, nil, v.name)
				v, err = v.reshaped(front)
			}
		}
	}
	if err == nil {
		v, err = v.transposed(back)
	}
	if err != nil {
		return v, err
	}
	return v.reshaped(shape)
}
