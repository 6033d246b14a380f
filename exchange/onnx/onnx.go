// Package onnx exchanges networks with other frameworks by files of ONNX, the Open Neural Network
// Exchange (https://onnx.ai): a list of operators on arrays with the batch as their first axis and
// channels as their second.
//
// Lower makes a network of a file's graph. It knows the operators of ordinary networks,
//
//	Conv       y[o, p] = b[o] + Σ_{i, k} W[o, i, k]·x[i, s·p + d·k − pad], of lines and images
//	Gemm       α·x·B + β·C,  B transposed or not;  MatMul  x·B
//	BatchNormalization  γ·(x − μ)/√(σ² + ε) + β, with running statistics
//	Relu, LeakyRelu, Clip, Softmax  element by element, or the shares of an axis
//	MaxPool, AveragePool, GlobalAveragePool
//	Add, Concat, Pad, Resize and Upsample to the nearest
//	Flatten, Reshape, Transpose, Identity, Dropout, Constant
//
// and refuses others by name. The shapes that a file works out of an input's by Shape, Gather, Unsqueeze,
// Squeeze, Slice, Cast, Mul, Sub, ConstantOfShape and Concat are folded. The network computes a step of time as the file does a sample.
//
// Images are channels last here. Flatten, Reshape and Transpose change no number: they only say
// what is called what, and so become nothing; where the next node needs its elements in the order of
// this project, a Gather brings them there, and a linear map takes any order into its weights.
//
// Raise makes a model of an ordinary network, and Unroll an ordinary network of a spiking one, step by
// step.
//
// Weights are read from the file straight into the arrays of the network, a piece at a time.
package onnx

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"google.golang.org/protobuf/proto"

	"synfire/encode"
	"synfire/exchange/onnx/pb"
)

// Model is an ONNX file that was opened. Its weights stay in the file until Lower reads them.
type Model struct {
	Producer string // what wrote the file, with its version
	Opset    int    // version of the operators

	proto  *pb.ModelProto // without the arrays' elements
	file   io.ReaderAt
	closer io.Closer
	dir    string // of external data; empty: none
}

// Versions of the operators that are understood.
const (
	minOpset = 1
	maxOpset = 21
)

// Options say what a file does not.
type Options struct {
	Shapes    map[string][]int // of inputs whose sizes the file leaves open, without the batch, channels first
	Unbatched bool             // the first axis of an input is one of the sample, not the batch
	Read      encode.Decoder   // how scores are read off the outputs; none: not said
}

// Lowered says what became of a node.
type Lowered struct {
	Node string   // its name in the file
	Kind string   // there
	To   string   // the node of the network; empty where it is part of another's
	Lost []string // what was not taken over, or is otherwise here
}

// Open opens a file. Close it when it was lowered.
func Open(path string) (*Model, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("onnx: %w", err)
	case !info.Mode().IsRegular(): // to open a pipe would wait for its writer
		return nil, fmt.Errorf("onnx: %s: it is a folder, a pipe or a device, want a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	m, err := Decode(f, info.Size())
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("onnx: %s: %w", path, err)
	}
	m.closer, m.dir = f, filepath.Dir(path)
	return m, nil
}

// Close closes the file.
func (m *Model) Close() error {
	if m.closer == nil {
		return nil
	}
	return m.closer.Close()
}

// Decode reads the structure of a model of so many bytes. Data outside of it are refused.
func Decode(r io.ReaderAt, size int64) (*Model, error) {
	raw, err := outline(r, size)
	if err != nil {
		return nil, err
	}
	m := &Model{proto: &pb.ModelProto{}, file: r}
	if err := proto.Unmarshal(raw, m.proto); err != nil {
		return nil, fmt.Errorf("not an ONNX model: %w", err)
	}
	p := m.proto
	m.Producer = p.GetProducerName()
	if v := p.GetProducerVersion(); v != "" {
		m.Producer += " " + v
	}
	if p.Graph == nil {
		return nil, errors.New("an ONNX model without a graph; was the file truncated?")
	}
	for _, o := range p.OpsetImport {
		if !ours(o.GetDomain()) {
			continue
		}
		if v := o.GetVersion(); v < minOpset || v > maxOpset {
			return nil, fmt.Errorf("opset %d, want %d to %d; export it with opset 13", v, minOpset, maxOpset)
		}
		m.Opset = int(o.GetVersion())
	}
	if m.Opset == 0 {
		return nil, errors.New("the model does not say which opset it uses; want an opset_import of the domain ai.onnx, such as 13")
	}
	return m, nil
}

// ours reports whether a domain is that of ONNX itself.
func ours(domain string) bool { return domain == "" || domain == "ai.onnx" }

// Kinds are the operators that Lower knows.
func Kinds() []string {
	var kinds []string
	for kind := range operators {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}
