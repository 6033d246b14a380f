package data_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"synfire/data"
	"synfire/sample"
	"synfire/tensor"
)

// Each class gives its share, no sample is in both parts, and the seed decides.
func TestValidation(t *testing.T) {
	s := numbered(60) // 20 of each class
	train, valid, err := data.Validation(s, 0.25, 1)
	if err != nil || train.Len() != 45 || valid.Len() != 15 {
		t.Fatalf("%v and %v samples, %v", train, valid, err)
	}
	seen, perClass := map[int]int{}, [3]int{}
	for _, part := range []sample.Source{train, valid} {
		last := -1
		for i := range part.Len() {
			if part.Index(i) <= last {
				t.Error("the order of the source is lost")
			}
			last = part.Index(i)
			seen[last]++
			target, _ := part.Target(i, 0)
			if target.Class != last%3 {
				t.Errorf("sample %d has class %d", last, target.Class)
			}
			if part.Len() == 15 {
				perClass[target.Class]++
			}
		}
	}
	if len(seen) != 60 || perClass != [3]int{5, 5, 5} {
		t.Errorf("%d samples in the parts, classes of the second %v", len(seen), perClass)
	}
	_, again, _ := data.Validation(s, 0.25, 1)
	_, other, _ := data.Validation(s, 0.25, 2)
	if !reflect.DeepEqual(again, valid) || reflect.DeepEqual(other, valid) {
		t.Error("the seed does not decide which samples are held out")
	}
	for _, share := range []float64{0, 1, -1, 0.001, 0.999} {
		if _, _, err := data.Validation(s, share, 1); err == nil {
			t.Errorf("a share of %v leaves no part empty", share)
		}
	}
}

// Of many small classes as much is held out as of few large ones: shares are rounded
// over all of them together.
func TestValidationOfSmallClasses(t *testing.T) {
	s := &data.Set{Name: "pairs", Shape: tensor.Shape{1, 1, 1}, Images: make([]uint8, 40)}
	for i := range 40 {
		s.Labels = append(s.Labels, i/2)
		s.Classes = append(s.Classes, fmt.Sprint(i/2))
	}
	s.Classes = slices.Compact(s.Classes)
	for share, want := range map[float64]int{0.1: 4, 0.25: 10, 0.4: 16, 0.5: 20} {
		train, valid, err := data.Validation(s, share, 1)
		if err != nil || valid.Len() != want || train.Len() != 40-want {
			t.Errorf("a share of %v holds out %d of 40, want %d; %v", share, valid.Len(), want, err)
		}
	}
}

// Which samples of a class are held out does not follow from those of another.
func TestClassesAreDrawnApart(t *testing.T) {
	_, valid, err := data.Validation(numbered(300), 0.1, 1) // 100 of each of three classes, in turn
	if err != nil {
		t.Fatal(err)
	}
	places := [3][]int{}
	for i := range valid.Len() {
		places[valid.Index(i)%3] = append(places[valid.Index(i)%3], valid.Index(i)/3)
	}
	if slices.Equal(places[0], places[1]) || slices.Equal(places[0], places[2]) || slices.Equal(places[1], places[2]) {
		t.Errorf("held out of the classes: %v", places)
	}
}

// What a folder or file without a test part holds out depends on its number of samples
// alone, for ever: models that were trained on the rest know none of it.
func TestHoldoutIsPinned(t *testing.T) {
	for n, want := range map[int][]int{10: {2, 4, 8, 9}, 12: {1, 3, 5, 8, 9}} {
		_, test := data.Holdout(numbered(n), 0.4)
		var got []int
		for i := range test.Len() {
			got = append(got, test.Index(i))
		}
		if !slices.Equal(got, want) {
			t.Errorf("of %d samples %v are held out, want %v", n, got, want)
		}
	}
}

// A share is rounded to the nearest number of samples, and one at least.
func TestHoldoutIsRounded(t *testing.T) {
	for _, c := range []struct {
		n    int
		want int
	}{{10, 3}, {9, 2}, {11, 3}, {2, 1}, {1, 1}} { // of a quarter: 2.5, 2.25, 2.75, 0.5, 0.25
		if train, test := data.Holdout(numbered(c.n), 0.25); test.Len() != c.want || train.Len() != c.n-c.want {
			t.Errorf("of %d samples %d are held out and %d kept, want %d", c.n, test.Len(), train.Len(), c.want)
		}
	}
}

// broken fails, or gives what does not fit its spec, for one of its samples.
type broken struct {
	*data.Set
	at  int
	how string
}

func (b broken) Origin(i int) string { return fmt.Sprintf("file %d", i) }

func (b broken) Read(ctx context.Context, i int, s *sample.Sample) error {
	if err := b.Set.Read(ctx, i, s); err != nil || i != b.at {
		return err
	}
	switch b.how {
	case "error":
		return errors.New("file 5: damaged")
	case "nan":
		s.X[3] = tensor.Float(nan())
	case "class":
		s.Targets[0].Class = 3
	case "targets":
		s.Targets = nil
	case "panic":
		panic("in a decoder")
	}
	return nil
}

