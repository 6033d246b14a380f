package darknet_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"synfire/format/darknet"
)

func TestLabels(t *testing.T) {
	want := []darknet.Label{{0, 0.5, 0.25, 1, 0.5}, {7, 0.125, 0.75, 0.25, 0.1}}
	got, err := darknet.ReadLabels(strings.NewReader("0 0.5 .25 1 0.5\n\n 7\t0.125 0.75 0.25 1e-1\r\n"))
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("%v, %v", got, err)
	}
	var b bytes.Buffer
	if err := darknet.WriteLabels(&b, want); err != nil {
		t.Fatal(err)
	}
	if again, err := darknet.ReadLabels(&b); err != nil || !slices.Equal(again, want) {
		t.Errorf("written and read back: %v, %v", again, err)
	}
	if got, err := darknet.ReadLabels(strings.NewReader("")); err != nil || got != nil {
		t.Errorf("a picture without objects: %v, %v", got, err)
	}
	for want, text := range map[string]string{
		"line 2: 4 fields":      "0 .5 .5 .1 .1\n0 .5 .5 .1\n",
		`class "-1"`:            "-1 .5 .5 .1 .1\n",
		`class "1.5"`:           "1.5 .5 .5 .1 .1\n",
		`"x", want a number`:    "1 x .5 .1 .1\n",
		"within the picture":    "1 .9 .5 .4 .1\n",
		"size 0×0.1":            "1 .9 .5 0 .1\n",
		"centre (NaN, 0.5)":     "1 NaN .5 .1 .1\n",
		"centre (320, 240)":     "1 320 240 64 64\n",
		"size +Inf×0.1, want o": "1 .5 .5 Inf .1\n",
	} {
		if _, err := darknet.ReadLabels(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A file that is too long is an error, not read as far as its numbers go.
func TestLabelsTooLong(t *testing.T) {
	text := strings.Repeat(strings.Repeat(" ", 60<<10)+"\n", 16<<20/(60<<10)) + "0 .5 .5 .1 .15\n"
	if got, err := darknet.ReadLabels(strings.NewReader(text + text)); err == nil || !strings.Contains(err.Error(), "more than 16777216 bytes") {
		t.Errorf("%v, %v", got, err)
	}
}

func FuzzReadLabels(f *testing.F) {
	f.Add([]byte("0 0.5 .25 1 0.5\n7 0.125 0.75 0.25 0.1\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		all, err := darknet.ReadLabels(bytes.NewReader(in))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := darknet.WriteLabels(&b, all); err != nil {
			t.Fatal(err)
		}
		if again, err := darknet.ReadLabels(&b); err != nil || !slices.Equal(again, all) {
			t.Fatalf("%v became %v, %v", all, again, err)
		}
	})
}
