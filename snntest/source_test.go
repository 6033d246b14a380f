package snntest_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"synfire/data"
	"synfire/data/mnist"
	"synfire/sample"
	"synfire/snntest"
	"synfire/spike"
	"synfire/task"
	"synfire/tensor"
)

// generated is a source of events, with all kinds of targets, whose faults are set.
type generated struct {
	unread bool // leaves a value as it was
	origin string
	sticky bool          // gives all the same index
	other  bool          // Target says something else
	reads  *atomic.Int64 // each reading differs
	series bool
}

func (generated) Len() int { return 5 }
func (g generated) Spec() sample.Spec {
	s := sample.Spec{Shape: tensor.Shape{2, 2}, Duration: 3, Targets: []sample.Field{
		{Name: "class", Kind: sample.Class, Classes: []string{"a", "b"}},
		{Name: "trains", Kind: sample.Trains, Shape: tensor.Shape{1}},
	}}
	if g.series {
		s.Steps = 2
	} else {
		s.Events = true
	}
	return s
}
func (g generated) Index(i int) int {
	if g.sticky {
		return 3
	}
	return 10 * i
}
func (g generated) Origin(i int) string { return fmt.Sprint(g.origin, i)[:len(g.origin)] }
func (g generated) Target(i, f int) (sample.Target, error) {
	if f == 1 {
		return sample.Target{Trains: []spike.Train{{Times: []float64{float64(i) / 5}, Stop: 3}}}, nil
	}
	if g.other {
		i++
	}
	return sample.Target{Class: i % 2}, nil
}
func (g generated) Read(_ context.Context, i int, s *sample.Sample) error {
	for k := range s.X {
		s.X[k] = tensor.Float(i + k)
	}
	if g.unread {
		s.X[1] = s.X[1] * 0 / 0
	}
	if !g.series {
		s.Events = append(s.Events, sample.Event{Time: 1, Unit: int32(i % 4)}, sample.Event{Time: 2, Unit: 1})
	}
	if g.reads != nil {
		s.Events[0].Time += float64(g.reads.Add(1)) / 1e4
	}
	g.other = false
	for f := range g.Spec().Targets {
		y, err := g.Target(i, f)
		if err != nil {
			return err
		}
		s.Targets = append(s.Targets, y)
	}
	return nil
}

func TestSources(t *testing.T) {
	train, test := mnist.Sample()
	snntest.Source(t, train)
	snntest.Source(t, test)
	snntest.Source(t, generated{origin: "x"})
	snntest.Source(t, generated{origin: "x", series: true})
	odd, err := sample.Subset(train, []int{7, 3, 500})
	if err != nil {
		t.Fatal(err)
	}
	snntest.Source(t, odd)
	part, valid, err := data.Validation(train, 0.1, 1)
	if err != nil {
		t.Fatal(err)
	}
	snntest.Source(t, part)
	snntest.Source(t, valid)
}

// complaints collects what a check finds.
type complaints struct {
	testing.TB
	found []string
}

func (*complaints) Helper() {}
func (c *complaints) Errorf(format string, a ...any) {
	c.found = append(c.found, fmt.Sprintf(format, a...))
}
func (c *complaints) Error(a ...any) { c.found = append(c.found, fmt.Sprint(a...)) }
func (c *complaints) Fatalf(format string, a ...any) {
	c.Errorf(format, a...)
	panic(c)
}

// of runs a check and returns all that it found.
func (c *complaints) of(check func(testing.TB)) string {
	func() {
		defer func() {
			if r := recover(); r != nil && r != any(c) {
				panic(r)
			}
		}()
		check(c)
	}()
	return strings.Join(c.found, "\n")
}

// Each fault of a source is found.
func TestSourceFaults(t *testing.T) {
	for want, g := range map[string]generated{
		"Read leaves it":                       {origin: "x", series: true, unread: true},
		"the origin of sample 0":               {},
		"want a text that can be printed":      {origin: "\x1b"},
		"both have the index 3":                {origin: "x", sticky: true},
		`target "class" of sample 0`:           {origin: "x", other: true},
		"sample 4 is another when read again":  {origin: "x", reads: new(atomic.Int64)},
		"another when several goroutines read": {origin: "x", reads: new(atomic.Int64)},
	} {
		c := &complaints{TB: t}
		if got := c.of(func(tb testing.TB) { snntest.Source(tb, g) }); !strings.Contains(got, want) {
			t.Errorf("%+v: %q lacks %q", g, got, want)
		}
	}
}

// wrong is a task with a fault.
type wrong struct {
	task.Regress
	fault string
}

func (w wrong) Check(out tensor.Shape, steps int, f sample.Field) error {
	if w.fault == "takes" && f.Kind == sample.Values {
		return nil
	}
	return w.Regress.Check(out, steps, f)
}
func (w wrong) Score(f sample.Field) task.Score {
	return &wrongScore{Score: w.Regress.Score(f), fault: w.fault}
}

type wrongScore struct {
	task.Score
	fault   string
	batches float64
	kept    []tensor.Float
}

func (s *wrongScore) Add(c task.Case) error {
	s.batches++
	if s.kept == nil {
		s.kept = c.Output.Scores
	}
	err := s.Score.Add(c)
	if s.fault == "swallows" {
		return nil
	}
	return err
}
func (s *wrongScore) Scalars() []task.Scalar {
	out := s.Score.Scalars()
	switch s.fault {
	case "batches":
		out[0].Value = s.batches
	case "empty":
		out[0].Why = ""
	case "direction":
		out[0].Better = task.Neither
	case "names":
		out[0].Name = out[1].Name
	}
	return out
}
func (s *wrongScore) Exhibits() []task.Exhibit {
	if s.fault == "keeps" && s.kept != nil {
		return []task.Exhibit{{Title: fmt.Sprint(s.kept[0])}}
	}
	return s.Score.Exhibits()
}

// Each fault of a task is found.
func TestTaskFaults(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{1}, Targets: []sample.Field{{Name: "y", Kind: sample.Values, Shape: tensor.Shape{2}}}}
	for fault, want := range map[string]string{
		"":          "",
		"takes":     "Check takes an output of 3, too",
		"swallows":  "want a *task.SampleError of its place",
		"batches":   "samples one by one",
		"empty":     "want it undefined with a reason",
		"direction": "no direction",
		"names":     "names must differ",
		"keeps":     "keeps memory of a batch",
	} {
		c := &complaints{TB: t}
		got := c.of(func(tb testing.TB) {
			snntest.Task(tb, wrong{fault: fault}, snntest.Cases(tb, spec, "y", tensor.Shape{2}, 3, 10)...)
		})
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q lacks %q", fault, got, want)
		}
	}
}
