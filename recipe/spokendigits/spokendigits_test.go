package spokendigits

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/data"
	"synfire/internal/par"
	"synfire/recipe"
	"synfire/report"
	"synfire/sample"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
)

// frames are recordings of one band.
type frames struct {
	sample.Source
	of     [][]tensor.Float
	labels []int
}

func (f frames) Len() int { return len(f.of) }

func (f frames) Spec() sample.Spec {
	return sample.Spec{Shape: tensor.Shape{1}, Steps: 20, Targets: []sample.Field{{Kind: sample.Class, Classes: []string{"a", "b"}}}}
}

func (f frames) Read(_ context.Context, i int, x *sample.Sample) error {
	if copy(x.X, f.of[i]); len(f.of[i]) < 20 {
		x.Length = float64(len(f.of[i]))
	}
	x.Targets = append(x.Targets, sample.Target{Class: f.labels[i]})
	return nil
}

// Parts of time follow the duration of a recording, and overlap where it has few frames.
func TestFeatures(t *testing.T) {
	long := make([]tensor.Float, 20)
	for i := range long {
		long[i] = tensor.Float(i)
	}
	x, labels, err := features(t.Context(), frames{of: [][]tensor.Float{long, long[:10], long[:4]}, labels: []int{0, 1, 1}})
	if err != nil || labels[1] != 1 {
		t.Fatal(labels, err)
	}
	for k := range parts {
		for i, want := range []float64{2*float64(k) + 0.5, float64(k), float64(k * 4 / 10)} {
			if got := x.At(i, k); got != want {
				t.Errorf("recording %d, part %d: %v, want %v", i, k, got, want)
			}
		}
	}
}

// Ridge regression tells a rise from a fall at any loudness of training, a band that never
// changes among the features.
func TestRidge(t *testing.T) {
	set := frames{}
	for i := range 40 {
		series := make([]tensor.Float, 20)
		for k := range series {
			series[k] = tensor.Float(float64(2*(i%2)-1)*float64(k-10) + 3*float64(i/4%5))
		}
		series[0] = 1
		series[1] = 1
		set.of, set.labels = append(set.of, series), append(set.labels, i%2)
	}
	answers, labels, err := ridge(t.Context(), set, frames{of: set.of[:6], labels: set.labels[:6]})
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		if a != labels[i] || labels[i] != i%2 {
			t.Errorf("recording %d of class %d is answered %d", i, labels[i], a)
		}
	}
}

// The interval of 1 … 6 by hand: a deviation of √3.5, and 2.5706 of Student's t with 5 degrees
// of freedom.
func TestInterval(t *testing.T) {
	mean, half := interval([]float64{1, 2, 3, 4, 5, 6})
	if want := 2.570582 * math.Sqrt(3.5/6); mean != 3.5 || math.Abs(half-want) > 1e-5 {
		t.Errorf("%v ± %v, want 3.5 ± %v", mean, half, want)
	}
}

// Of the recordings a speaker's 500 are tested, and of takes 300; a job is a file that trains.
func TestSplits(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(filepath.Join(dir, "fsdd.zip")); err != nil || testing.Short() {
		t.Skip("the recordings are not on this machine")
	}
	e := &recipe.Env{Catalog: catalog.Default(), Data: data.Options{DataDir: dir}}
	s := &study{Study: recipe.NewStudy(e, nil, nil), size: sizes[report.Short]}
	if err := s.find(t.Context()); err != nil {
		t.Fatal(err)
	}
	for test, want := range map[string]int{"_theo_": 500, `_[0-4]\.wav$`: 300} {
		c := s.config(1, test)
		a, b, err := e.Catalog.Load(t.Context(), c.Data, e.Data)
		if err != nil || a.Len() != recordings-want || b.Len() != want {
			t.Fatalf("%s: %v", test, err)
		}
		yaml, err := e.Catalog.Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Catalog.Decode("job.yaml", yaml); err != nil {
			t.Error(err)
		}
	}
}

// The recipe runs at the smoke scale: it learns, keeps its runs and describes them.
func TestSmoke(t *testing.T) {
	if testing.Short() || snntest.DoublePrecision() {
		t.Skip("trains four networks")
	}
	pool := par.New(0)
	defer pool.Close()
	e := &recipe.Env{Catalog: catalog.Default(), Scale: report.Smoke, Seed: 1, Pool: pool, Observer: train.None{}, Out: filepath.Join(t.TempDir(), "run"), Now: time.Now}
	r := Recipe()
	o, err := r.Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	m := o.Metrics
	if m["unheard_accuracy"] < 30 || m["takes_ridge"] < 60 || m["unheard_gain"] != o.Measured[beatsClaim].Values[0] || o.Measured[beatsClaim].N != 10*madeTakes*len(made) {
		t.Errorf("measured %+v, %+v", m, o.Measured)
	}
	page, err := o.Page(report.Run{}).HTML()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Speakers never heard", "New takes of known speakers", "Spike raster", "made of tones"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	e.Scale = "long"
	if _, err := r.Run(t.Context(), e); err == nil {
		t.Error("a scale that there is not is run")
	}
}
