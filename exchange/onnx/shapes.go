package onnx

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"synfire/exchange/onnx/pb"
	"synfire/layer"
	"synfire/network"
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

// pad lowers Pad: with zeros, or with what stands at the edge or is mirrored there.
func (l *lowering) pad(n *node) (value, error) {
	in, err := n.signal(0)
	if err != nil {
		return in, err
	}
	pads, err := n.pads(len(in.shape))
	if err != nil {
		return in, err
	}
	var at func(x, size int) int
	switch mode := n.text("mode", "constant"); mode {
	case "constant":
		at = func(x, size int) int { return x }
	case "edge":
		at = func(x, size int) int { return min(max(x, 0), size-1) }
	case "reflect":
		at = func(x, size int) int {
			if period := 2 * (size - 1); period > 0 {
				if x = ((x % period) + period) % period; x >= size {
					x = period - x
				}
				return x
			}
			return 0
		}
	default:
		return in, fmt.Errorf("mode %q, want constant, edge or reflect", mode)
	}
	shape := slices.Clone(in.shape)
	for k := range shape {
		shape[k] += pads[k][0] + pads[k][1]
	}
	out, err := l.moved(n, in, shape, func(k, x int) int { return at(x-pads[k][0], in.shape[k]) })
	if n.text("mode", "constant") == "constant" && err == nil {
		l.padded[out.name] = padding{in, pads}
	}
	return out, err
}

// padding is what a Pad with zeros takes, and the zeros before and behind each axis.
type padding struct {
	in   value
	pads [][2]int
}

// unpadded takes a Pad with zeros before a convolution, which nothing else takes, into the padding of
// the convolution.
func (l *lowering) unpadded(n *node, in value, ly layer.Conv2D) (value, layer.Conv2D, bool) {
	p, ok := l.padded[in.name]
	if !ok || l.takers[n.Input[0]] != 1 || p.pads[0] != [2]int{} || slices.ContainsFunc(p.pads, func(d [2]int) bool { return d[0] < 0 || d[1] < 0 }) {
		return in, ly, false
	}
	base, err := l.standard(p.in)
	if err != nil {
		return in, ly, false
	}
	ly.Padding = slices.Clone(ly.Padding)
	last := len(p.pads) - 1
	ly.Padding[2] += p.pads[last][0]
	ly.Padding[3] += p.pads[last][1]
	if last == 2 {
		ly.Padding[0] += p.pads[1][0]
		ly.Padding[1] += p.pads[1][1]
	}
	if _, err := ly.Output(base.here); err != nil {
		return in, ly, false
	}
	l.g.Nodes = slices.DeleteFunc(l.g.Nodes, func(g network.GraphNode) bool { return g.Name == in.name })
	n.before--
	for i := range l.report {
		if l.report[i].To == in.name {
			l.report[i].To = ""
		}
	}
	return base, ly, true
}

// pads are the elements before and behind each axis of a sample.
func (n *node) pads(axes int) (pads [][2]int, err error) {
	all := axes + n.l.lead
	var flat []int
	fill := n.float("value", 0)
	which := make([]int, all)
	for i := range which {
		which[i] = i
	}
	if n.l.model.Opset < 11 {
		flat, err = n.ints("pads", 2*all, 0)
	} else {
		var c *array
		if c, err = n.constant(1, "pads"); err == nil {
			flat, err = c.ints()
		}
		if err == nil {
			fill, err = n.number(2, "value", 0)
		}
		if err == nil && n.has(3) {
			if c, err = n.constant(3, "axes"); err == nil {
				which, err = c.ints()
			}
		}
	}
	switch {
	case err != nil:
		return nil, err
	case len(flat) != 2*len(which):
		return nil, fmt.Errorf("pads %v, want %d numbers", flat, 2*len(which))
	case fill != 0 && n.text("mode", "constant") == "constant":
		return nil, fmt.Errorf("a value of %v: padding with zeros is supported", fill)
	}
	pads = make([][2]int, axes)
	for i, axis := range which {
		if axis < 0 {
			axis += all
		}
		before, after := flat[i], flat[i+len(which)]
		switch k := axis - n.l.lead; {
		case axis < 0 || axis >= all || max(before, -before, after, -after) > maxSample:
			return nil, fmt.Errorf("pads %v of the axes %v", flat, which)
		case k >= 0:
			pads[k] = [2]int{before, after}
		case before != 0 || after != 0:
			return nil, errors.New("pads of the axis of the batch: not supported")
		}
	}
	return pads, nil
}

// moved adds a Gather to a shape: of element x of axis k that from(k, x) of the input's, zeros beyond
// its ends.
func (l *lowering) moved(n *node, in value, shape []int, from func(k, x int) int) (value, error) {
	out, err := signalOf("", shape, in.batch)
	if err != nil {
		return out, err
	}
	tables := make([][]int, len(shape))
	step := strides(in.shape)
	for k, d := range shape {
		for x := range d {
			at := from(k, x)
			if at < 0 || at >= in.shape[k] {
				at = -1
			} else {
				at *= step[k]
			}
			tables[k] = append(tables[k], at)
		}
	}
	to := in.order.to()
	out.name = l.gather(in, out.here, n.titled(), func(i int) int {
		e, at := out.order.at(i), 0
		for k := len(shape) - 1; k >= 0; k-- {
			x := tables[k][e%shape[k]]
			if x < 0 {
				return -1
			}
			at += x
			e /= shape[k]
		}
		return to(at)
	})
	return out, nil
}

