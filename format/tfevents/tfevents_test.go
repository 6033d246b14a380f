package tfevents

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
)

func all(r io.Reader) (events []Event, err error) {
	for d := NewReader(r); ; {
		e, err := d.Next()
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return events, err
		}
		events = append(events, e)
	}
}

var sample = []Event{
	{WallTime: 1.7e9, Version: Version},
	{WallTime: 1.7e9 + 0.25, Step: 100, Scalars: []Scalar{{"train/loss", 0.5}, {"train/accuracy", 87.25}}},
	{Step: -1, Scalars: []Scalar{{"", float32(math.Inf(-1))}}},
}

func file(events []Event) (b []byte) {
	for _, e := range events {
		b = Append(b, e)
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	got, err := all(bytes.NewReader(file(sample)))
	if err != nil || !reflect.DeepEqual(got, sample) {
		t.Errorf("%+v, %v, want %+v", got, err, sample)
	}
}

// The first record of a file, byte for byte, its checks computed bit by bit by
// another program.
func TestGolden(t *testing.T) {
	const want = "1800000000000000a37f4b220900000000000000001a0d627261696e2e4576656e743a32eedf28a3"
	got := hex.EncodeToString(Append(nil, Event{Version: Version}))
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestDamage(t *testing.T) {
	whole := file(sample[1:2])
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"text", []byte("step,loss\n1,0.5\n"), "check of the length"},
		{"half a head", whole[:7], "cut off"},
		{"half a record", whole[:len(whole)-5], "cut off"},
		{"a flipped bit", flipped(whole, 20), "check of the data"},
		{"a flipped length", flipped(whole, 0), "check of the length"},
		{"a huge record", huge(), "want at most"},
		{"no message", record([]byte{0xff}), "not an event"},
		{"a cut field", record([]byte{0x1a, 200}), "field 3"},
	} {
		if _, err := all(bytes.NewReader(c.file)); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "record 0") {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func flipped(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 1
	return b
}

// record frames any bytes.
func record(data []byte) []byte {
	b := Append(nil, Event{Version: string(make([]byte, len(data)))}) // a frame, refilled below
	b = b[:8]
	clear(b)
	b[0] = byte(len(data))
	b = appendCheck(b, b)
	return appendCheck(append(b, data...), data)
}

func huge() []byte {
	b := []byte{0, 0, 0, 0, 1, 0, 0, 0}
	return appendCheck(b, b)
}

func appendCheck(b, of []byte) []byte {
	c := check(of)
	return append(b, byte(c), byte(c>>8), byte(c>>16), byte(c>>24))
}

// Fields and kinds of values that are not known are skipped.
func TestSkipsUnknown(t *testing.T) {
	data := encode(sample[1])
	data = append(data, 0x30, 7, 0x2a, 4, 0x0a, 2, 0x0a, 0) // a varint of field 6, and a summary of a value without a number
	got, err := all(bytes.NewReader(record(data)))
	if err != nil || !reflect.DeepEqual(got, sample[1:2]) {
		t.Errorf("%+v, %v", got, err)
	}
}

// Whatever is read is written to the same events again.
func FuzzRead(f *testing.F) {
	f.Add(file(sample))
	f.Add(file(sample)[:40])
	f.Add(record([]byte{0x2a, 0}))
	f.Fuzz(func(t *testing.T, b []byte) {
		events, err := all(bytes.NewReader(b))
		if err != nil {
			return
		}
		again, err := all(bytes.NewReader(file(events)))
		if err != nil || !same(events, again) {
			t.Fatalf("%+v, then %+v, %v", events, again, err)
		}
	})
}

// FuzzRoundTrip writes and reads an event.
func FuzzRoundTrip(f *testing.F) {
	f.Add(1.5, int64(3), "train/loss", float32(0.25))
	f.Fuzz(func(t *testing.T, wall float64, step int64, tag string, value float32) {
		want := []Event{{WallTime: wall, Step: step, Scalars: []Scalar{{tag, value}}}}
		got, err := all(bytes.NewReader(file(want)))
		if err != nil || !same(got, want) {
			t.Fatalf("%+v, %v, want %+v", got, err, want)
		}
	})
}

// same compares with NaN equal to itself.
func same(a, b []Event) bool {
	return fmt.Sprintf("%q", fmt.Sprint(a)) == fmt.Sprintf("%q", fmt.Sprint(b))
}

func Example() {
	file := Append(nil, Event{Version: Version})
	file = Append(file, Event{Step: 1, Scalars: []Scalar{{"train/loss", 2.25}}})
	for r := NewReader(bytes.NewReader(file)); ; {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(e.Step, e.Version, e.Scalars)
	}
	// Output:
	// 0 brain.Event:2 []
	// 1  [{train/loss 2.25}]
}
