package snntest

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"synfire/internal/rng"
	"synfire/sample"
	"synfire/signal"
	"synfire/spike"
	"synfire/task"
	"synfire/tensor"
)

// Cases are n samples of a spec at random in batches of up to seven, with outputs of a
// shape over some steps beside a target (its name; empty: the first): uniform numbers,
// or spikes where the target is spike trains. A third of the samples is padded.
func Cases(t testing.TB, spec sample.Spec, target string, out tensor.Shape, steps, n int) (cases []task.Case) {
	t.Helper()
	if err := spec.Validate(); err != nil {
		t.Fatal(err)
	}
	src := rng.New(1, "snntest.Cases").Source()
	for at := 0; at < n; at += 7 {
		b := &sample.Batch{}
		b.Reset(&spec, 0)
		for i := at; i < min(at+7, n); i++ {
			if err := b.Append(i, randomSample(src, spec)); err != nil {
				t.Fatal(err)
			}
		}
		y, err := b.Target(target)
		if err != nil {
			t.Fatal(err)
		}
		kind, density := signal.Dense, 0.0
		if y.Field.Kind == sample.Trains {
			kind, density = signal.Spikes, 0.3
		}
		course := Random(kind, steps, b.Len(), out, density, uint64(at+1))
		dense := &signal.Signal{}
		course.Densify(dense)
		dense.Shape = out
		scores := slices.Clone(dense.Data[(steps-1)*b.Len()*out.Size():])
		cases = append(cases, task.Case{
			Output: task.Output{Name: "output", Shape: out, Signal: dense, Scores: scores},
			Target: y, First: at, Valid: b.Valid(steps), Batch: b,
		})
	}
	return cases
}

// randomSample is a sample with targets at random.
func randomSample(src *rng.Source, spec sample.Spec) *sample.Sample {
	s := &sample.Sample{X: uniform(src, spec.Size())}
	whole := spec.Duration
	if !spec.Events {
		whole = float64(spec.Steps)
	}
	if whole > 0 && src.IntN(3) == 0 {
		s.Length = whole * float64(1+src.IntN(2)) / 3
	}
	if spec.Events {
		for i := range 20 {
			s.Events = append(s.Events, sample.Event{Time: spec.Duration * float64(i) / 20, Unit: int32(src.IntN(spec.Shape.Size()))})
		}
	}
	for _, f := range spec.Targets {
		s.Targets = append(s.Targets, randomTarget(src, f, spec.Duration))
	}
	return s
}

func randomTarget(src *rng.Source, f sample.Field, duration float64) (y sample.Target) {
	switch f.Kind {
	case sample.Class:
		y.Class = src.IntN(len(f.Classes))
	case sample.Values:
		y.Values = uniform(src, f.Size())
	case sample.Trains:
		for range f.Shape.Size() {
			t := spike.Train{Stop: duration}
			for range src.IntN(5) {
				t.Times = append(t.Times, duration*src.Float64())
			}
			y.Trains = append(y.Trains, t.Sort())
		}
	case sample.Boxes:
		for range src.IntN(4) {
			x, at := src.Float64(), src.Float64()
			y.Boxes = append(y.Boxes, sample.Box{Class: src.IntN(len(f.Classes)), X0: x, Y0: at, X1: x + 1, Y1: at + 1})
		}
	}
	return y
}

func uniform(src *rng.Source, n int) []tensor.Float {
	x := make([]tensor.Float, n)
	for i := range x {
		x[i] = tensor.Float(2*src.Float64() - 1)
	}
	return x
}

