package onnx

import (
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"synfire/exchange/onnx/pb"
	"synfire/layer"
	"synfire/network"
	"synfire/signal"
)

// whole64 is a constant of sizes.
func whole64(name string, shape []int64, v ...int64) *pb.TensorProto {
	kind := int32(pb.TensorProto_INT64)
	return &pb.TensorProto{Name: &name, DataType: &kind, Dims: shape, Int64Data: v}
}

func integer(name string, v int64) *pb.AttributeProto {
	return &pb.AttributeProto{Name: &name, Type: pb.AttributeProto_INT.Enum(), I: &v}
}

// viewed is a convolution whose image becomes a vector as PyTorch's x.view(x.size(0), x.size(1)·x.size(2)·x.size(3))
// says it, of a batch of any size; a Pad stands before.
func viewed(batch int64) *pb.ModelProto {
	return &pb.ModelProto{
		OpsetImport: []*pb.OperatorSetIdProto{{Version: proto.Int64(13)}},
		Graph: &pb.GraphProto{
			Input:  []*pb.ValueInfoProto{sized("x", batch, 2, 4, 4)},
			Output: []*pb.ValueInfoProto{sized("y", batch, 5)},
			Initializer: []*pb.TensorProto{
				f32("w", []int64{3, 2, 3, 3}, 1, 2, 3, -1, 2), f32("v", []int64{72, 5}, 4, -5, 6, 7, 1, 2),
				whole64("torch", []int64{4}, 1, 0, 2, 1), whole64("4", []int64{1}, 4), whole64("pairs", []int64{2}, -1, 2),
				whole64("last", []int64{1}, -1), whole64("none", []int64{1}, math.MinInt64+1), whole64("0", nil, 0), whole64("1", nil, 1), whole64("2", nil, 2), whole64("3", nil, -1), whole64("axes", []int64{1}, 0),
			},
			Node: []*pb.NodeProto{ // pads 0 0 2 1 0 0 1 0, as PyTorch writes F.pad(x, (1, 0, 2, 1))
				op("ConstantOfShape", []string{"4"}, "zeros"), op("Concat", []string{"torch", "zeros"}, "all", integer("axis", 0)), op("Reshape", []string{"all", "pairs"}, "table"),
				op("Slice", []string{"table", "last", "none", "axes", "last"}, "turned"), op("Transpose", []string{"turned"}, "ends"), op("Reshape", []string{"ends", "last"}, "pads"),
				op("Pad", []string{"x", "pads"}, "p"), op("Conv", []string{"p", "w"}, "h", ints("pads", 0, 0, 1, 1)),
				op("Shape", []string{"h"}, "s"),
				op("Gather", []string{"s", "0"}, "n"), op("Gather", []string{"s", "1"}, "c"), op("Gather", []string{"s", "2"}, "i"), op("Gather", []string{"s", "3"}, "j"),
				op("Mul", []string{"c", "i"}, "ci"), op("Mul", []string{"ci", "j"}, "cij"),
				op("Unsqueeze", []string{"n", "axes"}, "n1"), op("Unsqueeze", []string{"cij", "axes"}, "cij1"),
				op("Concat", []string{"n1", "cij1"}, "to", integer("axis", 0)),
				op("Reshape", []string{"h", "to"}, "f"), op("MatMul", []string{"f", "v"}, "y"),
			},
		},
	}
}

// plainly is the same with the shape and the padding written out.
func plainly() *pb.ModelProto {
	m := viewed(1)
	m.Graph.Initializer = append(m.Graph.Initializer, whole64("to", []int64{2}, -1, 72))
	m.Graph.Node = []*pb.NodeProto{
		op("Conv", []string{"x", "w"}, "h", ints("pads", 2, 1, 2, 1)), op("Reshape", []string{"h", "to"}, "f"), op("MatMul", []string{"f", "v"}, "y"),
	}
	return m
}

func lowered(t *testing.T, m *pb.ModelProto, o Options) (network.Graph, []Lowered) {
	t.Helper()
	d, err := decoded(m)
	if err != nil {
		t.Fatal(err)
	}
	g, report, err := d.Lower(o)
	if err != nil {
		t.Fatal(err)
	}
	return g, report
}

// Shapes that a file works out are folded, and a Pad before a convolution is a part of it.
func TestFolds(t *testing.T) {
	want, _ := lowered(t, plainly(), Options{})
	for _, batch := range []int64{0, 1, 7} {
		g, report := lowered(t, viewed(batch), Options{})
		if len(g.Nodes) != 3 || report[7].Kind != "Pad" || report[7].To != "" || report[8].To != "h" {
			t.Errorf("%d nodes, %v", len(g.Nodes), report)
		}
		if a, b := outputOf(t, g, signal.Constant), outputOf(t, want, signal.Constant); !slices.Equal(a, b) {
			t.Errorf("batch %d: %v, want %v", batch, a, b)
		}
	}
	shared := viewed(1)
	shared.Graph.Output = append(shared.Graph.Output, sized("p", 1, 2, 7, 5))
	if g, _ := lowered(t, shared, Options{}); len(g.Nodes) != 4 {
		t.Errorf("a Pad that another takes too is gone: %d nodes", len(g.Nodes))
	}
}

// A shape that is given fills what the file leaves open, and nothing else.
func TestShapes(t *testing.T) {
	m := viewed(0)
	m.Graph.Input[0] = sized("x", 0, 2, 0, 0)
	g, _ := lowered(t, m, Options{Shapes: map[string][]int{"x": {2, 4, 4}}})
	if conv, ok := g.Nodes[0].Layer.(layer.Conv2D); !ok || conv.Out != 3 {
		t.Errorf("%v", g.Nodes)
	}
	for want, shapes := range map[string]map[string][]int{
		"--shape, channels first: x=": nil, "which is no input; there are x": {"y": {1}, "x": {2, 4, 4}}, "the file says [2 0 0]": {"x": {3, 4, 4}},
	} {
		d, err := decoded(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := d.Lower(Options{Shapes: shapes}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// What is no shape is refused, and a batch that is open stays the first axis.
func TestFoldRefuses(t *testing.T) {
	change := func(node int, n *pb.NodeProto) *pb.ModelProto {
		m := viewed(0)
		m.Graph.Node[node] = n
		return m
	}
	for want, m := range map[string]*pb.ModelProto{
		"of a constant of type FLOAT":            change(9, op("Gather", []string{"w", "0"}, "n")),
		"depends on the network's input":         change(9, op("Gather", []string{"h", "0"}, "n")),
		"none of an open batch":                  change(14, op("Mul", []string{"ci", "n"}, "cij")),
		"the axis of the batch must stay":        change(17, op("Concat", []string{"cij1", "n1"}, "to", integer("axis", 0))),
		"to FLOAT: it is folded":                 change(15, op("Cast", []string{"n"}, "n1", integer("to", 1))),
		"want each once":                         change(15, op("Unsqueeze", []string{"n", "pads"}, "n1")),
		"index -1 of 0 numbers":                  change(12, op("Gather", []string{"nothing", "3"}, "j")),
		"along axis 0 of a constant of shape []": change(12, op("Gather", []string{"0", "3"}, "j")),
	} {
		m.Graph.Initializer = append(m.Graph.Initializer, whole64("nothing", []int64{0}))
		d, err := decoded(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := d.Lower(Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
