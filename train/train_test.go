package train_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/format/safetensors"
	"synfire/modelfile"
	"synfire/run"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// The result is the model of the epoch that is the best on the validation samples; of
// equal ones that of the lower loss, else the earlier. It is the learner's in the end,
// and both sets are measured with it.
func TestBestByValidation(t *testing.T) {
	for name, c := range map[string]struct {
		after []outcome
		want  int
	}{
		"in the middle":              {[]outcome{{6, 0.5}, {8, 0.4}, {7, 0.1}}, 2},
		"the last":                   {[]outcome{{6, 0.5}, {8, 0.4}, {9, 0.9}}, 3},
		"the first":                  {[]outcome{{9, 0.5}, {8, 0.4}, {7, 0.3}}, 1},
		"a tie goes to a lower loss": {[]outcome{{8, 0.4}, {8, 0.3}, {7, 0.1}}, 2},
		"and not to a higher one":    {[]outcome{{8, 0.3}, {8, 0.4}, {7, 0.1}}, 1},
		"after a better one too":     {[]outcome{{7, 0.1}, {8, 0.4}, {8, 0.3}}, 3},
		"else to the earlier":        {[]outcome{{8, 0.4}, {8, 0.4}, {8, 0.4}}, 1},
		"without a loss":             {[]outcome{{7, -1}, {8, -1}, {8, -1}}, 2},
		"with a loss at last":        {[]outcome{{8, -1}, {8, 0.1}, {7, 0.1}}, 1},
	} {
		for _, kept := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", kept ", kept), func(t *testing.T) {
				l, f := fakeLoop(t, c.after...)
				if kept {
					openDir(t, l, t.TempDir(), false)
				}
				r := finish(t, l)
				accuracy := 10 * float64(c.after[c.want-1].right)
				if r.Epoch != c.want || !r.Chosen || r.Early || r.By.Name != "accuracy" || r.By.Value != accuracy {
					t.Errorf("%+v, want epoch %d of accuracy %v", r, c.want, accuracy)
				}
				if f.steps != 3*c.want {
					t.Errorf("the learner has taken %d steps, want those of epoch %d", f.steps, c.want)
				}
				short, g := fakeLoop(t, c.after[:c.want]...)
				short.Valid = nil
				if finish(t, short); f.seen != g.seen {
					t.Errorf("the learner's state is not that of epoch %d", c.want)
				}
				if v, w := r.Valid.Value("accuracy"), r.Test.Value("accuracy"); v != accuracy || w != accuracy {
					t.Errorf("validation %v, test %v, want %v", v, w, accuracy)
				}
				if want := fmt.Sprintf("epoch %d, the best on the validation samples (accuracy %.2f %%)", c.want, accuracy); r.What() != want {
					t.Errorf("%q, want %q", r.What(), want)
				}
				if !kept {
					return
				}
				for _, name := range []string{"model.safetensors", filepath.Join("checkpoints", "best.safetensors")} {
					m, err := modelfile.Read(filepath.Join(l.Dir.Path, name))
					if err != nil {
						t.Fatal(err)
					}
					if !reflect.DeepEqual(m.Arrays, f.Model()) || !m.Finished || m.Rule != "fake" || (len(m.Learner) > 0) != strings.Contains(name, "best") {
						t.Errorf("%s holds %+v", name, m)
					}
				}
			})
		}
	}
}

// lower is a task whose first figure is the better the lower it is; its figures are
// undefined where why says so.
type lower struct {
	task.Classify
	why string
}

func (l lower) Score(f sample.Field) task.Score {
	return &wrong{Score: l.Classify.Score(f), why: l.why}
}

type wrong struct {
	task.Score
	why string
}

func (w *wrong) Scalars() []task.Scalar {
	s := w.Score.Scalars()[0]
	s.Name, s.Value, s.Better, s.Why = "error", 100-s.Value, task.Lower, w.why
	if w.why != "" {
		s.Value = math.NaN()
	}
	return []task.Scalar{s}
}

// A figure says itself which of its values is the better one.
func TestBestOfAnError(t *testing.T) {
	l, _ := fakeLoop(t, outcome{6, 0.5}, outcome{8, 0.4}, outcome{7, 0.1})
	l.Tasks = []task.Binding{{Task: lower{}}}
	if r := finish(t, l); r.Epoch != 2 || r.By.Name != "error" || r.By.Value != 20 {
		t.Errorf("%+v, want epoch 2 of error 20", r)
	}
}

