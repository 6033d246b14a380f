package command

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"synfire/exchange/onnx/pb"
	"synfire/format/hdf5"
	"synfire/format/npz"
)

// nirFile is a Linear with three inputs and two LIF neurons.
func nirFile(t *testing.T) string {
	t.Helper()
	nodes := &hdf5.Object{Name: "nodes"}
	node := func(name, kind string, params map[string]*hdf5.Array) {
		o := &hdf5.Object{Name: name, Children: []*hdf5.Object{{Name: "type", Array: hdf5.Text(kind)}}}
		for k, a := range params {
			o.Children = append(o.Children, &hdf5.Object{Name: k, Array: a})
		}
		nodes.Children = append(nodes.Children, o)
	}
	node("input", "Input", map[string]*hdf5.Array{"shape": hdf5.I64([]int64{3}, 1)})
	node("fc", "Linear", map[string]*hdf5.Array{"weight": hdf5.F32([]float32{1, 0, 0, 0, 1, 1}, 2, 3)})
	node("lif", "LIF", map[string]*hdf5.Array{"tau": hdf5.F32([]float32{0.01, 0.02}, 2), "v_threshold": hdf5.F32([]float32{0.5}, 1)})
	node("output", "Output", nil)
	top := &hdf5.Object{Name: "node", Children: []*hdf5.Object{
		{Name: "type", Array: hdf5.Text("NIRGraph")}, nodes,
		{Name: "edges", Array: hdf5.Strings([]string{"input", "fc", "fc", "lif", "lif", "output"}, 3, 2)},
	}}
	return file(t, "net.nir", func(b *bytes.Buffer) error { return hdf5.Write(b, &hdf5.Object{Children: []*hdf5.Object{top}}) })
}

// A NIR file becomes a model that is measured as any other; what it does not say is asked for.
func TestImport(t *testing.T) {
	own := file(t, "own.npz", func(b *bytes.Buffer) error {
		return npz.Write(b, map[string]npz.Array{"x": npz.F32([]float32{2, 0, 0, 0, 2, 0, 2, 0, 0, 0, 0, 2}, 4, 3), "y": npz.I64([]int64{0, 1, 0, 1}, 4)})
	})
	path, model := nirFile(t), filepath.Join(t.TempDir(), "model.safetensors")
	args := []string{"import", path, "-o", model, "--data", "npz:" + own, "--steps", "30", "--dt", "0.001"}
	if _, stderr, code := command(args...); code != exitFailed || !strings.Contains(stderr, "Reset, what a spike does") {
		t.Errorf("without a reset: exit code %d, %s", code, stderr)
	}
	if _, stderr, code := command(append(args, "--reset", "backwards")...); code != exitUsage {
		t.Errorf("a reset that is none: exit code %d, %s", code, stderr)
	}
	stdout, stderr, code := command(append(args, "--reset", "subtract", "--json")...)
	if code != 0 {
		t.Fatal(stderr)
	}
	var out struct {
		Format string
		Nodes  []struct {
			Name, Kind string
			LoweredTo  string `json:"lowered_to"`
			Lost       []string
		}
		Steps int
		DT    float64
		Model string
	}
	strict(t, stdout, &out)
	if out.Format != "nir" || len(out.Nodes) != 4 || out.Steps != 30 || out.DT != 0.001 || !strings.Contains(stdout, "reset: subtract") {
		t.Errorf("%s", stdout)
	}
	if stdout, stderr, code = command("eval", model, "--split", "all", "--json"); code != 0 || !strings.Contains(stdout, `"accuracy":100`) && !strings.Contains(stdout, `"accuracy":1,`) {
		t.Errorf("exit code %d, %s, %s", code, stdout, stderr)
	}
	if stdout, stderr, code = command(append(args, "--reset", "zero")...); code != 0 || !strings.Contains(stdout, "NOT SAID BY THE FILE") {
		t.Errorf("exit code %d, %s, %s", code, stdout, stderr)
	}
	if err := os.Remove(model); err != nil {
		t.Error(err)
	}
}

