// Package task says what predictions are for, and how good they are.
//
// A Task scores an output of a predictor against a target of the data: classify
// by classes, regress by values, match-trains by spike trains, reconstruct by the
// input itself. Each type states its equations. Its Score collects over a whole evaluation, since a figure such as
// R² or the mean average precision is no sum over batches, and gives named Scalars
// with a unit and a direction. By these alone all that follows a run speaks:
// records, logs, progress, early stopping, the choice of the best.
package task

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// Direction says which of two values of a scalar is the better one.
type Direction string

// The directions.
const (
	Higher  Direction = "higher"
	Lower   Direction = "lower"
	Neither Direction = ""
)

// Scalar is a named figure. One that is undefined, such as R² of a constant, has a
// Why and no value.
type Scalar struct {
	Name   string    `json:"name"`
	Value  float64   `json:"value"`
	Unit   string    `json:"unit"` // "%", "" for none
	Better Direction `json:"direction"`
	Why    string    `json:"why,omitempty"`
}

// noSamples is why the figures of an empty score are undefined.
const noSamples = "no samples"

// Defined reports whether the scalar has a value.
func (s Scalar) Defined() bool { return s.Why == "" && !math.IsNaN(s.Value) }

// Before reports whether s is better than o. Any defined value is better than none;
// equal values are not before each other, and neither are those without a direction.
func (s Scalar) Before(o Scalar) bool {
	switch {
	case !s.Defined() || !o.Defined():
		return s.Defined() && !o.Defined()
	case s.Better == Lower:
		return s.Value < o.Value
	case s.Better == Higher:
		return s.Value > o.Value
	}
	return false
}

// MarshalJSON writes the value of an undefined scalar as null.
func (s Scalar) MarshalJSON() ([]byte, error) {
	type plain Scalar
	out := struct {
		plain
		Value *float64 `json:"value"`
	}{plain: plain(s)}
	if s.Defined() {
		out.Value = &s.Value
	} else if s.Why == "" {
		out.Why = "not a number"
	}
	return json.Marshal(out)
}

// String is the value with its unit.
func (s Scalar) String() string {
	switch {
	case !s.Defined():
		return "undefined"
	case s.Unit == "%":
		return fmt.Sprintf("%.2f %%", s.Value)
	case s.Unit != "":
		return fmt.Sprintf("%.4g %s", s.Value, s.Unit)
	}
	return fmt.Sprintf("%.4f", s.Value)
}

// Output is what a predictor says of a batch through one of its outputs.
type Output struct {
	Name   string
	Shape  tensor.Shape   // of one sample's scores
	Scores []tensor.Float // [B, Shape…]
	// Signal is the course over time, Dense [T, B, Shape…]; nil where the
	// predictor has none.
	Signal *signal.Signal
}

// Case is an output of a batch beside its target.
type Case struct {
	Output Output
	Others []Output // those that a Joint task reads besides
	Target *sample.Column
	First  int   // place in the source of the batch's first sample
	Valid  []int // steps of each sample that are no padding; nil: all
	Batch  *sample.Batch
	// Normalize is how the samples were normalised for the predictor; nil: not.
	Normalize *sample.Normalization
}

// Task is a way to score an output against a target. Tests of one call snntest.Task.
type Task interface {
	Validate() error
	// Check returns an error where outputs of a shape, over some steps, cannot be
	// scored against a target.
	Check(out tensor.Shape, steps int, target sample.Field) error
	// Score begins an evaluation.
	Score(target sample.Field) Score
}

// Score collects the cases of an evaluation.
type Score interface {
	// Add collects a batch. It keeps none of the case's memory, and what it is given
	// in other batches or another order leaves the figures as they are. An output
	// that is no number is a *SampleError.
	Add(c Case) error
	// Scalars are the figures so far; the first is the one that others are
	// chosen by unless told otherwise.
	Scalars() []Scalar
	// Exhibits are what there is to look at, for a report.
	Exhibits() []Exhibit
}

// Running is a Task that has a figure of each batch whose mean over samples is worth
// following while training.
type Running interface {
	// Running is the figure's name and unit, and its sum over the batch.
	Running(c Case) (s Scalar, err error)
}

