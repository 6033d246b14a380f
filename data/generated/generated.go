// Package generated has kinds of sources that are computed: small problems for examples
// and tests, which need no files. Sample i of a part (train, test) is a function of
// (seed, part, i) alone.
//
//	Sine      a series x[t] = sin(2π(t/period + φ)) + noise, φ uniform; the target,
//	          named "value", is the next value without noise
//	Moons     points of two half circles that reach into each other:
//	          (cos a, sin a) and (1 − cos a, 1/2 − sin a), a uniform in [0, π)
//	Spirals   points (r·cos a, r·sin a) of K arms, r uniform in [0, 1),
//	          a = 2π(k/K + turns·r)
//	Patterns  spike trains: each class is a Poisson train for each unit, drawn once, of
//	          which a sample shifts every spike by a normal number; with targets, each
//	          class also has a Poisson train for each of so many units that it is to
//	          call forth, the second target, named "trains"
//
// Noise is normal, and added to each value. Of K classes, sample i is of class i mod K;
// classes are named "0", "1" and so on.
package generated

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"synfire/data"
	"synfire/internal/rng"
	"synfire/sample"
	"synfire/spike"
	"synfire/tensor"
)

// purpose keeps the streams apart from those of a run with the same seed.
const purpose = "generated"

const (
	maxSamples = 1 << 30
	maxValues  = 1 << 24 // of a sample
)

// Sine describes series of a sine. It is a data.Opener.
type Sine struct {
	Train  int     `yaml:"train"`  // samples for training
	Test   int     `yaml:"test"`   // samples of the test; 0: none
	Steps  int     `yaml:"steps"`  // of a series
	Period float64 `yaml:"period"` // in steps
	Noise  float64 `yaml:"noise"`  // deviation
	Seed   uint64  `yaml:"seed"`   // of the samples, whatever the seed of the run
}

// Moons describes points of two half circles. It is a data.Opener.
type Moons struct {
	Train int     `yaml:"train"` // samples for training
	Test  int     `yaml:"test"`  // samples of the test; 0: none
	Noise float64 `yaml:"noise"` // deviation
	Seed  uint64  `yaml:"seed"`  // of the samples, whatever the seed of the run
}

// Spirals describes points of arms of a spiral. It is a data.Opener.
type Spirals struct {
	Train int     `yaml:"train"` // samples for training
	Test  int     `yaml:"test"`  // samples of the test; 0: none
	Arms  int     `yaml:"arms"`  // K, the classes
	Turns float64 `yaml:"turns"` // of an arm
	Noise float64 `yaml:"noise"` // deviation
	Seed  uint64  `yaml:"seed"`  // of the samples, whatever the seed of the run
}

// Patterns describes patterns of spikes. It is a data.Opener.
type Patterns struct {
	Train    int     `yaml:"train"`    // samples for training
	Test     int     `yaml:"test"`     // samples of the test; 0: none
	Classes  int     `yaml:"classes"`  // K
	Units    int     `yaml:"units"`    // trains of a sample
	Rate     float64 `yaml:"rate"`     // of a unit, in spikes a second
	Duration float64 `yaml:"duration"` // of a sample, in seconds
	Jitter   float64 `yaml:"jitter"`   // deviation of the shift of a spike, in seconds; it stays in the sample
	Targets  int     `yaml:"targets"`  // units of the trains that a class is to call forth, of the same rate; 0: the class is the only target
	Seed     uint64  `yaml:"seed"`     // of the samples, whatever the seed of the run
}

func checkCounts(kind string, train, test int) error {
	if train < 1 || test < 0 || max(train, test) > maxSamples {
		return fmt.Errorf("data: %s: %d samples for training and %d for the test, want at least 1 and 0, at most %d", kind, train, test, maxSamples)
	}
	return nil
}

// finite reports whether v is a number from 0 on.
func finite(v float64) bool { return v >= 0 && !math.IsInf(v, 0) }

// Validate returns an error for options that make no sense.
func (g Sine) Validate() error {
	if g.Steps < 1 || g.Steps > maxValues || !finite(g.Period) || g.Period == 0 || !finite(g.Noise) {
		return fmt.Errorf("data: sine: %d steps, period %v, noise %v; want steps and a period above 0", g.Steps, g.Period, g.Noise)
	}
	return checkCounts("sine", g.Train, g.Test)
}