// Task checks a task by the cases of a source, in its order (see Cases): it takes their
// shape and no other; the figures do not depend on the order of the batches, nor on how
// the samples are parted into them; a score keeps no memory of a case, and shares none
// with another; an output that is no number is a *task.SampleError; without samples
// nothing panics, and every figure is undefined with a reason.
func Task(t testing.TB, k task.Task, cases ...task.Case) {
	t.Helper()
	if len(cases) < 2 || cases[0].Batch.Len() < 2 {
		t.Error("snntest.Task: too few cases to part and reorder; give two batches of two samples or more")
		return
	}
	if err := k.Validate(); err != nil {
		t.Errorf("Validate: %v", err)
	}
	checkShapes(t, k, cases[0])
	field := *cases[0].Target.Field
	empty := k.Score(field)
	for _, s := range empty.Scalars() {
		if s.Defined() || s.Why == "" {
			t.Errorf("without samples %q is %v with the reason %q, want it undefined with a reason", s.Name, s.Value, s.Why)
		}
	}
	empty.Exhibits()

	want := k.Score(field)
	other := k.Score(field) // is given each batch twice, and must not be felt
	for _, c := range cases {
		own := cloneCase(c, 0, c.Batch.Len())
		addCase(t, want, own)
		addCase(t, other, c)
		before := want.Exhibits()
		scribble(own)
		if !reflect.DeepEqual(before, want.Exhibits()) {
			t.Errorf("the score keeps memory of a batch, which is overwritten by the next: clone what is shown")
		}
		addCase(t, other, c)
	}
	figures := want.Scalars()
	checkScalars(t, figures)

	single, backwards, mixed := k.Score(field), k.Score(field), k.Score(field)
	var parts []task.Case
	for _, c := range cases {
		for i := range c.Batch.Len() {
			parts = append(parts, cloneCase(c, i, i+1))
			addCase(t, single, cloneCase(c, i, i+1))
		}
	}
	for _, c := range slices.Backward(cases) {
		addCase(t, backwards, c)
	}
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(len(parts)) {
		addCase(t, mixed, parts[i])
	}
	for what, s := range map[string]task.Score{"samples one by one": single, "batches in reverse": backwards, "samples in another order": mixed} {
		sameScalars(t, what, s.Scalars(), figures)
		s.Exhibits()
	}
	checkNotFinite(t, k, cases[1])
}

func addCase(t testing.TB, s task.Score, c task.Case) {
	t.Helper()
	if err := s.Add(c); err != nil {
		t.Fatalf("Add: %v", err)
	}
}

// checkShapes checks that outputs of one unit more, and targets of no known kind, are
// refused.
func checkShapes(t testing.TB, k task.Task, c task.Case) {
	t.Helper()
	field, steps := *c.Target.Field, 1
	if c.Output.Signal != nil {
		steps = c.Output.Signal.T
	}
	if err := k.Check(c.Output.Shape, steps, field); err != nil {
		t.Errorf("Check refuses an output of %v: %v", c.Output.Shape, err)
	}
	more := tensor.Shape{c.Output.Shape.Size() + 1}
	if k.Check(more, steps, field) == nil {
		t.Errorf("Check takes an output of %v, too, where %v is right", more, c.Output.Shape)
	}
	field.Kind = 99
	if k.Check(c.Output.Shape, steps, field) == nil {
		t.Error("Check takes a target of an unknown kind")
	}
}

func checkScalars(t testing.TB, figures []task.Scalar) {
	t.Helper()
	if len(figures) == 0 {
		t.Error("the score has no scalars")
		return
	}
	if figures[0].Better == task.Neither {
		t.Errorf("the first scalar, %q, has no direction, by which the best could be chosen", figures[0].Name)
	}
	seen := map[string]bool{}
	for _, s := range figures {
		if s.Name == "" || strings.ContainsAny(s.Name, " /\n") || seen[s.Name] {
			t.Errorf("a scalar is called %q; names must differ, without spaces and slashes", s.Name)
		}
		seen[s.Name] = true
		if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
			t.Errorf("%q is %v; say why it is undefined", s.Name, s.Value)
		}
	}
}

