package detect

import (
	"cmp"
	"math"
	"slices"

	"synfire/internal/rng"
)

// MAP is the mean over classes of the area under precision over recall at an IoU of 0.5, as
// PASCAL VOC from 2010 on has it; not defined where there are no truths.
func MAP(pictures []Picture, classes int) (mean float64, defined bool) {
	var curves []Curve
	for c := range classes {
		curves = append(curves, VOC(pictures, c, 0.5))
	}
	return Mean(curves, Curve.AllPoints)
}

// Resampled is MAP of n samples of the pictures, each drawn with replacement and as many as there
// are (Efron, "Bootstrap methods", Ann. Statist. 7:1, 1979). A seed draws the same pictures again:
// of two detectors on the same pictures the differences are paired. Where it is not defined it is
// NaN.
func Resampled(pictures []Picture, classes, n int, seed uint64) []float64 {
	all := make([]sorted, classes)
	for c := range classes {
		all[c] = sortedOf(pictures, c)
	}
	key, times := rng.New(seed, "detect.Resampled"), make([]int, len(pictures))
	out := make([]float64, n)
	for i := range out {
		r := key.Int(uint64(i)).Source()
		clear(times)
		for range pictures {
			times[r.IntN(len(pictures))]++
		}
		var curves []Curve
		for c := range all {
			curves = append(curves, all[c].drawn(times))
		}
		v, defined := Mean(curves, Curve.AllPoints)
		if out[i] = v; !defined {
			out[i] = math.NaN()
		}
	}
	return out
}

// sorted is the verdicts of a class from the highest score down, each with its picture, and what is
// to be found in each picture.
type sorted struct {
	verdicts []verdict
	of       []int
	truths   []int
}

func sortedOf(pictures []Picture, class int) (s sorted) {
	type one struct {
		verdict
		of int
	}
	var all []one
	for i, p := range pictures {
		n, verdicts := p.voc(class, 0.5)
		s.truths = append(s.truths, n)
		for _, v := range verdicts {
			all = append(all, one{v, i})
		}
	}
	slices.SortStableFunc(all, func(a, b one) int { return cmp.Compare(b.score, a.score) })
	for _, v := range all {
		s.verdicts, s.of = append(s.verdicts, v.verdict), append(s.of, v.of)
	}
	return s
}

// drawn is the curve of pictures that are drawn so many times. Only where recall grows, and at the
// best precision behind, does a point count: others are left out.
func (s sorted) drawn(times []int) (c Curve) {
	for i, n := range s.truths {
		c.Truths += n * times[i]
	}
	var at Point
	grown := false
	for i, v := range s.verdicts {
		switch n := times[s.of[i]]; {
		case v.ignored:
		case v.right:
			at.Right += n
			grown = grown || n > 0
		default:
			at.Wrong += n
		}
		if i+1 < len(s.verdicts) && s.verdicts[i+1].score == v.score || !grown {
			continue
		}
		at.Score, grown = v.score, false
		c.Points = append(c.Points, at)
	}
	return c
}

// Interval is what holds a share of values, between their quantiles; those that are NaN are left
// out.
func Interval(values []float64, share float64) (low, high float64) {
	v := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	if len(v) == 0 {
		return math.NaN(), math.NaN()
	}
	slices.Sort(v)
	at := func(q float64) float64 { return v[int(math.Round(q*float64(len(v)-1)))] }
	return at((1 - share) / 2), at((1 + share) / 2)
}
