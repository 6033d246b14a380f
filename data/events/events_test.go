package events_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"synfire/data"
	"synfire/data/events"
	"synfire/internal/shared"
	"synfire/sample"
	"synfire/tensor"
)

// event is the five bytes of one.
func event(x, y, p uint8, t uint32) []byte {
	return []byte{x, y, p<<7 | uint8(t>>16), uint8(t >> 8), uint8(t)}
}

var (
	short = slices.Concat(event(0, 0, 0, 0), event(33, 1, 1, 1000), event(33, 1, 1, 1000))
	long  = slices.Concat(event(5, 7, 1, 20), event(1, 33, 0, 1<<22))
)

// A sensor of another size is H×W, the height first.
func TestSizeOfTheSensor(t *testing.T) {
	for _, at := range tree(t, map[string][]byte{"3/1.bin": short, "7/2.bin": short}) {
		train, _, err := events.NMNIST{Path: at, Size: []int{40, 36}}.Open(t.Context(), data.Options{})
		if err != nil || !train.Spec().Shape.Equal(tensor.Shape{40, 36, 2}) {
			t.Errorf("%v", err)
		}
	}
}

// tree writes files to a folder, and to a zip file.
func tree(t testing.TB, files map[string][]byte) map[string]string {
	t.Helper()
	dir := t.TempDir()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range files {
		at := filepath.Join(dir, "d", filepath.FromSlash(name))
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(content)
		}
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, content, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.Close(), os.WriteFile(filepath.Join(dir, "z.zip"), b.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"folder": filepath.Join(dir, "d"), "zip": filepath.Join(dir, "z.zip")}
}

func read(t testing.TB, src sample.Source, i int) sample.Sample {
	t.Helper()
	var s sample.Sample
	if err := src.Read(t.Context(), i, &s); err != nil {
		t.Error(err)
	}
	return s
}

func TestOpen(t *testing.T) {
	for form, at := range tree(t, map[string][]byte{"Train/3/00001.bin": short, "Train/7/00002.bin": long, "Test/7/00001.bin": short}) {
		train, test, err := events.NMNIST{Path: at}.Open(t.Context(), data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		spec := train.Spec()
		if !spec.Events || !spec.Shape.Equal(tensor.Shape{34, 34, 2}) || spec.Duration != 4.194305 || test.Spec().Duration != 0.001001 || test.Len() != 1 {
			t.Errorf("%s: %+v, %+v", form, spec, test.Spec())
		}
		a, b := read(t, train, 0), read(t, train, 1)
		if want := []sample.Event{{Time: 0}, {Time: 0.001, Unit: 2*(34+33) + 1}, {Time: 0.001, Unit: 2*(34+33) + 1}}; !slices.Equal(a.Events, want) || a.Length != 0.001001 || a.Targets[0].Class != 0 {
			t.Errorf("%s: %+v, want %v", form, a, want)
		}
		if want := []sample.Event{{Time: 20e-6, Unit: 2*(7*34+5) + 1}, {Time: 4.194304, Unit: 2 * (33*34 + 1)}}; !slices.Equal(b.Events, want) || b.Length != 0 || b.Targets[0].Class != 1 {
			t.Errorf("%s: %+v, want %v", form, b, want)
		}
		if o := train.Origin(1); o != at+": Train/7/00002.bin" {
			t.Errorf("origin %s", o)
		}
		_, _, err = data.Open(t.Context(), &events.NMNIST{Path: at}, data.Length{}, data.Options{})
		if err == nil || !strings.Contains(err.Error(), "differ in duration") {
			t.Errorf("durations: %v", err)
		}
		train, test, err = data.Open(t.Context(), &events.NMNIST{Path: at}, data.Length{Pad: 0.002, Crop: 0.002}, data.Options{})
		if err != nil || train.Spec().Duration != 0.002 || test.Spec().Duration != 0.002 {
			t.Fatalf("made uniform: %v", err)
		}
		a, b = read(t, train, 0), read(t, train, 1)
		if len(a.Events) != 3 || a.Length != 0.001001 || len(b.Events) != 1 || b.Length != 0 {
			t.Errorf("made uniform: %+v, %+v", a, b)
		}
	}
}

func TestErrors(t *testing.T) {
	for want, b := range map[string][]byte{
		"a/1.bin: the recording is empty": {},
		"no whole events":                 short[:7],
		"at pixel (34, 0)":                event(34, 0, 0, 0),
		"at pixel (0, 240)":               event(0, 240, 0, 0),
		"event 1 at 4 µs comes after":     slices.Concat(event(0, 0, 0, 5), event(0, 0, 0, 4)),
	} {
		at := tree(t, map[string][]byte{"a/1.bin": b, "b/1.bin": short})["zip"]
		src, _, err := events.NMNIST{Path: at}.Open(t.Context(), data.Options{})
		if err == nil {
			var s sample.Sample
			err = src.Read(t.Context(), 0, &s)
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "a/1.bin") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	at := tree(t, map[string][]byte{"a/1.bin": short, "b/1.bin": short})["folder"]
	src, _, err := events.NMNIST{Path: at}.Open(t.Context(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var s sample.Sample
	if err := src.Read(ctx, 0, &s); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, _, err := (events.NMNIST{Path: at}).Open(ctx, data.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := os.WriteFile(filepath.Join(at, "a", "1.bin"), long, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := src.Read(t.Context(), 0, &s); err == nil || !strings.Contains(err.Error(), "has changed") {
		t.Errorf("changed: %v", err)
	}
	for want, e := range map[string]events.NMNIST{"no path": {}, "size is [300 1]": {Path: "x", Size: []int{300, 1}}} {
		if err := e.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// The real recordings have the counts that are known of them, also beside one another.
func TestRecordings(t *testing.T) {
	at := shared.File(t, "data/nmnist-1100.zip")
	train, test, err := events.NMNIST{Path: at}.Open(t.Context(), data.Options{})
	if err != nil || train.Len() != 1000 || test.Len() != 100 {
		t.Fatal(err)
	}
	count, last := 0, 0.0
	for i := range test.Len() {
		s := read(t, test, i)
		count += len(s.Events)
		last = max(last, s.Events[len(s.Events)-1].Time)
	}
	if count != 385596 || last < 0.297 || last > 0.337 || test.Spec().Duration <= last {
		t.Errorf("%d events, the last at %v s", count, last)
	}
	want := read(t, test, 3)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			if got := read(t, test, 3); !reflect.DeepEqual(got, want) {
				t.Error("a recording is read differently beside others")
			}
		})
	}
	wait.Wait()
}

func FuzzDecode(f *testing.F) {
	f.Add(short)
	f.Add(long)
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := events.Decode(nil, in, tensor.Shape{34, 34, 2})
		if err != nil {
			return
		}
		if len(got) != len(in)/5 {
			t.Fatalf("%d events of %d bytes", len(got), len(in))
		}
		for i, e := range got {
			if e.Unit < 0 || e.Unit >= 34*34*2 || i > 0 && e.Time < got[i-1].Time {
				t.Fatalf("event %d is %+v", i, e)
			}
		}
	})
}

func ExampleDecode() {
	// A pixel at (2, 1) of a camera of 4×4 grows brighter after 256 µs.
	got, err := events.Decode(nil, []byte{2, 1, 0x80, 1, 0}, tensor.Shape{4, 4, 2})
	fmt.Println(got, err)
	// Output: [{0.000256 13}] <nil>
}
