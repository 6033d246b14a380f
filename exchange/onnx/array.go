package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"unsafe"

	"synfire/exchange/onnx/pb"
	"synfire/internal/half"
	"synfire/internal/limit"
	"synfire/tensor"
)

// array is a constant: an initialiser, or what a Constant gives. Elements of any number are not
// held but read where they are needed.
type array struct {
	shape  []int
	kind   pb.TensorProto_DataType
	values []float64         // few elements, as they stand; nil: those of from
	from   *io.SectionReader // elements of fixed width, little-endian
	in     string            // the file that from is to be opened in, of external data
	model  *Model
	perm   []int // of the axes of stored, which shape are; nil: none
	stored []int
}

// maxElements bounds an array.
const maxElements = 1 << 31

// sizeOf is the number of elements of a shape, which may have none.
func sizeOf(shape []int) (int, error) {
	size := 1
	for _, d := range shape {
		if d < 0 || d > maxElements || d > 0 && size > maxElements/d {
			return 0, fmt.Errorf("shape %v, want no negative sizes, and %d elements at most", shape, maxElements)
		}
		size *= d
	}
	return size, nil
}

func (a *array) size() int {
	n, _ := sizeOf(a.shape) // which array has checked
	return n
}

// array makes one of a TensorProto.
func (m *Model) array(p *pb.TensorProto) (*array, error) {
	a := &array{kind: pb.TensorProto_DataType(p.GetDataType()), model: m}
	for _, d := range p.Dims {
		if d < 0 || d > maxElements {
			return nil, fmt.Errorf("dims %v, want no negative sizes, and %d elements at most", p.Dims, maxElements)
		}
		a.shape = append(a.shape, int(d))
	}
	n, err := sizeOf(a.shape)
	if err != nil {
		return nil, err
	}
	switch {
	case p.Segment != nil:
		return nil, errors.New("a segment of an array: not supported; write it as one")
	case a.kind == pb.TensorProto_STRING || width(a.kind) == 0:
		return nil, fmt.Errorf("elements of type %s, want numbers such as FLOAT", a.kind)
	case p.GetDataLocation() == pb.TensorProto_EXTERNAL:
		return a, a.external(p, n)
	case p.RawData != nil:
		return a, a.placed(placeOf(p.RawData), n)
	}
	switch {
	case len(p.Int32Data) > 0:
		a.values = numbers(p.Int32Data, a.kind)
	case len(p.Int64Data) > 0:
		a.values = numbers(p.Int64Data, a.kind)
	case len(p.Uint64Data) > 0:
		a.values = numbers(p.Uint64Data, a.kind)
	}
	if len(a.values) != n {
		return nil, fmt.Errorf("%d elements, want the %d of the shape %v", len(a.values), n, a.shape)
	}
	return a, nil
}

// numbers are elements that are written as integers; those of 16-bit floats are their bits.
func numbers[T int32 | int64 | uint64](v []T, kind pb.TensorProto_DataType) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		switch kind {
		case pb.TensorProto_FLOAT16, pb.TensorProto_BFLOAT16:
			var b [2]byte
			binary.LittleEndian.PutUint16(b[:], uint16(x))
			out[i] = element(kind, b[:])
		default:
			out[i] = float64(x)
		}
	}
	return out
}

// placed are elements within the file.
func (a *array) placed(p place, n int) error {
	if p.field == floatData && a.kind != pb.TensorProto_FLOAT || p.field == doubleData && a.kind != pb.TensorProto_DOUBLE {
		return fmt.Errorf("elements of type %s in float_data or double_data; write them as raw_data", a.kind)
	}
	if p.length != int64(n)*width(a.kind) {
		return fmt.Errorf("%d bytes, want %d of the shape %v of %s", p.length, int64(n)*width(a.kind), a.shape, a.kind)
	}
	a.from = io.NewSectionReader(a.model.file, p.at, p.length)
	return nil
}

