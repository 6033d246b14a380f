package onnx

import (
	"errors"
	"fmt"
	"slices"

	"synfire/exchange/onnx/pb"
	"synfire/layer"
)

// identity lowers Identity.
func (l *lowering) identity(n *node) (value, error) {
	if !n.has(0) {
		return value{}, errors.New("it has no input")
	}
	return n.in[0], nil
}

// dropout lowers Dropout: for training on, the layer of the same rate; in evaluation it does nothing.
func (l *lowering) dropout(n *node) (value, error) {
	rate := n.float("ratio", 0.5)
	n.int("seed", 0)
	if l.model.Opset < 7 && n.int("is_test", 0) == 0 {
		n.lose("is_test: 0, here inference")
	}
	if l.model.Opset >= 12 {
		var err error
		if rate, err = n.number(1, "ratio", 0.5); err != nil {
			return value{}, err
		}
		training, err := n.number(2, "training_mode", 0)
		if err != nil {
			return value{}, err
		}
		if training != 0 && rate != 0 {
			return value{}, errors.New("training_mode: a network is imported for inference; export it in evaluation mode")
		}
	}
	if n.has(0) && n.in[0].constant != nil {
		return n.in[0], nil
	}
	if rate == 0 {
		return n.signal(0)
	}
	return l.elementwise(n, layer.Dropout{Rate: rate})
}

// constant lowers Constant.
func (l *lowering) constant(n *node) (value, error) {
	if len(n.attrs) != 1 {
		return value{}, fmt.Errorf("%d attributes, want one: value", len(n.attrs))
	}
	a := &array{model: l.model, kind: pb.TensorProto_FLOAT}
	var err error
	switch p := n.Attribute[0]; p.GetName() {
	case "value":
		if p = n.attr("value", pb.AttributeProto_TENSOR); p == nil {
			return value{}, n.err
		}
		a, err = l.model.array(p.GetT())
	case "value_float":
		a.values = []float64{n.float("value_float", 0)}
	case "value_int":
		a.values, a.kind = []float64{float64(n.int("value_int", 0))}, pb.TensorProto_INT64
	case "value_floats":
		n.attr("value_floats", pb.AttributeProto_FLOATS)
		for _, f := range p.Floats {
			a.values = append(a.values, float64(f))
		}
		a.shape = []int{len(a.values)}
	case "value_ints":
		n.attr("value_ints", pb.AttributeProto_INTS)
		for _, i := range p.Ints {
			a.values = append(a.values, float64(i))
		}
		a.shape, a.kind = []int{len(a.values)}, pb.TensorProto_INT64
	default:
		err = fmt.Errorf("attribute %q is not supported; want a value of numbers", p.GetName())
	}
	return value{constant: a}, err
}

// flatten lowers Flatten: two axes, the batch and all of a sample.
func (l *lowering) flatten(n *node) (value, error) {
	if !n.has(0) {
		return value{}, errors.New("it has no input")
	}
	in := n.in[0]
	axis := n.int("axis", 1)
	if in.constant != nil {
		return in, errors.New("of a constant: not supported; export with constants folded")
	}
	axes := len(in.shape) + l.lead
	if axis < 0 {
		axis += axes
	}
	if axis < 0 || axis > axes {
		return in, fmt.Errorf("axis %d of %d axes", axis, axes)
	}
	if l.lead == 0 {
		rows, _ := sizeOf(in.shape[:axis])
		columns, _ := sizeOf(in.shape[axis:])
		return in.reshaped([]int{rows, columns})
	}
	size, _ := sizeOf(in.shape)
	if before, _ := sizeOf(in.shape[:max(axis, 1)-1]); axis == 0 || before != 1 {
		return in, fmt.Errorf("axis %d: the axis of the batch would be lost; want 1", axis)
	}
	return in.reshaped([]int{size})
}

// reshape lowers Reshape to a constant shape. The first axis of a batch must stay.
func (l *lowering) reshape(n *node) (value, error) {
	c, err := n.constant(1, "shape")
	if err != nil {
		return value{}, err
	}
	if c.kind != pb.TensorProto_INT64 {
		return value{}, fmt.Errorf("its shape of type %s, want INT64", c.kind)
	}
	to, err := c.ints()
	if err != nil {
		return value{}, fmt.Errorf("its shape: %w", err)
	}
	copied := n.int("allowzero", 0) == 0
	in := n.in[0]
	if in.constant != nil {
		shape, err := fill(to, in.constant.shape, copied)
		if err != nil {
			return in, err
		}
		return in.reshaped(shape)
	}
	if in, err = n.signal(0); err != nil {
		return in, err
	}
	if l.lead == 0 {
		shape, err := fill(to, in.shape, copied)
		if err != nil {
			return in, err
		}
		return in.reshaped(shape)
	}
	if len(to) == 0 {
		return in, errors.New("to a number: the axis of the batch would be lost")
	}
	first := to[0]
	if keeps := first == 0 && copied || first == -1 || first == openBatch || first == in.batch && first > 0 || first == 1 && in.batch == 0; !keeps {
		return in, fmt.Errorf("to %v of a batch of %s: the axis of the batch must stay; want 0 or −1 first", to, open(in.batch))
	}
	if first == -1 && slices.Contains(to[1:], -1) {
		return in, fmt.Errorf("to %v: one −1 at most", to)
	}
	shape, err := fill(to[1:], in.shape, copied) // a 0 copies the axis of its own number
	if err != nil {
		return in, err
	}
	return in.reshaped(shape)
}

