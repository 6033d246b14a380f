package onnx

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"synfire/exchange/onnx/pb"
	"synfire/internal/atomicfile"
	"synfire/layer"
	"synfire/layer/ordinary"
	"synfire/network"
	"synfire/tensor"
)

// raisedOpset is that of the models that Raise makes.
const raisedOpset = 13

// Write writes a model to a file.
func Write(path string, m *pb.ModelProto) error {
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err == nil {
		err = atomicfile.Write(path, func(w io.Writer) error {
			_, err := w.Write(raw)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("onnx: %s: %w", path, err)
	}
	return nil
}

// Raise makes a model, of opset 13, of an ordinary network: one without state, whose layers are
// linear, conv2d, batch-norm, relu, clip, softmax, pooling, add, concat, flatten, upsample or dropout.
// Images are channels first there, the batch is of any size. A Flatten has a Transpose before it, so
// that vectors keep their order. Lower makes a network with the same bits of it. Other layers are
// refused by the name of the node.
func Raise(g network.Graph) (*pb.ModelProto, []Lowered, error) {
	r := &raising{values: map[string]raised{}, shared: map[array0]string{}, model: &pb.ModelProto{
		IrVersion: proto.Int64(7), ProducerName: proto.String("synfire"),
		OpsetImport: []*pb.OperatorSetIdProto{{Domain: proto.String(""), Version: proto.Int64(raisedOpset)}},
		Graph:       &pb.GraphProto{Name: proto.String("network")},
	}}
	if err := r.run(g); err != nil {
		return nil, nil, fmt.Errorf("onnx: raise: %w", err)
	}
	return r.model, r.report, nil
}

// raised is what a node of the network gives: its name in the file and its shape here.
type raised struct {
	name  string
	shape tensor.Shape
}

// raising is the state of Raise.
type raising struct {
	model  *pb.ModelProto
	values map[string]raised // by the nodes of the network
	shared map[array0]string // initialisers of arrays that several nodes have
	report []Lowered
}

// array0 is an array, by its first element, as what it stands in the file.
type array0 struct {
	first *tensor.Float
	as    string
}

// once adds an array as an initialiser, unless it is there already.
func (r *raising) once(t tensor.Tensor, as string, add func() string) string {
	key := array0{&t.Data[0], as}
	if _, ok := r.shared[key]; !ok {
		r.shared[key] = add()
	}
	return r.shared[key]
}

func (r *raising) run(g network.Graph) error {
	outline, err := g.Outline()
	if err != nil {
		return err
	}
	if len(g.Input) != 1 && len(g.Input) != 3 {
		return fmt.Errorf("samples of shape %v, want a vector or an image", g.Input)
	}
	r.values[network.Input] = raised{network.Input, g.Input}
	r.model.Graph.Input = []*pb.ValueInfoProto{described(network.Input, g.Input)}
	r.report = append(r.report, Lowered{Node: network.Input, Kind: "input", To: network.Input})
	complete := outline.Graph() // with all names and inputs
	for i, n := range complete.Nodes {
		n.Arrays = g.Nodes[i].Arrays
		if err := r.node(n); err != nil {
			return fmt.Errorf("node %q: %w", n.Name, err)
		}
	}
	for _, o := range complete.Outputs {
		v, lost := r.values[o.Node], []string(nil)
		if o.Read != nil {
			lost = append(lost, "how scores are read")
		}
		if o.Scale != 0 && o.Scale != 1 {
			lost = append(lost, fmt.Sprintf("scale: %v", o.Scale))
		}
		name := o.Name
		if _, taken := r.values[name]; taken && name != v.name {
			name += "_"
		}
		if name != v.name {
			r.op("Identity", name, []string{v.name})
		}
		r.model.Graph.Output = append(r.model.Graph.Output, described(name, v.shape))
		r.report = append(r.report, Lowered{o.Name, "output", name, lost})
	}
	return nil
}

// described is an input or output of the file.
func described(name string, shape tensor.Shape) *pb.ValueInfoProto {
	kind := int32(pb.TensorProto_FLOAT)
	dims := []*pb.TensorShapeProto_Dimension{{Value: &pb.TensorShapeProto_Dimension_DimParam{DimParam: "N"}}}
	for _, d := range first(shape) {
		dims = append(dims, &pb.TensorShapeProto_Dimension{Value: &pb.TensorShapeProto_Dimension_DimValue{DimValue: int64(d)}})
	}
	return &pb.ValueInfoProto{Name: &name, Type: &pb.TypeProto{Value: &pb.TypeProto_TensorType{TensorType: &pb.TypeProto_Tensor{ElemType: &kind, Shape: &pb.TensorShapeProto{Dim: dims}}}}}
}

// first is a shape with its channels first.
func first(shape tensor.Shape) tensor.Shape {
	if len(shape) == 3 {
		return tensor.Shape{shape[2], shape[0], shape[1]}
	}
	return shape
}

// op adds a node to the file.
func (r *raising) op(kind, out string, in []string, attrs ...*pb.AttributeProto) {
	name := out
	r.model.Graph.Node = append(r.model.Graph.Node, &pb.NodeProto{Name: &name, OpType: &kind, Input: in, Output: []string{out}, Attribute: attrs})
}

func intAttr(name string, v int) *pb.AttributeProto {
	return &pb.AttributeProto{Name: &name, Type: pb.AttributeProto_INT.Enum(), I: proto.Int64(int64(v))}
}

func floatAttr(name string, v float64) *pb.AttributeProto {
	return &pb.AttributeProto{Name: &name, Type: pb.AttributeProto_FLOAT.Enum(), F: proto.Float32(float32(v))}
}

func textAttr(name, v string) *pb.AttributeProto {
	return &pb.AttributeProto{Name: &name, Type: pb.AttributeProto_STRING.Enum(), S: []byte(v)}
}

func intsAttr(name string, v ...int) *pb.AttributeProto {
	a := &pb.AttributeProto{Name: &name, Type: pb.AttributeProto_INTS.Enum()}
	for _, x := range v {
		a.Ints = append(a.Ints, int64(x))
	}
	return a
}

// constant adds an initialiser of n elements, and returns its name.
func (r *raising) constant(name string, n int, at func(i int) float64, shape ...int) string {
	kind := int32(pb.TensorProto_FLOAT)
	p := &pb.TensorProto{Name: &name, DataType: &kind}
	for _, d := range shape {
		p.Dims = append(p.Dims, int64(d))
	}
	for i := range n {
		p.RawData = binary.LittleEndian.AppendUint32(p.RawData, math.Float32bits(float32(at(i))))
	}
	r.model.Graph.Initializer = append(r.model.Graph.Initializer, p)
	return name
}

// number adds an initialiser that is one number.
func (r *raising) number(name string, v float64) string {
	return r.constant(name, 1, func(int) float64 { return v })
}

// role is an array of a node.
func role(n network.GraphNode, name string) (tensor.Tensor, error) {
	t, ok := n.Arrays[name]
	if !ok {
		return t, fmt.Errorf("it has no array %q; take the graph of a network that was built", name)
	}
	return t, nil
}

// vector adds an array as an initialiser, each number times a factor.
func (r *raising) vector(n network.GraphNode, name string, factor float64) (string, error) {
	t, err := role(n, name)
	if err != nil {
		return "", err
	}
	return r.once(t, fmt.Sprint(factor), func() string {
		return r.constant(n.Name+"."+name, len(t.Data), func(i int) float64 { return factor * float64(t.Data[i]) }, t.Shape...)
	}), nil
}

// node raises a node.
func (r *raising) node(n network.GraphNode) error {
	var in []string
	var shapes []tensor.Shape
	for _, name := range n.Inputs {
		v := r.values[name]
		in, shapes = append(in, v.name), append(shapes, v.shape)
	}
	out, err := n.Layer.Output(shapes...)
	if err != nil {
		return err
	}
	if len(out) != 1 && len(out) != 3 {
		return fmt.Errorf("an output of shape %v, want a vector or an image", out)
	}
	r.values[n.Name] = raised{n.Name, out}
	before := len(r.model.Graph.Node)
	if err := r.layer(n, in, shapes[0]); err != nil {
		return err
	}
	var lost []string
	if l, ok := n.Layer.(layer.BatchNorm); ok && l.Scale != 0 && l.Scale != 1 {
		lost = []string{"scale: a part of gamma"}
	}
	var kinds []string
	for _, p := range r.model.Graph.Node[before:] {
		kinds = append(kinds, p.GetOpType())
	}
	r.report = append(r.report, Lowered{n.Name, network.Kind(n.Layer), strings.Join(kinds, " "), lost})
	return nil
}

// layer adds the operators of a node, the last of which gives what has its name.
func (r *raising) layer(n network.GraphNode, in []string, shape tensor.Shape) error {
	name := n.Name
	switch l := n.Layer.(type) {
	case layer.Linear:
		return r.affine(n, "Gemm", in, l.NoBias, func(tensor.Tensor) string {
			w, _ := r.vector(n, "weight", 1) // affine has found it
			return w
		})
	case layer.Conv2D:
		stride, dilation := pair(l.Stride, 1), pair(l.Dilation, 1)
		return r.affine(n, "Conv", in, l.NoBias, func(w tensor.Tensor) string { return r.kernels(name, w) },
			intsAttr("kernel_shape", pair(l.Kernel, 1)...), intsAttr("strides", stride...), intsAttr("dilations", dilation...),
			intsAttr("pads", pads(l.Padding)...), intAttr("group", max(1, l.Groups)))
	case layer.BatchNorm:
		return r.batchNorm(n, l, in)
	case layer.ReLU:
		r.relu(name, l, in[0])
	case ordinary.Clip:
		r.op("Clip", name, []string{in[0], r.number(name+".min", l.Min), r.number(name+".max", l.Max)})
	case ordinary.Softmax:
		r.op("Softmax", name, in, intAttr("axis", 1))
	case layer.MaxPool:
		r.op("MaxPool", name, in, square(l.Size, l.Stride, l.Padding)...)
	case layer.AvgPool:
		attrs := square(l.Size, l.Stride, l.Padding)
		if l.CountPadding {
			attrs = append(attrs, intAttr("count_include_pad", 1))
		}
		r.op("AveragePool", name, in, attrs...)
	case layer.GlobalAvgPool:
		r.op("GlobalAveragePool", name+".image", in)
		r.op("Flatten", name, []string{name + ".image"}, intAttr("axis", 1))
	case layer.Add:
		for k, other := range in[1:] { // the operator takes two
			sum := name
			if k < len(in)-2 {
				sum = fmt.Sprintf("%s.%d", name, k)
			}
			r.op("Add", sum, []string{in[0], other})
			in[0] = sum
		}
	case layer.Concat:
		r.op("Concat", name, in, intAttr("axis", 1))
	case layer.Flatten:
		if len(shape) == 3 {
			r.op("Transpose", name+".last", in, intsAttr("perm", 0, 2, 3, 1))
			in = []string{name + ".last"}
		}
		r.op("Flatten", name, in, intAttr("axis", 1))
	case layer.Upsample:
		scales := []float64{1, 1, float64(l.Factor), float64(l.Factor)}
		r.op("Resize", name, []string{in[0], "", r.constant(name+".scales", 4, func(i int) float64 { return scales[i] }, 4)},
			textAttr("mode", "nearest"), textAttr("coordinate_transformation_mode", "asymmetric"), textAttr("nearest_mode", "floor"))
	case layer.Dropout:
		r.op("Dropout", name, []string{in[0], r.number(name+".ratio", l.Rate)})
	default:
		return fmt.Errorf("a layer of kind %s: not supported; ordinary layers without state are", network.Kind(l))
	}
	return nil
}

// affine adds a map with weights and perhaps a bias.
func (r *raising) affine(n network.GraphNode, kind string, in []string, noBias bool, weights func(w tensor.Tensor) string, attrs ...*pb.AttributeProto) error {
	w, err := role(n, "weight")
	if err != nil {
		return err
	}
	in = []string{in[0], weights(w)}
	if !noBias {
		b, err := r.vector(n, "bias", 1)
		if err != nil {
			return err
		}
		in = append(in, b)
	}
	r.op(kind, n.Name, in, attrs...)
	return nil
}

// kernels are weights [height, width, in, out] as [out, in, height, width].
func (r *raising) kernels(name string, w tensor.Tensor) string {
	h, width, ins, outs := w.Shape[0], w.Shape[1], w.Shape[2], w.Shape[3]
	area := h * width
	return r.once(w, "kernels", func() string {
		return r.constant(name+".weight", len(w.Data), func(i int) float64 {
			return float64(w.Data[(i%area*ins+i/area%ins)*outs+i/area/ins])
		}, outs, ins, h, width)
	})
}

// batchNorm has the factor Scale in γ.
func (r *raising) batchNorm(n network.GraphNode, l layer.BatchNorm, in []string) error {
	scale, epsilon, momentum := l.Scale, l.Epsilon, l.Momentum
	if scale == 0 {
		scale = 1
	}
	if epsilon == 0 {
		epsilon = 1e-5
	}
	if momentum == 0 {
		momentum = 0.1
	}
	for _, a := range []struct {
		role   string
		factor float64
	}{{"gamma", scale}, {"beta", 1}, {"mean", 1}, {"variance", 1}} {
		v, err := r.vector(n, a.role, a.factor)
		if err != nil {
			return err
		}
		in = append(in, v)
	}
	r.op("BatchNormalization", n.Name, in, floatAttr("epsilon", epsilon), floatAttr("momentum", 1-momentum))
	return nil
}

// relu is Relu, LeakyRelu or Clip, or one after the other.
func (r *raising) relu(name string, l layer.ReLU, in string) {
	switch {
	case l.Slope == 0 && l.Max == 0:
		r.op("Relu", name, []string{in})
	case l.Max == 0:
		r.op("LeakyRelu", name, []string{in}, floatAttr("alpha", l.Slope))
	case l.Slope == 0:
		r.op("Clip", name, []string{in, r.number(name+".min", 0), r.number(name+".max", l.Max)})
	default:
		r.op("LeakyRelu", name+".leak", []string{in}, floatAttr("alpha", l.Slope))
		r.op("Clip", name, []string{name + ".leak", r.number(name+".min", -math.MaxFloat32), r.number(name+".max", l.Max)})
	}
}

// square are the attributes of square windows.
func square(size, stride int, padding []int) []*pb.AttributeProto {
	if stride == 0 {
		stride = size
	}
	return []*pb.AttributeProto{intsAttr("kernel_shape", size, size), intsAttr("strides", stride, stride), intsAttr("pads", pads(padding)...)}
}

// pair is an option of one number or two, as two.
func pair(v []int, fallback int) []int {
	switch len(v) {
	case 0:
		return []int{fallback, fallback}
	case 1:
		return slices.Repeat(v, 2)
	}
	return v
}

// pads is padding as the file has it: top, left, bottom, right.
func pads(v []int) []int {
	if len(v) < 4 {
		p := pair(v, 0)
		return []int{p[0], p[1], p[0], p[1]}
	}
	return []int{v[0], v[2], v[1], v[3]}
}
