package sound_test

import (
	"math"
	"strings"
	"testing"

	"synfire/data"
	"synfire/data/sound"
	"synfire/sample"
	"synfire/tensor"
)

// drawn gives one number, whatever is asked for.
type drawn float64

func (d drawn) Float64() float64 { return float64(d) }
func (d drawn) IntN(int) int     { return 0 }

// Bands move by whole numbers and by parts of one, of each channel by itself; the outermost
// are repeated.
func TestSlide(t *testing.T) {
	spec := &sample.Spec{Shape: tensor.Shape{4, 2}, Steps: 1}
	src := []tensor.Float{1, 10, 2, 20, 4, 40, 8, 80}
	for _, c := range []struct {
		draw float64 // d = 2·(2·draw − 1)
		want []float64
	}{
		{0.5, []float64{1, 10, 2, 20, 4, 40, 8, 80}},
		{0.75, []float64{1, 10, 1, 10, 2, 20, 4, 40}},
		{0, []float64{4, 40, 8, 80, 8, 80, 8, 80}},
		{0.625, []float64{1, 10, 1.5, 15, 3, 30, 6, 60}},
	} {
		dst := make([]tensor.Float, len(src))
		sound.Slide{Max: 2}.Apply(dst, src, nil, spec, drawn(c.draw))
		for i, v := range dst {
			if math.Abs(float64(v)-c.want[i]) > 1e-6 {
				t.Errorf("drawn %v: %v, want %v", c.draw, dst, c.want)
				break
			}
		}
	}
}

// All frames of a sound move alike, and frames of images, or of none, are refused.
func TestSlideInCursor(t *testing.T) {
	file := file(8000, 1, 100, 200, -300, 400, 500, -600, 700, 100, 200, -300, 400, 500, -600, 700, 100, 200)
	dir := folder(t, map[string][]byte{"a/1.wav": file, "b/1.wav": file})
	open := func(w sound.WAV) sample.Source {
		train, _, err := w.Open(t.Context(), data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return train
	}
	series := open(sound.WAV{Path: dir, Frame: 8, Window: 8, Bands: 2})
	c, err := data.NewCursor(series, data.CursorOptions{Batch: 2, Augment: []data.Augment{sound.Slide{Max: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	var b sample.Batch
	if _, err := c.Next(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	plain := read(t, series, 0).X
	moved := func(t int) float64 { // the part by which the bands of a frame have come together
		return float64(b.X[2*t]-plain[2*t]) / float64(plain[2*t+1]-plain[2*t])
	}
	up := func(t int) float64 { return float64(b.X[2*t+1]-plain[2*t+1]) / float64(plain[2*t]-plain[2*t+1]) }
	if d := moved(0) + up(0); d == 0 || math.Abs(d-moved(1)-up(1)) > 1e-4 {
		t.Errorf("frames moved by %v and %v", d, moved(1)+up(1))
	}
	for want, o := range map[string]struct {
		a   data.Augment
		src sample.Source
	}{
		"expected height, width, channels": {data.Shift{Max: 1}, series},
		"0 or more, such as 2":             {sound.Slide{Max: -1}, series},
		"want series of frames":            {sound.Slide{Max: 1}, &data.Set{Name: "images", Shape: tensor.Shape{2, 2, 1}, Images: make([]uint8, 4), Labels: []int{0}, Classes: []string{"a", "b"}}},
	} {
		if _, err := data.NewCursor(o.src, data.CursorOptions{Batch: 1, Augment: []data.Augment{o.a}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A sound of another loudness gives the same frames where it is brought to a level.
func TestLevel(t *testing.T) {
	dir := folder(t, map[string][]byte{"a/1.wav": file(8000, 1, 100, 200, -300, 400), "b/1.wav": file(8000, 1, 1000, 2000, -3000, 4000)})
	train, _, err := sound.WAV{Path: dir, Frame: 4, Bands: 1, Level: 0.1}.Open(t.Context(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := read(t, train, 0).X[0], read(t, train, 1).X[0]; math.Abs(float64(a-b)) > 1e-5 || a == 0 {
		t.Errorf("bands %v and %v", a, b)
	}
	if err := (sound.WAV{Path: dir, Frame: 4, Level: -1}).Validate(); err == nil || !strings.Contains(err.Error(), "level -1") {
		t.Errorf("%v", err)
	}
}
