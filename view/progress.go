package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"synfire/report"
	"synfire/run"
	"synfire/task"
	"synfire/train"
)

// Progress shows a run on standard error: a line for each epoch, and on a terminal
// a bar between them.
type Progress struct {
	screen Screen
	bar    *progressbar.ProgressBar
	phase  string
}

// NewProgress is one that shows nothing yet. It is a train.Observer.
func NewProgress(s Screen) *Progress { return &Progress{screen: s} }

// Bar draws the bar of a phase, made anew when the phase changes.
func (v *Progress) Bar(phase string, done, total int, note string) {
	if !v.screen.Live {
		return
	}
	if v.phase != phase {
		v.Done()
		v.phase = phase
		v.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(v.screen.raw), progressbar.OptionSetWidth(24),
			progressbar.OptionShowIts(), progressbar.OptionSetItsString("samples"), progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetRenderBlankState(true))
	}
	v.bar.Describe(Clean(phase + note))
	_ = v.bar.Set(done)
}

// Done removes the bar.
func (v *Progress) Done() {
	if v.bar != nil {
		_ = v.bar.Clear()
		v.bar, v.phase = nil, ""
	}
}

// Share shows how much of a work is done, and the time that is left, on a terminal; a total of
// 0 shows nothing. Status("") removes it.
func (s Screen) Share(what string) func(done, total int) {
	var mu sync.Mutex
	start := time.Now()
	var shown time.Time
	return func(done, total int) {
		mu.Lock()
		defer mu.Unlock()
		if !s.Live || total == 0 || time.Since(shown) < 100*time.Millisecond {
			return
		}
		shown = time.Now()
		part := float64(done) / float64(total)
		left := ""
		if done > 0 && time.Since(start) > time.Second {
			left = ", " + report.Seconds(time.Since(start).Seconds()*(1-part)/part) + " left"
		}
		s.Status("%s: %.0f %%%s", what, 100*part, left)
	}
}

// Step shows training.
func (v *Progress) Step(epoch, samples, total int, sum train.Metrics) {
	v.Bar(fmt.Sprintf("epoch %d", epoch), samples, total, figures(sum.Scalars()))
}

// splits names the parts of the data in the tense of a bar.
var splits = map[string]string{train.SplitValid: "validating", train.SplitTest: "testing"}

// Evaluating shows an evaluation.
func (v *Progress) Evaluating(split string, done, total int) { v.Bar(splits[split], done, total, "") }

// EpochDone prints the epoch's line.
func (v *Progress) EpochDone(e run.Epoch, valid, test *train.Evaluation) {
	v.Done()
	fmt.Fprintf(v.screen.Err, "epoch %2d", e.Epoch)
	for _, name := range slices.Sorted(maps.Keys(e.Train)) {
		fmt.Fprintf(v.screen.Err, "  train %s %s", name, inUnit(e.Train[name], name, valid, test))
	}
	for _, part := range []struct {
		name string
		of   *train.Evaluation
	}{{"valid", valid}, {"test", test}} {
		if part.of != nil {
			fmt.Fprintf(v.screen.Err, "   %s%s", part.name, figures(part.of.Scalars))
		}
	}
	if len(e.Rates) > 0 {
		fmt.Fprint(v.screen.Err, "   rates")
	}
	for _, layer := range slices.Sorted(maps.Keys(e.Rates)) {
		fmt.Fprintf(v.screen.Err, " %.3f", e.Rates[layer])
	}
	fmt.Fprintf(v.screen.Err, "   %s\n", report.Seconds(e.Seconds))
}

// inUnit is a running figure of training as evaluations write the figure of its name.
func inUnit(v float64, name string, of ...*train.Evaluation) string {
	for _, ev := range of {
		if ev == nil {
			continue
		}
		if s, ok := ev.Scalar(name); ok {
			s.Value, s.Why = v, ""
			return s.String()
		}
	}
	return fmt.Sprintf("%.4g", v)
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

// Note prints what was done.
func (v *Progress) Note(message string) {
	v.Done()
	fmt.Fprintln(v.screen.Err, message)
}

// Warn prints a warning.
func (v *Progress) Warn(message string) {
	v.Done()
	fmt.Fprintln(v.screen.Err, "warning:", message)
}