// sameScalars compares figures but for their rounding.
func sameScalars(t testing.TB, what string, got, want []task.Scalar) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d scalars, want %d", what, len(got), len(want))
		return
	}
	for i, w := range want {
		g := got[i]
		near := math.Abs(g.Value-w.Value) <= 1e-9*math.Max(1, math.Abs(w.Value))
		if g.Value = w.Value; !near || g != w {
			t.Errorf("%s: %+v, want %+v", what, got[i], w)
		}
	}
}

func checkNotFinite(t testing.TB, k task.Task, c task.Case) {
	t.Helper()
	c = cloneCase(c, 0, c.Batch.Len())
	last := c.Batch.Len() - 1
	size := c.Output.Shape.Size()
	c.Output.Scores[last*size] = tensor.Float(math.NaN())
	if s := c.Output.Signal; s != nil {
		for step := range s.T {
			s.Data[(step*s.B+last)*size] = tensor.Float(math.NaN())
		}
	}
	var bad *task.SampleError
	if err := k.Score(*c.Target.Field).Add(c); !errors.As(err, &bad) || bad.Place != c.First+last {
		t.Errorf("an output that is NaN for sample %d: %v, want a *task.SampleError of its place", c.First+last, err)
	}
}

// cloneCase is samples [i, j) of a case, in memory of their own.
func cloneCase(c task.Case, i, j int) task.Case {
	out := c
	out.First, out.Batch = c.First+i, cloneBatch(c.Batch, i, j)
	k := c.Output.Shape.Size()
	out.Output.Scores = slices.Clone(c.Output.Scores[i*k : j*k])
	if s := c.Output.Signal; s != nil {
		part := &signal.Signal{}
		part.Reset(s.Kind, s.T, j-i, s.Shape)
		for step := range s.T {
			copy(part.Data[step*(j-i)*k:][:(j-i)*k], s.Data[(step*s.B+i)*k:])
		}
		out.Output.Signal = part
	}
	if c.Valid != nil {
		out.Valid = slices.Clone(c.Valid[i:j])
	}
	out.Target = cloneColumn(*c.Target, i, j)
	return out
}

func cloneBatch(b *sample.Batch, i, j int) *sample.Batch {
	if b.Spec == nil {
		return &sample.Batch{Epoch: b.Epoch, Index: slices.Clone(b.Index[i:j])}
	}
	out := &sample.Batch{Spec: b.Spec, Epoch: b.Epoch, Index: slices.Clone(b.Index[i:j])}
	if !b.Spec.Events {
		out.X = slices.Clone(b.X[i*b.Spec.Size() : j*b.Spec.Size()])
	}
	for _, events := range b.Events[min(i, len(b.Events)):min(j, len(b.Events))] {
		out.Events = append(out.Events, slices.Clone(events))
	}
	if b.Lengths != nil {
		out.Lengths = slices.Clone(b.Lengths[i:j])
	}
	if b.Frames != nil {
		out.Frames = slices.Clone(b.Frames[i:j])
	}
	for _, c := range b.Targets {
		out.Targets = append(out.Targets, *cloneColumn(c, i, j))
	}
	return out
}

func cloneColumn(c sample.Column, i, j int) *sample.Column {
	out := &sample.Column{Field: c.Field}
	for at := i; at < j; at++ {
		y := c.At(at)
		var trains []spike.Train
		for _, t := range y.Trains {
			t.Times = slices.Clone(t.Times)
			trains = append(trains, t)
		}
		y.Trains, y.Boxes = trains, slices.Clone(y.Boxes)
		out.Add(y)
	}
	return out
}

// scribble overwrites what the next batch would.
func scribble(c task.Case) {
	fill := func(x []tensor.Float) {
		for i := range x {
			x[i] = 77
		}
	}
	fill(c.Output.Scores)
	fill(c.Batch.X)
	if c.Output.Signal != nil {
		fill(c.Output.Signal.Data)
	}
	fill(c.Target.Values)
	for _, trains := range c.Target.Trains {
		for _, t := range trains {
			for i := range t.Times {
				t.Times[i] = 77
			}
		}
	}
}
