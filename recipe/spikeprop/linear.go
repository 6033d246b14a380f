package spikeprop

import (
	"errors"
	"math"
)

// ridge is the penalty of the linear readout, small against the sums over the samples.
const ridge = 1.0

// linear is the accuracy in percent of ridge regression onto the classes, learned on one part
// and measured on the other: (XᵀX + λI)·W = XᵀY.
func linear(row func(i int) []float64, labels []int, classes int, train, test []int) (float64, error) {
	n := len(row(train[0]))
	a := make([][]float64, n) // with the right sides behind
	for i := range a {
		a[i] = make([]float64, n+classes)
		a[i][i] = ridge
	}
	for _, s := range train {
		x := row(s)
		for i, v := range x {
			if v == 0 {
				continue
			}
			for j, u := range x {
				a[i][j] += v * u
			}
			a[i][n+labels[s]] += v
		}
	}
	if err := solve(a, n); err != nil {
		return 0, err
	}
	right := 0
	for _, s := range test {
		best, most := 0, math.Inf(-1)
		for c := range classes {
			score := 0.0
			for i, v := range row(s) {
				score += v * a[i][n+c]
			}
			if score > most {
				best, most = c, score
			}
		}
		if best == labels[s] {
			right++
		}
	}
	return 100 * float64(right) / float64(len(test)), nil
}

// solve puts the solutions in place of the right sides of n equations that are symmetric and
// positive definite.
func solve(a [][]float64, n int) error {
	for i := range n {
		if !(a[i][i] > 0) {
			return errors.New("linear readout: the equations have no one solution")
		}
		for r := range n {
			if r == i || a[r][i] == 0 {
				continue
			}
			f := a[r][i] / a[i][i]
			for c := i; c < len(a[r]); c++ {
				a[r][c] -= f * a[i][c]
			}
		}
	}
	for i := range n {
		for c := n; c < len(a[i]); c++ {
			a[i][c] /= a[i][i]
		}
	}
	return nil
}
