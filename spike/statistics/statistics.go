// Package statistics measures recorded spike trains: how often and how regularly single
// units fire, how they vary over trials, and what several do together. Package spike has
// the measures of one or two trains that the rest of the tree needs; here are those that
// people with a recording ask for.
//
//	rates          KernelRate, Bandwidth, AdaptiveRate, PSTH, Population
//	variability    CV, CV2, LV, LvR, Intervals, FanoOverTrials, FanoOverTime
//	together       Correlogram, Coefficient, Covariance, Correlation, STTC, Contrast
//	coincidences   Synchrofacts, WithoutSynchrofacts, Complexity
//	bursts         Bursts, SurpriseBursts
//	memory         Timescale
//
// A unit is given as its trials, []spike.Train; one train is one trial. Intervals never
// reach from one trial into the next. Times may be in any unit, of which parameters are in
// the same; those that differ by rounding alone are equal (spike.Slack). A train may hold
// several spikes at one time. What is undefined is NaN, and each function says when.
package statistics

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"synfire/spike"
)

// check returns an error unless there are trials, each a train, of one window.
func check(op string, trials []spike.Train) error {
	if len(trials) == 0 {
		return fmt.Errorf("%s: no trains; give at least one", op)
	}
	if err := spike.Check(op, trials...); err != nil {
		return err
	}
	first := trials[0]
	for i, t := range trials {
		if t.Start != first.Start || t.Stop != first.Stop {
			return fmt.Errorf("%s: train %d has the window [%v, %v], train 0 [%v, %v]; cut them to one", op, i, t.Start, t.Stop, first.Start, first.Stop)
		}
	}
	return nil
}

// positive returns an error unless a parameter is a positive number.
func positive(op, what string, v float64) error {
	if !(v > 0) || math.IsInf(v, 1) {
		return fmt.Errorf("%s: a %s of %v; want a number above 0", op, what, v)
	}
	return nil
}

// pooled is the times of all trials, in order.
func pooled(trials []spike.Train) []float64 {
	var times []float64
	for _, t := range trials {
		times = append(times, t.Times...)
	}
	slices.Sort(times)
	return times
}

// errUnits is of measures that compare units.
var errUnits = errors.New("there is one unit; want two or more")
