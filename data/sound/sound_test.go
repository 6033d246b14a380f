package sound_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/data/sound"
	"synfire/format/wav"
	"synfire/sample"
	"synfire/tensor"
)

// file is a WAV file of 16-bit samples.
func file(rate, channels int, samples ...int16) []byte {
	var b bytes.Buffer
	put := func(v ...any) {
		for _, x := range v {
			binary.Write(&b, binary.LittleEndian, x) // a Buffer takes everything
		}
	}
	b.WriteString("RIFF")
	put(uint32(36 + 8 + 4 + 2*len(samples)))
	b.WriteString("WAVELIST\x03\x00\x00\x00abc\x00fmt ")
	put(uint32(16), uint16(1), uint16(channels), uint32(rate), uint32(2*channels*rate), uint16(2*channels), uint16(16))
	b.WriteString("data")
	put(uint32(2*len(samples)), samples)
	return b.Bytes()
}

func folder(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, b, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t testing.TB, src sample.Source, i int) sample.Sample {
	t.Helper()
	s := sample.Sample{X: make([]tensor.Float, src.Spec().Size())}
	if err := src.Read(t.Context(), i, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSamples(t *testing.T) {
	at := folder(t, map[string][]byte{"no/1.wav": file(8000, 1, 16384, -16384, 8192, 0, 4096), "yes/1.WAV": file(8000, 1, 1<<14, 0)})
	src, test, err := sound.WAV{Path: at, Frame: 2}.Open(t.Context(), data.Options{})
	if err != nil || test != nil {
		t.Fatal(err)
	}
	if spec := src.Spec(); spec.Steps != 3 || !spec.Shape.Equal(tensor.Shape{2}) {
		t.Errorf("spec %+v", spec)
	}
	a, b := read(t, src, 0), read(t, src, 1)
	if !slices.Equal(a.X, []tensor.Float{0.5, -0.5, 0.25, 0, 0.125, 0}) || a.Length != 0 || !slices.Equal(b.X, []tensor.Float{0.5, 0, 0, 0, 0, 0}) || b.Length != 1 || b.Targets[0].Class != 1 {
		t.Errorf("%+v, %+v", a, b)
	}
	at = folder(t, map[string][]byte{"no/1.wav": file(8000, 2, 16384, -16384, 8192, 0), "yes/1.wav": file(8000, 2, 1, 2, 3, 4)})
	if src, _, err = (sound.WAV{Path: at, Frame: 2}).Open(t.Context(), data.Options{}); err != nil || !src.Spec().Shape.Equal(tensor.Shape{2, 2}) || src.Spec().Steps != 1 {
		t.Fatal(err)
	}
	if a := read(t, src, 0); !slices.Equal(a.X, []tensor.Float{0.5, -0.5, 0.25, 0}) {
		t.Errorf("two channels %v", a.X)
	}
	if src, _, err = (sound.WAV{Path: at, Frame: 2, Bands: 2, Window: 64}).Open(t.Context(), data.Options{}); err != nil || !src.Spec().Shape.Equal(tensor.Shape{2, 2}) {
		t.Fatal(err)
	}
	// Windows begin at 0 under a Hann window, so that of two samples the second is heard alone.
	if a := read(t, src, 0); !(a.X[0] > 0) || a.X[1] != 0 {
		t.Errorf("bands of two channels %v", a.X)
	}
}

func TestPattern(t *testing.T) {
	good := file(8000, 1, 1, 2, 3)
	at := folder(t, map[string][]byte{"r/10_theo_5.wav": good, "r/2_theo_0.wav": good, "r/2_theo_7.wav": good, "r/notes.txt": nil, "r/.x.wav": nil})
	w := sound.WAV{Path: at, Frame: 1, Pattern: `^(\d+)_`, TestPattern: `_[0-4]\.wav$`}
	train, test, err := w.Open(t.Context(), data.Options{})
	if err != nil || train.Len() != 2 || test.Len() != 1 {
		t.Fatal(err)
	}
	if a, b := read(t, train, 0), read(t, test, 0); a.Targets[0].Class != 1 || b.Targets[0].Class != 0 || !slices.Equal(train.Spec().Targets[0].Classes, []string{"2", "10"}) {
		t.Errorf("%+v %+v", a, b)
	}
	for want, c := range map[string]func(*sound.WAV){
		"does not match the pattern": func(w *sound.WAV) { w.Pattern = `^(x)` },
		"is none of the classes":     func(w *sound.WAV) { w.Classes = []string{"2", "3"} },
		"is the test-pattern":        func(w *sound.WAV) { w.TestPattern = "never" },
		"has no group":               func(w *sound.WAV) { w.Pattern = `^\d` },
		"pattern: error parsing":     func(w *sound.WAV) { w.Pattern = `(` },
		"goes with pattern":          func(w *sound.WAV) { w.Pattern = "" },
		"give bands":                 func(w *sound.WAV) { w.Window = 3 },
		"frame 0":                    func(w *sound.WAV) { w.Frame = 0 },
		"band 0 of 500":              func(w *sound.WAV) { w.Bands, w.Window = 500, 16 },
	} {
		bad := w
		c(&bad)
		if _, _, err := bad.Open(t.Context(), data.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestErrors(t *testing.T) {
	good := file(8000, 1, 1, 2, 3)
	for want, b := range map[string][]byte{
		"a/1.wav: wav: not a WAV file": []byte("hello"),
		"has no samples; remove it":    file(8000, 1),
		"at 16000 Hz":                  file(16000, 1, 1),
		"2 channels":                   file(8000, 2, 1, 2),
		"truncated: 50 frames":         file(8000, 1, make([]int16, 50)...)[:155],
		"no samples (chunk":            good[:48],
	} {
		at := folder(t, map[string][]byte{"a/1.wav": b, "b/1.wav": good})
		_, _, err := sound.WAV{Path: at, Frame: 1}.Open(t.Context(), data.Options{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "a/1.wav") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	at := folder(t, map[string][]byte{"a/1.wav": good, "b/1.wav": good})
	src, _, err := sound.WAV{Path: at, Frame: 1}.Open(t.Context(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := sample.Sample{X: make([]tensor.Float, 3)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := src.Read(ctx, 0, &s); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := os.WriteFile(filepath.Join(at, "a", "1.wav"), file(8000, 1, 1, 2, 3, 4), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := src.Read(t.Context(), 0, &s); err == nil || !strings.Contains(err.Error(), "has changed") {
		t.Errorf("changed: %v", err)
	}
}

// What the beginning of a file says is what decoding it gives.
func FuzzInfo(f *testing.F) {
	f.Add(file(8000, 1, 1, 2, 3))
	f.Add(file(8000, 2, 1, 2))
	f.Fuzz(func(t *testing.T, in []byte) {
		info, err := wav.ReadInfo(bytes.NewReader(in))
		s, err2 := wav.Decode(in)
		if err2 == nil && (err != nil || s.Rate != info.Rate || s.Channels != info.Channels || int64(len(s.Samples)) != info.Frames*int64(info.Channels)) {
			t.Fatalf("%+v, %v; decoded %d channels at %d Hz, %d samples", info, err, s.Channels, s.Rate, len(s.Samples))
		}
	})
}

func Example() {
	dir, err := os.MkdirTemp("", "words")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"no_1.wav", "yes_1.wav"} {
		if err := os.WriteFile(filepath.Join(dir, name), file(8000, 1, make([]int16, 400)...), 0o644); err != nil {
			fmt.Println(err)
			return
		}
	}
	train, _, err := sound.WAV{Path: dir, Frame: 80, Window: 200, Bands: 16, Pattern: `^([a-z]+)_`}.Open(context.Background(), data.Options{})
	fmt.Println(train.Len(), train.Spec(), train.Spec().Targets[0].Classes, err)
	// Output: 2 5 steps of 16 [no yes] <nil>
}
