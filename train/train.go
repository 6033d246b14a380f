// Package train runs learning: it feeds batches to a Learner, measures it on
// held-out data, tells observers what happens, and keeps checkpoints from
// which a killed run continues to the same bits.
//
//	Loop → Cursor.Next → Learner.Step → … → Learner.Predict → Observer
//	                  ↘ RunDir: metrics.jsonl, checkpoints/*.safetensors
//
// A Learner is any rule that learns from batches; BPTT, backpropagation
// through time of a network.Network, is the one of this package.
package train

import (
	"context"
	"errors"
	"fmt"
	"time"

	"synfire/data"
	"synfire/format/safetensors"
	"synfire/loss"
	"synfire/tensor"
)

// Array is a named array of a learner's state.
type Array = safetensors.Array

// Learner is a rule that learns. State holds everything that Step depends on
// besides its batch; arrays may share the learner's memory until the next Step.
type Learner interface {
	Step(ctx context.Context, b *data.Batch) (Metrics, error)
	Predict(ctx context.Context, b *data.Batch) (Prediction, error)
	State() map[string]Array
	SetState(map[string]Array) error
}

// Metrics sums up batches: add them with Add, read means by the methods.
type Metrics struct {
	N       int     `json:"n"`
	Correct int     `json:"correct"`
	LossSum float64 `json:"loss_sum"`
	Rates   []Rate  `json:"rates,omitempty"`
}

// Rate is the firing of a layer: Spikes of Slots (units × steps × samples).
type Rate struct {
	Layer  string `json:"layer"`
	Spikes int    `json:"spikes"`
	Slots  int    `json:"slots"`
}

// Value is the mean number of spikes of a unit in a step.
func (r Rate) Value() float64 { return float64(r.Spikes) / float64(max(1, r.Slots)) }

// Add adds the counts of o.
func (m *Metrics) Add(o Metrics) {
	m.N += o.N
	m.Correct += o.Correct
	m.LossSum += o.LossSum
	for i, r := range o.Rates {
		if i == len(m.Rates) {
			m.Rates = append(m.Rates, Rate{Layer: r.Layer})
		}
		m.Rates[i].Spikes += r.Spikes
		m.Rates[i].Slots += r.Slots
	}
}

// Loss is the mean loss of a sample.
func (m Metrics) Loss() float64 { return m.LossSum / float64(max(1, m.N)) }

// Accuracy is the share of samples ranked right, in percent.
func (m Metrics) Accuracy() float64 { return 100 * float64(m.Correct) / float64(max(1, m.N)) }

// Prediction is what a learner says of a batch: the scores [B, Classes] that
// classes are ranked by, and the metrics against the batch's labels.
type Prediction struct {
	Scores  []tensor.Float
	Classes int
	Metrics Metrics
}

// Class is the prediction for sample b.
func (p Prediction) Class(b int) int { return loss.Best(p.Scores[b*p.Classes:][:p.Classes]) }

// Point is the record of some steps within an epoch, a line of metrics.jsonl of
// kind "step": means over the steps since the point before it.
type Point struct {
	Kind          string  `json:"kind"`
	Epoch         int     `json:"epoch"` // from 1
	Step          int     `json:"step"`  // steps done
	TrainLoss     float64 `json:"train_loss"`
	TrainAccuracy float64 `json:"train_accuracy"`
}

// Epoch is the record of one epoch, a line of metrics.jsonl of kind "epoch".
type Epoch struct {
	Kind          string             `json:"kind"`
	Epoch         int                `json:"epoch"` // from 1
	Step          int                `json:"step"`  // steps done
	TrainLoss     float64            `json:"train_loss"`
	TrainAccuracy float64            `json:"train_accuracy"`
	TestLoss      float64            `json:"test_loss"`
	TestAccuracy  float64            `json:"test_accuracy"`
	Rates         map[string]float64 `json:"rates"`
	Seconds       float64            `json:"seconds"`
}

// Observer is told what happens, on the goroutine of Run. Embed None to handle
// some events only.
type Observer interface {
	Step(epoch, samples, total int, sum Metrics) // of an epoch; sum is over its samples so far
	Evaluating(done, total int)
	EpochDone(e Epoch, test *Evaluation)
	Warn(message string)
}

