package bptt_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"synfire/data"
	"synfire/format/safetensors"
	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/model"
	"synfire/network"
	"synfire/rule/bptt"
	"synfire/snntest"
	"synfire/tensor"
	"synfire/train"
)

// networkOf is the network that a loop trains.
func networkOf(l *train.Loop) *network.Network { return l.Learner.(*bptt.Learner).Network() }

// Two epochs give the same weights on any number of threads, and with windows
// of any length.
func TestSameBits(t *testing.T) {
	want := end(t, loop(t, config(t, small), nil))
	for _, threads := range []int{2, 3, 8} {
		pool := par.New(threads)
		if got := end(t, loop(t, config(t, small), pool)); !reflect.DeepEqual(got, want) {
			t.Errorf("%d threads: other weights than one thread", threads)
		}
		pool.Close()
	}
	for _, window := range []int{1, 3} {
		c := config(t, small, func(r *bptt.Rule) { r.Window = window })
		if got := end(t, loop(t, c, nil)); !reflect.DeepEqual(got, want) {
			t.Errorf("window of %d steps: other weights than one window", window)
		}
	}
	c := config(t, small)
	c.Seed = 2
	if reflect.DeepEqual(end(t, loop(t, c, nil)), want) {
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
	plain := loop(t, config(t, small), nil)
	openDir(t, plain, t.TempDir(), false)
	want := end(t, plain)
	wantMetrics := metrics(t, plain)
	for _, after := range []int{1, 7, 13, 14, 26} {
		path := t.TempDir()
		first := loop(t, config(t, small), nil)
		openDir(t, first, path, false)
		ctx, cancel := context.WithCancel(context.Background())
		first.Observer = &stop{after: after, cancel: cancel}
		if _, err := first.Run(ctx); !errors.Is(err, train.ErrInterrupted) {
			t.Fatalf("after %d steps: %v, want an interruption", after, err)
		}
		first.Dir.Close()
		second := loop(t, config(t, small), nil)
		openDir(t, second, path, true)
		if got := end(t, second); !reflect.DeepEqual(got, want) {
			t.Errorf("interrupted after %d steps: other weights", after)
		}
		if got := metrics(t, second); got != wantMetrics {
			t.Errorf("interrupted after %d steps: metrics\n%s\nwant\n%s", after, got, wantMetrics)
		}
	}
}

// metrics is the file of a loop's directory.
func metrics(t *testing.T, l *train.Loop) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(l.Dir.Path, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A state of another network is refused and changes nothing.
func TestWrongState(t *testing.T) {
	l := loop(t, config(t, small), nil)
	before := l.Learner.State()
	other := loop(t, config(t, strings.Replace(small, "out: 7", "out: 8", 1)), nil)
	if err := l.Learner.SetState(other.Learner.State()); err == nil || !strings.Contains(err.Error(), "shape") {
		t.Errorf("state of another network: %v", err)
	}
	if err := l.Learner.SetState(map[string]train.Array{"optim.step": safetensors.U64([]uint64{1}, 1)}); err == nil {
		t.Error("empty state accepted")
	}
	more := l.Learner.State()
	more["param.conv2d9.weight"] = more["param.conv2d2.weight"]
	if err := l.Learner.SetState(more); err == nil || !strings.Contains(err.Error(), "another configuration") {
		t.Errorf("a state with an array too many: %v", err)
	}
	if !reflect.DeepEqual(before, l.Learner.State()) {
		t.Error("a refused state changed the learner")
	}
}

// Weights that are not finite stop the run, and the error names step and place.
func TestNonFinite(t *testing.T) {
	l := loop(t, config(t, small), nil)
	networkOf(l).Params()[2].Value.Data[0] = tensor.Float(math.NaN())
	l.Learner.(*bptt.Learner).Refresh()
	_, err := l.Run(context.Background())
	if err == nil || !strings.Contains(err.Error(), "epoch 1, step 1") || !strings.Contains(err.Error(), "conv2d2") {
		t.Errorf("a weight that is no number: %v, want an error that names the step and the node", err)
	}
}

// pinned has all that changes from step to step or from sample to sample: clipping,
// the rise of the rate, masks of dropout, augmentation, and samples whose place in the
// training set is not their number.
const pinned = `
seed: 3
data: {npz: own, holdout: 0.2, augment: {kind: shift, pixels: 1}}
steps: 5
batch: 7
epochs: 3
valid: 0
layers:
  - flatten
  - {kind: linear, out: 20}
  - {kind: spiking, surrogate: {kind: fast-sigmoid, slope: 5}}
  - {kind: dropout, rate: 0.3}
  - {kind: linear, out: 3}
  - readout
loss: membrane-cross-entropy
optimizer: {kind: adam, lr: 0.01}
schedule: {kind: cosine, warmup: 4}
clip: 0.5
`

// corners is 60 images of 6×6 pixels, one of whose first three corners is bright,
// which is the class.
func corners() *data.Set {
	s := &data.Set{Name: "npz:own", Split: "all", Classes: []string{"a", "b", "c"}, Shape: tensor.Shape{6, 6, 1}}
	for i := range 60 {
		label := i % 3
		for y := range 6 {
			for x := range 6 {
				p := uint8((i*31 + y*17 + x*7) % 41)
				if x/3 == label%2 && y/3 == label/2 {
					p += 215
				}
				s.Images = append(s.Images, p)
			}
		}
		s.Labels = append(s.Labels, label)
	}
	return s
}

// The weights at the end of a small run, to the bit, as they were in the first
// version: clipping the first gradient alone, a schedule one step early, one mask of
// dropout for all epochs and augmentation by place each give others.
func TestPinnedWeights(t *testing.T) {
	if snntest.DoublePrecision() || kernel.Current() == kernel.Go {
		t.Skip("the bits are those of single precision with vector instructions")
	}
	for name, c := range map[string]struct {
		sets func(c model.Config) (model.Config, model.Sets)
		file string
		want string
	}{
		"own":    {func(c model.Config) (model.Config, model.Sets) { return preparedFor(t, c, corners(), nil) }, pinned, "93b1b1c809dad99e"},
		"digits": {func(c model.Config) (model.Config, model.Sets) { return prepared(t, c) }, small, "ea8c4dc37a6f0203"},
	} {
		cfg, sets := c.sets(config(t, c.file))
		l := loopFor(t, cfg, sets, nil)
		end(t, l)
		h := sha256.New()
		for _, p := range networkOf(l).Params() {
			for _, v := range p.Value.Data {
				if err := binary.Write(h, binary.LittleEndian, math.Float32bits(float32(v))); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := hex.EncodeToString(h.Sum(nil)[:8]); got != c.want {
			t.Errorf("%s: weights of sum %s, want %s", name, got, c.want)
		}
	}
}

// A setting whose samples the encoder can not read makes no network, without a word.
func TestNetworkOfAWrongSetting(t *testing.T) {
	c, sets := prepared(t, config(t, small))
	s := c.Setting(sets, nil)
	s.Spec.Events, s.Spec.Steps = true, 4
	net, err := c.Rule.(bptt.Rule).Network(s)
	if err == nil || net != nil || !strings.Contains(err.Error(), "bptt: the data") {
		t.Errorf("%v, %v", net, err)
	}
}

// A parameter that its layer cannot compute with ends training by an error that names the node.
func TestScaleBelowZero(t *testing.T) {
	const staircase = `
data: {name: mnist-sample, train: 200, test: 100}
encoder: constant
steps: 1
batch: 16
epochs: 2
valid: 0
layers:
  - flatten
  - {kind: linear, out: 10}
  - {kind: qcfs, levels: 4, init: 0.5}
  - {kind: linear, out: 10}
optimizer: {kind: sgd, lr: 0.5, decay: 3, decay-biases: true}
`
	_, err := loop(t, config(t, staircase), nil).Run(context.Background())
	if err == nil || !strings.Contains(err.Error(), `node "qcfs1": its scale has become`) || !strings.Contains(err.Error(), "decay-biases: false") {
		t.Errorf("%v, want an error that names the node and what to try", err)
	}
}
