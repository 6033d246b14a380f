package bench

import (
	"context"
	"slices"

	"synfire/sample"
	"synfire/train"
)

// lesson is steps on one batch that begin, in each repeat, from the same state.
type lesson struct {
	learner     train.Learner
	batch       *sample.Batch
	start       map[string]train.Array
	first, last train.Metrics // of the repeat
}

func newLesson(l train.Learner, b *sample.Batch) *lesson {
	start := map[string]train.Array{}
	for name, a := range l.State() {
		a.Data = slices.Clone(a.Data)
		start[name] = a
	}
	return &lesson{learner: l, batch: b, start: start}
}

func (l *lesson) restart() error {
	l.first = train.Metrics{}
	return l.learner.SetState(l.start)
}

func (l *lesson) step() (err error) {
	if l.last, err = l.learner.Step(context.Background(), l.batch); l.first.N == 0 {
		l.first = l.last
	}
	return err
}
