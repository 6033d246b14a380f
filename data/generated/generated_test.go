package generated_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"

	"synfire/data"
	"synfire/data/generated"
	"synfire/sample"
	"synfire/tensor"
)

var kinds = map[string]data.Opener{
	"sine":     &generated.Sine{Train: 6, Test: 3, Steps: 20, Period: 10, Noise: 0.1, Seed: 1},
	"moons":    &generated.Moons{Train: 6, Test: 3, Noise: 0.1, Seed: 1},
	"spirals":  &generated.Spirals{Train: 6, Test: 3, Arms: 3, Turns: 1, Noise: 0.01, Seed: 1},
	"patterns": &generated.Patterns{Train: 6, Test: 3, Classes: 3, Units: 5, Rate: 20, Duration: 1, Jitter: 0.01, Targets: 2, Seed: 1},
}

func read(t testing.TB, src sample.Source, i int) sample.Sample {
	t.Helper()
	s := sample.Sample{X: make([]tensor.Float, src.Spec().Size())}
	if err := src.Read(t.Context(), i, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// Samples are functions of the seed, the part and their number.
func TestSamples(t *testing.T) {
	for name, kind := range kinds {
		train, test, err := kind.Open(t.Context(), data.Options{})
		if err != nil || train.Len() != 6 || test.Len() != 3 || len(kind.Paths()) != 0 {
			t.Fatal(err)
		}
		spec := train.Spec()
		if err := spec.Validate(); err != nil {
			t.Error(err)
		}
		var wait sync.WaitGroup
		for i := range 6 {
			a := read(t, train, i)
			for f, field := range spec.Targets {
				target, err := train.Target(i, f)
				if err != nil || !reflect.DeepEqual(target, a.Targets[f]) || field.Check(target) != nil {
					t.Errorf("%s: target %v, read %v", name, target, a.Targets)
				}
			}
			wait.Go(func() {
				s := sample.Sample{X: make([]tensor.Float, spec.Size())}
				if err := train.Read(t.Context(), i, &s); err != nil || !reflect.DeepEqual(s, a) {
					t.Errorf("%s: sample %d is another beside others", name, i)
				}
			})
			if i < 3 && reflect.DeepEqual(a, read(t, test, i)) {
				t.Errorf("%s: sample %d of training and test is the same", name, i)
			}
			if i >= 3 && reflect.DeepEqual(a.X, read(t, train, i-3).X) && !spec.Events {
				t.Errorf("%s: samples %d and %d are the same", name, i, i-3)
			}
		}
		wait.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := train.Read(ctx, 0, &sample.Sample{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled: %v", name, err)
		}
	}
}

// Without noise, values lie where the equations say.
func TestEquations(t *testing.T) {
	sine, _, err := generated.Sine{Train: 2, Steps: 8, Period: 8}.Open(t.Context(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := read(t, sine, 1)
	for k := range 7 {
		if s.X[k+1] != s.Targets[0].Values[k] {
			t.Errorf("target %v of %v", s.Targets[0].Values, s.X)
		}
	}
	if d := s.X[0] + s.X[4]; math.Abs(float64(d)) > 1e-6 { // half a period on
		t.Errorf("series %v", s.X)
	}
	moons, _, err := generated.Moons{Train: 10}.Open(t.Context(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	spirals, _, err := generated.Spirals{Train: 10, Arms: 2, Turns: 0}.Open(t.Context(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		p := read(t, moons, i).X
		x, y := float64(p[0]), float64(p[1])
		if i%2 == 1 {
			x, y = 1-x, 0.5-y
		}
		if math.Abs(math.Hypot(x, y)-1) > 1e-6 || y < 0 {
			t.Errorf("moon %d: %v", i, p)
		}
		q := read(t, spirals, i).X // arms that do not turn lie on a line
		if x := float64(q[0]); math.Abs(float64(q[1])) > 1e-6 || (x < 0) != (i%2 == 1) {
			t.Errorf("spiral %d: %v", i, q)
		}
	}
	patterns, _, err := generated.Patterns{Train: 4, Classes: 2, Units: 3, Rate: 50, Duration: 0.5}.Open(t.Context(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, b, c := read(t, patterns, 0), read(t, patterns, 1), read(t, patterns, 2)
	if !reflect.DeepEqual(a.Events, c.Events) || reflect.DeepEqual(a.Events, b.Events) || len(a.Events) < 30 {
		t.Errorf("%d, %d and %d spikes", len(a.Events), len(b.Events), len(c.Events))
	}
}

func TestErrors(t *testing.T) {
	for want, kind := range map[string]data.Opener{
		"0 samples":             &generated.Moons{},
		"noise -1":              &generated.Moons{Train: 1, Noise: -1},
		"0 steps":               &generated.Sine{Train: 1},
		"1 arms":                &generated.Spirals{Train: 1, Arms: 1},
		"1 classes on 0":        &generated.Patterns{Train: 1, Classes: 1},
		"trains of -1 units":    &generated.Patterns{Train: 1, Classes: 2, Units: 1, Targets: -1},
		"duration 0":            &generated.Patterns{Train: 1, Classes: 2, Units: 1},
		"are more than":         &generated.Patterns{Train: 1, Classes: 2, Units: 1000, Rate: 1e6, Duration: 1},
		"-1 for the test":       &generated.Moons{Train: 1, Test: -1},
		"period NaN, noise 0":   &generated.Sine{Train: 1, Steps: 1, Period: math.NaN()},
		"arms, NaN turns, nois": &generated.Spirals{Train: 1, Arms: 2, Turns: math.NaN()},
	} {
		if _, _, err := kind.Open(t.Context(), data.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func Example() {
	train, test, err := generated.Moons{Train: 100, Test: 20, Noise: 0.1, Seed: 1}.Open(context.Background(), data.Options{})
	fmt.Println(train.Len(), test.Len(), train.Spec(), train.Spec().Targets[0].Classes, err)
	// Output: 100 20 1×1×2 [0 1] <nil>
}
