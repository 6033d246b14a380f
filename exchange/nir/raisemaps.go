package nir

import (
	"fmt"
	"math"
	"slices"

	"synfire/layer"
	"synfire/layer/temporal"
	"synfire/tensor"
)

// linear raises a linear: Affine, or Linear where it has no bias.
func (r *raising) linear(n raiseNode, l layer.Linear) error {
	w := n.Arrays["weight"]
	ins, outs := w.Shape[0], w.Shape[1]
	params := map[string]Param{"weight": n.in.matrix(w, nil, ins, outs)}
	kind := "Linear"
	if !l.NoBias {
		kind, params["bias"] = "Affine", list(n.Arrays["bias"])
	}
	r.add(n, "linear", kind, params, []int{outs}, nil)
	return nil
}

// matrix is weights [in, out] as [out, in], in the order of the file.
func (v raised) matrix(w tensor.Tensor, out func(int) int, ins, outs int) Param {
	p := Param{Shape: []int{outs, ins}, Data: make([]float64, ins*outs)}
	for i, x := range w.Data {
		to := i % outs
		if out != nil {
			to = out(to)
		}
		p.Data[to*ins+v.place(i/outs)] = float64(x)
	}
	return p
}

// list is an array as it stands.
func list(t tensor.Tensor) Param {
	p := Param{Shape: slices.Clone(t.Shape), Data: make([]float64, len(t.Data))}
	for i, x := range t.Data {
		p.Data[i] = float64(x)
	}
	return p
}

// conv raises a conv2d: SumPool2d where it adds up the pixels of each channel, else Conv2d.
func (r *raising) conv(n raiseNode, l layer.Conv2D) error {
	padding, err := pair(l.Padding, 0)
	if err != nil {
		return fmt.Errorf("padding %v: NIR has one number for top and bottom, and one for left and right; make them equal", l.Padding)
	}
	stride, _ := pair(l.Stride, 1) // a valid layer has one number or two
	dilation, _ := pair(l.Dilation, 1)
	kernel, _ := pair(l.Kernel, 0)
	file := []int{n.out[2], n.out[0], n.out[1]}
	_, order, err := channelsLast(file)
	if err != nil {
		return err
	}
	w := n.Arrays["weight"]
	ones := !slices.ContainsFunc(w.Data, func(x tensor.Float) bool { return x != 1 })
	if ones && l.NoBias && l.Out == n.in.shape[0] && l.Groups == l.Out && slices.Equal(dilation, []int{1, 1}) {
		r.add(n, "conv2d", "SumPool2d", map[string]Param{"kernel_size": whole(kernel...), "stride": whole(stride...), "padding": whole(padding...)}, file, order)
		return nil
	}
	params := map[string]Param{
		"input_shape": whole(n.in.shape[1:]...), "weight": kernels(w), "stride": whole(stride...), "padding": whole(padding...),
		"dilation": whole(dilation...), "groups": number(float64(max(1, l.Groups))), "bias": {Shape: []int{l.Out}, Data: make([]float64, l.Out)},
	}
	if !l.NoBias {
		params["bias"] = list(n.Arrays["bias"])
	}
	r.add(n, "conv2d", "Conv2d", params, file, order)
	return nil
}

// kernels are weights [height, width, in, out] as [out, in, height, width].
func kernels(w tensor.Tensor) Param {
	ins, outs, area := w.Shape[2], w.Shape[3], w.Shape[0]*w.Shape[1]
	p := Param{Shape: []int{outs, ins, w.Shape[0], w.Shape[1]}, Data: make([]float64, len(w.Data))}
	for i, x := range w.Data {
		out, in, tap := i%outs, i/outs%ins, i/outs/ins
		p.Data[(out*ins+in)*area+tap] = float64(x)
	}
	return p
}

// pair is an option of an image's two axes, given by one number, two, or four for the sides.
func pair(v []int, fallback int) ([]int, error) {
	switch {
	case len(v) == 0:
		return []int{fallback, fallback}, nil
	case len(v) == 1:
		return []int{v[0], v[0]}, nil
	case len(v) == 4 && (v[0] != v[1] || v[2] != v[3]):
		return nil, fmt.Errorf("sides that differ")
	case len(v) == 4:
		return []int{v[0], v[2]}, nil
	}
	return v, nil
}

// average raises an avg-pool.
func (r *raising) average(n raiseNode, l layer.AvgPool) error {
	padding, err := pair(l.Padding, 0)
	if err != nil {
		return fmt.Errorf("padding %v: NIR has one number for top and bottom, and one for left and right; make them equal", l.Padding)
	}
	if !l.CountPadding && (padding[0] != 0 || padding[1] != 0) {
		return fmt.Errorf("an avg-pool with padding that is not counted: NIR's takes padding for zeros; give count-padding, or no padding")
	}
	stride := l.Stride
	if stride == 0 {
		stride = l.Size
	}
	return r.averagePool(n, "avg-pool", l.Size, stride, padding)
}

