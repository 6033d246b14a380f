package run

import (
	"testing"
	"time"
)

// A run that was interrupted takes the time of all its processes, not that of the last.
func TestResumedRunCountsAllItsTime(t *testing.T) {
	dir := t.TempDir() + "/run"
	if _, err := Start(dir, Record{Recipe: "r"}); err != nil {
		t.Fatal(err)
	}
	now := time.Unix(0, 0)
	part := func(goesOn bool, seconds int) float64 {
		c, err := NewClock(dir, goesOn, func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Duration(seconds) * time.Second)
		if err := c.Stop(); err != nil {
			t.Fatal(err)
		}
		return c.Seconds()
	}
	for i, want := range []float64{100, 120, 127} {
		if got := part(i > 0, []int{100, 20, 7}[i]); got != want {
			t.Errorf("after process %d: %v s, want %v", i+1, got, want)
		}
	}
	if got := part(false, 3); got != 3 {
		t.Errorf("begun anew: %v s, want 3", got)
	}
	if r, err := Read(dir); err != nil || r.Recipe != "r" || r.Seconds != 3 {
		t.Errorf("%+v, %v: the record is not what it was", r.Record, err)
	}
}
