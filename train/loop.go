package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"synfire/data"
	"synfire/modelfile"
	"synfire/run"
	"synfire/sample"
	"synfire/task"
)

// Observer is told what happens, on the goroutine of Run. Embed None to handle
// some events only.
type Observer interface {
	Step(epoch, samples, total int, sum Metrics) // of an epoch; sum is over its samples so far
	Evaluating(split string, done, total int)
	EpochDone(e run.Epoch, valid, test *Evaluation) // nil where there was none
	Warn(message string)
	Note(message string) // what was done, of works that have no epochs
}

// None ignores all events.
type None struct{}

// Step ignores a step.
func (None) Step(_, _, _ int, _ Metrics) {}

// Evaluating ignores progress of an evaluation.
func (None) Evaluating(string, int, int) {}

// EpochDone ignores an epoch.
func (None) EpochDone(run.Epoch, *Evaluation, *Evaluation) {}

// Warn ignores a warning.
func (None) Warn(string) {}

// Note ignores a note.
func (None) Note(string) {}

// The splits of a run's samples, as records and observers name them.
const (
	SplitTrain = "train"
	SplitValid = "valid"
	SplitTest  = "test"
)

// ErrInterrupted is wrapped by Run's error when its context was cancelled and
// the state was saved.
var ErrInterrupted = errors.New("interrupted")

// Loop describes a training run. Learner, Train and Epochs are required.
//
// What is chosen is chosen by the validation samples alone: with Valid the result is
// the model of the epoch whose first scalar was the best, of equal ones that of the
// lower loss, else the earlier; of a Staged learner among those in which it is ready.
// Without it nothing is chosen, and the last is the result. The test samples are measured
// once, at the end.
type Loop struct {
	Learner Learner
	Train   *data.Cursor
	Valid   sample.Source   // nil: nothing is chosen
	Test    sample.Source   // nil: no test
	Tasks   []task.Binding  // what is measured on Valid and Test
	Eval    EvaluateOptions // how; its Tasks and Progress are the loop's
	Epochs  int
	// Patience is the number of epochs without a better one after which training
	// ends, at a validation; 0: never. It needs Valid.
	Patience int
	// WatchTest measures the test samples after every epoch too, to draw their
	// course. They choose nothing.
	WatchTest bool
	// FinishEvery is the number of epochs after which a Finisher finishes, and only
	// then the model is validated; 0 means 1. The last epoch always ends so.
	FinishEvery int

	Dir       *run.Dir       // nil: nothing is kept
	Model     modelfile.File // what checkpoints say of the model besides its arrays
	SaveEvery int            // steps between checkpoints within an epoch; 0: none
	LogEvery  int            // steps between points of metrics.jsonl and the logs; 0: none
	Logs      []Log
	Observer  Observer
	Now       func() time.Time // nil: seconds are not measured

	progress progress
	best     map[string]Array // the state of the best epoch, where there is no Dir
}

// Result is what a run came to.
type Result struct {
	Epoch  int         // whose model is the result, from 1
	Chosen bool        // by the validation samples; else it is the last
	By     task.Scalar // the scalar that chose it
	Valid  *Evaluation // of the result; nil without Valid
	Test   *Evaluation // of the result; nil without Test
	Early  bool        // training ended early, since nothing became better
}

// What says what the result is, for people.
func (r *Result) What() string {
	switch {
	case !r.Chosen:
		return fmt.Sprintf("the last epoch (%d)", r.Epoch)
	case r.Early:
		return fmt.Sprintf("epoch %d, the best on the validation samples (%s %v); nothing was better after it", r.Epoch, r.By.Name, r.By)
	}
	return fmt.Sprintf("epoch %d, the best on the validation samples (%s %v)", r.Epoch, r.By.Name, r.By)
}

// progress is what a checkpoint records of a run besides the learner.
type progress struct {
	Step         int          `json:"step"`
	Cursor       data.State   `json:"cursor"`
	Sum          Metrics      `json:"sum"`    // of the epoch
	Recent       Metrics      `json:"recent"` // since the last point
	Best         *task.Scalar `json:"best,omitempty"`
	BestLoss     *task.Scalar `json:"best_loss,omitempty"`
	BestEpoch    int          `json:"best_epoch"`
	Validated    int          `json:"validated"` // the last epoch that was
	MetricsBytes int64        `json:"metrics_bytes"`

	LogBytes map[string]int64 `json:"log_bytes,omitempty"` // by the logs' names
}

