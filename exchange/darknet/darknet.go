// Package darknet makes networks of Darknet (package format/darknet) graphs, and graphs
// such networks.
//
// Arrays change their order. With o, i for channels out and in, y, x for the places of a kernel,
//
//	convolutional   [o, i, y, x]  becomes  [y, x, i, o]
//	connected       [o, i]        becomes  [i, o], images channels last
//	batch_normalize scales, bias, mean, variance  become  gamma, beta, mean, variance
//
// Batch normalisation divides by √(σ² + 10⁻⁵), as Darknet does where it trains, on a GPU; on a
// CPU Darknet's older versions divide by √σ² + 10⁻⁶. Pooling takes Darknet's padding, which of
// 2/2 and 2/1 is right and below. A section region becomes an output that is read as boxes
// ([detect.Boxes]), and so does yolo, whose anchors are pixels there and cells here.
package darknet

import (
	"fmt"
	"slices"
	"strconv"

	"synfire/detect"
	"synfire/format/darknet"
	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/network"
	"synfire/tensor"
)

// Epsilon is what batch normalisation adds to the variance.
const Epsilon = 1e-5

// Lowered says what became of a layer, on the way here or back.
type Lowered struct {
	Name, Kind, To string
	Lost           []string // what did not come along
}

// lowering is the state of Lower.
type lowering struct {
	net     darknet.Shape
	g       network.Graph
	at      []place // what each layer gives
	now     place
	classes int
	report  []Lowered
}

// place is a node of the graph whose output is a layer's, an image or a vector.
type place struct {
	name   string
	vector bool
}

// Lower makes a graph of a configuration and its arrays, one for each layer; without arrays the
// weights are those that a network starts with. classes is the number of classes of its boxes, 0
// where it finds none.
func Lower(c *darknet.Config, all []darknet.Arrays) (g network.Graph, classes int, report []Lowered, err error) {
	fail := func(err error) (network.Graph, int, []Lowered, error) {
		return network.Graph{}, 0, nil, fmt.Errorf("darknet: %w", err)
	}
	layers, err := c.Layers()
	if err != nil {
		return network.Graph{}, 0, nil, err
	}
	if len(layers) == 0 {
		return fail(fmt.Errorf("the network has no layers behind [net]"))
	}
	if all != nil && len(all) != len(layers) {
		return fail(fmt.Errorf("arrays of %d layers for %d", len(all), len(layers)))
	}
	in := layers[0].In
	l := &lowering{net: in, now: place{name: network.Input}, g: network.Graph{Input: tensor.Shape{in.Height, in.Width, in.Channels}}}
	for i, one := range layers {
		var a *darknet.Arrays
		if all != nil {
			a = &all[i]
		}
		first := len(l.g.Nodes)
		if err := l.layer(i, one, a); err != nil {
			return fail(fmt.Errorf("layer %d, section %.40q of line %d: %w", i, one.Section.Name, one.Section.Line, err))
		}
		l.at = append(l.at, l.now)
		l.tell(i, one, l.g.Nodes[first:])
	}
	if len(l.g.Outputs) == 0 {
		l.g.Outputs = []network.Output{{Name: network.DefaultOutput, Node: l.now.name}}
	}
	if _, err := l.g.Outline(); err != nil {
		return fail(err)
	}
	return l.g, l.classes, l.report, nil
}

// tell says what a layer became.
func (l *lowering) tell(i int, one darknet.Layer, nodes []network.GraphNode) {
	to := ""
	for k, nd := range nodes {
		if k > 0 {
			to += ", "
		}
		to += nd.Name
	}
	switch one.Section.Name {
	case "region", "yolo":
		to = l.g.Outputs[len(l.g.Outputs)-1].Name + ", read as boxes"
	}
	if to == "" {
		to = "none"
	}
	row := Lowered{Name: strconv.Itoa(i), Kind: one.Section.Name, To: to}
	if one.Normalize {
		row.Lost = append(row.Lost, fmt.Sprintf("epsilon: %v is assumed", Epsilon))
	}
	l.report = append(l.report, row)
}

