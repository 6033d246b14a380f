package spike

import "math"

// Slack is by how much times of one window may differ through rounding alone. A
// grid of 0.1 s is no grid in binary numbers: 0.3 − 0.2 is not 0.1, and what lies
// on a border in milliseconds would lie on either side of it in seconds. So every
// comparison of times, or of differences of times, has one rule: what differs by
// at most the slack is equal. Where a border belongs to what is counted (a bin's
// start, ±dt of STTC), times within the slack of it count; where it does not (a
// window of coincidence, a bin's end), they do not.
//
// The slack is 2^−40, a trillionth, of the window's length, which is more than sums
// of thousands of intervals are off by, and 16 units in the last place of the
// larger edge, which is what times far from zero are off by.
type Slack float64

// SlackOf is the slack of times in the window [start, stop].
func SlackOf(start, stop float64) Slack {
	return Slack(0x1p-40*max(stop-start, 0) + 0x1p-48*max(math.Abs(start), math.Abs(stop)))
}

// Slack is that of the train's window.
func (t Train) Slack() Slack { return SlackOf(t.Start, t.Stop) }

// Same tells whether two times are equal.
func (e Slack) Same(x, y float64) bool { return math.Abs(x-y) <= float64(e) }

// Before tells whether x comes before y, and is not the same.
func (e Slack) Before(x, y float64) bool { return x < y-float64(e) }

// Floor is the number of whole widths in x.
func (e Slack) Floor(x, width float64) float64 { return math.Floor((x + float64(e)) / width) }

// Ceil is the number of widths that hold x.
func (e Slack) Ceil(x, width float64) float64 { return math.Ceil((x - float64(e)) / width) }

// OnEdges is the train with its first and last spike put on the edge of the window
// that they are the same as, also from outside; t keeps its own times.
func (t Train) OnEdges() Train {
	n, e := len(t.Times), t.Slack()
	if n == 0 {
		return t
	}
	first, last := t.Times[0], t.Times[n-1]
	moves := e.Same(first, t.Start) && first != t.Start || e.Same(last, t.Stop) && last != t.Stop
	if !moves {
		return t
	}
	t.Times = append([]float64(nil), t.Times...)
	if e.Same(first, t.Start) {
		t.Times[0] = t.Start
	}
	if e.Same(last, t.Stop) {
		t.Times[n-1] = t.Stop
	}
	return t
}