func open(batch int) string {
	if batch == 0 {
		return "any size"
	}
	return fmt.Sprint(batch)
}

// fill completes a shape of Reshape: 0 is the size of the axis of that number, −1 what is left.
func fill(to, from []int, copied bool) ([]int, error) {
	size, err := sizeOf(from)
	if err != nil {
		return nil, err
	}
	shape, free, rest := slices.Clone(to), -1, 1
	for i, d := range shape {
		switch {
		case d == -1 && free < 0:
			free = i
			continue
		case d == 0 && copied && i < len(from):
			shape[i] = from[i]
		case d < 1:
			return nil, fmt.Errorf("to %v of a sample of shape %v: want positive sizes, and one −1 at most", to, from)
		}
		if shape[i] > maxElements || rest > maxElements/shape[i] {
			return nil, fmt.Errorf("to %v: too many elements", to)
		}
		rest *= shape[i]
	}
	if free >= 0 && size%rest == 0 {
		shape[free] = size / rest
		rest = size
	}
	if rest != size || free >= 0 && shape[free] < 1 {
		return nil, fmt.Errorf("to %v of a sample of shape %v, which has %d elements", to, from, size)
	}
	return shape, nil
}

// transpose lowers Transpose: elements are called otherwise, and stay.
func (l *lowering) transpose(n *node) (value, error) {
	if !n.has(0) {
		return value{}, errors.New("it has no input")
	}
	in := n.in[0]
	lead, axes := l.lead, len(in.shape)
	if in.constant != nil {
		lead, axes = 0, len(in.constant.shape)
	}
	all := make([]int, axes+lead)
	for i := range all {
		all[i] = len(all) - 1 - i
	}
	if n.attrs["perm"] != nil {
		var err error
		if all, err = n.ints("perm", len(all), 0); err != nil {
			return in, err
		}
	}
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	for i, axis := range sorted {
		if axis != i {
			return in, fmt.Errorf("perm %v, want each of %d axes once", all, len(all))
		}
	}
	if lead > 0 && all[0] != 0 {
		return in, fmt.Errorf("perm %v: the axis of the batch must stay the first", all)
	}
	perm := slices.Clone(all[lead:])
	for i := range perm {
		perm[i] -= lead
	}
	out, err := in.transposed(perm)
	if err == nil && in.constant != nil && in.constant.kind == pb.TensorProto_INT64 && in.constant.size() <= maxSizes {
		v, err := out.constant.ints() // sizes go on as they stand
		return whole(v, out.constant.shape...), err
	}
	return out, err
}

// concat lowers Concat along an axis of a sample.
func (l *lowering) concat(n *node) (value, error) {
	if len(n.in) == 0 {
		return value{}, errors.New("it has no input")
	}
	if n.in[0].constant != nil {
		return l.joined(n)
	}
	first, err := n.signal(0)
	if err != nil {
		return first, err
	}
	if n.attrs["axis"] == nil {
		return first, errors.New("it has no axis")
	}
	axis, err := n.axis(first, n.int("axis", 0))
	switch {
	case err != nil:
		return first, err
	case axis < 0:
		return first, errors.New("along the axis of the batch: not supported")
	case len(n.in) == 1:
		return first, nil
	}
	perm, back := toFront(axis, len(first.shape))
	var names []string
	var shape []int
	for i := range n.in {
		v, err := n.signal(i)
		switch {
		case err != nil:
			return v, err
		case len(v.shape) != len(perm):
			return v, fmt.Errorf("samples of the shapes %v and %v, want as many axes", first.shape, v.shape)
		}
		if v, err = v.transposed(perm); err == nil {
			v, err = l.standard(v)
		}
		if err != nil {
			return v, err
		}
		if i == 0 {
			shape = slices.Clone(v.shape)
		} else if shape[0] += v.shape[0]; !slices.Equal(v.shape[1:], shape[1:]) {
			return v, fmt.Errorf("samples of the shapes %v and %v along axis %d, want other axes the same", first.shape, n.in[i].shape, axis)
		}
		names = append(names, v.name)
	}
	out, err := signalOf("", shape, first.batch) // the axis is that of the channels now, or of a vector
	if err != nil {
		return out, err
	}
	out.name = l.put(n.titled(), layer.Concat{}, nil, names...)
	return out.transposed(back)
}
