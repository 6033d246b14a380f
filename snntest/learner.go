package snntest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"testing"

	"synfire/data"
	"synfire/sample"
	"synfire/tensor"
	"synfire/train"
)

// Learner checks a rule in a setting by batches of one source, at least three:
//
//   - two learners of a setting are equal, and learn the same from the same;
//   - a state continues to the same bits in another learner, at each batch;
//   - the model is part of the state, and the predictor made of it predicts what the
//     learner does; predicting changes nothing, and wants no targets;
//   - a state or a model that does not fit is an error, and changes nothing;
//   - forks of the predictor, where it has them, give in 32 goroutines what one gives;
//   - a train.Finisher refuses to predict until it is finished; interrupted it is as it
//     was; finished again it is the same; and it learns on as if it had not finished.
func Learner(t testing.TB, rule train.Rule, s train.Setting, batches ...*sample.Batch) {
	t.Helper()
	if len(batches) < 3 {
		t.Error("snntest.Learner: give three batches or more, to cut a run in two")
		return
	}
	if err := rule.Validate(); err != nil {
		t.Errorf("Validate: %v", err)
	}
	c := learnerCheck{TB: t, rule: rule, setting: s, batches: batches}
	c.resumes()
	l := c.learner()
	c.step(l, batches...)
	if f, ok := l.(train.Finisher); ok {
		c.finishes(f)
	}
	c.parts(l)
	c.predicts(l)
	c.refuses(l)
}

// learnerCheck is a rule under test.
type learnerCheck struct {
	testing.TB
	rule    train.Rule
	setting train.Setting
	batches []*sample.Batch
}

func (c learnerCheck) learner() train.Learner {
	c.Helper()
	l, err := c.rule.Learner(c.setting)
	if err != nil {
		c.Fatalf("Learner: %v", err)
	}
	return l
}

func (c learnerCheck) step(l train.Learner, batches ...*sample.Batch) (all []train.Metrics) {
	c.Helper()
	for i, b := range batches {
		m, err := l.Step(c.Context(), cloneBatch(b, 0, b.Len()))
		if err != nil {
			c.Fatalf("Step on batch %d: %v", i, err)
		}
		if m.N != b.Len() {
			c.Errorf("Step on %d samples says that it was %d", b.Len(), m.N)
		}
		m.Sums, m.Rates = slices.Clone(m.Sums), slices.Clone(m.Rates)
		all = append(all, m)
	}
	return all
}

// cloneArrays are arrays in memory of their own.
func cloneArrays(m map[string]train.Array) map[string]train.Array {
	out := maps.Clone(m)
	for name, a := range out {
		a.Data, a.Shape = slices.Clone(a.Data), slices.Clone(a.Shape)
		out[name] = a
	}
	return out
}

