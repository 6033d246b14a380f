package all_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/data"
	"synfire/data/mnist"
	"synfire/internal/par"
	"synfire/recipe"
	"synfire/recipe/all"
	"synfire/report"
	"synfire/sample"
	"synfire/train"
)

var update = flag.Bool("update", false, "write testdata anew")

const (
	jobsFile       = "testdata/jobs.txt"
	rehearsedTrain = 60 // training samples of a rehearsed job
	rehearsedTest  = 20
)

// rehearsable are the recipes whose time goes into jobs that learn digits.
var rehearsable = []string{
	"quickstart", "s4nn", "stdb", "joint",
	"eqprop", "init-eqprop", "spiking-eqprop", "topk-eqprop", "init-spiking-eqprop", "binary-eqprop",
}

// TestRehearsals walks through the scales that take minutes and hours, with a few samples
// and two epochs for each job: that they come to their end, and that their jobs, seeds,
// settings and figures are those of testdata/jobs.txt. Written anew by -update, it is to
// be read like the claims: a difference is another experiment.
func TestRehearsals(t *testing.T) {
	if testing.Short() {
		t.Skip("walks through hundreds of jobs")
	}
	var got bytes.Buffer
	for _, r := range all.Recipes() {
		if !slices.Contains(rehearsable, r.ID) {
			continue
		}
		for _, scale := range []report.Scale{report.Short, report.Full} {
			rehearse(t, &got, r, scale)
		}
	}
	if *update {
		if err := os.WriteFile(jobsFile, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(jobsFile)
	if err != nil {
		t.Fatal(err)
	}
	have, kept := strings.Split(got.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(have), len(kept)) {
		if i >= len(have) || i >= len(kept) || have[i] != kept[i] {
			t.Fatalf("line %d: %q, in %s %q", i+1, have[min(i, len(have)-1)], jobsFile, kept[min(i, len(kept)-1)])
		}
	}
}

// rehearse writes the jobs of a recipe at a scale, and what is measured.
func rehearse(t *testing.T, w *bytes.Buffer, r recipe.Recipe, scale report.Scale) {
	start := time.Now()
	c := catalog.Default()
	for i, d := range c.Datasets {
		if d.Name == "mnist" {
			c.Datasets[i].Load = digits
		}
	}
	e := &recipe.Env{
		Catalog: c, Scale: scale, Seed: 1, Pool: par.New(2), Observer: train.None{}, Out: filepath.Join(t.TempDir(), "run"), Now: time.Now, SaveEvery: 1 << 30,
		Rehearse: func(j *recipe.Job) {
			yaml, err := c.Encode(j.Config)
			if err != nil {
				t.Fatalf("%s at %s, %s: %v", r.ID, scale, j.Name, err)
			}
			m := &j.Config
			fmt.Fprintf(w, "%s %s %s-s%d epochs=%d batch=%d train=%d settings=%.4x\n", r.ID, scale, j.Name, m.Seed, m.Epochs, m.Batch, m.Data.Train, sha256.Sum256(yaml))
			m.Epochs, m.Data.Train = min(m.Epochs, 2), rehearsedTrain
		},
	}
	o, err := r.Run(t.Context(), e)
	if err != nil {
		t.Errorf("%s at %s: %v", r.ID, scale, err)
		return
	}
	for _, id := range slices.Sorted(maps.Keys(o.Measured)) {
		m := o.Measured[id]
		fmt.Fprintf(w, "%s %s measures %s: %d figures of %d seeds, n %d\n", r.ID, scale, id, len(m.Values), m.Seeds, m.N)
	}
	t.Logf("%s at %s: %v", r.ID, scale, time.Since(start).Round(time.Millisecond))
}

// digits are as many as MNIST has for training, of which there are a thousand different
// ones, and a few for the test.
func digits(context.Context, data.Options) (train, test sample.Source, err error) {
	few, others := mnist.Sample()
	positions := make([]int, 60_000)
	for i := range positions {
		positions[i] = i % few.Len()
	}
	if train, err = sample.Subset(few, positions); err == nil {
		test, err = sample.First(others, rehearsedTest)
	}
	return train, test, err
}
