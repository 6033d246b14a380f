package stdp

import (
	"context"
	"testing"

	"synfire/data"
	"synfire/sample"
)

// one is a source of the samples of a batch.
type one struct{ b *sample.Batch }

func (s one) Spec() sample.Spec { return *s.b.Spec }
func (s one) Len() int          { return s.b.Len() }
func (s one) Index(i int) int   { return s.b.Index[i] }
func (s one) Origin(int) string { return "a sample of the batch" }
func (s one) Target(i, f int) (sample.Target, error) {
	return s.b.Targets[f].At(i), nil
}

func (s one) Read(_ context.Context, i int, x *sample.Sample) error {
	copy(x.X, s.b.X[i*len(x.X):])
	for f := range s.b.Targets {
		x.Targets = append(x.Targets, s.b.Targets[f].At(i))
	}
	return nil
}

func cursorOf(t testing.TB, b *sample.Batch) *data.Cursor { return cursorOver(t, one{b}, 7) }

func cursorOver(t testing.TB, s sample.Source, batch int) *data.Cursor {
	t.Helper()
	c, err := data.NewCursor(s, data.CursorOptions{Batch: batch})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
