package data_test

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"synfire/data"
	"synfire/sample"
	"synfire/tensor"
)

func cursor(t *testing.T, s *data.Set, o data.CursorOptions) *data.Cursor {
	t.Helper()
	c, err := data.NewCursor(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// next is Next of a source that has no errors.
func next(c *data.Cursor, b *sample.Batch) bool {
	ok, err := c.Next(context.Background(), b)
	if err != nil {
		panic(err)
	}
	return ok
}

// epoch collects the rest of the current epoch; each batch is a copy.
func epoch(c *data.Cursor) (all []sample.Batch) {
	var b sample.Batch
	for next(c, &b) {
		all = append(all, b)
		b = sample.Batch{}
	}
	return all
}

func indices(batches []sample.Batch) (all []int) {
	for _, b := range batches {
		all = append(all, b.Index...)
	}
	return all
}

func TestSequential(t *testing.T) {
	s := numbered(10)
	c := cursor(t, s, data.CursorOptions{Batch: 4, Seed: 1})
	for e := range 2 {
		batches := epoch(c)
		if len(batches) != 3 || c.Len() != 3 || batches[2].Len() != 2 {
			t.Fatalf("epoch %d: %d batches, Len %d", e, len(batches), c.Len())
		}
		if got := indices(batches); !slices.Equal(got, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
			t.Errorf("order %v", got)
		}
		for _, b := range batches {
			if b.Epoch != e || !b.Spec.Shape.Equal(s.Shape) || len(b.X) != b.Len()*12 {
				t.Errorf("batch of epoch %d, shape %v, %d values", b.Epoch, b.Spec, len(b.X))
			}
			for i, n := range b.Index {
				if b.Targets[0].Class[i] != n%3 || b.X[i*12] != tensor.Float(n)/255 || b.X[i*12+11] != tensor.Float(n)/255 {
					t.Errorf("sample %d has label %d, values %v", n, b.Targets[0].Class[i], b.X[i*12:][:12])
				}
			}
		}
	}
}

// A cursor that is moved forgets what it has decoded ahead.
func TestMovedCursorForgetsWhatIsAhead(t *testing.T) {
	o := data.CursorOptions{Batch: 4, Seed: 1, Shuffle: true, Prefetch: 3}
	c := cursor(t, numbered(23), o)
	var b sample.Batch
	next(c, &b)
	for _, state := range []data.State{{Epoch: 2, Next: 8}, {}, {Epoch: 1, Next: 4}} {
		if err := c.SetState(state); err != nil {
			t.Fatal(err)
		}
		fresh := cursor(t, numbered(23), o)
		if err := fresh.SetState(state); err != nil {
			t.Fatal(err)
		}
		var got, want sample.Batch
		next(c, &got)
		next(fresh, &want)
		if !slices.Equal(got.Index, want.Index) || got.Epoch != state.Epoch || !slices.Equal(got.X, want.X) {
			t.Errorf("at %+v: samples %v of epoch %d, want %v", state, got.Index, got.Epoch, want.Index)
		}
	}
}

func TestScale(t *testing.T) {
	s := numbered(2)
	s.Images[0], s.Images[1], s.Images[2] = 255, 51, 0
	var b sample.Batch
	next(cursor(t, s, data.CursorOptions{Batch: 1}), &b)
	if b.X[0] != 1 || b.X[1] != tensor.Float(0.2) || b.X[2] != 0 {
		t.Errorf("255, 51, 0 became %v", b.X[:3])
	}
}

func TestShuffle(t *testing.T) {
	s := numbered(50)
	c := cursor(t, s, data.CursorOptions{Batch: 7, Seed: 3, Shuffle: true})
	first, second := indices(epoch(c)), indices(epoch(c))
	if slices.Equal(first, second) {
		t.Error("two epochs have the same order")
	}
	if slices.IsSorted(first) {
		t.Error("the first epoch is not shuffled")
	}
	other := indices(epoch(cursor(t, s, data.CursorOptions{Batch: 7, Seed: 4, Shuffle: true})))
	if slices.Equal(first, other) {
		t.Error("two seeds have the same order")
	}
	whole := indices(epoch(cursor(t, s, data.CursorOptions{Batch: 50, Seed: 3, Shuffle: true})))
	if !slices.Equal(first, whole) {
		t.Error("the order depends on the batch size")
	}
	for _, order := range [][]int{first, second, other} {
		slices.Sort(order)
		for i, n := range order {
			if i != n {
				t.Fatalf("not a permutation: %v", order)
			}
		}
	}
}

// The order is part of what makes a run repeatable, so it must not change.
func TestShuffleIsPinned(t *testing.T) {
	got := indices(epoch(cursor(t, numbered(8), data.CursorOptions{Batch: 8, Seed: 1, Shuffle: true})))
	if want := []int{4, 1, 3, 5, 0, 7, 6, 2}; !slices.Equal(got, want) {
		t.Errorf("order of seed 1, epoch 0: %v, want %v", got, want)
	}
}

func TestResume(t *testing.T) {
	s := numbered(23)
	o := data.CursorOptions{Batch: 5, Seed: 9, Shuffle: true, Augment: []data.Augment{data.Shift{Max: 1}}}
	c := cursor(t, s, o)
	var states []data.State
	var all []sample.Batch
	for range 3 {
		for {
			states = append(states, c.State())
			var b sample.Batch
			if !next(c, &b) {
				break
			}
			all = append(all, b)
		}
	}
	delivered := 0
	for _, state := range states {
		r := cursor(t, s, o)
		if err := r.SetState(state); err != nil {
			t.Fatal(err)
		}
		var rest []sample.Batch
		for r.State().Epoch < 3 {
			rest = append(rest, epoch(r)...)
		}
		if len(rest) != len(all)-delivered || (len(rest) > 0 && !reflect.DeepEqual(rest, all[delivered:])) {
			t.Errorf("from %+v: the batches differ from those of the uninterrupted walk", state)
		}
		if state.Next < s.Len() {
			delivered++
		}
	}
	for _, bad := range []data.State{{Epoch: -1}, {Next: -1}, {Next: 24}} {
		checkError(t, "state", c.SetState(bad), "[0, 23]", "another data set")
	}
}

// A part of a set sees the same augmented images as the whole, since the
// streams are named by the place in the file.
func TestAugmentFollowsTheSample(t *testing.T) {
	s := numbered(12)
	sub, err := s.Subset([]int{7, 3})
	if err != nil {
		t.Fatal(err)
	}
	o := data.CursorOptions{Batch: 1, Seed: 2, Augment: []data.Augment{data.Shift{Max: 2}}}
	for _, shuffle := range []bool{false, true} {
		o.Shuffle = shuffle
		byIndex := map[int][]tensor.Float{}
		for _, b := range epoch(cursor(t, s, o)) {
			byIndex[b.Index[0]] = b.X
		}
		for _, b := range epoch(cursor(t, sub, o)) {
			if !slices.Equal(b.X, byIndex[b.Index[0]]) {
				t.Errorf("sample %d is shifted otherwise in a subset", b.Index[0])
			}
		}
	}
}

func TestBatchMemoryIsReused(t *testing.T) {
	c := cursor(t, numbered(8), data.CursorOptions{Batch: 4})
	var b sample.Batch
	next(c, &b)
	if n := testing.AllocsPerRun(10, func() { next(c, &b) }); n != 0 {
		t.Errorf("%v allocations a batch", n)
	}
}

func TestCursorErrors(t *testing.T) {
	_, err := data.NewCursor(numbered(0), data.CursorOptions{Batch: 1})
	checkError(t, "empty", err, "the source is empty")
	_, err = data.NewCursor(numbered(3), data.CursorOptions{})
	checkError(t, "batch", err, "batch size 0")
	_, err = data.NewCursor(numbered(3), data.CursorOptions{Batch: 1, Augment: []data.Augment{data.Shift{Max: -1}}})
	checkError(t, "shift", err, "-1 pixels")
	bad := numbered(3)
	bad.Labels[0] = 9
	_, err = data.NewCursor(bad, data.CursorOptions{Batch: 1})
	checkError(t, "invalid set", err, "label 9")
}

// Four of ten evenly spaced samples are the third, fifth, eighth and last, whatever the batches.
func TestSpaced(t *testing.T) {
	for _, size := range []int{1, 3, 10} {
		var got []int
		err := cursor(t, numbered(10), data.CursorOptions{Batch: size}).Spaced(t.Context(), 4, func(b *sample.Batch, at []int) error {
			for _, i := range at {
				got = append(got, b.Index[i])
			}
			return nil
		})
		if want := []int{2, 4, 7, 9}; err != nil || !slices.Equal(got, want) {
			t.Errorf("batches of %d: %v, %v, want %v", size, got, err, want)
		}
	}
}
