package train_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// names are those of scalars.
func names(scalars []task.Scalar) (out []string) {
	for _, s := range scalars {
		out = append(out, s.Name)
	}
	return out
}

// Figures of several tasks go by the tasks' names, else by their outputs', else by
// their numbers; those of one by their own.
func TestNamesOfFigures(t *testing.T) {
	c := task.Classify{}
	for _, k := range []struct {
		tasks []task.Binding
		want  []string
	}{
		{nil, []string{"loss"}},
		{[]task.Binding{{Task: c}}, []string{"accuracy", "loss"}},
		{[]task.Binding{{Task: c, Output: "other"}}, []string{"accuracy", "loss"}},
		{[]task.Binding{{Task: c, Name: "digits"}}, []string{"digits/accuracy", "loss"}},
		{[]task.Binding{{Task: c}, {Task: c, Output: "other"}}, []string{"classify/accuracy", "other/accuracy", "loss"}},
		{[]task.Binding{{Task: c, Name: "digits"}, {Task: c, Output: "other"}, {Task: c}}, []string{"digits/accuracy", "other/accuracy", "classify/accuracy", "loss"}},
		{[]task.Binding{{Task: c, Output: "other"}, {Task: c, Output: "other"}}, []string{"other/accuracy", "other2/accuracy", "loss"}},
		{[]task.Binding{{Task: c, Output: "other"}, {Task: c, Name: "other"}}, []string{"other2/accuracy", "other/accuracy", "loss"}},
	} {
		f := &fake{after: []outcome{{7, 0.5}}, perEpoch: 1, steps: 1}
		ev, err := train.Evaluate(t.Context(), f, numbers(10), train.EvaluateOptions{Tasks: k.tasks})
		if err != nil {
			t.Fatal(err)
		}
		if got := names(ev.Scalars); !slices.Equal(got, k.want) {
			t.Errorf("%+v: %q, want %q", k.tasks, got, k.want)
		}
		b := &sample.Batch{}
		spec := numbers(10).Spec()
		b.Reset(&spec, 0)
		b.Index, b.Targets[0].Class = []int{0, 1}, []int{0, 1}
		p, err := f.Predict(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		sums, err := train.Running(k.tasks, p.Outputs, b)
		if err != nil {
			t.Fatal(err)
		}
		var running []string
		for i, s := range sums {
			running = append(running, s.Name)
			want := 200.0 // both are right
			if k.tasks[i].Output == "other" {
				want = 100 // its answer is the first class
			}
			if s.Total != want || s.Unit != "%" || s.Better != task.Higher {
				t.Errorf("%+v: running %+v, want %v", k.tasks, s, want)
			}
		}
		if !slices.Equal(append(running, "loss"), k.want) {
			t.Errorf("%+v: running %q, want %q", k.tasks, running, k.want)
		}
	}
}

// Each task scores its own output, and the first is the one that chooses.
func TestTasksScoreTheirOutputs(t *testing.T) {
	f := &fake{after: []outcome{{7, 0.5}}, perEpoch: 1, steps: 1}
	tasks := []task.Binding{{Name: "a", Task: task.Classify{}}, {Name: "b", Task: task.Classify{}, Output: "other"}}
	ev, err := train.Evaluate(t.Context(), f, numbers(10), train.EvaluateOptions{Tasks: tasks, Batch: 3})
	if err != nil {
		t.Fatal(err)
	}
	// The other output's scores are equal, so its answer is the first class: half are right.
	if ev.Value("a/accuracy") != 70 || ev.Value("b/accuracy") != 50 || ev.Value("loss") != 0.5 || ev.Metrics.N != 10 || ev.Classes() != ev.Scores[0] {
		t.Errorf("%+v", ev)
	}
	for i, m := range ev.Classes().Wrong { // places in the source, not in a batch
		if m.Sample != 7+i || m.Label != (7+i)%2 {
			t.Errorf("mistake %d: %+v", i, m)
		}
	}
	for _, c := range []struct {
		binding task.Binding
		want    string
	}{
		{task.Binding{Task: task.Classify{}, Output: "third"}, `no output "third"`},
		{task.Binding{Task: task.Classify{}, Target: "size"}, `no target "size"`},
	} {
		if _, err := train.Evaluate(t.Context(), f, numbers(10), train.EvaluateOptions{Tasks: []task.Binding{c.binding}}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// seeing notes the values that it is asked about.
type seeing struct {
	fake
	x []tensor.Float
}

func (s *seeing) Predict(ctx context.Context, b *sample.Batch) (train.Prediction, error) {
	s.x = append(s.x, b.X...)
	return s.fake.Predict(ctx, b)
}

// Samples are normalised as those of training, and come in order.
func TestEvaluateNormalizes(t *testing.T) {
	f := &seeing{fake: fake{after: []outcome{{7, 0.5}}, perEpoch: 1, steps: 1}}
	o := train.EvaluateOptions{Normalize: &sample.Normalization{Mean: []float64{1}, Std: []float64{2}}, Batch: 2}
	if _, err := train.Evaluate(t.Context(), f, numbers(4), o); err != nil || !slices.Equal(f.x, []tensor.Float{-0.5, 0, 0.5, 1}) {
		t.Errorf("%v, %v", f.x, err)
	}
}

// noting is a task that keeps the cases that it scores.
type noting struct {
	task.Classify
	cases *[]task.Case
}

type notes struct {
	task.Score
	cases *[]task.Case
}

func (n noting) Score(f sample.Field) task.Score { return notes{n.Classify.Score(f), n.cases} }

func (n notes) Add(c task.Case) error {
	*n.cases = append(*n.cases, c)
	return n.Score.Add(c)
}

// A task is told how the samples were normalised, so that it can speak in their units,
// and at which place of the source a batch begins.
func TestTasksAreToldOfTheSamples(t *testing.T) {
	f := &fake{after: []outcome{{7, 0.5}}, perEpoch: 1, steps: 1}
	var cases []task.Case
	o := train.EvaluateOptions{Normalize: &sample.Normalization{Mean: []float64{1}, Std: []float64{2}}, Batch: 4, Tasks: []task.Binding{{Task: noting{cases: &cases}}}}
	if _, err := train.Evaluate(t.Context(), f, numbers(10), o); err != nil || len(cases) != 3 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for i, c := range cases {
		if c.Normalize != o.Normalize || c.First != 4*i || c.Batch == nil {
			t.Errorf("case %d: %+v", i, c)
		}
	}
}

// A loss that is no number ends an evaluation; it would have no place in a checkpoint.
func TestEvaluateNotFinite(t *testing.T) {
	for _, loss := range []float64{math.Inf(1), math.NaN()} {
		f := &oddLoss{fake{after: []outcome{{7, 0}}, perEpoch: 1, steps: 1}, loss}
		_, err := train.Evaluate(t.Context(), f, numbers(10), train.EvaluateOptions{})
		if err == nil || !strings.Contains(err.Error(), "numbers , sample 0") || !strings.Contains(err.Error(), "the loss is") {
			t.Errorf("%v: %v", loss, err)
		}
	}
}

type oddLoss struct {
	fake
	loss float64
}

func (o *oddLoss) Predict(ctx context.Context, b *sample.Batch) (train.Prediction, error) {
	p, err := o.fake.Predict(ctx, b)
	p.Metrics.Sums = []train.Sum{train.LossSum(o.loss)}
	return p, err
}

// slow takes as many steps for a sample as its number.
type slow struct {
	fake
	cancel context.CancelFunc
}

func (s *slow) Predict(ctx context.Context, b *sample.Batch) (train.Prediction, error) {
	p, err := s.fake.Predict(ctx, b)
	p.Steps = b.Index
	if s.cancel != nil {
		s.cancel()
		err = ctx.Err()
	}
	return p, err
}

// The steps that samples took are told in the mean, and an evaluation ends when it is
// interrupted.
func TestEvaluateStepsAndInterrupt(t *testing.T) {
	f := &slow{fake: fake{after: []outcome{{7, 0.5}}, perEpoch: 1, steps: 1}}
	var progress []int
	o := train.EvaluateOptions{Batch: 4, Progress: func(done, total int) { progress = append(progress, done, total) }}
	ev, err := train.Evaluate(t.Context(), f, numbers(10), o)
	if err != nil || ev.Steps != 4.5 {
		t.Errorf("%+v, %v, want 4.5 steps", ev, err)
	}
	if !slices.Equal(progress, []int{4, 10, 8, 10, 10, 10}) {
		t.Errorf("progress %v", progress)
	}
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	if _, err := train.Evaluate(ctx, f, numbers(10), o); !errors.Is(err, train.ErrInterrupted) {
		t.Errorf("interrupted: %v", err)
	}
}

// seven takes seven steps for each sample.
type seven struct{ fake }

func (s *seven) Predict(ctx context.Context, b *sample.Batch) (train.Prediction, error) {
	p, err := s.fake.Predict(ctx, b)
	p.Steps = slices.Repeat([]int{7}, b.Len())
	return p, err
}

// The mean of one sample is its own.
func TestEvaluateOneSample(t *testing.T) {
	for _, n := range []int{1, 2, 5} {
		f := &seven{fake{after: []outcome{{7, 0.5}}, perEpoch: 1, steps: 1}}
		if ev, err := train.Evaluate(t.Context(), f, numbers(n), train.EvaluateOptions{Batch: 4}); err != nil || ev.Steps != 7 {
			t.Errorf("%d samples: %+v, %v, want 7 steps", n, ev, err)
		}
	}
}

// Sums are added by name, whatever their order in a batch.
func TestMetricsAddByName(t *testing.T) {
	var m train.Metrics
	m.Add(train.Metrics{N: 2, Sums: []train.Sum{{Name: "a", Total: 1}, {Name: "b", Total: 2}}, Rates: []train.Rate{{Layer: "x", Spikes: 1, Slots: 4}}})
	m.Add(train.Metrics{N: 2, Sums: []train.Sum{{Name: "b", Total: 4}, {Name: "a", Total: 7}}, Rates: []train.Rate{{Layer: "y", Spikes: 3, Slots: 4}, {Layer: "x", Spikes: 1, Slots: 4}}})
	a, _ := m.Mean("a")
	b, _ := m.Mean("b")
	if _, ok := m.Mean("c"); ok || a != 2 || b != 1.5 || len(m.Sums) != 2 {
		t.Errorf("%+v", m)
	}
	if len(m.Rates) != 2 || m.Rates[0].Value() != 0.25 || m.Rates[1].Value() != 0.75 {
		t.Errorf("rates %+v", m.Rates)
	}
}

// besides has figures of its own, one of them a task's too.
type besides struct{ fake }

func (r *besides) Predict(ctx context.Context, b *sample.Batch) (train.Prediction, error) {
	p, err := r.fake.Predict(ctx, b)
	p.Metrics.Sums = append(p.Metrics.Sums, train.Sum{Name: "accuracy", Total: 1}, train.Sum{Name: "spikes", Better: task.Lower, Total: 3 * float64(b.Len())})
	return p, err
}

// The figures that a rule has besides those of the tasks stand behind them.
func TestFiguresOfTheRule(t *testing.T) {
	for _, tasks := range [][]task.Binding{{{Task: task.Classify{}}}, {{Name: "digits", Task: task.Classify{}}}} {
		r := &besides{fake{after: []outcome{{7, 0.5}}, perEpoch: 1, steps: 1}}
		ev, err := train.Evaluate(t.Context(), r, numbers(10), train.EvaluateOptions{Tasks: tasks, Batch: 4})
		if err != nil {
			t.Fatal(err)
		}
		if got := names(ev.Scalars); len(got) != 3 || !strings.HasSuffix(got[0], "accuracy") || got[1] != "spikes" || got[2] != "loss" || ev.Value("spikes") != 3 || ev.Scalars[0].Value != 70 {
			t.Errorf("%q: %+v", got, ev.Scalars)
		}
	}
}
