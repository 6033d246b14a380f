package bptt_test

import (
	"reflect"
	"strings"
	"testing"

	"synfire/catalog"
	"synfire/loss"
	"synfire/rule/bptt"
)

func TestBytes(t *testing.T) {
	for text, want := range map[string]bptt.Bytes{"0": 0, "1000": 1000, "3KiB": 3 << 10, "256MiB": 256 << 20, "2 GiB": 2 << 30} {
		var b, again bptt.Bytes
		if err := b.UnmarshalText([]byte(text)); err != nil || b != want {
			t.Errorf("%q is %d, want %d: %v", text, b, want, err)
		}
		if err := again.UnmarshalText([]byte(b.String())); err != nil || again != b {
			t.Errorf("%v is read as %v: %v", b, again, err)
		}
	}
	for _, text := range []string{"", "-1", "1.5GiB", "10MB", "99999999999GiB"} {
		if new(bptt.Bytes).UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q: accepted", text)
		}
	}
}

// The options of time, memory and rates in a file.
func TestTimeOptions(t *testing.T) {
	table := catalog.Default()
	c, err := table.Decode("x.yaml", []byte(small+"memory: 64MiB\ntruncate: 2\nregularizers: [{kind: rate-bounds, weight: 0.5, lower: 0.01}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []loss.Regularizer{loss.RateBounds{Weight: 0.5, Lower: 0.01, Upper: 1}}
	r := c.Rule.(bptt.Rule)
	if r.Memory != 64<<20 || r.Truncate != 2 || !reflect.DeepEqual(r.Regularizers, want) {
		t.Errorf("decoded as memory %v, truncate %d, regularizers %+v", r.Memory, r.Truncate, r.Regularizers)
	}
	src, err := table.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := table.Decode("y.yaml", src); err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("read again as %+v: %v", again, err)
	}
	if _, err := table.Decode("x.yaml", []byte(small+"memory: 64MB\n")); err == nil || !strings.Contains(err.Error(), "MiB") {
		t.Errorf("memory of 64MB: %v", err)
	}
}
