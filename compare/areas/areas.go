// Package areas finds for each area of a brain the layer of a network that agrees with it best, and
// tells by other stimuli how well.
//
// The stimuli are divided at random into halves. The layer with the highest score on one half is
// scored on the other, and the other way round; an area's score is the mean over many divisions,
//
//	layer(h) = argmax_l score(l, h),   score = mean over halves h of score(layer(h), rest of h)
//
// A layer that was chosen and scored by the same stimuli would look better than it is: the best of
// many always does. Intervals are by a bootstrap over the stimuli, in which each resample chooses
// anew, in a few divisions (copies of a stimulus stay in one half): these add some of their own
// chance, so that intervals are rather wide than narrow.
package areas

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"synfire/compare"
	"synfire/internal/par"
	"synfire/internal/rng"
)

// Score is how well a layer agrees with an area over some stimuli, which may be listed twice, in a
// resample. An error that wraps compare.ErrUndefined is no score.
type Score func(layer, area int, stimuli []int) (float64, error)

// Options say how layers are chosen. The zero value is usual.
type Options struct {
	Splits    int // divisions into halves; 0: 20
	Resamples int // of the bootstrap; 0: 200
	Seed      uint64
	Least     int // stimuli that a half must have; 0: 3
	Pool      *par.Pool
}

// Result is what is found of an area. What is undefined is nil.
type Result struct {
	Area    string     `json:"area"`
	Layer   string     `json:"layer"` // chosen most often, the earlier of equals; empty for none
	Score   *float64   `json:"score"` // on stimuli that did not choose
	Low     *float64   `json:"low"`   // 95 %
	High    *float64   `json:"high"`
	Chosen  []float64  `json:"chosen"`   // share of the halves that chose each layer
	ByLayer []*float64 `json:"by_layer"` // of each layer over all stimuli, which chose it too
	Left    int        `json:"left_out"` // halves without a score
	Why     string     `json:"why,omitempty"`
}

// divisions of a resample.
const divisions = 4

// Map finds layers for areas over a number of stimuli.
func Map(layers, areas []string, stimuli int, score Score, o Options) ([]Result, error) {
	if o.Splits == 0 {
		o.Splits = 20
	}
	if o.Resamples == 0 {
		o.Resamples = 200
	}
	if o.Least == 0 {
		o.Least = 3
	}
	switch {
	case len(layers) == 0 || len(areas) == 0:
		return nil, fmt.Errorf("areas: %d layers and %d areas, want one or more of both", len(layers), len(areas))
	case o.Splits < 1 || o.Resamples < 2 || o.Least < 1:
		return nil, fmt.Errorf("areas: %d divisions, %d resamples, halves of at least %d; want at least 1, 2 and 1", o.Splits, o.Resamples, o.Least)
	case stimuli < 2*o.Least:
		return nil, fmt.Errorf("areas: %d stimuli, want at least %d: one half chooses a layer, the other one tests it", stimuli, 2*o.Least)
	}
	var out []Result
	for a, name := range areas {
		s := study{layers: len(layers), stimuli: stimuli, o: o, score: func(layer int, list []int) (float64, error) { return score(layer, a, list) }}
		r, err := s.area(layers)
		if err != nil {
			return nil, fmt.Errorf("area %s: %w", name, err)
		}
		r.Area = name
		out = append(out, r)
	}
	return out, nil
}

// study is one area.
type study struct {
	layers, stimuli int
	o               Options
	score           func(layer int, stimuli []int) (float64, error)
}

// outcome is that of some divisions.
type outcome struct {
	sum    float64
	scored int
	left   int
	chosen []int // how often, by layer
}

func (o outcome) mean() float64 { return o.sum / float64(o.scored) }