// Without validation samples nothing is chosen, and the last epoch is the result.
func TestNothingIsChosen(t *testing.T) {
	l, f := fakeLoop(t, outcome{9, 0.1}, outcome{6, 0.5})
	l.Valid = nil
	r := finish(t, l)
	if r.Chosen || r.Epoch != 2 || r.Valid != nil || r.Test.Value("accuracy") != 60 || f.steps != 6 || r.What() != "the last epoch (2)" {
		t.Errorf("%+v after %d steps: %s", r, f.steps, r.What())
	}
}

// A figure that is undefined in all epochs chooses nothing. It ended the run, since it
// has no place in the JSON of a checkpoint.
func TestUndefinedFigureChoosesNothing(t *testing.T) {
	l, f := fakeLoop(t, outcome{9, 0.1}, outcome{6, 0.5})
	l.Tasks = []task.Binding{{Task: lower{why: "there is nothing to compare"}}}
	openDir(t, l, t.TempDir(), false)
	r := finish(t, l)
	if r.Chosen || r.Epoch != 2 || f.steps != 6 || r.Valid == nil || r.Valid.Scalars[0].Defined() {
		t.Errorf("%+v after %d steps", r, f.steps)
	}
}

// Patience ends training after as many epochs without a better one.
func TestPatience(t *testing.T) {
	after := []outcome{{6, 0.5}, {8, 0.4}, {7, 0.1}, {8, 0.4}, {9, 0.1}, {9, 0.2}}
	for _, c := range []struct{ patience, epochs, best int }{{0, 6, 5}, {1, 3, 2}, {2, 4, 2}, {3, 6, 5}} {
		l, _ := fakeLoop(t, after...)
		l.Patience = c.patience
		d := &diary{}
		l.Observer = d
		r := finish(t, l)
		if len(d.epochs) != c.epochs || r.Epoch != c.best || r.Early != (c.epochs < 6) {
			t.Errorf("patience %d: %d epochs, result %+v, want %d and epoch %d", c.patience, len(d.epochs), r, c.epochs, c.best)
		}
		if r.Early != strings.HasSuffix(r.What(), "; nothing was better after it") {
			t.Errorf("patience %d: %s", c.patience, r.What())
		}
	}
	l, _ := fakeLoop(t, after...)
	l.Valid, l.Patience = nil, 2
	if _, err := l.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "patience 2 without validation samples") {
		t.Errorf("patience without validation samples: %v", err)
	}
}

// The test samples are measured once, at the end, or when they are watched once after
// each epoch; then they choose nothing either.
func TestTestIsMeasuredOnce(t *testing.T) {
	for _, c := range []struct {
		watch bool
		after []outcome
		tests int
	}{
		{false, []outcome{{8, 0.1}, {9, 0.2}, {7, 0.3}}, 1},
		{true, []outcome{{8, 0.1}, {9, 0.2}, {7, 0.3}}, 4}, // and of the best again
		{true, []outcome{{7, 0.1}, {8, 0.2}, {9, 0.3}}, 3}, // the last is the best
	} {
		l, _ := fakeLoop(t, c.after...)
		l.WatchTest = c.watch
		d := &diary{}
		l.Observer = d
		r := finish(t, l)
		if n := d.count("test 10 of 10"); n != c.tests {
			t.Errorf("watched %t: measured %d times, want %d", c.watch, n, c.tests)
		}
		for i, e := range d.epochs {
			want := run.Figures(nil)
			if c.watch {
				want = run.Figures{"accuracy": 10 * float64(c.after[i].right), "loss": c.after[i].loss}
			}
			if !reflect.DeepEqual(e.Test, want) {
				t.Errorf("watched %t: epoch %d has test figures %v, want %v", c.watch, e.Epoch, e.Test, want)
			}
			if want := (run.Figures{"accuracy": 10 * float64(c.after[i].right), "loss": c.after[i].loss}); !reflect.DeepEqual(e.Valid, want) {
				t.Errorf("epoch %d has validation figures %v, want %v", e.Epoch, e.Valid, want)
			}
		}
		if r.Test.Value("accuracy") != 90 {
			t.Errorf("test accuracy %v, want that of the best", r.Test.Value("accuracy"))
		}
	}
}

