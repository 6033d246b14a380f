package classify_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"synfire/distance/classify"
	"synfire/internal/par"
	"synfire/internal/rng"
)

// line is the distances of points on a line.
func line(x ...float64) [][]float64 {
	d := make([][]float64, len(x))
	for i := range x {
		for j := range x {
			d[i] = append(d[i], math.Abs(x[i]-x[j]))
		}
	}
	return d
}

// Two pairs, and a point of the second class that is nearer to the first: by hand.
//
//	points 0 1 | 10 11 3; the last has means of d⁻² (1/9 + 1/4)/2 and (1/49 + 1/64)/2
func TestByHand(t *testing.T) {
	d, labels := line(0, 1, 10, 11, 3), []int{0, 0, 1, 1, 1}
	for _, r := range []classify.Rule{classify.ClassMean{Power: -2}, classify.ClassMean{Power: 1}, classify.Nearest{K: 1}} {
		got, err := classify.LeaveOneOut(d, labels, r)
		if err != nil {
			t.Fatal(err)
		}
		want := [][]float64{{2, 0}, {1, 2}}
		if fmt.Sprint(got.Confusion) != fmt.Sprint(want) || got.Right != 0.8 || math.Abs(got.Balanced-(1+2.0/3)/2) > 1e-15 || got.Chance != 0.6 {
			t.Errorf("%#v: %+v", r, got)
		}
	}
}

// Where the rules differ: one member next to the item outweighs by d⁻² what is far off.
func TestPower(t *testing.T) {
	d, labels := line(0, 0.1, 100, 5, 6), []int{0, 0, 0, 1, 1}
	// item 0 by means: class 0 has 50.05, class 1 has 5.5; by d⁻²: 0.1 against 5
	near, _ := classify.LeaveOneOut(d, labels, classify.ClassMean{Power: -2})
	mean, _ := classify.LeaveOneOut(d, labels, classify.ClassMean{Power: 1})
	if near.Shares[0] != 1 || mean.Shares[0] != 0 {
		t.Errorf("%v, %v", near.Shares, mean.Shares)
	}
}

// A distance that says nothing shares each item between all classes.
func TestTies(t *testing.T) {
	labels := []int{0, 0, 1, 1, 2, 2}
	for _, value := range []float64{0, 1, math.Inf(1)} {
		d := line(make([]float64, 6)...)
		for i := range d {
			for j := range d {
				d[i][j] = value
			}
		}
		for _, r := range []classify.Rule{classify.ClassMean{Power: -2}, classify.ClassMean{Power: 2}} {
			got, err := classify.LeaveOneOut(d, labels, r)
			if err != nil || math.Abs(got.Right-1.0/3) > 1e-15 || math.Abs(got.Chance-1.0/3) > 1e-15 {
				t.Errorf("distances of %v, %#v: %+v, %v", value, r, got, err)
			}
		}
	}
	// the two nearest of 0 are one of each class at distance 1: a vote each, then half
	got, err := classify.LeaveOneOut(line(0, 1, -1, 50), []int{0, 0, 1, 1}, classify.Nearest{K: 1})
	if err != nil || got.Shares[0] != 0.5 {
		t.Errorf("%v, %v", got.Shares, err)
	}
}