// Validate returns an error for options that make no sense.
func (g Moons) Validate() error {
	if !finite(g.Noise) {
		return fmt.Errorf("data: moons: noise %v, want a deviation from 0 on", g.Noise)
	}
	return checkCounts("moons", g.Train, g.Test)
}

// Validate returns an error for options that make no sense.
func (g Spirals) Validate() error {
	if g.Arms < 2 || g.Arms > sample.MaxClasses || math.IsNaN(g.Turns) || math.IsInf(g.Turns, 0) || !finite(g.Noise) {
		return fmt.Errorf("data: spirals: %d arms, %v turns, noise %v; want at least 2 arms", g.Arms, g.Turns, g.Noise)
	}
	return checkCounts("spirals", g.Train, g.Test)
}

// Validate returns an error for options that make no sense.
func (g Patterns) Validate() error {
	switch {
	case g.Classes < 2 || g.Classes > sample.MaxClasses || g.Units < 1 || g.Units > maxValues:
		return fmt.Errorf("data: patterns: %d classes on %d units, want at least 2 and 1", g.Classes, g.Units)
	case g.Targets < 0 || g.Targets > maxValues:
		return fmt.Errorf("data: patterns: trains of %d units as targets, want 0 (none) or a few", g.Targets)
	case !finite(g.Rate) || !finite(g.Duration) || g.Duration == 0 || !finite(g.Jitter):
		return fmt.Errorf("data: patterns: rate %v, duration %v, jitter %v; want a duration above 0 and neither of the others negative", g.Rate, g.Duration, g.Jitter)
	case g.Rate*g.Duration*float64(g.Units+g.Targets) > maxValues || (g.Units+g.Targets)*g.Classes > maxValues:
		return fmt.Errorf("data: patterns: %d units of %v spikes a second for %v s are more than %d spikes; lower one", g.Units+g.Targets, g.Rate, g.Duration, maxValues)
	}
	return checkCounts("patterns", g.Train, g.Test)
}

// Paths is empty.
func (*Sine) Paths() []*string { return nil }

// Paths is empty.
func (*Moons) Paths() []*string { return nil }

// Paths is empty.
func (*Spirals) Paths() []*string { return nil }

// Paths is empty.
func (*Patterns) Paths() []*string { return nil }

// Open returns the series.
func (g Sine) Open(context.Context, data.Options) (train, test sample.Source, err error) {
	spec := sample.Spec{Shape: tensor.Shape{1}, Steps: g.Steps, Targets: []sample.Field{{Name: "value", Kind: sample.Values, Shape: tensor.Shape{1}, Steps: g.Steps}}}
	draw := func(_ int, r *rng.Source, s *sample.Sample) {
		phase := r.Float64()
		next := make([]tensor.Float, g.Steps)
		for t := range g.Steps {
			at := func(t int) float64 { return math.Sin(2 * math.Pi * (float64(t)/g.Period + phase)) }
			s.X[t], next[t] = tensor.Float(at(t)+g.Noise*r.Norm()), tensor.Float(at(t+1))
		}
		s.Targets = append(s.Targets, sample.Target{Values: next})
	}
	return open("sine", g.Validate(), source{spec: spec, draw: draw}, g.Seed, g.Train, g.Test)
}

// points is a source of points of classes.
func points(name string, bad error, classes int, noise float64, seed uint64, train, test int, point func(class int, u float64) (x, y float64)) (sample.Source, sample.Source, error) {
	if bad != nil {
		return nil, nil, bad
	}
	spec := sample.Spec{Shape: tensor.Shape{1, 1, 2}, Targets: []sample.Field{classField(classes)}}
	draw := func(i int, r *rng.Source, s *sample.Sample) {
		x, y := point(i%classes, r.Float64())
		s.X[0], s.X[1] = tensor.Float(x+noise*r.Norm()), tensor.Float(y+noise*r.Norm())
		s.Targets = append(s.Targets, sample.Target{Class: i % classes})
	}
	return open(name, nil, source{spec: spec, draw: draw}, seed, train, test)
}

func classField(n int) sample.Field {
	f := sample.Field{Name: sample.Label, Kind: sample.Class, Classes: make([]string, n)}
	for i := range f.Classes {
		f.Classes[i] = strconv.Itoa(i)
	}
	return f
}

