package optim

import (
	"fmt"
	"math"

	"synfire/internal/par"
	"synfire/tensor"
)

// Average is a second set of weights, w̄, that follows the trained ones over the steps. It
// is what a network is used and measured with; training goes on with w. An Average holds
// options only.
type Average interface {
	Validate() error
	// At is what happens after step t (from 1) of total: w̄ moves by the share toward w,
	//
	//	w̄ ← w̄ + share·(w − w̄)
	//
	// and with back w starts anew from there, w ← w̄. A share of 0 is none.
	At(t, total int) (share float64, back bool)
}

// EMA is the exponential moving average of the weights (Polyak and Juditsky, 1992, in the
// form that TensorFlow gave it),
//
//	w̄ ← d·w̄ + (1 − d)·w,  d = min(Decay, (1 + t)/(10 + t))
//
// after each step, so that the start is soon forgotten.
type EMA struct {
	Decay float64 `yaml:"decay"` // in [0, 1)
}

// Validate returns an error unless the decay is in [0, 1).
func (a EMA) Validate() error {
	if !(a.Decay >= 0 && a.Decay < 1) {
		return fmt.Errorf("average ema: decay is %v, want the part that a step leaves of the average, in [0, 1) (0.999 is usual)", a.Decay)
	}
	return nil
}

// At moves the average.
func (a EMA) At(t, _ int) (share float64, back bool) {
	return 1 - min(a.Decay, float64(1+t)/float64(10+t)), false
}

// LookAhead takes Every steps with the fast weights w, moves the slow weights w̄ a part of
// the way toward them, and lets the fast ones start anew from there (Zhang, Lucas, Hinton
// and Ba, "Lookahead optimizer: k steps forward, 1 step back", NeurIPS 2019):
//
//	w̄ ← w̄ + α·(w − w̄),  w ← w̄
//
// With Power > 0 the slow weights hardly lag at first and more and more toward the end,
// 1 − α_t = (1 − α)·(t/total)^Power (Jordan, "94% on CIFAR-10 in 3.29 seconds on a single
// GPU", 2024, with power 3). At the last step the slow weights go all the way.
type LookAhead struct {
	Every int     `yaml:"every"` // fast steps, k
	Alpha float64 `yaml:"alpha"` // α, in (0, 1]
	Power float64 `yaml:"power"` // 0: α stays
}

// Validate returns an error for options that make no sense.
func (a LookAhead) Validate() error {
	if a.Every < 1 || !(a.Alpha > 0 && a.Alpha <= 1) || !(a.Power >= 0) {
		return fmt.Errorf("average look-ahead: every is %d, alpha %v and power %v, want a number of steps (5 is usual), a part in (0, 1] (0.5 is usual) and a power of 0 or more", a.Every, a.Alpha, a.Power)
	}
	return nil
}

// At moves the slow weights each Every steps, and at the end.
func (a LookAhead) At(t, total int) (share float64, back bool) {
	switch {
	case t >= total:
		return 1, true
	case t%a.Every != 0:
		return 0, false
	case a.Power > 0:
		return 1 - (1-a.Alpha)*math.Pow(float64(t)/float64(total), a.Power), true
	}
	return a.Alpha, true
}

// Follow lets the average of an array do what At says: slow moves by the share toward
// fast, which with back starts anew from there.
func Follow(pool *par.Pool, slow, fast []tensor.Float, share float64, back bool) {
	part := tensor.Float(share)
	pool.For(len(slow), updateChunk, func(_, lo, hi int) {
		slow, fast := slow[lo:hi], fast[lo:hi]
		for i, w := range fast {
			slow[i] += tensor.Float(part * (w - slow[i]))
		}
		if back {
			copy(fast, slow)
		}
	})
}
