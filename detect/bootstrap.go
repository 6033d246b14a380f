package detect

import (
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
	truths := make([][]int, classes)
	verdicts := make([][][]verdict, classes)
	for c := range classes {
		for _, p := range pictures {
			k, all := p.voc(c, 0.5)
			truths[c], verdicts[c] = append(truths[c], k), append(verdicts[c], all)
		}
	}
	key := rng.New(seed, "detect.Resampled")
	out := make([]float64, n)
	for i := range out {
		r := key.Int(uint64(i)).Source()
		drawn := make([]int, len(pictures))
		for k := range drawn {
			drawn[k] = r.IntN(len(pictures))
		}
		var curves []Curve
		for c := range classes {
			var all []verdict
			count := 0
			for _, k := range drawn {
				count, all = count+truths[c][k], append(all, verdicts[c][k]...)
			}
			curves = append(curves, curve(count, all))
		}
		v, defined := Mean(curves, Curve.AllPoints)
		if out[i] = v; !defined {
			out[i] = math.NaN()
		}
	}
	return out
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
