package onnx

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"synfire/exchange/onnx/pb"
	"synfire/internal/machine"
	"synfire/tensor"
)

// f32 is an array of zeros, but for what is given.
func f32(name string, shape []int64, v ...float32) *pb.TensorProto {
	size := int64(1)
	for _, d := range shape {
		size *= d
	}
	kind := int32(pb.TensorProto_FLOAT)
	return &pb.TensorProto{Name: &name, DataType: &kind, Dims: shape, FloatData: append(v, make([]float32, max(0, size-int64(len(v))))...)}
}

// sized is an input or output.
func sized(name string, shape ...int64) *pb.ValueInfoProto {
	kind := int32(pb.TensorProto_FLOAT)
	s := &pb.TensorShapeProto{}
	for _, d := range shape {
		s.Dim = append(s.Dim, &pb.TensorShapeProto_Dimension{Value: &pb.TensorShapeProto_Dimension_DimValue{DimValue: d}})
	}
	return &pb.ValueInfoProto{Name: &name, Type: &pb.TypeProto{Value: &pb.TypeProto_TensorType{TensorType: &pb.TypeProto_Tensor{ElemType: &kind, Shape: s}}}}
}

func op(kind string, in []string, out string, attrs ...*pb.AttributeProto) *pb.NodeProto {
	return &pb.NodeProto{OpType: &kind, Input: in, Output: []string{out}, Attribute: attrs}
}

func ints(name string, v ...int64) *pb.AttributeProto {
	return &pb.AttributeProto{Name: &name, Type: pb.AttributeProto_INTS.Enum(), Ints: v}
}

// small is a convolution of an image of 2×4×4, rectified.
func small() *pb.ModelProto {
	return &pb.ModelProto{
		OpsetImport: []*pb.OperatorSetIdProto{{Version: proto.Int64(13)}},
		Graph: &pb.GraphProto{
			Input:       []*pb.ValueInfoProto{sized("x", 1, 2, 4, 4)},
			Output:      []*pb.ValueInfoProto{sized("y", 1, 3, 2, 2)},
			Initializer: []*pb.TensorProto{f32("w", []int64{3, 2, 3, 3}, 1, 2)},
			Node:        []*pb.NodeProto{op("Conv", []string{"x", "w"}, "h"), op("Relu", []string{"h"}, "y")},
		},
	}
}

func decoded(m *pb.ModelProto) (*Model, error) {
	raw, err := proto.Marshal(m)
	if err != nil {
		return nil, err
	}
	return Decode(bytes.NewReader(raw), int64(len(raw)))
}

