package distance_test

import (
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"synfire/distance"
)

// By hand: 0 and 1 join at 2; their mean distance to 2 is 5, to 3 is 9.5; then 2
// joins them (2 and 3 are 6 apart), and 3 last at (10 + 9 + 6)/3.
func TestLinkage(t *testing.T) {
	got, err := distance.Linkage([][]float64{{0, 2, 4, 10}, {2, 0, 6, 9}, {4, 6, 0, 6}, {10, 9, 6, 0}})
	if want := []distance.Link{{0, 1, 2}, {2, 4, 5}, {3, 5, 25.0 / 3}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	for _, bad := range [][][]float64{{{0, 1}}, {{0, 1}, {2, 0}}, {{0, math.NaN()}, {math.NaN(), 0}}} {
		if _, err := distance.Linkage(bad); err == nil {
			t.Errorf("%v: no error", bad)
		}
	}
	if got, err := distance.Linkage([][]float64{{0}}); err != nil || len(got) != 0 {
		t.Errorf("one train: %v, %v", got, err)
	}
}

// Average linkage never joins below an earlier join, and names each cluster once.
func TestLinkageProperties(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(r, "n")
		d := make([][]float64, n)
		for i := range d {
			d[i] = make([]float64, n)
			for j := range i {
				d[i][j] = rapid.Float64Range(0, 9).Draw(r, "d")
				d[j][i] = d[i][j]
			}
		}
		links, err := distance.Linkage(d)
		if err != nil || len(links) != n-1 {
			r.Fatal(links, err)
		}
		seen := map[int]bool{}
		for i, l := range links {
			if l.A >= l.B || l.B >= n+i || seen[l.A] || seen[l.B] || i > 0 && l.Height < links[i-1].Height-1e-12 {
				r.Fatalf("step %d of %v", i, links)
			}
			seen[l.A], seen[l.B] = true, true
		}
	})
}
