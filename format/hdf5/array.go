package hdf5

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strings"
	"unsafe"
)

// Array is a data set or the value of an attribute: of a file, whose elements are read
// when they are asked for, or made by F32 and its like. An empty Shape is a scalar.
type Array struct {
	Type  Type
	Shape []int
	Null  bool // it has no elements at all, whatever Shape says (h5py.Empty)

	storage storage
	at, n   uint64   // of contiguous elements: where, and how many bytes; of chunks the B-tree
	chunk   []int    // the shape of a chunk
	chain   []filter // in the order of writing
	fill    []byte   // an element that was not written; nil is zero
	refused error    // why the elements cannot be read

	data   []byte   // the elements of a compact or made array
	items  [][]byte // the strings or sequences of a made array
	source *source  // the file; nil of a made array
}

type storage int

const (
	compact storage = iota
	contiguous
	chunked
)

// maxDims is how many dimensions an array may have, the format's own limit.
const maxDims = 32

// space reads a data space into an array's shape.
func (c *cursor) space(a *Array) error {
	version, rank, flags := c.u8(), c.u8(), c.u8()
	switch version {
	case 1:
		c.bytes(5)
	case 2:
		const null = 2
		a.Null = c.u8() == null
	default:
		return fmt.Errorf("data space of version %d: 1 and 2 are read; %s", version, advice)
	}
	if rank > maxDims {
		return fmt.Errorf("data space of %d dimensions, at most %d are permitted; the file is damaged", rank, maxDims)
	}
	a.Shape = make([]int, rank)
	for i := range a.Shape {
		d := c.u64()
		if d > math.MaxInt64 {
			return fmt.Errorf("dimension %d has %d elements; the file is damaged", i, d)
		}
		a.Shape[i] = int(d)
	}
	if flags&1 == 1 {
		c.bytes(8 * rank) // how far it may grow
	}
	if _, err := product(a.Shape, 1); err != nil {
		return err
	}
	return c.done()
}

// product is the number of bytes of elements.
func product(shape []int, size int) (int64, error) {
	n := uint64(size)
	for _, d := range shape {
		if d == 0 {
			return 0, nil
		}
	}
	for _, d := range shape {
		hi, lo := bits.Mul64(n, uint64(d))
		if hi != 0 || lo > 1<<61 {
			return 0, fmt.Errorf("shape %v of elements of %d bytes is absurdly large; the file is damaged", shape, size)
		}
		n = lo
	}
	return int64(n), nil
}

// bytes is how many elements the array has, and how many bytes they are. Those that no
// machine can have are as many as a file cannot have either.
func (a *Array) bytes() (n, size int64) {
	if a.Null {
		return 0, 0
	}
	n, err := product(a.Shape, 1)
	if err == nil {
		size, err = product(a.Shape, a.Type.Size)
	}
	if err != nil {
		return 1 << 61, 1 << 61
	}
	return n, size
}

// Len is the number of elements.
func (a *Array) Len() int {
	n, _ := a.bytes()
	return int(n)
}

// Size is how many bytes the elements take in a file: strings and sequences those of the
// references to them.
func (a *Array) Size() int64 {
	_, size := a.bytes()
	return size
}

// layout reads where an array's elements stand.
func (c *cursor) layout(a *Array) error {
	if version := c.u8(); version != 3 {
		return fmt.Errorf("data layout of version %d, 3 is read; %s", version, advice)
	}
	a.storage = storage(c.u8())
	switch a.storage {
	case compact:
		a.data = c.bytes(c.u16())
	case contiguous:
		a.at, a.n = c.u64(), c.u64()
	case chunked:
		rank := c.u8() - 1 // the last is the size of an element
		if rank < 1 || rank > maxDims {
			return fmt.Errorf("chunks of %d dimensions; the file is damaged", rank)
		}
		a.at = c.u64()
		for range rank {
			a.chunk = append(a.chunk, int(c.u32()))
		}
		a.n = uint64(c.u32())
	default:
		return fmt.Errorf("data layout of class %d: compact, contiguous and chunked ones are read; %s", a.storage, advice)
	}
	return nil
}

// Storage says how the elements are stored: "contiguous", "chunks of 64×64, shuffle, deflate".
func (a *Array) Storage() string {
	parts := []string{[]string{"compact", "contiguous", "chunks of "}[a.storage]}
	for i, d := range a.chunk {
		if i > 0 {
			parts[0] += "×"
		}
		parts[0] += fmt.Sprint(d)
	}
	for _, f := range a.chain {
		parts = append(parts, f.String())
	}
	return strings.Join(parts, ", ")
}