// None ignores all events.
type None struct{}

// Step ignores a step.
func (None) Step(_, _, _ int, _ Metrics) {}

// Evaluating ignores progress of an evaluation.
func (None) Evaluating(_, _ int) {}

// EpochDone ignores an epoch.
func (None) EpochDone(Epoch, *Evaluation) {}

// Warn ignores a warning.
func (None) Warn(string) {}

// Evaluation is a learner's result on a whole set.
type Evaluation struct {
	Metrics   Metrics
	Confusion [][]int // [true class][predicted class]
	Wrong     []Mistake
}

// Mistake is a sample that was ranked wrong; Sample is its place in the set.
type Mistake struct{ Sample, Label, Predicted int }

// ErrInterrupted is wrapped by Run's error when its context was cancelled and
// the state was saved.
var ErrInterrupted = errors.New("interrupted")

// Loop describes a training run. Learner, Train and Epochs are required.
type Loop struct {
	Learner   Learner
	Train     *data.Cursor
	Test      *data.Set // nil: no evaluation
	TestBatch int       // samples at once when evaluating; 0 means 256
	Epochs    int
	Dir       *RunDir // nil: nothing is kept
	SaveEvery int     // steps between checkpoints within an epoch; 0: none
	LogEvery  int     // steps between points of metrics.jsonl and the logs; 0: none
	Logs      []Log
	Observer  Observer
	Now       func() time.Time // nil: seconds are not measured

	progress progress
}

// progress is what a checkpoint records of a run besides the learner.
type progress struct {
	Step         int        `json:"step"`
	Cursor       data.State `json:"cursor"`
	Sum          Metrics    `json:"sum"`    // of the epoch
	Recent       Metrics    `json:"recent"` // since the last point
	Best         float64    `json:"best"`
	BestEpoch    int        `json:"best_epoch"`
	MetricsBytes int64      `json:"metrics_bytes"`
	Done         bool       `json:"done"`

	LogBytes map[string]int64 `json:"log_bytes,omitempty"` // by the logs' names
}

// Run trains to the end, continuing from the newest good checkpoint in Dir if
// there is one. It returns the evaluation after the last epoch.
func (l *Loop) Run(ctx context.Context) (result *Evaluation, err error) {
	if l.Observer == nil {
		l.Observer = None{}
	}
	l.progress = progress{Best: -1, Cursor: l.Train.State()}
	if err := l.resume(); err != nil {
		return nil, err
	}
	if err := l.openLogs(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeLogs(l.Logs)) }()
	var last *Evaluation
	for l.progress.Cursor.Epoch < l.Epochs {
		var err error
		if last, err = l.epoch(ctx); err != nil {
			return nil, err
		}
	}
	if last == nil { // resumed after the end
		return l.evaluate(ctx)
	}
	return last, nil
}

func (l *Loop) now() time.Time {
	if l.Now == nil {
		return time.Time{}
	}
	return l.Now()
}

// epoch runs to the end of the cursor's epoch, evaluates, records and saves.
func (l *Loop) epoch(ctx context.Context) (*Evaluation, error) {
	start := l.now()
	var b data.Batch
	n := l.progress.Cursor.Epoch
	for l.Train.Next(&b) {
		if err := l.step(ctx, &b); err != nil {
			return nil, err
		}
	}
	test, err := l.evaluate(ctx)
	if errors.Is(err, ErrInterrupted) {
		return nil, errors.Join(err, l.save())
	}
	if err != nil {
		return nil, err
	}
	sum := l.progress.Sum
	e := Epoch{
		Kind: "epoch", Epoch: n + 1, Step: l.progress.Step,
		TrainLoss: sum.Loss(), TrainAccuracy: sum.Accuracy(),
		TestLoss: test.Metrics.Loss(), TestAccuracy: test.Metrics.Accuracy(),
		Rates: map[string]float64{}, Seconds: l.now().Sub(start).Seconds(),
	}
	for _, r := range sum.Rates {
		e.Rates[r.Layer] = r.Value()
	}
	l.warnRates(n+1, sum.Rates)
	l.progress.Sum, l.progress.Recent = Metrics{}, Metrics{}
	l.progress.Cursor = l.Train.State()
	if err := l.record(e); err != nil {
		return nil, err
	}
	l.Observer.EpochDone(e, test)
	return test, nil
}