func (s study) area(layers []string) (Result, error) {
	r := Result{Chosen: make([]float64, s.layers)}
	all := make([]int, s.stimuli)
	for i := range all {
		all[i] = i
	}
	for l := range s.layers {
		v, err := s.defined(l, all)
		if err != nil {
			return r, err
		}
		if math.IsNaN(v) {
			r.ByLayer = append(r.ByLayer, nil)
			continue
		}
		r.ByLayer = append(r.ByLayer, &v)
	}
	found := outcome{chosen: make([]int, s.layers)}
	for k := range s.o.Splits {
		if err := s.divide(all, rng.New(s.o.Seed, "areas").Int(uint64(k)).Source(), &found); err != nil {
			return r, err
		}
	}
	r.Left = found.left
	if found.scored == 0 {
		r.Why = "no half of the stimuli gives any layer a score that the other half has too"
		return r, nil
	}
	for l, n := range found.chosen {
		r.Chosen[l] = float64(n) / float64(found.scored)
	}
	most := slices.Index(found.chosen, slices.Max(found.chosen))
	v := found.mean()
	r.Layer, r.Score = layers[most], &v
	se, err := s.se()
	if err != nil {
		return r, err
	}
	if math.IsNaN(se) {
		r.Why = "resamples of the stimuli have no scores: no interval"
		return r, nil
	}
	half := se * distuv.StudentsT{Sigma: 1, Nu: float64(s.stimuli - 1)}.Quantile(0.975)
	low, high := v-half, v+half
	r.Low, r.High = &low, &high
	return r, nil
}

// defined is a score, NaN for none.
func (s study) defined(layer int, stimuli []int) (float64, error) {
	v, err := s.score(layer, stimuli)
	if errors.Is(err, compare.ErrUndefined) {
		return math.NaN(), nil
	}
	return v, err
}

// divide chooses by each half and scores by the other.
func (s study) divide(stimuli []int, source *rng.Source, out *outcome) error {
	distinct := slices.Compact(slices.Sorted(slices.Values(stimuli)))
	first := map[int]bool{}
	for k, i := range source.Perm(len(distinct)) {
		first[distinct[i]] = k < len(distinct)/2
	}
	var halves [2][]int
	for _, i := range stimuli {
		if first[i] {
			halves[0] = append(halves[0], i)
		} else {
			halves[1] = append(halves[1], i)
		}
	}
	for h, list := range halves {
		best, top := -1, math.Inf(-1)
		for l := range s.layers {
			v, err := s.defined(l, list)
			if err != nil {
				return err
			}
			if v > top { // not of NaN; the first of equals
				best, top = l, v
			}
		}
		v := math.NaN()
		if best >= 0 {
			var err error
			if v, err = s.defined(best, halves[1-h]); err != nil {
				return err
			}
		}
		if math.IsNaN(v) {
			out.left++
			continue
		}
		out.sum, out.scored = out.sum+v, out.scored+1
		out.chosen[best]++
	}
	return nil
}

// se is the standard error of the score over stimuli, NaN for none.
func (s study) se() (float64, error) {
	values, errs := make([]float64, s.o.Resamples), make([]error, s.o.Resamples)
	s.o.Pool.For(s.o.Resamples, 1, func(_, lo, hi int) {
		for k := lo; k < hi; k++ {
			key := rng.New(s.o.Seed, "resample of stimuli").Int(uint64(k))
			drawn, found := s.draw(key.Source()), outcome{chosen: make([]int, s.layers)}
			for r := range divisions {
				if errs[k] = s.divide(drawn, key.Int(uint64(r)).Source(), &found); errs[k] != nil {
					break
				}
			}
			values[k] = found.mean()
		}
	})
	if k := slices.IndexFunc(errs, func(e error) bool { return e != nil }); k >= 0 {
		return 0, errs[k]
	}
	values = slices.DeleteFunc(values, math.IsNaN)
	if len(values) < 2 {
		return math.NaN(), nil
	}
	n := float64(s.stimuli)
	return math.Sqrt(stat.Variance(values, nil) * n / (n - 1)), nil
}

// draw is a resample with enough different stimuli for two halves.
func (s study) draw(source *rng.Source) []int {
	out := make([]int, s.stimuli)
	for {
		for i := range out {
			out[i] = source.IntN(s.stimuli)
		}
		if len(slices.Compact(slices.Sorted(slices.Values(out)))) >= 2*s.o.Least {
			return out
		}
	}
}
