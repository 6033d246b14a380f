package data

import (
	"context"
	"fmt"
	"math"
	"sort"
	"sync"

	"synfire/sample"
	"synfire/spike"
	"synfire/tensor"
)

// Open opens a kind of source and makes the durations of all its samples alike, those
// for training and those of the test together.
func Open(ctx context.Context, kind Opener, l Length, o Options) (train, test sample.Source, err error) {
	if err := kind.Validate(); err != nil {
		return nil, nil, err
	}
	if train, test, err = kind.Open(ctx, o); err != nil {
		return nil, nil, err
	}
	parts := []sample.Source{train}
	if test != nil {
		if a, b := train.Spec(), test.Spec(); !a.Shape.Equal(b.Shape) || a.Events != b.Events || (a.Steps == 0) != (b.Steps == 0) {
			return nil, nil, fmt.Errorf("data: training samples are %v, test samples %v; expected the same of both", a, b)
		}
		parts = append(parts, test)
	}
	if train, err = uniform(train, l, parts); err == nil && test != nil {
		test, err = uniform(test, l, parts)
	}
	if err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

// Uniform is a source whose samples all have one duration: samples that differ are an
// error unless they are to be padded or cropped. A padded sample of a series ends in
// zeros, one of events in silence, and says in Length how much of it is real. Targets
// that are series of as many steps, or spike trains, follow.
func Uniform(src sample.Source, l Length) (sample.Source, error) {
	return uniform(src, l, []sample.Source{src})
}

// uniform makes src uniform, as one of several parts of a data set.
func uniform(src sample.Source, l Length, parts []sample.Source) (sample.Source, error) {
	if err := l.Validate(); err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	spec := src.Spec()
	given := max(l.Pad, l.Crop)
	whole, what := span(spec)
	if whole == 0 {
		if given > 0 {
			return nil, fmt.Errorf("data: length: samples are %v and have no time; leave length out", spec)
		}
		return src, nil
	}
	short, long, err := extremes(parts)
	if err != nil {
		return nil, err
	}
	switch {
	case given == 0 && short.length == long.length:
		return src, nil
	case given == 0:
		return nil, fmt.Errorf("data: samples differ in duration: %s has %v %s, %s %v; set length: {pad: %v} to fill shorter ones up, or {crop: %v} to cut longer ones",
			short.origin, short.length, what, long.origin, long.length, long.length, short.length)
	case spec.Steps > 0 && given != math.Trunc(given):
		return nil, fmt.Errorf("data: length: %v, want a whole number of steps", given)
	case l.Crop == 0 && given < long.length:
		return nil, fmt.Errorf("data: length: pad %v, but %s has %v %s; pad to at least that, or crop too", given, long.origin, long.length, what)
	case l.Pad == 0 && given > short.length:
		return nil, fmt.Errorf("data: length: crop %v, but %s has only %v %s; crop to at most that, or pad too", given, short.origin, short.length, what)
	}
	u := &levelled{Source: src, from: spec, spec: spec, length: given, scale: 1}
	u.spec.Targets = append([]sample.Field(nil), spec.Targets...)
	if spec.Steps > 0 {
		u.scale = spec.Duration / whole
		u.spec.Steps, u.spec.Duration = int(given), given*u.scale
	} else {
		u.spec.Duration = given
	}
	for f := range u.spec.Targets {
		switch field := &u.spec.Targets[f]; {
		case field.Steps == 0:
		case field.Steps != spec.Steps:
			return nil, fmt.Errorf("data: length: target %q has %d steps, the samples %d; lengths change together only where they are the same", field.Name, field.Steps, spec.Steps)
		default:
			field.Steps = int(given)
		}
	}
	return u, nil
}

// span is the duration of a whole sample and its unit; 0 where samples have no time.
func span(spec sample.Spec) (whole float64, unit string) {
	if spec.Steps > 0 {
		return float64(spec.Steps), "steps"
	}
	return spec.Duration, "seconds"
}

// lasting is a sample and its duration.
type lasting struct {
	length float64
	origin string
}

// extremes are the first of the shortest and the first of the longest samples.
func extremes(parts []sample.Source) (short, long lasting, err error) {
	short.length = math.Inf(1)
	for _, src := range parts {
		whole, _ := span(src.Spec())
		length := func(int) float64 { return whole }
		if v, ok := src.(Varied); ok {
			length = v.Length
		}
		for i := range src.Len() {
			switch n := length(i); {
			case !(n > 0 && n <= whole):
				return short, long, fmt.Errorf("data: %s: a duration of %v, expected one above 0 and at most %v", src.Origin(i), n, whole)
			case n < short.length:
				short = lasting{n, src.Origin(i)}
				fallthrough
			default:
				if n > long.length {
					long = lasting{n, src.Origin(i)}
				}
			}
		}
	}
	return short, long, nil
}

// levelled is a source whose samples are padded or cropped to one duration.
type levelled struct {
	sample.Source
	from, spec sample.Spec
	length     float64 // in steps or seconds
	scale      float64 // seconds in a unit of length
	scratch    sync.Pool
}

func (u *levelled) Spec() sample.Spec { return u.spec }

func (u *levelled) Target(i, f int) (sample.Target, error) {
	t, err := u.Source.Target(i, f)
	if err != nil {
		return t, err
	}
	return u.target(t, f), nil
}

func (u *levelled) Read(ctx context.Context, i int, s *sample.Sample) error {
	x, n := s.X, u.from.Size()
	if n <= len(x) {
		s.X = x[:n]
		clear(x[n:])
	} else {
		long, _ := u.scratch.Get().(*[]tensor.Float)
		if long == nil {
			long = new([]tensor.Float)
		}
		defer u.scratch.Put(long)
		*long = tensor.Resize(*long, n)
		s.X = *long
	}
	err := u.Source.Read(ctx, i, s)
	copy(x, s.X) // onto itself, where it stands there
	s.X = x
	if err != nil {
		return err
	}
	if whole, _ := span(u.from); s.Length == 0 {
		s.Length = whole
	}
	if s.Length >= u.length {
		s.Length = 0 // no padding
	}
	end := sort.Search(len(s.Events), func(k int) bool { return s.Events[k].Time >= u.length })
	s.Events = s.Events[:end]
	for f := range s.Targets {
		s.Targets[f] = u.target(s.Targets[f], f)
	}
	return nil
}

// target is a target of the new duration.
func (u *levelled) target(t sample.Target, f int) sample.Target {
	switch field := u.spec.Targets[f]; {
	case field.Kind == sample.Values && field.Steps > 0:
		v := make([]tensor.Float, field.Size())
		copy(v, t.Values)
		t.Values = v
	case field.Kind == sample.Trains && u.spec.Duration > 0:
		trains := make([]spike.Train, len(t.Trains))
		for k, train := range t.Trains {
			stop := u.length * u.scale
			end := sort.SearchFloat64s(train.Times, stop)
			trains[k] = spike.Train{Times: train.Times[:end:end], Start: train.Start, Stop: stop}
		}
		t.Trains = trains
	}
	return t
}
