package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/catalog"
	"synfire/command"
	"synfire/data"
	"synfire/encode"
	"synfire/format/npz"
	"synfire/layer"
	"synfire/network"
	"synfire/neuron"
	"synfire/recipe/all"
	"synfire/sample"
	"synfire/signal"
	"synfire/snntest"
	"synfire/surrogate"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// synfire runs the command line of this module.
func synfire(t *testing.T, args ...string) string {
	t.Helper()
	var out, errOut bytes.Buffer
	p := command.Program{Name: "extend", Catalog: kinds(), Recipes: all.Recipes()}
	if code := p.Execute(args, &out, &errOut); code != 0 {
		t.Fatalf("%q: exit code %d\n%s%s", args, code, out.String(), errOut.String())
	}
	return out.String()
}

// decode reads the JSON that a verb prints.
func decode(t *testing.T, text string) (v map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return v
}

// The whole command knows the kinds of this module.
func TestCommand(t *testing.T) {
	dir := t.TempDir()
	image := filepath.Join(dir, "image.npy")
	for _, c := range []struct {
		name, metric string
		least        float64
		report       []string
	}{
		{"net", "accuracy", 90, []string{"confidence", "falling"}},
		{"perceptron", "accuracy", 70, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := filepath.Join(dir, c.name)
			synfire(t, "plan", c.name+".yaml")
			synfire(t, "train", c.name+".yaml", "--out", run)
			model := filepath.Join(run, "model.safetensors")
			found := false
			for _, s := range decode(t, synfire(t, "eval", model, "--json"))["scalars"].([]any) {
				s := s.(map[string]any)
				if name := s["name"].(string); strings.HasSuffix(name, c.metric) {
					found = true
					if v, ok := s["value"].(float64); !ok || v < c.least {
						t.Errorf("%s is %v, want %v at least", name, s["value"], c.least)
					}
				}
			}
			if !found {
				t.Errorf("eval tells no %s", c.metric)
			}
			page, err := os.ReadFile(filepath.Join(run, "report.html"))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range c.report {
				if !bytes.Contains(page, []byte(want)) {
					t.Errorf("the report does not speak of %q", want)
				}
			}
			synfire(t, "inspect", model)
			m, err := kinds().Open(model, catalog.OpenOptions{})
			if err != nil {
				t.Fatal(err)
			}
			writeImage(t, image, m.Spec.Shape)
			if text := synfire(t, "predict", model, image); !strings.Contains(text, "spikes ") {
				t.Errorf("predict says\n%s", text)
			}
		})
	}
	if text := synfire(t, "kinds", "bounded-lif"); !strings.Contains(text, "floor") {
		t.Errorf("kinds bounded-lif:\n%s", text)
	}
	schema := synfire(t, "schema")
	for _, kind := range []string{"bounded-lif", "gaussian", "gain", "smooth", "stripes", "confidence", "perceptron"} {
		if !strings.Contains(schema, `"`+kind+`"`) {
			t.Errorf("the schema lacks %s", kind)
		}
	}
}

