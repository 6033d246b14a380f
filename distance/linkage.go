package distance

import (
	"fmt"
	"math"
	"slices"
)

// Link is one step of a hierarchical clustering: clusters A and B become one at a
// distance Height. Trains are numbered from 0 on, and of n trains the cluster that
// step i makes is n + i.
type Link struct {
	A, B   int
	Height float64
}

// Method says how far apart two clusters are, by the distances of their members.
type Method string

// The methods. Ward's is of distances in a Euclidean space: the height of a link grows with
// what the sum of squares within clusters gains by it, and of two items it is their distance.
const (
	Average  Method = "average"  // the mean over all pairs (UPGMA)
	Single   Method = "single"   // the nearest pair
	Complete Method = "complete" // the farthest pair
	Ward     Method = "ward"     // √(2·Δ), Δ what the sum of squares within clusters gains
)

// Methods is all of them.
func Methods() []Method { return []Method{Average, Single, Complete, Ward} }

// between is the distance of a cluster of c members to what clusters of a and b members become,
// from those to the two and between them (Lance and Williams 1967).
func (m Method) between(toA, toB, ab, a, b, c float64) float64 {
	switch m {
	case Single:
		return min(toA, toB)
	case Complete:
		return max(toA, toB)
	case Ward:
		return math.Sqrt(max(0, ((a+c)*toA*toA+(b+c)*toB*toB-c*ab*ab)/(a+b+c)))
	}
	return (a*toA + b*toB) / (a + b)
}

// Linkage clusters what a symmetric matrix of distances describes: the two
// clusters that are closest by the method become one, again and again.
// Of equally close ones, which may differ by 10⁻¹³ of the largest distance, those with
// the lowest numbers are joined. It takes O(n³)
// at worst and O(n²) memory.
func Linkage(matrix [][]float64, method Method) ([]Link, error) {
	if !slices.Contains(Methods(), method) {
		return nil, fmt.Errorf("distance.Linkage: no method %q; want one of %v", method, Methods())
	}
	n := len(matrix)
	d := make([][]float64, n)
	for i, row := range matrix {
		if len(row) != n {
			return nil, fmt.Errorf("distance.Linkage: row %d has %d entries, want %d as there are rows", i, len(row), n)
		}
		d[i] = append([]float64(nil), row...)
		for j, v := range row[:i] {
			if math.IsNaN(v) || v != matrix[j][i] {
				return nil, fmt.Errorf("distance.Linkage: entries %d, %d and %d, %d are %v and %v; want equal numbers", i, j, j, i, v, matrix[j][i])
			}
		}
	}
	slack := 0.0
	for _, row := range d {
		for _, v := range row {
			slack = max(slack, equalDistances*math.Abs(v))
		}
	}
	id, size := make([]int, n), make([]float64, n)
	for i := range n {
		id[i], size[i] = i, 1
	}
	var links []Link
	for len(id) > 1 {
		a, b := closest(d, slack)
		links = append(links, Link{A: min(id[a], id[b]), B: max(id[a], id[b]), Height: d[a][b]})
		apart := d[a][b]
		for k := range d {
			far := method.between(d[a][k], d[b][k], apart, size[a], size[b], size[k])
			d[a][k], d[k][a] = far, far
		}
		id[a], size[a] = n+len(links)-1, size[a]+size[b]
		id, size, d = remove(id, b), remove(size, b), remove(d, b)
		for k := range d {
			d[k] = remove(d[k], b)
		}
	}
	return links, nil
}

// equalDistances is by how much of the largest distance equal ones may differ.
const equalDistances = 1e-13

// closest is the pair a < b of least distance.
func closest(d [][]float64, slack float64) (a, b int) {
	a, b = 0, 1
	for i := range d {
		for j := i + 1; j < len(d); j++ {
			if d[i][j] < d[a][b]-slack {
				a, b = i, j
			}
		}
	}
	return a, b
}

func remove[E any](s []E, i int) []E { return append(s[:i], s[i+1:]...) }

// Cut is the cluster of each item where links join them into so many, numbered from 0 on in the
// order of their first items.
func Cut(links []Link, clusters int) ([]int, error) {
	n := len(links) + 1
	if clusters < 1 || clusters > n {
		return nil, fmt.Errorf("distance.Cut: %d clusters of %d items, want 1 to as many as items", clusters, n)
	}
	root := make([]int, n+len(links)) // the cluster that one is part of
	for i := range root {
		root[i] = i
	}
	for i, l := range links[:n-clusters] {
		root[l.A], root[l.B] = n+i, n+i
	}
	out, number := make([]int, n), map[int]int{}
	for i := range out {
		at := i
		for root[at] != at {
			at = root[at]
		}
		k, known := number[at]
		if !known {
			k = len(number)
			number[at] = k
		}
		out[i] = k
	}
	return out, nil
}
