// Package classify tells classes apart by distances alone, whatever they are distances of:
// spike trains, responses of populations, recordings.
//
// Each of n items is left out in turn and given to a class by its distances to the others
// (LeaveOneOut, LeaveGroupsOut). A Rule says how. ClassMean takes the class whose mean
// distance
//
//	D_c = (1/n_c Σ_j d_ij^z)^(1/z)
//
// is least, with z = −2 after Victor and Purpura 1996: near members count most, and single
// distant ones do no harm. Nearest takes the class that most of the K nearest belong to.
// Classes that are equally near share the item, as in that paper, so that a distance that
// says nothing gets the share of a guess and no more.
//
// What share of right answers is more than chance? Permutation gives the labels to items at
// random, the groups' to groups, and takes of several distances the best each time, so that a
// choice among them is paid for. Nested is an estimate after such a choice: it is made anew
// for each item, among the others.
package classify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrInput is what errors about matrices, labels and rules wrap.
var ErrInput = errors.New("classify")

// Result is how a classification went.
type Result struct {
	// Confusion[true][given] is a number of items, not whole where classes share one.
	Confusion [][]float64
	Right     float64   // share of the items that were given to their class
	Balanced  float64   // mean over classes of that share
	Chance    float64   // the larger of 1/classes and the share of the largest class
	Shares    []float64 // of each item, how much of it went to its own class
}

// LeaveOneOut gives each item to a class by its distances to all others. Labels are 0 to
// classes−1; each class must have two members, so that none is empty where one is left out.
func LeaveOneOut(d [][]float64, labels []int, r Rule) (Result, error) {
	return LeaveGroupsOut(d, labels, own(len(labels)), r)
}

// LeaveGroupsOut is LeaveOneOut where all items of an item's group are left out with it, as
// those of one animal or day are.
func LeaveGroupsOut(d [][]float64, labels, groups []int, r Rule) (Result, error) {
	p, err := prepare([][][]float64{d}, labels, groups, r)
	if err != nil {
		return Result{}, err
	}
	return p.result(p.shares(p.matrices[0], labels, -1), labels), nil
}

// own makes each item a group.
func own(n int) []int {
	groups := make([]int, n)
	for i := range groups {
		groups[i] = i
	}
	return groups
}

// problem is checked distances in the form that the rule takes.
type problem struct {
	matrices [][][]float64
	groups   []int
	classes  int
	rule     Rule
}

func prepare(list [][][]float64, labels, groups []int, r Rule) (problem, error) {
	p := problem{groups: groups, rule: r}
	if r == nil {
		return p, fmt.Errorf("%w: no rule; use ClassMean or Nearest", ErrInput)
	}
	if err := r.check(); err != nil {
		return p, err
	}
	for _, c := range labels {
		if c < 0 || c >= len(labels) {
			return p, fmt.Errorf("%w: label %d, want classes from 0 on", ErrInput, c)
		}
		p.classes = max(p.classes, c+1)
	}
	if err := checkGroups(labels, groups, p.classes); err != nil {
		return p, err
	}
	for _, d := range list {
		if err := check(d, len(labels)); err != nil {
			return p, err
		}
		p.matrices = append(p.matrices, r.prepare(d))
	}
	if len(list) == 0 {
		return p, fmt.Errorf("%w: no distances", ErrInput)
	}
	return p, nil
}

func checkGroups(labels, groups []int, classes int) error {
	if classes < 2 {
		return fmt.Errorf("%w: %d classes, want two or more", ErrInput, classes)
	}
	if len(groups) != len(labels) {
		return fmt.Errorf("%w: %d groups for %d labels, want one an item", ErrInput, len(groups), len(labels))
	}
	of := make([]map[int]bool, classes)
	for i, c := range labels {
		if of[c] == nil {
			of[c] = map[int]bool{}
		}
		of[c][groups[i]] = true
	}
	for c, g := range of {
		if len(g) < 2 {
			return fmt.Errorf("%w: class %d is in %d groups that are left out together, want two or more: none of it would be left; join classes or leave it out", ErrInput, c, len(g))
		}
	}
	return nil
}

func check(d [][]float64, n int) error {
	if len(d) != n {
		return fmt.Errorf("%w: %d rows of distances for %d labels, want as many", ErrInput, len(d), n)
	}
	for i, row := range d {
		if len(row) != n {
			return fmt.Errorf("%w: row %d has %d distances, want %d", ErrInput, i, len(row), n)
		}
		for j, v := range row {
			if i != j && (math.IsNaN(v) || v < 0) {
				return fmt.Errorf("%w: the distance of items %d and %d is %v, want a number that is not negative; of similarities take 1 less them", ErrInput, i, j, v)
			}
		}
	}
	return nil
}

// shares is how much of each item goes to each class; item skip is in nobody's training
// set and gets nothing.
func (p problem) shares(d [][]float64, labels []int, skip int) [][]float64 {
	out := make([][]float64, len(d))
	all := make([]float64, len(d)*p.classes)
	in := make([]bool, len(d))
	for i := range d {
		out[i] = all[i*p.classes:][:p.classes]
		if i == skip {
			continue
		}
		for j := range in {
			in[j] = j != skip && p.groups[j] != p.groups[i]
		}
		p.rule.share(out[i], d[i], labels, in)
	}
	return out
}

func (p problem) result(shares [][]float64, labels []int) Result {
	r := Result{Confusion: make([][]float64, p.classes), Shares: make([]float64, len(labels))}
	for c := range r.Confusion {
		r.Confusion[c] = make([]float64, p.classes)
	}
	members := make([]float64, p.classes)
	for i, c := range labels {
		members[c]++
		r.Shares[i] = shares[i][c]
		for k, v := range shares[i] {
			r.Confusion[c][k] += v
		}
	}
	n, k := float64(len(labels)), float64(p.classes)
	for c, row := range r.Confusion {
		r.Right += row[c] / n
		r.Balanced += row[c] / members[c] / k
	}
	r.Chance = max(1/k, slices.Max(members)/n)
	return r
}

// Nested classifies each item by that one of several distances, such as one for each of
// several time scales, that classifies the other items best; of equals the first. Chosen
// says which that was.
func Nested(ctx context.Context, list [][][]float64, labels []int, r Rule) (res Result, chosen []int, err error) {
	p, err := prepare(list, labels, own(len(labels)), r)
	if err != nil {
		return Result{}, nil, err
	}
	for c := range p.classes {
		if n := count(labels, c); n < 3 {
			return Result{}, nil, fmt.Errorf("%w: class %d has %d members, want three or more: one is left out, and one of the others again", ErrInput, c, n)
		}
	}
	shares, chosen := make([][]float64, len(labels)), make([]int, len(labels))
	for i := range labels {
		if err := ctx.Err(); err != nil {
			return Result{}, nil, fmt.Errorf("classify: interrupted: %w", err)
		}
		best := -1.0
		for k, d := range p.matrices {
			right := 0.0
			for j, s := range p.shares(d, labels, i) {
				if j != i {
					right += s[labels[j]]
				}
			}
			if right > best+tie {
				best, chosen[i] = right, k
			}
		}
		shares[i] = p.shares(p.matrices[chosen[i]], labels, -1)[i]
	}
	return p.result(shares, labels), chosen, nil
}

// tie is by how much sums of shares of items differ by rounding alone.
const tie = 1e-9

func count(labels []int, c int) (n int) {
	for _, l := range labels {
		if l == c {
			n++
		}
	}
	return n
}