// add adds a node behind the last, or behind others.
func (l *lowering) add(name string, op layer.Layer, arrays map[string]tensor.Tensor, inputs ...string) {
	if len(inputs) == 0 {
		inputs = []string{l.now.name}
	}
	l.g.Nodes = append(l.g.Nodes, network.GraphNode{Node: network.Node{Name: name, Layer: op, Inputs: inputs}, Arrays: arrays})
	l.now.name = name
}

func (l *lowering) layer(i int, one darknet.Layer, a *darknet.Arrays) error {
	name := func(kind string) string { return kind + strconv.Itoa(i) }
	switch one.Section.Name {
	case "convolutional", "conv", "connected", "conn":
		return l.affine(i, one, a)
	case "maxpool", "max":
		op := layer.MaxPool{Size: one.Kernel, Stride: one.Stride}
		if p := one.Padding; p > 0 {
			op.Padding = []int{p / 2, p - p/2, p / 2, p - p/2}
		}
		l.add(name("pool"), op, nil)
	case "avgpool", "avg":
		l.add(name("mean"), layer.GlobalAvgPool{}, nil)
		l.now.vector = true
	case "upsample":
		if s := one.Section.Text("scale", "1"); s != "1" {
			return fmt.Errorf("scale is %.40q, want 1", s)
		}
		l.add(name("upsample"), layer.Upsample{Factor: one.Stride}, nil)
	case "route":
		return l.route(name("route"), one)
	case "shortcut":
		return l.shortcut(i, one)
	case "reorg":
		return l.reorg(name("reorg"), one)
	case "softmax", "soft":
		if !l.now.vector {
			l.add(name("flat"), layer.Flatten{}, nil)
			l.now.vector = true
		}
		l.add(name("softmax"), ordinary.Softmax{}, nil)
	case "dropout", "cost":
	case "region", "yolo":
		return l.boxes(one)
	default:
		return fmt.Errorf("a layer of this kind has no counterpart here; known are convolutional, connected, maxpool, avgpool, upsample, route, shortcut, reorg, softmax, dropout, cost, region and yolo")
	}
	return nil
}

// affine is a convolution or a dense layer, with what follows it in its section.
func (l *lowering) affine(i int, one darknet.Layer, a *darknet.Arrays) error {
	name := func(kind string) string { return kind + strconv.Itoa(i) }
	arrays, norm, err := lowered(one, a)
	if err != nil {
		return err
	}
	if dense(one) {
		if !l.now.vector {
			l.add(name("flat"), layer.Flatten{}, nil)
			l.now.vector = true
		}
		l.add(name("linear"), layer.Linear{Out: one.Bias, NoBias: one.Normalize}, arrays)
	} else {
		if l.now.vector {
			l.add(name("image"), ordinary.Gather{Shape: []int{one.In.Height, one.In.Width, one.In.Channels}}, nil)
			l.now.vector = false
		}
		op := layer.Conv2D{Out: one.Out.Channels, Kernel: []int{one.Kernel}, Stride: []int{one.Stride}, NoBias: one.Normalize}
		if one.Padding > 0 {
			op.Padding = []int{one.Padding}
		}
		if one.Groups > 1 {
			op.Groups = one.Groups
		}
		l.add(name("conv"), op, arrays)
	}
	if one.Normalize {
		l.add(name("norm"), layer.BatchNorm{Epsilon: Epsilon}, norm)
	}
	return l.activation(i, one, "logistic")
}

// activation adds the units of a section, which has some by default.
func (l *lowering) activation(i int, one darknet.Layer, otherwise string) error {
	switch kind := one.Section.Text("activation", otherwise); kind {
	case "linear":
	case "relu":
		l.add("relu"+strconv.Itoa(i), layer.ReLU{}, nil)
	case "leaky":
		l.add("leaky"+strconv.Itoa(i), layer.ReLU{Slope: leak}, nil)
	case "relu6":
		l.add("relu"+strconv.Itoa(i), layer.ReLU{Max: 6}, nil)
	default:
		return fmt.Errorf("activation %.40q, want linear, relu, relu6 or leaky", kind)
	}
	return nil
}

