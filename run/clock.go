package run

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// beat is how often a clock keeps its time: a process that is killed loses no more of it.
const beat = 30 * time.Second

// Clock counts the seconds that a run takes, those before an interruption too: they stand in
// the run's record.
type Clock struct {
	path   string
	record Record
	before float64
	start  time.Time
	now    func() time.Time
	stop   chan struct{}
	done   sync.WaitGroup
}

// NewClock starts the clock of a run's directory, which Start has made. Of a run that goes
// on, the seconds of its record count; else it begins at 0.
func NewClock(dir string, goesOn bool, now func() time.Time) (*Clock, error) {
	c := &Clock{path: filepath.Join(dir, recordFile), start: now(), now: now, stop: make(chan struct{})}
	raw, err := os.ReadFile(c.path)
	if err == nil {
		err = json.Unmarshal(raw, &c.record)
	}
	if err != nil {
		return nil, err
	}
	if goesOn {
		c.before = c.record.Seconds
	}
	c.done.Go(func() {
		tick := time.NewTicker(beat)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				c.keep() // a disk that is full is noticed by what the run itself saves
			case <-c.stop:
				return
			}
		}
	})
	return c, nil
}

// Seconds are those of the run so far.
func (c *Clock) Seconds() float64 { return c.before + c.now().Sub(c.start).Seconds() }

// Stop ends the clock and keeps its time, where the run's record is still there.
func (c *Clock) Stop() error {
	close(c.stop)
	c.done.Wait()
	return c.keep()
}

func (c *Clock) keep() error {
	if _, err := os.Stat(c.path); err != nil {
		return nil // the run never began, and its directory is gone
	}
	c.record.Seconds = c.Seconds()
	return c.record.write(c.path)
}