// step trains on one batch, and saves when it is time or the run is to end.
func (l *Loop) step(ctx context.Context, b *data.Batch) error {
	if ctx.Err() == nil {
		m, err := l.Learner.Step(ctx, b)
		if err != nil {
			return fmt.Errorf("epoch %d, step %d (samples %d…): %w", b.Epoch+1, l.progress.Step+1, b.Index[0], err)
		}
		l.progress.Step++
		l.progress.Sum.Add(m)
		l.progress.Recent.Add(m)
		l.progress.Cursor = l.Train.State()
		l.Observer.Step(b.Epoch+1, l.progress.Cursor.Next, l.Train.Samples(), l.progress.Sum)
		if err := l.logPoint(b.Epoch + 1); err != nil {
			return err
		}
		if l.SaveEvery == 0 || l.progress.Step%l.SaveEvery != 0 {
			return nil
		}
		return l.save()
	}
	return errors.Join(ErrInterrupted, l.save())
}

// logPoint records a point when it is time.
func (l *Loop) logPoint(epoch int) error {
	if l.LogEvery == 0 || l.progress.Step%l.LogEvery != 0 {
		return nil
	}
	m := l.progress.Recent
	l.progress.Recent = Metrics{}
	p := Point{Kind: "step", Epoch: epoch, Step: l.progress.Step, TrainLoss: m.Loss(), TrainAccuracy: m.Accuracy()}
	if err := l.writeLogs(p.record()); err != nil || l.Dir == nil {
		return err
	}
	return l.appendMetrics(p)
}

// Warnings for layers whose firing carries no information.
const (
	deadRate      = 0
	saturatedRate = 0.98
)

func (l *Loop) warnRates(epoch int, rates []Rate) {
	for _, r := range rates {
		switch v := r.Value(); {
		case v <= deadRate:
			l.Observer.Warn(fmt.Sprintf("epoch %d: layer %s never fires: no error passes where the surrogate is zero; lower its threshold or raise the weights before it", epoch, r.Layer))
		case v >= saturatedRate:
			l.Observer.Warn(fmt.Sprintf("epoch %d: layer %s fires at %.0f %% of its steps: it carries little information; raise its threshold or lower the weights before it", epoch, r.Layer, 100*v))
		}
	}
}

// Evaluate runs a learner over a whole set, in order.
func Evaluate(ctx context.Context, l Learner, set *data.Set, batch int, progress func(done, total int)) (*Evaluation, error) {
	cur, err := data.NewCursor(set, data.CursorOptions{Batch: batch})
	if err != nil {
		return nil, err
	}
	k := len(set.Classes)
	ev := &Evaluation{Confusion: make([][]int, k)}
	for i := range ev.Confusion {
		ev.Confusion[i] = make([]int, k)
	}
	var b data.Batch
	for at := 0; cur.Next(&b); at += b.Len() {
		if ctx.Err() != nil {
			return nil, ErrInterrupted
		}
		p, err := l.Predict(ctx, &b)
		if err != nil {
			return nil, fmt.Errorf("evaluate %s: %w", set.Name, err)
		}
		ev.Metrics.Add(p.Metrics)
		for i, label := range b.Labels {
			c := p.Class(i)
			if c < k {
				ev.Confusion[label][c]++
			}
			if c != label {
				ev.Wrong = append(ev.Wrong, Mistake{at + i, label, c})
			}
		}
		if progress != nil {
			progress(at+b.Len(), len(set.Labels))
		}
	}
	return ev, nil
}

func (l *Loop) evaluate(ctx context.Context) (*Evaluation, error) {
	if l.Test == nil {
		return &Evaluation{}, nil
	}
	batch := l.TestBatch
	if batch == 0 {
		batch = 256
	}
	return Evaluate(ctx, l.Learner, l.Test, batch, l.Observer.Evaluating)
}
