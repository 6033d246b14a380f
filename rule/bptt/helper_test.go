package bptt_test

import (
	"testing"

	"synfire/catalog"
	"synfire/data/mnist"
	"synfire/internal/par"
	"synfire/model"
	"synfire/modelfile"
	"synfire/rule/bptt"
	"synfire/run"
	"synfire/sample"
	"synfire/train"
)

// small trains in a blink: two epochs of 13 steps.
const small = `
data: {name: mnist-sample, train: 200, test: 100, augment: {kind: shift, pixels: 1}}
steps: 4
batch: 16
epochs: 2
valid: 0
layers:
  - {kind: conv2d, out: 5, kernel: 5, stride: 2}
  - &s {kind: spiking, surrogate: {kind: fast-sigmoid, slope: 5}}
  - {kind: max-pool, size: 2}
  - {kind: conv2d, out: 7, kernel: 3, padding: 1}
  - *s
  - flatten
  - {kind: linear, out: 10}
  - *s
`

// config decodes a file and changes its rule.
func config(t testing.TB, file string, changes ...func(r *bptt.Rule)) model.Config {
	t.Helper()
	c, err := catalog.Default().Decode("x.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	r := c.Rule.(bptt.Rule)
	for _, change := range changes {
		change(&r)
	}
	c.Rule = r
	return c
}

// prepared is the configuration for the sample of MNIST.
func prepared(t testing.TB, c model.Config) (model.Config, model.Sets) {
	t.Helper()
	trainSet, testSet := mnist.Sample()
	return preparedFor(t, c, trainSet, testSet)
}

func preparedFor(t testing.TB, c model.Config, trainSet, testSet sample.Source) (model.Config, model.Sets) {
	t.Helper()
	c, sets, err := c.Prepare(t.Context(), trainSet, testSet)
	if err != nil {
		t.Fatal(err)
	}
	return c, sets
}

func loop(t testing.TB, c model.Config, pool *par.Pool) *train.Loop {
	t.Helper()
	c, sets := prepared(t, c)
	return loopFor(t, c, sets, pool)
}

func loopFor(t testing.TB, c model.Config, sets model.Sets, pool *par.Pool) *train.Loop {
	t.Helper()
	l, err := c.Loop(sets, pool)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// end runs a loop to its end and returns the learner's state.
func end(t testing.TB, l *train.Loop) map[string]train.Array {
	t.Helper()
	if _, err := l.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l.Learner.State()
}

// openDir gives a loop a directory.
func openDir(t testing.TB, l *train.Loop, path string, resume bool) {
	t.Helper()
	text := []byte("a configuration\n")
	dir, err := run.Open(path, text, resume)
	if err != nil {
		t.Fatal(err)
	}
	l.Dir, l.Model = dir, modelfile.File{Rule: bptt.Kind, Config: text}
	t.Cleanup(func() { dir.Close() })
}
