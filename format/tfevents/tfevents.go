// Package tfevents reads and writes the event files that TensorBoard shows, as
// far as curves need them: named numbers over steps.
//
// A file is a sequence of records of the TFRecord format,
//
//	length    8 bytes, least significant first
//	check     4 bytes: masked CRC-32C of the 8 bytes before
//	data      length bytes
//	check     4 bytes: masked CRC-32C of the data
//
// with mask(c) = ((c >> 15) | (c << 17)) + 0xa282ead8, by which checks of data
// that holds checks stay strong. The data of a record is an Event message in the
// encoding of protocol buffers:
//
//	Event    1: wall time (double, seconds since 1970)   2: step (int64)
//	         3: file version (string)                    5: Summary
//	Summary  1: Value, repeated
//	Value    1: tag (string)                             2: simple value (float)
//
// The first event of a file names the version "brain.Event:2". Other fields are
// skipped when reading.
package tfevents

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"synfire/internal/limit"
)

// Version is the file version that the first event of a file states.
const Version = "brain.Event:2"

// MaxRecord is the largest record, in bytes, that is read: 1 MiB.
const MaxRecord = 1 << 20

// Event is one record.
type Event struct {
	WallTime float64 // seconds since 1970
	Step     int64
	Version  string // of the file, in its first event alone
	Scalars  []Scalar
}

// Scalar is a named number; slashes in its tag group curves.
type Scalar struct {
	Tag   string
	Value float32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func check(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// Append appends the event as a record.
func Append(b []byte, e Event) []byte {
	data := encode(e)
	start := len(b)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, check(b[start:]))
	b = append(b, data...)
	return binary.LittleEndian.AppendUint32(b, check(data))
}

// Fields of the messages.
const (
	eventWallTime, eventStep, eventVersion, eventSummary = 1, 2, 3, 5
	summaryValue                                         = 1
	valueTag, valueSimple                                = 1, 2
)

func encode(e Event) (b []byte) {
	b = protowire.AppendTag(b, eventWallTime, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, math.Float64bits(e.WallTime))
	if e.Step != 0 {
		b = protowire.AppendTag(b, eventStep, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(e.Step))
	}
	if e.Version != "" {
		b = protowire.AppendTag(b, eventVersion, protowire.BytesType)
		b = protowire.AppendString(b, e.Version)
	}
	if len(e.Scalars) == 0 {
		return b
	}
	var summary []byte
	for _, s := range e.Scalars {
		var value []byte
		value = protowire.AppendTag(value, valueTag, protowire.BytesType)
		value = protowire.AppendString(value, s.Tag)
		value = protowire.AppendTag(value, valueSimple, protowire.Fixed32Type)
		value = protowire.AppendFixed32(value, math.Float32bits(s.Value))
		summary = protowire.AppendTag(summary, summaryValue, protowire.BytesType)
		summary = protowire.AppendBytes(summary, value)
	}
	b = protowire.AppendTag(b, eventSummary, protowire.BytesType)
	return protowire.AppendBytes(b, summary)
}

// Reader reads the events of a file, in order.
type Reader struct {
	r      io.Reader
	record int
}

// NewReader reads from r, which it does not buffer.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

// Next is the next event, or io.EOF after the last. A record that is cut off,
// longer than MaxRecord or damaged is an error.
func (r *Reader) Next() (Event, error) {
	e, err := r.next()
	if err != nil && !errors.Is(err, io.EOF) {
		return e, fmt.Errorf("read TensorBoard events, record %d: %w", r.record, err)
	}
	r.record++
	return e, err
}

func (r *Reader) next() (Event, error) {
	var head [12]byte
	if _, err := io.ReadFull(r.r, head[:]); err != nil {
		return Event{}, cutOff(err)
	}
	n := binary.LittleEndian.Uint64(head[:])
	if got, want := check(head[:8]), binary.LittleEndian.Uint32(head[8:]); got != want {
		return Event{}, fmt.Errorf("the check of the length is %08x, want %08x: not an event file, or a damaged one", want, got)
	}
	if n > MaxRecord {
		return Event{}, fmt.Errorf("%d bytes, want at most %d", n, MaxRecord)
	}
	data, err := limit.ReadDeclared(io.LimitReader(r.r, int64(n)+4), int64(n)+4)
	if err != nil {
		return Event{}, cutOff(err)
	}
	data, sum := data[:n], binary.LittleEndian.Uint32(data[n:])
	if got := check(data); got != sum {
		return Event{}, fmt.Errorf("the check of the data is %08x, want %08x: the file is damaged", sum, got)
	}
	return decode(data)
}

// cutOff is io.EOF between records, and an error that is none within one.
func cutOff(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file is cut off")
	}
	return err
}

func decode(b []byte) (e Event, err error) {
	err = fields(b, func(num protowire.Number, typ protowire.Type, v []byte, n uint64) error {
		switch {
		case num == eventWallTime && typ == protowire.Fixed64Type:
			e.WallTime = math.Float64frombits(n)
		case num == eventStep && typ == protowire.VarintType:
			e.Step = int64(n)
		case num == eventVersion && typ == protowire.BytesType:
			e.Version = string(v)
		case num == eventSummary && typ == protowire.BytesType:
			return decodeSummary(v, &e)
		}
		return nil
	})
	return e, err
}

func decodeSummary(b []byte, e *Event) error {
	return fields(b, func(num protowire.Number, typ protowire.Type, v []byte, _ uint64) error {
		if num != summaryValue || typ != protowire.BytesType {
			return nil
		}
		var s Scalar
		scalar := false
		err := fields(v, func(num protowire.Number, typ protowire.Type, v []byte, n uint64) error {
			switch {
			case num == valueTag && typ == protowire.BytesType:
				s.Tag = string(v)
			case num == valueSimple && typ == protowire.Fixed32Type:
				s.Value, scalar = math.Float32frombits(uint32(n)), true
			}
			return nil
		})
		if scalar { // and not a picture, a histogram, …
			e.Scalars = append(e.Scalars, s)
		}
		return err
	})
}

// fields calls f for each field of a message, with its bytes or its number.
func fields(b []byte, f func(num protowire.Number, typ protowire.Type, v []byte, n uint64) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return fmt.Errorf("not an event: %w", protowire.ParseError(n))
		}
		b = b[n:]
		var bytes []byte
		var number uint64
		switch typ {
		case protowire.BytesType:
			bytes, n = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			number, n = protowire.ConsumeFixed64(b)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(b)
			number = uint64(v)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return fmt.Errorf("not an event: field %d: %w", num, protowire.ParseError(n))
		}
		if err := f(num, typ, bytes, number); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
