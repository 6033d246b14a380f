package darknet

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"synfire/detect"
	"synfire/format/darknet"
	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/network"
	"synfire/tensor"
)

// raising is the state of Raise.
type raising struct {
	g       network.Graph
	info    map[string]network.Info
	taken   map[string][]string // who takes a node's output
	config  darknet.Config
	arrays  []darknet.Arrays
	at      map[string]int  // by node, the layer that gives its output
	done    map[string]bool // nodes that are part of a section
	classes int
	report  []Lowered
}

// Raise makes a configuration and its arrays, one for each layer, of an ordinary network of
// images whose layers are conv2d, linear, batch-norm, relu, max-pool, global-avg-pool, upsample,
// concat, add, flatten, softmax or dropout, as far as Darknet has the like. Boxes are read there
// as here; classes is how many there are. Lower gives a graph of the same bits, unless a bias
// before a batch normalisation became part of its mean, or its epsilon is not [Epsilon], which the
// report tells. Other layers are refused by the name of the node.
func Raise(g network.Graph, classes int) (*darknet.Config, []darknet.Arrays, []Lowered, error) {
	net, err := g.Outline()
	if err == nil && len(g.Input) != 3 {
		err = fmt.Errorf("samples of shape %v, want images", g.Input)
	}
	if err != nil {
		return nil, nil, nil, fmt.Errorf("darknet: %w", err)
	}
	r := &raising{g: net.Graph(), info: map[string]network.Info{}, taken: map[string][]string{}, at: map[string]int{network.Input: -1}, done: map[string]bool{}, classes: classes}
	for i := range r.g.Nodes {
		r.g.Nodes[i].Arrays = g.Nodes[i].Arrays
	}
	for _, nd := range net.Nodes() {
		r.info[nd.Name] = nd
		for _, in := range nd.Inputs {
			r.taken[in] = append(r.taken[in], nd.Name)
		}
	}
	r.config.Sections = []darknet.Section{{Name: "net", Options: []darknet.Option{
		{Key: "width", Value: strconv.Itoa(g.Input[1])}, {Key: "height", Value: strconv.Itoa(g.Input[0])}, {Key: "channels", Value: strconv.Itoa(g.Input[2])}, {Key: "batch", Value: "1"}}}}
	for i, nd := range r.g.Nodes {
		if err := r.node(nd); err != nil {
			return nil, nil, nil, fmt.Errorf("darknet: %w", &network.NodeError{Index: i, Name: nd.Name, Err: err})
		}
	}
	if err := r.ends(); err != nil {
		return nil, nil, nil, fmt.Errorf("darknet: %w", err)
	}
	return &r.config, r.arrays, r.report, nil
}

// layers is how many there are so far.
func (r *raising) layers() int { return len(r.arrays) }

// section begins a layer that takes what a node gives.
func (r *raising) section(kind, from string, options ...darknet.Option) *darknet.Section {
	if at := r.at[from]; at != r.layers()-1 && from != "" {
		r.add("route", darknet.Option{Key: "layers", Value: strconv.Itoa(at)})
	}
	return r.add(kind, options...)
}

func (r *raising) add(kind string, options ...darknet.Option) *darknet.Section {
	r.config.Sections = append(r.config.Sections, darknet.Section{Name: kind, Options: options})
	r.arrays = append(r.arrays, darknet.Arrays{})
	return &r.config.Sections[len(r.config.Sections)-1]
}

func option(key string, value int) darknet.Option {
	return darknet.Option{Key: key, Value: strconv.Itoa(value)}
}

// gives says that the last layer gives what a node does.
func (r *raising) gives(nd network.GraphNode) {
	r.at[nd.Name] = r.layers() - 1
	r.boxes(nd.Name)
}

func (r *raising) node(nd network.GraphNode) error {
	if r.done[nd.Name] {
		return nil
	}
	from := nd.Inputs[0]
	if r.at[from] < 0 && r.layers() > 0 {
		return fmt.Errorf("takes the network's input behind other layers, which no route of Darknet leads to; let the first layer alone take it")
	}
	to := "none"
	switch op := nd.Layer.(type) {
	case layer.Conv2D, layer.Linear:
		return r.affine(nd)
	case layer.MaxPool:
		if err := r.pool(op, from); err != nil {
			return err
		}
		to = "maxpool"
	case layer.GlobalAvgPool:
		r.section("avgpool", from)
		to = "avgpool"
	case layer.Upsample:
		r.section("upsample", from, option("stride", op.Factor))
		to = "upsample"
	case ordinary.Softmax:
		if len(r.info[nd.Name].Out) != 1 {
			return fmt.Errorf("is a softmax of each pixel, and Darknet's is of all; put a flatten layer before it")
		}
		r.section("softmax", from)
		to = "softmax"
	case layer.Concat:
		var list []string
		for _, in := range nd.Inputs {
			list = append(list, strconv.Itoa(r.at[in]))
		}
		r.section("route", "", darknet.Option{Key: "layers", Value: strings.Join(list, ",")})
		to = "route"
	case layer.Add:
		return r.sum(nd)
	case layer.Flatten, layer.Dropout:
		r.at[nd.Name] = r.at[from]
		r.report = append(r.report, Lowered{Name: nd.Name, Kind: network.Kind(nd.Layer), To: to})
		return nil
	default:
		return fmt.Errorf("is of kind %s here, which has no counterpart in Darknet; known are conv2d, linear, batch-norm and relu right behind these, max-pool, global-avg-pool, upsample, concat, add, flatten, softmax and dropout", network.Kind(nd.Layer))
	}
	r.tell(nd, to)
	r.gives(nd)
	return nil
}