// external are elements in another file, in the model's folder or below.
func (a *array) external(p *pb.TensorProto, n int) error {
	var offset, length int64 = 0, int64(n) * width(a.kind)
	for _, e := range p.ExternalData {
		var err error
		switch e.GetKey() {
		case "location":
			a.in = e.GetValue()
		case "offset":
			offset, err = strconv.ParseInt(e.GetValue(), 10, 64)
		case "length":
			length, err = strconv.ParseInt(e.GetValue(), 10, 64)
		}
		if err != nil || offset < 0 {
			return fmt.Errorf("external data with %s %q, want a number of bytes", e.GetKey(), e.GetValue())
		}
	}
	switch {
	case a.model.dir == "":
		return fmt.Errorf("external data in %q, of a model that is no file; open the file", a.in)
	case !filepath.IsLocal(filepath.FromSlash(a.in)):
		return fmt.Errorf("external data in %q, which is not in the model's folder: refused; put it beside the model", a.in)
	case length != int64(n)*width(a.kind):
		return fmt.Errorf("external data of %d bytes, want %d of the shape %v of %s", length, int64(n)*width(a.kind), a.shape, a.kind)
	}
	f, err := a.open()
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && (info.Size() < offset || info.Size()-offset < length) {
		err = fmt.Errorf("external data in %q: %d bytes from byte %d on, the file has %d", a.in, length, offset, info.Size())
	}
	a.from = io.NewSectionReader(nil, offset, length)
	return err
}

