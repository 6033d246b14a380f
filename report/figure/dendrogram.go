package figure

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/text"
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
	n, top := len(d.order), d.top()
	x := func(k int) vg.Length { return area.Min.X + area.Size().X*vg.Length(d.place[k]/float64(n)) }
	y := func(k int) vg.Length { return area.Min.Y + area.Size().Y*vg.Length(d.high[k]/top) }
	for i, j := range d.joins {
		k := n + i
		c.StrokeLines(line(muted, 0.9), []vg.Point{{X: x(j.A), Y: y(j.A)}, {X: x(j.A), Y: y(k)}, {X: x(j.B), Y: y(k)}, {X: x(j.B), Y: y(j.B)}})
	}
}

// top is the greatest height, 1 where there is none.
func (d dendrogram) top() float64 {
	if top := slices.Max(d.high); top > 0 {
		return top
	}
	return 1
}

// drawAxis draws the scale of the heights to the left of an area, and what they are
// where that fits.
func (d dendrogram) drawAxis(c draw.Canvas, area vg.Rectangle, quantity string) {
	x := area.Min.X - 3
	c.StrokeLine2(line(axis, 0.75), x, area.Min.Y, x, area.Max.Y)
	number := textStyle(tickSize, muted, text.XRight, text.YCenter)
	for _, m := range (ticks{most: 3}).Ticks(0, d.top()) {
		y := area.Min.Y + area.Size().Y*vg.Length(m.Value/d.top())
		c.StrokeLine2(line(axis, 0.75), x-3, y, x, y)
		c.FillText(number, vg.Point{X: x - 5, Y: y}, m.Label)
	}
	name := textStyle(tickSize, muted, text.XCenter, text.YCenter)
	if quantity == "" || name.Width(quantity) > treeHeight {
		quantity = "height"
	}
	name.Rotation = math.Pi / 2
	c.FillText(name, vg.Point{X: c.Min.X + axisLabel/2, Y: (area.Min.Y + area.Max.Y) / 2}, quantity)
}
