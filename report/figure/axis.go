package figure

import (
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
)

// span is the range of some values; the zero value has none yet.
type span struct {
	lo, hi float64
	some   bool
	whole  bool // all are whole numbers, where it began as true
}

func (s *span) add(values []float64) {
	for _, v := range values {
		switch {
		case math.IsNaN(v):
			continue
		case !s.some:
			s.lo, s.hi, s.some = v, v, true
		}
		s.lo, s.hi = min(s.lo, v), max(s.hi, v)
		s.whole = s.whole && v == math.Trunc(v)
	}
}

// padded widens a range a little, but not across zero: a loss has no room below.
func (s span) padded(log bool) span {
	lo, hi := s.lo, s.hi
	if log {
		f := max(math.Pow(hi/lo, 0.06), 1.05)
		s.lo, s.hi = lo/f, hi*f
		return s
	}
	pad := (hi - lo) * 0.06
	if same(lo, hi) {
		pad = max(math.Abs(hi)*0.05, 1e-3)
		if s.whole {
			pad = 1
		}
	}
	s.lo, s.hi = lo-pad, hi+pad
	if lo >= 0 && s.lo < 0 && !s.whole {
		s.lo = 0
	}
	return s
}

// same reports whether two values differ in what rounding may leave alone, too little
// for marks between them.
func same(lo, hi float64) bool { return !(hi-lo > 1e-9*max(math.Abs(lo), math.Abs(hi))) }

// setAxis gives an axis its range, scale and marks, at most so many.
func setAxis(a *plot.Axis, s span, log bool, most int) {
	a.Min, a.Max = s.lo, s.hi
	a.Tick.Marker = ticks{most: most, whole: s.whole}
	if log {
		a.Scale, a.Tick.Marker = plot.LogScale{}, logTicks{most}
	}
}

// ticks marks an axis at multiples of 1, 2 or 5 times a power of ten.
type ticks struct {
	most  int  // marks at most
	whole bool // whole numbers only
}

// Ticks implements plot.Ticker.
func (t ticks) Ticks(lo, hi float64) []plot.Tick {
	if same(lo, hi) {
		return []plot.Tick{{Value: lo, Label: strconv.FormatFloat(lo, 'g', 4, 64)}}
	}
	step := t.step(hi - lo)
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	var marks []plot.Tick
	for i := math.Ceil(lo/step - 1e-9); i*step <= hi+step*1e-9; i++ {
		label := strconv.FormatFloat(i*step, 'f', decimals, 64)
		switch {
		case i == 0:
			label = "0"
		case max(math.Abs(lo), math.Abs(hi)) >= longTick:
			label = strconv.FormatFloat(i*step, 'g', 4, 64)
		}
		marks = append(marks, plot.Tick{Value: i * step, Label: label})
	}
	return marks
}

// longTick is the size from which marks are written with a power of ten.
const longTick = 1e6

func (t ticks) step(span float64) float64 {
	step := math.Pow(10, math.Floor(math.Log10(span/float64(t.most))))
	for _, f := range []float64{1, 2, 5, 10} {
		if s := step * f; span/s <= float64(t.most) && (!t.whole || s >= 1) {
			return s
		}
	}
	return 1 // whole numbers of a span below one
}

// logTicks marks a logarithmic axis at powers of ten, and within a short range at
// twice and five times those, too.
type logTicks struct{ most int }

// Ticks implements plot.Ticker.
func (t logTicks) Ticks(lo, hi float64) []plot.Tick {
	if same(lo, hi) {
		return []plot.Tick{{Value: lo, Label: strconv.FormatFloat(lo, 'g', 3, 64)}}
	}
	decades := math.Log10(hi / lo)
	switch {
	case decades*3 <= float64(t.most):
		return readable(t.marks(lo, hi, []float64{1, 2, 5}, 1), t.most, lo, hi)
	case decades > float64(t.most):
		return t.marks(lo, hi, []float64{1}, int(math.Ceil(decades/float64(t.most))))
	}
	marks := t.marks(lo, hi, []float64{1}, 1)
	if len(marks) < 2 {
		marks = t.marks(lo, hi, []float64{1, 2, 5}, 1)
	}
	return readable(marks, t.most, lo, hi)
}

// readable is the marks of a logarithmic axis, or those of a linear one where they are
// fewer than two: one alone does not tell a scale.
func readable(marks []plot.Tick, most int, lo, hi float64) []plot.Tick {
	if len(marks) >= 2 {
		return marks
	}
	linear := ticks{most: most}.Ticks(lo, hi)
	return slices.DeleteFunc(linear, func(t plot.Tick) bool { return t.Value < lo || t.Value > hi })
}

// marks are the mantissas times every so many powers of ten within a range.
func (t logTicks) marks(lo, hi float64, mantissas []float64, every int) []plot.Tick {
	var marks []plot.Tick
	for e := int(math.Floor(math.Log10(lo))); float64(e) <= math.Log10(hi)+1e-9; e++ {
		for _, m := range mantissas {
			if v := m * math.Pow(10, float64(e)); e%every == 0 && v >= lo*(1-1e-9) && v <= hi*(1+1e-9) {
				label := strconv.FormatFloat(v, 'g', 3, 64)
				if v >= 999 && v < longTick {
					label = strconv.FormatFloat(v, 'f', 0, 64)
				}
				marks = append(marks, plot.Tick{Value: v, Label: label})
			}
		}
	}
	return marks
}
