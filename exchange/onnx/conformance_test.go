package onnx

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"synfire/exchange/onnx/pb"
	"synfire/network"
	"synfire/signal"
	"synfire/tensor"
)

var update = flag.Bool("update", false, "write testdata/refused.txt anew")

// suite is where Debian's libonnx-testdata has its tests.
const suite = "/usr/share/libonnx-testdata/data"

// scope are the operators whose tests are run.
var scope = []string{
	"Conv", "Gemm", "MatMul", "BatchNormalization", "Relu", "LeakyRelu", "Clip", "AveragePool", "GlobalAveragePool", "MaxPool", "Add", "Concat",
	"Flatten", "Reshape", "Identity", "Dropout", "Softmax", "Constant", "Pad", "Transpose", "Upsample", "Resize",
}

// Tests of these operators alone pass, or are refused for a reason that testdata/refused.txt has.
func TestConformance(t *testing.T) {
	if _, err := os.Stat(suite); err != nil {
		t.Skip("Debian's libonnx-testdata is not installed")
	}
	passed, by, refused := 0, map[string]int{}, map[string]string{}
	for _, folder := range []string{"node", "simple", "pytorch-operator", "pytorch-converted"} {
		paths, err := filepath.Glob(filepath.Join(suite, folder, "*", "model.onnx"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			c := readCase(t, path)
			if slices.ContainsFunc(c.model.Graph.Node, func(n *pb.NodeProto) bool { return !slices.Contains(scope, n.GetOpType()) }) {
				continue
			}
			name := folder + "/" + filepath.Base(filepath.Dir(path))
			reason, err := c.check()
			switch {
			case err != nil:
				t.Errorf("%s: %v", name, err)
			case reason != nil:
				refused[name] = reason.Error()
			default:
				passed++
				for _, n := range c.model.Graph.Node {
					by[n.GetOpType()]++
				}
			}
		}
	}
	for _, name := range scope {
		if by[name] == 0 {
			t.Errorf("no test of %s passes", name)
		}
	}
	t.Logf("%d pass, %d are refused", passed, len(refused))
	if passed < 100 {
		t.Errorf("%d tests pass, want 100", passed)
	}
	checkRefused(t, refused)
}

func checkRefused(t *testing.T, refused map[string]string) {
	t.Helper()
	const path = "testdata/refused.txt"
	var names []string
	for name := range refused {
		names = append(names, name)
	}
	slices.Sort(names)
	var got bytes.Buffer
	for _, name := range names {
		fmt.Fprintf(&got, "%s: %s\n", name, strings.TrimPrefix(refused[name], "onnx: lower: "))
	}
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(want, got.Bytes()) {
		return
	}
	have := map[string]bool{}
	for s := bufio.NewScanner(bytes.NewReader(want)); s.Scan(); {
		have[s.Text()] = true
	}
	for s := bufio.NewScanner(&got); s.Scan(); {
		if !have[s.Text()] {
			t.Errorf("refused, which %s does not have: %s", path, s.Text())
		}
		delete(have, s.Text())
	}
	for line := range have {
		t.Errorf("no longer refused: %s", line)
	}
}

// testCase is a model with what goes in and comes out.
type testCase struct {
	model   *pb.ModelProto
	in, out map[string]*pb.TensorProto
}

func readCase(t *testing.T, path string) testCase {
	t.Helper()
	c := testCase{&pb.ModelProto{}, map[string]*pb.TensorProto{}, map[string]*pb.TensorProto{}}
	read := func(path string, m proto.Message) {
		b, err := os.ReadFile(path)
		if err == nil {
			err = proto.Unmarshal(b, m)
		}
		if err != nil && !strings.Contains(path, "put_") { // some tests have sequences
			t.Fatalf("%s: %v", path, err)
		}
	}
	read(path, c.model)
	dir := filepath.Join(filepath.Dir(path), "test_data_set_0")
	initial := map[string]bool{}
	for _, p := range c.model.Graph.Initializer {
		initial[p.GetName()] = true
	}
	i := 0
	for _, v := range c.model.Graph.Input {
		if initial[v.GetName()] {
			continue
		}
		p := &pb.TensorProto{}
		read(filepath.Join(dir, fmt.Sprintf("input_%d.pb", i)), p)
		c.in[v.GetName()] = p
		i++
	}
	for i, v := range c.model.Graph.Output {
		p := &pb.TensorProto{}
		read(filepath.Join(dir, fmt.Sprintf("output_%d.pb", i)), p)
		c.out[v.GetName()] = p
	}
	return c
}

// signals are the inputs that stay such: those of Add and Concat all, of others the first.
func (c testCase) signals() (names []string) {
	for _, v := range c.model.Graph.Input {
		if _, ok := c.in[v.GetName()]; ok {
			names = append(names, v.GetName())
		}
	}
	single := len(c.model.Graph.Node) == 1
	if kind := c.model.Graph.Node[0].GetOpType(); single && kind != "Add" && kind != "Concat" && len(names) > 1 {
		names = names[:1]
	}
	return names
}

// bound is the model with all other inputs as initialisers.
func (c testCase) bound(signals []string) (*Model, error) {
	m := proto.Clone(c.model).(*pb.ModelProto)
	for name, p := range c.in {
		if !slices.Contains(signals, name) {
			p = proto.Clone(p).(*pb.TensorProto)
			p.Name = &name
			m.Graph.Initializer = append(m.Graph.Initializer, p)
		}
	}
	raw, err := proto.Marshal(m)
	if err != nil {
		return nil, err
	}
	return Decode(bytes.NewReader(raw), int64(len(raw)))
}

// check runs a test: with the batch as the first axis of its input, without one if that is refused;
// and of Add with the second summand as a weight.
func (c testCase) check() (refused, failed error) {
	for _, p := range c.out {
		if v, err := elementsOf(p); err == nil && slices.ContainsFunc(v, func(x float64) bool { return math.Abs(x) > math.MaxFloat32 }) {
			return errors.New("the test's numbers are beyond float32"), nil
		}
	}
	all := c.signals()
	tries := [][]string{all}
	if len(all) > 1 {
		tries = append(tries, all[:1])
	}
	for _, signals := range tries {
		for _, unbatched := range []bool{false, true} {
			reason, err := c.run(signals, unbatched)
			if err != nil {
				return nil, fmt.Errorf("signals %v, unbatched %v: %w", signals, unbatched, err)
			}
			if reason == nil {
				return nil, nil
			}
			if refused == nil {
				refused = reason
			}
		}
	}
	return refused, nil
}

func (c testCase) run(signals []string, unbatched bool) (refused, failed error) {
	m, err := c.bound(signals)
	if err != nil {
		return err, nil
	}
	g, _, err := m.Lower(Options{Unbatched: unbatched})
	if err != nil {
		return err, nil
	}
	net, err := g.Build(0)
	if err != nil {
		return nil, err
	}
	in, err := c.input(signals, unbatched)
	if err != nil {
		return nil, err
	}
	outs, err := net.Compile(nil, false).NewPass(network.Options{}).Forward(net.NewState(in.B), in, false)
	if err != nil {
		return nil, err
	}
	for i, o := range c.model.Graph.Output {
		if want := c.out[o.GetName()]; i < len(outs) {
			if err := compareOutput(outs[i], want, unbatched); err != nil {
				return nil, fmt.Errorf("output %s: %w", o.GetName(), err)
			}
		}
	}
	return nil, nil
}

// sampleShape is the shape without the batch, and the batch.
func sampleShape(p *pb.TensorProto, unbatched bool) (shape []int, batch int) {
	for _, d := range p.Dims {
		shape = append(shape, int(d))
	}
	if unbatched {
		return shape, 1
	}
	return shape[1:], shape[0]
}

// input is what goes in, in the layout of the network.
func (c testCase) input(signals []string, unbatched bool) (*signal.Signal, error) {
	var parts [][]float64
	var orders []order
	var here tensor.Shape
	batch, size := 0, 0
	for _, name := range signals {
		v, err := elementsOf(c.in[name])
		if err != nil {
			return nil, err
		}
		shape, b := sampleShape(c.in[name], unbatched)
		h, o, err := standard(shape)
		if err != nil {
			return nil, err
		}
		parts, orders, batch, here = append(parts, v), append(orders, o), b, h
		size += h.Size()
	}
	if len(signals) > 1 {
		here = tensor.Shape{size}
	}
	s := &signal.Signal{Kind: signal.Constant, T: 1, B: batch, Shape: here}
	for b := range batch {
		for k, v := range parts {
			n := len(v) / batch
			for i := range n {
				if len(signals) == 1 {
					s.Data = append(s.Data, tensor.Float(v[b*n+orders[k].at(i)]))
				} else {
					s.Data = append(s.Data, tensor.Float(v[b*n+i]))
				}
			}
		}
	}
	return s, nil
}

// elementsOf are a tensor's elements, by a decoder of its own.
func elementsOf(p *pb.TensorProto) (v []float64, err error) {
	le := binary.LittleEndian
	switch kind := pb.TensorProto_DataType(p.GetDataType()); {
	case len(p.FloatData) > 0:
		for _, x := range p.FloatData {
			v = append(v, float64(x))
		}
	case kind == pb.TensorProto_FLOAT:
		for b := p.RawData; len(b) > 0; b = b[4:] {
			v = append(v, float64(math.Float32frombits(le.Uint32(b))))
		}
	case kind == pb.TensorProto_DOUBLE:
		for b := p.RawData; len(b) > 0; b = b[8:] {
			v = append(v, math.Float64frombits(le.Uint64(b)))
		}
	default:
		err = fmt.Errorf("elements of type %s", kind)
	}
	return v, err
}

// compareOutput holds an output against what is wanted, to 1e-5 of its size.
func compareOutput(got *signal.Signal, p *pb.TensorProto, unbatched bool) error {
	want, err := elementsOf(p)
	if err != nil {
		return err
	}
	var d signal.Signal
	got.Densify(&d)
	shape, batch := sampleShape(p, unbatched)
	here, o, err := standard(shape)
	if err != nil {
		return err
	}
	if n := here.Size(); !here.Equal(d.Shape) || len(d.Data) != batch*n || len(want) != batch*n {
		return fmt.Errorf("shape %v of %d elements, want %v of %d", d.Shape, len(d.Data), here, len(want))
	}
	for b := range batch {
		for i := range here.Size() {
			g, w := float64(d.Data[b*here.Size()+i]), want[b*here.Size()+o.at(i)]
			if !(math.Abs(g-w) <= 1e-5*(1+math.Abs(w))) {
				return fmt.Errorf("element %d of sample %d is %v, want %v", o.at(i), b, g, w)
			}
		}
	}
	return nil
}