// Run trains to the end, continuing from the newest good checkpoint in Dir if there
// is one.
func (l *Loop) Run(ctx context.Context) (result *Result, err error) {
	if l.Observer == nil {
		l.Observer = None{}
	}
	if l.Patience > 0 && l.Valid == nil {
		return nil, fmt.Errorf("train: patience %d without validation samples to wait for; hold some out, or set patience to 0", l.Patience)
	}
	l.progress = progress{Cursor: l.Train.State()}
	resumed, err := l.resume()
	if err != nil {
		return nil, err
	}
	if s, ok := l.Learner.(Starter); ok && !resumed {
		if err := l.walk(ctx, "start", s.Start); err != nil {
			return nil, err
		}
	}
	if err := l.openLogs(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeLogs(l.Logs)) }()
	var valid, test *Evaluation // of the last epoch
	for l.progress.Cursor.Epoch < l.Epochs && !l.exhausted() {
		if valid, test, err = l.epoch(ctx); err != nil {
			return nil, err
		}
	}
	return l.conclude(ctx, valid, test)
}

// exhausted reports whether the last epochs brought nothing better.
func (l *Loop) exhausted() bool {
	return l.Patience > 0 && l.progress.Best != nil && l.progress.Validated-l.progress.BestEpoch >= l.Patience
}

func (l *Loop) now() time.Time {
	if l.Now == nil {
		return time.Time{}
	}
	return l.Now()
}

// epoch runs to the end of the cursor's epoch, evaluates, records and saves. It
// returns the evaluations, as far as there are any.
func (l *Loop) epoch(ctx context.Context) (valid, test *Evaluation, err error) {
	start := l.now()
	var b sample.Batch
	n := l.progress.Cursor.Epoch
	for {
		more, err := l.Train.Next(ctx, &b)
		if err != nil {
			if ctx.Err() != nil {
				return nil, nil, errors.Join(ErrInterrupted, l.save())
			}
			return nil, nil, err
		}
		if !more {
			break
		}
		if err := l.step(ctx, &b); err != nil {
			return nil, nil, err
		}
	}
	if err := l.diverged(l.Learner.Model()); err != nil {
		return nil, nil, err
	}
	if valid, test, err = l.measure(ctx, n+1); err != nil {
		return nil, nil, l.stopped(ctx, err)
	}
	sum := l.progress.Sum
	e := run.Epoch{
		Kind: "epoch", Epoch: n + 1, Step: l.progress.Step, Train: sum.Figures(),
		Rates: map[string]float64{}, Seconds: l.now().Sub(start).Seconds(),
	}
	if valid != nil {
		e.Valid = valid.Figures()
	}
	if test != nil {
		e.Test = test.Figures()
	}
	for _, r := range sum.Rates {
		e.Rates[r.Layer] = r.Value()
	}
	l.warnRates(n+1, sum.Rates)
	l.progress.Sum, l.progress.Recent = Metrics{}, Metrics{}
	l.progress.Cursor = l.Train.State()
	if err := l.record(e, valid); err != nil {
		return nil, nil, err
	}
	l.Observer.EpochDone(e, valid, test)
	return valid, test, nil
}

// stopped is the error of a run that was interrupted between its steps, after the
// state was saved.
func (l *Loop) stopped(ctx context.Context, err error) error {
	if errors.Is(err, ErrInterrupted) || ctx.Err() != nil {
		return errors.Join(ErrInterrupted, l.save())
	}
	return err
}

// measure evaluates the model after an epoch, as far as that is asked for.
func (l *Loop) measure(ctx context.Context, epoch int) (valid, test *Evaluation, err error) {
	if f, ok := l.Learner.(Finisher); ok {
		if epoch%max(1, l.FinishEvery) != 0 && epoch < l.Epochs {
			return nil, nil, nil // the model of this epoch is not complete
		}
		if err := l.finish(ctx, f); err != nil {
			return nil, nil, err
		}
	}
	if l.Valid != nil {
		if valid, err = l.evaluate(ctx, SplitValid, l.Valid); err != nil {
			return nil, nil, err
		}
	}
	if l.Test != nil && l.WatchTest {
		test, err = l.evaluate(ctx, SplitTest, l.Test)
	}
	return valid, test, err
}

