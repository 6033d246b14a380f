package onnx

import (
	"errors"
	"fmt"
	"slices"

	"synfire/exchange/onnx/pb"
)

// openBatch stands for the size of a batch that is open among the sizes that a file computes.
const openBatch = -2

// foldings compute constants of constants: the shapes that a file works out, as PyTorch writes
// x.view(x.size(0), -1) by Shape, Gather, Unsqueeze and Concat. They leave no node.
var foldings map[string]func(*lowering, *node) (value, error)

func init() {
	foldings = map[string]func(*lowering, *node) (value, error){
		"Shape": (*lowering).shapeOf, "Gather": (*lowering).gathered, "Unsqueeze": (*lowering).unsqueezed,
		"Squeeze": (*lowering).squeezed, "Cast": (*lowering).cast, "Mul": (*lowering).arithmetic, "Sub": (*lowering).arithmetic,
		"ConstantOfShape": (*lowering).filled, "Slice": (*lowering).sliced,
	}
}

// whole is a constant of whole numbers.
func whole(v []int, shape ...int) value {
	a := &array{kind: pb.TensorProto_INT64, shape: shape, values: make([]float64, len(v))}
	for i, x := range v {
		a.values[i] = float64(x)
	}
	return value{constant: a}
}

// shapeOf lowers Shape, with its batch.
func (l *lowering) shapeOf(n *node) (value, error) {
	if !n.has(0) {
		return value{}, errors.New("it has no input")
	}
	in := n.in[0]
	var sizes []int
	switch {
	case in.constant != nil:
		sizes = in.constant.shape
	case l.lead > 0 && in.batch == 0:
		sizes = append([]int{openBatch}, in.shape...)
	case l.lead > 0:
		sizes = append([]int{in.batch}, in.shape...)
	default:
		sizes = in.shape
	}
	end := n.int("end", len(sizes))
	start := n.int("start", 0)
	for _, at := range []*int{&start, &end} {
		if *at < 0 {
			*at += len(sizes)
		}
		*at = min(max(*at, 0), len(sizes))
	}
	sizes = sizes[min(start, end):end]
	return whole(sizes, len(sizes)), nil
}

// few is input i as few whole numbers, as shapes are.
func (n *node) few(i int) (*array, []int, error) {
	c, err := n.constant(i, "input")
	if err != nil {
		return nil, nil, err
	}
	if c.kind != pb.TensorProto_INT64 && c.kind != pb.TensorProto_INT32 {
		return nil, nil, fmt.Errorf("of a constant of type %s: it is folded for whole numbers, as of shapes; export with constants folded", c.kind)
	}
	v, err := c.ints()
	return c, v, err
}

// gathered lowers Gather of sizes.
func (l *lowering) gathered(n *node) (value, error) {
	c, v, err := n.few(0)
	if err != nil {
		return value{}, err
	}
	at, err := n.constant(1, "indices")
	if err != nil {
		return value{}, err
	}
	indices, err := at.ints()
	if axis := n.int("axis", 0); err == nil && (len(c.shape) != 1 || axis != 0 && axis != -1) {
		err = fmt.Errorf("along axis %d of a constant of shape %v: it is folded for vectors", axis, c.shape)
	}
	if err != nil {
		return value{}, err
	}
	out := make([]int, len(indices))
	for i, k := range indices {
		if k < 0 {
			k += len(v)
		}
		if k < 0 || k >= len(v) {
			return value{}, fmt.Errorf("index %d of %d numbers", indices[i], len(v))
		}
		out[i] = v[k]
	}
	return whole(out, at.shape...), nil
}

// axes are an attribute, or from opset 13 on input 1.
func (n *node) axes() ([]int, error) {
	if n.l.model.Opset >= 13 {
		if !n.has(1) {
			return nil, nil
		}
		c, err := n.constant(1, "axes")
		if err != nil {
			return nil, err
		}
		return c.ints()
	}
	a := n.attr("axes", pb.AttributeProto_INTS)
	var axes []int
	for _, x := range a.GetInts() {
		axes = append(axes, bounded(x))
	}
	return axes, n.err
}

// unsqueezed lowers Unsqueeze of sizes.
func (l *lowering) unsqueezed(n *node) (value, error) {
	c, v, err := n.few(0)
	if err != nil {
		return value{}, err
	}
	axes, err := n.axes()
	if err != nil {
		return value{}, err
	}
	count := len(c.shape) + len(axes)
	for i, k := range axes {
		if k < 0 {
			axes[i] = k + count
		}
	}
	shape, rest := make([]int, 0, count), c.shape
	for k := range count {
		switch {
		case slices.Contains(axes, k):
			shape = append(shape, 1)
		case len(rest) > 0:
			shape, rest = append(shape, rest[0]), rest[1:]
		}
	}
	if len(shape) != count {
		return value{}, fmt.Errorf("axes %v of %d, want each once", axes, count)
	}
	return whole(v, shape...), nil
}

// squeezed lowers Squeeze of sizes.
func (l *lowering) squeezed(n *node) (value, error) {
	c, v, err := n.few(0)
	if err != nil {
		return value{}, err
	}
	axes, err := n.axes()
	if err != nil {
		return value{}, err
	}
	var shape []int
	for k, d := range c.shape {
		named := slices.Contains(axes, k) || slices.Contains(axes, k-len(c.shape))
		switch {
		case named && d != 1:
			return value{}, fmt.Errorf("axis %d of shape %v, want one of size 1", k, c.shape)
		case !named && (len(axes) > 0 || d != 1):
			shape = append(shape, d)
		}
	}
	return whole(v, shape...), nil
}

