package optim

import (
	"fmt"
	"math"
)

// Step multiplies the rate by Factor after each Every steps:
// Factor^⌊t/Every⌋, as PyTorch's StepLR does.
type Step struct {
	Every  int     `yaml:"every,required"`
	Factor float64 `yaml:"factor"`
}

// Milestones multiplies the rate by Factor at each of the times At, given as
// parts of the run in ascending order: at 0.5 when half of the steps are done.
type Milestones struct {
	At     []float64 `yaml:"at,required"`
	Factor float64   `yaml:"factor"`
}

// OneCycle raises the rate along half a cosine from 1/Divide to 1 over the
// part Rise of the run, and lowers it likewise to 1/(Divide·FinalDivide) at
// its last step (Smith and Topin, "Super-convergence", 2019), as PyTorch's
// OneCycleLR does in two phases with the optimiser's LR as max_lr; the momentum
// stays. With n = total, r = Rise·n − 1 and c(a, b, x) = b + (a − b)·(1 + cos πx)/2,
//
//	scale(t) = c(1/Divide, 1, t/r)                                  for t ≤ r
//	         | c(1, 1/(Divide·FinalDivide), (t − r)/(n − 1 − r))    after
//
// Zero values mean 0.3, 25 and 10,000.
type OneCycle struct {
	Rise        float64 `yaml:"rise"`
	Divide      float64 `yaml:"divide"`
	FinalDivide float64 `yaml:"final-divide"`
}

// Triangular raises the rate in a straight line from Start to 1 over the part Rise of
// the run, and lowers it in another to End (the linear form of one cycle, as in Page,
// "How to train your ResNet", 2018). With n = total and r = ⌊Rise·n⌋,
//
//	scale(t) = Start + (1 − Start)·t/r           for t < r
//	         | 1 + (End − 1)·(t − r)/(n − r)     after
type Triangular struct {
	Rise  float64 `yaml:"rise"`  // part of the run
	Start float64 `yaml:"start"` // of the rate
	End   float64 `yaml:"end"`   // of the rate, which the step after the last would have
}

// Validate returns an error unless Rise is a part of the run and both ends are shares of
// the rate.
func (c Triangular) Validate() error {
	if !(c.Rise >= 0 && c.Rise < 1) || !(c.Start >= 0 && c.Start <= 1) || !(c.End >= 0 && c.End <= 1) {
		return fmt.Errorf("schedule triangular: rise is %v, start %v and end %v, want a part of the run in [0, 1) and shares of the rate in [0, 1]", c.Rise, c.Start, c.End)
	}
	return nil
}

// Scale is the triangle's value.
func (c Triangular) Scale(t, total int) float64 {
	rise := int(c.Rise * float64(total))
	if t < rise {
		return c.Start + (1-c.Start)*float64(t)/float64(rise)
	}
	return 1 + (c.End-1)*float64(min(t, total)-rise)/float64(max(1, total-rise))
}

// Validate returns an error unless Every and Factor are positive.
func (s Step) Validate() error {
	if s.Every < 1 {
		return fmt.Errorf("schedule step: every is %d, want a number of optimiser steps of at least 1", s.Every)
	}
	return checkFactor("step", s.Factor)
}

// Validate returns an error unless At ascends within (0, 1) and Factor is
// positive.
func (m Milestones) Validate() error {
	last := 0.0
	for _, at := range m.At {
		if !(at > last && at < 1) {
			return fmt.Errorf("schedule milestones: at is %v, want parts of the run between 0 and 1 in ascending order, such as [0.5, 0.75]", m.At)
		}
		last = at
	}
	return checkFactor("milestones", m.Factor)
}

// Validate returns an error unless Rise is a part of the run and the divisors
// are at least 1.
func (c OneCycle) Validate() error {
	c = c.withDefaults()
	if !(c.Rise > 0 && c.Rise < 1) {
		return fmt.Errorf("schedule one-cycle: rise is %v, want a part of the run between 0 and 1", c.Rise)
	}
	if !(c.Divide >= 1 && c.FinalDivide >= 1) || math.IsInf(c.Divide*c.FinalDivide, 0) {
		return fmt.Errorf("schedule one-cycle: divide is %v and final-divide %v, want divisors of at least 1", c.Divide, c.FinalDivide)
	}
	return nil
}

func checkFactor(kind string, f float64) error {
	if f > 0 && !math.IsInf(f, 0) {
		return nil
	}
	return fmt.Errorf("schedule %s: factor is %v, want a positive number (0.1 is usual)", kind, f)
}

// Scale is Factor to the number of intervals that are over.
func (s Step) Scale(t, _ int) float64 { return math.Pow(s.Factor, float64(t/s.Every)) }

// Scale is Factor to the number of milestones reached.
func (m Milestones) Scale(t, total int) float64 {
	scale := 1.0
	for _, at := range m.At {
		if float64(t) >= at*float64(total) {
			scale *= m.Factor
		}
	}
	return scale
}

// Scale is the cycle's value, after its end that of the end.
func (c OneCycle) Scale(t, total int) float64 {
	c = c.withDefaults()
	top, last := c.Rise*float64(total)-1, float64(total-1)
	x := min(float64(t), last)
	if top > 0 && x <= top {
		return halfCosine(1/c.Divide, 1, x/top)
	}
	top = max(0, top)
	end := 1 / (c.Divide * c.FinalDivide)
	if last <= top {
		return end
	}
	return halfCosine(1, end, (x-top)/(last-top))
}

func (c OneCycle) withDefaults() OneCycle {
	return OneCycle{orDefault(c.Rise, 0.3), orDefault(c.Divide, 25), orDefault(c.FinalDivide, 1e4)}
}

// halfCosine goes from a to b as x goes from 0 to 1.
func halfCosine(a, b, x float64) float64 { return b + (a-b)*(1+math.Cos(math.Pi*x))/2 }
