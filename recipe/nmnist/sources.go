package nmnist

import (
	"context"
	"sync"

	"synfire/internal/rng"
	"synfire/sample"
	"synfire/tensor"
)

// scrambled are recordings whose times are permuted among their events: each pixel has
// as many events as before, and the camera as many in each step.
type scrambled struct{ sample.Source }

// Scramble scrambles recordings.
func Scramble(src sample.Source) sample.Source { return scrambled{src} }

// Read decodes a recording and permutes its times.
func (s scrambled) Read(ctx context.Context, i int, x *sample.Sample) error {
	if err := s.Source.Read(ctx, i, x); err != nil {
		return err
	}
	units := make([]int32, len(x.Events))
	for k, j := range rng.New(0, "stbp.scrambled").Int(uint64(s.Index(i))).Source().Perm(len(units)) {
		units[k] = x.Events[j].Unit
	}
	for k := range units {
		x.Events[k].Unit = units[k]
	}
	return nil
}

// remembered reads each recording once: to simulate one takes milliseconds.
type remembered struct {
	sample.Source
	once []sync.Once
	of   []sample.Sample
	errs []error
}

func Remember(s sample.Source) sample.Source {
	return remembered{s, make([]sync.Once, s.Len()), make([]sample.Sample, s.Len()), make([]error, s.Len())}
}

// Read copies a recording that was read before, or reads it.
func (s remembered) Read(ctx context.Context, i int, x *sample.Sample) error {
	s.once[i].Do(func() { s.errs[i] = s.Source.Read(ctx, i, &s.of[i]) })
	y := &s.of[i]
	x.Length, x.Frame = y.Length, y.Frame
	x.Events, x.Targets = append(x.Events, y.Events...), append(x.Targets, y.Targets...)
	return s.errs[i]
}

// Scale is what counts of events are divided by.
const Scale = 4

// counted are recordings as images: the number of events of each place, over Scale.
type counted struct{ sample.Source }

// Count counts the events of recordings.
func Count(src sample.Source) sample.Source { return counted{src} }

// Spec is one of values.
func (s counted) Spec() sample.Spec {
	spec := s.Source.Spec()
	spec.Events, spec.Duration = false, 0
	return spec
}

// Read counts the events of a recording.
func (s counted) Read(ctx context.Context, i int, x *sample.Sample) error {
	y := sample.Sample{}
	if err := s.Source.Read(ctx, i, &y); err != nil {
		return err
	}
	clear(x.X)
	for _, e := range y.Events {
		x.X[e.Unit] += tensor.Float(1) / Scale
	}
	x.Targets = append(x.Targets, y.Targets...)
	return nil
}
