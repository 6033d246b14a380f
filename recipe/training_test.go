package recipe_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"synfire/catalog"
	"synfire/data"
	"synfire/encode"
	"synfire/internal/par"
	"synfire/layer"
	"synfire/loss"
	"synfire/model"
	"synfire/network"
	"synfire/neuron"
	"synfire/optim"
	"synfire/recipe"
	"synfire/report"
	"synfire/report/figure"
	"synfire/rule/bptt"
	"synfire/surrogate"
	"synfire/tensor"
	"synfire/train"
)

// corners is n images of 6×6 pixels, one of whose first three corners is
// bright, which is the class; the rest is faint and differs from image to
// image.
func corners(split string, n, channels int) *data.Set {
	s := &data.Set{Name: "corners", Split: split, Classes: []string{"north-west", "north-east", "south-west"}, Shape: tensor.Shape{6, 6, channels}}
	for i := range n {
		label := i % 3
		for y := range 6 {
			for x := range 6 {
				p := uint8((i*31 + y*17 + x*7) % 41)
				if x/3 == label%2 && y/3 == label/2 {
					p = 215 + p
				}
				s.Images = append(s.Images, slices.Repeat([]uint8{p}, channels)...)
			}
		}
		s.Labels = append(s.Labels, label)
	}
	return s
}

var spiking = layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 0.5}, Surrogate: surrogate.FastSigmoid{Slope: 4}}

// config trains in some milliseconds: 15 steps an epoch.
func config() model.Config {
	c := model.NewConfig()
	c.Data = model.Data{Name: "corners"}
	c.Steps, c.Batch, c.Epochs, c.Valid, c.WatchTest = 3, 4, 2, 0, true
	r := bptt.NewRule()
	r.Optimizer = optim.Adam{LR: 0.02}
	r.Layers = network.Chain(layer.Conv2D{Out: 4, Kernel: []int{3}}, layer.MaxPool{Size: 2}, spiking, layer.Flatten{}, layer.Linear{Out: 3}, spiking)
	c.Rule = r
	return c
}

// changed is a configuration with another rule.
func changed(c model.Config, f func(r *bptt.Rule)) model.Config {
	r := c.Rule.(bptt.Rule)
	r.Layers = slices.Clone(r.Layers)
	f(&r)
	c.Rule = r
	return c
}

// env is the environment of a run in dir; its clock advances a second a look.
func env(dir string) *recipe.Env {
	now := time.Unix(0, 0)
	return &recipe.Env{Catalog: catalog.Default(), Observer: train.None{}, Out: dir, Now: func() time.Time { now = now.Add(time.Second); return now }}
}

