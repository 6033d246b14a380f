package npz

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"synfire/internal/limit"
	"synfire/internal/magic"
)

const (
	signature = "\x93NUMPY"
	maxHeader = 64 << 10 // bytes of the dictionary
	maxDims   = 32       // as many as NumPy has
	alignment = 64       // of the first element in the file
)

// ReadNPY reads one array, which must be the whole of r. An array that declares more
// than max bytes is refused; max ≤ 0 means DefaultMax.
func ReadNPY(r io.Reader, max int64) (Array, error) {
	if max <= 0 {
		max = DefaultMax
	}
	a, err := readNPY(r, max)
	if err != nil {
		return Array{}, fmt.Errorf("npz: %w", err)
	}
	return a, nil
}

func readNPY(r io.Reader, max int64) (Array, error) {
	h, err := readHeader(r)
	if err != nil {
		return Array{}, err
	}
	size, err := byteLen(h.dtype, h.shape, max)
	if err != nil {
		return Array{}, err
	}
	data, err := limit.ReadDeclared(r, size)
	var over *limit.Error
	switch {
	case errors.As(err, &over):
		return Array{}, fmt.Errorf("trailing bytes after the %d that shape %v of %s takes; is the file one whole array?", size, h.shape, h.dtype.name())
	case errors.Is(err, io.ErrUnexpectedEOF) && int64(len(data)) < size:
		return Array{}, fmt.Errorf("truncated: shape %v of %s takes %d bytes, found %d; save the array again: %w", h.shape, h.dtype.name(), size, len(data), err)
	case err != nil:
		return Array{}, fmt.Errorf("elements, after %d of %d bytes: %w", len(data), size, err)
	}
	return Info{DType: h.dtype.name(), Shape: h.shape, Fortran: h.fortran, dtype: h.dtype}.array(data), nil
}

// header is what stands before the elements.
type header struct {
	dtype   dtype
	fortran bool // the first index varies fastest
	shape   []int
}

func readHeader(r io.Reader) (header, error) {
	var start [8]byte
	if n, err := io.ReadFull(r, start[:]); err != nil {
		return header{}, fmt.Errorf("not an NPY file: expected 8 bytes of magic number and version, found %d: %w", n, err)
	}
	if string(start[:6]) != signature {
		return header{}, fmt.Errorf("not an NPY file: expected it to begin with %q, found %q; the file is %s", signature, start[:6], magic.Found(start[:]))
	}
	length := make([]byte, 4)
	if start[6] < 1 || start[6] > 3 {
		return header{}, fmt.Errorf("NPY version %d.%d, expected 1.0, 2.0 or 3.0", start[6], start[7])
	}
	if start[6] == 1 {
		length = length[:2]
	}
	if _, err := io.ReadFull(r, length); err != nil {
		return header{}, fmt.Errorf("truncated in the length of the header: %w", err)
	}
	n := binary.LittleEndian.Uint32(append(length, 0, 0)[:4])
	if n > maxHeader {
		return header{}, fmt.Errorf("the header declares %d bytes, at most %d are permitted", n, maxHeader)
	}
	text := make([]byte, n)
	if got, err := io.ReadFull(r, text); err != nil {
		return header{}, fmt.Errorf("truncated: the header declares %d bytes, found %d: %w", n, got, err)
	}
	return parseHeader(string(text))
}

// The dictionary's keys may stand in any order; that they are all, and what their
// values look like, the patterns say.
var (
	descrPattern   = regexp.MustCompile(`'descr'\s*:\s*('[^']*'|\[)`)
	fortranPattern = regexp.MustCompile(`'fortran_order'\s*:\s*(True|False)`)
	shapePattern   = regexp.MustCompile(`'shape'\s*:\s*\(([0-9L, ]*)\)`)
)

