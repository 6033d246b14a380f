package compare

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"synfire/compare/internal/numeric"
	"synfire/distance"
	"synfire/internal/par"
	"synfire/spike"
)

// TrainDistance is a distance of two spike trains, such as a measure of package
// distance has.
type TrainDistance interface {
	Distance(a, b spike.Train) (float64, error)
}

// BoundedDistance is a TrainDistance that knows how far rounding, of times and of
// its own arithmetic, may move it.
type BoundedDistance interface {
	TrainDistance
	Rounding(a, b spike.Train) float64
}

// distanceBound is that of the error of a distance v of two trains. Times are
// rounded to float64 and subtracted: each interval is off by three roundings of the
// latest time. Other distances than those known here count as sums over the spikes
// of times that are exact.
func distanceBound(d TrainDistance, a, b spike.Train, v float64) float64 {
	n := float64(len(a.Times) + len(b.Times))
	latest := max(math.Abs(a.Start), math.Abs(a.Stop), math.Abs(b.Start), math.Abs(b.Stop))
	switch d := d.(type) {
	case BoundedDistance:
		return d.Rounding(a, b)
	case distance.VictorPurpura: // at most n costs, each of at most q·|Δt|, and their sum of at most n
		return numeric.Roundoff * n * (n + 2 + resolved(3*d.Cost*latest))
	case distance.VanRossum: // n² terms e^{−Δt/τ} ≤ 1
		bound := numeric.Roundoff * n * n * (n + 8 + resolved(3*latest/d.Tau))
		if !d.Squared {
			bound = min(math.Sqrt(bound), bound/v)
		}
		return bound
	case distance.ISI, distance.SPIKE: // pieces no longer than the intervals they are divided by
		return 32 * numeric.Roundoff * (n + 4) * (1 + latest/(a.Stop-a.Start))
	}
	return numeric.Roundoff * (n + 8) * math.Abs(v)
}

// Trials are the spike trains of one stimulus: [repetition][unit].
type Trials [][]spike.Train

// SpikeDistances is what SpikeRDM found: D is the mean dissimilarity of the
// repetitions of two stimuli, Within that of different repetitions of one (NaN
// for stimuli shown once).
type SpikeDistances struct {
	D      RDM
	Within []float64

	withinRounding []float64
}

// resolved is how many of a measure's time scales there are until the latest time,
// or 0 where they are too short for a float64 to tell times apart by: then spikes
// coincide or do not, and the measure counts them.
func resolved(scales float64) float64 {
	if scales*numeric.Roundoff < 1e-3 {
		return scales
	}
	return 0
}

// SpikeRDM is the RDM of spike trains: D_ij is the mean over pairs of repetitions
// (r, s) and over units of d(train_i^r, train_j^s). All stimuli have the same
// units. Pairs of stimuli are shared among the threads of pool (nil: one).
func SpikeRDM(stimuli []Trials, d TrainDistance, pool *par.Pool) (SpikeDistances, error) {
	if err := checkTrials("SpikeRDM", stimuli); err != nil {
		return SpikeDistances{}, err
	}
	n := len(stimuli)
	out := SpikeDistances{D: NewRDM(n), Within: make([]float64, n), withinRounding: make([]float64, n)}
	out.D.Rounding = make([]float64, len(out.D.Values))
	err := eachPair(n, pool, func(i, j int) (err error) {
		if i == j {
			out.Within[i], out.withinRounding[i], err = meanDistance(stimuli[i], stimuli[i], d, true)
			return err
		}
		k := out.D.index(i, j)
		out.D.Values[k], out.D.Rounding[k], err = meanDistance(stimuli[i], stimuli[j], d, false)
		return err
	})
	if err != nil {
		return SpikeDistances{}, err
	}
	return out, nil
}

