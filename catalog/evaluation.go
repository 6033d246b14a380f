package catalog

import (
	"synfire/energy"
	"synfire/task"
	"synfire/train"
)

// Evaluation is what measuring a model found, as JSON has it.
type Evaluation struct {
	Data            string              `json:"data"`
	Split           string              `json:"split"`
	N               int                 `json:"n"`
	Task            string              `json:"task"`
	Scalars         []Scalar            `json:"scalars"`
	Accuracy        *float64            `json:"accuracy,omitempty"` // of classify, as what follows
	Confusion       [][]int             `json:"confusion,omitempty"`
	Classes         []string            `json:"classes,omitempty"`
	PerClass        []task.ClassFigures `json:"per_class,omitempty"`
	Loss            *float64            `json:"loss"`                       // null with early exit, which has none: it is defined over all steps
	StepsPerSample  float64             `json:"steps_per_sample,omitempty"` // of a rule that knows steps of time
	SpikesPerSample float64             `json:"spikes_per_sample"`
	Rates           map[string]float64  `json:"rates"`
	WallSeconds     float64             `json:"wall_seconds"`
	Energy          *energy.Account     `json:"energy,omitempty"` // where it was asked for
}

// Scalar is a figure with its unit; null where it is undefined, and why.
type Scalar struct {
	Name      string         `json:"name"`
	Value     *float64       `json:"value"`
	Unit      string         `json:"unit"`
	Direction task.Direction `json:"direction"`
	Why       string         `json:"why,omitempty"`
}

// EvaluationOf is an evaluation of runs of some steps. Data, Split, Task and WallSeconds
// are left to the caller.
func EvaluationOf(ev *train.Evaluation, steps int) Evaluation {
	e := Evaluation{N: ev.Metrics.N, StepsPerSample: ev.Steps, Rates: map[string]float64{}, Scalars: []Scalar{}}
	if e.StepsPerSample == 0 {
		e.StepsPerSample = float64(steps)
	}
	for _, s := range ev.Scalars {
		one := Scalar{s.Name, &s.Value, s.Unit, s.Better, s.Why}
		if !s.Defined() {
			one.Value = nil
		}
		e.Scalars = append(e.Scalars, one)
	}
	if v, ok := ev.Metrics.Mean(train.Loss); ok {
		e.Loss = &v
	}
	if k := ev.Classes(); k != nil {
		accuracy := k.Accuracy()
		e.Accuracy, e.Confusion, e.Classes, e.PerClass = &accuracy, k.Confusion, k.Names, k.PerClass()
	}
	spikes := 0
	for _, r := range ev.Metrics.Rates {
		e.Rates[r.Layer] = r.Value()
		spikes += r.Spikes
	}
	e.SpikesPerSample = float64(spikes) / float64(max(1, e.N))
	return e
}
