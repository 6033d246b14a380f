package command

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"synfire/catalog"
	"synfire/data/arrays"
	"synfire/data/folder"
	"synfire/data/input"
	"synfire/data/table"
	"synfire/internal/par"
	"synfire/model"
	"synfire/modelfile"
	"synfire/report"
	"synfire/view"
)

type predictCmd struct {
	Model   string   `arg:"" help:"Model file, or checkpoint of a run."`
	Files   []string `arg:"" name:"file" help:"Images (PNG, JPEG), sounds (WAV), tables (CSV), arrays (NPZ, NPY), recordings of events (N-MNIST .bin), or - for lines of numbers on standard input."`
	Threads int      `help:"Threads; 0 means one for each processor." default:"0"`
	Data    string   `help:"Of a checkpoint of version 1, the data that it was trained on, as eval takes them." placeholder:"DATA"`
	DataDir string   `help:"Folder with your own copies of data sets." placeholder:"DIR"`
	JSON    bool     `help:"Print JSON, a line for each sample."`
}

// Help is the verb's longer help.
func (predictCmd) Help() string {
	return `Says of each sample what the model makes of it: the class with the scores of all
classes, values, or spike trains. The data set that it was trained on is not needed.
Tables and arrays may hold many samples. Ends with exit code 1 if one could not be read.

  synfire predict runs/net-s1/model.safetensors photo.png
  echo 5.1 3.5 1.4 0.2 | synfire predict flowers.safetensors -`
}

// prediction is the JSON of a sample; its fields are those of the task.
type prediction struct {
	Input       string             `json:"input"`
	Task        string             `json:"task,omitempty"`
	Scores      map[string]float64 `json:"scores,omitempty"`
	Class       string             `json:"class,omitempty"`
	Values      []float64          `json:"values,omitempty"`
	Shape       []int              `json:"shape,omitempty"`  // of values that are a series: steps, values a step
	Trains      [][]float64        `json:"trains,omitempty"` // steps in which each unit fires
	Steps       int                `json:"steps,omitempty"`  // of a rule that knows steps of time
	Spikes      int                `json:"spikes"`
	Outputs     []outputAnswer     `json:"outputs,omitempty"` // of a model of several tasks or outputs
	WallSeconds float64            `json:"wall_seconds"`
}

// outputAnswer is the JSON of what one of several outputs says.
type outputAnswer struct {
	Name   string             `json:"name"` // of the task, or of an output without one
	Task   string             `json:"task,omitempty"`
	Scores map[string]float64 `json:"scores,omitempty"`
	Class  string             `json:"class,omitempty"`
	Values []float64          `json:"values,omitempty"`
	Shape  []int              `json:"shape,omitempty"`
	Trains [][]float64        `json:"trains,omitempty"`
}

// failedInput is the JSON of a sample that could not be read.
type failedInput struct {
	Input string `json:"input"`
	Error string `json:"error"`
}

// Run predicts.
func (c *predictCmd) Run(a *app) error {
	pool := par.New(c.Threads)
	defer pool.Close()
	m, err := c.open(a, pool)
	if err != nil {
		return err
	}
	failed, n := view.Failures{Out: a.err, Program: a.Name}, 0
	stdin := func() input.Lines { return input.Lines{Reader: os.Stdin} }
	for in := range input.Files(a.ctx, c.Files, stdin, inputOptions(m)) {
		err := in.Err
		var p prediction
		if err == nil {
			p, err = a.predict(m, in)
		}
		if a.ctx.Err() != nil {
			return a.ctx.Err()
		}
		if err != nil {
			n++
			err = c.fail(a, &failed, in.Name, err)
		} else {
			err = errors.Join(failed.Tell(), c.print(a, p))
		}
		if err != nil {
			return err
		}
	}
	if a.ctx.Err() != nil {
		return a.ctx.Err()
	}
	if err := failed.Tell(); err != nil {
		return err
	}
	if n > 0 {
		return codeError(exitFailed)
	}
	return nil
}

// fail tells that an input could not be read.
func (c *predictCmd) fail(a *app, failed *view.Failures, name string, err error) error {
	if c.JSON {
		return json.NewEncoder(a.out).Encode(failedInput{name, err.Error()})
	}
	return failed.Add(name, err)
}

// open opens the model. A file of format 1 lacks what the data tell.
func (c *predictCmd) open(a *app, pool *par.Pool) (*catalog.Model, error) {
	f, err := modelfile.Read(c.Model)
	if err != nil {
		return nil, fmt.Errorf("predict: %w", err)
	}
	o := catalog.OpenOptions{Pool: pool}
	if f.Spec == nil {
		part, err := a.measurable("predict", f, c.Data, catalog.SplitAll, c.DataDir)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", err, catalog.ErrFacts)
		}
		spec := part.Source.Spec()
		o.Spec = &spec
	}
	m, err := a.Catalog.FromFile(f, o)
	if err != nil {
		return nil, fmt.Errorf("predict %s: %w", c.Model, err)
	}
	return m, nil
}