// leak is the slope of Darknet's leaky units below zero.
const leak = 0.1

func dense(l darknet.Layer) bool {
	return l.Section.Name == "connected" || l.Section.Name == "conn"
}

// lowered are the arrays of a map and of its normalisation.
func lowered(one darknet.Layer, a *darknet.Arrays) (arrays, norm map[string]tensor.Tensor, err error) {
	if a == nil {
		return nil, nil, nil
	}
	n, w := one.Bias, tensor.New(weightShape(one)...)
	if len(a.Weights) != len(w.Data) || len(a.Bias) != n {
		return nil, nil, fmt.Errorf("%d weights and %d biases, want %d and %d", len(a.Weights), len(a.Bias), len(w.Data), n)
	}
	each(one, func(here, there int) { w.Data[here] = tensor.Float(a.Weights[there]) })
	arrays = map[string]tensor.Tensor{"weight": w}
	if !one.Normalize {
		arrays["bias"] = vector(a.Bias)
		return arrays, nil, nil
	}
	if len(a.Scales) != n || len(a.Mean) != n || len(a.Variance) != n {
		return nil, nil, fmt.Errorf("%d scales, %d means and %d variances, want %d of each", len(a.Scales), len(a.Mean), len(a.Variance), n)
	}
	for k, v := range a.Variance {
		if v < 0 {
			return nil, nil, fmt.Errorf("variance %d is %v, want a number from 0 on; are these the weights of this .cfg?", k, v)
		}
	}
	return arrays, map[string]tensor.Tensor{"gamma": vector(a.Scales), "beta": vector(a.Bias), "mean": vector(a.Mean), "variance": vector(a.Variance)}, nil
}

func vector(v []float32) tensor.Tensor {
	t := tensor.New(len(v))
	for i, x := range v {
		t.Data[i] = tensor.Float(x)
	}
	return t
}

// weightShape is that of a layer's weights here.
func weightShape(l darknet.Layer) tensor.Shape {
	if dense(l) {
		return tensor.Shape{l.Weights / l.Bias, l.Bias}
	}
	return tensor.Shape{l.Kernel, l.Kernel, l.In.Channels / l.Groups, l.Bias}
}

// each visits the places of a weight here and there.
func each(l darknet.Layer, visit func(here, there int)) {
	n := l.Bias
	if dense(l) {
		s, inputs := l.In, l.Weights/n
		for here := range l.Weights {
			in, out := here/n, here%n
			x, c := in/s.Channels, in%s.Channels
			visit(here, out*inputs+c*s.Width*s.Height+x)
		}
		return
	}
	k, deep := l.Kernel, l.In.Channels/l.Groups
	for here := range l.Weights {
		out, in, at := here%n, here/n%deep, here/n/deep
		visit(here, (out*deep+in)*k*k+at)
	}
}

func (l *lowering) route(name string, one darknet.Layer) error {
	if one.Section.Text("groups", "1") != "1" {
		return fmt.Errorf("groups of channels are not taken apart here; want all of a layer's")
	}
	var names []string
	for _, i := range one.From {
		names = append(names, l.at[i].name)
	}
	l.now = l.at[one.From[0]]
	if len(names) > 1 {
		l.add(name, layer.Concat{}, nil, names...)
	}
	return nil
}

func (l *lowering) shortcut(i int, one darknet.Layer) error {
	if other := l.at[one.From[0]]; l.now.name != other.name {
		l.add("add"+strconv.Itoa(i), layer.Add{}, nil, l.now.name, other.name)
		return l.activation(i, one, "linear")
	}
	return fmt.Errorf("it adds a layer to itself; want another")
}

