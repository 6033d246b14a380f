// Package examples_test trains each of the examples for a few steps, on the
// sample of MNIST that is built in.
package examples_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	goyaml "github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"synfire/data/mnist"
	"synfire/internal/par"
	"synfire/model"
	"synfire/train"
)

// files are the examples by name, without their ending.
func files(t *testing.T) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("*.yaml")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d examples, %v", len(paths), err)
	}
	all := map[string][]byte{}
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(path, ".yaml")] = src
	}
	return all
}

// small makes the example one of a few steps.
func small(t *testing.T, name string, src []byte) model.Config {
	t.Helper()
	c, err := model.Default().Decode(name+".yaml", src)
	if err != nil {
		t.Fatal(err)
	}
	if c.Data.Name == "" {
		t.Skip("learns from files of one's own, in a test of the command")
	}
	c.Data = model.Data{Name: mnist.SampleName, Train: 48, Test: 20}
	c.Batch, c.Epochs = 12, 6
	return c
}

// Each example learns the first images of the sample, and its checkpoint gives
// the answers that it was saved with.
func TestExamplesTrain(t *testing.T) {
	pool := par.New(0)
	defer pool.Close()
	for name, src := range files(t) {
		t.Run(name, func(t *testing.T) {
			if strings.HasPrefix(name, "own-") {
				t.Skip("trained on its own data by the tests of cmd/synfire")
			}
			c := small(t, name, src)
			resolved, err := model.Default().Encode(c)
			if err != nil {
				t.Fatal(err)
			}
			trainSet, testSet := mnist.Sample()
			loop, err := train.NewLoop(c, trainSet, testSet, pool)
			if err != nil {
				t.Fatal(model.Locate(name+".yaml", src, err))
			}
			dir, err := train.OpenRunDir(t.TempDir(), train.KindBPTT, resolved, false)
			if err != nil {
				t.Fatal(err)
			}
			defer dir.Close()
			loop.Dir = dir
			if _, err := loop.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, epochs, err := dir.History()
			if err != nil {
				t.Fatal(err)
			}
			first, last := epochs[0].TrainLoss, epochs[len(epochs)-1].TrainLoss
			if !(last < 0.95*first) {
				t.Errorf("the training loss went from %.3f to %.3f", first, last)
			}
			best := 0.0
			for _, e := range epochs {
				best = max(best, e.TestAccuracy)
			}
			checkEval(t, dir.Best(), loop, best)
		})
	}
}

