// Package idx reads and writes the IDX format, in which MNIST and its kin are
// distributed: arrays of unsigned bytes with a small big-endian header.
//
//	00 00 08 n   magic: two zeros, the element type (08: unsigned byte), the number n of dimensions
//	d1 … dn      n sizes, 4 bytes each, most significant byte first
//	data         d1·…·dn bytes, row-major (the last index varies fastest)
//
// Files are usually gzip-compressed; decompressing is up to the caller.
package idx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"synfire/internal/limit"
)

// DefaultMax is the largest array, in bytes, that Read accepts unless told
// otherwise: 1 GiB.
const DefaultMax = 1 << 30

// ubyte is the code of the element type unsigned byte.
const ubyte = 0x08

// elementTypes names the codes of the format's types, for error messages.
var elementTypes = map[byte]string{
	0x08: "unsigned byte", 0x09: "signed byte", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64",
}

// Array is an array of unsigned bytes, row-major, with len(Data) the product
// of Dims.
type Array struct {
	Dims []int
	Data []byte
}

// Read reads one array, which must be the whole of r. An array that declares
// more than max bytes is refused before memory is taken for it; max ≤ 0 means
// DefaultMax. Memory grows with the bytes that really come.
func Read(r io.Reader, max int64) (*Array, error) {
	if max <= 0 {
		max = DefaultMax
	}
	dims, size, err := readHeader(r, max)
	if err != nil {
		return nil, err
	}
	body, err := limit.ReadDeclared(r, size)
	var over *limit.Error
	switch {
	case errors.As(err, &over):
		return nil, fmt.Errorf("idx: trailing bytes after the %d that dimensions %v declare; check that the file is one whole array", size, dims)
	case errors.Is(err, io.ErrUnexpectedEOF) && int64(len(body)) < size:
		return nil, fmt.Errorf("idx: truncated: dimensions %v declare %d bytes, found %d; fetch the file again: %w", dims, size, len(body), err)
	case err != nil:
		return nil, fmt.Errorf("idx: data, after %d of %d bytes: %w", len(body), size, err)
	}
	return &Array{Dims: dims, Data: body}, nil
}

// ReadInfo reads the header alone: the dimensions of the array.
func ReadInfo(r io.Reader) ([]int, error) {
	dims, _, err := readHeader(r, math.MaxInt64)
	return dims, err
}

func readHeader(r io.Reader, max int64) (dims []int, size int64, err error) {
	var magic [4]byte
	if n, err := io.ReadFull(r, magic[:]); err != nil {
		return nil, 0, fmt.Errorf("idx: magic number: expected 4 bytes, found %d: %w", n, err)
	}
	if err := checkMagic(magic); err != nil {
		return nil, 0, err
	}
	sizes := make([]byte, 4*int(magic[3]))
	if n, err := io.ReadFull(r, sizes); err != nil {
		return nil, 0, fmt.Errorf("idx: truncated: %d dimensions take %d bytes, found %d: %w", magic[3], len(sizes), n, err)
	}
	size = 1
	for i := range int(magic[3]) {
		d := int64(binary.BigEndian.Uint32(sizes[4*i:]))
		if d > max || (d > 0 && size > max/d) {
			return nil, 0, fmt.Errorf("idx: dimension %d of %d is %d: the array is larger than the permitted %d bytes", i+1, magic[3], d, max)
		}
		size *= d
		dims = append(dims, int(d))
	}
	return dims, size, nil
}

func checkMagic(m [4]byte) error {
	found := fmt.Sprintf("% x", m)
	switch {
	case m[0] == 0x1f && m[1] == 0x8b:
		return fmt.Errorf("idx: magic number: expected 00 00 08 and the number of dimensions, found %s: the input is gzip-compressed, decompress it first", found)
	case m[0] != 0 || m[1] != 0 || elementTypes[m[2]] == "":
		return fmt.Errorf("idx: magic number: expected 00 00 08 and the number of dimensions, found %s: not an IDX file", found)
	case m[2] != ubyte:
		return fmt.Errorf("idx: magic number: expected element type 08 (unsigned byte), found %02x (%s), which is not supported", m[2], elementTypes[m[2]])
	case m[3] == 0:
		return fmt.Errorf("idx: magic number: expected at least 1 dimension, found 0 (%s)", found)
	}
	return nil
}

// Write writes a. It fails without writing where Dims and Data disagree or
// the format cannot hold them.
func Write(w io.Writer, a *Array) error {
	if len(a.Dims) == 0 || len(a.Dims) > math.MaxUint8 {
		return fmt.Errorf("idx: write: %d dimensions, the format holds 1 to 255", len(a.Dims))
	}
	head := []byte{0, 0, ubyte, byte(len(a.Dims))}
	size := 1
	for _, d := range a.Dims {
		if d < 0 || int64(d) > math.MaxUint32 {
			return fmt.Errorf("idx: write: dimensions %v: %d does not fit in 32 bits without sign", a.Dims, d)
		}
		if d > 0 && size > math.MaxInt/d {
			return fmt.Errorf("idx: write: dimensions %v overflow", a.Dims)
		}
		size *= d
		head = binary.BigEndian.AppendUint32(head, uint32(d))
	}
	if size != len(a.Data) {
		return fmt.Errorf("idx: write: dimensions %v need %d bytes, found %d", a.Dims, size, len(a.Data))
	}
	if _, err := w.Write(head); err != nil {
		return fmt.Errorf("idx: write: %w", err)
	}
	if _, err := w.Write(a.Data); err != nil {
		return fmt.Errorf("idx: write: %w", err)
	}
	return nil
}