// Joint is a Task that can read several outputs as one, as a detector's boxes of several sizes.
// Each of the others passes Check, too.
type Joint interface {
	Task
	Joins()
}

// Binding applies a task to one output, or several of a Joint task, and one target.
type Binding struct {
	Name   string   `yaml:"name,omitempty"` // in front of its scalars, where there are several tasks
	Task   Task     `yaml:",inline"`
	Output string   `yaml:"output,omitempty"` // of the network; empty: the first
	Others []string `yaml:"others,omitempty"` // outputs that are read with it
	Target string   `yaml:"target,omitempty"` // of the data; empty: the first; input: the sample itself
}

// Outputs are all that the task reads; the first may be empty, the network's first.
func (b Binding) Outputs() []string { return append([]string{b.Output}, b.Others...) }

// Validate returns an error for other outputs of a task that reads one, for outputs that are named
// twice, and for the task's own.
func (b Binding) Validate() error {
	if _, ok := b.Task.(Joint); !ok && len(b.Others) > 0 {
		return fmt.Errorf("task %s reads one output: leave others out, which names %q", kindOf(b.Task), b.Others)
	}
	for i, name := range b.Others {
		if name == "" || name == b.Output || slices.Contains(b.Others[:i], name) {
			return fmt.Errorf("task %s: others names %q, want outputs that it does not read yet, each once", kindOf(b.Task), name)
		}
	}
	return b.Task.Validate()
}

// Names are what the tasks of a model go by, no two alike: what each is called, its
// output, or its kind, as in match-trains, and a number where another goes by that.
func Names(tasks []Binding) []string {
	names := make([]string, len(tasks))
	taken := map[string]bool{}
	for i, t := range tasks { // a task has the name that it is given
		names[i] = t.Name
		taken[t.Name] = true
	}
	for i, t := range tasks {
		if t.Name != "" {
			continue
		}
		name := cmp.Or(t.Output, kindOf(t.Task))
		names[i] = name
		for n := 2; taken[names[i]]; n++ {
			names[i] = fmt.Sprintf("%s%d", name, n)
		}
		taken[names[i]] = true
	}
	return names
}

// kindOf is the name of a task's type, as configurations write it.
func kindOf(t Task) string {
	typ := reflect.TypeOf(t)
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	return strings.ToLower(wordStart.ReplaceAllString(typ.Name(), "$1-$2"))
}

var wordStart = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// Default is the task that fits a target.
func Default(target sample.Field) (Task, error) {
	switch target.Kind {
	case sample.Class:
		return Classify{}, nil
	case sample.Values:
		return Regress{}, nil
	case sample.Trains:
		return MatchTrains{}, nil
	case sample.Boxes:
		return nil, fmt.Errorf("target %q is boxes, which no task takes by itself: name detect under task, and yolo with its anchors under loss", target.Name)
	}
	return nil, fmt.Errorf("no task is known for target %q, which is %v; name one under task", target.Name, target.Kind)
}

// Exhibit is something to look at. One of its parts is set.
type Exhibit struct {
	Title, Text string
	Table       *Table
	Matrix      *Matrix
	Points      *Points
	Samples     []Shown
	Beside      int // so many of Samples belong side by side; 0: each stands alone
	Trains      *Pairs
}

// Table is text in rows.
type Table struct {
	Head []string
	Rows [][]string
}

// Matrix is counts or values with named rows and columns.
type Matrix struct {
	Rows, Columns string // what they are: "true class", "answer"
	Names         []string
	Values        [][]int
}

// Points are pairs of values.
type Points struct {
	XName, YName string
	X, Y         []float64
}

// Shown is a sample that is worth looking at.
type Shown struct {
	Place   int // in the source
	Caption string
	// Image is what stands in place of the sample, of its shape; nil: the sample.
	Image []tensor.Float
}

// Pairs are spike trains in [0, Stop] beside those that they should be.
type Pairs struct {
	Unit         string // of time
	Stop         float64
	Target, Have [][]float64 // [unit]: times
}
