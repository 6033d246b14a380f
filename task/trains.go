package task

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"synfire/distance"
	"synfire/encode"
	"synfire/sample"
	"synfire/spike"
	"synfire/tensor"
)

// MatchTrains compares the spikes of an output with target trains, unit by unit, in
// means over units and samples:
//
//	van-rossum    van Rossum's distance with time constant Tau
//	spike         the SPIKE distance, in [0, 1]
//	counts        |spikes − target spikes|
//
// Both are compared in the steps of the run, as the loss van-rossum does: a spike in
// step t of T stands at t·D/T of the duration D, and a target's spike at time τ in step
// ⌊τ·T/D⌋ (encode.StepOf). So an output that is as right as the steps allow scores 0.
// Target spikes that share a step are one; those outside of [0, D), or in a sample's
// padding, have no step. Both are counted, and told with the figure.
type MatchTrains struct {
	Tau float64 `yaml:"tau"` // in seconds; 0: a tenth of the duration
}

// Validate returns an error where Tau is negative.
func (t MatchTrains) Validate() error {
	if !(t.Tau >= 0) {
		return fmt.Errorf("task match-trains: tau is %v, want a time in seconds, or 0", t.Tau)
	}
	return nil
}

// Check wants an output for each train.
func (MatchTrains) Check(out tensor.Shape, _ int, target sample.Field) error {
	switch {
	case target.Kind != sample.Trains:
		return fmt.Errorf("task match-trains: target %q is %v, want spike trains: choose another task or another target", target.Name, target.Kind)
	case out.Size() != target.Shape.Size():
		return fmt.Errorf("task match-trains: the output has %d units, and target %q %d trains: is it the data set that the network is for?", out.Size(), target.Name, target.Shape.Size())
	}
	return nil
}

// Score begins an evaluation. It is a *Distances.
func (t MatchTrains) Score(sample.Field) Score { return &Distances{tau: t.Tau} }

// Distances is the score of MatchTrains.
type Distances struct {
	tau                       float64
	n                         int
	vanRossum, spikes, counts float64
	target, merged, outside   int // spikes of the targets
	first                     *Pairs
}

// Add compares the trains of a batch.
func (s *Distances) Add(c Case) error {
	if err := s.add(c); err != nil {
		return fmt.Errorf("task match-trains: %w", err)
	}
	return nil
}

func (s *Distances) add(c Case) error {
	duration := c.Batch.Spec.Duration
	if c.Output.Signal == nil || !(duration > 0) {
		return errors.New("the output has no course over time, or the data no duration")
	}
	if err := c.check(sample.Trains); err != nil {
		return err
	}
	for b := range c.Batch.Len() {
		pairs := &Pairs{Unit: "s", Stop: duration * float64(c.steps(b)) / float64(c.Output.Signal.T)}
		if len(c.Target.Trains[b]) != c.Output.Shape.Size() {
			return fmt.Errorf("sample %d has %d trains for an output of %d units", c.First+b, len(c.Target.Trains[b]), c.Output.Shape.Size())
		}
		for u, t := range c.Target.Trains[b] {
			have, err := c.fired(b, u)
			if err != nil {
				return err
			}
			want := s.steps(t, c.steps(b), c.Output.Signal.T, duration)
			if err := s.compare(c.train(have, pairs.Stop), c.train(want, pairs.Stop), duration); err != nil {
				return &SampleError{c.First + b, fmt.Errorf("unit %d: %w", u, err)}
			}
			pairs.Target, pairs.Have = append(pairs.Target, c.train(want, pairs.Stop).Times), append(pairs.Have, c.train(have, pairs.Stop).Times)
		}
		if s.first == nil {
			s.first = pairs
		}
	}
	return nil
}

// fired are the steps in which unit u of sample b fires.
func (c Case) fired(b, u int) (steps []int, err error) {
	for t := range c.steps(b) {
		switch v := c.at(t, b)[u]; v {
		case 0:
		case 1:
			steps = append(steps, t)
		default:
			return nil, &SampleError{c.First + b, fmt.Errorf("unit %d of the output is %v in step %d, want 0 or 1: let a spiking layer be the output", u, v, t)}
		}
	}
	return steps, nil
}

// steps are those, of the first valid ones of a run, in which a target fires.
func (s *Distances) steps(t spike.Train, valid, run int, duration float64) (steps []int) {
	for _, at := range t.Times {
		s.target++
		step := encode.StepOf(at, run, duration)
		switch n := len(steps); {
		case at < 0 || step >= valid:
			s.outside++
		case n > 0 && steps[n-1] == step:
			s.merged++
		default:
			steps = append(steps, step)
		}
	}
	return steps
}

// train is the spikes of some steps, at the steps' beginnings.
func (c Case) train(steps []int, stop float64) spike.Train {
	out := spike.Train{Times: make([]float64, len(steps)), Stop: stop}
	for i, t := range steps {
		out.Times[i] = float64(t) * c.Batch.Spec.Duration / float64(c.Output.Signal.T)
	}
	return out
}

func (s *Distances) compare(have, want spike.Train, duration float64) error {
	tau := s.tau
	if tau == 0 {
		tau = duration / 10
	}
	vanRossum, err := distance.VanRossum{Tau: tau}.Distance(have, want)
	if err != nil {
		return err
	}
	spikes, err := distance.SPIKE{}.Distance(have, want)
	if err != nil {
		return err
	}
	s.n++
	s.vanRossum += vanRossum
	s.spikes += spikes
	s.counts += math.Abs(float64(len(have.Times) - len(want.Times)))
	return nil
}

// Scalars are the three mean distances.
func (s *Distances) Scalars() []Scalar {
	why := ""
	if s.n == 0 {
		why = noSamples
	}
	n := float64(max(1, s.n))
	return []Scalar{
		{Name: "van-rossum", Value: s.vanRossum / n, Better: Lower, Why: why},
		{Name: "spike", Value: s.spikes / n, Better: Lower, Why: why},
		{Name: "counts", Value: s.counts / n, Unit: "spikes", Better: Lower, Why: why},
	}
}

// shownTrains is the most units of a figure.
const shownTrains = 16

// Exhibits are the first sample's trains.
func (s *Distances) Exhibits() []Exhibit {
	if s.first == nil {
		return nil
	}
	p, text := *s.first, "The first sample: above what each unit should do, below what it does."
	if n := len(p.Have); n > shownTrains {
		p.Target, p.Have = p.Target[:shownTrains], p.Have[:shownTrains]
		text += fmt.Sprintf(" The first %d of %d units.", shownTrains, n)
	}
	p.Target, p.Have = slices.Clone(p.Target), slices.Clone(p.Have)
	if s.merged > 0 {
		text += fmt.Sprintf(" Of the %d target spikes of all samples %d share a step with another of their unit, and count as one: more steps would tell them apart.", s.target, s.merged)
	}
	if s.outside > 0 {
		text += fmt.Sprintf(" Of the %d target spikes of all samples %d lie outside of the steps of their sample, and are not compared.", s.target, s.outside)
	}
	return []Exhibit{{Title: "Target and output trains", Text: text, Trains: &p}}
}