func (r *raising) averagePool(n raiseNode, of string, size, stride int, padding []int) error {
	file, order, err := channelsFirst(n.out)
	if err != nil {
		return err
	}
	r.add(n, of, "AvgPool2d", map[string]Param{"kernel_size": whole(size, size), "stride": whole(stride, stride), "padding": whole(padding...)}, file, order)
	return nil
}

// global raises a global-avg-pool of a square image: an AvgPool2d and a Flatten.
func (r *raising) global(n raiseNode) error {
	c, h, w := n.in.shape[0], n.in.shape[1], n.in.shape[2]
	if h != w {
		return fmt.Errorf("a global-avg-pool of an image of %d×%d pixels comes back with other roundings, since it is not square; pool windows of equal sides by avg-pool first", h, w)
	}
	name := n.Name
	n.out = tensor.Shape{1, 1, c}
	if err := r.averagePool(n, "global-avg-pool", h, h, []int{0, 0}); err != nil {
		return err
	}
	flat := r.values[name]
	to := r.free(name + "_flat")
	r.put(to, "Flatten", flat, flattenParams(flat.shape))
	r.values[name] = raised{[]string{to}, []int{c}, nil}
	return nil
}

func flattenParams(shape []int) map[string]Param {
	return map[string]Param{"input_type": whole(shape...), "start_dim": number(0), "end_dim": number(-1)}
}

// flatten raises a flatten, behind which elements stand in the file's order.
func (r *raising) flatten(n raiseNode) error {
	r.add(n, "flatten", "Flatten", flattenParams(n.in.shape), []int{sizeOf(n.in.shape)}, n.in.order)
	return nil
}

// delay raises a delay to times.
func (r *raising) delay(n raiseNode, l temporal.Delay) error {
	p := Param{Shape: n.in.shape, Data: make([]float64, sizeOf(n.in.shape))}
	for i := range p.Data {
		steps := l.Steps
		if l.PerUnit {
			steps = max(0, min(l.Steps, int(n.Arrays["steps"].Data[i])))
		}
		p.Data[n.in.place(i)] = r.time(steps)
	}
	r.add(n, "delay", "Delay", map[string]Param{"delay": p}, n.in.shape, n.in.order, fmt.Sprintf("dt: %v", r.o.DT))
	return nil
}

// time is that of steps, in single precision where that is close enough to a whole number of them.
func (r *raising) time(steps int) float64 {
	t := float64(steps) * r.o.DT
	if short := float64(float32(t)); math.Abs(short/r.o.DT-float64(steps)) < 1e-5 {
		return short
	}
	return t
}

// mostOnes bounds the maps that stand for a concat.
const mostOnes = 1 << 24

// concat raises a concat to the sum of maps of zeros and ones, a Linear or Conv2d for each input,
// which put its channels where they stand in the whole.
func (r *raising) concat(n raiseNode) error {
	file, order, err := channelsFirst(n.out)
	if err != nil {
		return err
	}
	var joined raised
	at, channels := 0, file[0]
	for k, name := range n.Inputs {
		in := r.values[name]
		own := in.shape[0]
		if own*channels > mostOnes {
			return fmt.Errorf("a concat of %d and more channels would take a map of %d weights of zeros and ones, at most %d are written; join fewer channels", own, own*channels, mostOnes)
		}
		ones := tensor.New(1, 1, own, channels)
		for i := range own {
			ones.Data[i*channels+at+i] = 1
		}
		at += own
		part := n
		part.Name, part.in = fmt.Sprintf("%s_%d", n.Name, k), in
		if len(file) == 1 {
			err = r.linear(part.with("weight", ones.Data, own, channels), layer.Linear{Out: channels, NoBias: true})
		} else {
			err = r.conv(part.with("weight", ones.Data, 1, 1, own, channels), layer.Conv2D{Out: channels, Kernel: []int{1}, NoBias: true})
		}
		if err != nil {
			return err
		}
		joined.from = append(joined.from, r.values[part.Name].from...)
	}
	joined.shape, joined.order = file, order
	r.values[n.Name] = joined
	return nil
}

// with is the node with an array.
func (n raiseNode) with(role string, data []tensor.Float, shape ...int) raiseNode {
	n.Arrays = map[string]tensor.Tensor{role: {Shape: shape, Data: data}}
	return n
}