func trained(t *testing.T, e *recipe.Env, c model.Config, train, test *data.Set) *recipe.Trained {
	t.Helper()
	r, err := recipe.Train(t.Context(), e, e.Out, c, train, test)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A whole run on made-up images: it learns them, its curves and epochs are
// complete and agree with each other, and the run directory has its parts.
func TestTrain(t *testing.T) {
	dir := t.TempDir()
	r := trained(t, env(dir), config(), corners("train", 60, 1), corners("test", 24, 1))
	if len(r.Points) != 30 || len(r.Epochs) != 2 {
		t.Fatalf("%d points and %d epochs, want 30 and 2", len(r.Points), len(r.Epochs))
	}
	for i, p := range r.Points {
		if p.Kind != "step" || p.Step != i+1 || p.Epoch != i/15+1 || !(p.Train["loss"] > 0) {
			t.Errorf("point %d: %+v", i, p)
		}
	}
	for i, e := range r.Epochs {
		var loss, accuracy float64
		for _, p := range r.Points[15*i : 15*i+15] {
			loss, accuracy = loss+p.Train["loss"]/15, accuracy+p.Train["accuracy"]/15
		}
		if math.Abs(e.Train["loss"]-loss) > 1e-9 || math.Abs(e.Train["accuracy"]-accuracy) > 1e-9 {
			t.Errorf("epoch %d: loss %v and accuracy %v, the points' means are %v and %v", i+1, e.Train["loss"], e.Train["accuracy"], loss, accuracy)
		}
		if e.Epoch != i+1 || e.Step != 15*i+15 || e.Seconds != 1 || len(e.Rates) != 2 || !(e.Rates["spiking1"] > 0) || !(e.Rates["spiking2"] > 0) {
			t.Errorf("epoch %d: %+v", i+1, e)
		}
	}
	last := r.Epochs[1]
	if m := r.Result.Test; m.Metrics.N != 24 || last.Test["accuracy"] != m.Value("accuracy") || last.Test["loss"] != m.Value("loss") || m.Value("accuracy") < 90 {
		t.Errorf("%v of %d test images, last epoch %+v; want at least 90 %% of 24", m.Scalars, m.Metrics.N, last)
	}
	if r.Result.Chosen || r.Result.Epoch != 2 || r.Result.What() != "the last epoch (2)" {
		t.Errorf("the result is %s", r.Result.What())
	}
	again, err := catalog.Default().Decode("config.yaml", r.YAML)
	if err != nil || !reflect.DeepEqual(again, r.Config) {
		t.Errorf("resolved configuration: %v\n%s", err, r.YAML)
	}
	if kept, err := os.ReadFile(filepath.Join(dir, "config.yaml")); err != nil || string(kept) != string(r.YAML) {
		t.Errorf("config.yaml: %v\n%s", err, kept)
	}
	if _, err := catalog.Default().Open(filepath.Join(dir, "model.safetensors"), catalog.OpenOptions{}); err != nil {
		t.Error(err)
	}
}

// An epoch of many steps has about 25 points, however many steps it has.
func TestTrainPoints(t *testing.T) {
	c := config()
	c.Batch, c.Epochs = 1, 1
	r := trained(t, env(t.TempDir()), c, corners("train", 60, 1), corners("test", 3, 1))
	if len(r.Points) != 30 || r.Points[29].Step != 60 {
		t.Errorf("%d points to step %d, want 30 to 60: one every second step", len(r.Points), r.Points[len(r.Points)-1].Step)
	}
}

// The sum stands for the weights: the same for a run on more threads and for
// one continued after its end, another for another seed or one changed weight.
func TestWeightsSHA256(t *testing.T) {
	trainSet, testSet, dir := corners("train", 24, 1), corners("test", 6, 1), t.TempDir()
	first := trained(t, env(dir), config(), trainSet, testSet)
	want := first.WeightsSHA256()
	if len(want) != 64 || strings.Trim(want, "0123456789abcdef") != "" {
		t.Errorf("sum %q, want 64 hexadecimal digits", want)
	}
	if _, err := recipe.Train(t.Context(), env(dir), dir, config(), trainSet, testSet); err == nil || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("a second run in the same directory: %v, want an error that names --resume", err)
	}
	e := env(dir)
	e.Resume = true
	resumed := trained(t, e, config(), trainSet, testSet)
	if resumed.WeightsSHA256() != want || !reflect.DeepEqual(resumed.Points, first.Points) || !reflect.DeepEqual(resumed.Epochs, first.Epochs) || !reflect.DeepEqual(resumed.Result, first.Result) {
		t.Error("continued after its end the run has other weights, curves or results")
	}
	e = env(t.TempDir())
	e.Pool = par.New(2)
	defer e.Pool.Close()
	if got := trained(t, e, config(), trainSet, testSet).WeightsSHA256(); got != want {
		t.Errorf("two threads give %s, one %s", got, want)
	}
	c := config()
	c.Seed = 2
	if trained(t, env(t.TempDir()), c, trainSet, testSet).WeightsSHA256() == want {
		t.Error("another seed gives the same sum")
	}
	w := first.Network().Params()[0].Value.Data
	w[0], w[1] = w[1], w[0]
	if first.WeightsSHA256() == want {
		t.Error("two weights exchanged give the same sum")
	}
}

// Mistakes are found before anything is trained or written.
func TestTrainErrors(t *testing.T) {
	for _, c := range []struct {
		want   string
		change func(*model.Config)
	}{
		{"100 samples asked for", func(c *model.Config) { c.Data.Train = 100 }},
		{"has 3 classes", func(c *model.Config) {
			*c = changed(*c, func(r *bptt.Rule) { r.Layers[4].Layer = layer.Linear{Out: 4} })
		}},
		{`node "conv2d1"`, func(c *model.Config) {
			*c = changed(*c, func(r *bptt.Rule) { r.Layers[0].Layer = layer.Conv2D{Out: 4, Kernel: []int{7}} })
		}},
		{"scale is 2", func(c *model.Config) { c.Encoder = encode.Poisson{Scale: 2} }},
	} {
		k, dir := config(), filepath.Join(t.TempDir(), "run")
		c.change(&k)
		_, err := recipe.Train(t.Context(), env(dir), dir, k, corners("train", 12, 1), corners("test", 3, 1))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: left a run directory behind", c.want)
		}
	}
}

