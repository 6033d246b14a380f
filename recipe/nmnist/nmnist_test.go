package nmnist

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"synfire/catalog"
	"synfire/data"
	"synfire/sample"
	"synfire/tensor"
)

// Each recording is tested once and never learned from in its fold.
func TestFolds(t *testing.T) {
	tested := map[int]int{}
	for _, f := range Folds(1100, 5) {
		if len(f.Test) != 220 || len(f.Train) != 880 {
			t.Errorf("%d for training, %d for the test", len(f.Train), len(f.Test))
		}
		for _, i := range f.Test {
			tested[i]++
			if slices.Contains(f.Train, i) {
				t.Fatalf("%d is in both", i)
			}
		}
	}
	if len(tested) != 1100 {
		t.Errorf("%d of 1,100 tested", len(tested))
	}
}

// By hand: of three disagreements all one way p = 2/8, of five and one 2·7/64.
func TestMcNemar(t *testing.T) {
	for _, c := range []struct {
		a, b int
		p    float64
	}{{3, 0, 0.25}, {1, 5, 14. / 64}, {0, 0, 1}, {4, 4, 1}} {
		if p := McNemar(c.a, c.b); math.Abs(p-c.p) > 1e-12 {
			t.Errorf("%d and %d: p is %v, want %v", c.a, c.b, p, c.p)
		}
	}
}

// three are recordings of a camera of 2×1 pixels.
type three struct{}

func (three) Spec() sample.Spec {
	return sample.Spec{Shape: tensor.Shape{1, 2, 2}, Events: true, Duration: 1, Targets: []sample.Field{{Name: sample.Label, Kind: sample.Class, Classes: []string{"a", "b"}}}}
}
func (three) Len() int                               { return 3 }
func (three) Index(i int) int                        { return i }
func (three) Origin(int) string                      { return "here" }
func (three) Target(i, _ int) (sample.Target, error) { return sample.Target{Class: i % 2}, nil }
func (three) Read(_ context.Context, i int, x *sample.Sample) error {
	for k := range 40 {
		x.Events = append(x.Events, sample.Event{Time: float64(k) / 40, Unit: int32(k / 10)})
	}
	x.Targets = append(x.Targets, sample.Target{Class: i % 2})
	return nil
}

// scrambled recordings keep their times and the events of each place, and lose which
// came when; counts are the events of a place.
func TestScrambledAndCounted(t *testing.T) {
	var was, is sample.Sample
	if err := (three{}).Read(t.Context(), 1, &was); err != nil {
		t.Fatal(err)
	}
	if err := (scrambled{three{}}).Read(t.Context(), 1, &is); err != nil {
		t.Fatal(err)
	}
	same, counts := 0, [4]int{}
	for k, e := range is.Events {
		if e.Time != was.Events[k].Time {
			t.Fatalf("event %d at %v, was %v", k, e.Time, was.Events[k].Time)
		}
		if e.Unit == was.Events[k].Unit {
			same++
		}
		counts[e.Unit]++
	}
	if counts != [4]int{10, 10, 10, 10} || same > 25 {
		t.Errorf("events of places %v, %d of 40 where they were", counts, same)
	}
	x := sample.Sample{X: make([]tensor.Float, 4)}
	if err := (counted{three{}}).Read(t.Context(), 0, &x); err != nil || !slices.Equal(x.X, []tensor.Float{2.5, 2.5, 2.5, 2.5}) || len(x.Targets) != 1 {
		t.Errorf("counts %v, targets %v, %v", x.X, x.Targets, err)
	}
}

// A recording that is remembered is read once, and given whole each time.
func TestRemembered(t *testing.T) {
	reads := 0
	s := Remember(counting{three{}, &reads})
	for range 2 {
		var was, is sample.Sample
		if err := errors.Join(three{}.Read(t.Context(), 1, &was), s.Read(t.Context(), 1, &is)); err != nil || !reflect.DeepEqual(was, is) {
			t.Fatalf("%+v, want %+v, %v", is, was, err)
		}
		is.Events[0].Unit = 3 // as augmentation may
	}
	if reads != 1 {
		t.Errorf("read %d times", reads)
	}
}

type counting struct {
	sample.Source
	reads *int
}

func (c counting) Read(ctx context.Context, i int, x *sample.Sample) error {
	*c.reads++
	return c.Source.Read(ctx, i, x)
}

// Blurring keeps a spot's symmetry, and kernel ridge tells spots of two places apart.
func TestKernelRidge(t *testing.T) {
	img := make([]tensor.Float, 7*7)
	img[3*7+3] = 1
	b := blurImage(img, tensor.Shape{7, 7, 1})
	if b[3*7+2] != b[3*7+4] || b[2*7+3] != b[3*7+2] || !(b[3*7+3] > b[3*7+2]) {
		t.Errorf("blurred %v", b[21:28])
	}
	answers, err := KernelRidge(t.Context(), spots{20}, spots{7})
	if err != nil {
		t.Fatal(err)
	}
	for i, answer := range answers {
		if answer != i%2 {
			t.Errorf("spot %d is answered %d", i, answer)
		}
	}
}

// spots are images with a spot on the left or on the right.
type spots struct{ n int }

func (spots) Spec() sample.Spec {
	return sample.Spec{Shape: tensor.Shape{5, 9, 1}, Targets: three{}.Spec().Targets}
}
func (s spots) Len() int                             { return s.n }
func (spots) Index(i int) int                        { return i }
func (spots) Origin(int) string                      { return "here" }
func (spots) Target(i, _ int) (sample.Target, error) { return sample.Target{Class: i % 2}, nil }
func (spots) Read(_ context.Context, i int, x *sample.Sample) error {
	x.X[i%5*9+1+6*(i%2)] = 1
	x.Targets = append(x.Targets, sample.Target{Class: i % 2})
	return nil
}

// Real recordings, where they are on this machine: named, padded and counted.
func TestRecordings(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(filepath.Join(dir, "nmnist-1100.zip")); err != nil {
		t.Skip("nmnist-1100.zip is not on this machine")
	}
	a, b, err := catalog.Default().Load(t.Context(), Data, data.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if a.Len() != 1000 || b.Len() != 100 || a.Spec().Duration != 0.34 {
		t.Errorf("%d and %d recordings of %v s", a.Len(), b.Len(), a.Spec().Duration)
	}
	x := sample.Sample{X: make([]tensor.Float, 34*34*2)}
	if err := (counted{b}).Read(t.Context(), 7, &x); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, v := range x.X {
		sum += float64(v) * Scale
	}
	if sum < 1000 || sum > 8000 {
		t.Errorf("%v events", sum)
	}
}
