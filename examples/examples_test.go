// Package examples_test trains each of the examples for a few steps.
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

	"synfire/catalog"
	"synfire/data"
	"synfire/data/mnist"
	"synfire/internal/par"
	"synfire/layer"
	"synfire/model"
	"synfire/modelfile"
	"synfire/rule/bptt"
	"synfire/run"
	"synfire/sample"
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

// small makes the example one of a few steps, on the sample of MNIST in place of a named
// data set and otherwise on its own data.
func small(t *testing.T, name string, src []byte) model.Config {
	t.Helper()
	c, err := catalog.Default().Decode(name+".yaml", src)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case strings.HasSuffix(c.Data.Name, "-sample"): // comes with the program
		c.Data = model.Data{Name: c.Data.Name}
	case c.Data.Name != "":
		c.Data = model.Data{Name: mnist.SampleName}
	}
	if files := c.Data.Source != nil && len(c.Data.Source.Paths()) > 0; !files && c.Data.NPZ == "" && c.Data.Folder == "" {
		c.Data.Train, c.Data.Test = 48, 20
	}
	if r, ok := c.Rule.(bptt.Rule); ok && r.Whiten != nil { // digits have one channel, so fewer kernels
		first := r.Layers[0].Layer.(layer.Conv2D)
		first.Out = 8
		r.Layers[0].Layer = first
	}
	c.Batch, c.Epochs, c.Valid, c.WatchTest = 12, 6, 0, true
	return c
}

// Each example learns its first samples, and its model gives the answers that it was
// saved with. A short test asks the second alone, after an epoch.
func TestExamplesTrain(t *testing.T) {
	pool := par.New(0)
	defer pool.Close()
	for name, src := range files(t) {
		t.Run(name, func(t *testing.T) {
			c := small(t, name, src)
			if testing.Short() && name != "own-stdp-conv" { // whose stages take all epochs
				c.Epochs = 1
			}
			trainSet, testSet, err := catalog.Default().Load(t.Context(), c.Data, data.Options{})
			if err != nil {
				t.Fatal(err)
			}
			c, sets, err := c.Prepare(t.Context(), trainSet, testSet)
			if err != nil {
				t.Fatal(err)
			}
			resolved, err := catalog.Default().Encode(c)
			if err != nil {
				t.Fatal(err)
			}
			loop, err := c.Loop(sets, pool)
			if err != nil {
				t.Fatal(model.Locate(name+".yaml", src, err))
			}
			dir, err := run.Open(t.TempDir(), resolved, false)
			if err != nil {
				t.Fatal(err)
			}
			defer dir.Close()
			loop.Dir = dir
			loop.Model = modelfile.File{Rule: catalog.Default().RuleName(c.Rule), Config: resolved, Spec: &sets.Spec, Normalization: sets.Normalization}
			if _, err := loop.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, epochs, err := dir.History()
			if err != nil {
				t.Fatal(err)
			}
			first, hasLoss := epochs[0].Train[train.Loss]
			last := epochs[len(epochs)-1]
			if !testing.Short() && hasLoss && !(last.Train[train.Loss] < 0.95*first) {
				t.Errorf("the training loss went from %.3f to %.3f", first, last.Train[train.Loss])
			}
			if !testing.Short() && !hasLoss && !(last.Test["accuracy"] > 20) { // of ten classes, without labels
				t.Errorf("without a loss it learned to an accuracy of %v %%", last.Test["accuracy"])
			}
			checkEval(t, filepath.Join(dir.Path, "model.safetensors"), sets.Test, epochs[len(epochs)-1].Test)
		})
	}
}

// checkEval opens the model as eval does; want is what the last epoch had.
func checkEval(t *testing.T, path string, test sample.Source, want run.Figures) {
	t.Helper()
	m, err := catalog.Default().Open(path, catalog.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Evaluate(t.Context(), m.Predictor(), test, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Metrics.N != test.Len() || !reflect.DeepEqual(got.Figures(), want) || math.IsNaN(got.Value(train.Loss)) {
		t.Errorf("the model has %+v, its epoch had %v", got.Scalars, want)
	}
}

// Each example says what it shows and how to run it, and names the schema.
func TestExamplesExplain(t *testing.T) {
	for name, src := range files(t) {
		text := string(src)
		for _, want := range []string{"synfire train examples/" + name + ".yaml", "# yaml-language-server: $schema=../" + catalog.SchemaFile} {
			if !strings.Contains(text, want) {
				t.Errorf("%s.yaml has no line %q", name, want)
			}
		}
		if !strings.HasPrefix(text, "# ") {
			t.Errorf("%s.yaml does not start with a comment", name)
		}
	}
}

// The examples use every kind of layer, neuron, optimiser, task and rule that learns.
func TestExamplesAreComplete(t *testing.T) {
	var all strings.Builder
	for _, src := range files(t) {
		all.Write(src)
	}
	table := catalog.Default()
	delete(table.Rules, bptt.Kind)      // that of files which name none
	delete(table.Rules, bptt.GraphKind) // does not learn
	delete(table.Tasks, "classify")     // that of data with classes
	for _, kinds := range []map[string]model.Kind{table.Layers, table.Neurons, table.Optimizers, table.Tasks, table.Rules} {
		for name := range kinds {
			if text := all.String(); !strings.Contains(text, "kind: "+name+",") && !strings.Contains(text, "kind: "+name+"}") && !strings.Contains(text, "kind: "+name+"\n") && !strings.Contains(text, "- "+name+"\n") && !strings.Contains(text, "\nrule: "+name+"\n") {
				t.Errorf("no example has the kind %q", name)
			}
		}
	}
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(catalog.Schema())))
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
		{"mlp", "steps: 10", "steps: 10\nrule: bptts"},
		{"mlp", "steps: 10", "steps: 10\nvalid: much"},
		{"mlp", "steps: 10", "steps: 10\ntask: classifi"},
		{"mlp", "steps: 10", "steps: 10\noutputs: [{name: a}]"},
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
		if _, err := catalog.Default().Decode(c.file, []byte(src)); err == nil && c.by != "-" {
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
	if err := json.Unmarshal(catalog.Schema(), &s); err != nil {
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
