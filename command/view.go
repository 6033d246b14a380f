package command

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"synfire/report"
	"synfire/train"
)

// view shows a run on standard error: a line for each epoch, and on a terminal
// a bar between them.
type view struct {
	a     *app
	bar   *progressbar.ProgressBar
	phase string
	drawn time.Time
}

func newView(a *app) *view { return &view{a: a} }

// bars draws the bar of a phase, made anew when the phase changes.
func (v *view) progress(phase string, done, total int, note string) {
	if !v.a.live {
		return
	}
	if v.phase != phase {
		v.done()
		v.phase = phase
		v.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(v.a.err), progressbar.OptionSetWidth(24),
			progressbar.OptionShowIts(), progressbar.OptionSetItsString("img"), progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetRenderBlankState(true))
	}
	v.bar.Describe(phase + note)
	_ = v.bar.Set(done)
}

// done removes the bar.
func (v *view) done() {
	if v.bar != nil {
		_ = v.bar.Clear()
		v.bar, v.phase = nil, ""
	}
}

// Step shows training.
func (v *view) Step(epoch, samples, total int, sum train.Metrics) {
	v.progress(fmt.Sprintf("epoch %d", epoch), samples, total, fmt.Sprintf("  loss %.3f  acc %.1f %%", sum.Loss(), sum.Accuracy()))
}

// Evaluating shows an evaluation.
func (v *view) Evaluating(done, total int) { v.progress("testing", done, total, "") }

// EpochDone prints the epoch's line.
func (v *view) EpochDone(e train.Epoch, test *train.Evaluation) {
	v.done()
	fmt.Fprintf(v.a.err, "epoch %2d  train loss %.4f  acc %6.2f %%   test loss %.4f  acc %6.2f %%   rates", e.Epoch, e.TrainLoss, e.TrainAccuracy, e.TestLoss, e.TestAccuracy)
	for _, r := range test.Metrics.Rates {
		fmt.Fprintf(v.a.err, " %.3f", r.Value())
	}
	fmt.Fprintf(v.a.err, "   %s\n", report.Seconds(e.Seconds))
}

// Warn prints a warning.
func (v *view) Warn(message string) {
	v.done()
	fmt.Fprintln(v.a.err, "warning:", message)
}

func writer(content []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}
}