// A report describes the run that it was made from, for networks with and
// without spikes, pictures in grey and in colour, with and without mistakes.
func TestSections(t *testing.T) {
	relabelled := func(s *data.Set) *data.Set { s.Labels[1], s.Labels[5] = 2, 0; return s }
	for _, c := range []struct {
		name    string
		test    *data.Set
		change  func(*model.Config)
		figures []int // of each section
		text    []string
	}{
		{"grey", corners("test", 24, 1), func(*model.Config) {}, []int{2, 1, 3, 0},
			[]string{"Every sample was classified correctly.", "first test sample in 3 steps", "they chose nothing"}},
		{"mistakes", relabelled(corners("test", 24, 1)), func(*model.Config) {}, []int{2, 2, 3, 0},
			[]string{"Samples that are misclassified: 2 of 24."}},
		{"colour", relabelled(corners("test", 24, 3)), func(*model.Config) {}, []int{1, 2, 3, 0},
			[]string{"Samples that are misclassified: 2 of 24."}},
		{"spiking input", corners("test", 24, 1), func(c *model.Config) { c.Encoder, c.Steps = encode.Poisson{Scale: 1}, 6 }, []int{2, 1, 3, 0},
			[]string{"in 6 steps"}},
		{"chosen", corners("test", 24, 1), func(c *model.Config) { c.Valid, c.WatchTest = 0.2, false }, []int{2, 1, 3, 0},
			[]string{"the best on the validation samples (accuracy "}},
		{"no spikes", corners("test", 24, 1), func(c *model.Config) {
			c.Steps = 1
			*c = changed(*c, func(r *bptt.Rule) {
				r.Loss = []bptt.Term{{Loss: loss.MembraneCrossEntropy{}}}
				r.Layers = network.Chain(layer.Flatten{}, layer.Linear{Out: 8}, layer.ReLU{}, layer.Linear{Out: 3}, layer.Readout{Beta: 0.5})
			})
		}, []int{1, 1, 0, 0}, []string{"The network has no spiking layer."}},
		{"branches", corners("test", 24, 1), func(c *model.Config) {
			*c = changed(*c, func(r *bptt.Rule) {
				r.Layers = []network.Node{{Layer: layer.Flatten{}}, {Layer: layer.Linear{Out: 8}}, {Name: "a", Layer: layer.ReLU{}},
					{Layer: layer.Linear{Out: 8}, Inputs: []string{"flatten1"}}, {Layer: layer.Add{}, Inputs: []string{network.Previous, "a"}},
					{Layer: layer.Recurrent{Neuron: neuron.LIF{Beta: 0.9, Threshold: 0.5}, Surrogate: surrogate.FastSigmoid{Slope: 5}}},
					{Layer: layer.Linear{Out: 3}}, {Layer: layer.Readout{Beta: 0.5}}}
				r.Loss = []bptt.Term{{Loss: loss.MembraneCrossEntropy{}}}
			})
		}, []int{1, 1, 2, 0}, []string{"in 3 steps"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := config()
			k.Epochs = 3
			c.change(&k)
			r := trained(t, env(t.TempDir()), k, corners("train", 60, c.test.Shape[2]), c.test)
			sections, err := r.Sections(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var titles, all []string
			for i, s := range sections {
				titles, all = append(titles, s.Title), append(all, s.Text)
				for _, f := range s.Figures {
					all = append(all, f.Caption)
				}
				if len(s.Figures) != c.figures[i] {
					t.Errorf("%s: %d figures, want %d", s.Title, len(s.Figures), c.figures[i])
				}
			}
			if got := strings.Join(titles, ", "); got != "Learning, On the test samples, Activity, Network" {
				t.Errorf("sections %s", got)
			}
			for _, want := range c.text {
				if !strings.Contains(strings.Join(all, "\n"), want) {
					t.Errorf("no %q in %q", want, all)
				}
			}
			log, net := sections[0].Tables[0], sections[3].Tables[0].Rows
			of, value := "test accuracy", r.Result.Test.Value("accuracy")
			if k.Valid > 0 {
				of, value = "validation accuracy", r.Epochs[2].Valid["accuracy"]
			}
			at := slices.Index(log.Head, of)
			if len(log.Rows) != 3 || log.Rows[2][0] != "3" || at < 0 || log.Rows[2][at] != fmt.Sprintf("%.2f %%", value) || log.Rows[2][len(log.Head)-1] != "1.0 s" {
				t.Errorf("table of epochs %v", log)
			}
			params := 0
			for _, p := range r.Network().Params() {
				params += len(p.Value.Data)
			}
			layers := len(k.Rule.(bptt.Rule).Layers)
			if len(net) != layers+1 || net[layers][2] != fmt.Sprint(params) {
				t.Errorf("table of nodes %v, want %d and the sum %d", net, layers, params)
			}
			if right := sections[3].Tables[0].Right; !slices.Equal(right, []bool{false, false, true}) { // numbers alone
				t.Errorf("columns of the table of nodes %v", right)
			}
			if curves := string(sections[0].Figures[0].SVG); !strings.Contains(curves, ">3.0<") || strings.Contains(curves, ">3.5<") {
				t.Errorf("the axis of the curves does not end with 3 epochs: %s", curves)
			}
			page := report.Page{Title: c.name, Sections: sections, Config: string(r.YAML)}
			if html, err := page.HTML(); err != nil || len(html) > 300_000 {
				t.Errorf("page of %d bytes, %v", len(html), err)
			}
		})
	}
}

// The figures of activity show the network as it was tested: its answer to the
// first image, and membranes that cross their threshold where they spike and
// nowhere else.
func TestTrace(t *testing.T) {
	r := trained(t, env(t.TempDir()), config(), corners("train", 60, 1), corners("test", 24, 1))
	layers, traces, err := recipe.Trace(r, t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(layers) != 2 || layers[0].Name != "spiking1" || layers[0].Units != 2*2*4 || layers[1].Units != 3 || layers[1].Steps != 3 || len(traces) != 4 {
		t.Fatalf("layers %+v, %d traces", layers, len(traces))
	}
	counts := make([]tensor.Float, 3)
	for i, v := range layers[1].Values {
		counts[i%3] += tensor.Float(v)
	}
	for _, m := range r.Result.Test.Classes().Wrong {
		if m.Sample == 0 {
			t.Fatal("the first test image is misclassified: choose another seed")
		}
	}
	if best := loss.Best(counts); best != corners("test", 24, 1).Labels[0] || counts[best] == 0 {
		t.Errorf("output spikes %v, the test found class %d", counts, corners("test", 24, 1).Labels[0])
	}
	spikes := 0
	for _, tr := range traces {
		for i, v := range tr.V {
			if slices.Contains(tr.Spikes, i) != (v >= tr.Threshold) || tr.Threshold != 0.5 {
				t.Errorf("%s: membrane %v at step %d, threshold %v, spikes at %v", tr.Name, v, i, tr.Threshold, tr.Spikes)
			}
		}
		spikes += len(tr.Spikes)
	}
	if spikes == 0 {
		t.Error("the most active neurons are silent")
	}
}

// Neurons that fire at some steps tell most, ones that always fire less, and
// silent ones nothing; the first of equals is shown.
func TestMostActive(t *testing.T) {
	l := figure.Layer{Steps: 3, Units: 5, Values: []float64{
		0, 1, 1, 0, 1,
		0, 1, 0, 1, 1,
		0, 1, 0, 0, 0,
	}}
	if got := recipe.MostActive(l, 9); !slices.Equal(got, []int{4, 2, 3, 1, 0}) {
		t.Errorf("order %v, want 4 2 3 1 0", got)
	}
	if got := recipe.MostActive(l, 2); !slices.Equal(got, []int{4, 2}) {
		t.Errorf("first two %v, want 4 2", got)
	}
}

// A cancelled run says so, keeps its state and can be continued.
func TestTrainCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	_, err := recipe.Train(ctx, env(dir), dir, config(), corners("train", 12, 1), corners("test", 3, 1))
	if err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Fatalf("%v, want an interruption", err)
	}
	e := env(dir)
	e.Resume = true
	if r := trained(t, e, config(), corners("train", 12, 1), corners("test", 3, 1)); len(r.Epochs) != 2 {
		t.Errorf("continued to %d epochs, want 2", len(r.Epochs))
	}
}
