package spikingyolo

import (
	"fmt"
	"math"
	"slices"

	"synfire/convert/detector"
)

// at is the point of an arm after some steps; false where it does not stop there.
func (f *found) at(arm string, steps int) (detector.Point, bool) {
	points := f.arms[arm].Points
	i := slices.IndexFunc(points, func(p detector.Point) bool { return p.Steps == steps })
	if i < 0 {
		return detector.Point{}, false
	}
	return points[i], true
}

// judge adds the figures of a seed to the claims. Steps that a scale does not run have none.
func (s *study) judge(j job, f *found) {
	s.Claim(j.ann, f.ordinary.MAP, f.n)
	for _, l := range j.losses {
		if p, ok := f.at(l.arm, l.steps); ok {
			s.Claim(l.claim, f.ordinary.Less(p).Median, f.n)
		}
	}
}

// compare sets the arms beside each other.
func (s *study) compare(f *found) {
	points := f.arms[channel].Points
	gain, behind, signed, off, later := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for i, c := range points {
		ahead := func(arm string) float64 { return c.Less(f.arms[arm].Points[i]).Median }
		behind = max(behind, -ahead(layerwise))
		if c.Steps <= 16 {
			gain = min(gain, ahead(layerwise))
		}
		if c.Steps >= 64 {
			signed, off = min(signed, ahead(suppressed)), max(off, c.Error/f.arms[suppressed].Points[i].Error)
		}
		if c.Steps == 8 {
			s.Claim(readClaim, ahead(counted), f.n)
		}
		if c.Steps > 8 {
			later = max(later, -ahead(counted))
		}
	}
	s.Claim(channelClaim, gain, f.n)
	s.Claim(behindClaim, behind, f.n)
	s.Claim(signedClaim, signed, f.n)
	s.Claim(errorClaim, off, f.n)
	s.Claim(laterClaim, later, f.n)
	for _, within := range []float64{5, 2, 1} {
		if ratio := f.faster(within); !math.IsNaN(ratio) {
			s.Metrics[fmt.Sprintf("%s_faster_at_%v", f.key, within)] = ratio
		}
	}
	s.Claim(fasterClaim, f.faster(1), f.n)
}

// faster is the steps of one scale a layer over those of one each channel, to within some points of
// the ordinary detector. Where only one of them gets there the last of the steps stand for the
// other's: at least so many where that is a scale a layer, at most where it is one each channel. It
// is not defined where none gets there.
func (f *found) faster(within float64) float64 {
	want := f.ordinary.MAP - within
	quick, ok := reach(f.arms[channel].Points, want)
	slow, too := reach(f.arms[layerwise].Points, want)
	if !ok && !too {
		return math.NaN()
	}
	return float64(slow.Steps) / float64(quick.Steps)
}

// reach is the first point that has an mAP, or the last and false.
func reach(points []detector.Point, want float64) (p detector.Point, ok bool) {
	for _, p = range points {
		if p.MAP >= want {
			return p, true
		}
	}
	return p, false
}

// What the paper compares: FLOP and additions in a second with a watt.
const (
	gpu  = 56e9
	chip = 400e9
)

// energies are the paper's ratios, as its figures come about and as counted. Of a network that is
// never within a point the operations of all steps count: more would only make its ratios smaller.
func (s *study) energies(f *found) {
	r := f.arms[channel]
	last := r.Points[len(r.Points)-1]
	flops, step := 2*r.Energy[0].NeuroBench.Dense, last.Synops/float64(last.Steps)
	s.Claim(chipClaim, flops/gpu/(step/chip), f.n)
	s.Claim(flopsClaim, flops/step, f.n)
	s.Metrics[f.key+"_flops"], s.Metrics[f.key+"_additions_a_step"] = flops, step
	s.Metrics[f.key+"_spikes_an_input"] = last.Synops / r.Energy[0].NeuroBench.Dense
	near, _ := reach(r.Points, f.ordinary.MAP-1)
	first := near.Papers.First / (1e-6 * r.Energy[0].Constants.MAC) // products of the first layer, once
	s.Metrics[f.key+"_counted_steps"] = float64(near.Steps)
	s.Claim(countedClaim, r.Energy[0].Papers.Total/near.Papers.Total, f.n)
	s.Claim(allFlopsClaim, flops/(near.Synops+2*first), f.n)
}