// reorg moves elements as Darknet does, whose loop takes the input for one of fewer channels and
// more pixels.
func (l *lowering) reorg(name string, one darknet.Layer) error {
	s, in, out := one.Stride, one.In, one.Out
	if in.Channels%(s*s) != 0 {
		return fmt.Errorf("%d channels with stride %d, want a multiple of %d", in.Channels, s, s*s)
	}
	deep := in.Channels / (s * s)
	from := make([]int, in.Width*in.Height*in.Channels) // of an element there, channels first, the one that it is
	for k := range in.Channels {
		for y := range in.Height {
			for x := range in.Width {
				c, off := k%deep, k/deep
				from[(k*in.Height+y)*in.Width+x] = (c*in.Height*s+y*s+off/s)*in.Width*s + x*s + off%s
			}
		}
	}
	index := tensor.New(out.Height, out.Width, out.Channels)
	for i := range index.Data {
		p, c := i/out.Channels, i%out.Channels
		there := from[c*out.Width*out.Height+p]
		index.Data[i] = tensor.Float(there%(in.Width*in.Height)*in.Channels + there/(in.Width*in.Height))
	}
	l.add(name, ordinary.Gather{Shape: []int{out.Height, out.Width, out.Channels}, Indexed: true}, map[string]tensor.Tensor{"index": index})
	return nil
}

// boxes is an output of boxes.
func (l *lowering) boxes(one darknet.Layer) error {
	d, classes, err := l.decoder(one)
	if err != nil {
		return err
	}
	if l.classes != 0 && l.classes != classes {
		return fmt.Errorf("%d classes, and another output has %d", classes, l.classes)
	}
	l.classes = classes
	if want := len(d.Anchors) * (5 + classes); one.In.Channels != want {
		return fmt.Errorf("%d channels before it, want %d: %d anchors × (5 + %d classes)", one.In.Channels, want, len(d.Anchors), classes)
	}
	o := network.Output{Name: network.DefaultOutput, Node: l.now.name, Read: d}
	if k := len(l.g.Outputs); k > 0 {
		o.Name += strconv.Itoa(k + 1)
	}
	l.g.Outputs = append(l.g.Outputs, o)
	return nil
}

// decoder is what reads the boxes of a section region or yolo.
func (l *lowering) decoder(one darknet.Layer) (d detect.Boxes, classes int, err error) {
	s := one.Section
	if classes, err = s.Int("classes", 20); err != nil {
		return d, 0, err
	}
	if classes < 1 {
		return d, 0, fmt.Errorf("%d classes, want at least 1", classes)
	}
	for key, want := range map[string]string{"coords": "4", "background": "0", "scale_x_y": "1"} {
		if v := s.Text(key, want); v != want {
			return d, 0, fmt.Errorf("%s is %.40q, want %s", key, v, want)
		}
	}
	if s.Text("tree", "") != "" {
		return d, 0, fmt.Errorf("a tree of classes is not read")
	}
	numbers, err := s.Floats("anchors")
	if err != nil {
		return d, 0, err
	}
	if len(numbers)%2 != 0 {
		return d, 0, fmt.Errorf("anchors are %d numbers, want pairs of width and height", len(numbers))
	}
	var all []detect.Anchor
	for i := 0; i < len(numbers); i += 2 {
		all = append(all, detect.Anchor{numbers[i], numbers[i+1]})
	}
	switch num, err := s.Int("num", len(all)); {
	case err != nil:
		return d, 0, err
	case num != len(all):
		return d, 0, fmt.Errorf("num is %d, and there are %d anchors, pairs of width and height; want as many", num, len(all))
	}
	if s.Name == "region" {
		d = detect.Boxes{Anchors: all, Sigmoid: s.Text("softmax", "0") == "0"}
		return d, classes, d.Validate()
	}
	mask, err := s.Floats("mask")
	if err != nil {
		return d, 0, err
	}
	if len(mask) == 0 {
		for i := range all {
			mask = append(mask, float64(i))
		}
	}
	d.Sigmoid = true
	for _, m := range mask {
		if !(m >= 0 && m < float64(len(all))) || m != float64(int(m)) {
			return d, 0, fmt.Errorf("mask names anchor %v, want one of 0 to %d", m, len(all)-1)
		}
		a := all[int(m)]
		d.Anchors = append(slices.Clip(d.Anchors), detect.Anchor{a[0] * float64(one.In.Width) / float64(l.net.Width), a[1] * float64(one.In.Height) / float64(l.net.Height)})
	}
	return d, classes, d.Validate()
}