// finish completes the model from the training samples, in order.
func (l *Loop) finish(ctx context.Context, f Finisher) error {
	return l.walk(ctx, "finish the model", f.Finish)
}

// walk lets the learner see the training samples in order and not augmented; what it does
// with them stands in errors.
func (l *Loop) walk(ctx context.Context, what string, see func(context.Context, *data.Cursor) error) error {
	c, err := data.NewCursor(l.Train.Source(), data.CursorOptions{Batch: l.Train.Batch(), Normalize: l.Eval.Normalize, Prefetch: l.Eval.Prefetch})
	if err != nil {
		return err
	}
	if err := see(ctx, c); err != nil {
		if ctx.Err() != nil {
			return ErrInterrupted
		}
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// step trains on one batch, and saves when it is time or the run is to end.
func (l *Loop) step(ctx context.Context, b *sample.Batch) error {
	if ctx.Err() != nil {
		return errors.Join(ErrInterrupted, l.save())
	}
	m, err := l.Learner.Step(ctx, b)
	if err != nil {
		if ctx.Err() != nil {
			return errors.Join(ErrInterrupted, l.save())
		}
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

// logPoint records a point when it is time.
func (l *Loop) logPoint(epoch int) error {
	if l.LogEvery == 0 || l.progress.Step%l.LogEvery != 0 {
		return nil
	}
	m := l.progress.Recent
	l.progress.Recent = Metrics{}
	p := run.Point{Kind: "step", Epoch: epoch, Step: l.progress.Step, Train: m.Figures()}
	if err := l.writeLogs(LogEntry{Epoch: p.Epoch, Step: p.Step, Scalars: prefixed(SplitTrain, m.Scalars())}); err != nil || l.Dir == nil {
		return err
	}
	if err := l.appendMetrics(p); err != nil {
		return err
	}
	return l.picture()
}

// picture writes what the learner looks like, where it can be looked at.
func (l *Loop) picture() error {
	p, ok := l.Learner.(Pictured)
	if !ok {
		return nil
	}
	png, err := p.Picture()
	if err != nil || png == nil {
		return err
	}
	return l.Dir.WriteFile(run.PictureFile, png)
}

func (l *Loop) evaluate(ctx context.Context, split string, src sample.Source) (*Evaluation, error) {
	o := l.Eval
	o.Tasks = l.Tasks
	o.Progress = func(done, total int) { l.Observer.Evaluating(split, done, total) }
	return Evaluate(ctx, l.Learner, src, o)
}

// record appends an epoch to metrics.jsonl and the logs, and saves.
func (l *Loop) record(e run.Epoch, valid *Evaluation) error {
	if valid != nil {
		l.progress.Validated = e.Epoch
	}
	best := valid != nil && l.ready() && l.better(valid)
	if best {
		l.progress.BestEpoch = e.Epoch
		if l.Dir == nil {
			l.best = cloneState(l.Learner.State())
		}
	}
	if err := l.writeLogs(l.epochRecord(e)); err != nil || l.Dir == nil {
		return err
	}
	if err := l.appendMetrics(e); err != nil {
		return err
	}
	if best {
		f, err := l.file()
		if err == nil {
			err = l.Dir.SaveBest(f)
		}
		if err != nil {
			return err
		}
	}
	return l.save()
}

// ready reports whether the model is one to choose.
func (l *Loop) ready() bool {
	s, ok := l.Learner.(Staged)
	return !ok || s.Ready()
}

// better takes note of an evaluation that is the best so far. One whose first scalar
// is undefined is none.
func (l *Loop) better(valid *Evaluation) bool {
	if len(valid.Scalars) == 0 || !valid.Scalars[0].Defined() {
		return false
	}
	first := valid.Scalars[0]
	loss, hasLoss := valid.Scalar(Loss)
	p := &l.progress
	switch {
	case p.Best == nil:
	case first.Before(*p.Best):
	case p.Best.Before(first):
		return false
	case hasLoss && p.BestLoss != nil && loss.Before(*p.BestLoss):
	default:
		return false
	}
	p.Best, p.BestLoss = &first, nil
	if hasLoss {
		p.BestLoss = &loss
	}
	return true
}

func cloneState(s map[string]Array) map[string]Array {
	out := maps.Clone(s)
	for name, a := range out {
		a.Data = append([]byte(nil), a.Data...)
		out[name] = a
	}
	return out
}

// conclude takes up the model that is the result, writes it, and measures it, where
// that is another than the last epoch's, of which there may be evaluations.
func (l *Loop) conclude(ctx context.Context, valid, test *Evaluation) (r *Result, err error) {
	p := l.progress
	r = &Result{Epoch: p.Cursor.Epoch, Early: p.Cursor.Epoch < l.Epochs, Valid: valid, Test: test}
	if p.Best != nil {
		r.Chosen, r.Epoch, r.By = true, p.BestEpoch, *p.Best
	}
	if r.Epoch != p.Cursor.Epoch {
		r.Valid, r.Test = nil, nil
		if err := l.takeBest(); err != nil {
			return nil, err
		}
	}
	if l.Valid != nil && r.Valid == nil {
		if r.Valid, err = l.evaluate(ctx, SplitValid, l.Valid); err != nil {
			return nil, err
		}
	}
	if l.Dir != nil {
		f, err := l.file()
		if err == nil {
			err = l.Dir.SaveModel(f.Model())
		}
		if err == nil {
			err = l.picture()
		}
		if err != nil {
			return nil, err
		}
	}
	if l.Test != nil && r.Test == nil {
		r.Test, err = l.evaluate(ctx, SplitTest, l.Test)
	}
	return r, err
}

// takeBest puts the best epoch's state back into the learner.
func (l *Loop) takeBest() error {
	if l.Dir == nil {
		return l.Learner.SetState(l.best)
	}
	f, err := modelfile.Read(l.Dir.Best())
	if err == nil {
		err = l.Learner.SetState(stateOf(f))
	}
	if err != nil {
		return fmt.Errorf("take up the best model: %w", err)
	}
	return nil
}

// file is a checkpoint of the run as it stands.
func (l *Loop) file() (modelfile.File, error) {
	f := l.Model
	f.Arrays, f.Learner, f.Finished = l.Learner.Model(), map[string]Array{}, true
	if unfinished, ok := l.Learner.(Finisher); ok {
		f.Finished = unfinished.Finished()
	}
	for name, a := range l.Learner.State() {
		if _, ok := f.Arrays[name]; !ok {
			f.Learner[name] = a
		}
	}
	var err error
	f.Progress, err = json.Marshal(l.progress)
	return f, err
}

// diverged returns an error for the arrays of a model that are no numbers: the loss of some rules is a
// count, and does not tell.
func (l *Loop) diverged(model map[string]Array) error {
	for _, name := range slices.Sorted(maps.Keys(model)) {
		if i, ok := model[name].Finite(); !ok {
			return fmt.Errorf("step %d: element %d of array %s is no finite number: training has diverged, and this state is not saved; lower the learning rate, or set clip where the rule has it", l.progress.Step, i, name)
		}
	}
	return nil
}

// stateOf is the learner's state in a checkpoint.
func stateOf(f *modelfile.File) map[string]Array {
	s := maps.Clone(f.Arrays)
	maps.Copy(s, f.Learner)
	return s
}

// save writes a step checkpoint.
func (l *Loop) save() error {
	if l.Dir == nil {
		return nil
	}
	f, err := l.file()
	if err == nil {
		err = l.diverged(f.Arrays)
	}
	if err != nil {
		return err
	}
	return l.Dir.Save(l.progress.Step, f)
}

// appendMetrics adds a line to metrics.jsonl and notes the file's length.
func (l *Loop) appendMetrics(line any) (err error) {
	l.progress.MetricsBytes, err = l.Dir.Append(line)
	return err
}

// resume continues from the newest checkpoint that is whole, if there is one.
func (l *Loop) resume() (resumed bool, err error) {
	if l.Dir == nil {
		return false, nil
	}
	f, err := l.Dir.Newest(func(err error) { l.Observer.Warn(fmt.Sprintf("%v; trying the checkpoint before it", err)) })
	if err != nil {
		return false, err
	}
	if f == nil {
		return false, l.Dir.Truncate(0)
	}
	var p progress
	err = json.Unmarshal(f.Progress, &p)
	if err == nil {
		err = l.Learner.SetState(stateOf(f))
	}
	if err == nil {
		err = l.Train.SetState(p.Cursor)
	}
	if err != nil {
		return false, fmt.Errorf("resume %s: %w", l.Dir.Path, err)
	}
	l.progress = p
	return true, l.Dir.Truncate(p.MetricsBytes)
}
