package onnx

import (
	"errors"
	"fmt"
	"slices"

	"synfire/layer"
	"synfire/network"
)

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
