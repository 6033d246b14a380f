package compare

import (
	"fmt"
	"math"
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
}

// pooled is the average of RDMs of the same stimuli.
func pooled(p Pooling, data []RDM) RDM {
	sum := NewRDM(data[0].N)
	for _, r := range data {
		n := normalised(p, r)
		for i, v := range n.Values {
			sum.Values[i] += v / float64(len(data))
		}
	}
	return sum
}

// normalised is r on the scale on which it is pooled.
func normalised(p Pooling, r RDM) RDM {
	if p == PoolRanks {
		return r.Rank()
	}
	present, _ := r.present()
	shift, square := 0.0, 0.0
	if p == PoolCorrelation && len(present) > 0 {
		shift = mean(present)
	}
	for _, v := range present {
		square += (v - shift) * (v - shift)
	}
	rms := math.Sqrt(square / float64(len(present)))
	if rms == 0 {
		rms = 1
	}
	return r.mapped(func(v float64) float64 { return (v - shift) / rms })
}

// NoiseCeiling bounds the mean similarity that any model can have with the RDMs of
// several subjects (Nili et al. 2014): upper is that of the pool of all, which has
// seen each subject, lower that of the pools of the others. For TauA and TauB the
// mean ranks are not quite the best pool, and upper is an approximation.
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
	all := pooled(c.Pooling, data)
	for i, r := range data {
		var others []RDM
		for j, s := range data {
			if subject[j] != subject[i] {
				others = append(others, s)
			}
		}
		for _, side := range []struct {
			sum  *float64
			pool RDM
		}{{&upper, all}, {&lower, pooled(c.Pooling, others)}} {
			v, err := orZero(c.Similarity(side.pool, r))
			if err != nil {
				return 0, 0, err
			}
			*side.sum += v / float64(len(data))
		}
	}
	return lower, upper, nil
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

// meanSimilarity of a prediction with each of some RDMs; undefined ones are 0.
func meanSimilarity(c Comparison, prediction RDM, data []RDM) (float64, error) {
	sum := 0.0
	for _, r := range data {
		v, err := orZero(c.Similarity(prediction, r))
		if err != nil {
			return 0, err
		}
		sum += v
	}
	return sum / float64(len(data)), nil
}