// What observers are told: steps with the sum of the epoch so far, evaluations, epochs.
func TestObserver(t *testing.T) {
	l, _ := fakeLoop(t, outcome{8, 0.1}, outcome{9, 0.2})
	l.Eval.Batch = 7
	d := &diary{}
	l.Observer = d
	finish(t, l)
	want := []string{
		"epoch 1, 4 of 10, sum of 4", "epoch 1, 8 of 10, sum of 8", "epoch 1, 10 of 10, sum of 10",
		"valid 7 of 10", "valid 10 of 10", "epoch 1 done, valid true, test false",
		"epoch 2, 4 of 10, sum of 4", "epoch 2, 8 of 10, sum of 8", "epoch 2, 10 of 10, sum of 10",
		"valid 7 of 10", "valid 10 of 10", "epoch 2 done, valid true, test false",
		"test 7 of 10", "test 10 of 10",
	}
	if !slices.Equal(d.events, want) {
		t.Errorf("%q\nwant %q", d.events, want)
	}
}

// capture is a log in memory.
type capture struct{ entries []train.LogEntry }

func (c *capture) Name() string                 { return "capture" }
func (c *capture) Open(int64) error             { return nil }
func (c *capture) Write(e train.LogEntry) error { c.entries = append(c.entries, e); return nil }
func (c *capture) Size() int64                  { return int64(len(c.entries)) }
func (c *capture) Close() error                 { return nil }

// A point is the mean over the samples since the one before, within its epoch, and an
// epoch that over all of its own: samples count, not batches.
func TestPointsAndEpochs(t *testing.T) {
	l, _ := fakeLoop(t, outcome{8, 0.1}, outcome{9, 0.2})
	l.Valid = nil
	log, d := &capture{}, &diary{}
	l.Logs, l.LogEvery, l.Observer = []train.Log{log}, 2, d
	finish(t, l)
	var got []string
	for _, e := range log.entries {
		for _, s := range e.Scalars {
			got = append(got, fmt.Sprintf("%d/%d %s %.4f", e.Epoch, e.Step, s.Name, s.Value))
		}
	}
	// Steps 1, 2, 3 and 4, 5, 6 have 4, 4 and 2 samples; the loss of a step is its number.
	want := []string{
		"1/2 train/loss 1.5000", "1/2 train/half 0.5000", "2/4 train/loss 4.0000", "2/4 train/half 0.5000", "2/6 train/loss 5.3333", "2/6 train/half 0.5000",
	}
	if !slices.Equal(got, want) {
		t.Errorf("points %q, want %q", got, want)
	}
	for i, want := range []float64{(1*4 + 2*4 + 3*2) / 10.0, (4*4 + 5*4 + 6*2) / 10.0} {
		e := d.epochs[i]
		if math.Abs(e.Train["loss"]-want) > 1e-12 || e.Train["half"] != 0.5 || e.Step != 3*(i+1) || e.Epoch != i+1 || e.Kind != "epoch" {
			t.Errorf("epoch %+v, want loss %v", e, want)
		}
	}
}

// A layer that never fires and one that always fires are warned of, once an epoch, and
// others are not, nor one of several spikes a step; units that have values in place of spikes are warned of where all are zero.
func TestFiringWarnings(t *testing.T) {
	l, f := fakeLoop(t, outcome{8, 0.1})
	f.rates = []train.Rate{
		{Layer: "dead", Slots: 1000}, {Layer: "rare", Spikes: 1, Slots: 1000}, {Layer: "half", Spikes: 500, Slots: 1000},
		{Layer: "busy", Spikes: 979, Slots: 1000}, {Layer: "full", Spikes: 980, Slots: 1000}, {Layer: "counted", Spikes: 7000, Slots: 1000},
		{Layer: "logistic", Spikes: 1000, Slots: 1000, Graded: true}, {Layer: "off", Slots: 1000, Graded: true},
	}
	d := &diary{}
	l.Observer = d
	finish(t, l)
	if len(d.warnings) != 3 || !strings.Contains(d.warnings[0], "epoch 1: layer dead never fires") || !strings.Contains(d.warnings[1], "epoch 1: layer full fires at 98 %") || !strings.Contains(d.warnings[2], "layer off is zero") {
		t.Errorf("warnings %q", d.warnings)
	}
	want := map[string]float64{"dead": 0, "rare": 0.001, "half": 0.5, "busy": 0.979, "full": 0.98, "counted": 7, "logistic": 1, "off": 0}
	if !reflect.DeepEqual(d.epochs[0].Rates, want) {
		t.Errorf("rates %v, want %v", d.epochs[0].Rates, want)
	}
}

