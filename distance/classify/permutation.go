package classify

import (
	"context"
	"fmt"
	"slices"

	"synfire/internal/par"
	"synfire/internal/rng"
)

// Significance is a share of right answers held against chance.
type Significance struct {
	Value float64   // balanced share of right answers, of several distances the best
	Best  int       // the distance it is of
	P     float64   // (1 + permutations with at least Value) / (1 + permutations)
	Mean  float64   // of the permutations: chance, of the best of several distances
	All   []float64 // Value of each permutation
}

// Permutation is how often random labels are told apart as well as the true ones. The
// statistic is the balanced share of right answers, which labels of unequal classes do not
// raise, the largest over all distances. Groups, nil for none, are left out together, and
// labels are permuted between groups; all items of a group must then have one label. It
// takes n of n permutations from the key, whatever the pool.
func Permutation(ctx context.Context, list [][][]float64, labels, groups []int, r Rule, n int, key rng.Key, pool *par.Pool) (Significance, error) {
	if n < 1 {
		return Significance{}, fmt.Errorf("%w: %d permutations, want one or more", ErrInput, n)
	}
	if groups == nil {
		groups = own(len(labels))
	}
	p, err := prepare(list, labels, groups, r)
	if err != nil {
		return Significance{}, err
	}
	number, of, err := labelsOfGroups(labels, groups)
	if err != nil {
		return Significance{}, err
	}
	s := Significance{All: make([]float64, n)}
	s.Value, s.Best = p.best(labels)
	pool.For(n, 1, func(_, lo, hi int) {
		permuted := make([]int, len(labels))
		for i := lo; i < hi && ctx.Err() == nil; i++ {
			to := key.Int(uint64(i)).Source().Perm(len(of))
			for j, g := range groups {
				permuted[j] = of[to[number[g]]]
			}
			s.All[i], _ = p.best(permuted)
		}
	})
	if err := ctx.Err(); err != nil {
		return Significance{}, fmt.Errorf("classify: interrupted: %w", err)
	}
	above := 1
	for _, v := range s.All {
		s.Mean += v / float64(n)
		if v >= s.Value-tie {
			above++
		}
	}
	s.P = float64(above) / float64(n+1)
	return s, nil
}

// labelsOfGroups numbers the groups and lists their labels.
func labelsOfGroups(labels, groups []int) (number map[int]int, of []int, err error) {
	number = map[int]int{}
	for i, g := range groups {
		k, ok := number[g]
		if !ok {
			k, number[g] = len(of), len(of)
			of = append(of, labels[i])
		}
		if of[k] != labels[i] {
			return nil, nil, fmt.Errorf("%w: items of group %d have labels %d and %d; labels are permuted between groups, which want one each", ErrInput, g, of[k], labels[i])
		}
	}
	return number, of, nil
}

// best is the largest balanced share of right answers, and which distance has it.
func (p problem) best(labels []int) (float64, int) {
	values := make([]float64, len(p.matrices))
	for k, d := range p.matrices {
		values[k] = p.result(p.shares(d, labels, -1), labels).Balanced
	}
	top := slices.Max(values)
	return top, slices.IndexFunc(values, func(v float64) bool { return v >= top-tie })
}
