package detect

import (
	"cmp"
	"fmt"
	"slices"

	"synfire/internal/rng"
	"synfire/sample"
)

// Anchor is a shape that boxes are told by: width and height in one unit, of a head in
// cells of its grid.
type Anchor [2]float64

// shape is a box of the anchor's size around the origin's corner.
func (a Anchor) shape() sample.Box { return sample.Box{X1: a[0], Y1: a[1]} }

const (
	restarts = 10
	rounds   = 1000 // of k-means at most; it ends when no shape moves
)

// Anchors are k shapes that stand for the given ones: k-means with the distance
// 1 − IoU of shapes with a common corner (Redmon and Farhadi 2017, section 2), centroids
// the means of their members, the best of 10 restarts from seeds that are drawn far apart
// (probability as the distance). Shapes of no area are left out. The anchors are sorted by
// area. meanIoU is the mean over the shapes of the IoU with their anchor. The order of
// shapes does not matter.
func Anchors(shapes []Anchor, k int, seed uint64) (anchors []Anchor, meanIoU float64, err error) {
	var use []Anchor
	for _, s := range shapes {
		if s[0] > 0 && s[1] > 0 {
			use = append(use, s)
		}
	}
	slices.SortFunc(use, compareAnchors)
	distinct := len(slices.Compact(slices.Clone(use)))
	if k < 1 || k > distinct {
		return nil, 0, fmt.Errorf("detect: %d anchors of %d shapes that differ; want at least 1 and no more than there are shapes", k, distinct)
	}
	for run := range restarts {
		r := rng.New(seed, "detect.Anchors").Int(uint64(run)).Source()
		found, value := means(use, spread(use, k, r))
		if anchors == nil || value > meanIoU {
			anchors, meanIoU = found, value
		}
	}
	slices.SortFunc(anchors, compareAnchors)
	return anchors, meanIoU, nil
}

func compareAnchors(a, b Anchor) int {
	return cmp.Or(cmp.Compare(a[0]*a[1], b[0]*b[1]), cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
}

// nearest is the anchor with the largest IoU, the first of equals.
func nearest(anchors []Anchor, s sample.Box) (best int, iou float64) {
	for i, a := range anchors {
		if v := sample.IoU(a.shape(), s); v > iou {
			best, iou = i, v
		}
	}
	return best, iou
}

// spread draws k seeds, each with the probability of its distance from those before.
func spread(shapes []Anchor, k int, r *rng.Source) []Anchor {
	seeds := []Anchor{shapes[r.IntN(len(shapes))]}
	for len(seeds) < k {
		var total float64
		far := make([]float64, len(shapes))
		for i, s := range shapes {
			_, iou := nearest(seeds, s.shape())
			far[i] = 1 - iou
			total += far[i]
		}
		at, pick := r.Float64()*total, -1
		for i, d := range far {
			if d <= 0 {
				continue
			}
			if pick = i; at < d {
				break
			}
			at -= d
		}
		seeds = append(seeds, shapes[pick])
	}
	return seeds
}

// means moves anchors to the means of the shapes that are nearest to them.
func means(shapes, anchors []Anchor) ([]Anchor, float64) {
	var value float64
	for range rounds {
		sums, n := make([]Anchor, len(anchors)), make([]int, len(anchors))
		value = 0
		for _, s := range shapes {
			i, iou := nearest(anchors, s.shape())
			sums[i][0], sums[i][1] = sums[i][0]+s[0], sums[i][1]+s[1]
			n[i]++
			value += iou / float64(len(shapes))
		}
		moved := false
		for i := range anchors {
			if n[i] == 0 {
				continue // it stands where it stood
			}
			to := Anchor{sums[i][0] / float64(n[i]), sums[i][1] / float64(n[i])}
			moved = moved || to != anchors[i]
			anchors[i] = to
		}
		if !moved {
			break
		}
	}
	return anchors, value
}
