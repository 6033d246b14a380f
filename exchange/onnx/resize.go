package onnx

import (
	"errors"
	"fmt"
	"math"

	"synfire/exchange/onnx/pb"
	"synfire/layer"
)

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
