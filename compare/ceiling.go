package compare

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"synfire/compare/internal/numeric"
)

// Pooling is how RDMs of several subjects are averaged into the one that agrees
// with all best.
type Pooling int

// The poolings, each for a family of similarities.
const (
	PoolCosine      Pooling = iota // mean of r/rms(r): CosineSimilarity, WhitenedCosine
	PoolCorrelation                // mean of standardised r: Pearson, WhitenedPearson
	PoolRanks                      // mean of ranks: Spearman, RhoA; TauA and TauB nearly
)

// Comparison is a similarity with the pooling that belongs to it.
type Comparison struct {
	Similarity Similarity
	Pooling    Pooling
	NoZero     bool // unrelated RDMs are not at 0: nothing is tested against it
}

// pooled is the average of RDMs of the same stimuli. Their order does not matter:
// what is averaged is added in ascending order and divided once, so that equal sums
// of ranks stay ties.
func pooled(p Pooling, data []RDM) RDM {
	parts := make([]RDM, len(data))
	for i, r := range data {
		parts[i] = normalised(p, r)
	}
	pool := NewRDM(data[0].N)
	if p != PoolRanks { // sums of ranks are exact
		pool.Rounding = make([]float64, len(pool.Values))
	}
	values := make([]float64, len(parts))
	for i := range pool.Values {
		for k, r := range parts {
			values[k] = r.Values[i]
			if pool.Rounding != nil {
				pool.Rounding[i] += (r.bound(i) + float64(len(parts)+1)*numeric.Roundoff*math.Abs(values[k])) / float64(len(parts))
			}
		}
		pool.Values[i] = orderlessMean(values)
	}
	return pool
}

// orderlessMean is the mean of values whose order shall not matter; it sorts them.
func orderlessMean(v []float64) float64 {
	slices.Sort(v)
	return numeric.Mean(v)
}

// normalised is r on the scale on which it is pooled.
func normalised(p Pooling, r RDM) RDM {
	if p == PoolRanks {
		return r.Rank()
	}
	scaled, e := numeric.RescaledValues(r.Values)
	near1 := RDM{N: r.N, Values: scaled}
	present := near1.present()
	shift := 0.0
	if p == PoolCorrelation && len(present) > 0 {
		shift = numeric.Mean(present)
	}
	square := 0.0
	for _, v := range present {
		square += (v - shift) * (v - shift)
	}
	rms := math.Sqrt(square / float64(len(present)))
	if rms == 0 {
		rms = 1
	}
	if r.Rounding != nil {
		near1.Rounding = numeric.ScaledBy(r.Rounding, -e)
	}
	return near1.mapped(func(v, e float64) (float64, float64) {
		return (v - shift) / rms, (e + 2*numeric.Roundoff*math.Abs(v-shift)) / rms
	})
}

// NoiseCeiling bounds the mean similarity that any model can have with the RDMs of
// several subjects (Nili et al. 2014): upper is that of the pool of all, which has
// seen each subject, lower that of the pools of the others. For TauA, TauB and the
// whitened ones these are not quite the best pools, and upper is an approximation.
func NoiseCeiling(c Comparison, data []RDM) (lower, upper float64, err error) {
	const op = "NoiseCeiling"
	if len(data) < 2 {
		return 0, 0, fmt.Errorf("compare.%s: RDMs of %d subjects, want at least 2", op, len(data))
	}
	if err := sameStimuli(op, data); err != nil {
		return 0, 0, err
	}
	return noiseCeiling(c, data, within(len(data)))
}

// noiseCeiling knows which RDMs are copies of the same subject's, none of which
// is among the others.
func noiseCeiling(c Comparison, data []RDM, subject []int) (lower, upper float64, err error) {
	data = slices.Clone(data)
	for i, r := range data {
		if r.kept == nil {
			data[i] = r.keeping()
		}
	}
	all := pooled(c.Pooling, data).keeping()
	var below, above []float64
	for i, r := range data {
		var others []RDM
		for j, s := range data {
			if subject[j] != subject[i] {
				others = append(others, s)
			}
		}
		for _, side := range []struct {
			values *[]float64
			pool   RDM
		}{{&above, all}, {&below, pooled(c.Pooling, others)}} {
			v, err := orZero(c.Similarity(side.pool, r))
			if err != nil {
				return 0, 0, err
			}
			*side.values = append(*side.values, v)
		}
	}
	return orderlessMean(below), orderlessMean(above), nil
}

func sameStimuli(op string, data []RDM) error {
	if len(data) == 0 {
		return fmt.Errorf("compare.%s: no RDMs; give one for each subject", op)
	}
	for i, r := range data {
		if err := r.check(op); err != nil {
			return err
		}
		if r.N != data[0].N {
			return fmt.Errorf("compare.%s: RDM %d is of %d stimuli, RDM 0 of %d; make all of the same stimuli", op, i, r.N, data[0].N)
		}
	}
	return nil
}

// similarities of a prediction with each of some RDMs, of which so many are undefined and 0.
func similarities(c Comparison, prediction RDM, data []RDM) (values []float64, undefined int, err error) {
	values = make([]float64, len(data))
	for i, r := range data {
		v, err := c.Similarity(prediction, r)
		if errors.Is(err, ErrUndefined) {
			undefined++
		}
		if values[i], err = orZero(v, err); err != nil {
			return nil, 0, err
		}
	}
	return values, undefined, nil
}
