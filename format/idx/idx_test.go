package idx_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"synfire/format/idx"
)

func TestRoundTrip(t *testing.T) {
	for _, a := range []*idx.Array{
		{Dims: []int{3}, Data: []byte{7, 0, 255}},
		{Dims: []int{2, 1, 3}, Data: []byte{1, 2, 3, 4, 5, 6}},
		{Dims: []int{0, 28, 28}, Data: nil},
	} {
		var b bytes.Buffer
		if err := idx.Write(&b, a); err != nil {
			t.Fatal(err)
		}
		got, err := idx.Read(iotest.HalfReader(&b), 0)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.Dims, a.Dims) || !bytes.Equal(got.Data, a.Data) {
			t.Errorf("wrote %v, read %v", a, got)
		}
	}
}

func TestLayout(t *testing.T) {
	var b bytes.Buffer
	if err := idx.Write(&b, &idx.Array{Dims: []int{1, 258}, Data: make([]byte, 258)}); err != nil {
		t.Fatal(err)
	}
	want := []byte{0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 1, 2}
	if got := b.Bytes()[:12]; !bytes.Equal(got, want) {
		t.Errorf("header % x, want % x", got, want)
	}
}

func TestReadErrors(t *testing.T) {
	for _, c := range []struct {
		name, in string
		max      int64
		want     []string // parts of the message
	}{
		{"empty", "", 0, []string{"magic", "4 bytes", "found 0"}},
		{"gzip", "\x1f\x8b\x08\x00", 0, []string{"gzip", "decompress"}},
		{"not idx", "PK\x03\x04", 0, []string{"50 4b 03 04", "not an IDX file"}},
		{"float32", "\x00\x00\x0d\x01", 0, []string{"08 (unsigned byte)", "0d (float32)"}},
		{"no dimension", "\x00\x00\x08\x00", 0, []string{"at least 1 dimension"}},
		{"short header", "\x00\x00\x08\x02\x00\x00\x00\x01\x00", 0, []string{"2 dimensions take 8 bytes", "found 5"}},
		{"short data", "\x00\x00\x08\x01\x00\x00\x00\x05abc", 0, []string{"truncated", "5 bytes", "found 3"}},
		{"trailing", "\x00\x00\x08\x01\x00\x00\x00\x02abc", 0, []string{"trailing", "after the 2"}},
		{"too large", "\x00\x00\x08\x01\x00\x00\x00\x0babcdefghijk", 10, []string{"permitted 10 bytes", "is 11"}},
		{"product", "\x00\x00\x08\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00", 0, []string{"dimension 2 of 3", "65536"}},
		{"zero times huge", "\x00\x00\x08\x02\x00\x00\x00\x00\xff\xff\xff\xff", 0, []string{"dimension 2 of 2", "4294967295"}},
	} {
		_, err := idx.Read(strings.NewReader(c.in), c.max)
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q does not say %q", c.name, err, w)
			}
		}
	}
}

func TestReadPassesErrorsOn(t *testing.T) {
	broken := errors.New("disk on fire")
	in := io.MultiReader(strings.NewReader("\x00\x00\x08\x01\x00\x00\x00\x05ab"), iotest.ErrReader(broken))
	if _, err := idx.Read(in, 0); !errors.Is(err, broken) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

// A header that declares a gigabyte in front of nothing must not cost one.
func TestDeclaredSizeIsNotAllocated(t *testing.T) {
	in := "\x00\x00\x08\x01\x40\x00\x00\x00"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := idx.Read(strings.NewReader(in), 0); err == nil {
		t.Fatal("no error")
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes allocated", n)
	}
}

func TestWriteErrors(t *testing.T) {
	for _, a := range []*idx.Array{
		{},
		{Dims: make([]int, 256)},
		{Dims: []int{-1}},
		{Dims: []int{1 << 32}},
		{Dims: []int{1 << 31, 1 << 31, 1 << 31}},
		{Dims: []int{2, 2}, Data: []byte{1}},
	} {
		var b bytes.Buffer
		if err := idx.Write(&b, a); err == nil || b.Len() > 0 {
			t.Errorf("%d dimensions, %d bytes: error %v after %d bytes", len(a.Dims), len(a.Data), err, b.Len())
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"", "\x00\x00\x08\x01\x00\x00\x00\x03abc", "\x00\x00\x08\x03\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x01ab",
		"\x00\x00\x08\x02\x00\x00\x00\x00\xff\xff\xff\xff", "\x1f\x8b\x08\x00", "\x00\x00\x0d\x01",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		a, err := idx.Read(bytes.NewReader(in), 1<<16)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := idx.Write(&out, a); err != nil {
			t.Fatalf("read but not written: %v", err)
		}
		if !bytes.Equal(out.Bytes(), in) {
			t.Fatalf("round trip: % x became % x", in, out.Bytes())
		}
	})
}

func Example() {
	var file bytes.Buffer
	if err := idx.Write(&file, &idx.Array{Dims: []int{2, 3}, Data: []byte{1, 2, 3, 4, 5, 6}}); err != nil {
		fmt.Println(err)
		return
	}
	a, err := idx.Read(&file, 1000)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(a.Dims, a.Data)
	// Output: [2 3] [1 2 3 4 5 6]
}
