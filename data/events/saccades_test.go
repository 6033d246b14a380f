package events_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/data/events"
	"synfire/data/mnist"
	"synfire/sample"
	"synfire/tensor"
)

// still is a source of one image.
func still(height, width, channels int, pixels ...tensor.Float) sample.Source {
	return &data.Set{Name: "still", Shape: tensor.Shape{height, width, channels}, Values: pixels, Classes: []string{"a", "b"}, Labels: []int{1}}
}

func seen(t *testing.T, src sample.Source, i int) sample.Sample {
	t.Helper()
	s, err := events.NewSaccades(src)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, s, i)
}

// A pixel of brightness 0.2, moving: the first saccade goes 3 pixels to the
// right in 100 ms, so that a pixel whose place the bright one crosses goes from ln 0.1 up to
// ln 0.3 and back, by 1.0986: four events up, and four down, the first where the brightness is
// 0.1·e^¼ − 0.1.
func TestSaccadesOfOnePixel(t *testing.T) {
	pixels := make([]tensor.Float, 25)
	pixels[2*5+2] = 0.2
	s := seen(t, still(5, 5, 1, pixels...), 0)
	if s.Targets[0].Class != 1 {
		t.Errorf("class %d", s.Targets[0].Class)
	}
	// Pixel x of the camera sees place x + p: the gaze at (g, −1) makes pixel (2 − g, 3) see
	// the bright one. Of the camera's row 3 + Margin, pixel 2 + Margin is met at g = 0 exactly.
	unit := int32(((3+events.Margin)*(5+2*events.Margin) + 2 + events.Margin) * 2)
	var times []float64
	for _, e := range s.Events {
		if e.Unit/2 == unit/2 && e.Time < 0.1 {
			times = append(times, e.Time)
			if brighter := e.Unit%2 == 1; brighter != (e.Time < 0.05) {
				t.Errorf("an event of %v s, brighter: %v", e.Time, brighter)
			}
		}
	}
	// Brightness is 0.2·(1 − |g|), g = −1.5 + 30 t; it rises from t = 1/60 s on.
	up := func(level float64) float64 { return (1.5 - (1 - (0.1*math.Exp(level)-0.1)/0.2)) / 30 }
	want := []float64{up(0.25), up(0.5)}
	if len(times) != 8 || math.Abs(times[0]-want[0]) > 1e-4 || math.Abs(times[1]-want[1]) > 1e-4 {
		t.Errorf("events at %v, want eight, the first at %v", times, want)
	}
}

// The gaze comes back to where it began: each pixel grows darker as often as brighter.
// Events are in order, within the recording and the camera, and the same each time.
func TestSaccadesOfDigits(t *testing.T) {
	digits, _ := mnist.Sample()
	s, err := events.NewSaccades(digits)
	if err != nil {
		t.Fatal(err)
	}
	spec := s.Spec()
	if !spec.Shape.Equal(tensor.Shape{34, 34, 2}) || !spec.Events || spec.Duration != 0.3 {
		t.Fatalf("%+v", spec)
	}
	total := 0
	for i := range 20 {
		x := read(t, s, i)
		total += len(x.Events)
		net := make([]int, 34*34)
		for k, e := range x.Events {
			if e.Unit < 0 || int(e.Unit) >= spec.Shape.Size() || e.Time < 0 || e.Time >= spec.Duration || k > 0 && e.Time < x.Events[k-1].Time {
				t.Fatalf("event %d is %+v", k, e)
			}
			net[e.Unit/2] += 2*int(e.Unit%2) - 1
		}
		if slices.Max(net) != 0 || slices.Min(net) != 0 {
			t.Errorf("digit %d: %d to %d more brighter than darker", i, slices.Min(net), slices.Max(net))
		}
		if again := read(t, s, i); !slices.Equal(again.Events, x.Events) {
			t.Errorf("digit %d: another recording the second time", i)
		}
	}
	if mean := total / 20; mean < 3000 || mean > 6000 {
		t.Errorf("%d events a digit; N-MNIST has about 4,000", mean)
	}
	if dark := seen(t, still(3, 3, 1, make([]tensor.Float, 9)...), 0); len(dark.Events) != 0 {
		t.Errorf("%d events of the dark", len(dark.Events))
	}
}

func TestSaccadesRefuse(t *testing.T) {
	if _, err := events.NewSaccades(still(2, 2, 3, make([]tensor.Float, 12)...)); err == nil || !strings.Contains(err.Error(), "one channel") {
		t.Errorf("colours: %v", err)
	}
	s, err := events.NewSaccades(still(1, 2, 1, 0, 1.5))
	if err != nil {
		t.Fatal(err)
	}
	var x sample.Sample
	if err := s.Read(t.Context(), 0, &x); err == nil || !strings.Contains(err.Error(), "pixel 1 has the brightness 1.5") {
		t.Errorf("too bright: %v", err)
	}
}
