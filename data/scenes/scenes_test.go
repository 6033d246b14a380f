package scenes_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/data/generated"
	"synfire/data/mnist"
	"synfire/data/scenes"
	"synfire/sample"
	"synfire/snntest"
	"synfire/tensor"
)

func digits(t testing.TB) sample.Source {
	t.Helper()
	_, test, err := mnist.SampleDataset().Load(context.Background(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return test
}

func TestSource(t *testing.T) {
	s, err := scenes.New(digits(t), "some", 30)
	if err != nil {
		t.Fatal(err)
	}
	snntest.Source(t, s)
}

// Boxes are around what is bright, within the canvas, and hardly overlap; noise alone is
// elsewhere.
func TestBoxesAreAroundDigits(t *testing.T) {
	s, err := scenes.New(digits(t), "some", 100)
	if err != nil {
		t.Fatal(err)
	}
	n, classes := map[int]int{}, map[int]bool{}
	for i := range s.Len() {
		x := sample.Sample{X: make([]tensor.Float, s.Spec().Size())}
		if err := s.Read(t.Context(), i, &x); err != nil {
			t.Fatal(err)
		}
		boxes := x.Targets[0].Boxes
		n[len(boxes)]++
		for at, v := range x.X {
			px, py := float64(at%scenes.Side)+0.5, float64(at/scenes.Side)+0.5
			in := slices.ContainsFunc(boxes, func(b sample.Box) bool { return px > b.X0 && px < b.X1 && py > b.Y0 && py < b.Y1 })
			if v > 0.3 && !in { // 32/255 and seven deviations of noise
				t.Fatalf("scene %d: %v at (%v, %v) is in no box of %v", i, v, px, py, boxes)
			}
		}
		for k, b := range boxes {
			classes[b.Class] = true
			if b.X0 < 0 || b.Y0 < 0 || b.X1 > scenes.Side || b.Y1 > scenes.Side || b.X1-b.X0 > 44 || b.Y1-b.Y0 < 8 {
				t.Errorf("scene %d: box %+v", i, b)
			}
			for _, o := range boxes[:k] {
				if sample.IoU(b, o) > 0.1 {
					t.Errorf("scene %d: %+v and %+v overlap", i, b, o)
				}
			}
		}
	}
	if n[0] > 0 || n[1] == 0 || n[2] == 0 || n[3]+n[4] == 0 || len(classes) != 10 {
		t.Errorf("scenes by number of boxes %v, classes %v", n, classes)
	}
}

func TestOtherSources(t *testing.T) {
	points, _, err := generated.Moons{Train: 4}.Open(t.Context(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := scenes.New(points, "points", 3); err == nil || !strings.Contains(err.Error(), "want grey images") {
		t.Errorf("scenes of points: %v", err)
	}
}

func ExampleNew() {
	_, digits, err := mnist.SampleDataset().Load(context.Background(), data.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := scenes.New(digits, "a few", 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	y, err := s.Target(0, 0)
	fmt.Println(s.Spec(), s.Spec().Targets[0].Kind, len(y.Boxes) > 0, err)
	// Output: 96×96×1 boxes true <nil>
}