func (r *raising) tell(nd network.GraphNode, to string, lost ...string) {
	r.report = append(r.report, Lowered{nd.Name, network.Kind(nd.Layer), to, lost})
}

// pool is max pooling, whose padding is given in all and lies half, rounded down, above and left.
func (r *raising) pool(op layer.MaxPool, from string) error {
	stride := op.Stride
	if stride == 0 {
		stride = op.Size
	}
	p := padding(op.Padding)
	all := p[0] + p[1]
	if p[0] != p[2] || p[1] != p[3] || p[0] != all/2 {
		return fmt.Errorf("has the padding %v, and Darknet pads alike in both directions, at the end as much as at the beginning or a pixel more", op.Padding)
	}
	r.section("maxpool", from, option("size", op.Size), option("stride", stride), option("padding", all))
	return nil
}

// padding is top, bottom, left, right.
func padding(p []int) [4]int {
	switch len(p) {
	case 0:
		return [4]int{}
	case 1:
		return [4]int{p[0], p[0], p[0], p[0]}
	case 2:
		return [4]int{p[0], p[0], p[1], p[1]}
	}
	return [4]int(p)
}

// only is the one node that takes another's output, if nothing else does and it is no output.
func (r *raising) only(name string) (network.GraphNode, bool) {
	leaves := slices.ContainsFunc(r.g.Outputs, func(o network.Output) bool { return o.Node == name })
	if list := r.taken[name]; len(list) == 1 && !leaves {
		for _, nd := range r.g.Nodes {
			if nd.Name == list[0] {
				return nd, true
			}
		}
	}
	return network.GraphNode{}, false
}

// sum is a shortcut.
func (r *raising) sum(nd network.GraphNode) error {
	if len(nd.Inputs) != 2 {
		return fmt.Errorf("is a sum of %d, and a shortcut of Darknet one of two", len(nd.Inputs))
	}
	s := r.section("shortcut", nd.Inputs[0], option("from", r.at[nd.Inputs[1]]))
	last, err := r.activation(s, nd)
	if err != nil {
		return err
	}
	r.tell(nd, "shortcut")
	r.at[nd.Name] = r.layers() - 1
	r.gives(last)
	return nil
}

// activation is the units right behind a node, part of its section.
func (r *raising) activation(s *darknet.Section, nd network.GraphNode) (last network.GraphNode, err error) {
	kind, last := "linear", nd
	if next, ok := r.only(nd.Name); ok {
		if unit, ok := next.Layer.(layer.ReLU); ok {
			switch unit {
			case layer.ReLU{}:
				kind = "relu"
			case layer.ReLU{Slope: leak}:
				kind = "leaky"
			case layer.ReLU{Max: 6}:
				kind = "relu6"
			default:
				return last, fmt.Errorf("has relu %q behind it of slope %v and maximum %v, and Darknet has slopes of 0 and %v and a maximum of 6 without a slope", next.Name, unit.Slope, unit.Max, leak)
			}
			r.done[next.Name], last = true, next
		}
	}
	s.Options = append(s.Options, darknet.Option{Key: "activation", Value: kind})
	return last, nil
}

// affine is a section of weights, with the normalisation and units right behind.
func (r *raising) affine(nd network.GraphNode) error {
	s, err := r.affineSection(nd)
	if err != nil {
		return err
	}
	last, norm := nd, network.GraphNode{}
	if next, ok := r.only(nd.Name); ok {
		if _, ok := next.Layer.(layer.BatchNorm); ok {
			s.Options = append(s.Options, option("batch_normalize", 1))
			r.done[next.Name], norm, last = true, next, next
		}
	}
	if last, err = r.activation(s, last); err != nil {
		return err
	}
	lost, err := r.weigh(nd, norm)
	if err != nil {
		return err
	}
	r.tell(nd, s.Name, lost...)
	r.gives(last)
	return nil
}