// eachPair calls f for all i ≤ j < n and returns the first error in that order.
func eachPair(n int, pool *par.Pool, f func(i, j int) error) error {
	errs := make([]error, n)
	pool.For(n, 1, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			for j := i; j < n && errs[i] == nil; j++ {
				if err := f(i, j); err != nil {
					errs[i] = fmt.Errorf("compare.SpikeRDM: stimuli %d and %d: %w", i, j, err)
				}
			}
		}
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func checkTrials(op string, stimuli []Trials) error {
	if len(stimuli) < numeric.MinStimuli {
		return fmt.Errorf("compare.%s: spike trains of %d stimuli, want at least %d", op, len(stimuli), numeric.MinStimuli)
	}
	if len(stimuli[0]) == 0 || len(stimuli[0][0]) == 0 {
		return fmt.Errorf("compare.%s: stimulus 0 has no spike trains; an empty train stands for a silent unit", op)
	}
	units := len(stimuli[0][0])
	for i, trials := range stimuli {
		if len(trials) == 0 {
			return fmt.Errorf("compare.%s: stimulus %d has no repetition", op, i)
		}
		for r, trains := range trials {
			if len(trains) != units {
				return fmt.Errorf("compare.%s: %d units in repetition %d of stimulus %d, %d in the first; an empty train stands for a silent unit", op, len(trains), r, i, units)
			}
		}
	}
	return nil
}

// meanDistance over pairs of repetitions, within one stimulus of different ones
// only, and over units; with the bound of its error.
func meanDistance(a, b Trials, d TrainDistance, within bool) (v, bound float64, err error) {
	sum, size, count := 0.0, 0.0, 0.0
	for r, x := range a {
		for s, y := range b {
			if within && s <= r {
				continue // distances are symmetric
			}
			for u := range x {
				v, err := d.Distance(x[u], y[u])
				if err != nil {
					return 0, 0, fmt.Errorf("unit %d: %w", u, err)
				}
				sum += v
				size += math.Abs(v)
				bound += distanceBound(d, x[u], y[u], v)
				count++
			}
		}
	}
	bound += (count + 1) * numeric.Roundoff * size
	return sum / count, bound / count, nil // 0/0 of a stimulus shown once
}

// NoiseCorrected is D_ij − (D_ii + D_jj)/2: 0 on average for stimuli whose trains
// differ by chance alone. Each must have been repeated.
func (s SpikeDistances) NoiseCorrected() (RDM, error) {
	for i, w := range s.Within {
		if math.IsNaN(w) {
			return RDM{}, fmt.Errorf("compare.NoiseCorrected: stimulus %d was shown once, want repetitions, which tell noise from difference", i)
		}
	}
	r := s.D.clone()
	r.fill(func(i, j int) float64 { return s.D.At(i, j) - (s.Within[i]+s.Within[j])/2 })
	if len(s.withinRounding) == len(s.Within) && s.D.Rounding != nil {
		r.bounded(func(i, j int, _ float64) float64 {
			size := s.D.At(i, j) + s.Within[i] + s.Within[j]
			return s.D.bound(s.D.index(i, j)) + (s.withinRounding[i]+s.withinRounding[j])/2 + 3*numeric.Roundoff*size
		})
	}
	return r, nil
}

// SpikeRDMCV is the cross-validated form for a squared distance of an inner-product
// space, such as van Rossum's D²: ⟨f_i^r − f_j^r, f_i^s − f_j^s⟩, the mean over
// pairs of different repetitions and over units. Like Crossnobis it is 0 on
// average without a difference, even where trains of the same repetition share
// noise. All stimuli have the same number of repetitions, at least two.
func SpikeRDMCV(stimuli []Trials, squared TrainDistance, pool *par.Pool) (RDM, error) {
	const op = "SpikeRDMCV"
	if err := checkTrials(op, stimuli); err != nil {
		return RDM{}, err
	}
	reps := len(stimuli[0])
	for i, t := range stimuli {
		if len(t) != reps || reps < 2 {
			return RDM{}, fmt.Errorf("compare.%s: stimulus %d has %d repetitions, stimulus 0 %d; want as many of each, at least 2", op, i, len(t), reps)
		}
	}
	out := NewRDM(len(stimuli))
	out.Rounding = make([]float64, len(out.Values))
	err := eachPair(len(stimuli), pool, func(i, j int) (err error) {
		if i != j {
			k := out.index(i, j)
			out.Values[k], out.Rounding[k], err = crossed(stimuli[i], stimuli[j], squared)
		}
		return err
	})
	return out, err
}

// crossed uses ⟨a − b, c − d⟩ = (|a − d|² + |b − c|² − |a − c|² − |b − d|²)/2.
func crossed(a, b Trials, d TrainDistance) (v, bound float64, err error) {
	sum, size, count := 0.0, 0.0, 0.0
	for r := range a {
		for s := range r {
			for u := range a[r] {
				for _, term := range []struct {
					x, y spike.Train
					sign float64
				}{{a[r][u], b[s][u], 1}, {b[r][u], a[s][u], 1}, {a[r][u], a[s][u], -1}, {b[r][u], b[s][u], -1}} {
					v, err := d.Distance(term.x, term.y)
					if err != nil {
						return 0, 0, fmt.Errorf("unit %d: %w", u, err)
					}
					sum += term.sign * v / 2
					size += math.Abs(v) / 2
					bound += distanceBound(d, term.x, term.y, v) / 2
				}
				count++
			}
		}
	}
	bound += (4*count + 1) * numeric.Roundoff * size
	return sum / count, bound / count, nil
}

// Traces turns spikes on a grid into features whose squared Euclidean distance is
// van Rossum's D² summed over units, normalised so that a lone spike counts 1:
// the RDM of any number of units is then one product. counts is stimuli × (units ·
// steps), the steps of a unit adjacent, and tau is in steps. With u the trace
// u_t = a·u_{t−1} + s_t, a = exp(−1/τ),
//
//	Σ_{tt′} s_t·s_t′·a^{|t−t′|} = (1 − a²)·Σ_{t<T−1} u_t² + u²_{T−1}
//
// so the features are √(1 − a²)·u_t, and u_{T−1} at the end. τ = 0 leaves the
// spikes as they are, τ = ∞ their number.
func Traces(counts *mat.Dense, steps int, tau float64) (*mat.Dense, error) {
	const op = "Traces"
	if err := numeric.CheckResponses(op, counts, 1); err != nil {
		return nil, err
	}
	n, p := counts.Dims()
	if steps < 1 || p%steps != 0 || !(tau >= 0) {
		return nil, fmt.Errorf("compare.%s: %d columns, %d steps, τ = %v; want whole units of steps, and a time constant from 0 up", op, p, steps, tau)
	}
	a := math.Exp(-1 / tau) // 0 for τ = 0, 1 for τ = ∞
	scale := math.Sqrt(1 - a*a)
	out := mat.NewDense(n, p, nil)
	for i := range n {
		row := out.RawRowView(i)
		u := 0.0
		for k, s := range counts.RawRowView(i) {
			if k%steps == 0 {
				u = 0
			}
			u = a*u + s
			row[k] = scale * u
			if (k+1)%steps == 0 {
				row[k] = u
			}
		}
	}
	return out, nil
}
