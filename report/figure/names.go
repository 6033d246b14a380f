package figure

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// names is the labels of clouds as a plotter, to be added after the points.
type names []Cloud

// named is a label with the place of its point.
type named struct {
	text  string
	cloud int
	at    vg.Point
}

const (
	pointRoom  = vg.Length(3.5) // that a point takes to each side
	shareLabel = vg.Length(7)   // between points that share a label
)

var labelStyle = textStyle(tickSize, ink, text.XLeft, text.YCenter)

// Plot implements plot.Plotter.
func (n names) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	var all []named
	var taken []vg.Rectangle
	for i, cloud := range n {
		for k, x := range cloud.X {
			at := vg.Point{X: tx(x), Y: ty(cloud.Y[k])}
			taken = append(taken, around(at, pointRoom, pointRoom))
			if k < len(cloud.Labels) && cloud.Labels[k] != "" {
				all = append(all, named{cloud.Labels[k], i, at})
			}
		}
	}
	for _, l := range place(c.Rectangle, share(all), taken) {
		if l.lead {
			c.StrokeLine2(line(axis, 0.6), l.from.X, l.from.Y, l.to.X, l.to.Y)
		}
		c.FillText(labelStyle, vg.Point{X: l.box.Min.X + 1, Y: (l.box.Min.Y + l.box.Max.Y) / 2}, l.text)
	}
}

// share leaves out labels that a point close by of the same cloud has, too.
func share(all []named) (out []named) {
	for i, l := range all {
		twin := false
		for _, o := range all[:i] {
			twin = twin || o.cloud == l.cloud && o.text == l.text && math.Hypot(float64(o.at.X-l.at.X), float64(o.at.Y-l.at.Y)) < float64(shareLabel)
		}
		if !twin {
			out = append(out, l)
		}
	}
	return out
}

// placed is a label in its box, with a line to its point where it stands apart.
type placed struct {
	text     string
	box      vg.Rectangle
	from, to vg.Point
	lead     bool
}

// directions in which labels are tried, those first that read best.
var directions = [...]vg.Point{{X: 1}, {X: -1}, {Y: 1}, {Y: -1}, {X: 0.8, Y: 0.8}, {X: 0.8, Y: -0.8}, {X: -0.8, Y: 0.8}, {X: -0.8, Y: -0.8},
	{X: 0.95, Y: 0.4}, {X: 0.95, Y: -0.4}, {X: -0.95, Y: 0.4}, {X: -0.95, Y: -0.4}}

// place finds each label the nearest box inside the area that covers nothing: no
// point, no label, no line to one. Where there is none it stands at the right of its
// point.
func place(area vg.Rectangle, all []named, points []vg.Rectangle) (out []placed) {
	for _, l := range all {
		best := candidate(l, 0, directions[0])
	search:
		for _, far := range []vg.Length{0, 8, 16, 26, 38, 52, 68, 86, 110} {
			for _, d := range directions {
				if p := candidate(l, far, d); free(area, p, out, points) {
					best = p
					break search
				}
			}
		}
		out = append(out, best)
	}
	return out
}

// candidate is a label at a distance in a direction from its point.
func candidate(l named, far vg.Length, d vg.Point) placed {
	w, h := labelStyle.Width(l.text)/2+1, tickSize/2+0.5
	mid := vg.Point{
		X: l.at.X + d.X*(far+pointRoom+1.5) + sign(d.X)*w,
		Y: l.at.Y + d.Y*(far+pointRoom+1) + d.Y*h,
	}
	p := placed{text: l.text, box: around(mid, w, h), from: l.at, lead: far > 0}
	p.to = vg.Point{X: min(max(l.at.X, p.box.Min.X), p.box.Max.X), Y: min(max(l.at.Y, p.box.Min.Y), p.box.Max.Y)}
	return p
}

func sign(v vg.Length) vg.Length {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// free reports whether a label can stand: inside, covering nothing.
func free(area vg.Rectangle, p placed, others []placed, points []vg.Rectangle) bool {
	if p.box.Min.X < area.Min.X || p.box.Max.X > area.Max.X || p.box.Min.Y < area.Min.Y || p.box.Max.Y > area.Max.Y {
		return false
	}
	for _, r := range points {
		if overlap(p.box, r) {
			return false
		}
	}
	for _, o := range others {
		if overlap(p.box, o.box) || o.lead && crosses(o.from, o.to, p.box) || p.lead && crosses(p.from, p.to, o.box) {
			return false
		}
	}
	return true
}

func around(at vg.Point, w, h vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: at.X - w, Y: at.Y - h}, Max: vg.Point{X: at.X + w, Y: at.Y + h}}
}

func overlap(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}

// crosses reports whether a line from a to b passes through a rectangle, by cutting
// off what lies outside each side.
func crosses(a, b vg.Point, r vg.Rectangle) bool {
	lo, hi := 0.0, 1.0
	cut := func(from, by, least, most vg.Length) {
		if by == 0 {
			if from <= least || from >= most {
				hi = -1
			}
			return
		}
		t0, t1 := float64((least-from)/by), float64((most-from)/by)
		lo, hi = max(lo, min(t0, t1)), min(hi, max(t0, t1))
	}
	cut(a.X, b.X-a.X, r.Min.X, r.Max.X)
	cut(a.Y, b.Y-a.Y, r.Min.Y, r.Max.Y)
	return lo < hi
}
