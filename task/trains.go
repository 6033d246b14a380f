package task

import (
	"fmt"
	"math"

	"synfire/distance"
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
// A spike in step t of T stands at t·D/T of the duration D.
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

// Score begins an evaluation.
func (t MatchTrains) Score(sample.Field) Score { return &Distances{tau: t.Tau} }

// Distances is the score of MatchTrains.
type Distances struct {
	tau                       float64
	n                         int
	vanRossum, spikes, counts float64
	first                     *Pairs
}

// Add compares the trains of a batch.
func (s *Distances) Add(c Case) error {
	duration := c.Batch.Spec.Duration
	if c.Output.Signal == nil || !(duration > 0) {
		return fmt.Errorf("task match-trains: the output has no course over time, or the data no duration")
	}
	tau := s.tau
	if tau == 0 {
		tau = duration / 10
	}
	k := c.Output.Shape.Size()
	for b := range c.Batch.Len() {
		pairs := &Pairs{Unit: "s"}
		for u := range k {
			target := c.Target.Trains[b][u]
			have := c.train(b, u, duration)
			target.Start, target.Stop = 0, duration
			d, err := distances(have, target, tau)
			if err != nil {
				return fmt.Errorf("task match-trains: sample %d, unit %d: %w", c.First+b, u, err)
			}
			s.n++
			s.vanRossum += d[0]
			s.spikes += d[1]
			s.counts += d[2]
			pairs.Target, pairs.Have = append(pairs.Target, target.Times), append(pairs.Have, have.Times)
		}
		if s.first == nil {
			s.first = pairs
		}
	}
	return nil
}

// train is the spikes of unit u of sample b.
func (c Case) train(b, u int, duration float64) spike.Train {
	out, n, k := spike.Train{Stop: duration}, c.Batch.Len(), c.Output.Shape.Size()
	for t := range c.steps(b) {
		if c.Output.Signal.Data[(t*n+b)*k+u] != 0 {
			out.Times = append(out.Times, float64(t)*duration/float64(c.Output.Signal.T))
		}
	}
	return out
}

// Scalars are the three mean distances.
func (s *Distances) Scalars() []Scalar {
	why := ""
	if s.n == 0 {
		why = "no samples"
	}
	n := float64(max(1, s.n))
	return []Scalar{
		{Name: "van-rossum", Value: s.vanRossum / n, Better: Lower, Why: why},
		{Name: "spike", Value: s.spikes / n, Better: Lower, Why: why},
		{Name: "counts", Value: s.counts / n, Better: Lower, Why: why},
	}
}

// Exhibits are the first sample's trains.
func (s *Distances) Exhibits() []Exhibit {
	if s.first == nil {
		return nil
	}
	return []Exhibit{{Title: "Target and output", Text: "Spike trains of the first sample, beside those that they should be.", Trains: s.first}}
}

// distances are those between two trains: van Rossum's, SPIKE, and of the counts.
func distances(a, b spike.Train, tau float64) (d [3]float64, err error) {
	if d[0], err = (distance.VanRossum{Tau: tau}).Distance(a, b); err != nil {
		return d, err
	}
	if d[1], err = (distance.SPIKE{}).Distance(a, b); err != nil {
		return d, err
	}
	d[2] = math.Abs(float64(len(a.Times) - len(b.Times)))
	return d, nil
}