// Bytes reads the elements as they stand in a file, row-major and little-endian. Of strings
// and sequences of variable length there is nothing to be seen in them: an error.
func (a *Array) Bytes() ([]byte, error) {
	if a.Type.isVariable() {
		return nil, a.fault(errors.New("elements of variable length have no bytes of their own; read them with Strings or Sequences"))
	}
	size, err := a.check(a.Type.Size)
	if err != nil {
		return nil, a.fault(err)
	}
	b := make([]byte, size)
	return b, a.fault(a.raw(b))
}

// Float64s reads numbers of any type. Booleans and enumerations become their integers;
// integers beyond ±2⁵³ are rounded.
func (a *Array) Float64s() ([]float64, error) {
	v, err := numbers(a, a.Type.float())
	return v, a.fault(err)
}

// Int64s reads integers, booleans and enumerations. An integer above 2⁶³ − 1 is an error.
func (a *Array) Int64s() ([]int64, error) {
	v, err := numbers(a, a.Type.int())
	for i, x := range v {
		if x < 0 && !a.Type.Signed && err == nil {
			v, err = nil, fmt.Errorf("element %d is %d, too large for an int64; read them as Float64s", i, uint64(x))
		}
	}
	return v, a.fault(err)
}

// fault names the package in an error.
func (a *Array) fault(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("hdf5: array of %s %v: %w", a.Type, a.Shape, err)
}

// numbers reads all elements by get. The bytes stand in the last part of the memory that
// becomes the numbers, so that it is taken once.
func numbers[T int64 | float64](a *Array, get func([]byte) T) ([]T, error) {
	if get == nil {
		return nil, errors.New("expected numbers of another type; see Array.Type for what they are")
	}
	if _, err := a.check(8); err != nil {
		return nil, err
	}
	v := make([]T, a.Len())
	if len(v) == 0 {
		return v, nil
	}
	memory := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 8*len(v))
	size := a.Type.Size
	b := memory[(8-size)*len(v):]
	if err := a.raw(b); err != nil {
		return nil, err
	}
	for i := range v {
		v[i] = get(b[i*size:])
	}
	return v, nil
}

// Strings reads strings, without what fills those of fixed length up.
func (a *Array) Strings() ([]string, error) {
	if a.Type.Class != String {
		return nil, a.fault(errors.New("expected strings; read it with Float64s or Sequences"))
	}
	v, err := collect(a, a.Type.text)
	return v, a.fault(err)
}

// Text reads a string alone, such as h5py stores a str as.
func (a *Array) Text() (string, error) {
	v, err := a.Strings()
	if err == nil && len(v) != 1 {
		err = a.fault(fmt.Errorf("expected one string, found %d", len(v)))
	}
	if err != nil {
		return "", err
	}
	return v[0], nil
}

// Sequences reads numbers of variable length.
func (a *Array) Sequences() ([][]float64, error) {
	if a.Type.Class != Sequence || a.Type.Elem.float() == nil {
		return nil, a.fault(errors.New("expected sequences of numbers; read it with Float64s or Strings"))
	}
	elem := *a.Type.Elem
	get := elem.float()
	v, err := collect(a, func(b []byte) []float64 {
		v := make([]float64, len(b)/elem.Size)
		for i := range v {
			v[i] = get(b[i*elem.Size:])
		}
		return v
	})
	return v, a.fault(err)
}

// check is an error where the elements cannot be read, or take too much memory at so many bytes
// each. It tells how many they take.
func (a *Array) check(each int) (int64, error) {
	n, size := a.bytes()
	switch {
	case a.Type.refused != nil:
		return 0, a.Type.refused
	case a.refused != nil:
		return 0, a.refused
	case a.fill != nil && len(a.fill) != a.Type.Size:
		return 0, fmt.Errorf("a fill value of %d bytes for elements of %d; the file is damaged", len(a.fill), a.Type.Size)
	}
	if a.source == nil {
		return n * int64(each), a.made(n, size)
	}
	const most = 1 << 48 // so that the product below is none too large
	if n > most {
		return 0, fmt.Errorf("%d elements are more than any machine holds; the file is damaged", n)
	}
	err := a.source.fits(n * int64(each))
	if err == nil {
		err = a.located(size)
	}
	return n * int64(each), err
}

