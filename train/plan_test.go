package train_test

import (
	"testing"
	"time"
)

// An epoch takes as long as its training samples, and as the validation samples
// and the test samples where they are measured after it. The clock moves by a
// second whenever it is read.
func TestEpochSecondsCountsWhatIsMeasured(t *testing.T) {
	seconds := func(valid, watch bool) float64 {
		l, _ := fakeLoop(t, outcome{})
		if l.Valid, l.Test, l.WatchTest = nil, numbers(8), watch; valid {
			l.Valid = numbers(6)
		}
		at := time.Unix(0, 0)
		got, err := l.EpochSeconds(t.Context(), func() time.Time { at = at.Add(time.Second); return at }, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	alone, valid, test, both := seconds(false, false), seconds(true, false), seconds(false, true), seconds(true, true)
	if !(alone > 0 && valid > alone && test > alone) || both != valid+test-alone {
		t.Errorf("training %v s, with validation %v, with the test samples %v, with both %v", alone, valid, test, both)
	}
}
