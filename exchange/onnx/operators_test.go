package onnx

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"synfire/exchange/onnx/pb"
	"synfire/layer"
	"synfire/network"
	"synfire/signal"
	"synfire/tensor"
)

// graphOf is the graph of a file of one operator after another, from "x" to "y".
func graphOf(t *testing.T, in []int64, constants []*pb.TensorProto, nodes ...*pb.NodeProto) network.Graph {
	t.Helper()
	m, err := decoded(&pb.ModelProto{
		OpsetImport: []*pb.OperatorSetIdProto{{Version: proto.Int64(13)}},
		Graph: &pb.GraphProto{
			Input:       []*pb.ValueInfoProto{sized("x", append([]int64{1}, in...)...)},
			Output:      []*pb.ValueInfoProto{sized("y")},
			Initializer: constants,
			Node:        nodes,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	g, _, err := m.Lower(Options{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// given is what a graph makes of one sample, in the order of the layers.
func given(t *testing.T, g network.Graph, x ...tensor.Float) []tensor.Float {
	t.Helper()
	net, err := g.Build(0)
	if err != nil {
		t.Fatal(err)
	}
	in := &signal.Signal{Kind: signal.Constant, T: 1, B: 1, Shape: net.InputShape(), Data: x}
	outs, err := net.Compile(nil, false).NewPass(network.Options{}).Forward(net.NewState(1), in, false)
	if err != nil {
		t.Fatal(err)
	}
	var d signal.Signal
	outs[0].Densify(&d)
	return d.Data
}

// A bound of 0 above is a bound: a layer.ReLU whose Max is 0 has none.
func TestClipToZero(t *testing.T) {
	for want, bounds := range map[tensor.Float][2]float32{0: {0, 0}, 1: {0, 1}, -1: {-2, -1}} {
		g := graphOf(t, []int64{2}, []*pb.TensorProto{f32("lo", nil, bounds[0]), f32("hi", nil, bounds[1])}, op("Clip", []string{"x", "lo", "hi"}, "y"))
		if y := given(t, g, 3, -3); y[0] != want || y[1] != tensor.Float(bounds[0]) {
			t.Errorf("3 and -3 in %v are %v", bounds, y)
		}
	}
}

// A matrix multiplies the last axis of a sample of two: the rows (1, 0), (0, 1) and (1, 1), whose
// first axis is that of channels, the last of a layer.
func TestMatMulOfRows(t *testing.T) {
	g := graphOf(t, []int64{3, 2}, []*pb.TensorProto{f32("w", []int64{2, 4}, 1, 2, 3, 4, 10, 20, 30, 40)}, op("MatMul", []string{"x", "w"}, "m"), op("Flatten", []string{"m"}, "y"))
	want := []tensor.Float{1, 2, 3, 4, 10, 20, 30, 40, 11, 22, 33, 44}
	if y := given(t, g, 1, 0, 1, 0, 1, 1); !slices.Equal(y, want) {
		t.Errorf("%v, want %v", y, want)
	}
}

// What is added to a convolution or a linear map without a bias becomes its bias.
func TestSummandBecomesTheBias(t *testing.T) {
	image := graphOf(t, []int64{1, 1, 2}, []*pb.TensorProto{f32("w", []int64{2, 1, 1, 1}, 1, 2), f32("b", []int64{2, 1, 1}, 10, 20)},
		op("Conv", []string{"x", "w"}, "h"), op("Add", []string{"h", "b"}, "y"))
	vector := graphOf(t, []int64{2}, []*pb.TensorProto{f32("w", []int64{2, 2}, 1, 2, 0, 0), f32("b", []int64{2}, 10, 20)},
		op("MatMul", []string{"x", "w"}, "h"), op("Add", []string{"h", "b"}, "y"))
	for _, c := range []struct {
		g    network.Graph
		want []tensor.Float
	}{{image, []tensor.Float{13, 26, 14, 28}}, {vector, []tensor.Float{13, 26}}} {
		if y := given(t, c.g, 3, 4); len(c.g.Nodes) != 1 || !slices.Equal(y, c.want) {
			t.Errorf("%d nodes, %v, want %v", len(c.g.Nodes), y, c.want)
		}
	}
}

// An image whose pixels are repeated alike is one layer, and no list of places.
func TestResizeIsUpsample(t *testing.T) {
	g := graphOf(t, []int64{1, 1, 2}, []*pb.TensorProto{f32("s", []int64{4}, 1, 1, 2, 2)},
		&pb.NodeProto{OpType: proto.String("Resize"), Input: []string{"x", "", "s"}, Output: []string{"y"}, Attribute: []*pb.AttributeProto{
			{Name: proto.String("coordinate_transformation_mode"), Type: pb.AttributeProto_STRING.Enum(), S: []byte("asymmetric")},
			{Name: proto.String("nearest_mode"), Type: pb.AttributeProto_STRING.Enum(), S: []byte("floor")}}})
	if l, ok := g.Nodes[0].Layer.(layer.Upsample); !ok || l.Factor != 2 || len(g.Nodes) != 1 {
		t.Errorf("%+v", g.Nodes)
	}
	if y := given(t, g, 3, 4); !slices.Equal(y, []tensor.Float{3, 3, 4, 4, 3, 3, 4, 4}) {
		t.Errorf("%v", y)
	}
}

// A batch normalisation without a scale of its own loses nothing in a file.
func TestRaiseListsAScaleThatIsLost(t *testing.T) {
	for scale, lost := range map[float64]bool{0: false, 1: false, 0.5: true} {
		net, err := network.New(tensor.Shape{4, 4, 2}, 1, network.Chain(layer.BatchNorm{Epsilon: 1e-5, Scale: scale}, layer.Flatten{})...)
		if err != nil {
			t.Fatal(err)
		}
		_, report, err := Raise(net.Graph())
		if err != nil || (len(report[1].Lost) > 0) != lost {
			t.Errorf("scale %v: %+v, %v", scale, report, err)
		}
	}
}