func parseHeader(text string) (h header, err error) {
	descr, fortran, shape := descrPattern.FindStringSubmatch(text), fortranPattern.FindStringSubmatch(text), shapePattern.FindStringSubmatch(text)
	if descr == nil || fortran == nil || shape == nil {
		return h, fmt.Errorf("header %q: expected descr, fortran_order and shape", cut(text))
	}
	if descr[1] == "[" {
		return h, fmt.Errorf("header %q: arrays of records are not supported; save each field as an array of its own", cut(text))
	}
	if h.dtype, err = parseDType(strings.Trim(descr[1], "'")); err != nil {
		return h, err
	}
	h.fortran = fortran[1] == "True"
	h.shape = []int{}
	for field := range strings.SplitSeq(shape[1], ",") {
		field = strings.TrimSuffix(strings.TrimSpace(field), "L") // as Python 2 wrote numbers
		if field == "" {
			continue
		}
		d, err := strconv.Atoi(field)
		if err != nil || len(h.shape) == maxDims {
			return h, fmt.Errorf("shape (%s): expected at most %d sizes", cut(shape[1]), maxDims)
		}
		h.shape = append(h.shape, d)
	}
	return h, nil
}

// cut shortens what stands in a message.
func cut(s string) string {
	const most = 120
	s = strings.TrimSpace(s)
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// swap turns big-endian elements into little-endian ones, in place.
func swap(data []byte, d dtype) {
	unit := d.size
	if d.class == 'U' {
		unit = 4
	}
	if d.class == 'S' || unit < 2 {
		return
	}
	for ; len(data) >= unit; data = data[unit:] {
		slices.Reverse(data[:unit])
	}
}

// rowMajor orders the elements of an array whose first index varies fastest, in place:
// it follows the cycles of that permutation, with a bit for each element that has moved.
func rowMajor[T any](data []T, size int, shape []int) {
	n := len(data) / max(size, 1)
	moved := make([]uint64, n/64+1)
	taken, spare := make([]T, size), make([]T, size)
	for first := range n {
		if moved[first/64]>>(first%64)&1 == 1 {
			continue
		}
		copy(taken, data[first*size:])
		for at := rowMajorIndex(first, shape); ; at = rowMajorIndex(at, shape) {
			place := data[at*size : (at+1)*size]
			copy(spare, place)
			copy(place, taken)
			taken, spare = spare, taken
			moved[at/64] |= 1 << (at % 64)
			if at == first {
				break
			}
		}
	}
}

// rowMajorIndex is the place in row-major order of element k of an array whose first
// index varies fastest.
func rowMajorIndex(k int, shape []int) (at int) {
	for _, d := range shape {
		at = at*d + k%d
		k /= d
	}
	return at
}

// WriteNPY writes an array. It fails without writing where DType, Shape and Data
// disagree.
func WriteNPY(w io.Writer, a Array) error {
	if _, err := a.check(); err != nil {
		return fmt.Errorf("npz: write: %w", err)
	}
	if len(a.Shape) > maxDims {
		return fmt.Errorf("npz: write: %d dimensions, the format holds at most %d", len(a.Shape), maxDims)
	}
	if _, err := w.Write(encodeHeader(a)); err != nil {
		return fmt.Errorf("npz: write: %w", err)
	}
	if _, err := w.Write(a.Data); err != nil {
		return fmt.Errorf("npz: write: %w", err)
	}
	return nil
}

// encodeHeader is everything before the elements, in version 1.0.
func encodeHeader(a Array) []byte {
	var dims strings.Builder
	for _, d := range a.Shape {
		fmt.Fprintf(&dims, "%d, ", d)
	}
	shape := strings.TrimSuffix(dims.String(), " ")
	if len(a.Shape) != 1 { // a tuple of one keeps its comma
		shape = strings.TrimSuffix(shape, ",")
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\x01\x00\x00\x00{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", signature, a.DType, shape)
	for b.Len()%alignment != alignment-1 {
		b.WriteByte(' ')
	}
	b.WriteByte('\n')
	binary.LittleEndian.PutUint16(b.Bytes()[8:], uint16(b.Len()-10))
	return b.Bytes()
}
