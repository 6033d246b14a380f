package view

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"synfire/report"
)

// Prediction is the JSON of a sample; its fields are those of the task.
type Prediction struct {
	Input       string             `json:"input"`
	Task        string             `json:"task,omitempty"`
	Scores      map[string]float64 `json:"scores,omitempty"`
	Class       string             `json:"class,omitempty"`
	Values      []float64          `json:"values,omitempty"`
	Shape       []int              `json:"shape,omitempty"`  // of values that are a series: steps, values a step
	Trains      [][]float64        `json:"trains,omitempty"` // steps in which each unit fires
	Steps       int                `json:"steps,omitempty"`  // of a rule that knows steps of time
	Spikes      int                `json:"spikes"`
	Outputs     []Answer           `json:"outputs,omitempty"` // of a model of several tasks or outputs
	WallSeconds float64            `json:"wall_seconds"`
}

// Answer is the JSON of what one of several outputs says.
type Answer struct {
	Name   string             `json:"name"` // of the task, or of an output without one
	Task   string             `json:"task,omitempty"`
	Scores map[string]float64 `json:"scores,omitempty"`
	Class  string             `json:"class,omitempty"`
	Values []float64          `json:"values,omitempty"`
	Shape  []int              `json:"shape,omitempty"`
	Trains [][]float64        `json:"trains,omitempty"`
}

// shownScores is how many scores of a sample are printed as text.
const shownScores = 5

// Prediction prints what a model says of a sample: scores, values or trains, each output
// under its name where there are several. Values are printed whole up to the terminal's
// size; --json has all.
func (s Screen) Prediction(p Prediction) error {
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	if p.Outputs == nil {
		s.answer(w, p.Input, Answer{Scores: p.Scores, Class: p.Class, Values: p.Values, Shape: p.Shape, Trains: p.Trains})
	} else {
		fmt.Fprintln(w, p.Input)
		for _, o := range p.Outputs {
			s.answer(w, Clean(o.Name), o)
		}
	}
	steps := ""
	if p.Steps > 0 {
		steps = fmt.Sprintf("steps %d, ", p.Steps)
	}
	fmt.Fprintf(w, "  %sspikes %s, %s\n", steps, report.Integer(int64(p.Spikes)), report.Seconds(p.WallSeconds))
	return w.Flush()
}

// answer prints what an output says, behind a name.
func (s Screen) answer(w io.Writer, name string, o Answer) {
	switch {
	case o.Scores != nil:
		fmt.Fprintf(w, "%s\t%s\n", name, s.Style(Bold, o.Class))
		ranked := slices.SortedFunc(maps.Keys(o.Scores), func(x, y string) int {
			return cmp.Or(cmp.Compare(o.Scores[y], o.Scores[x]), cmp.Compare(x, y))
		})
		for _, class := range ranked[:min(len(ranked), shownScores)] {
			fmt.Fprintf(w, "  %s\t%.4g\n", class, o.Scores[class])
		}
		if more := len(ranked) - shownScores; more > 0 {
			fmt.Fprintf(w, "  and %d more\t(--json has all)\n", more)
		}
	case o.Trains != nil:
		fmt.Fprintf(w, "%s\tspikes of %d units\n", name, len(o.Trains))
		for i, train := range o.Trains[:min(len(o.Trains), s.Height)] {
			fmt.Fprintf(w, "  unit %d\t%s\n", i, joined(train))
		}
		if more := len(o.Trains) - s.Height; more > 0 {
			fmt.Fprintf(w, "  and %d units more\t(--json has all)\n", more)
		}
	case o.Shape != nil:
		fmt.Fprintf(w, "%s\ta series of %d steps of %d\n", name, o.Shape[0], o.Shape[1])
		shown := min(o.Shape[0], s.Height)
		for t := range shown {
			fmt.Fprintf(w, "  step %d\t%s\n", t, joined(o.Values[t*o.Shape[1]:][:o.Shape[1]]))
		}
		if more := o.Shape[0] - shown; more > 0 {
			fmt.Fprintf(w, "  and %d steps more\t(--json has all)\n", more)
		}
	case len(o.Values) > inLine:
		fmt.Fprintf(w, "%s\t%d values\n", name, len(o.Values))
		lines := slices.Collect(slices.Chunk(o.Values, 10))
		shown := min(len(lines), s.Height)
		for i, line := range lines[:shown] {
			fmt.Fprintf(w, "  from %d\t%s\n", 10*i, joined(line))
		}
		if more := len(o.Values) - 10*shown; more > 0 {
			fmt.Fprintf(w, "  and %d more\t(--json has all)\n", more)
		}
	default:
		fmt.Fprintf(w, "%s\t%s\n", name, joined(o.Values))
	}
}

// inLine is how many numbers are printed in a line.
const inLine = 16

// joined are numbers in a line, of many the first.
func joined(v []float64) string {
	var text strings.Builder
	for i, x := range v[:min(len(v), inLine)] {
		if i > 0 {
			text.WriteByte(' ')
		}
		fmt.Fprintf(&text, "%.5g", x)
	}
	if len(v) > inLine {
		fmt.Fprintf(&text, " … (%d; --json has all)", len(v))
	}
	return text.String()
}
