package onnx_test

import (
	"bytes"
	"fmt"

	"google.golang.org/protobuf/proto"

	"synfire/exchange/onnx"
	"synfire/exchange/onnx/pb"
)

// A model of one rectified linear layer.
func ExampleModel_Lower() {
	float := int32(pb.TensorProto_FLOAT)
	shape := func(dims ...int64) *pb.TypeProto {
		s := &pb.TensorShapeProto{}
		for _, d := range dims {
			s.Dim = append(s.Dim, &pb.TensorShapeProto_Dimension{Value: &pb.TensorShapeProto_Dimension_DimValue{DimValue: d}})
		}
		return &pb.TypeProto{Value: &pb.TypeProto_TensorType{TensorType: &pb.TypeProto_Tensor{ElemType: &float, Shape: s}}}
	}
	raw, err := proto.Marshal(&pb.ModelProto{
		OpsetImport: []*pb.OperatorSetIdProto{{Version: proto.Int64(13)}},
		Graph: &pb.GraphProto{
			Input:       []*pb.ValueInfoProto{{Name: proto.String("x"), Type: shape(1, 2)}},
			Output:      []*pb.ValueInfoProto{{Name: proto.String("y")}},
			Initializer: []*pb.TensorProto{{Name: proto.String("w"), DataType: &float, Dims: []int64{2, 1}, FloatData: []float32{0.5, 0.25}}},
			Node: []*pb.NodeProto{
				{OpType: proto.String("MatMul"), Input: []string{"x", "w"}, Output: []string{"h"}},
				{OpType: proto.String("Relu"), Input: []string{"h"}, Output: []string{"y"}},
			},
		},
	})
	if err != nil {
		fmt.Println(err)
	}
	model, err := onnx.Decode(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		fmt.Println(err)
	}
	network, report, err := model.Lower(onnx.Options{})
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(len(network.Nodes), "layers")
	for _, l := range report {
		fmt.Printf("%s (%s) → %s\n", l.Node, l.Kind, l.To)
	}
	// Output:
	// 2 layers
	// x (input) → input
	// h (MatMul) → h
	// y (Relu) → y
	// y (output) → y
}