// A model goes to NIR and comes back: the same spikes for each sample, and what the file does not
// carry is listed. The certificate beside the file is checked.
func TestExport(t *testing.T) {
	dir := t.TempDir()
	net := writeIn(t, dir, "net.yaml", tinyNet)
	run := filepath.Join(dir, "run")
	if _, stderr, code := command("train", net, "--out", run); code != 0 {
		t.Fatal(stderr)
	}
	out, back := filepath.Join(dir, "net.nir"), filepath.Join(dir, "back.safetensors")
	stdout, stderr, code := command("export", filepath.Join(run, "model.safetensors"), "--out", out, "--json")
	if code != 0 {
		t.Fatal(stderr)
	}
	var exported struct {
		Format string
		Nodes  []struct {
			Name, Kind string
			LoweredTo  string `json:"lowered_to"`
			Lost       []string
		}
		DT   float64
		File string
	}
	strict(t, stdout, &exported)
	if exported.Format != "nir" || exported.DT != 0.001 || !strings.Contains(stdout, "reset: ") || !strings.Contains(stdout, "encoder") {
		t.Errorf("%s", stdout)
	}
	args := []string{"import", out, "-o", back, "--data", "mnist-sample", "--steps", "3", "--dt", "0.001"}
	other := "zero"
	reset := "subtract"
	if strings.Contains(stdout, "reset: zero") {
		reset, other = other, reset
	}
	if _, stderr, code := command(append(args, "--reset", other)...); code != exitFailed || !strings.Contains(stderr, "is certified with") {
		t.Errorf("another reset than certified: exit code %d, %s", code, stderr)
	}
	if _, stderr, code := command(append(args, "--reset", reset)...); code != 0 {
		t.Fatal(stderr)
	}
	certificate := out + ".certificate.json"
	text, err := os.ReadFile(certificate)
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Format          string
		Nodes           []any
		Steps           int
		DT              float64
		Agrees          bool
		FirstDifference any `json:"first_difference"`
		Against         []struct {
			Trace       string
			SpikesEqual bool    `json:"spikes_equal"`
			MaxError    float64 `json:"max_error"`
		}
	}
	strict(t, string(text), &c)
	if !c.Agrees || c.Steps != 100 || c.Against[0].Trace != "steps" {
		t.Errorf("%s", text)
	}
	changed := bytes.Replace(text, []byte("sha256 "), []byte("sha256 0"), 1)
	if err := os.WriteFile(certificate, changed, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := command(append(args, "--reset", reset)...); code != exitFailed || !strings.Contains(stderr, "does not fire as certified") {
		t.Errorf("a certificate of other spikes: exit code %d, %s", code, stderr)
	}
	if err := os.WriteFile(certificate, []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := command(append(args, "--reset", reset)...); code != exitFailed || !strings.Contains(stderr, "write it again by export") {
		t.Errorf("half a certificate: exit code %d, %s", code, stderr)
	}
}

// The certificate of a file: its JSON, its text, and an error for a trace that does not fit.
func TestCertify(t *testing.T) {
	path := nirFile(t)
	stdout, stderr, code := command("certify", path, "--json", "--reset", "zero")
	if code != 0 || !strings.Contains(stdout, `"first_difference":null`) || !strings.Contains(stdout, `"lost":["dt: 0.0002","reset: zero","surrogate"]`) {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}
	trace := file(t, "trace.csv", func(b *bytes.Buffer) error { _, err := b.WriteString("1,0,0\n"); return err })
	if _, stderr, code := command("certify", path, "--against", trace); code != exitFailed || !strings.Contains(stderr, "row 1 has 3 columns, want 7") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	header := file(t, "header.csv", func(b *bytes.Buffer) error { _, err := b.WriteString("i,v,s\n"); return err })
	if _, stderr, code := command("certify", path, "--input", header); code != exitFailed || !strings.Contains(stderr, "leave headers out") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if stdout, _, code := command("certify", path); code != 0 || !strings.Contains(stdout, "The spikes agree.") {
		t.Errorf("exit code %d, %s", code, stdout)
	}
}

// onnxFile is a product of three inputs with a matrix, rectified.
func onnxFile(t *testing.T) string {
	t.Helper()
	float, name := int32(pb.TensorProto_FLOAT), proto.String
	shape := &pb.TensorShapeProto{}
	for _, d := range []int64{1, 3} {
		shape.Dim = append(shape.Dim, &pb.TensorShapeProto_Dimension{Value: &pb.TensorShapeProto_Dimension_DimValue{DimValue: d}})
	}
	raw, err := proto.Marshal(&pb.ModelProto{
		OpsetImport: []*pb.OperatorSetIdProto{{Version: proto.Int64(13)}},
		Graph: &pb.GraphProto{
			Input:       []*pb.ValueInfoProto{{Name: name("x"), Type: &pb.TypeProto{Value: &pb.TypeProto_TensorType{TensorType: &pb.TypeProto_Tensor{ElemType: &float, Shape: shape}}}}},
			Output:      []*pb.ValueInfoProto{{Name: name("y")}},
			Initializer: []*pb.TensorProto{{Name: name("w"), DataType: &float, Dims: []int64{3, 2}, FloatData: []float32{1, 0, 0, 1, 0, 1}}},
			Node: []*pb.NodeProto{
				{OpType: name("MatMul"), Input: []string{"x", "w"}, Output: []string{"h"}},
				{OpType: name("Relu"), Input: []string{"h"}, Output: []string{"y"}},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return file(t, "net.onnx", func(b *bytes.Buffer) error { _, err := b.Write(raw); return err })
}

// An ONNX file becomes a model that is measured as any other; other endings are refused.
func TestImportONNX(t *testing.T) {
	own := file(t, "own.npz", func(b *bytes.Buffer) error {
		return npz.Write(b, map[string]npz.Array{"x": npz.F32([]float32{2, 0, 0, 0, 2, 0, 2, 0, 0, 0, 0, 2}, 4, 3), "y": npz.I64([]int64{0, 1, 0, 1}, 4)})
	})
	model := filepath.Join(t.TempDir(), "model.safetensors")
	stdout, stderr, code := command("import", onnxFile(t), "-o", model, "--data", "npz:"+own, "--steps", "1")
	if code != 0 || !strings.Contains(stdout, "MatMul") || strings.Contains(stdout, "surrogate") {
		t.Fatalf("exit code %d, %s, %s", code, stdout, stderr)
	}
	if stdout, stderr, code = command("eval", model, "--split", "all", "--json"); code != 0 || !strings.Contains(stdout, `"accuracy":100`) {
		t.Errorf("exit code %d, %s, %s", code, stdout, stderr)
	}
	again, back := filepath.Join(t.TempDir(), "again.onnx"), filepath.Join(t.TempDir(), "back.safetensors")
	if stdout, stderr, code = command("export", model, "-o", again); code != 0 || !strings.Contains(stdout, "MatMul") && !strings.Contains(stdout, "Gemm") {
		t.Fatalf("exit code %d, %s, %s", code, stdout, stderr)
	}
	if _, stderr, code = command("import", again, "-o", back, "--data", "npz:"+own, "--steps", "1"); code != 0 {
		t.Fatal(stderr)
	}
	if stdout, stderr, code = command("eval", back, "--split", "all", "--json"); code != 0 || !strings.Contains(stdout, `"accuracy":100`) {
		t.Errorf("exit code %d, %s, %s", code, stdout, stderr)
	}
	other := file(t, "net.pb", func(b *bytes.Buffer) error { return nil })
	if _, stderr, code := command("import", other, "-o", model, "--data", "npz:"+own); code != exitFailed || !strings.Contains(stderr, "expected a file that ends in .nir, .h5, .hdf5, .onnx, .cfg; rename it") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// What only a NIR file leaves open was taken and dropped where the file is an ONNX one.
func TestOptionsOfNIRWithONNX(t *testing.T) {
	own := file(t, "own.npz", func(b *bytes.Buffer) error {
		return npz.Write(b, map[string]npz.Array{"x": npz.F32([]float32{2, 0, 0, 0, 2, 0}, 2, 3), "y": npz.I64([]int64{0, 1}, 2)})
	})
	net, model := onnxFile(t), filepath.Join(t.TempDir(), "model.safetensors")
	if _, stderr, code := command("import", net, "-o", model, "--data", "npz:"+own, "--steps", "1"); code != 0 {
		t.Fatal(stderr)
	}
	for _, option := range []string{"--dt=1", "--reset=zero", "--method=euler", "--strict", "--refractory=2", "--floor=-1", "--coupling=unit"} {
		if _, stderr, code := command("import", net, "-o", model, "--data", "npz:"+own, "--steps", "1", option); code != exitFailed || !strings.Contains(stderr, "which are for NIR") {
			t.Errorf("import %s: exit code %d, %s", option, code, stderr)
		}
	}
	for _, option := range []string{"--dt=1", "--method=euler", "--steps=5"} {
		if _, stderr, code := command("export", model, "-o", filepath.Join(t.TempDir(), "again.onnx"), option); code != exitFailed || !strings.Contains(stderr, "which are for NIR") {
			t.Errorf("export %s: exit code %d, %s", option, code, stderr)
		}
	}
}
