package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// What the outline of a file may have: fields of messages and bytes.
const (
	maxFields = 1 << 18
	maxBytes  = 16 << 20
)

// message says which fields of a message are of use: those with messages in them that matter, and
// those that are taken over as they are (nil). Others are left out.
type message map[protowire.Number]message

// The messages of ONNX by their fields' numbers.
var (
	keep        message
	tensorProto = message{1: keep, 2: keep, 3: keep, 4: keep, 5: keep, 6: keep, 7: keep, 8: keep, 9: keep, 10: keep, 11: keep, 13: keep, 14: keep}
	attribute   = message{1: keep, 2: keep, 3: keep, 4: keep, 5: tensorProto, 7: keep, 8: keep, 20: keep, 21: keep}
	nodeProto   = message{1: keep, 2: keep, 3: keep, 4: keep, 5: attribute, 7: keep}
	graphProto  = message{1: nodeProto, 2: keep, 5: tensorProto, 11: keep, 12: keep}
	modelProto  = message{1: keep, 2: keep, 3: keep, 7: graphProto, 8: keep}
)

// Fields of a TensorProto with elements of fixed width.
const (
	floatData  = 4
	rawData    = 9
	doubleData = 10
)

// isTensor reports whether a message is tensorProto: the one with raw data.
func (m message) isTensor() bool { _, ok := m[rawData]; return ok }

// reader reads a file forwards, by pieces.
type reader struct {
	r      io.ReaderAt
	at     int64
	piece  []byte // the last that was read
	start  int64  // where it stands in the file
	memory [16 << 10]byte
	fields int
	bytes  int
}

// outline copies a model without the elements of its arrays: in place of these it has, as raw data,
// the field that they stand in, where they begin and how many bytes they are.
func outline(r io.ReaderAt, size int64) ([]byte, error) {
	return (&reader{r: r}).copy(nil, modelProto, size)
}

// copy appends a message that ends at end.
func (r *reader) copy(dst []byte, m message, end int64) ([]byte, error) {
	arrays := 0
	for r.at < end {
		tag, err := r.varint(end)
		if err != nil {
			return nil, err
		}
		num, kind := protowire.DecodeTag(tag)
		if num < 1 {
			return nil, fmt.Errorf("a field of number %d at byte %d: not an ONNX model, or a damaged one", num, r.at)
		}
		length, err := r.length(kind, end)
		if err != nil {
			return nil, err
		}
		inner, known := m[num]
		switch {
		case !known:
			r.at += length
		case m.isTensor() && (num == floatData || num == rawData || num == doubleData):
			if arrays++; arrays > 1 || kind != protowire.BytesType {
				return nil, fmt.Errorf("an array at byte %d whose elements stand in pieces; write them as raw_data", r.at)
			}
			dst = appendPlace(dst, num, r.at, length)
			r.at += length
		case inner == nil:
			dst, err = r.take(protowire.AppendTag(dst, num, kind), kind, length)
		case kind != protowire.BytesType:
			err = fmt.Errorf("field %d at byte %d is no message: not an ONNX model, or a damaged one", num, r.at)
		default:
			var sub []byte
			sub, err = r.copy(nil, inner, r.at+length)
			dst = protowire.AppendBytes(protowire.AppendTag(dst, num, kind), sub)
		}
		if err != nil {
			return nil, err
		}
		if r.fields++; r.fields > maxFields {
			return nil, fmt.Errorf("more than %d fields of nodes and arrays; write the elements of arrays as raw_data", maxFields)
		}
	}
	return dst, nil
}

// length is that of a field's value, behind whatever says it.
func (r *reader) length(kind protowire.Type, end int64) (int64, error) {
	var n uint64
	switch kind {
	case protowire.VarintType:
		return r.varintLength(end)
	case protowire.Fixed32Type:
		n = 4
	case protowire.Fixed64Type:
		n = 8
	case protowire.BytesType:
		var err error
		if n, err = r.varint(end); err != nil {
			return 0, err
		}
	default:
		return 0, fmt.Errorf("a field of unknown wire type %d at byte %d: not an ONNX model, or a damaged one", kind, r.at)
	}
	if left := end - r.at; n > uint64(left) {
		return 0, fmt.Errorf("a field of %d bytes at byte %d, where %d are left: the file is truncated, or not an ONNX model", n, r.at, left)
	}
	return int64(n), nil
}

// varintLength is the length of the number that comes next.
func (r *reader) varintLength(end int64) (int64, error) {
	at := r.at
	_, err := r.varint(end)
	n := r.at - at
	r.at = at
	return n, err
}

// take appends a field's value as it stands.
func (r *reader) take(dst []byte, kind protowire.Type, length int64) ([]byte, error) {
	if r.bytes += int(length); length > maxBytes || r.bytes > maxBytes {
		return nil, fmt.Errorf("more than %d MB beside the elements of arrays; write these as raw_data", maxBytes>>20)
	}
	if kind == protowire.BytesType {
		dst = protowire.AppendVarint(dst, uint64(length))
	}
	for length > 0 {
		p, err := r.peek(length)
		if err != nil {
			return nil, err
		}
		dst = append(dst, p...)
		r.at += int64(len(p))
		length -= int64(len(p))
	}
	return dst, nil
}

// peek is what comes next, n bytes at most.
func (r *reader) peek(n int64) ([]byte, error) {
	from := r.at - r.start
	if from < 0 || from >= int64(len(r.piece)) {
		k, err := r.r.ReadAt(r.memory[:], r.at)
		if k == 0 {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		r.piece, r.start, from = r.memory[:k], r.at, 0
	}
	p := r.piece[from:]
	return p[:min(n, int64(len(p)))], nil
}

// varint reads a number of at most ten bytes.
func (r *reader) varint(end int64) (uint64, error) {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		if r.at >= end {
			return 0, errors.New("the file is truncated, or not an ONNX model")
		}
		p, err := r.peek(1)
		if err != nil {
			return 0, err
		}
		r.at++
		if v |= uint64(p[0]&0x7f) << shift; p[0] < 0x80 {
			return v, nil
		}
	}
	return 0, fmt.Errorf("a number of more than ten bytes at byte %d: not an ONNX model, or a damaged one", r.at)
}

// place is where the elements of an array stand in the file.
type place struct {
	field      protowire.Number
	at, length int64
}

func appendPlace(dst []byte, field protowire.Number, at, length int64) []byte {
	var b []byte
	for _, v := range []int64{int64(field), at, length} {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	return protowire.AppendBytes(protowire.AppendTag(dst, rawData, protowire.BytesType), b)
}

// placeOf undoes appendPlace.
func placeOf(raw []byte) place {
	at := func(i int) int64 { return int64(binary.LittleEndian.Uint64(raw[8*i:])) }
	return place{protowire.Number(at(0)), at(1), at(2)}
}
