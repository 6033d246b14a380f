package train_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/data/mnist"
	"synfire/format/safetensors"
	"synfire/internal/par"
	"synfire/layer"
	"synfire/model"
	"synfire/network"
	"synfire/neuron"
	"synfire/surrogate"
	"synfire/tensor"
	"synfire/train"
)

// small is a configuration that trains in a blink.
func small() model.Config {
	c := model.NewConfig()
	spiking := layer.Spiking{Neuron: neuron.LIF{Beta: 0.9, Threshold: 1}, Surrogate: surrogate.FastSigmoid{Slope: 5}}
	c.Data = model.Data{Name: mnist.SampleName, Train: 200, Test: 100, Augment: []data.Augment{data.Shift{Max: 1}}}
	c.Steps, c.Batch, c.Epochs = 4, 16, 2
	c.Layers = network.Chain(
		layer.Conv2D{Out: 5, Kernel: []int{5}, Stride: []int{2}}, spiking, layer.MaxPool{Size: 2},
		layer.Conv2D{Out: 7, Kernel: []int{3}, Padding: []int{1}}, spiking, layer.Flatten{}, layer.Linear{Out: 10}, spiking,
	)
	return c
}

func loop(t testing.TB, c model.Config, pool *par.Pool) *train.Loop {
	t.Helper()
	tr, te := mnist.Sample()
	l, err := train.NewLoop(c, tr, te, pool)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func run(t testing.TB, l *train.Loop) map[string]train.Array {
	t.Helper()
	if _, err := l.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return l.Learner.State()
}

func openDir(t testing.TB, path string, resume bool) *train.RunDir {
	t.Helper()
	yaml, err := model.Default().Encode(small())
	if err != nil {
		t.Fatal(err)
	}
	d, err := train.OpenRunDir(path, train.KindBPTT, yaml, resume)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Two epochs give the same weights on any number of threads, and with windows
// of any length.
func TestSameBits(t *testing.T) {
	want := run(t, loop(t, small(), nil))
	for _, threads := range []int{2, 3, 8} {
		pool := par.New(threads)
		if got := run(t, loop(t, small(), pool)); !reflect.DeepEqual(got, want) {
			t.Errorf("%d threads: other weights than one thread", threads)
		}
		pool.Close()
	}
	for _, window := range []int{1, 3} {
		c := small()
		c.Window = window
		if got := run(t, loop(t, c, nil)); !reflect.DeepEqual(got, want) {
			t.Errorf("window of %d steps: other weights than one window", window)
		}
	}
	c := small()
	c.Seed = 2
	if reflect.DeepEqual(run(t, loop(t, c, nil)), want) {
		t.Error("another seed gives the same weights")
	}
}

// stop cancels a run after a number of steps.
type stop struct {
	train.None
	after  int
	cancel context.CancelFunc
}

func (s *stop) Step(int, int, int, train.Metrics) {
	if s.after--; s.after == 0 {
		s.cancel()
	}
}

// A run that is interrupted after any step and resumed ends like one that is not.
func TestInterruptAndResume(t *testing.T) {
	plain := loop(t, small(), nil)
	plain.Dir = openDir(t, t.TempDir(), false)
	want := run(t, plain)
	wantMetrics := metrics(t, plain.Dir)
	for _, after := range []int{1, 7, 13, 14, 26} {
		path := t.TempDir()
		first := loop(t, small(), nil)
		first.Dir = openDir(t, path, false)
		ctx, cancel := context.WithCancel(context.Background())
		first.Observer = &stop{after: after, cancel: cancel}
		if _, err := first.Run(ctx); !errors.Is(err, train.ErrInterrupted) {
			t.Fatalf("after %d steps: %v, want an interruption", after, err)
		}
		first.Dir.Close()
		second := loop(t, small(), nil)
		second.Dir = openDir(t, path, true)
		if got := run(t, second); !reflect.DeepEqual(got, want) {
			t.Errorf("interrupted after %d steps: other weights", after)
		}
		if got := metrics(t, second.Dir); got != wantMetrics {
			t.Errorf("interrupted after %d steps: metrics\n%s\nwant\n%s", after, got, wantMetrics)
		}
	}
}

func metrics(t *testing.T, d *train.RunDir) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(d.Path, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A damaged newest checkpoint is passed over for the one before it, with the
// same end; where all are damaged, the error says what to do.
func TestDamagedCheckpoints(t *testing.T) {
	plain := loop(t, small(), nil)
	plain.SaveEvery = 5
	plain.Dir = openDir(t, t.TempDir(), false)
	want := run(t, plain)
	names, err := filepath.Glob(filepath.Join(plain.Dir.Path, "checkpoints", "step-*"))
	if err != nil || len(names) != 2 {
		t.Fatalf("checkpoints %v, %v; want the last two", names, err)
	}
	if _, err := train.ReadCheckpoint(plain.Dir.Best()); err != nil {
		t.Errorf("best checkpoint: %v", err)
	}
	plain.Dir.Close()

	damage(t, names[1], func(b []byte) []byte { return b[:len(b)/2] })
	again := loop(t, small(), nil)
	again.Dir = openDir(t, plain.Dir.Path, true)
	if got := run(t, again); !reflect.DeepEqual(got, want) {
		t.Error("resumed from the older checkpoint: other weights")
	}
	again.Dir.Close()

	names, _ = filepath.Glob(filepath.Join(plain.Dir.Path, "checkpoints", "step-*"))
	for _, n := range names {
		damage(t, n, func(b []byte) []byte { b[len(b)-100] ^= 4; return b })
	}
	last := loop(t, small(), nil)
	last.Dir = openDir(t, plain.Dir.Path, true)
	if _, err := last.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "--out") {
		t.Errorf("all checkpoints damaged: %v, want an error that says what to do", err)
	}
}

func damage(t *testing.T, path string, f func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, f(b), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRunDirErrors(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path, false)
	if _, err := train.OpenRunDir(path, train.KindBPTT, d.Config, true); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("second process: %v", err)
	}
	l := loop(t, small(), nil)
	l.Dir = d
	run(t, l)
	d.Close()
	if _, err := train.OpenRunDir(path, train.KindBPTT, d.Config, false); err == nil || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("used directory: %v", err)
	}
	if _, err := train.OpenRunDir(path, train.KindBPTT, []byte("other"), true); err == nil || !strings.Contains(err.Error(), "differs") {
		t.Errorf("other configuration: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := train.OpenRunDir(filepath.Join(file, "run"), train.KindBPTT, nil, false); err == nil || !strings.Contains(err.Error(), "--out") {
		t.Errorf("directory that cannot be made: %v", err)
	}
}

// A state of another network is refused and changes nothing.
func TestWrongState(t *testing.T) {
	c := small()
	l := loop(t, c, nil)
	before := l.Learner.State()
	c.Layers = slices.Clone(c.Layers)
	c.Layers[3].Layer = layer.Conv2D{Out: 8, Kernel: []int{3}, Padding: []int{1}}
	if err := l.Learner.SetState(loop(t, c, nil).Learner.State()); err == nil || !strings.Contains(err.Error(), "shape") {
		t.Errorf("state of another network: %v", err)
	}
	if err := l.Learner.SetState(map[string]train.Array{"optim.step": safetensors.U64([]uint64{1}, 1)}); err == nil {
		t.Error("empty state accepted")
	}
	if !reflect.DeepEqual(before, l.Learner.State()) {
		t.Error("a refused state changed the learner")
	}
}

// Weights that are not finite stop the run, and the error names step and place.
func TestNonFinite(t *testing.T) {
	l := loop(t, small(), nil)
	p := l.Learner.(*train.BPTT).Network().Params()
	p[2].Value.Data[0] = tensor.Float(math.NaN())
	if err := l.Learner.SetState(l.Learner.State()); err != nil { // packs the weights anew
		t.Fatal(err)
	}
	_, err := l.Run(context.Background())
	if err == nil || !strings.Contains(err.Error(), "epoch 1, step 1") || !strings.Contains(err.Error(), "conv2d2") {
		t.Errorf("a weight that is no number: %v, want an error that names the step and the node", err)
	}
}
