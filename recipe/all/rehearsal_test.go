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
	"synfire/internal/rng"
	"synfire/recipe"
	"synfire/recipe/all"
	"synfire/report"
	"synfire/sample"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
)

var update = flag.Bool("update", false, "write testdata anew")

const (
	rehearsedTrain = 60 // training samples of a rehearsed job
	rehearsedTest  = 20

	rehearsedPhotos = 20 // training samples of a rehearsed job that learns photographs
)

// rehearsable are the recipes whose time goes into jobs that learn digits or photographs.
var rehearsable = []string{
	"quickstart", "s4nn", "diehl-cook", "stdb", "hybrid", "joint", "qcfs", "spikenorm", "rmp", "spiking-resnet", "spiking-dbn", "mostafa", "bp-stdp",
	"eqprop", "init-eqprop", "spiking-eqprop", "topk-eqprop", "init-spiking-eqprop", "binary-eqprop",
}

// TestRehearsals walks through the scales that take minutes and hours, with a few samples
// and two epochs for each job: that they come to their end, and that their jobs, seeds,
// settings and figures are those of testdata/jobs. Written anew by -update, these are to
// be read like the claims: a difference is another experiment.
func TestRehearsals(t *testing.T) {
	if testing.Short() || snntest.DoublePrecision() {
		t.Skip("walks through hundreds of jobs, which are the same in double precision")
	}
	for _, r := range all.Recipes() {
		if !slices.Contains(rehearsable, r.ID) {
			continue
		}
		for _, scale := range []report.Scale{report.Short, report.Full} {
			t.Run(fmt.Sprintf("%s/%s", r.ID, scale), func(t *testing.T) {
				kept(t, fmt.Sprintf("testdata/jobs/%s-%s.txt", r.ID, scale), rehearse(t, r, scale))
			})
		}
	}
}

// kept compares lines with those of a file.
func kept(t *testing.T, path, got string) {
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	have, want := strings.Split(got, "\n"), strings.Split(string(src), "\n")
	for i := range max(len(have), len(want)) {
		if i >= len(have) || i >= len(want) || have[i] != want[i] {
			t.Fatalf("line %d of %d: %q, in %s %q of %d", i+1, len(have), have[min(i, len(have)-1)], path, want[min(i, len(want)-1)], len(want))
		}
	}
}

// rehearse lists the jobs of a recipe at a scale, and what is measured.
func rehearse(t *testing.T, r recipe.Recipe, scale report.Scale) string {
	var w strings.Builder
	c := catalog.Default()
	for i, d := range c.Datasets {
		switch d.Name {
		case "mnist":
			c.Datasets[i].Load = digits
		case "cifar10-jpeg":
			c.Datasets[i].Load = photographs
		}
	}
	out := filepath.Join(t.TempDir(), "run")
	e := &recipe.Env{
		Catalog: c, Scale: scale, Seed: 1, Pool: par.New(2), Observer: train.None{}, Out: out, Now: time.Now, SaveEvery: 1 << 30,
		Rehearse: func(j *recipe.Job) {
			yaml, err := c.Encode(j.Config)
			if err != nil {
				t.Fatalf("%s: %v", j.Name, err)
			}
			m := &j.Config
			fmt.Fprintf(&w, "%s-s%d epochs=%d batch=%d train=%d settings=%.4x\n", j.Name, m.Seed, m.Epochs, m.Batch, m.Data.Train, sha256.Sum256(bytes.ReplaceAll(yaml, []byte(out), nil))) // a job may name the model of another
			m.Epochs, m.Data.Train = min(m.Epochs, 2), rehearsedTrain
			if m.Data.Name == "cifar10-jpeg" {
				m.Epochs, m.Data.Train = 1, rehearsedPhotos
			}
		},
	}
	o, err := r.Run(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range slices.Sorted(maps.Keys(o.Measured)) {
		m := o.Measured[id]
		fmt.Fprintf(&w, "%s: %d figures, seeds %d, n %d\n", id, len(m.Values), m.Seeds, m.N)
	}
	return w.String()
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

// photographs are as many as CIFAR-10 has for training, of which there are a few different
// ones, drawn at random, and fewer for the test.
func photographs(context.Context, data.Options) (train, test sample.Source, err error) {
	few := &data.Set{Name: "cifar10-jpeg", Shape: tensor.Shape{32, 32, 3}, Classes: strings.Split("0123456789", "")}
	random := rng.New(1, "photographs").Source()
	for i := range rehearsedPhotos {
		few.Labels = append(few.Labels, i%10)
		for range few.Shape.Size() {
			few.Images = append(few.Images, uint8(random.Uint32()))
		}
	}
	positions := make([]int, 50_000)
	for i := range positions {
		positions[i] = i % few.Len()
	}
	if train, err = sample.Subset(few, positions); err == nil {
		test, err = sample.First(few, rehearsedTest/5)
	}
	return train, test, err
}
