package snntest

import (
	"math"
	"reflect"
	"slices"
	"sync"
	"testing"

	"synfire/sample"
	"synfire/tensor"
)

// mostRead is the number of samples of a source that are looked at.
const mostRead = 100

// Source checks a source by its first hundred samples: its description is valid and
// stays; each sample is read in full, the same in any order, by several goroutines at
// once and into any memory; its targets are those that Target says, and fit their
// fields; its place among the random streams differs from the others', and stays, cut
// out of the source too; its origin is said.
func Source(t testing.TB, src sample.Source) {
	t.Helper()
	spec := src.Spec()
	if err := spec.Validate(); err != nil {
		t.Errorf("Spec: %v", err)
		return
	}
	n := min(src.Len(), mostRead)
	if n == 0 {
		t.Error("the source has no samples")
		return
	}
	want := make([]*sample.Sample, n)
	streams := map[int]int{}
	for i := range n {
		want[i] = readSample(t, src, i)
		if want[i] == nil {
			return
		}
		checkSample(t, src, i, want[i])
		if j, twice := streams[src.Index(i)]; twice {
			t.Errorf("samples %d and %d both have the index %d", j, i, src.Index(i))
		}
		streams[src.Index(i)] = i
	}
	for i := n - 1; i >= 0; i-- {
		if got := readSample(t, src, i); !reflect.DeepEqual(got, want[i]) {
			t.Errorf("sample %d is another when read again, in reverse", i)
			break
		}
	}
	concurrent(t, src, want)
	odd, err := sample.Subset(src, []int{n - 1})
	if err != nil || odd.Index(0) != src.Index(n-1) || odd.Origin(0) != src.Origin(n-1) {
		t.Errorf("the last sample's index or origin is another in a subset (%v)", err)
	}
	if !src.Spec().Equal(spec) || src.Spec().Duration != spec.Duration {
		t.Error("Spec changes with reading")
	}
}

// readSample reads sample i into memory that nothing has been written to.
func readSample(t testing.TB, src sample.Source, i int) *sample.Sample {
	t.Helper()
	s := &sample.Sample{X: make([]tensor.Float, src.Spec().Size())}
	for k := range s.X {
		s.X[k] = tensor.Float(math.NaN())
	}
	if err := src.Read(t.Context(), i, s); err != nil {
		t.Errorf("Read(%d): %v", i, err)
		return nil
	}
	return s
}

// concurrent reads all samples by goroutines that begin at different ones.
func concurrent(t testing.TB, src sample.Source, want []*sample.Sample) {
	t.Helper()
	const readers = 8
	differs := make([]int, readers)
	var wg sync.WaitGroup
	for g := range readers {
		wg.Go(func() {
			differs[g] = -1
			for k := range want {
				i := (k + g*len(want)/readers) % len(want)
				s := &sample.Sample{X: make([]tensor.Float, src.Spec().Size())}
				if err := src.Read(t.Context(), i, s); err != nil || !reflect.DeepEqual(s, want[i]) {
					differs[g] = i
				}
			}
		})
	}
	wg.Wait()
	if i := slices.Max(differs); i >= 0 {
		t.Errorf("sample %d is another when several goroutines read", i)
	}
}

// checkSample checks sample i by itself.
func checkSample(t testing.TB, src sample.Source, i int, s *sample.Sample) {
	t.Helper()
	spec := src.Spec()
	if origin := src.Origin(i); origin == "" || origin != sample.Printable(origin) {
		t.Errorf("the origin of sample %d is %q, want a text that can be printed", i, origin)
	}
	if k, ok := tensor.Finite(s.X); !ok {
		t.Errorf("value %d of sample %d is %v: Read leaves it, or the source holds it", k, i, s.X[k])
	}
	whole := float64(spec.Steps)
	if spec.Events {
		whole = spec.Duration
	}
	if !(s.Length >= 0 && s.Length <= whole) {
		t.Errorf("sample %d has the length %v of %v", i, s.Length, whole)
	}
	last := 0.0
	for k, e := range s.Events {
		if !spec.Events || e.Time < last || !(e.Time < spec.Duration) || e.Unit < 0 || int(e.Unit) >= spec.Shape.Size() {
			t.Errorf("event %d of sample %d is %+v, after %v: want events of %v in order, in [0, %v)", k, i, e, last, spec, spec.Duration)
			break
		}
		last = e.Time
	}
	if len(s.Targets) != len(spec.Targets) {
		t.Errorf("sample %d has %d targets, want %d", i, len(s.Targets), len(spec.Targets))
		return
	}
	for f, field := range spec.Targets {
		if err := field.Check(s.Targets[f]); err != nil {
			t.Errorf("sample %d: %v", i, err)
		}
		if y, err := src.Target(i, f); err != nil || !reflect.DeepEqual(y, s.Targets[f]) {
			t.Errorf("target %q of sample %d is %v by Target (%v), and %v by Read", field.Name, i, y, err, s.Targets[f])
		}
	}
}
