package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Join is one step of a hierarchical clustering of n leaves, in the order in which
// the steps are made: clusters A and B become one at a distance Height. Leaves are
// numbered from 0, and the cluster that step i makes is n + i.
type Join struct {
	A, B   int
	Height float64
}

// dendrogram is a tree with its leaves in order, so that no branches cross.
type dendrogram struct {
	joins []Join
	order []int     // leaves from left to right
	place []float64 // of each cluster: a leaf's middle, or the middle of its parts
	high  []float64 // of each cluster
}

func newDendrogram(n int, joins []Join) (dendrogram, error) {
	d := dendrogram{joins: joins, place: make([]float64, 2*n-1), high: make([]float64, 2*n-1)}
	if len(joins) != n-1 {
		return d, fmt.Errorf("a tree of %d joins over %d leaves, want one fewer than leaves", len(joins), n)
	}
	leaves := make([][]int, n, 2*n-1)
	for i := range n {
		leaves[i] = []int{i}
	}
	for i, j := range joins {
		if j.A < 0 || j.B < 0 || j.A >= n+i || j.B >= n+i || j.A == j.B || leaves[j.A] == nil || leaves[j.B] == nil {
			return d, fmt.Errorf("join %d takes clusters %d and %d, want two that exist and are not part of another", i, j.A, j.B)
		}
		if notFinite(j.Height) || j.Height < 0 {
			return d, fmt.Errorf("join %d has height %v, want zero or more", i, j.Height)
		}
		leaves = append(leaves, append(leaves[j.A], leaves[j.B]...))
		leaves[j.A], leaves[j.B] = nil, nil
		d.high[n+i] = j.Height
	}
	d.order = leaves[len(leaves)-1]
	for i, leaf := range d.order {
		d.place[leaf] = float64(i) + 0.5
	}
	for i, j := range joins {
		d.place[n+i] = (d.place[j.A] + d.place[j.B]) / 2
	}
	return d, nil
}

// draw fits the tree into an area whose width is that of the leaves.
func (d dendrogram) draw(c draw.Canvas, area vg.Rectangle) {
	n, top := len(d.order), 0.0
	for _, h := range d.high {
		top = math.Max(top, h)
	}
	if top == 0 {
		top = 1
	}
	x := func(k int) vg.Length { return area.Min.X + area.Size().X*vg.Length(d.place[k]/float64(n)) }
	y := func(k int) vg.Length { return area.Min.Y + area.Size().Y*vg.Length(d.high[k]/top) }
	for i, j := range d.joins {
		k := n + i
		c.StrokeLines(line(muted, 0.9), []vg.Point{{X: x(j.A), Y: y(j.A)}, {X: x(j.A), Y: y(k)}, {X: x(j.B), Y: y(k)}, {X: x(j.B), Y: y(j.B)}})
	}
}