// Open returns the points.
func (g Moons) Open(context.Context, data.Options) (train, test sample.Source, err error) {
	return points("moons", g.Validate(), 2, g.Noise, g.Seed, g.Train, g.Test, func(class int, u float64) (x, y float64) {
		y, x = math.Sincos(math.Pi * u)
		if class == 1 {
			x, y = 1-x, 0.5-y
		}
		return x, y
	})
}

// Open returns the points.
func (g Spirals) Open(context.Context, data.Options) (train, test sample.Source, err error) {
	return points("spirals", g.Validate(), g.Arms, g.Noise, g.Seed, g.Train, g.Test, func(class int, r float64) (x, y float64) {
		y, x = math.Sincos(2 * math.Pi * (float64(class)/float64(g.Arms) + g.Turns*r))
		return r * x, r * y
	})
}

// Open draws the patterns of the classes.
func (g Patterns) Open(context.Context, data.Options) (train, test sample.Source, err error) {
	if err := g.Validate(); err != nil {
		return nil, nil, err
	}
	patterns, err := g.trains("patterns", g.Units)
	if err != nil {
		return nil, nil, err
	}
	targets, err := g.trains("targets", g.Targets)
	if err != nil {
		return nil, nil, err
	}
	last := math.Nextafter(g.Duration, 0)
	spec := sample.Spec{Shape: tensor.Shape{g.Units}, Events: true, Duration: g.Duration, Targets: []sample.Field{classField(g.Classes)}}
	if g.Targets > 0 {
		spec.Targets = append(spec.Targets, sample.Field{Name: "trains", Kind: sample.Trains, Shape: tensor.Shape{g.Targets}})
	}
	draw := func(i int, r *rng.Source, s *sample.Sample) {
		for unit, t := range patterns[i%g.Classes] {
			for _, at := range t.Times {
				at = min(max(0, at+g.Jitter*r.Norm()), last)
				s.Events = append(s.Events, sample.Event{Time: at, Unit: int32(unit)})
			}
		}
		slices.SortFunc(s.Events, func(a, b sample.Event) int { return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Unit, b.Unit)) })
		s.Targets = append(s.Targets, sample.Target{Class: i % g.Classes})
		if g.Targets > 0 {
			s.Targets = append(s.Targets, sample.Target{Trains: targets[i%g.Classes]})
		}
	}
	return open("patterns", nil, source{spec: spec, draw: draw}, g.Seed, g.Train, g.Test)
}

// trains are Poisson trains of units for each class.
func (g Patterns) trains(name string, units int) ([][]spike.Train, error) {
	out := make([][]spike.Train, g.Classes)
	for class := range out {
		for unit := range units {
			key := rng.New(g.Seed, purpose).Str(name).Int(uint64(class)).Int(uint64(unit))
			t, err := spike.Poisson{Rate: g.Rate}.Train(key, 0, g.Duration)
			if err != nil {
				return nil, fmt.Errorf("data: patterns: %w", err)
			}
			out[class] = append(out[class], t)
		}
	}
	return out, nil
}

// open makes the parts of a source.
func open(name string, bad error, s source, seed uint64, train, test int) (a, b sample.Source, err error) {
	if bad != nil {
		return nil, nil, bad
	}
	part := func(split string, n int) sample.Source {
		p := s
		p.name, p.n, p.key = name+" "+split, n, rng.New(seed, purpose).Str(name).Str(split)
		return p
	}
	if test == 0 {
		return part("train", train), nil, nil
	}
	return part("train", train), part("test", test), nil
}

// source computes a sample when it is read.
type source struct {
	name string
	n    int
	spec sample.Spec
	key  rng.Key
	draw func(i int, r *rng.Source, s *sample.Sample)
}

func (s source) Spec() sample.Spec   { return s.spec }
func (s source) Len() int            { return s.n }
func (s source) Index(i int) int     { return i }
func (s source) Origin(i int) string { return fmt.Sprintf("%s, sample %d", s.name, i) }

func (s source) Target(i, f int) (sample.Target, error) {
	if field := s.spec.Targets[f]; field.Kind == sample.Class {
		return sample.Target{Class: i % len(field.Classes)}, nil
	}
	x := sample.Sample{X: make([]tensor.Float, s.spec.Size())}
	s.draw(i, s.key.Int(uint64(i)).Source(), &x)
	return x.Targets[f], nil
}

func (s source) Read(ctx context.Context, i int, x *sample.Sample) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("data: %s: %w", s.Origin(i), err)
	}
	s.draw(i, s.key.Int(uint64(i)).Source(), x)
	return nil
}
