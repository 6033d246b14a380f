package bench

import (
	"errors"
	"math"
	"runtime"
	"testing"
	"time"
)

// A repeat beside a slow handoff is taken again while there is time, and
// counts after that.
func TestEachSettles(t *testing.T) {
	var clock time.Time
	now := func() time.Time { clock = clock.Add(time.Second); return clock } // handoffs look slow
	for _, c := range []struct {
		settle time.Duration
		least  int
	}{{0, MinRepeat + 1}, {10 * time.Minute, 2 * MinRepeat}} {
		runs, done := 0, 0
		r := Row{Threads: 2}
		err := r.each(Options{Now: now, Repeat: MinRepeat, Settle: c.settle}, nil,
			func() error { runs++; return nil }, func(int, float64) { done++ })
		if err != nil || done != MinRepeat || runs < c.least {
			t.Errorf("settle %v: %d runs, %d counted, %v", c.settle, runs, done, err)
		}
		if Handoff(now) > 0 && r.Handoff <= Near {
			t.Errorf("settle %v: handoff %v", c.settle, r.Handoff)
		}
	}
	broken := errors.New("broken")
	r := Row{}
	if err := r.each(Options{Now: now, Repeat: MinRepeat}, nil, func() error { return broken }, nil); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if r.Handoff != 0 {
		t.Errorf("handoff %v on one thread", r.Handoff)
	}
}

// However busy the machine, a handoff is a number, and none where threads share a
// processor.
func TestHandoff(t *testing.T) {
	if ns := Handoff(time.Now); math.IsNaN(ns) || math.IsInf(ns, 0) || ns < 0 {
		t.Errorf("handoff of %v ns", ns)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if ns := Handoff(time.Now); ns != 0 {
		t.Errorf("handoff of %v ns on one processor", ns)
	}
}
