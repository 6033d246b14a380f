package onnx

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"synfire/exchange/onnx/pb"
)

// node is a node of the file while it is lowered.
type node struct {
	*pb.NodeProto
	l      *lowering
	in     []value // those that are left out have neither constant nor name
	attrs  map[string]*pb.AttributeProto
	asked  map[string]bool
	err    error // the first attribute of a wrong type
	lost   []string
	before int // nodes of the network before it
}

// open looks a node's inputs and attributes up.
func (l *lowering) open(p *pb.NodeProto) (*node, error) {
	n := &node{NodeProto: p, l: l, attrs: map[string]*pb.AttributeProto{}, asked: map[string]bool{}, before: len(l.g.Nodes)}
	if len(p.Output) == 0 || p.Output[0] == "" {
		return nil, fmt.Errorf("it has no output")
	}
	for _, name := range p.Input {
		v, ok := l.values[name]
		if !ok && name != "" {
			return nil, fmt.Errorf("its input %q: no input, initialiser or node before it gives it; is an initialiser missing?", name)
		}
		n.in = append(n.in, v)
	}
	for _, a := range p.Attribute {
		if a.GetRefAttrName() != "" {
			return nil, fmt.Errorf("attribute %q is one of a function: not supported", a.GetName())
		}
		n.attrs[a.GetName()] = a
	}
	return n, nil
}

// finish is an error for an attribute that was wrong, or that nobody asked for.
func (n *node) finish() error {
	if n.err != nil {
		return n.err
	}
	var left []string
	for name := range n.attrs {
		if !n.asked[name] {
			left = append(left, name)
		}
	}
	if slices.Sort(left); len(left) > 0 {
		return fmt.Errorf("attribute %q is not supported", left[0])
	}
	return nil
}

// attr is an attribute of a type, or nil.
func (n *node) attr(name string, kind pb.AttributeProto_AttributeType) *pb.AttributeProto {
	n.asked[name] = true
	a := n.attrs[name]
	if a != nil && a.GetType() != kind {
		if n.err == nil {
			n.err = fmt.Errorf("attribute %q of type %s, want %s", name, a.GetType(), kind)
		}
		return nil
	}
	return a
}

func (n *node) int(name string, fallback int) int {
	if a := n.attr(name, pb.AttributeProto_INT); a != nil {
		return bounded(a.GetI())
	}
	return fallback
}

// bounded keeps numbers of a file where sums and products of them do not overflow.
func bounded(v int64) int { return int(max(-1<<31, min(v, 1<<31))) }

// float is a number, by its shortest decimals: 1e-5, not the float32 next to it.
func (n *node) float(name string, fallback float64) float64 {
	if a := n.attr(name, pb.AttributeProto_FLOAT); a != nil {
		v, err := strconv.ParseFloat(strconv.FormatFloat(float64(a.GetF()), 'g', -1, 32), 64)
		if err != nil && n.err == nil {
			n.err = err
		}
		return v
	}
	return fallback
}

func (n *node) text(name, fallback string) string {
	if a := n.attr(name, pb.AttributeProto_STRING); a != nil {
		return string(a.GetS())
	}
	return fallback
}

// ints are numbers, so many, or the fallback for each.
func (n *node) ints(name string, count, fallback int) ([]int, error) {
	a := n.attr(name, pb.AttributeProto_INTS)
	if a == nil {
		return slices.Repeat([]int{fallback}, count), n.err
	}
	var v []int
	for _, x := range a.Ints {
		v = append(v, bounded(x))
	}
	if len(v) != count {
		return nil, fmt.Errorf("attribute %q is %v, want %d numbers", name, v, count)
	}
	return v, nil
}

// has reports whether input i is there.
func (n *node) has(i int) bool {
	return i < len(n.in) && (n.in[i].constant != nil || n.in[i].name != "")
}

// signal is input i, which must depend on the network's input.
func (n *node) signal(i int) (value, error) {
	switch {
	case !n.has(i):
		return value{}, fmt.Errorf("it has no input %d", i)
	case n.in[i].constant != nil:
		return value{}, fmt.Errorf("its input %q is a constant, want what depends on the network's input", n.Input[i])
	}
	return n.in[i], nil
}

// batched is input i as a signal in the standard layout, with the batch as its first axis.
func (n *node) batched(i int) (value, error) {
	if n.l.lead == 0 {
		return value{}, fmt.Errorf("it takes a batch, whose axis the input was said not to have; leave Options.Unbatched out")
	}
	v, err := n.signal(i)
	if err != nil {
		return v, err
	}
	return n.l.standard(v)
}

// image is input 0 in the standard layout, with its channels, height and width.
func (n *node) image() (in value, c, h, w int, err error) {
	if in, err = n.batched(0); err == nil {
		c, h, w, err = in.image()
	}
	return in, c, h, w, err
}

// constant is input i, which must be one.
func (n *node) constant(i int, what string) (*array, error) {
	switch {
	case !n.has(i):
		return nil, fmt.Errorf("it has no %s", what)
	case n.in[i].constant == nil:
		return nil, fmt.Errorf("its %s %q depends on the network's input, want an initialiser or a Constant", what, n.Input[i])
	}
	return n.in[i].constant, nil
}

// number is a constant of one element, or the fallback where there is none.
func (n *node) number(i int, what string, fallback float64) (float64, error) {
	if !n.has(i) {
		return fallback, nil
	}
	c, err := n.constant(i, what)
	if err != nil {
		return 0, err
	}
	if c.size() != 1 {
		return 0, fmt.Errorf("its %s of shape %v, want one number", what, c.shape)
	}
	v, err := c.few(1)
	if err != nil {
		return 0, err
	}
	if math.IsNaN(v[0]) {
		return 0, fmt.Errorf("its %s is not a number", what)
	}
	return v[0], nil
}

// axis is an axis of a sample that the file counts with the batch, and from the end where it is
// negative; −1 is the batch.
func (n *node) axis(v value, axis int) (int, error) {
	axes := len(v.shape) + n.l.lead
	if axis < -axes || axis >= axes {
		return 0, fmt.Errorf("axis %d of %d axes", axis, axes)
	}
	if axis < 0 {
		axis += axes
	}
	return axis - n.l.lead, nil
}

// lose notes what is otherwise here.
func (n *node) lose(format string, args ...any) {
	n.lost = append(n.lost, fmt.Sprintf(format, args...))
}

// titled is the name of the node in the network.
func (n *node) titled() string { return title(n.NodeProto) }