// writeImage writes an image of noise.
func writeImage(t *testing.T, path string, shape tensor.Shape) {
	t.Helper()
	x := snntest.Random(signal.Dense, 1, 1, shape, 0, 1).Data
	values := make([]float64, len(x))
	for i, v := range x {
		values[i] = float64(v)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := npz.WriteNPY(f, npz.F64(values, append([]int{1}, shape...)...)); err != nil {
		t.Fatal(err)
	}
}

// The checks that synfire's own kinds pass: gradients (with -tags float64), and
// the same bits for any arithmetic, cut of time and number of threads.
func TestKinds(t *testing.T) {
	lif := kinds().Neurons["bounded-lif"].Example.(neuron.Neuron)
	snntest.Neuron(t, lif)
	for name, s := range map[string]surrogate.Surrogate{"gaussian": kinds().Surrogates["gaussian"].Example.(surrogate.Surrogate), "fast-sigmoid": surrogate.FastSigmoid{Slope: 4}} {
		t.Run(name, func(t *testing.T) {
			spiking := layer.Spiking{Neuron: lif, Surrogate: s}
			net, err := network.Sequential(tensor.Shape{5, 5, 2}, 1,
				layer.Conv2D{Out: 3, Kernel: []int{3}}, kinds().Layers["gain"].Example.(Gain), spiking, kinds().Layers["smooth"].Example.(Smooth),
				layer.Conv2D{Out: 4, Kernel: []int{2}}, Gain{Start: 1.5}, Smooth{Keep: 0.6}, spiking)
			if err != nil {
				t.Fatal(err)
			}
			in := snntest.Random(signal.Constant, 5, 3, net.InputShape(), 0, 1)
			snntest.Paths(t, net, in)
			snntest.Splits(t, net, in)
			snntest.Threads(t, net, in)
			t.Run("gradient", func(t *testing.T) { snntest.Gradient(t, net, in, 20) })
		})
	}
}

func TestSource(t *testing.T) {
	train, test, err := kinds().Sources["stripes"].Example.(Stripes).Open(t.Context(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	snntest.Source(t, train)
	snntest.Source(t, test)
}

// spec is samples of five values in three classes.
func spec() sample.Spec {
	return sample.Spec{Shape: tensor.Shape{5}, Targets: []sample.Field{{Name: sample.Label, Kind: sample.Class, Classes: []string{"a", "b", "c"}}}}
}

func TestTask(t *testing.T) {
	snntest.Task(t, Confidence{}, snntest.Cases(t, spec(), "", tensor.Shape{3}, 4, 26)...)
}

func TestRule(t *testing.T) {
	var batches []*sample.Batch
	for _, c := range snntest.Cases(t, spec(), "", tensor.Shape{3}, 1, 26) {
		batches = append(batches, c.Batch)
	}
	snntest.Learner(t, Perceptron{Rate: 0.1}, train.Setting{
		Spec: spec(), Samples: 26, Encoder: encode.Constant{}, Steps: 1, Epochs: 2, Batch: 7, Seed: 3,
		Tasks: []task.Binding{{Task: task.Classify{}}},
	}, batches...)
}

// The transform leaves its argument as it was, and says what it did.
func TestTransform(t *testing.T) {
	net, err := network.Sequential(tensor.Shape{4}, 1, layer.Linear{Out: 3}, layer.ReLU{}, layer.Linear{Out: 2})
	if err != nil {
		t.Fatal(err)
	}
	g := net.Graph()
	for _, nd := range g.Nodes {
		if w, ok := nd.Arrays["weight"]; ok {
			for i := range w.Data {
				w.Data[i] = tensor.Float(i%3) - 1 // −1, 0, 1
			}
		}
	}
	got, report, err := Prune{Below: 0.5}.Apply(t.Context(), g, nil)
	if err != nil || len(report) != 2 {
		t.Fatalf("%v: report %+v", err, report)
	}
	for i, nd := range got.Nodes {
		for k, v := range nd.Arrays["weight"].Data {
			if before := g.Nodes[i].Arrays["weight"].Data[k]; v != before {
				t.Errorf("%s: weight %d is %v, was %v", nd.Name, k, v, before)
			}
		}
	}
	got, _, err = Prune{Below: 2}.Apply(t.Context(), g, nil)
	if err != nil {
		t.Fatal(err)
	}
	zeros := 0
	for i, nd := range got.Nodes {
		for k, v := range nd.Arrays["weight"].Data {
			if v != 0 {
				t.Errorf("%s: weight %d is %v", nd.Name, k, v)
			}
			if g.Nodes[i].Arrays["weight"].Data[k] != 0 {
				zeros++
			}
		}
	}
	if zeros == 0 {
		t.Error("the argument was written to")
	}
	if _, err := got.Build(1); err != nil {
		t.Error(err)
	}
	if _, _, err := (Prune{Below: -1}).Apply(t.Context(), g, nil); err == nil {
		t.Error("below −1 is accepted")
	}
}

func TestBadOptions(t *testing.T) {
	for what, v := range map[string]interface{ Validate() error }{
		"a negative floor": BoundedLIF{Beta: 0.9, Threshold: 1, Floor: -1},
		"a rate of 0":      Perceptron{},
		"no images":        Stripes{Test: 1},
		"a width of 0":     Gaussian{},
	} {
		if v.Validate() == nil {
			t.Errorf("%s is accepted", what)
		}
	}
	if _, err := (Gain{}).Output(); err == nil {
		t.Error("no inputs are accepted")
	}
}
