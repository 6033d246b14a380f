package examples_test

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"synfire/catalog"
	"synfire/data"
	"synfire/exchange/nir"
	"synfire/internal/par"
	"synfire/modelfile"
	"synfire/network"
	"synfire/signal"
	"synfire/snntest"
	"synfire/surrogate"
	"synfire/tensor"
)

// notNIR are the examples that a NIR file cannot carry, and what is said of them.
var notNIR = map[string]string{
	"ann": "max-pool has no counterpart", "cnn": "max-pool has no counterpart", "concat": "max-pool has no counterpart", "fashion-cnn": "max-pool has no counterpart",
	"autoencoder": "upsample has no counterpart", "own-stdb-ann": "relu has no counterpart", "own-stbp": "neu-norm has no counterpart",
	"max-count": "max-count has no counterpart", "counting": "counting has no counterpart", "signed": "signed has no counterpart", "own-qcfs": "batch-norm has no counterpart", "attention": "clip has no counterpart", "own-convert": "batch-norm has no counterpart",
	"residual": "batch-norm has no counterpart", "depthwise": "batch-norm has no counterpart", "cifar": "batch-norm has no counterpart",
	"alif": "alif has no counterpart", "own-sounds": "alif has no counterpart", "own-stdb": "stdb has no counterpart", "own-joint": "stdb has no counterpart",
	"own-eqprop": "is no network of layers", "own-eqprop-predictor": "is no network of layers", "own-superspike": "is no network of layers",
	"own-spikeprop": "is no network of layers", "own-spikeprop-several": "is no network of layers", "own-tempotron": "is no network of layers", "own-precise": "is no network of layers", "own-mostafa": "is no network of layers", "own-dbn": "is no network of layers", "own-event-cd": "is no network of layers", "own-bp-stdp": "is no network of layers",
	"own-s4nn": "is no network of layers", "own-stdp": "is no network of layers", "own-diehl-cook": "is no network of layers", "own-querlioz": "is no network of layers", "own-stdp-conv": "is no network of layers", "own-spikegrad": "is no network of layers",
	"vgg-fast": "relu has no counterpart", "resnet20": "batch-norm has no counterpart", "own-detect": "batch-norm has no counterpart", "vgg": "batch-norm has no counterpart",
}

// folded are those that it carries once batch-norms are part of the maps before them, or why not.
var folded = map[string]string{
	"resnet20": "relu has no counterpart", "vgg": "relu has no counterpart", "residual": "", "cifar": "",
	"own-convert": "relu has no counterpart", "own-qcfs": "qcfs has no counterpart", "depthwise": "rounds its steps otherwise",
}

// fresh is the network of an example before it learns.
func fresh(t *testing.T, name string, src []byte) (network.Graph, error) {
	t.Helper()
	c := small(t, name, src)
	trainSet, testSet, err := catalog.Default().Load(t.Context(), c.Data, data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, sets, err := c.Prepare(t.Context(), trainSet, testSet)
	if err != nil {
		t.Fatal(err)
	}
	pool := par.New(1)
	defer pool.Close()
	learner, err := c.Rule.Learner(c.Setting(sets, pool))
	if err != nil {
		t.Fatal(err)
	}
	text, err := catalog.Default().Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	f := modelfile.File{Rule: catalog.Default().RuleName(c.Rule), Config: text, Spec: &sets.Spec, Arrays: learner.Model(), Finished: true}
	m, err := catalog.Default().FromFile(&f, catalog.OpenOptions{})
	if err != nil {
		return network.Graph{}, err
	}
	return m.Graph()
}

// spikesOf are the outputs of a network for one input, by name.
func spikesOf(t *testing.T, g network.Graph, in *signal.Signal) map[string][]tensor.Float {
	t.Helper()
	n, err := g.Build(0)
	if err != nil {
		t.Fatal(err)
	}
	return snntest.Outputs(t, n, in, nil)
}

// Each example that a NIR file can carry gives the same bits after export and import.
func TestExamplesThroughNIR(t *testing.T) {
	if snntest.DoublePrecision() {
		t.Skip("bits come back in single precision")
	}
	carried := 0
	for name, src := range files(t) {
		g, err := fresh(t, name, src)
		var file *nir.Graph
		var o nir.Options
		if err == nil {
			file, o, _, err = nir.Raise(g, nir.Options{DT: 0.001})
		}
		if why, ok := notNIR[name]; ok || err != nil {
			if err == nil || !ok || !strings.Contains(err.Error(), why) {
				t.Errorf("%s: %v, want %q", name, err, why)
			}
			fold, ok := folded[name]
			if !ok {
				continue
			}
			if g, _, err = (network.FoldBatchNorm{}).Apply(t.Context(), g, nil); err != nil {
				t.Fatal(err)
			}
			if file, o, _, err = nir.Raise(g, nir.Options{DT: 0.001}); err != nil {
				if fold == "" || !strings.Contains(err.Error(), fold) {
					t.Errorf("%s, folded: %v, want %q", name, err, fold)
				}
				continue
			}
		}
		carried++
		path := filepath.Join(t.TempDir(), name+".nir")
		if err := nir.Write(path, file); err != nil {
			t.Fatal(err)
		}
		if file, err = nir.Read(path); err != nil {
			t.Fatal(err)
		}
		o.Surrogate = surrogate.FastSigmoid{Slope: 25}
		back, _, err := file.Lower(o)
		if err != nil {
			t.Fatal(err)
		}
		var in signal.Signal
		in.Reset(signal.Dense, 10, 1, g.Input)
		m := rand.New(rand.NewPCG(1, 2))
		for i := range in.Data {
			in.Data[i] = tensor.Float(4 * m.Float64() * m.Float64())
		}
		want := spikesOf(t, g, &in)
		in.Shape = back.Input
		got := spikesOf(t, back, &in)
		for out, x := range want {
			if !slices.Equal(x, got[out]) {
				t.Errorf("%s: output %s is not the same", name, out)
			}
		}
	}
	if carried < 5 {
		t.Errorf("%d examples were carried", carried)
	}
}
