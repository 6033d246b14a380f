package limit_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"synfire/internal/limit"
)

func TestReadAll(t *testing.T) {
	for _, c := range []struct {
		in   string
		max  int64
		want string
		over bool
	}{
		{"", 0, "", false},
		{"abc", 4, "abc", false},
		{"abc", 3, "abc", false},
		{"abc", 2, "ab", true},
		{"abc", 0, "", true},
	} {
		for name, r := range map[string]io.Reader{
			"whole":     strings.NewReader(c.in),
			"bytewise":  iotest.OneByteReader(strings.NewReader(c.in)),
			"data, EOF": iotest.DataErrReader(strings.NewReader(c.in)),
		} {
			got, err := limit.ReadAll(r, c.max)
			var over *limit.Error
			if string(got) != c.want || errors.As(err, &over) != c.over || (err != nil && !c.over) {
				t.Errorf("%s %q, at most %d: %q, %v", name, c.in, c.max, got, err)
			}
		}
	}
}

func TestErrorStays(t *testing.T) {
	r := limit.Reader(strings.NewReader("abcdef"), 3)
	var got bytes.Buffer
	for range 3 {
		if _, err := io.Copy(&got, r); err == nil {
			t.Fatal("no error after the permitted bytes")
		}
	}
	if got.String() != "abc" {
		t.Errorf("passed on %q, want abc", got.String())
	}
}

func ExampleReadAll() {
	_, err := limit.ReadAll(strings.NewReader("a long input"), 4)
	fmt.Println(err)
	// Output: input is longer than the permitted 4 bytes
}