// inputOptions are how a model takes samples: as the data that it was trained on.
func inputOptions(m *catalog.Model) input.Options {
	d := m.Config.Data
	o := input.Options{Spec: m.Spec, Source: d.Source, Length: d.Length}
	for _, f := range m.Spec.Targets {
		o.Skip = append(o.Skip, f.Name)
	}
	switch own := d.Own().(type) {
	case *folder.Images:
		o.Stretch = len(own.Size) > 0
	case *arrays.Arrays:
		o.Scale = own.Scale
	case *table.CSV:
		if own.Label != "" {
			o.Skip = append(o.Skip, own.Label)
		}
		o.Skip = append(o.Skip, own.Ignore...)
	}
	return o
}

func (a *app) predict(m *catalog.Model, in input.Input) (prediction, error) {
	start := time.Now()
	answers, err := m.Predict(a.ctx, in.Sample)
	if err != nil {
		return prediction{}, err
	}
	r := answers[0]
	all := make([]outputAnswer, len(r.Readings))
	for i, one := range r.Readings {
		all[i] = outputAnswer{Name: one.Name, Scores: one.Scores, Class: one.Class, Values: one.Values, Trains: one.Trains}
		if i < len(m.Config.Task) {
			all[i].Task = catalog.KindOf(a.Catalog.Tasks, m.Config.Task[i].Task)
		}
		if one.Course != nil {
			all[i].Values, all[i].Shape = slices.Concat(one.Course...), []int{len(one.Course), len(one.Course[0])}
		}
	}
	p := prediction{
		Input: in.Name, Task: all[0].Task, Scores: all[0].Scores, Class: all[0].Class, Values: all[0].Values, Shape: all[0].Shape, Trains: all[0].Trains,
		Steps: r.Steps, Spikes: r.Spikes, WallSeconds: time.Since(start).Seconds(),
	}
	if len(all) > 1 {
		p.Outputs = all
	}
	return p, nil
}

// taskKind names the first task of a configuration.
func taskKind(c catalog.Catalog, cfg model.Config) string {
	if len(cfg.Task) == 0 {
		return ""
	}
	return catalog.KindOf(c.Tasks, cfg.Task[0].Task)
}

// shownScores is how many scores of a sample are printed as text.
const shownScores = 5

// print prints what the model says of a sample: scores, values or trains, each output
// under its name where there are several. Values are printed whole up to the terminal's
// size; --json has all.
func (c *predictCmd) print(a *app, p prediction) error {
	if c.JSON {
		return json.NewEncoder(a.out).Encode(p)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	if p.Outputs == nil {
		c.answer(a, w, p.Input, outputAnswer{Scores: p.Scores, Class: p.Class, Values: p.Values, Shape: p.Shape, Trains: p.Trains})
	} else {
		fmt.Fprintln(w, p.Input)
		for _, o := range p.Outputs {
			c.answer(a, w, view.Clean(o.Name), o)
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
func (c *predictCmd) answer(a *app, w io.Writer, name string, o outputAnswer) {
	switch {
	case o.Scores != nil:
		fmt.Fprintf(w, "%s\t%s\n", name, a.Style(view.Bold, o.Class))
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
		for i, train := range o.Trains[:min(len(o.Trains), a.Height)] {
			fmt.Fprintf(w, "  unit %d\t%s\n", i, joined(train))
		}
		if more := len(o.Trains) - a.Height; more > 0 {
			fmt.Fprintf(w, "  and %d units more\t(--json has all)\n", more)
		}
	case o.Shape != nil:
		fmt.Fprintf(w, "%s\ta series of %d steps of %d\n", name, o.Shape[0], o.Shape[1])
		shown := min(o.Shape[0], a.Height)
		for t := range shown {
			fmt.Fprintf(w, "  step %d\t%s\n", t, joined(o.Values[t*o.Shape[1]:][:o.Shape[1]]))
		}
		if more := o.Shape[0] - shown; more > 0 {
			fmt.Fprintf(w, "  and %d steps more\t(--json has all)\n", more)
		}
	case len(o.Values) > inLine:
		fmt.Fprintf(w, "%s\t%d values\n", name, len(o.Values))
		lines := slices.Collect(slices.Chunk(o.Values, 10))
		shown := min(len(lines), a.Height)
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
	text := strings.Join(names(v[:min(len(v), inLine)], func(x float64) string { return fmt.Sprintf("%.5g", x) }), " ")
	if len(v) > inLine {
		text += fmt.Sprintf(" … (%d; --json has all)", len(v))
	}
	return text
}
