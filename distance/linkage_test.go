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
	got, err := distance.Linkage([][]float64{{0, 2, 4, 10}, {2, 0, 6, 9}, {4, 6, 0, 6}, {10, 9, 6, 0}}, distance.Average)
	if want := []distance.Link{{0, 1, 2}, {2, 4, 5}, {3, 5, 25.0 / 3}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	for _, bad := range [][][]float64{{{0, 1}}, {{0, 1}, {2, 0}}, {{0, math.NaN()}, {math.NaN(), 0}}} {
		if _, err := distance.Linkage(bad, distance.Average); err == nil {
			t.Errorf("%v: no error", bad)
		}
	}
	if got, err := distance.Linkage([][]float64{{0}}, distance.Average); err != nil || len(got) != 0 {
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
		links, err := distance.Linkage(d, distance.Average)
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

// Heights are what the methods say of the members of both clusters; Ward's by the sums of squares
// about the means of points in the plane.
func TestLinkageByDefinition(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(2, 10).Draw(r, "n")
		x, d := make([][2]float64, n), make([][]float64, n)
		for i := range x {
			x[i] = [2]float64{rapid.Float64Range(0, 9).Draw(r, "x"), rapid.Float64Range(0, 9).Draw(r, "y")}
			d[i] = make([]float64, n)
			for j := range i {
				d[i][j] = math.Hypot(x[i][0]-x[j][0], x[i][1]-x[j][1])
				d[j][i] = d[i][j]
			}
		}
		scatter := func(members []int) (sum float64) {
			for _, i := range members {
				for _, j := range members {
					sum += d[i][j] * d[i][j] / float64(2*len(members))
				}
			}
			return sum
		}
		for _, m := range distance.Methods() {
			links, err := distance.Linkage(d, m)
			if err != nil {
				r.Fatal(err)
			}
			members := make([][]int, n)
			for i := range members {
				members[i] = []int{i}
			}
			for _, l := range links {
				a, b := members[l.A], members[l.B]
				all := append(append([]int{}, a...), b...)
				least, most, sum := math.Inf(1), 0.0, 0.0
				for _, i := range a {
					for _, j := range b {
						least, most, sum = min(least, d[i][j]), max(most, d[i][j]), sum+d[i][j]
					}
				}
				want := map[distance.Method]float64{
					distance.Single: least, distance.Complete: most, distance.Average: sum / float64(len(a)*len(b)),
					distance.Ward: math.Sqrt(2 * max(0, scatter(all)-scatter(a)-scatter(b))),
				}[m]
				if math.Abs(l.Height-want) > 1e-6*(1+want) {
					r.Fatalf("%s: height %v, want %v", m, l.Height, want)
				}
				members = append(members, all)
			}
		}
	})
	if _, err := distance.Linkage([][]float64{{0}}, "centroid"); err == nil {
		t.Error("no error for a method that there is not")
	}
}

// By hand: of 0 and 1 near, 2 and 3 near, the last link is between these.
func TestCut(t *testing.T) {
	links := []distance.Link{{A: 1, B: 3, Height: 1}, {A: 0, B: 2, Height: 2}, {A: 4, B: 5, Height: 9}}
	for clusters, want := range map[int][]int{1: {0, 0, 0, 0}, 2: {0, 1, 0, 1}, 3: {0, 1, 2, 1}, 4: {0, 1, 2, 3}} {
		if got, err := distance.Cut(links, clusters); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%d clusters: %v, %v, want %v", clusters, got, err, want)
		}
	}
	for _, bad := range []int{0, 5} {
		if _, err := distance.Cut(links, bad); err == nil {
			t.Errorf("%d clusters of four items: no error", bad)
		}
	}
}
