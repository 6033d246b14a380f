package train_test

import (
	"context"
	"fmt"
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

// outcome is what a learner knows: how many of ten samples, and its loss, none where
// that is negative.
type outcome struct {
	right int
	loss  float64
}

// fake is a learner whose answers are decided beforehand, by the epochs that it has
// learnt. The loss of a step is its number.
type fake struct {
	after    []outcome // epoch 1, 2, …
	perEpoch int       // steps
	rates    []train.Rate

	steps int
	seen  float64 // depends on all samples so far and on their order
	own   []byte  // what State shares with the learner, as it may until the next Step
}

func (f *fake) Step(_ context.Context, b *sample.Batch) (train.Metrics, error) {
	for i, index := range b.Index {
		f.seen = 0.9*f.seen + float64(index) + float64(b.X[i]) + float64(b.Epoch)
	}
	if f.steps++; f.own != nil {
		copy(f.own, safetensors.F64([]float64{f.seen}, 1).Data)
	}
	n := float64(b.Len())
	return train.Metrics{N: b.Len(), Sums: []train.Sum{train.LossSum(float64(f.steps) * n), {Name: "half", Total: n / 2}}, Rates: f.rates}, nil
}

// knows is what it has learnt.
func (f *fake) knows() outcome {
	epoch := f.steps / f.perEpoch
	if epoch == 0 {
		return outcome{}
	}
	return f.after[min(epoch, len(f.after))-1]
}

func (f *fake) Predict(_ context.Context, b *sample.Batch) (train.Prediction, error) {
	o := f.knows()
	p := train.Prediction{Metrics: train.Metrics{N: b.Len()}}
	scores := make([]tensor.Float, 2*b.Len())
	for i, index := range b.Index {
		answer := b.Targets[0].Class[i]
		if index >= o.right {
			answer = 1 - answer
		}
		scores[2*i+answer] = 1
	}
	p.Outputs = []task.Output{{Name: "output", Shape: tensor.Shape{2}, Scores: scores}, {Name: "other", Shape: tensor.Shape{2}, Scores: make([]tensor.Float, len(scores))}}
	if o.loss >= 0 {
		p.Metrics.Sums = []train.Sum{train.LossSum(o.loss * float64(b.Len()))}
	}
	return p, nil
}

func (f *fake) Model() map[string]train.Array {
	return map[string]train.Array{"steps": safetensors.U64([]uint64{uint64(f.steps)}, 1)}
}

func (f *fake) State() map[string]train.Array {
	s := f.Model()
	now := safetensors.F64([]float64{f.seen}, 1)
	if f.own == nil {
		f.own = now.Data
	}
	copy(f.own, now.Data)
	now.Data = f.own
	s["seen"] = now
	return s
}

func (f *fake) SetState(s map[string]train.Array) error {
	steps, err := s["steps"].U64s()
	if err != nil {
		return err
	}
	seen, err := s["seen"].F64s()
	if err != nil {
		return err
	}
	f.steps, f.seen = int(steps[0]), seen[0]
	return nil
}

// numbers are n samples of one value of one of two classes.
func numbers(n int) *data.Set {
	s := &data.Set{Name: "numbers", Shape: tensor.Shape{1, 1, 1}, Classes: []string{"even", "odd"}}
	for i := range n {
		s.Values, s.Labels = append(s.Values, tensor.Float(i)), append(s.Labels, i%2)
	}
	return s
}

// fakeLoop trains a learner of the given outcomes on ten numbers, in three steps an
// epoch, for as many epochs as there are outcomes.
func fakeLoop(t testing.TB, after ...outcome) (*train.Loop, *fake) {
	t.Helper()
	f := &fake{after: after, perEpoch: 3}
	return loopOf(t, f, numbers(10), 4, len(after)), f
}

func loopOf(t testing.TB, l train.Learner, src sample.Source, batch, epochs int) *train.Loop {
	t.Helper()
	cursor, err := data.NewCursor(src, data.CursorOptions{Batch: batch, Seed: 1, Shuffle: true})
	if err != nil {
		t.Fatal(err)
	}
	return &train.Loop{
		Learner: l, Train: cursor, Valid: numbers(10), Test: numbers(10),
		Tasks: []task.Binding{{Task: task.Classify{}}}, Epochs: epochs,
	}
}

// openDir gives a loop a directory.
func openDir(t testing.TB, l *train.Loop, path string, resume bool) {
	t.Helper()
	text := []byte("a configuration\n")
	dir, err := run.Open(path, text, resume)
	if err != nil {
		t.Fatal(err)
	}
	l.Dir, l.Model = dir, modelfile.File{Rule: "fake", Config: text}
	t.Cleanup(func() { dir.Close() })
}

func finish(t testing.TB, l *train.Loop) *train.Result {
	t.Helper()
	r, err := l.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// diary notes what an observer is told, and cancels a run where it is asked to.
type diary struct {
	train.None
	events   []string
	warnings []string
	epochs   []run.Epoch
	at       string // the event at which to cancel
	cancel   context.CancelFunc
}

func (d *diary) note(format string, args ...any) {
	event := fmt.Sprintf(format, args...)
	d.events = append(d.events, event)
	if event == d.at {
		d.cancel()
	}
}

func (d *diary) Step(epoch, samples, total int, sum train.Metrics) {
	d.note("epoch %d, %d of %d, sum of %d", epoch, samples, total, sum.N)
}

func (d *diary) Evaluating(split string, done, total int) { d.note("%s %d of %d", split, done, total) }

func (d *diary) EpochDone(e run.Epoch, valid, test *train.Evaluation) {
	d.epochs = append(d.epochs, e)
	d.note("epoch %d done, valid %t, test %t", e.Epoch, valid != nil, test != nil)
}

func (d *diary) Note(string) {}

func (d *diary) Warn(message string) { d.warnings = append(d.warnings, message) }

// count is how many events are so called.
func (d *diary) count(event string) (n int) {
	for _, e := range d.events {
		if e == event {
			n++
		}
	}
	return n
}

// cancelAt makes a loop's observer cancel its run at an event.
func cancelAt(l *train.Loop, event string) (context.Context, *diary) {
	ctx, cancel := context.WithCancel(context.Background())
	d := &diary{at: event, cancel: cancel}
	l.Observer = d
	return ctx, d
}
