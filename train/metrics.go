package train

import (
	"fmt"
	"slices"

	"synfire/run"
	"synfire/sample"
	"synfire/task"
)

// Metrics sums up batches: add them with Add, read means with Mean.
type Metrics struct {
	N     int    `json:"n"`
	Sums  []Sum  `json:"sums,omitempty"`
	Rates []Rate `json:"rates,omitempty"`
}

// Sum is a figure added up over samples.
type Sum struct {
	Name   string         `json:"name"`
	Unit   string         `json:"unit,omitempty"`
	Better task.Direction `json:"direction,omitempty"`
	Total  float64        `json:"total"`
}

// Loss names the sum of a rule's loss.
const Loss = "loss"

// LossSum is the sum of a loss over a batch.
func LossSum(total float64) Sum { return Sum{Name: Loss, Better: task.Lower, Total: total} }

// Rate is the firing of a layer: Spikes of Slots (units × steps × samples). Of units that do
// not fire but have values, Graded, it is the share of those that are not zero.
type Rate struct {
	Layer  string `json:"layer"`
	Spikes int    `json:"spikes"`
	Slots  int    `json:"slots"`
	Graded bool   `json:"graded,omitempty"`
}

// Value is the mean number of spikes of a unit in a step.
func (r Rate) Value() float64 { return float64(r.Spikes) / float64(max(1, r.Slots)) }

// Add adds the sums of o.
func (m *Metrics) Add(o Metrics) {
	m.N += o.N
	for _, s := range o.Sums {
		i := slices.IndexFunc(m.Sums, func(m Sum) bool { return m.Name == s.Name })
		if i < 0 {
			i, m.Sums = len(m.Sums), append(m.Sums, Sum{Name: s.Name, Unit: s.Unit, Better: s.Better})
		}
		m.Sums[i].Total += s.Total
	}
	for _, r := range o.Rates {
		i := slices.IndexFunc(m.Rates, func(m Rate) bool { return m.Layer == r.Layer })
		if i < 0 {
			i, m.Rates = len(m.Rates), append(m.Rates, Rate{Layer: r.Layer, Graded: r.Graded})
		}
		m.Rates[i].Spikes += r.Spikes
		m.Rates[i].Slots += r.Slots
	}
}

// Mean is the mean over the samples of a figure; ok is false where there is none.
func (m Metrics) Mean(name string) (v float64, ok bool) {
	for _, s := range m.Sums {
		if s.Name == name {
			return s.Total / float64(max(1, m.N)), true
		}
	}
	return 0, false
}

// Scalars are the means.
func (m Metrics) Scalars() []task.Scalar {
	var out []task.Scalar
	for _, s := range m.Sums {
		out = append(out, task.Scalar{Name: s.Name, Unit: s.Unit, Better: s.Better, Value: s.Total / float64(max(1, m.N))})
	}
	return out
}

// Figures are the means by name.
func (m Metrics) Figures() run.Figures { return figures(m.Scalars()) }

// figures are scalars by name; those that are undefined are left out.
func figures(scalars []task.Scalar) run.Figures {
	f := run.Figures{}
	for _, s := range scalars {
		if s.Defined() {
			f[s.Name] = s.Value
		}
	}
	return f
}

// Running are the figures of a batch's outputs that are worth following while
// training, one for each task that has one: for the Metrics of a Step.
func Running(tasks []task.Binding, outputs []task.Output, b *sample.Batch) ([]Sum, error) {
	var out []Sum
	p := Prediction{Outputs: outputs}
	for i, t := range tasks {
		r, ok := t.Task.(task.Running)
		if !ok {
			continue
		}
		c, err := caseOf(t, p, b, 0)
		if err != nil {
			return nil, err
		}
		s, err := r.Running(c)
		if err != nil {
			return nil, err
		}
		out = append(out, Sum{Name: scalarName(tasks, i, s.Name), Unit: s.Unit, Better: s.Better, Total: s.Value})
	}
	return out, nil
}

// scalarName is the name of a task's scalar among those of all tasks: where there
// are several, or it has a name, NAME/SCALAR.
func scalarName(tasks []task.Binding, i int, name string) string {
	if len(tasks) == 1 && tasks[0].Name == "" {
		return name
	}
	return task.Names(tasks)[i] + "/" + name
}

// caseOf is what a task scores of a batch.
func caseOf(t task.Binding, p Prediction, b *sample.Batch, first int) (task.Case, error) {
	var outputs []task.Output
	for _, name := range t.Outputs() {
		o, ok := p.Output(name)
		if !ok {
			return task.Case{}, fmt.Errorf("the predictor has no output %q", name)
		}
		outputs = append(outputs, o)
	}
	y, err := b.Target(t.Target)
	if err != nil {
		return task.Case{}, err
	}
	c := task.Case{Output: outputs[0], Others: outputs[1:], Target: y, First: first, Batch: b}
	if s := c.Output.Signal; s != nil {
		c.Valid = b.Valid(s.T)
	}
	return c, nil
}
