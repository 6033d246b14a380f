// Package detect finds objects: boxes, each of a class and with a score, in the output of
// a network, and how good they are.
//
// A head of YOLOv2 (Redmon and Farhadi, "YOLO9000: better, faster, stronger", CVPR 2017)
// is an output [G_h, G_w, K·(5+C)]: for each cell of a grid and each of K anchors the
// values t_x, t_y, t_w, t_h, t_o and C classes. With the cell (c_x, c_y), an anchor
// (p_w, p_h) in cells and σ the logistic function, fractions of the picture are
//
//	b_x = (σ(t_x) + c_x)/G_w    b_w = p_w·exp(t_w)/G_w
//	b_y = (σ(t_y) + c_y)/G_h    b_h = p_h·exp(t_h)/G_h
//	score of class c = σ(t_o)·softmax(t_classes)_c
//
// [YOLO] is the loss that trains one, and says what an output means; [Detect] is the task
// that scores boxes by average precision, of the PASCAL VOC challenge and of COCO. It reads
// what the loss decoded, so anchors stand in one place. Boxes that overlap a better one of
// their class are removed by [Suppress], anchors are found by [Anchors].
package detect

import (
	"cmp"
	"slices"

	"synfire/sample"
)

// Detection is a box that was found, with its score in [0, 1].
type Detection struct {
	sample.Box
	Score float64
}

// compareBoxes orders boxes by class and place, so that nothing hangs on the order in which
// they are given.
func compareBoxes(a, b sample.Box) int {
	return cmp.Or(cmp.Compare(a.Class, b.Class), cmp.Compare(a.X0, b.X0), cmp.Compare(a.Y0, b.Y0), cmp.Compare(a.X1, b.X1), cmp.Compare(a.Y1, b.Y1))
}

// compare orders detections from the highest score down, those of equal scores by class
// and place.
func compare(a, b Detection) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), compareBoxes(a.Box, b.Box))
}

// Suppress is non-maximum suppression: of each class the detections, from the highest score
// down, that have no IoU above overlap with one that was kept before. What it returns is
// sorted by score; found stays as it is. Equal scores go by class and place.
func Suppress(found []Detection, overlap float64) []Detection {
	sorted := slices.Clone(found)
	slices.SortFunc(sorted, compare)
	kept := map[int][]Detection{} // by class
	return slices.DeleteFunc(sorted, func(d Detection) bool {
		hidden := slices.ContainsFunc(kept[d.Class], func(k Detection) bool { return sample.IoU(k.Box, d.Box) > overlap })
		if !hidden {
			kept[d.Class] = append(kept[d.Class], d)
		}
		return hidden
	})
}

// ToFile maps a box of the network's input to the picture that it comes from, and cuts it
// off at the picture's edges.
func ToFile(b sample.Box, f sample.Frame) sample.Box {
	if f == (sample.Frame{}) {
		return b
	}
	w, h := float64(f.Width), float64(f.Height)
	b.X0, b.X1 = min(max(f.ScaleX*b.X0+f.X, 0), w), min(max(f.ScaleX*b.X1+f.X, 0), w)
	b.Y0, b.Y1 = min(max(f.ScaleY*b.Y0+f.Y, 0), h), min(max(f.ScaleY*b.Y1+f.Y, 0), h)
	return b
}
