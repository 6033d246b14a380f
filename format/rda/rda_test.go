package rda_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"synfire/format/rda"
)

func read(t *testing.T, name string) ([]rda.Value, error) {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return rda.Read(f, 0)
}

// Files of R by testdata/make.R, one under each compression.
func TestRead(t *testing.T) {
	got, err := read(t, "gzip.rda")
	want := []rda.Value{{Name: "units", Class: "list", List: []rda.Value{
		{Name: "neuron 1", Class: "spikeTrain", Numbers: []float64{0.5, 1.25}},
		{Name: "neuron 2", Class: "spikeTrain", Numbers: []float64{}},
		{Name: "neuron 3", Class: "spikeTrain", Numbers: []float64{2, 3, 4.5}},
	}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("gzip: %+v, %v", got, err)
	}
	got, err = read(t, "bzip2.rda")
	if err != nil || len(got) != 1 || len(got[0].List) != 2 || got[0].List[1].Class != "repeatedTrain" || got[0].List[1].List[1].Numbers[1] != 0.5 || got[0].List[0].List[0].Name != "stim. 1" {
		t.Errorf("bzip2: %+v, %v", got, err)
	}
	got, err = read(t, "xz.rda")
	if err != nil || len(got) != 2 || len(got[0].List) != 3 {
		t.Fatalf("xz: %+v, %v", got, err)
	}
	x, y, z := got[0].List[0], got[0].List[1], got[0].List[2]
	if len(x.Numbers) != 10 || x.Numbers[9] != 10 || x.Class != "integer" || !math.IsNaN(y.Numbers[1]) || y.Numbers[2] != 5 || z.Class != "logical" || z.Numbers[0] != 1 {
		t.Errorf("xz: %+v", got[0])
	}
	if !reflect.DeepEqual(got[1].Texts, []string{"a", "NA"}) {
		t.Errorf("xz: %+v", got[1])
	}
	got, err = read(t, "compact.rda")
	if err != nil || len(got) != 2 || !reflect.DeepEqual(got[0].Texts, []string{"1", "2", "3", "4"}) || !reflect.DeepEqual(got[1].Numbers, []float64{1, 2, 3}) {
		t.Errorf("compact: %+v, %v", got, err)
	}
}

// Damage and what is not read is one error that says so.
func TestMistakes(t *testing.T) {
	good, err := os.ReadFile("testdata/compact.rda")
	if err != nil {
		t.Fatal(err)
	}
	packed, err := os.ReadFile("testdata/xz.rda")
	if err != nil {
		t.Fatal(err)
	}
	hungry := bytes.Clone(packed)
	at := bytes.Index(hungry[12:36], []byte{0x21, 1}) + 12
	hungry[at+2] = 40
	for name, c := range map[string]struct {
		src  []byte
		want string
	}{
		"empty":      {nil, "cut short"},
		"other":      {[]byte("unit,time\n"), "neither a file of R's save"},
		"cut":        {good[:len(good)-9], "cut short"},
		"packed cut": {packed[:len(packed)/2], ""},
		"dictionary": {hungry, "more than 64 MiB"},
		"vector":     {append([]byte("RDX2\nX\n\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00"), "\x00\x00\x00\x0e\x7f\xff\xff\xff"...), "cut short"},
		"deep":       {append([]byte("RDX2\nX\n\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00"), bytes.Repeat([]byte("\x00\x00\x00\x13\x00\x00\x00\x01"), 100)...), "in each other"},
		"type":       {append([]byte("RDX2\nX\n\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00"), "\x00\x00\x00\x19"...), "type 25"},
	} {
		if got, err := rda.Read(bytes.NewReader(c.src), 0); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v, want %q", name, got, err, c.want)
		}
	}
	if _, err := read(t, "ascii.rda"); err == nil || !strings.Contains(err.Error(), "want XDR") {
		t.Errorf("ascii: %v", err)
	}
	if _, err := rda.Read(bytes.NewReader(good), 40); err == nil || !strings.Contains(err.Error(), "40 bytes") {
		t.Errorf("bounded: %v", err)
	}
	if got, err := read(t, "function.rda"); err == nil && (len(got) != 1 || got[0].Numbers != nil) {
		t.Errorf("function: %+v, %v", got, err)
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"gzip.rda", "bzip2.rda", "xz.rda", "compact.rda", "function.rda"} {
		src, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		values, err := rda.Read(bytes.NewReader(src), 1<<20)
		if err != nil && values != nil {
			t.Errorf("values beside %v", err)
		}
	})
}

// A list of three units, of which the second is silent.
func ExampleRead() {
	f, err := os.Open("testdata/gzip.rda")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	objects, err := rda.Read(f, 0)
	for _, unit := range objects[0].List {
		fmt.Println(unit.Name, unit.Class, unit.Numbers)
	}
	fmt.Println(err)
	// Output:
	// neuron 1 spikeTrain [0.5 1.25]
	// neuron 2 spikeTrain []
	// neuron 3 spikeTrain [2 3 4.5]
	// <nil>
}
