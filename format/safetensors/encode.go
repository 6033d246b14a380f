package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

const (
	metaKey   = "__metadata__"
	alignment = 8 // the data starts at a multiple of it, in bytes
)

// Encode writes f: metadata first, then the arrays, each sorted by name. It
// writes Meta as it stands, a "sha256" included; EncodeSummed computes that.
func Encode(w io.Writer, f File) error {
	e, err := newEncoding(f)
	if err != nil {
		return err
	}
	return e.write(w)
}

// encoding is a checked file that is ready to be written.
type encoding struct {
	header []byte
	sumAt  int // where in header the value of SumKey starts
	data   [][]byte
}

func newEncoding(f File) (*encoding, error) {
	e := &encoding{header: []byte{'{'}}
	if len(f.Meta) > 0 {
		if err := e.addMeta(f.Meta); err != nil {
			return nil, err
		}
	}
	offset := uint64(0)
	for _, name := range slices.Sorted(maps.Keys(f.Tensors)) {
		a := f.Tensors[name]
		if err := check(name, a); err != nil {
			return nil, fmt.Errorf("safetensors: encode tensor %q: %w", name, err)
		}
		end := offset + uint64(len(a.Data))
		e.addTensor(name, a, offset, end)
		offset = end
	}
	e.header = append(e.header, '}')
	for len(e.header)%alignment != 0 {
		e.header = append(e.header, ' ')
	}
	if len(e.header) > defaultHeaderBytes {
		return nil, fmt.Errorf("safetensors: encode: the header takes %d bytes, readers accept %d; split the file", len(e.header), defaultHeaderBytes)
	}
	return e, nil
}

// check says what is wrong with an array that is to be written.
func check(name string, a Array) error {
	if name == metaKey {
		return fmt.Errorf("this name is reserved for the metadata; choose another one")
	}
	if !utf8.ValidString(name) {
		return fmt.Errorf("the name is not valid UTF-8; choose another one")
	}
	n, err := byteLen(a.DType, a.Shape)
	if err != nil {
		return err
	}
	if n != uint64(len(a.Data)) {
		return fmt.Errorf("shape %v of %s takes %d bytes, Data has %d; give the shape of the data", a.Shape, a.DType, n, len(a.Data))
	}
	return nil
}

func (e *encoding) addMeta(meta map[string]string) error {
	e.addKey(metaKey)
	e.header = append(e.header, '{')
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		if !utf8.ValidString(key) || !utf8.ValidString(meta[key]) {
			return fmt.Errorf("safetensors: encode metadata %q: not valid UTF-8; store bytes as a U8 tensor", key)
		}
		e.addKey(key)
		if key == SumKey {
			e.sumAt = len(e.header) + len(`"`)
		}
		e.header = append(e.header, quote(meta[key])...)
	}
	e.header = append(e.header, '}')
	return nil
}

func (e *encoding) addTensor(name string, a Array, begin, end uint64) {
	e.addKey(name)
	e.header = fmt.Appendf(e.header, `{"dtype":%s,"shape":[`, quote(a.DType))
	for i, d := range a.Shape {
		if i > 0 {
			e.header = append(e.header, ',')
		}
		e.header = strconv.AppendInt(e.header, int64(d), 10)
	}
	e.header = fmt.Appendf(e.header, `],"data_offsets":[%d,%d]}`, begin, end)
	e.data = append(e.data, a.Data)
}

// addKey starts a member of the innermost open object.
func (e *encoding) addKey(key string) {
	if e.header[len(e.header)-1] != '{' {
		e.header = append(e.header, ',')
	}
	e.header = append(append(e.header, quote(key)...), ':')
}

// quote is s as a JSON string, with nothing escaped that need not be.
func quote(s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.Encode(s) // a string cannot fail
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func (e *encoding) write(w io.Writer) error {
	length := binary.LittleEndian.AppendUint64(nil, uint64(len(e.header)))
	for _, part := range append([][]byte{length, e.header}, e.data...) {
		if _, err := w.Write(part); err != nil {
			return fmt.Errorf("safetensors: write: %w", err)
		}
	}
	return nil
}