// located is an error where the file cannot have the elements.
func (a *Array) located(size int64) error {
	switch a.storage {
	case compact:
		if int64(len(a.data)) < size {
			return fmt.Errorf("%d bytes of elements stand in a header of %d; the file is damaged", size, len(a.data))
		}
	case contiguous:
		if a.at == undefined {
			return nil
		}
		if a.n < uint64(size) {
			return fmt.Errorf("the elements take %d bytes, the layout has %d; the file is damaged", size, a.n)
		}
		return a.source.holds("elements", a.at, uint64(size))
	case chunked:
		return a.checkChunks(size)
	}
	return nil
}

// made is an error where the memory of a made array does not fit its shape.
func (a *Array) made(n, size int64) error {
	if a.Type.isVariable() {
		if int64(len(a.items)) != n {
			return fmt.Errorf("shape %v has %d elements, found %d", a.Shape, n, len(a.items))
		}
		return nil
	}
	if int64(len(a.data)) != size {
		return fmt.Errorf("shape %v has %d elements of %d bytes, found %d bytes", a.Shape, n, a.Type.Size, len(a.data))
	}
	return nil
}

// raw fills b with the bytes of all elements, which check has found to be there.
func (a *Array) raw(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	switch {
	case a.storage == compact:
		copy(b, a.data)
		return nil
	case a.storage == chunked:
		a.blank(b)
		return a.readChunks(b)
	case a.at == undefined:
		a.blank(b)
		return nil
	}
	return a.source.read(b, int64(a.at))
}

// blank fills b with the fill value.
func (a *Array) blank(b []byte) {
	if a.fill == nil {
		clear(b)
		return
	}
	for i := 0; i < len(b); i += len(a.fill) {
		copy(b[i:], a.fill)
	}
}

// pieces passes the bytes of the elements to take one piece after the other: all at once
// only where they are in chunks.
func (a *Array) pieces(take func(b []byte) error) error {
	_, size := a.bytes()
	if a.storage != contiguous || a.at == undefined {
		b := make([]byte, size)
		if err := a.raw(b); err != nil {
			return err
		}
		return take(b)
	}
	piece := int64(max(1, (1<<18)/a.Type.Size) * a.Type.Size)
	b := make([]byte, min(size, piece))
	for at := int64(0); at < size; at += piece {
		b = b[:min(piece, size-at)]
		if err := a.source.read(b, int64(a.at)+at); err != nil {
			return err
		}
		if err := take(b); err != nil {
			return err
		}
	}
	return nil
}

// Each reads numbers and passes them to take, in pieces; of strings and sequences nothing.
// The piece is taken back afterwards.
func (a *Array) Each(take func(piece []float64) error) error {
	get := a.Type.float()
	if get == nil || a.Type.refused != nil {
		return nil
	}
	if _, err := a.check(a.Type.Size); err != nil {
		return a.fault(err)
	}
	var piece [1 << 12]float64
	return a.pieces(func(b []byte) error {
		for n := 0; len(b) > 0; b = b[n*a.Type.Size:] {
			n = min(len(piece), len(b)/a.Type.Size)
			for i := range n {
				piece[i] = get(b[i*a.Type.Size:])
			}
			if err := take(piece[:n]); err != nil {
				return err
			}
		}
		return nil
	})
}

// collect makes a value of the bytes of each string or sequence.
func collect[T any](a *Array, value func([]byte) T) ([]T, error) {
	const header = 16 // bytes of a string's or a slice's own
	if _, err := a.check(max(header, a.Type.Size)); err != nil {
		return nil, err
	}
	if a.items != nil {
		return valuesOf(a.items, value), nil
	}
	v := make([]T, 0, a.Len())
	h := heapReader{a: a, left: math.MaxInt64}
	if a.source != nil {
		h.left = a.source.lim.Bytes
	}
	err := a.pieces(func(b []byte) error {
		for ; len(b) > 0; b = b[a.Type.Size:] {
			item := b[:a.Type.Size]
			if a.Type.isVariable() {
				var err error
				if item, err = h.item(item); err != nil {
					return fmt.Errorf("element %d: %w", len(v), err)
				}
			}
			v = append(v, value(item))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

func valuesOf[T any](items [][]byte, value func([]byte) T) []T {
	v := make([]T, len(items))
	for i, b := range items {
		v[i] = value(b)
	}
	return v
}

// full reads all of p, where an early end is one.
func full(r io.Reader, p []byte) error {
	if _, err := io.ReadFull(r, p); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	return nil
}