// What is wrong with a sample is told with its origin, ahead of time or not, and the
// walk stays where it was.
func TestErrorsNameTheSample(t *testing.T) {
	for _, ahead := range []int{0, 3} {
		for how, want := range map[string]string{
			"error": "file 5: damaged", "nan": "file 5: value 3 is NaN", "class": "file 5: class 3 of target", "targets": "file 5: 0 targets",
		} {
			c, err := data.NewCursor(broken{numbered(12), 5, how}, data.CursorOptions{Batch: 2, Prefetch: ahead})
			if err != nil {
				t.Fatal(err)
			}
			var b sample.Batch
			for range 2 {
				if ok, err := c.Next(t.Context(), &b); !ok || err != nil {
					t.Fatalf("%s: %v, %v", how, ok, err)
				}
			}
			_, err = c.Next(t.Context(), &b)
			checkError(t, how, err, want)
			if c.State().Next != 4 {
				t.Errorf("%s: after the error the walk is at %+v", how, c.State())
			}
		}
	}
	c, err := data.NewCursor(broken{numbered(12), 0, "panic"}, data.CursorOptions{Batch: 2, Prefetch: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Next(t.Context(), new(sample.Batch))
	checkError(t, "panic", err, "in a decoder")
}

// Decoding ahead changes no bit and no state.
func TestPrefetchChangesNothing(t *testing.T) {
	o := data.CursorOptions{Batch: 5, Seed: 9, Shuffle: true, Augment: []data.Augment{data.Shift{Max: 1}, data.Flip{Probability: 0.5}}}
	plain := cursor(t, numbered(23), o)
	o.Prefetch = 3
	ahead := cursor(t, numbered(23), o)
	for range 3 {
		for {
			if plain.State() != ahead.State() {
				t.Fatalf("states %+v and %+v", plain.State(), ahead.State())
			}
			var a, b sample.Batch
			more := next(plain, &a)
			if next(ahead, &b) != more {
				t.Fatal("epochs end at different batches")
			}
			if !more {
				break
			}
			if !slices.Equal(a.X, b.X) || !slices.Equal(a.Index, b.Index) || !slices.Equal(a.Targets[0].Class, b.Targets[0].Class) || a.Epoch != b.Epoch {
				t.Fatalf("other batches at %+v", plain.State())
			}
		}
	}
}

// boxed is one image of 4×6 pixels, with a box around its left half's top.
func boxed() *data.Set {
	field := sample.Field{Name: "things", Kind: sample.Boxes, Classes: []string{"a"}}
	s := &data.Set{Name: "boxed", Shape: tensor.Shape{4, 6, 1}, Images: make([]uint8, 24), Targets: []sample.Column{{Field: &field, Boxes: [][]sample.Box{{{X0: 0, Y0: 0, X1: 3, Y1: 2}}}}}}
	for y := range 2 {
		for x := range 3 {
			s.Images[y*6+x] = 255
		}
	}
	return s
}

// A box stays around its pixels whatever moves them.
func TestBoxesFollowThePixels(t *testing.T) {
	for _, a := range [][]data.Augment{{data.Flip{Probability: 1}}, {data.Shift{Max: 2}}, {data.Crop{Padding: 2}, data.Flip{Probability: 0.5}}} {
		c, err := data.NewCursor(boxed(), data.CursorOptions{Batch: 1, Augment: a})
		if err != nil {
			t.Fatal(err)
		}
		moved := false
		for range 20 {
			for _, b := range epoch(c) {
				var want []sample.Box
				for i, v := range b.X {
					y, x := float64(i/6), float64(i%6)
					if v == 0 {
						continue
					}
					if want == nil {
						want = []sample.Box{{X0: x, Y0: y, X1: x + 1, Y1: y + 1}}
					}
					w := &want[0]
					w.X0, w.X1, w.Y1 = min(w.X0, x), max(w.X1, x+1), max(w.Y1, y+1)
				}
				if got := b.Targets[0].Boxes[0]; !slices.Equal(got, want) {
					t.Errorf("%v: boxes %v, the pixels are in %v", a, got, want)
				}
				moved = moved || want[0] != (sample.Box{X1: 3, Y1: 2})
			}
		}
		if !moved {
			t.Errorf("%v moves nothing, the test shows nothing", a)
		}
	}
}

// All steps of a series are augmented alike.
func TestSeriesAreAugmentedAsOne(t *testing.T) {
	s := &data.Set{Name: "film", Shape: tensor.Shape{1, 5, 1}, Steps: 3, Classes: []string{"a"}, Labels: []int{0}, Images: []uint8{0, 0, 9, 0, 0, 0, 0, 9, 0, 0, 0, 0, 9, 0, 0}}
	c := cursor(t, s, data.CursorOptions{Batch: 1, Augment: []data.Augment{data.Shift{Max: 2}}})
	places := map[int]bool{}
	for range 200 {
		x := epoch(c)[0].X
		if !slices.Equal(x[:5], x[5:10]) || !slices.Equal(x[:5], x[10:]) {
			t.Fatalf("steps differ: %v", x)
		}
		places[slices.IndexFunc(x, func(v tensor.Float) bool { return v != 0 })] = true
	}
	if len(places) < 4 {
		t.Errorf("the series is at %v alone", places)
	}
}
