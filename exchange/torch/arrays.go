package torch

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"synfire/internal/half"
	"synfire/internal/limit"
	"synfire/layer"
	"synfire/layer/temporal"
	"synfire/network"
	"synfire/sample"
	"synfire/tensor"
)

// slot is an array of a layer here, and what it is in PyTorch: axis k here is axis axes[k] there,
// and element i of it is element places[k][i] there, or i where there is no list.
type slot struct {
	role     string
	names    []string // there, within the module: the first that there is
	shape    tensor.Shape
	axes     []int
	places   [][]int
	optional bool // it keeps its initial values where the file has none
}

// there is the shape in PyTorch.
func (s slot) there() []int {
	shape := make([]int, len(s.axes))
	for k, a := range s.axes {
		shape[a] = s.shape[k]
	}
	return shape
}

// slots are the arrays of node i, and what its layer is called in PyTorch.
func (l *loading) slots(i int) ([]slot, string, error) {
	n := l.infos[i]
	order := l.orderInto(i)
	vector := func(role, name string, places []int) slot {
		return slot{role: role, names: []string{name}, shape: roleShape(n, role), axes: []int{0}, places: [][]int{places}}
	}
	switch ly := n.Layer.(type) {
	case layer.Linear:
		weight := slot{role: "weight", names: []string{"weight", "input_weights"}, shape: roleShape(n, "weight"), axes: []int{1, 0}, places: [][]int{order, nil}}
		return withBias([]slot{weight}, ly.NoBias, vector("bias", "bias", nil)), "Linear", nil
	case layer.Conv2D:
		weight := slot{role: "weight", names: []string{"weight"}, shape: roleShape(n, "weight"), axes: []int{2, 3, 1, 0}, places: make([][]int, 4)}
		return withBias([]slot{weight}, ly.NoBias, vector("bias", "bias", nil)), "Conv2d", nil
	case layer.BatchNorm:
		scale, shift := vector("gamma", "weight", order), vector("beta", "bias", order)
		scale.optional, shift.optional = true, true
		kind := "BatchNorm2d"
		if len(n.Out) == 1 {
			kind = "BatchNorm1d"
		}
		return []slot{scale, shift, vector("mean", "running_mean", order), vector("variance", "running_var", order)}, kind, nil
	case layer.Recurrent:
		return []slot{{role: "weight", names: []string{"recurrent_weights", "recurrent.weight"}, shape: roleShape(n, "weight"), axes: []int{1, 0}, places: [][]int{order, order}}}, "recurrent", nil
	case layer.Spiking, layer.ParametricSpiking, layer.Readout, temporal.Integrator:
		return nil, "", nil // theirs are the neurons'
	}
	if len(n.Params)+len(n.Buffers) > 0 {
		return nil, "", fmt.Errorf("the arrays of kind %s have no counterpart in PyTorch that is known; take linear, conv2d, batch-norm, recurrent", network.Kind(n.Layer))
	}
	return nil, "", nil
}

func withBias(slots []slot, none bool, bias slot) []slot {
	if none {
		return slots
	}
	return append(slots, bias)
}

// roleShape is the shape of an array of a node.
func roleShape(n network.Info, role string) tensor.Shape {
	for _, p := range slices.Concat(n.Params, n.Buffers) {
		if p.Name == n.Name+"."+role {
			return p.Value.Shape
		}
	}
	return nil
}

// remarks are what a report says of the layout of node i.
func (l *loading) remarks(i int) (notes []string) {
	switch ly := l.infos[i].Layer.(type) {
	case layer.Linear:
		notes = append(notes, "[out, in] transposed")
	case layer.Conv2D:
		notes = append(notes, "[out, in, y, x] to [y, x, in, out]")
	case layer.Recurrent:
		notes = append(notes, "[to, from] transposed")
	case layer.BatchNorm:
		epsilon := ly.Epsilon
		if epsilon == 0 {
			epsilon = 1e-5
		}
		notes = append(notes, fmt.Sprintf("eps is not in the file: %v", epsilon), "num_batches_tracked is not needed")
	default:
		return nil
	}
	if l.orderInto(i) != nil {
		notes = append(notes, "inputs from channels first to last")
	}
	return notes
}

// take fills an array of a node from the file.
func (l *loading) take(s slot, nd *network.GraphNode, r *Loaded) error {
	name := l.find(nd.Name, s)
	if name == "" {
		if !s.optional {
			l.missing = append(l.missing, fmt.Sprintf("%s.%s %v, called %s there", nd.Name, s.role, s.there(), sample.Printable(l.wanted(nd.Name, s))))
		} else {
			r.Notes = append(r.Notes, fmt.Sprintf("no %s: %s stays as it starts", s.names[0], s.role))
		}
		return nil
	}
	values, err := l.file.read(name, s)
	if err != nil {
		return err
	}
	if l.file.used[name] > 1 {
		r.Notes = append(r.Notes, sample.Printable(name)+" is taken by another layer too: they start alike, and are not tied")
	}
	if nd.Arrays == nil {
		nd.Arrays = map[string]tensor.Tensor{}
	}
	nd.Arrays[s.role] = tensor.Tensor{Shape: slices.Clone(s.shape), Data: values}
	if module, ok := strings.CutSuffix(name, "running_mean"); ok {
		l.spare[module+"num_batches_tracked"] = true
	}
	return nil
}