func (r *raising) affineSection(nd network.GraphNode) (*darknet.Section, error) {
	from := nd.Inputs[0]
	op, ok := nd.Layer.(layer.Conv2D)
	if !ok {
		return r.section("connected", from, option("output", nd.Layer.(layer.Linear).Out)), nil
	}
	same := func(v []int, otherwise int) (int, bool) {
		if len(v) == 0 || v[0] == 0 {
			return otherwise, true
		}
		return v[0], v[0] == v[len(v)-1]
	}
	kernel, square := same(op.Kernel, 0)
	stride, even := same(op.Stride, 1)
	dilation, _ := same(op.Dilation, 1)
	p := padding(op.Padding)
	if !square || !even || dilation != 1 || slices.Min(p[:]) != slices.Max(p[:]) {
		return nil, fmt.Errorf("has kernel %v, stride %v, dilation %v and padding %v, and Darknet has square kernels with one stride and one padding", op.Kernel, op.Stride, op.Dilation, op.Padding)
	}
	options := []darknet.Option{option("filters", op.Out), option("size", kernel), option("stride", stride), option("padding", p[0])}
	if op.Groups > 1 {
		options = append(options, option("groups", op.Groups))
	}
	return r.section("convolutional", from, options...), nil
}

// weigh gives the last layer the arrays of a map and of its normalisation.
func (r *raising) weigh(nd, norm network.GraphNode) (lost []string, err error) {
	layers, err := r.config.Layers()
	if err != nil {
		return nil, err
	}
	one, a := layers[len(layers)-1], &r.arrays[len(r.arrays)-1]
	w, err := nd.Array("weight")
	if err != nil {
		return nil, err
	}
	a.Weights = make([]float32, len(w.Data))
	each(one, func(here, there int) { a.Weights[there] = float32(w.Data[here]) })
	bias := make([]float32, one.Bias)
	if b, ok := nd.Arrays["bias"]; ok {
		bias = floats(b)
	}
	if norm.Name == "" {
		a.Bias = bias
		return nil, nil
	}
	return normalised(a, norm, bias)
}

func floats(t tensor.Tensor) []float32 {
	out := make([]float32, len(t.Data))
	for i, v := range t.Data {
		out[i] = float32(v)
	}
	return out
}

// boxes puts the section behind a node whose output is boxes.
func (r *raising) boxes(name string) {
	for _, o := range r.g.Outputs {
		d, ok := detect.AsBoxes(o.Read)
		if !ok || o.Node != name {
			continue
		}
		kind, anchors := "region", d.Anchors
		var options []darknet.Option
		if shape := r.info[name].Out; d.Sigmoid {
			kind, anchors = "yolo", nil
			for _, a := range d.Anchors {
				anchors = append(anchors, detect.Anchor{a[0] / float64(shape[1]) * float64(r.g.Input[1]), a[1] / float64(shape[0]) * float64(r.g.Input[0])})
			}
		} else {
			options = []darknet.Option{option("softmax", 1), option("bias_match", 1), option("coords", 4)}
		}
		var numbers []string
		for _, a := range anchors {
			for _, v := range a {
				numbers = append(numbers, strconv.FormatFloat(v, 'g', -1, 64))
			}
		}
		options = append(options, darknet.Option{Key: "anchors", Value: strings.Join(numbers, ",")}, option("classes", r.classes), option("num", len(anchors)))
		r.add(kind, options...)
		r.report = append(r.report, Lowered{Name: o.Name, Kind: "output", To: kind})
	}
}

// ends checks that what leaves the network can.
func (r *raising) ends() error {
	for _, o := range r.g.Outputs {
		if _, ok := detect.AsBoxes(o.Read); ok {
			if r.classes < 1 {
				return fmt.Errorf("output %q is boxes of %d classes, want at least 1", o.Name, r.classes)
			}
			continue
		}
		if r.at[o.Node] != r.layers()-1 {
			return fmt.Errorf("output %q is not of the last layer; in Darknet only boxes leave the network earlier", o.Name)
		}
	}
	return nil
}

// normalised gives a layer the arrays of its normalisation, and tells what moves last bits.
func normalised(a *darknet.Arrays, norm network.GraphNode, bias []float32) (lost []string, err error) {
	for role, to := range map[string]*[]float32{"gamma": &a.Scales, "beta": &a.Bias, "mean": &a.Mean, "variance": &a.Variance} {
		v, err := norm.Array(role)
		if err != nil {
			return nil, err
		}
		*to = floats(v)
	}
	op := norm.Layer.(layer.BatchNorm)
	if slices.ContainsFunc(bias, func(v float32) bool { return v != 0 }) {
		for i, v := range bias {
			a.Mean[i] -= v
		}
		lost = append(lost, "bias: part of the mean")
	}
	if op.Epsilon != 0 && op.Epsilon != Epsilon {
		for i := range a.Variance {
			if a.Variance[i] += float32(op.Epsilon - Epsilon); a.Variance[i] < 0 {
				return nil, fmt.Errorf("has batch normalisation %q behind it with epsilon %v and a variance below Darknet's %v", norm.Name, op.Epsilon, Epsilon)
			}
		}
		lost = append(lost, fmt.Sprintf("epsilon: %v is part of the variance", op.Epsilon))
	}
	if op.Scale != 0 && op.Scale != 1 {
		for i := range a.Scales {
			a.Scales[i] *= float32(op.Scale)
		}
		lost = append(lost, fmt.Sprintf("scale: %v is part of gamma", op.Scale))
	}
	return lost, nil
}