// checkEval opens the best checkpoint as eval does; best is what its epoch had.
func checkEval(t *testing.T, path string, loop *train.Loop, best float64) {
	t.Helper()
	ck, err := train.ReadCheckpoint(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := model.Default().Decode(path, ck.Config)
	if err != nil {
		t.Fatal(err)
	}
	learner, err := train.FromConfig(c, loop.Test, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := learner.SetState(ck.State); err != nil {
		t.Fatal(err)
	}
	got, err := train.Evaluate(t.Context(), learner, loop.Test, 20, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Metrics.N != 20 || got.Metrics.Accuracy() != best || math.IsNaN(got.Metrics.Loss()) {
		t.Errorf("the best checkpoint has %+v, its epoch had an accuracy of %v", got.Metrics, best)
	}
}

// Each example says what it shows and how to run it, and names the schema.
func TestExamplesExplain(t *testing.T) {
	for name, src := range files(t) {
		text := string(src)
		for _, want := range []string{"synfire train examples/" + name + ".yaml", "# yaml-language-server: $schema=../" + model.SchemaFile} {
			if !strings.Contains(text, want) {
				t.Errorf("%s.yaml has no line %q", name, want)
			}
		}
		if !strings.HasPrefix(text, "# ") {
			t.Errorf("%s.yaml does not start with a comment", name)
		}
	}
}

// The examples use every kind of layer and neuron.
func TestExamplesAreComplete(t *testing.T) {
	var all strings.Builder
	for _, src := range files(t) {
		all.Write(src)
	}
	table := model.Default()
	for _, kinds := range []map[string]model.Kind{table.Layers, table.Neurons, table.Optimizers} {
		for name := range kinds {
			if text := all.String(); !strings.Contains(text, "kind: "+name+",") && !strings.Contains(text, "kind: "+name+"}") && !strings.Contains(text, "kind: "+name+"\n") && !strings.Contains(text, "- "+name+"\n") {
				t.Errorf("no example has the kind %q", name)
			}
		}
	}
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(model.Schema())))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// document is a file as an editor sees it.
func document(t *testing.T, src string) any {
	t.Helper()
	raw, err := goyaml.YAMLToJSON([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The schema accepts the examples, and refuses what the program refuses.
func TestSchema(t *testing.T) {
	s := schema(t)
	all := files(t)
	for name, src := range all {
		if err := s.Validate(document(t, string(src))); err != nil {
			t.Errorf("%s.yaml: %v", name, err)
		}
	}
	for _, c := range []struct{ file, replace, by string }{
		{"mlp", "steps: 10", "step: 10"},
		{"mlp", "steps: 10", "steps: ten"},
		{"mlp", "steps: 10", "steps: 2.5"},
		{"mlp", "steps: 10", ""},
		{"mlp", "data: {name: mnist}", ""},
		{"mlp", "data: {name: mnist}", "data: {nmae: mnist}"},
		{"mlp", "data: {name: mnist}", "data: mnist"},
		{"mlp", "encoder: poisson", "encoder: poison"},
		{"mlp", "encoder: poisson", "encoder: {scale: 1}"},
		{"mlp", "encoder: poisson", "encoder: latency"},
		{"mlp", "- flatten", "- flaten"},
		{"mlp", "- flatten", "- linear"},
		{"mlp", "- flatten", "- {kind: flatten, out: 3}"},
		{"mlp", "- flatten", "- {kind: flatten, form: input}"},
		{"mlp", "- flatten", "- {kind: flatten, from: 3}"},
		{"mlp", "- flatten", "- {kind: flatten, name: [a]}"},
		{"mlp", "- flatten", "-"},
		{"mlp", "out: 256", "out: many"},
		{"mlp", "out: 256", "size: 256"},
		{"mlp", "kind: lif", "kind: lief"},
		{"mlp", "beta: 0.9}", "beta: high}"},
		{"mlp", "beta: 0.9}", "reset: hard}"},
		{"mlp", "slope: 5", "alpha: 5"},
		{"mlp", "kind: readout", "kind: read-out"},
		{"mlp", "loss: membrane-cross-entropy", "loss: cross-entropy"},
		{"mlp", "lr: 0.001", "learning-rate: 0.001"},
		{"mlp", ", lr: 0.001", ""},
		{"mlp", "schedule: cosine", "schedule: [cosine]"},
		{"mlp", "batch: 64", "batch: 64\nseed: -1"},
		{"cuba", "coupling: exact", "coupling: euclid"},
		{"cuba", "  - {kind: rate-bounds", "  - {kind: rate-bound"},
		{"cnn", "augment: {kind: shift", "augment: {kind: shfit"},
		{"cnn", "pixels: 2}", "pixels: [2]}"},
		{"alif", "truncate: 14", "truncate: true"},
	} {
		src := strings.Replace(string(all[c.file]), c.replace, c.by, 1)
		if src == string(all[c.file]) {
			t.Errorf("%s.yaml has no %q", c.file, c.replace)
			continue
		}
		if _, err := model.Default().Decode(c.file, []byte(src)); err == nil && c.by != "-" {
			t.Errorf("%s: decoded", c.by)
		}
		if s.Validate(document(t, src)) == nil {
			t.Errorf("%s: the schema accepts it", c.by)
		}
	}
}

// Editors show where a key comes from: most have a description.
func TestSchemaDescribes(t *testing.T) {
	var s struct {
		Definitions map[string]struct {
			Description string
			Properties  map[string]struct{ Description string }
		}
		Properties map[string]struct{ Description string }
	}
	if err := json.Unmarshal(model.Schema(), &s); err != nil {
		t.Fatal(err)
	}
	for key, p := range s.Properties {
		if p.Description == "" {
			t.Errorf("key %q has no description; write a comment at its field of model.Config", key)
		}
	}
	for name, d := range s.Definitions {
		if d.Description == "" {
			t.Errorf("%s has no description", name)
		}
		for key, p := range d.Properties {
			if p.Description == "" {
				t.Errorf("%s.%s has no description; write a sentence that names the field in the type's comment", name, key)
			}
		}
	}
	if n := len(s.Definitions); n < len(reflect.ValueOf(model.Default().Layers).MapKeys())+20 {
		t.Errorf("only %d definitions", n)
	}
}
