package safetensors

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"

	"synfire/internal/limit"
	"synfire/internal/magic"
)

const (
	lengthBytes        = 8
	defaultHeaderBytes = 100_000_000
)

// Limits bounds what a reader accepts. Zero values stand for the defaults.
type Limits struct {
	HeaderBytes int64 // length of the header, in bytes; default 100,000,000
	DataBytes   int64 // length of all arrays together, in bytes; default: no bound but the file's size
}

func (l Limits) withDefaults() Limits {
	if l.HeaderBytes == 0 {
		l.HeaderBytes = defaultHeaderBytes
	}
	if l.DataBytes == 0 {
		l.DataBytes = math.MaxInt64
	}
	return l
}

// Decode reads a file that is in memory. The arrays share b's memory. It does
// not look at the checksum: see Verify.
func Decode(b []byte, lim Limits) (File, error) {
	d, err := decode(inMemory(b), int64(len(b)), lim)
	if err != nil {
		return File{}, err
	}
	return d.file(), nil
}

// DecodeReaderAt reads a file of size bytes. It holds no more than the header
// in memory before the header is known to fit the file. It does not look at
// the checksum.
func DecodeReaderAt(r io.ReaderAt, size int64, lim Limits) (File, error) {
	d, err := decode(readerAt(r), size, lim)
	if err != nil {
		return File{}, err
	}
	return d.file(), nil
}

// section returns the n bytes of a file at offset.
type section func(offset, n int64) ([]byte, error)

// inMemory hands out its bytes without a copy.
func inMemory(b []byte) section {
	return func(offset, n int64) ([]byte, error) {
		return b[offset : offset+n : offset+n], nil
	}
}

func readerAt(r io.ReaderAt) section {
	return func(offset, n int64) ([]byte, error) {
		if err := limit.Fits(n); err != nil {
			return nil, fmt.Errorf("safetensors: %w", err)
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(io.NewSectionReader(r, offset, n), b); err != nil {
			return nil, fmt.Errorf("safetensors: read %d bytes at offset %d: %w (copy the file again)", n, offset, err)
		}
		return b, nil
	}
}

// decoded is a file whose layout has been checked.
type decoded struct {
	head header
	raw  []byte // of the header
	data []byte
}

func decode(read section, size int64, lim Limits) (*decoded, error) {
	d, err := decodeHeader(read, size, lim)
	if err != nil {
		return nil, err
	}
	start := lengthBytes + int64(len(d.raw))
	d.data, err = read(start, size-start)
	return d, err
}

// decodeHeader checks the layout and leaves the data unread.
func decodeHeader(read section, size int64, lim Limits) (*decoded, error) {
	lim = lim.withDefaults()
	head, err := read(0, min(size, magic.Bytes))
	if err != nil {
		return nil, err
	}
	ours := len(head) > lengthBytes && head[lengthBytes] == '{'
	if what := magic.What(head); what != "" && len(head) > 0 && !ours {
		return nil, fmt.Errorf("safetensors: decode: the file is %s, not safetensors; name another file", what)
	}
	if size < lengthBytes {
		return nil, fmt.Errorf("safetensors: decode: %d bytes, a file has at least %d; it is truncated or of another format", size, lengthBytes)
	}
	if !ours && len(head) >= lengthBytes && binary.LittleEndian.Uint64(head) > uint64(size-lengthBytes) {
		return nil, fmt.Errorf("safetensors: decode: the file is %s, not safetensors; name another file", magic.Found(head))
	}
	n, rest := binary.LittleEndian.Uint64(head), size-lengthBytes
	if n > uint64(lim.HeaderBytes) {
		return nil, fmt.Errorf("safetensors: decode: the header claims %d bytes, the limit is %d; the file is of another format, or Limits.HeaderBytes must be raised", n, lim.HeaderBytes)
	}
	if n > uint64(rest) {
		return nil, fmt.Errorf("safetensors: decode: the header claims %d bytes, %d follow; the file is truncated: copy it again", n, rest)
	}
	d := &decoded{}
	if d.raw, err = read(lengthBytes, int64(n)); err != nil {
		return nil, err
	}
	if d.head, err = parseHeader(d.raw); err != nil {
		return nil, fmt.Errorf("safetensors: decode the header: %w", err)
	}
	dataLen := rest - int64(n)
	if dataLen > lim.DataBytes {
		return nil, fmt.Errorf("safetensors: decode: %d bytes of data, the limit is %d; raise Limits.DataBytes", dataLen, lim.DataBytes)
	}
	if err := checkLayout(d.head.tensors, uint64(dataLen)); err != nil {
		return nil, fmt.Errorf("safetensors: decode: %w", err)
	}
	return d, nil
}

// checkLayout demands that the arrays, in the order of their offsets, have the
// length of their shapes and cover the data from its first to its last byte.
func checkLayout(tensors []tensorInfo, dataLen uint64) error {
	sorted := slices.Clone(tensors)
	slices.SortStableFunc(sorted, func(a, b tensorInfo) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	covered := uint64(0)
	for _, t := range sorted {
		want, err := byteLen(t.dtype, t.shape)
		switch {
		case err != nil:
			return fmt.Errorf("tensor %q: %w", t.name, err)
		case t.end < t.begin:
			return fmt.Errorf("tensor %q: data_offsets [%d,%d] run backwards; the header is damaged", t.name, t.begin, t.end)
		case t.end-t.begin != want:
			return fmt.Errorf("tensor %q: shape %v of %s takes %d bytes, data_offsets [%d,%d] span %d; the header is damaged", t.name, t.shape, t.dtype, want, t.begin, t.end, t.end-t.begin)
		case t.begin < covered:
			return fmt.Errorf("tensor %q: data_offsets [%d,%d] overlap the tensor before, which ends at %d; the header is damaged", t.name, t.begin, t.end, covered)
		case t.begin > covered:
			return fmt.Errorf("tensor %q: data_offsets [%d,%d] leave a hole of %d bytes before them; write the file without holes", t.name, t.begin, t.end, t.begin-covered)
		case t.end > dataLen:
			return fmt.Errorf("tensor %q: data_offsets [%d,%d] end past the %d bytes of data; the file is truncated: copy it again", t.name, t.begin, t.end, dataLen)
		}
		covered = t.end
	}
	if covered != dataLen {
		return fmt.Errorf("the tensors cover %d bytes, the file has %d bytes of data; something was appended to the file or cut from its header", covered, dataLen)
	}
	return nil
}

// file gives the arrays their parts of the data, if that was read.
func (d *decoded) file() File {
	f := File{Meta: d.head.meta, Tensors: make(map[string]Array, len(d.head.tensors))}
	for _, t := range d.head.tensors {
		a := Array{DType: t.dtype, Shape: t.shape}
		if d.data != nil {
			a.Data = d.data[t.begin:t.end:t.end]
		}
		f.Tensors[t.name] = a
	}
	return f
}
