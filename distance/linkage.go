package distance

import (
	"fmt"
	"math"
)

// Link is one step of a hierarchical clustering: clusters A and B become one at a
// distance Height. Trains are numbered from 0 on, and of n trains the cluster that
// step i makes is n + i.
type Link struct {
	A, B   int
	Height float64
}

// Linkage clusters what a symmetric matrix of distances describes: the two
// clusters that are closest become one, again and again, where the distance of two
// clusters is the mean over the pairs of their members (average linkage, UPGMA).
// Of equally close ones, which may differ by 10⁻¹³ of the largest distance, those with
// the lowest numbers are joined. It takes O(n³)
// at worst and O(n²) memory.
func Linkage(matrix [][]float64) ([]Link, error) {
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
		for k := range d {
			mean := (size[a]*d[a][k] + size[b]*d[b][k]) / (size[a] + size[b])
			d[a][k], d[k][a] = mean, mean
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
