package distance

import (
	"math"
	"math/bits"

	"synfire/internal/rng"
)

// mostExact is the number of trains up to which the best order is found exactly.
const mostExact = 15

// sortBy is the permutation p that maximises Σ_{i<j} d[p_i][p_j], for an
// antisymmetric d.
func sortBy(d [][]float64, seed uint64) []int {
	if len(d) <= mostExact {
		return sortExactly(d)
	}
	return anneal(d, rng.New(seed, "spike-train-order").Source())
}

// sortExactly finds the best sum of each set of trains that may come first, from
// the sets that lack one of it, which is then the last. Of equally good orders it
// takes the one nearest to that given.
func sortExactly(d [][]float64) []int {
	n := len(d)
	best, last := make([]float64, 1<<n), make([]int, 1<<n)
	for set := 1; set < 1<<n; set++ {
		best[set] = math.Inf(-1)
		for rest := set; rest != 0; rest &= rest - 1 {
			k := bits.TrailingZeros(uint(rest))
			sum := best[set&^(1<<k)]
			for before := set &^ (1 << k); before != 0; before &= before - 1 {
				sum += d[bits.TrailingZeros(uint(before))][k]
			}
			if sum >= best[set] {
				best[set], last[set] = sum, k
			}
		}
	}
	p := make([]int, n)
	for set := 1<<n - 1; n > 0; set &^= 1 << p[n] {
		n--
		p[n] = last[set]
	}
	return p
}

// The schedule of annealing, with n trains.
const (
	hottest = 2    // times the largest of d
	coldest = 1e-5 // of the hottest
	cooling = 0.9
	trials  = 100 // times n at one temperature
	enough  = 10  // times n exchanges that were accepted
)

// anneal exchanges neighbours, those that lower the sum with a probability that
// falls with the temperature, until no exchange is accepted.
func anneal(d [][]float64, src *rng.Source) []int {
	n, largest := len(d), 0.0
	p := make([]int, n)
	for i := range p {
		p[i] = i
		for _, v := range d[i] {
			largest = max(largest, v)
		}
	}
	for t := hottest * largest; t > coldest*hottest*largest; t *= cooling {
		accepted := 0
		for trial := 0; trial < trials*n && accepted < enough*n; trial++ {
			k := src.IntN(n - 1)
			gain := -2 * d[p[k]][p[k+1]]
			if gain > 0 || src.Float64() < math.Exp(gain/t) {
				p[k], p[k+1] = p[k+1], p[k]
				accepted++
			}
		}
		if accepted == 0 {
			break
		}
	}
	return p
}
