package data_test

import (
	"math"
	"slices"
	"testing"

	"synfire/data"
	"synfire/sample"
	"synfire/tensor"
)

// The views of an image of 2×3 pixels by hand, with their weights; the batch stays.
func TestViews(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{2, 3, 1}}
	b := sample.Batch{Spec: &spec, Index: []int{0}, X: []tensor.Float{1, 2, 3, 4, 5, 6}}
	type view struct {
		x      []tensor.Float
		weight float64
	}
	plain, mirrored := []tensor.Float{1, 2, 3, 4, 5, 6}, []tensor.Float{3, 2, 1, 6, 5, 4}
	upLeft, downRight := []tensor.Float{5, 6, 5, 2, 3, 2}, []tensor.Float{5, 4, 5, 2, 1, 2}
	for _, c := range []struct {
		v    data.Views
		want []view
	}{
		{data.Views{}, []view{{plain, 1}}},
		{data.Views{Flip: true}, []view{{plain, 0.5}, {mirrored, 0.5}}},
		{data.Views{Translate: 1}, []view{{plain, 0.5}, {upLeft, 0.25}, {downRight, 0.25}}},
		{data.Views{Flip: true, Translate: 1}, []view{
			{plain, 0.25}, {upLeft, 0.125}, {downRight, 0.125}, {mirrored, 0.25}, {[]tensor.Float{5, 6, 5, 2, 3, 2}, 0.125}, {[]tensor.Float{5, 4, 5, 2, 1, 2}, 0.125},
		}},
	} {
		at, sum := 0, 0.0
		err := c.v.Each(&b, func(got *sample.Batch, weight float64) error {
			if at >= len(c.want) || !slices.Equal(got.X, c.want[at].x) || weight != c.want[at].weight {
				t.Errorf("%+v: view %d is %v with weight %v", c.v, at, got.X, weight)
			}
			at, sum = at+1, sum+weight
			return nil
		})
		if err != nil || at != len(c.want) || math.Abs(sum-1) > 1e-12 || !slices.Equal(b.X, plain) {
			t.Errorf("%+v: %d views of weight %v, %v, the batch is %v", c.v, at, sum, err, b.X)
		}
		if c.v.On() != (len(c.want) > 1) {
			t.Errorf("%+v is on: %v", c.v, c.v.On())
		}
	}
	if (data.Views{Translate: -1}).Validate() == nil || (data.Views{Flip: true}).Check(sample.Spec{Shape: tensor.Shape{5}}) == nil {
		t.Error("a negative translation, or views of vectors, are accepted")
	}
}

// An image is mirrored in every other epoch, half of them in the first; the cursor's seed
// decides which.
func TestAlternatingFlip(t *testing.T) {
	const n = 64
	set := &data.Set{Name: "pairs", Shape: tensor.Shape{1, 2, 1}, Classes: []string{"a", "b"}, Labels: make([]int, n)}
	for range n {
		set.Values = append(set.Values, 0, 1)
	}
	sides := func(seed uint64) (all [][]bool) {
		c, err := data.NewCursor(set, data.CursorOptions{Batch: 10, Seed: seed, Shuffle: true, Augment: []data.Augment{data.AlternatingFlip{}}})
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			mirrored := make([]bool, n)
			var b sample.Batch
			for {
				more, err := c.Next(t.Context(), &b)
				if err != nil {
					t.Fatal(err)
				}
				if !more {
					break
				}
				for i, at := range b.Index {
					mirrored[at] = b.X[2*i] == 1
				}
			}
			all = append(all, mirrored)
		}
		return all
	}
	first := sides(1)
	count := 0
	for i := range n {
		if first[0][i] {
			count++
		}
		for e := 1; e < 4; e++ {
			if first[e][i] == first[e-1][i] {
				t.Errorf("image %d is the same in epochs %d and %d", i, e-1, e)
			}
		}
	}
	if count < n/4 || count > 3*n/4 {
		t.Errorf("%d of %d are mirrored at first", count, n)
	}
	if slices.Equal(first[0], sides(2)[0]) {
		t.Error("another seed mirrors the same images")
	}
}