// late is a learner whose model is complete only when it has seen the training samples
// in order.
type late struct {
	fake
	labels   float64 // of the samples it was finished with; 0: unfinished
	finishes int
	fail     error
	observe  func() // called while finishing
}

func (l *late) Step(ctx context.Context, b *sample.Batch) (train.Metrics, error) {
	l.labels = 0
	return l.fake.Step(ctx, b)
}

func (l *late) Predict(ctx context.Context, b *sample.Batch) (train.Prediction, error) {
	if l.labels == 0 {
		return train.Prediction{}, errors.New("the model is not finished")
	}
	return l.fake.Predict(ctx, b)
}

func (l *late) Finish(ctx context.Context, c *data.Cursor) error {
	l.finishes++
	labels, at := 1.0, 0
	var b sample.Batch
	for {
		more, err := c.Next(ctx, &b)
		if err != nil || l.fail != nil {
			return errors.Join(err, l.fail)
		}
		if !more {
			break
		}
		for i, index := range b.Index {
			if index != at || b.X[i] != tensor.Float(2*at-6) || b.Epoch != 0 {
				return fmt.Errorf("sample %d of value %v stands at place %d", index, b.X[i], at)
			}
			labels, at = 1.5*labels+float64(index), at+1
		}
		if l.observe != nil {
			l.observe()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if at != 10 {
		return fmt.Errorf("%d samples, want 10", at)
	}
	l.labels = labels
	return nil
}

func (l *late) Finished() bool { return l.labels != 0 }

func (l *late) Model() map[string]train.Array {
	m := l.fake.Model()
	m["labels"] = modelfile.Pack(tensor.Tensor{Shape: tensor.Shape{1}, Data: []tensor.Float{tensor.Float(l.labels)}})
	return m
}

func (l *late) State() map[string]train.Array {
	s := l.fake.State()
	s["labels"] = l.Model()["labels"]
	return s
}

func (l *late) SetState(s map[string]train.Array) error {
	v, err := modelfile.Unpack(s, "labels", tensor.Shape{1})
	if err != nil {
		return err
	}
	l.labels = float64(v[0])
	return l.fake.SetState(s)
}

// lateLoop trains a learner that has to be finished, on augmented samples.
func lateLoop(t testing.TB, after ...outcome) (*train.Loop, *late) {
	t.Helper()
	f := &late{fake: fake{after: after, perEpoch: 3}}
	l := loopOf(t, f, numbers(10), 4, len(after))
	var err error
	if l.Train, err = data.NewCursor(numbers(10), data.CursorOptions{Batch: 4, Seed: 1, Shuffle: true, Augment: []data.Augment{twice{}}}); err != nil {
		t.Fatal(err)
	}
	l.Eval.Normalize = &sample.Normalization{Mean: []float64{3}, Std: []float64{0.5}}
	return l, f
}

// twice doubles values.
type twice struct{}

func (twice) Apply(dst, src []tensor.Float, _ []sample.Target, _ *sample.Spec, _ data.Random) {
	for i, v := range src {
		dst[i] = 2 * v
	}
}

// A learner that has to be finished is, from the training samples in order, normalised
// and not augmented, before each validation and at the end.
func TestFinisher(t *testing.T) {
	after := []outcome{{6, 0.5}, {8, 0.4}, {7, 0.3}, {6, 0.2}, {5, 0.1}}
	for _, c := range []struct {
		every, finishes int
		validated       []int
		best            int
	}{
		{0, 5, []int{1, 2, 3, 4, 5}, 2},
		{1, 5, []int{1, 2, 3, 4, 5}, 2},
		{2, 3, []int{2, 4, 5}, 2},
		{3, 2, []int{3, 5}, 3},
		{9, 1, []int{5}, 5},
	} {
		l, f := lateLoop(t, after...)
		l.FinishEvery, l.WatchTest = c.every, true
		d := &diary{}
		l.Observer = d
		r := finish(t, l)
		var validated []int
		for _, e := range d.epochs {
			if e.Valid != nil {
				validated = append(validated, e.Epoch)
			}
			if (e.Valid == nil) != (e.Test == nil) {
				t.Errorf("every %d: epoch %d has figures %v and %v", c.every, e.Epoch, e.Valid, e.Test)
			}
		}
		if f.finishes != c.finishes || !slices.Equal(validated, c.validated) || r.Epoch != c.best || !f.Finished() {
			t.Errorf("every %d: finished %d times, validated in epochs %v, result %+v; want %+v", c.every, f.finishes, validated, r, c)
		}
	}
	l, f := lateLoop(t, after...)
	f.fail = errors.New("no unit fires")
	if _, err := l.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "finish the model: no unit fires") {
		t.Errorf("a failed finish: %v", err)
	}
}

// Patience waits for validations: where models are finished every third epoch, two
// epochs without one are none without a better one.
func TestPatienceCountsValidations(t *testing.T) {
	after := []outcome{{6, 0.5}, {6, 0.5}, {7, 0.3}, {6, 0.2}, {5, 0.1}, {9, 0.1}, {5, 0.1}, {5, 0.1}, {5, 0.1}, {5, 0.1}}
	l, f := lateLoop(t, after...)
	l.FinishEvery, l.Patience = 3, 2
	if r := finish(t, l); r.Epoch != 6 || !r.Early || f.finishes != 3 || !f.Finished() {
		t.Errorf("%+v after finishing %d times, want epoch 6, and an end after 9", r, f.finishes)
	}
}

// staged is a learner that is ready after some epochs.
type staged struct {
	fake
	after int
}

func (s *staged) Ready() bool { return s.steps/s.perEpoch >= s.after }

// Epochs before a learner is ready are measured, but neither chosen nor waited for.
func TestStagedChoosesWhenReady(t *testing.T) {
	after := []outcome{{9, 0.1}, {4, 0.5}, {5, 0.4}, {7, 0.3}, {6, 0.2}, {6, 0.2}, {6, 0.2}}
	s := &staged{fake{after: after, perEpoch: 3}, 3}
	l := loopOf(t, s, numbers(10), 4, 7)
	l.Patience = 2
	d := &diary{}
	l.Observer = d
	if r := finish(t, l); r.Epoch != 4 || !r.Chosen || !r.Early || len(d.epochs) != 6 || d.epochs[0].Valid["accuracy"] != 90 {
		t.Errorf("%+v after %d epochs, want epoch 4 of 6", r, len(d.epochs))
	}
}

// Interrupted while it is finished, a run goes on there, and ends like one that was not.
func TestInterruptedFinish(t *testing.T) {
	after := []outcome{{6, 0.5}, {8, 0.4}}
	plain, want := lateLoop(t, after...)
	openDir(t, plain, t.TempDir(), false)
	wantResult := finish(t, plain)
	path := t.TempDir()
	l, f := lateLoop(t, after...)
	openDir(t, l, path, false)
	ctx, cancel := context.WithCancel(context.Background())
	f.observe = cancel
	if _, err := l.Run(ctx); !errors.Is(err, train.ErrInterrupted) || f.Finished() || f.steps != 3 {
		t.Fatalf("%v after %d steps", err, f.steps)
	}
	l.Dir.Close()
	unfinished, err := filepath.Glob(filepath.Join(path, "checkpoints", "step-*"))
	if err != nil || len(unfinished) != 1 {
		t.Fatal(unfinished, err)
	}
	if m, err := modelfile.Read(unfinished[0]); err != nil || m.Finished {
		t.Errorf("the checkpoint calls its model finished: %v", err)
	}
	again, g := lateLoop(t, after...)
	openDir(t, again, path, true)
	if r := finish(t, again); !reflect.DeepEqual(r, wantResult) || !reflect.DeepEqual(g.State(), want.State()) || metrics(t, again) != metrics(t, plain) {
		t.Errorf("resumed: %+v, want %+v", r, wantResult)
	}
}

// metrics is the file of a loop's directory.
func metrics(t *testing.T, l *train.Loop) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(l.Dir.Path, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A run with validation, patience and points that is interrupted anywhere, or killed
// after a checkpoint, and resumed, ends like one that is not.
func TestResumeWithValidation(t *testing.T) {
	after := []outcome{{8, 0.5}, {9, 0.4}, {7, 0.3}, {9, 0.4}, {7, 0.3}, {7, 0.3}}
	make := func(path string, resume bool) (*train.Loop, *fake) {
		l, f := fakeLoop(t, after...)
		l.Patience, l.LogEvery, l.SaveEvery = 3, 2, 2
		openDir(t, l, path, resume)
		return l, f
	}
	plain, want := make(t.TempDir(), false)
	wantResult := finish(t, plain)
	if wantResult.Epoch != 2 || !wantResult.Early {
		t.Fatalf("%+v", wantResult)
	}
	for _, event := range []string{
		"epoch 1, 4 of 10, sum of 4", "epoch 1, 8 of 10, sum of 8", "epoch 1, 10 of 10, sum of 10", "valid 10 of 10", "epoch 1 done, valid true, test false",
		"epoch 2, 8 of 10, sum of 8", "epoch 2 done, valid true, test false", "epoch 3, 4 of 10, sum of 4", "epoch 3 done, valid true, test false",
		"epoch 4, 10 of 10, sum of 10", "epoch 5, 8 of 10, sum of 8", "epoch 5 done, valid true, test false",
	} {
		for _, killed := range []bool{false, true} {
			path := t.TempDir()
			first, _ := make(path, false)
			ctx, _ := cancelAt(first, event)
			if _, err := first.Run(ctx); !errors.Is(err, train.ErrInterrupted) {
				t.Fatalf("%s: %v, want an interruption", event, err)
			}
			first.Dir.Close()
			if steps := checkpoints(t, path); killed && len(steps) > 1 {
				if err := os.Remove(steps[len(steps)-1]); err != nil { // as if killed before it was written
					t.Fatal(err)
				}
			}
			second, f := make(path, true)
			r := finish(t, second)
			if !reflect.DeepEqual(r, wantResult) || !reflect.DeepEqual(f.State(), want.State()) {
				t.Errorf("%s, killed %t: %+v, want %+v", event, killed, r, wantResult)
			}
			if got := metrics(t, second); got != metrics(t, plain) {
				t.Errorf("%s, killed %t: metrics\n%s\nwant\n%s", event, killed, got, metrics(t, plain))
			}
		}
	}
}

// checkpoints are the files of a run's steps, in their order.
func checkpoints(t *testing.T, path string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(path, "checkpoints", "step-*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// A run that was killed before its first checkpoint begins anew, with new metrics.
func TestResumeBeforeTheFirstCheckpoint(t *testing.T) {
	plain, _ := fakeLoop(t, outcome{8, 0.1})
	openDir(t, plain, t.TempDir(), false)
	finish(t, plain)
	path := t.TempDir()
	if err := os.WriteFile(filepath.Join(path, "metrics.jsonl"), []byte(`{"kind":"step","epoch":1,"step":2}`+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	l, _ := fakeLoop(t, outcome{8, 0.1})
	openDir(t, l, path, true)
	finish(t, l)
	if got, want := metrics(t, l), metrics(t, plain); got != want {
		t.Errorf("metrics %s, want %s", got, want)
	}
}

// A run that has ended gives its result again.
func TestResumeAfterTheEnd(t *testing.T) {
	path := t.TempDir()
	l, f := fakeLoop(t, outcome{8, 0.1}, outcome{7, 0.2})
	openDir(t, l, path, false)
	want := finish(t, l)
	l.Dir.Close()
	again, g := fakeLoop(t, outcome{8, 0.1}, outcome{7, 0.2})
	openDir(t, again, path, true)
	if got := finish(t, again); !reflect.DeepEqual(got, want) || !reflect.DeepEqual(f.State(), g.State()) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// A damaged newest checkpoint is passed over for the one before it, with the
// same end; where all are damaged, the error says what to do.
func TestDamagedCheckpoints(t *testing.T) {
	make := func(path string, resume bool) (*train.Loop, *fake) {
		l, f := fakeLoop(t, outcome{8, 0.1}, outcome{9, 0.2}, outcome{7, 0.2})
		l.SaveEvery = 2
		openDir(t, l, path, resume)
		return l, f
	}
	plain, want := make(t.TempDir(), false)
	finish(t, plain)
	names := checkpoints(t, plain.Dir.Path)
	if len(names) != 2 || !strings.HasSuffix(names[0], "08.safetensors") || !strings.HasSuffix(names[1], "09.safetensors") {
		t.Fatalf("checkpoints %v; want the last two, of the steps 8 and 9", names)
	}
	if _, err := modelfile.Read(plain.Dir.Best()); err != nil {
		t.Errorf("best checkpoint: %v", err)
	}
	wantMetrics := metrics(t, plain)
	plain.Dir.Close()

	damage(t, names[1], func(b []byte) []byte { return b[:len(b)/2] })
	again, got := make(plain.Dir.Path, true)
	d := &diary{}
	again.Observer = d
	finish(t, again)
	if !reflect.DeepEqual(got.State(), want.State()) || metrics(t, again) != wantMetrics {
		t.Error("resumed from the older checkpoint: another end")
	}
	if len(d.warnings) != 1 || !strings.Contains(d.warnings[0], "trying the checkpoint before it") {
		t.Errorf("warnings %q", d.warnings)
	}
	again.Dir.Close()

	for _, n := range checkpoints(t, plain.Dir.Path) {
		damage(t, n, func(b []byte) []byte { b[len(b)-1] ^= 4; return b })
	}
	last, _ := make(plain.Dir.Path, true)
	if _, err := last.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "--out") {
		t.Errorf("all checkpoints damaged: %v, want an error that says what to do", err)
	}
}

func damage(t *testing.T, path string, f func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, f(b), 0o644); err != nil {
		t.Fatal(err)
	}
}

// An error of a step names the epoch, the step and the samples.
func TestStepErrors(t *testing.T) {
	l, _ := fakeLoop(t, outcome{8, 0.1})
	l.Learner = failing{}
	if _, err := l.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "epoch 1, step 1 (samples ") || !strings.Contains(err.Error(), "it is too dark") {
		t.Errorf("%v", err)
	}
}

// Weights beyond all numbers end a run, whatever its loss says, and what was saved before stays.
func TestDivergence(t *testing.T) {
	for bad, array := range map[string]train.Array{"F32": safetensors.F32([]float32{1, float32(math.Inf(-1))}, 2), "F64": safetensors.F64([]float64{0, math.NaN()}, 2)} {
		for _, kept := range []bool{false, true} {
			l, f := fakeLoop(t, outcome{8, 0.1}, outcome{8, 0.1}, outcome{8, 0.1})
			l.Learner = &growing{fake: f, last: array}
			if kept {
				openDir(t, l, filepath.Join(t.TempDir(), "run"), false)
				l.SaveEvery = 1
			}
			if _, err := l.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "element 1 of array weights is no finite number: training has diverged") {
				t.Errorf("%s: %v", bad, err)
			}
			if !kept {
				continue
			}
			if saved, err := l.Dir.Newest(func(err error) { t.Error(err) }); err != nil || saved == nil {
				t.Errorf("%s: the checkpoint before is lost: %v", bad, err)
			}
		}
	}
}

// growing has weights that are no numbers from its second epoch on.
type growing struct {
	*fake
	last train.Array
}

func (g *growing) Model() map[string]train.Array {
	m := g.fake.Model()
	m["weights"] = safetensors.F32([]float32{1, 2}, 2)
	if g.steps > g.perEpoch {
		m["weights"] = g.last
	}
	return m
}

func (g *growing) State() map[string]train.Array {
	s := g.fake.State()
	s["weights"] = g.Model()["weights"]
	return s
}

type failing struct{ fake }

func (failing) Step(context.Context, *sample.Batch) (train.Metrics, error) {
	return train.Metrics{}, errors.New("it is too dark")
}
func (failing) SetState(map[string]train.Array) error { return nil }
func (failing) State() map[string]train.Array         { return nil }
func (failing) Model() map[string]train.Array         { return nil }
func (failing) Predict(context.Context, *sample.Batch) (train.Prediction, error) {
	return train.Prediction{}, errors.New("it is too dark")
}