// Files that are no models, or ask for what there is not, are refused with one clear error.
func TestHostile(t *testing.T) {
	edit := func(f func(*pb.ModelProto)) *pb.ModelProto {
		m := small()
		f(m)
		return m
	}
	external := func(location string) *pb.ModelProto {
		return edit(func(m *pb.ModelProto) {
			w := m.Graph.Initializer[0]
			w.FloatData, w.DataLocation = nil, pb.TensorProto_EXTERNAL.Enum()
			w.ExternalData = []*pb.StringStringEntryProto{{Key: proto.String("location"), Value: &location}}
		})
	}
	for name, c := range map[string]struct {
		m    *pb.ModelProto
		want string
	}{
		"unknown opset":  {edit(func(m *pb.ModelProto) { m.OpsetImport[0].Version = proto.Int64(99) }), "opset 99, want 1 to 21; export it with opset 13"},
		"no opset":       {edit(func(m *pb.ModelProto) { m.OpsetImport = nil }), "does not say which opset"},
		"no graph":       {edit(func(m *pb.ModelProto) { m.Graph = nil }), "without a graph"},
		"no initialiser": {edit(func(m *pb.ModelProto) { m.Graph.Initializer = nil }), `node "h" (Conv, opset 13): its input "w": no input, initialiser or node before it gives it; is an initialiser missing?`},
		"negative size":  {edit(func(m *pb.ModelProto) { m.Graph.Initializer[0].Dims[0] = -3 }), `initialiser "w": dims [-3 2 3 3], want no negative sizes`},
		"absurd sizes":   {edit(func(m *pb.ModelProto) { m.Graph.Initializer[0].Dims = []int64{1 << 30, 1 << 30, 3, 3} }), "elements at most"},
		"lying sizes":    {edit(func(m *pb.ModelProto) { m.Graph.Initializer[0].Dims[0] = 1 << 20 }), "216 bytes, want 75497472"},
		"absurd input":   {edit(func(m *pb.ModelProto) { m.Graph.Input[0] = sized("x", 1, 1<<20, 1<<20, 1<<20) }), `input "x": shape [1048576 1048576 1048576] of a sample`},
		"absurd padding": {edit(func(m *pb.ModelProto) {
			m.Graph.Node[0].Attribute = []*pb.AttributeProto{ints("pads", 1<<40, 0, 0, 1<<40)}
		}), "(Conv, opset 13)"},
		"open input":       {edit(func(m *pb.ModelProto) { m.Graph.Input[0] = sized("x", 1, 2, 0, 4) }), "the file leaves its sizes open ([2 0 4] without"},
		"other operator":   {edit(func(m *pb.ModelProto) { m.Graph.Node[1].OpType = proto.String("Gelu") }), `node "y" (Gelu, opset 13): the operator is not known; known are Add, `},
		"other domain":     {edit(func(m *pb.ModelProto) { m.Graph.Node[1].Domain = proto.String("com.microsoft") }), `an operator of the domain "com.microsoft"`},
		"other attribute":  {edit(func(m *pb.ModelProto) { m.Graph.Node[0].Attribute = []*pb.AttributeProto{ints("shuffle", 1)} }), `attribute "shuffle" is not supported`},
		"attribute's type": {edit(func(m *pb.ModelProto) { m.Graph.Node[0].Attribute = []*pb.AttributeProto{ints("group", 1)} }), `attribute "group" of type INTS, want INT`},
		"many transposes": {edit(func(m *pb.ModelProto) {
			m.Graph.Input[0] = sized("x", 1, 2, 1024, 1024)
			last := "x"
			m.Graph.Node = nil
			for i := range 20 {
				next := fmt.Sprint("t", i)
				m.Graph.Node = append(m.Graph.Node, op("Transpose", []string{last}, next, ints("perm", 0, 2, 3, 1)))
				last = next
			}
			m.Graph.Output[0] = sized(last)
		}), "elements that change places"},
		"cycle":             {edit(func(m *pb.ModelProto) { m.Graph.Node[0].Input[0] = "y" }), `its input "y"`},
		"name twice":        {edit(func(m *pb.ModelProto) { m.Graph.Node[1].Output[0] = "h" }), "has the name of another value"},
		"no such output":    {edit(func(m *pb.ModelProto) { m.Graph.Output[0].Name = proto.String("z") }), `output "z": no node gives it`},
		"data in pieces":    {edit(func(m *pb.ModelProto) { m.Graph.Initializer[0].RawData = make([]byte, 216) }), "in pieces"},
		"external, no file": {external("weights.bin"), "external data"},
		"external, above":   {external("../weights.bin"), "not in the model's folder: refused"},
		"external, root":    {external("/etc/passwd"), "not in the model's folder: refused"},
		"external, missing": {external("nothing.bin"), "external data"},
	} {
		m, err := decoded(c.m)
		if err == nil {
			if strings.HasPrefix(name, "external") && name != "external, no file" {
				m.dir = t.TempDir()
			}
			_, _, err = m.Lower(Options{})
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// Every shorter part of a file is refused, as are bytes that are none.
func TestTruncated(t *testing.T) {
	raw, err := proto.Marshal(small())
	if err != nil {
		t.Fatal(err)
	}
	for n := range raw {
		m, err := Decode(bytes.NewReader(raw[:n]), int64(n))
		if err == nil {
			_, _, err = m.Lower(Options{})
		}
		// what stands behind the graph is the opset alone
		if err == nil {
			t.Fatalf("%d of %d bytes are taken for the whole", n, len(raw))
		}
	}
	if _, err := Decode(strings.NewReader("PK\x03\x04 no model"), 14); err == nil {
		t.Error("a zip is taken for a model")
	}
	many := bytes.Repeat([]byte{0x3a, 0x02, 0x0a, 0x00}, maxFields) // graphs of an empty node
	if _, err := Decode(bytes.NewReader(many), int64(len(many))); err == nil || !strings.Contains(err.Error(), "fields") {
		t.Errorf("a million empty messages: %v", err)
	}
	long := protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), make([]byte, maxBytes+1))
	if _, err := Decode(bytes.NewReader(long), int64(len(long))); err == nil || !strings.Contains(err.Error(), "MB beside") {
		t.Errorf("a name of %d MB: %v", maxBytes>>20, err)
	}
}

// External data are read from the model's folder, and through no link out of it.
func TestExternalData(t *testing.T) {
	dir, m := t.TempDir(), small()
	w := m.Graph.Initializer[0]
	want := w.FloatData[:2]
	raw := make([]byte, 16)
	for _, v := range w.FloatData {
		b := math.Float32bits(v)
		raw = append(raw, byte(b), byte(b>>8), byte(b>>16), byte(b>>24))
	}
	entry := func(key, value string) *pb.StringStringEntryProto {
		return &pb.StringStringEntryProto{Key: &key, Value: &value}
	}
	w.FloatData, w.DataLocation = nil, pb.TensorProto_EXTERNAL.Enum()
	w.ExternalData = []*pb.StringStringEntryProto{entry("location", "w.bin"), entry("offset", "16"), entry("length", strconv.Itoa(len(raw)-16))}
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	path, data := filepath.Join(dir, "net.onnx"), filepath.Join(dir, "w.bin")
	lower := func() error {
		f, err := Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		g, _, err := f.Lower(Options{})
		if err == nil && g.Nodes[0].Arrays["weight"].Data[0] != 1 {
			err = fmt.Errorf("weights %v, want %v", g.Nodes[0].Arrays["weight"].Data[:2], want)
		}
		return err
	}
	for _, f := range []struct {
		path string
		b    []byte
	}{{path, b}, {data, raw}} {
		if err := os.WriteFile(f.path, f.b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := lower(); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(data, raw[:40], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := lower(); err == nil || !strings.Contains(err.Error(), "the file has 40") {
		t.Errorf("short data: %v", err)
	}
	outside := filepath.Join(t.TempDir(), "w.bin")
	if err := os.WriteFile(outside, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	if os.Remove(data) != nil || os.Symlink(outside, data) != nil {
		t.Skip("no links here")
	}
	if err := lower(); err == nil || !strings.Contains(err.Error(), "escapes") {
		t.Errorf("data behind a link out of the folder: %v", err)
	}
}

// Weights take no more memory than the arrays that are returned, and a bit.
func TestMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a process's peak")
	}
	if path := os.Getenv("SYNFIRE_TEST_ONNX"); path != "" {
		before := machine.PeakRSS()
		m, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		g, _, err := m.Lower(Options{})
		if err != nil {
			t.Fatal(err)
		}
		held := 0
		for _, n := range g.Nodes {
			for _, a := range n.Arrays {
				held += int(unsafe.Sizeof(tensor.Float(0))) * len(a.Data)
			}
		}
		fmt.Printf("peak %d of %d\n", machine.PeakRSS()-before, held)
		return
	}
	m := small()
	m.Graph.Input[0] = sized("x", 1, 8, 32, 32)
	m.Graph.Initializer = []*pb.TensorProto{f32("w", []int64{2000, 8192})}
	m.Graph.Node = []*pb.NodeProto{op("Flatten", []string{"x"}, "f"), op("Gemm", []string{"f", "w"}, "y", &pb.AttributeProto{Name: proto.String("transB"), Type: pb.AttributeProto_INT.Enum(), I: proto.Int64(1)})}
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "large.onnx")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestMemory$", "-test.v")
	cmd.Env = append(os.Environ(), "SYNFIRE_TEST_ONNX="+path)
	out, err := cmd.CombinedOutput()
	var peak, held int64
	_, line, _ := strings.Cut(string(out), "peak ")
	if _, scan := fmt.Sscanf(line, "%d of %d", &peak, &held); err != nil || scan != nil {
		t.Fatalf("%v, %v: %s", err, scan, out)
	}
	if float64(peak) > 1.2*float64(held)+4<<20 {
		t.Errorf("%d MB were taken for %d MB", peak>>20, held>>20)
	}
	t.Logf("%d kB for %d kB", peak>>10, held>>10)
}

// No bytes make it panic, and what it reads can be built.
func FuzzModel(f *testing.F) {
	for _, m := range []*pb.ModelProto{small(), viewed(0)} {
		raw, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	for _, pattern := range []string{"test_conv_with_strides_padding", "test_gemm_alpha", "test_maxpool_2d_ceil", "test_resize_upsample_sizes_nearest", "test_concat_3d_axis_1"} {
		if b, err := os.ReadFile(filepath.Join(suite, "node", pattern, "model.onnx")); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, unbatched := range []bool{false, true} {
			g, _, err := m.Lower(Options{Unbatched: unbatched})
			if err != nil {
				continue
			}
			size := 0
			for _, n := range g.Nodes {
				for _, a := range n.Arrays {
					size += a.Shape.Size()
				}
			}
			if size < 1<<20 {
				if _, err := g.Build(0); err != nil {
					t.Errorf("lowered, but not built: %v", err)
				}
			}
		}
	})
}
