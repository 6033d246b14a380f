package command

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"synfire/report"
	"synfire/run"
	"synfire/task"
	"synfire/train"
)

// view shows a run on standard error: a line for each epoch, and on a terminal
// a bar between them.
type view struct {
	a     *app
	bar   *progressbar.ProgressBar
	phase string
}

func newView(a *app) *view { return &view{a: a} }

// progress draws the bar of a phase, made anew when the phase changes.
func (v *view) progress(phase string, done, total int, note string) {
	if !v.a.live {
		return
	}
	if v.phase != phase {
		v.done()
		v.phase = phase
		v.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(v.a.err), progressbar.OptionSetWidth(24),
			progressbar.OptionShowIts(), progressbar.OptionSetItsString("samples"), progressbar.OptionShowCount(),
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
	v.progress(fmt.Sprintf("epoch %d", epoch), samples, total, figures(sum.Scalars()))
}

// splits names the parts of the data in the tense of a bar.
var splits = map[string]string{train.SplitValid: "validating", train.SplitTest: "testing"}

// Evaluating shows an evaluation.
func (v *view) Evaluating(split string, done, total int) { v.progress(splits[split], done, total, "") }

// EpochDone prints the epoch's line.
func (v *view) EpochDone(e run.Epoch, valid, test *train.Evaluation) {
	v.done()
	fmt.Fprintf(v.a.err, "epoch %2d", e.Epoch)
	for _, name := range slices.Sorted(maps.Keys(e.Train)) {
		fmt.Fprintf(v.a.err, "  train %s %.4g", name, e.Train[name])
	}
	for _, part := range []struct {
		name string
		of   *train.Evaluation
	}{{"valid", valid}, {"test", test}} {
		if part.of != nil {
			fmt.Fprintf(v.a.err, "   %s%s", part.name, figures(part.of.Scalars))
		}
	}
	if len(e.Rates) > 0 {
		fmt.Fprint(v.a.err, "   rates")
	}
	for _, layer := range slices.Sorted(maps.Keys(e.Rates)) {
		fmt.Fprintf(v.a.err, " %.3f", e.Rates[layer])
	}
	fmt.Fprintf(v.a.err, "   %s\n", report.Seconds(e.Seconds))
}

// figures are scalars in a line, with their units.
func figures(scalars []task.Scalar) string {
	var b strings.Builder
	for _, s := range scalars {
		if s.Defined() {
			fmt.Fprintf(&b, "  %s %v", s.Name, s)
		}
	}
	return b.String()
}

// Warn prints a warning.
func (v *view) Warn(message string) {
	v.done()
	fmt.Fprintln(v.a.err, "warning:", printable(errors.New(message)))
}

func writer(content []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}
}

// status shows a line on a terminal in place of the one before; "" removes it.
func (a *app) status(format string, args ...any) {
	if a.live {
		fmt.Fprintf(a.err, "\r\x1b[K"+format, args...)
	}
}