// find is the name of an array in the file: as names says of it alone, or of its layer; empty where
// there is none.
func (l *loading) find(node string, s slot) string {
	if name, ok := l.names.Names[node+"."+s.role]; ok {
		if _, there := l.file.places[name]; there {
			return name
		}
		return ""
	}
	module, ok := l.names.Names[node]
	if !ok {
		return ""
	}
	for _, leaf := range s.names {
		if name := join(module, leaf); l.file.has(name) {
			return name
		}
	}
	return ""
}

// wanted is what an array that is missing would be called.
func (l *loading) wanted(node string, s slot) string {
	if name, ok := l.names.Names[node+"."+s.role]; ok {
		return name
	}
	if module, ok := l.names.Names[node]; ok {
		return join(module, s.names[0])
	}
	return "?." + s.names[0]
}

// join is the name of an array of a module; the module of the whole network has none.
func join(module, leaf string) string {
	if module == "" {
		return leaf
	}
	return module + "." + leaf
}

func (f *File) has(name string) bool {
	_, ok := f.places[name]
	return ok
}

// hasModule reports whether there are arrays of a module.
func (f *File) hasModule(module string) bool {
	for name := range f.places {
		if strings.HasPrefix(name, join(module, "")) {
			return true
		}
	}
	return false
}

// fits reports whether an array of the file has the shape of a slot. The weights of a convolution of
// lines are those of images of one row.
func (f *File) fits(name string, s slot) bool {
	shape, want := f.places[name].Shape, s.there()
	if len(shape) == 3 && len(want) == 4 {
		shape = []int{shape[0], shape[1], 1, shape[2]}
	}
	return slices.Equal(shape, want)
}

// read is an array of the file in the order of a slot.
func (f *File) read(name string, s slot) ([]tensor.Float, error) {
	if !f.fits(name, s) {
		return nil, fmt.Errorf("%s is %v in the file, want %v", sample.Printable(name), f.places[name].Shape, s.there())
	}
	values, err := f.floats(name)
	if err != nil {
		return nil, err
	}
	return s.arrange(values), nil
}

// arrange brings numbers in the order of PyTorch into that of the slot.
func (s slot) arrange(values []tensor.Float) []tensor.Float {
	want := s.there()
	strides := make([]int, len(want))
	for a, n := len(want)-1, 1; a >= 0; a-- {
		strides[a], n = n, n*want[a]
	}
	out := make([]tensor.Float, len(values))
	at := make([]int, len(s.axes))
	for i := range out {
		from := 0
		for k, a := range s.axes {
			place := at[k]
			if s.places[k] != nil {
				place = s.places[k][place]
			}
			from += place * strides[a]
		}
		out[i] = values[from]
		for k := len(at) - 1; k >= 0; k-- {
			if at[k]++; at[k] < s.shape[k] {
				break
			}
			at[k] = 0
		}
	}
	return out
}

// decoders of numbers by the names of their types, with their bytes.
var decoders = map[string]struct {
	bytes int
	value func(b []byte) float64
}{
	"F64": {8, func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }},
	"F32": {4, func(b []byte) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))) }},
	"F16": {2, func(b []byte) float64 { return half.Value(binary.LittleEndian.Uint16(b)) }},
	"BF16": {2, func(b []byte) float64 {
		return float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16))
	}},
	"I64": {8, func(b []byte) float64 { return float64(int64(binary.LittleEndian.Uint64(b))) }},
}

// floats are the numbers of an array of the file, which is used then.
func (f *File) floats(name string) ([]tensor.Float, error) {
	p := f.places[name]
	d, ok := decoders[p.DType]
	if !ok {
		return nil, fmt.Errorf("%s has elements of type %s, want F32, F64, F16 or BF16: write net.float().state_dict()", sample.Printable(name), sample.Printable(p.DType))
	}
	f.used[name]++
	n := p.Bytes / int64(d.bytes)
	if err := limit.Fits(n * int64(reflect.TypeFor[tensor.Float]().Size())); err != nil {
		return nil, fmt.Errorf("%s: %w", sample.Printable(name), err)
	}
	out := make([]tensor.Float, 0, n)
	piece := make([]byte, min(p.Bytes, pieceBytes))
	for at := int64(0); at < p.Bytes; at += int64(len(piece)) {
		piece = piece[:min(int64(len(piece)), p.Bytes-at)]
		if _, err := f.r.ReadAt(piece, p.Offset+at); err != nil {
			return nil, fmt.Errorf("%s: %w", sample.Printable(name), err)
		}
		for b := piece; len(b) > 0; b = b[d.bytes:] {
			v := d.value(b)
			switch x := float64(tensor.Float(v)); {
			case math.IsNaN(v) || math.IsInf(v, 0):
				return nil, fmt.Errorf("%s: element %d is %v, want numbers; did training diverge?", sample.Printable(name), len(out), v)
			case math.IsInf(x, 0):
				return nil, fmt.Errorf("%s: element %d is %v, more than float32 holds; did training diverge?", sample.Printable(name), len(out), v)
			}
			out = append(out, tensor.Float(v))
		}
	}
	return out, nil
}

// pieceBytes is how much of a file is in memory beside its numbers.
const pieceBytes = 1 << 20