// resize lowers Resize and Upsample to the nearest: a layer where each pixel is repeated as often in
// both directions.
func (l *lowering) resize(n *node) (value, error) {
	in, err := n.signal(0)
	if err != nil {
		return in, err
	}
	if mode := n.text("mode", "nearest"); mode != "nearest" {
		return in, fmt.Errorf("mode %q: only nearest is supported", mode)
	}
	shape, scales, err := n.scaled(in)
	if err != nil {
		return in, err
	}
	from, err := n.nearest(in.shape, shape, scales)
	if err != nil {
		return in, err
	}
	if f := factor(in.shape, shape, from); f > 1 {
		if in, err = l.standard(in); err != nil {
			return in, err
		}
		return l.apply(n, in, shape, layer.Upsample{Factor: f}, nil)
	}
	return l.moved(n, in, shape, from)
}

// factor is how often each pixel of an image is repeated, 0 where they are not alike.
func factor(from, to []int, at func(k, x int) int) int {
	if len(from) != 3 || to[0] != from[0] || to[1]%from[1] != 0 || to[1]/from[1]*from[2] != to[2] {
		return 0
	}
	f := to[1] / from[1]
	for k, d := range to {
		for x := range d {
			if k == 0 && at(k, x) != x || k > 0 && at(k, x) != x/f {
				return 0
			}
		}
	}
	return f
}

// scaled is the shape that a sample is resized to, and the scale of each axis.
func (n *node) scaled(in value) (shape []int, scales []float64, err error) {
	if n.attrs["axes"] != nil {
		return nil, nil, errors.New("attribute \"axes\" is not supported")
	}
	var given []float64
	at := map[bool]int{true: 1, false: 2}[n.GetOpType() == "Upsample" || n.l.model.Opset < 11]
	axes := len(in.shape) + n.l.lead
	switch {
	case n.GetOpType() == "Upsample" && n.l.model.Opset < 9:
		a := n.attr("scales", pb.AttributeProto_FLOATS)
		for _, f := range a.GetFloats() {
			given = append(given, float64(f))
		}
	case n.has(at) && (n.in[at].constant == nil || n.in[at].constant.size() > 0):
		c, err := n.constant(at, "scales")
		if err == nil {
			given, err = c.few(64)
		}
		if err != nil {
			return nil, nil, err
		}
	default:
		c, err := n.constant(3, "scales or sizes")
		if err != nil {
			return nil, nil, err
		}
		sizes, err := c.ints()
		if err == nil && len(sizes) != axes {
			err = fmt.Errorf("sizes %v, want %d", sizes, axes)
		}
		if err != nil {
			return nil, nil, err
		}
		if n.l.lead > 0 && sizes[0] != in.batch && sizes[0] != 1 && sizes[0] != openBatch {
			return nil, nil, fmt.Errorf("sizes %v change the axis of the batch: not supported", sizes)
		}
		shape = sizes[n.l.lead:]
		for k, d := range shape {
			scales = append(scales, float64(d)/float64(in.shape[k]))
		}
		_, _, err = standard(shape)
		return shape, scales, err
	}
	if len(given) != axes || n.l.lead > 0 && given[0] != 1 {
		return nil, nil, fmt.Errorf("scales %v, want %d, the first 1", given, axes)
	}
	scales = given[n.l.lead:]
	for k, s := range scales {
		if !(s > 0 && s < maxSample) {
			return nil, nil, fmt.Errorf("scales %v, want positive numbers", given)
		}
		shape = append(shape, int(min(float64(in.shape[k])*s, 2*maxSample)))
	}
	_, _, err = standard(shape)
	return shape, scales, err
}

// nearest tells which element of axis k is nearest to element x of the resized one.
func (n *node) nearest(from, to []int, scales []float64) (func(k, x int) int, error) {
	where, round := "asymmetric", "floor"
	if n.GetOpType() == "Resize" && n.l.model.Opset >= 11 {
		where, round = n.text("coordinate_transformation_mode", "half_pixel"), n.text("nearest_mode", "round_prefer_floor")
		n.float("cubic_coeff_a", 0)
		n.float("extrapolation_value", 0)
		if n.int("exclude_outside", 0) != 0 {
			return nil, errors.New("exclude_outside is not supported")
		}
	}
	coordinates := map[string]func(k int, x float64) float64{
		"asymmetric": func(k int, x float64) float64 { return x / scales[k] },
		"half_pixel": func(k int, x float64) float64 { return (x+0.5)/scales[k] - 0.5 },
		"pytorch_half_pixel": func(k int, x float64) float64 {
			if to[k] == 1 {
				return 0
			}
			return (x+0.5)/scales[k] - 0.5
		},
		"tf_half_pixel_for_nn": func(k int, x float64) float64 { return (x + 0.5) / scales[k] },
		"align_corners": func(k int, x float64) float64 {
			if to[k] == 1 {
				return 0
			}
			return x * float64(from[k]-1) / float64(to[k]-1)
		},
	}
	roundings := map[string]func(float64) float64{
		"floor":              math.Floor,
		"ceil":               math.Ceil,
		"round_prefer_floor": func(x float64) float64 { return math.Ceil(x - 0.5) },
		"round_prefer_ceil":  func(x float64) float64 { return math.Floor(x + 0.5) },
	}
	at, nearest := coordinates[where], roundings[round]
	if at == nil || nearest == nil {
		return nil, fmt.Errorf("coordinate_transformation_mode %q with nearest_mode %q: not supported", where, round)
	}
	return func(k, x int) int {
		if scales[k] == 1 {
			return x
		}
		return int(min(max(nearest(at(k, float64(x))), 0), float64(from[k]-1)))
	}, nil
}
