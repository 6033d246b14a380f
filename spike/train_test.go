package spike_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/spike"
)

// A train as an instrument wrote it, mended.
func ExampleTrain_Sort() {
	t := spike.Train{Times: []float64{7, 1, 2, 2, 12}, Start: 0, Stop: 10}
	fmt.Println(t.Validate())
	t, dropped := t.Sort().Clip(0, 10)
	fmt.Println(t.Times, dropped, t.Validate())
	// Output:
	// spike 1 at 1 comes after one at 7; sort the times
	// [1 2 7] 1 <nil>
}

func TestNewTrain(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		times       []float64
		start, stop float64
		want        string
	}{
		{[]float64{0, 1, 2, 3}, 0, 3, ""},
		{nil, 0, 3, ""},
		{nil, 3, 3, "empty"},
		{nil, 3, 2, "empty"},
		{nil, math.NaN(), 2, "empty"},
		{nil, -inf, 2, "not finite"},
		{nil, 0, inf, "not finite"},
		{[]float64{2, 1}, 0, 3, "sort"},
		{[]float64{1, 2, 2}, 0, 3, "spikes 1 and 2 are both at 2"},
		{[]float64{1, 4}, 0, 3, "spike 1 at 4 lies outside"},
		{[]float64{-1}, 0, 3, "outside"},
		{[]float64{math.NaN()}, 0, 3, "finite"},
		{[]float64{1, inf}, 0, 3, "finite"},
	} {
		_, err := spike.NewTrain(c.times, c.start, c.stop)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("NewTrain(%v, %v, %v) = %v, want %q", c.times, c.start, c.stop, err, c.want)
		}
	}
}

// Mending gives new times and leaves those given.
func TestSortAndClip(t *testing.T) {
	times := []float64{3, 3, -1, 0, 10, 11}
	in := spike.Train{Times: times, Start: 0, Stop: 10}
	got, dropped := in.Sort().Clip(0, 10)
	if want := []float64{0, 3, 10}; !slices.Equal(got.Times, want) || dropped != 2 {
		t.Errorf("%v, %d dropped; want %v, 2", got.Times, dropped, want)
	}
	if !slices.Equal(times, []float64{3, 3, -1, 0, 10, 11}) {
		t.Errorf("the times given are now %v", times)
	}
	bad := spike.Train{Times: []float64{1, math.NaN()}, Start: 0, Stop: 10}.Sort()
	if bad, _ = bad.Clip(0, 10); bad.Validate() == nil {
		t.Errorf("mending hides a time that is not a number: %v", bad.Times)
	}
}

func TestUnite(t *testing.T) {
	in := []spike.Train{{Times: []float64{1}, Start: 0, Stop: 8}, {Start: 1.5, Stop: 10}}
	for i, u := range spike.Unite(in) {
		if u.Start != 0 || u.Stop != 10 || !slices.Equal(u.Times, in[i].Times) {
			t.Errorf("train %d: %+v", i, u)
		}
	}
	if in[0].Stop != 8 {
		t.Error("the trains given were changed")
	}
}