// A rescaled distance and another order of items change nothing; of groups none of the
// item's own counts.
func TestProperties(t *testing.T) {
	src := rng.New(1, "test").Source()
	x, labels := make([]float64, 20), make([]int, 20)
	for i := range x {
		labels[i] = i % 2
		x[i] = src.Norm() + float64(labels[i])
	}
	perm := src.Perm(20)
	y, other := make([]float64, 20), make([]int, 20)
	for i, p := range perm {
		y[i], other[i] = 8*x[p], labels[p]
	}
	for _, r := range []classify.Rule{classify.ClassMean{Power: -2}, classify.ClassMean{Power: 1}, classify.Nearest{K: 3}} {
		a, err := classify.LeaveOneOut(line(x...), labels, r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := classify.LeaveOneOut(line(y...), other, r)
		if err != nil || a.Right != b.Right || fmt.Sprint(a.Confusion) != fmt.Sprint(b.Confusion) {
			t.Errorf("%#v: %+v and %+v, %v", r, a, b, err)
		}
	}
	// pairs of one day lie together and are of classes 0 and 0, 1 and 1, alternating
	d := line(0, 0.1, 1, 1.1, 2, 2.1, 3, 3.1)
	days, classes := []int{0, 0, 1, 1, 2, 2, 3, 3}, []int{0, 0, 1, 1, 0, 0, 1, 1}
	leaky, _ := classify.LeaveOneOut(d, classes, classify.Nearest{K: 1})
	fair, _ := classify.LeaveGroupsOut(d, classes, days, classify.Nearest{K: 1})
	if leaky.Right != 1 || fair.Right != 0 {
		t.Errorf("leave one out %v, leave days out %v", leaky.Right, fair.Right)
	}
}

// The choice is made anew for each item, among the others: a distance that is right for
// one item alone is not taken for its sake.
func TestNested(t *testing.T) {
	good, bad := line(0, 0.1, 0.2, 5, 5.1, 5.2), line(0, 3, 1, 1.1, 0.2, 3.1)
	labels := []int{0, 0, 0, 1, 1, 1}
	got, chosen, err := classify.Nested(t.Context(), [][][]float64{bad, good, good}, labels, classify.Nearest{K: 1})
	if err != nil || got.Right != 1 || !slices.Equal(chosen, []int{1, 1, 1, 1, 1, 1}) {
		t.Errorf("%+v, %v, %v", got, chosen, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := classify.Nested(ctx, [][][]float64{good}, labels, classify.Nearest{K: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// All labellings of six items in two classes of three are 20; two of them, the true one and
// its mirror, are fully right. So p is near 0.1, and the same for any number of threads.
func TestPermutation(t *testing.T) {
	d, labels := line(0, 0.1, 0.2, 5, 5.1, 5.2), []int{0, 0, 0, 1, 1, 1}
	pool := par.New(2)
	defer pool.Close()
	const n = 4000
	a, err := classify.Permutation(t.Context(), [][][]float64{d}, labels, nil, classify.ClassMean{Power: 1}, n, rng.New(1, "test"), pool)
	if err != nil || a.Value != 1 || math.Abs(a.P-0.1) > 5*math.Sqrt(0.1*0.9/n) {
		t.Errorf("value %v, p %v, %v", a.Value, a.P, err)
	}
	b, _ := classify.Permutation(t.Context(), [][][]float64{d}, labels, nil, classify.ClassMean{Power: 1}, n, rng.New(1, "test"), nil)
	if !slices.Equal(a.All, b.All) {
		t.Error("the permutations depend on the number of threads")
	}
	// six groups of four items each, permuted as wholes: 20 labellings again
	var x []float64
	var groups, classes []int
	for g, at := range []float64{0, 0.1, 0.2, 5, 5.1, 5.2} {
		for k := range 4 {
			x, groups, classes = append(x, at+0.01*float64(k)), append(groups, 10*g), append(classes, g/3)
		}
	}
	c, err := classify.Permutation(t.Context(), [][][]float64{line(x...)}, classes, groups, classify.ClassMean{Power: 1}, n, rng.New(1, "test"), pool)
	if err != nil || c.Value != 1 || math.Abs(c.P-0.1) > 5*math.Sqrt(0.1*0.9/n) {
		t.Errorf("groups: value %v, p %v, %v", c.Value, c.P, err)
	}
}

// Without a difference p is uniform: a best of several distances does not fool it.
func TestPermutationOfNoise(t *testing.T) {
	small := 0
	const rounds = 100
	for round := range rounds {
		src := rng.New(uint64(round), "noise").Source()
		var list [][][]float64
		for range 4 {
			x := make([]float64, 16)
			for i := range x {
				x[i] = src.Norm()
			}
			list = append(list, line(x...))
		}
		labels := []int{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1}
		s, err := classify.Permutation(t.Context(), list, labels, nil, classify.ClassMean{Power: -2}, 99, rng.New(uint64(round), "perm"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if s.P <= 0.1 {
			small++
		}
	}
	if small > 22 { // mean 10, standard deviation 3
		t.Errorf("%d of %d rounds of noise have p ≤ 0.1", small, rounds)
	}
}

func TestErrors(t *testing.T) {
	good, labels := line(0, 1, 2, 3), []int{0, 0, 1, 1}
	bad := line(0, 1, 2, 3)
	bad[1][2] = math.NaN()
	for name, f := range map[string]func() error{
		"NaN":  func() error { _, err := classify.LeaveOneOut(bad, labels, classify.Nearest{K: 1}); return err },
		"rows": func() error { _, err := classify.LeaveOneOut(good[:3], labels, classify.Nearest{K: 1}); return err },
		"ragged": func() error {
			_, err := classify.LeaveOneOut([][]float64{{}, {}, {}, {}}, labels, classify.Nearest{K: 1})
			return err
		},
		"one left": func() error {
			_, err := classify.LeaveOneOut(good, []int{0, 0, 0, 1}, classify.Nearest{K: 1})
			return err
		},
		"gap": func() error {
			_, err := classify.LeaveOneOut(good, []int{0, 0, 2, 2}, classify.Nearest{K: 1})
			return err
		},
		"negative": func() error {
			_, err := classify.LeaveOneOut(good, []int{0, 0, -1, 1}, classify.Nearest{K: 1})
			return err
		},
		"one class": func() error {
			_, err := classify.LeaveOneOut(good, []int{0, 0, 0, 0}, classify.Nearest{K: 1})
			return err
		},
		"no rule": func() error { _, err := classify.LeaveOneOut(good, labels, nil); return err },
		"power":   func() error { _, err := classify.LeaveOneOut(good, labels, classify.ClassMean{}); return err },
		"k":       func() error { _, err := classify.LeaveOneOut(good, labels, classify.Nearest{}); return err },
		"groups": func() error {
			_, err := classify.LeaveGroupsOut(good, labels, []int{0, 0, 1, 1}, classify.Nearest{K: 1})
			return err
		},
		"none": func() error {
			_, _, err := classify.Nested(t.Context(), nil, []int{0, 0, 0, 1, 1, 1}, classify.Nearest{K: 1})
			return err
		},
		"small": func() error {
			_, _, err := classify.Nested(t.Context(), [][][]float64{good}, labels, classify.Nearest{K: 1})
			return err
		},
		"mixed group": func() error {
			_, err := classify.Permutation(t.Context(), [][][]float64{good}, labels, []int{0, 1, 1, 2}, classify.Nearest{K: 1}, 9, rng.New(1, ""), nil)
			return err
		},
		"permutations": func() error {
			_, err := classify.Permutation(t.Context(), [][][]float64{good}, labels, nil, classify.Nearest{K: 1}, 0, rng.New(1, ""), nil)
			return err
		},
	} {
		if err := f(); !errors.Is(err, classify.ErrInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Trials of two stimuli, by their distances.
func ExampleLeaveOneOut() {
	d := [][]float64{
		{0, 1, 4, 5},
		{1, 0, 3, 4},
		{4, 3, 0, 1},
		{5, 4, 1, 0},
	}
	r, err := classify.LeaveOneOut(d, []int{0, 0, 1, 1}, classify.ClassMean{Power: -2})
	fmt.Println(r.Confusion, r.Right, "chance", r.Chance, err)
	// Output: [[2 0] [0 2]] 1 chance 0.5 <nil>
}