// open opens a file of external data, never one outside the model's folder, by links either.
func (a *array) open() (*os.File, error) {
	root, err := os.OpenRoot(a.model.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.Open(filepath.FromSlash(a.in))
	if err != nil {
		return nil, fmt.Errorf("external data: %w", err)
	}
	return f, nil
}

// width is the bytes of an element; 0: not known.
func width(kind pb.TensorProto_DataType) int64 {
	switch kind {
	case pb.TensorProto_BOOL, pb.TensorProto_INT8, pb.TensorProto_UINT8:
		return 1
	case pb.TensorProto_FLOAT16, pb.TensorProto_BFLOAT16, pb.TensorProto_INT16, pb.TensorProto_UINT16:
		return 2
	case pb.TensorProto_FLOAT, pb.TensorProto_INT32, pb.TensorProto_UINT32:
		return 4
	case pb.TensorProto_DOUBLE, pb.TensorProto_INT64, pb.TensorProto_UINT64:
		return 8
	}
	return 0
}

// element is the number that bytes are.
func element(kind pb.TensorProto_DataType, b []byte) float64 {
	le := binary.LittleEndian
	switch kind {
	case pb.TensorProto_BOOL, pb.TensorProto_UINT8:
		return float64(b[0])
	case pb.TensorProto_INT8:
		return float64(int8(b[0]))
	case pb.TensorProto_FLOAT16:
		return half.Value(le.Uint16(b))
	case pb.TensorProto_BFLOAT16:
		return float64(math.Float32frombits(uint32(le.Uint16(b)) << 16))
	case pb.TensorProto_INT16:
		return float64(int16(le.Uint16(b)))
	case pb.TensorProto_UINT16:
		return float64(le.Uint16(b))
	case pb.TensorProto_FLOAT:
		return float64(math.Float32frombits(le.Uint32(b)))
	case pb.TensorProto_INT32:
		return float64(int32(le.Uint32(b)))
	case pb.TensorProto_UINT32:
		return float64(le.Uint32(b))
	case pb.TensorProto_DOUBLE:
		return math.Float64frombits(le.Uint64(b))
	case pb.TensorProto_INT64:
		return float64(int64(le.Uint64(b)))
	}
	return float64(le.Uint64(b))
}

// isFloat reports whether elements are such as weights are.
func isFloat(kind pb.TensorProto_DataType) bool {
	switch kind {
	case pb.TensorProto_FLOAT, pb.TensorProto_DOUBLE, pb.TensorProto_FLOAT16, pb.TensorProto_BFLOAT16:
		return true
	}
	return false
}

// pieceBytes is what is read of a file at once.
const pieceBytes = 64 << 10

// each calls f with each element and its place in the shape, in the order of the file.
func (a *array) each(f func(i int, v float64)) error {
	to := a.places()
	for i, v := range a.values {
		f(to(i), v)
	}
	if a.from == nil {
		return nil
	}
	var r io.Reader = io.NewSectionReader(a.from, 0, a.from.Size())
	if a.in != "" {
		file, err := a.open()
		if err != nil {
			return err
		}
		defer file.Close()
		_, offset, n := a.from.Outer()
		r = io.NewSectionReader(file, offset, n)
	}
	w, piece := int(width(a.kind)), make([]byte, min(pieceBytes, a.from.Size()))
	for i, n := 0, int(a.from.Size())/w; i < n; {
		part := piece[:min(len(piece), (n-i)*w)]
		if _, err := io.ReadFull(r, part); err != nil {
			return fmt.Errorf("elements: %w", err)
		}
		for ; len(part) > 0; part = part[w:] {
			f(to(i), element(a.kind, part))
			i++
		}
	}
	return nil
}

// places tells of an element that is stored where its place in the shape is.
func (a *array) places() func(i int) int {
	if a.perm == nil {
		return func(i int) int { return i }
	}
	to := strides(a.shape)
	step := make([]int, len(to)) // by stored axis
	for k, axis := range a.perm {
		step[axis] = to[k]
	}
	return func(i int) int {
		at := 0
		for k := len(a.stored) - 1; k >= 0; k-- {
			at += i % a.stored[k] * step[k]
			i /= a.stored[k]
		}
		return at
	}
}

// transposed has its axes in another order.
func (a *array) transposed(perm []int) (*array, error) {
	if a.perm != nil {
		return nil, errors.New("a constant that is transposed twice: not supported; export with constants folded")
	}
	t := *a
	t.perm, t.stored, t.shape = perm, a.shape, nil
	for _, axis := range perm {
		t.shape = append(t.shape, a.shape[axis])
	}
	return &t, nil
}

// reshaped has another shape of as many elements.
func (a *array) reshaped(shape []int) (*array, error) {
	if a.perm != nil {
		return nil, errors.New("a constant that is transposed and reshaped: not supported; export with constants folded")
	}
	r := *a
	r.shape = shape
	return &r, nil
}

// few are the elements of an array of no more than most.
func (a *array) few(most int) ([]float64, error) {
	if a.size() > most {
		return nil, fmt.Errorf("a constant of shape %v, want %d elements at most", a.shape, most)
	}
	v := make([]float64, a.size())
	return v, a.each(func(i int, x float64) { v[i] = x })
}

// ints are the elements of a short vector or number that are whole.
func (a *array) ints() ([]int, error) {
	v, err := a.few(64)
	if err != nil {
		return nil, err
	}
	out := make([]int, len(v))
	for i, x := range v {
		if x != math.Trunc(x) || math.Abs(x) > 1<<53 {
			return nil, fmt.Errorf("the constant %v, want whole numbers", v)
		}
		out[i] = int(x)
	}
	return out, nil
}

// tensor has the elements in another order and shape: that at i in the array at to(i).
func (a *array) tensor(scale float64, to func(i int) int, shape ...int) (tensor.Tensor, error) {
	if !isFloat(a.kind) {
		return tensor.Tensor{}, fmt.Errorf("weights of type %s, want FLOAT", a.kind)
	}
	if err := limit.Fits(int64(a.size()) * int64(unsafe.Sizeof(tensor.Float(0)))); err != nil {
		return tensor.Tensor{}, err
	}
	t := tensor.New(shape...)
	err := a.each(func(i int, v float64) {
		if scale != 1 {
			v *= scale
		}
		t.Data[to(i)] = tensor.Float(v)
	})
	return t, err
}

func same(i int) int { return i }

// strides are those of a shape, row-major.
func strides(shape []int) []int {
	s := slices.Clone(shape)
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i], step = step, step*shape[i]
	}
	return s
}