// cast lowers Cast of sizes to whole numbers.
func (l *lowering) cast(n *node) (value, error) {
	c, v, err := n.few(0)
	if err != nil {
		return value{}, err
	}
	if to := pb.TensorProto_DataType(n.int("to", 0)); to != pb.TensorProto_INT64 && to != pb.TensorProto_INT32 {
		return value{}, fmt.Errorf("to %s: it is folded for whole numbers, as of shapes; export with constants folded", to)
	}
	return whole(v, c.shape...), nil
}

// arithmetic lowers Mul and Sub of two sizes, or of several with one.
func (l *lowering) arithmetic(n *node) (value, error) {
	a, v, err := n.few(0)
	if err != nil {
		return value{}, err
	}
	b, w, err := n.few(1)
	if err != nil {
		return value{}, err
	}
	if slices.Contains(slices.Concat(v, w), openBatch) || len(v) != len(w) && len(v) != 1 && len(w) != 1 {
		return value{}, fmt.Errorf("of constants of the shapes %v and %v: want as many numbers, or one, and none of an open batch", a.shape, b.shape)
	}
	shape := a.shape
	if len(w) > len(v) {
		shape = b.shape
	}
	out := make([]int, max(len(v), len(w)))
	for i := range out {
		x, y := v[min(i, len(v)-1)], w[min(i, len(w)-1)]
		if max(x, -x, y, -y) > maxSample {
			return value{}, fmt.Errorf("of %d and %d: too large for sizes", x, y)
		}
		if out[i] = x * y; n.GetOpType() == "Sub" {
			out[i] = x - y
		}
	}
	return whole(out, shape...), nil
}

// filled lowers ConstantOfShape: so many times the same number.
func (l *lowering) filled(n *node) (value, error) {
	_, shape, err := n.few(0)
	if err != nil {
		return value{}, err
	}
	size, err := sizeOf(shape)
	if err == nil && size > maxSizes {
		err = fmt.Errorf("of more than %d numbers", maxSizes)
	}
	if err != nil {
		return value{}, err
	}
	number := 0
	if p := n.attr("value", pb.AttributeProto_TENSOR); p != nil {
		a, err := l.model.array(p.GetT())
		var v []int
		if err == nil {
			v, err = a.ints()
		}
		if err != nil || len(v) != 1 || a.kind != pb.TensorProto_INT64 && a.kind != pb.TensorProto_INT32 {
			return value{}, errors.Join(err, errors.New("its value is no whole number; export with constants folded"))
		}
		number = v[0]
	}
	return whole(slices.Repeat([]int{number}, size), shape...), nil
}

// sliced lowers Slice of sizes along their first axis.
func (l *lowering) sliced(n *node) (value, error) {
	c, v, err := n.few(0)
	if err != nil {
		return value{}, err
	}
	if l.model.Opset < 10 || len(c.shape) == 0 {
		return value{}, errors.New("of a constant: it is folded from opset 10 on, of vectors and tables")
	}
	at := [5]float64{4: 1}
	for i := 1; i < 5; i++ {
		if at[i], err = n.number(i, "starts, ends, axes and steps", at[i]); err != nil {
			return value{}, err
		}
	}
	size, start, end, step := c.shape[0], at[1], at[2], int(at[4])
	if at[3] != 0 && int(at[3]) != -len(c.shape) || step != 1 && step != -1 {
		return value{}, fmt.Errorf("axis %v with step %v of a constant: it is folded along the first axis, by 1 or −1", at[3], at[4])
	}
	clamp := func(x float64, low, high int) int {
		if x < 0 {
			x += float64(size)
		}
		return int(min(max(x, float64(low)), float64(high)))
	}
	first, last := clamp(start, 0, size), clamp(end, 0, size)
	if step < 0 {
		first, last = clamp(start, 0, size-1), clamp(end, -1, size-1)
	}
	var out []int
	rows, row := 0, len(v)/max(size, 1)
	for i := first; (last-i)*step > 0; i += step {
		out = append(out, v[i*row:(i+1)*row]...)
		rows++
	}
	return whole(out, append([]int{rows}, c.shape[1:]...)...), nil
}

// joined is Concat of sizes.
func (l *lowering) joined(n *node) (value, error) {
	var out []int
	for i := range n.in {
		c, err := n.constant(i, "input")
		if err == nil && len(c.shape) != 1 {
			err = fmt.Errorf("of a constant of shape %v: it is folded for vectors", c.shape)
		}
		var v []int
		if err == nil {
			v, err = c.ints()
		}
		if err != nil {
			return value{}, err
		}
		if out = append(out, v...); len(out) > maxSizes {
			return value{}, fmt.Errorf("of more than %d numbers", maxSizes)
		}
	}
	if axis := n.int("axis", 0); axis != 0 && axis != -1 {
		return value{}, fmt.Errorf("along axis %d of vectors", axis)
	}
	return whole(out, len(out)), nil
}

// maxSizes bounds what joined makes.
const maxSizes = 64