// difference names an array in which two states differ, empty where there is none.
func difference(a, b map[string]train.Array) string {
	for _, name := range slices.Sorted(maps.Keys(a)) {
		v, ok := b[name]
		if w := a[name]; !ok || v.DType != w.DType || !slices.Equal(v.Shape, w.Shape) || !bytes.Equal(v.Data, w.Data) {
			return name
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if _, ok := a[name]; !ok {
			return name
		}
	}
	return ""
}

// resumes cuts a run at each batch.
func (c learnerCheck) resumes() {
	c.Helper()
	whole := c.learner()
	first := cloneArrays(whole.State())
	if len(first) == 0 {
		c.Error("the learner has no state")
	}
	var states []map[string]train.Array
	var want []train.Metrics
	for _, b := range c.batches {
		states = append(states, cloneArrays(whole.State()))
		want = append(want, c.step(whole, b)...)
	}
	last := cloneArrays(whole.State())
	if difference(first, last) == "" {
		c.Error("learning changes no state: the check shows nothing")
	}
	if name := difference(first, c.learner().State()); name != "" {
		c.Errorf("two learners of one setting begin with different arrays %s", name)
	}
	for cut := range c.batches {
		l := c.learner()
		c.step(l, c.batches[0]) // a state replaces what the learner had learned
		if err := l.SetState(states[cut]); err != nil {
			c.Errorf("SetState refuses the state before batch %d: %v", cut, err)
			continue
		}
		if name := difference(states[cut], l.State()); name != "" {
			c.Errorf("array %s of the state before batch %d is another after SetState", name, cut)
		}
		if got := c.step(l, c.batches[cut:]...); !reflect.DeepEqual(got, want[cut:]) {
			c.Errorf("continued at batch %d the figures are others: %+v, want %+v", cut, got, want[cut:])
		}
		if name := difference(last, l.State()); name != "" {
			c.Errorf("continued at batch %d, array %s is another at the end", cut, name)
		}
	}
}

// parts checks that the model is part of the state.
func (c learnerCheck) parts(l train.Learner) {
	c.Helper()
	state, model := l.State(), l.Model()
	if len(model) == 0 {
		c.Error("the model has no arrays")
	}
	for name, a := range model {
		b, ok := state[name]
		if name := difference(map[string]train.Array{name: a}, map[string]train.Array{name: b}); !ok || name != "" {
			c.Errorf("array %s of the model is not in the state, or another there", name)
		}
	}
}

// answers are what a predictor says of all batches, in memory of their own.
func (c learnerCheck) answers(p train.Predictor, batches []*sample.Batch) ([]train.Prediction, error) {
	var all []train.Prediction
	for _, b := range batches {
		out, err := p.Predict(c.Context(), cloneBatch(b, 0, b.Len()))
		if err != nil {
			return nil, err
		}
		out.Outputs = slices.Clone(out.Outputs)
		for i, o := range out.Outputs {
			out.Outputs[i].Scores = slices.Clone(o.Scores)
			if o.Signal != nil {
				s := *o.Signal
				s.Data, s.Raster.Bits = slices.Clone(s.Data), slices.Clone(s.Raster.Bits)
				out.Outputs[i].Signal = &s
			}
		}
		out.Metrics.Sums, out.Metrics.Rates = slices.Clone(out.Metrics.Sums), slices.Clone(out.Metrics.Rates)
		out.Steps = slices.Clone(out.Steps)
		all = append(all, out)
	}
	return all, nil
}

// said are the scores of predictions.
func said(all []train.Prediction) (scores [][]tensor.Float) {
	for _, p := range all {
		for _, o := range p.Outputs {
			scores = append(scores, o.Scores)
		}
	}
	return scores
}

func (c learnerCheck) predicts(l train.Learner) {
	c.Helper()
	before := cloneArrays(l.State())
	want, err := c.answers(l, c.batches)
	if err != nil {
		c.Fatalf("Predict: %v", err)
	}
	c.checkAnswers(want)
	if again, err := c.answers(l, c.batches); err != nil || !reflect.DeepEqual(again, want) {
		c.Errorf("asked again the learner predicts something else (%v)", err)
	}
	if name := difference(before, l.State()); name != "" {
		c.Errorf("predicting changes array %s of the state", name)
	}
	p, err := c.rule.Predictor(c.setting, cloneArrays(l.Model()))
	if err != nil {
		c.Errorf("Predictor refuses the learner's model: %v", err)
		return
	}
	if got, err := c.answers(p, c.batches); err != nil || !reflect.DeepEqual(got, want) {
		c.Errorf("the predictor of the model predicts something else than the learner (%v)", err)
	}
	bare := c.setting.Spec
	bare.Targets = nil
	var unlabelled []*sample.Batch
	for _, b := range c.batches {
		b = cloneBatch(b, 0, b.Len())
		b.Spec, b.Targets = &bare, nil
		unlabelled = append(unlabelled, b)
	}
	if got, err := c.answers(p, unlabelled); err != nil || !reflect.DeepEqual(said(got), said(want)) {
		c.Errorf("without targets the predictor predicts something else (%v)", err)
	}
	if f, ok := p.(train.Forker); ok {
		c.forks(f, want)
	}
}

func (c learnerCheck) checkAnswers(all []train.Prediction) {
	c.Helper()
	for i, p := range all {
		if len(p.Outputs) == 0 {
			c.Errorf("the prediction of batch %d has no outputs", i)
		}
		seen := map[string]bool{}
		for _, o := range p.Outputs {
			if o.Name == "" || seen[o.Name] || len(o.Scores) != c.batches[i].Len()*o.Shape.Size() {
				c.Errorf("output %q of batch %d has %d scores for %d samples of %v; names must differ, and scores be their product", o.Name, i, len(o.Scores), c.batches[i].Len(), o.Shape)
			}
			seen[o.Name] = true
		}
		if p.Metrics.N != c.batches[i].Len() {
			c.Errorf("the prediction of %d samples says that it is of %d", c.batches[i].Len(), p.Metrics.N)
		}
	}
}

// forks predicts in 32 goroutines.
func (c learnerCheck) forks(f train.Forker, want []train.Prediction) {
	c.Helper()
	const n = 32
	wrong := make([]string, n)
	var wg sync.WaitGroup
	for i := range n {
		p := f.Fork()
		wg.Go(func() {
			switch got, err := c.answers(p, c.batches); {
			case err != nil:
				wrong[i] = err.Error()
			case !reflect.DeepEqual(got, want):
				wrong[i] = "other predictions"
			}
		})
	}
	wg.Wait()
	for i, w := range wrong {
		if w != "" {
			c.Errorf("fork %d of %d in parallel: %s", i, n, w)
			return
		}
	}
}

// garbage are spoilt copies of a state, by what is wrong with them.
func garbage(state map[string]train.Array) map[string]map[string]train.Array {
	all := map[string]map[string]train.Array{"none at all": {}}
	for name, a := range state {
		spoil := func(what string, change func(m map[string]train.Array)) {
			m := cloneArrays(state)
			change(m)
			all[fmt.Sprintf(what, name)] = m
		}
		spoil("without %s", func(m map[string]train.Array) { delete(m, name) })
		spoil("%s of another shape", func(m map[string]train.Array) {
			b := m[name]
			b.Shape, b.Data = append([]int{2}, b.Shape...), append(slices.Clone(a.Data), a.Data...)
			m[name] = b
		})
		spoil("%s of another type", func(m map[string]train.Array) {
			b := m[name]
			b.DType, b.Shape, b.Data = "U8", []int{3}, []byte{1, 2, 3}
			m[name] = b
		})
	}
	extra := cloneArrays(state)
	extra["not of this learner"] = train.Array{DType: "U8", Shape: []int{1}, Data: []byte{1}}
	all["an array too many"] = extra
	return all
}

// refuses gives the learner and the predictor what does not fit.
func (c learnerCheck) refuses(l train.Learner) {
	c.Helper()
	before := cloneArrays(l.State())
	for what, state := range garbage(cloneArrays(c.learner().State())) { // of another time, so that half of it shows
		if l.SetState(state) == nil {
			c.Errorf("SetState takes a state: %s", what)
		}
		if name := difference(before, l.State()); name != "" {
			c.Errorf("SetState of a state that it refuses (%s) changes array %s", what, name)
			return
		}
	}
	for what, model := range garbage(cloneArrays(l.Model())) {
		if _, err := c.rule.Predictor(c.setting, model); err == nil {
			c.Errorf("Predictor takes a model: %s", what)
		}
	}
}

// finishes finishes the learner, which has learned all batches.
func (c learnerCheck) finishes(f train.Finisher) {
	c.Helper()
	if f.Finished() {
		c.Error("the learner is finished after a step, before Finish")
	}
	if _, err := f.Predict(c.Context(), c.batches[0]); err == nil {
		c.Error("Predict of a learner that is not finished is no error")
	}
	before := cloneArrays(f.State())
	stopped, cancel := context.WithCancel(c.Context())
	cancel()
	if err := f.Finish(stopped, c.cursor()); err == nil || f.Finished() {
		c.Errorf("Finish, interrupted: %v, finished: %v; want an error, and a model that is not", err, f.Finished())
	}
	if name := difference(before, f.State()); name != "" {
		c.Errorf("Finish, interrupted, changes array %s", name)
	}
	finish := func() map[string]train.Array {
		if err := f.Finish(c.Context(), c.cursor()); err != nil || !f.Finished() {
			c.Fatalf("Finish: %v, finished: %v", err, f.Finished())
		}
		return cloneArrays(f.Model())
	}
	model := finish()
	state := f.State()
	for name, a := range before {
		if _, part := model[name]; !part && difference(map[string]train.Array{name: a}, map[string]train.Array{name: state[name]}) != "" {
			c.Errorf("Finish changes array %s, which is no part of the model", name)
		}
	}
	if name := difference(model, finish()); name != "" {
		c.Errorf("array %s of the model is another after Finish is called again", name)
	}
	plain := c.learner()
	c.step(plain, c.batches...)
	c.step(plain, c.batches[0])
	other := c.learner().(train.Finisher)
	c.step(other, c.batches...)
	if err := other.Finish(c.Context(), c.cursor()); err != nil {
		c.Fatalf("Finish: %v", err)
	}
	c.step(other, c.batches[0])
	for _, l := range []train.Finisher{plain.(train.Finisher), other} {
		if err := l.Finish(c.Context(), c.cursor()); err != nil {
			c.Fatalf("Finish: %v", err)
		}
	}
	if name := difference(plain.State(), other.State()); name != "" {
		c.Errorf("array %s is another where the learner was finished in between: Finish must leave learning alone", name)
	}
}

// cursor walks the batches' samples in order.
func (c learnerCheck) cursor() *data.Cursor {
	c.Helper()
	cur, err := data.NewCursor(given{c.setting.Spec, c.batches}, data.CursorOptions{Batch: c.batches[0].Len()})
	if err != nil {
		c.Fatalf("the batches are no source: %v", err)
	}
	return cur
}

// given is a source of the samples of batches.
type given struct {
	spec    sample.Spec
	batches []*sample.Batch
}

func (g given) Spec() sample.Spec { return g.spec }

func (g given) Len() (n int) {
	for _, b := range g.batches {
		n += b.Len()
	}
	return n
}

// at is the batch of sample i, and its place there.
func (g given) at(i int) (*sample.Batch, int) {
	for _, b := range g.batches {
		if i < b.Len() {
			return b, i
		}
		i -= b.Len()
	}
	panic("snntest: a sample beyond the batches")
}

func (g given) Index(i int) int {
	b, k := g.at(i)
	return b.Index[k]
}

func (g given) Origin(i int) string { return fmt.Sprintf("sample %d of the batches", i) }

func (g given) Target(i, f int) (sample.Target, error) {
	b, k := g.at(i)
	return b.Targets[f].At(k), nil
}

func (g given) Read(_ context.Context, i int, s *sample.Sample) error {
	b, k := g.at(i)
	if n := g.spec.Size(); n > 0 {
		copy(s.X, b.X[k*n:])
	} else {
		s.Events = append(s.Events, b.Events[k]...)
	}
	if b.Lengths != nil {
		s.Length = b.Lengths[k]
	}
	for f := range b.Targets {
		s.Targets = append(s.Targets, b.Targets[f].At(k))
	}
	return nil
}
