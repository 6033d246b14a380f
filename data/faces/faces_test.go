package faces

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/data"
	"synfire/sample"
	"synfire/tensor"
)

func Example() {
	d := Dataset()
	fmt.Println(d.Name, d.Classes, d.Splits)
	// Output: face-api [face] [{train 6} {test 6}]
}

// A picture twice as wide as high has bars above and below, and its left half on the right in
// the mirror image.
func TestOpen(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 40, 20))
	for y := range 20 {
		for x := range 20 {
			m.Set(x, y, color.RGBA{255, 0, 0, 255})
			m.Set(x+20, y, color.RGBA{0, 0, 255, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.png")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	train, test, err := open(t.Context(), []string{path, path})
	if err != nil {
		t.Fatal(err)
	}
	if train.Len() != 2 || test.Len() != 2 || test.Origin(1) != "a.png" || !strings.Contains(train.Origin(0), "mirrored a.png") {
		t.Errorf("%d and %d samples, from %s and %s", train.Len(), test.Len(), test.Origin(1), train.Origin(0))
	}
	at := func(s *data.Set, y, x int) [3]tensor.Float {
		v := sample.Sample{X: make([]tensor.Float, Side*Side*3)}
		if err := s.Read(t.Context(), 1, &v); err != nil {
			t.Fatal(err)
		}
		if len(v.Targets[0].Boxes) != 0 {
			t.Errorf("boxes %v", v.Targets[0].Boxes)
		}
		return [3]tensor.Float(v.X[3*(y*Side+x):])
	}
	red, blue, grey := [3]tensor.Float{1, 0, 0}, [3]tensor.Float{0, 0, 1}, [3]tensor.Float{128. / 255, 128. / 255, 128. / 255}
	for _, c := range []struct {
		of   *data.Set
		y, x int
		want [3]tensor.Float
	}{{test, 112, 10, red}, {test, 112, 210, blue}, {train, 112, 10, blue}, {train, 112, 210, red}, {test, 20, 10, grey}, {train, 200, 10, grey}} {
		if got := at(c.of, c.y, c.x); got != c.want {
			t.Errorf("%s at %d, %d: %v, want %v", c.of.Split, c.y, c.x, got, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b\x1b.jpg")
	if err := os.WriteFile(path, []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := open(t.Context(), []string{path}); err == nil || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := open(ctx, []string{path}); err != context.Canceled {
		t.Errorf("%v", err)
	}
	if _, err := Detector(t.Context(), data.Options{DataDir: t.TempDir(), CacheDir: t.TempDir()}); err == nil {
		t.Error("a detector of nothing")
	}
}
