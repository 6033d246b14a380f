package detect

import (
	"slices"

	"synfire/sample"
)

// Picture is what there is in a picture and what was found in it.
type Picture struct {
	Truths []sample.Box
	Found  []Detection
}

// Curve counts detections from the highest score down: after each score that occurs, how
// many were right and how many wrong. Detections of equal score enter together, so that the
// order of pictures does not matter.
type Curve struct {
	Truths int // that are to be found: npos
	Points []Point
}

// Point is the numbers of right and wrong detections down to a score.
type Point struct {
	Score        float64
	Right, Wrong int
}

// verdict is what a detection counts as.
type verdict struct {
	score          float64
	right, ignored bool
}

// curve sums verdicts up.
func curve(truths int, all []verdict) Curve {
	slices.SortStableFunc(all, func(a, b verdict) int { return compare(Detection{Score: a.score}, Detection{Score: b.score}) })
	c := Curve{Truths: truths}
	var at Point
	for i, v := range all {
		switch {
		case v.ignored:
		case v.right:
			at.Right++
		default:
			at.Wrong++
		}
		if i+1 < len(all) && all[i+1].score == v.score || at.Right+at.Wrong == 0 {
			continue
		}
		at.Score = v.score
		c.Points = append(c.Points, at)
	}
	return c
}

// envelope is for each point the highest precision at it or behind it.
func (c Curve) envelope() []float64 {
	p := make([]float64, len(c.Points))
	var best float64
	for i := len(p) - 1; i >= 0; i-- {
		at := c.Points[i]
		best = max(best, float64(at.Right)/float64(at.Right+at.Wrong))
		p[i] = best
	}
	return p
}

// AllPoints is the area under the curve of precision over recall, made monotone (PASCAL VOC
// from 2010 on). It is undefined (false) where there is no truth to find.
func (c Curve) AllPoints() (ap float64, defined bool) {
	if c.Truths == 0 {
		return 0, false
	}
	before := 0
	for i, p := range c.envelope() {
		ap += float64(c.Points[i].Right-before) / float64(c.Truths) * p
		before = c.Points[i].Right
	}
	return ap, true
}

// Interpolated is the mean over recalls 0, 1/n, …, 1 of the highest precision at that
// recall or above: n = 10 is that of PASCAL VOC 2007, n = 100 that of COCO. It is undefined
// (false) where there is no truth to find.
func (c Curve) Interpolated(n int) (ap float64, defined bool) {
	if c.Truths == 0 {
		return 0, false
	}
	p, at := c.envelope(), 0
	for k := range n + 1 {
		for at < len(p) && c.Points[at].Right*n < k*c.Truths { // in integers: recall < k/n
			at++
		}
		if at < len(p) {
			ap += p[at]
		}
	}
	return ap / float64(n+1), true
}

// ofClass is the truths and detections of a class in a fixed order, at most so many
// detections (0: all), those of the highest scores.
func (p Picture) ofClass(class, most int) (truths []sample.Box, found []Detection) {
	for _, b := range p.Truths {
		if b.Class == class {
			truths = append(truths, b)
		}
	}
	slices.SortFunc(truths, compareBoxes)
	for _, d := range p.Found {
		if d.Class == class {
			found = append(found, d)
		}
	}
	slices.SortFunc(found, compare)
	if most > 0 && len(found) > most {
		found = found[:most]
	}
	return truths, found
}

// VOC compares the detections of a class with its truths as the devkit of PASCAL VOC does
// (Everingham et al., IJCV 88, 2010): a detection goes with the one truth of its picture
// that it overlaps most. From an IoU of threshold on it is right where it is the first to do
// so, wrong where another was, and ignored where the truth is difficult; below it is wrong.
// Difficult truths need not be found.
func VOC(pictures []Picture, class int, threshold float64) Curve {
	var all []verdict
	n := 0
	for _, p := range pictures {
		truths, verdicts := p.voc(class, threshold)
		n, all = n+truths, append(all, verdicts...)
	}
	return curve(n, all)
}

// voc is the truths of a class that a picture has to be found, and a verdict for each detection.
func (p Picture) voc(class int, threshold float64) (n int, all []verdict) {
	truths, found := p.ofClass(class, 0)
	taken := make([]bool, len(truths))
	for _, t := range truths {
		if !t.Difficult {
			n++
		}
	}
	for _, d := range found {
		best, iou := -1, 0.0
		for i, t := range truths {
			if v := sample.IoU(d.Box, t); v > iou {
				best, iou = i, v
			}
		}
		v := verdict{score: d.Score}
		if best >= 0 && iou >= threshold {
			v.ignored = truths[best].Difficult
			v.right = !v.ignored && !taken[best]
			taken[best] = true
		}
		all = append(all, v)
	}
	return n, all
}

// mostCOCO is how many detections of a picture and class COCO looks at.
const mostCOCO = 100

// COCO compares the detections of a class with its truths as COCO does (Lin et al.,
// ECCV 2014): of the 100 best of each picture, each takes the truth that it overlaps most
// among those that are free, from an IoU of threshold on, one that is difficult only where
// there is no other; it is then ignored. A crowd stays free, and with it counts the share of the
// detection that lies in it, in place of the IoU.
func COCO(pictures []Picture, class int, threshold float64) Curve {
	var all []verdict
	n := 0
	for _, p := range pictures {
		truths, found := p.ofClass(class, mostCOCO)
		taken := make([]bool, len(truths))
		for _, t := range truths {
			if !t.Difficult {
				n++
			}
		}
		for _, d := range found {
			best := free(truths, taken, d.Box, threshold, false)
			if best < 0 {
				best = free(truths, taken, d.Box, threshold, true)
			}
			v := verdict{score: d.Score}
			if best >= 0 {
				taken[best] = true
				v.ignored = truths[best].Difficult
				v.right = !v.ignored
			}
			all = append(all, v)
		}
	}
	return curve(n, all)
}

// free is the truth that a box overlaps most among those that are not taken.
func free(truths []sample.Box, taken []bool, b sample.Box, threshold float64, difficult bool) int {
	best, iou := -1, 0.0
	for i, t := range truths {
		if t.Difficult != difficult || taken[i] && !t.Crowd {
			continue
		}
		overlap := sample.IoU
		if t.Crowd {
			overlap = sample.Within
		}
		if v := overlap(b, t); v >= threshold && v > iou {
			best, iou = i, v
		}
	}
	return best
}

// Mean is the mean of the average precisions that are defined, those of classes with a truth.
func Mean(curves []Curve, ap func(Curve) (float64, bool)) (mean float64, defined bool) {
	n := 0
	for _, c := range curves {
		if v, ok := ap(c); ok {
			mean += v
			n++
		}
	}
	if n == 0 {
		return 0, false
	}
	return mean / float64(n), true
}
