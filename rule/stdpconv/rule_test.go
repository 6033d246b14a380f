package stdpconv

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/data/mnist"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/sample"
	"synfire/snntest"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// setting is for images of bars in two classes.
func setting(shape ...int) train.Setting {
	f := sample.Field{Name: sample.Label, Kind: sample.Class, Classes: []string{"lying", "standing"}}
	return train.Setting{
		Spec:  sample.Spec{Shape: shape, Targets: []sample.Field{f}},
		Steps: 6, Samples: 40, Batch: 10, Epochs: 2, Seed: 1, Tasks: []task.Binding{{Task: task.Classify{}}},
	}
}

// small has two stages, which change within a batch of ten.
func small(changes ...func(r *Rule)) Rule {
	r := NewRule()
	r.Filters, r.Window, r.Double = []int{3}, 7, 5
	r.Stages = []Stage{
		{Maps: 4, Kernel: 3, Threshold: 1.5, Winners: 2, Reach: 1, Pool: 2, Samples: 14},
		{Maps: 6, Kernel: 3, Threshold: 1.5, Winners: 2, Pool: 2, Samples: 22},
	}
	for _, change := range changes {
		change(&r)
	}
	return r
}

// bars are images with a bright bar that lies or stands, on a little noise.
func bars(s train.Setting, n int, seed uint64) *sample.Batch {
	src := rng.New(seed, "bars").Source()
	b := &sample.Batch{}
	b.Reset(&s.Spec, 0)
	h, w := s.Spec.Shape[0], s.Spec.Shape[1]
	channels := s.Spec.Size() / h / w
	for i := range n {
		x := make([]tensor.Float, s.Spec.Size())
		at := 1 + src.IntN(min(h, w)-2)
		for k := range x {
			if x[k] = tensor.Float(0.2 * src.Float64()); i%2 == 0 && k/channels/w == at || i%2 == 1 && k/channels%w == at {
				x[k] = tensor.Float(0.8 + 0.2*src.Float64())
			}
		}
		if err := b.Append(100*int(seed)+i, &sample.Sample{X: x, Targets: []sample.Target{{Class: i % 2}}}); err != nil {
			panic(err)
		}
	}
	return b
}

// The rule passes the checks of learning rules, of images with colours and without.
func TestConformance(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	for _, shape := range [][]int{{8, 7}, {8, 8, 3}} {
		s := setting(shape...)
		s.Pool = pool
		var batches []*sample.Batch
		for i := range 4 {
			batches = append(batches, bars(s, 10, uint64(i+1)))
		}
		snntest.Learner(t, small(func(r *Rule) { r.Readout.Labels = 25 }), s, batches...)
	}
}

// taught is a learner of all stages.
func taught(t *testing.T, r Rule, s train.Setting, batches ...*sample.Batch) *Learner {
	t.Helper()
	l, err := r.Learner(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if _, err := l.Step(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	return l.(*Learner)
}

// finish finishes a learner by the samples of a source.
func finish(t *testing.T, l *Learner, src sample.Source) {
	t.Helper()
	c, err := data.NewCursor(src, data.CursorOptions{Batch: 16})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Finish(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// changed names an array in which two states differ.
func changed(a, b map[string]train.Array) string {
	for name, x := range a {
		if !bytes.Equal(x.Data, b[name].Data) {
			return name
		}
	}
	return ""
}

// Weights, readout and answers are the same bits on one thread, two and three, and for any batches.
func TestThreadsAndBatches(t *testing.T) {
	trainSet, testSet := mnist.Sample()
	var want map[string]train.Array
	var said train.Prediction
	for k, batch := range []int{20, 20, 20, 7, 60} {
		pool := par.New([]int{1, 2, 3, 2, 2}[k])
		s := setting(28, 28, 1)
		s.Spec, s.Pool, s.Samples, s.Steps = trainSet.Spec(), pool, 60, 15
		first, err := sample.First(trainSet, 60)
		if err != nil {
			t.Fatal(err)
		}
		r := small(func(r *Rule) { r.Stages[0].Threshold, r.Stages[1].Threshold = 3, 3 })
		l := taught(t, r, s, read(t, first, batch)...)
		finish(t, l, first)
		p, err := l.Predict(t.Context(), read(t, must(sample.First(testSet, 25)), 25)[0])
		if err != nil {
			t.Fatal(err)
		}
		if k == 0 {
			want, said = l.State(), p
			continue
		}
		if name := changed(want, l.State()); name != "" {
			t.Errorf("on %d threads, in batches of %d, array %s is another", pool.Threads(), batch, name)
		}
		if !reflect.DeepEqual(p, said) {
			t.Errorf("on %d threads, in batches of %d, answers are others", pool.Threads(), batch)
		}
		pool.Close()
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// read is the samples of a source in order.
func read(t *testing.T, src sample.Source, batch int) (list []*sample.Batch) {
	t.Helper()
	c, err := data.NewCursor(src, data.CursorOptions{Batch: batch})
	if err != nil {
		t.Fatal(err)
	}
	for {
		b := &sample.Batch{}
		more, err := c.Next(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return list
		}
		list = append(list, b)
	}
}

// Stages learn so many samples each, one after another, and stand still before and after; the
// figures say which learns.
func TestStagesInTurn(t *testing.T) {
	s := setting(8, 8)
	l := taught(t, small(), s)
	var weights [2][]tensor.Float
	keep := func() {
		for k, layer := range l.Layers() {
			weights[k] = slices.Clone(layer.Weight)
		}
	}
	for i, want := range []struct {
		stage   float64
		changed [2]bool
		ready   bool
	}{{1, [2]bool{true, false}, false}, {1.6, [2]bool{true, true}, false}, {2, [2]bool{false, true}, false}, {2.4, [2]bool{false, true}, true}, {3, [2]bool{false, false}, true}} {
		keep()
		m, err := l.Step(t.Context(), bars(s, 10, uint64(i+1)))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := m.Mean(Learning); math.Abs(got-want.stage) > 1e-9 || l.Ready() != want.ready {
			t.Errorf("batch %d: stage %v, ready %v; want %+v", i, got, l.Ready(), want)
		}
		for k, layer := range l.Layers() {
			if moved := !slices.Equal(layer.Weight, weights[k]); moved != want.changed[k] {
				t.Errorf("batch %d: stage %d has changed: %v", i, k+1, moved)
			}
		}
		if i == 0 {
			sum := 0.0
			for _, w := range l.Layers()[0].Weight {
				sum += 4 * float64(w) * (1 - float64(w)) / float64(len(l.Layers()[0].Weight))
			}
			if got, _ := m.Mean(Unsettled); math.Abs(got-sum) > 1e-6 {
				t.Errorf("unsettled is %v, want %v", got, sum)
			}
			if got, _ := m.Mean(Winners); got < 1 || got > 2 {
				t.Errorf("%v winners a sample of at most two", got)
			}
		}
	}
	if l.Layers()[0].seen != 14 || l.Layers()[1].seen != 22 {
		t.Errorf("stages have seen %d and %d samples", l.Layers()[0].seen, l.Layers()[1].seen)
	}
}

// The readout learns evenly spaced samples, here 20 and 40 of 40 whose first half lies, and is
// dropped by the next step.
func TestFinish(t *testing.T) {
	s := setting(8, 8)
	b := &sample.Batch{}
	b.Reset(&s.Spec, 0)
	for class := range 2 {
		for i := range 20 {
			src := bars(s, 2, uint64(20*class+i))
			if err := b.Append(b.Len(), &sample.Sample{X: src.X[64*class:][:64], Targets: []sample.Target{{Class: class}}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	r := small(func(r *Rule) { r.Readout.Labels = 2 })
	l := taught(t, r, s, bars(s, 10, 1))
	var list []Example
	for _, i := range []int{19, 39} {
		w := l.Layers().Run(l.memory.front.Code(b.X[64*i:][:64], 8, 8, 1), make([]Pass, 2))
		list = append(list, Example{w.Active(false), i / 20})
	}
	want, err := r.Readout.Fit(t.Context(), list, l.memory.units, 2, rng.New(s.Seed, rng.Eval).Str("readout").Source())
	if err != nil {
		t.Fatal(err)
	}
	finish(t, l, &shown{s.Spec, b})
	if got := l.memory.readout; !slices.Equal(rounded(got.weight), rounded(want.weight)) || !slices.Equal(rounded(got.bias), rounded(want.bias)) || l.memory.labelled != 2 {
		t.Errorf("the readout of %d samples is not that of samples 20 and 40", l.memory.labelled)
	}
	if _, err := l.Step(t.Context(), bars(s, 10, 2)); err != nil || l.Finished() {
		t.Errorf("%v, finished after a step: %v", err, l.Finished())
	}
	if _, err := l.Predict(t.Context(), b); err == nil || !strings.Contains(err.Error(), "the readout has learned nothing yet") {
		t.Errorf("answers without a readout: %v", err)
	}
}

// shown is a source of the samples of a batch.
type shown struct {
	spec sample.Spec
	b    *sample.Batch
}

func (s *shown) Spec() sample.Spec                      { return s.spec }
func (s *shown) Len() int                               { return s.b.Len() }
func (s *shown) Index(i int) int                        { return s.b.Index[i] }
func (s *shown) Origin(int) string                      { return "a sample of the batch" }
func (s *shown) Target(i, f int) (sample.Target, error) { return s.b.Targets[f].At(i), nil }
func (s *shown) Read(_ context.Context, i int, x *sample.Sample) error {
	copy(x.X, s.b.X[i*len(x.X):])
	x.Targets = append(x.Targets, s.b.Targets[0].At(i))
	return nil
}

// Black images are silent: nothing learns, and they are named all the same.
func TestSilence(t *testing.T) {
	s := setting(8, 8)
	b := bars(s, 10, 1)
	clear(b.X)
	l := taught(t, small(), s)
	before := l.State()
	m, err := l.Step(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	silent, _ := m.Mean(Silent)
	winners, _ := m.Mean(Winners)
	if silent != 100 || winners != 0 || changed(map[string]train.Array{"stage1.weight": before["stage1.weight"]}, l.State()) != "" {
		t.Errorf("%v %% silent, %v winners", silent, winners)
	}
}

// Options that make no sense are errors that say what would.
func TestValidate(t *testing.T) {
	if err := small().Validate(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(r *Rule){
		"there are 0 filters":     func(r *Rule) { r.Filters = nil },
		"filters has 4":           func(r *Rule) { r.Filters = []int{3, 4} },
		"filters has 1":           func(r *Rule) { r.Filters = []int{1} },
		"least is NaN":            func(r *Rule) { r.Least = math.NaN() },
		"window is 8":             func(r *Rule) { r.Window = 8 },
		"plus is 0 and most":      func(r *Rule) { r.Plus = 0 },
		"plus is 0.2 and most":    func(r *Rule) { r.Plus = 0.2 },
		"most 2, want":            func(r *Rule) { r.Most = 2 },
		"minus is 7":              func(r *Rule) { r.Minus = 7 },
		"double is 0":             func(r *Rule) { r.Double = 0 },
		"there are 0 stages":      func(r *Rule) { r.Stages = nil },
		"stage 2: maps is 0":      func(r *Rule) { r.Stages[1].Maps = 0 },
		"stage 1: kernel is 0":    func(r *Rule) { r.Stages[0].Kernel = 0 },
		"stage 1: threshold is 0": func(r *Rule) { r.Stages[0].Threshold = 0 },
		"winners is 5 of 4 maps":  func(r *Rule) { r.Stages[0].Winners = 5 },
		"stage 2: reach is -1":    func(r *Rule) { r.Stages[1].Reach = -1 },
		"stage 2: pool is -1":     func(r *Rule) { r.Stages[1].Pool = -1 },
		"stage 2: samples is 0":   func(r *Rule) { r.Stages[1].Samples = 0 },
		"readout: labels is -1":   func(r *Rule) { r.Readout.Labels = -1 },
		"readout: passes is 0":    func(r *Rule) { r.Readout.Passes = 0 },
		"readout: lr is NaN":      func(r *Rule) { r.Readout.LR = math.NaN() },
	} {
		if err := small(change).Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// What a network cannot be made for is an error before it learns.
func TestRefusesSettings(t *testing.T) {
	for want, change := range map[string]func(r *Rule, s *train.Setting){
		"samples have shape 64, want images": func(r *Rule, s *train.Setting) { s.Spec.Shape = tensor.Shape{64} },
		"series rule bptt":                   func(r *Rule, s *train.Setting) { s.Spec.Steps = 3 },
		"events take rule stdp":              func(r *Rule, s *train.Setting) { s.Spec.Events, s.Spec.Duration = true, 1 },
		"choose data with classes": func(r *Rule, s *train.Setting) {
			s.Spec.Targets = []sample.Field{{Name: "y", Kind: sample.Values, Shape: tensor.Shape{1}}}
		},
		"steps is 0":             func(r *Rule, s *train.Setting) { s.Steps = 0 },
		"steps is 127":           func(r *Rule, s *train.Setting) { s.Steps = 127 },
		"stage 2: pool is 5":     func(r *Rule, s *train.Setting) { r.Stages[1].Pool = 5 },
		"36 samples together":    func(r *Rule, s *train.Setting) { s.Samples, s.Epochs = 12, 2 },
		"raise epochs to 3":      func(r *Rule, s *train.Setting) { s.Samples, s.Epochs = 12, 2 },
		"want up to 2²⁸ neurons": func(r *Rule, s *train.Setting) { s.Spec.Shape = tensor.Shape{1 << 14, 1 << 13} },
		"want up to 2²⁸ inputs":  func(r *Rule, s *train.Setting) { s.Spec.Shape = tensor.Shape{1 << 15, 1 << 15} },
		"want up to 2²⁸ weights; pool more": func(r *Rule, s *train.Setting) {
			s.Spec.Shape, r.Stages = tensor.Shape{1 << 13, 1 << 11}, r.Stages[:1]
			r.Stages[0].Pool, s.Spec.Targets[0].Classes = 1, make([]string, 5)
		},
	} {
		r, s := small(), setting(8, 8)
		change(&r, &s)
		if _, err := r.Learner(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := small().Learner(setting(8, 8)); err != nil {
		t.Error(err)
	}
}

// Batches that do not fit are errors that change nothing.
func TestRefusesBatches(t *testing.T) {
	s := setting(8, 8)
	for want, change := range map[string]func(b *sample.Batch){
		"want images of 8×8 pixels":                               func(b *sample.Batch) { b.X = b.X[:64] },
		"value 3 of sample 101 is 1.5, want brightness in [0, 1]": func(b *sample.Batch) { b.X[67] = 1.5 },
		"value 0 of sample 100 is NaN":                            func(b *sample.Batch) { b.X[0] = tensor.Float(math.NaN()) },
		"sample 103 has class 2 of 2":                             func(b *sample.Batch) { b.Targets[0].Class[3] = 2 },
	} {
		l := taught(t, small(), s)
		before, b := l.State(), bars(s, 10, 1)
		change(b)
		if _, err := l.Step(t.Context(), b); err == nil || !strings.Contains(err.Error(), want) || changed(before, l.State()) != "" {
			t.Errorf("%v, want %q", err, want)
		}
	}
	l := taught(t, small(func(r *Rule) { r.Readout.LR = 1e6; r.Readout.Passes = 50 }), s)
	if err := l.memory.know(&Linear{2, []float64{math.Inf(1)}, nil}, 1); err == nil || !strings.Contains(err.Error(), "lower readout.lr") || l.Finished() {
		t.Errorf("a readout of infinite weights: %v", err)
	}
}

// Warnings tell of epochs in which nothing is learned, and of stages whose rate stays low.
func TestWarnings(t *testing.T) {
	for want, change := range map[string]func(r *Rule, s *train.Setting){
		"":                                 func(r *Rule, s *train.Setting) {},
		"their 36 samples in epoch 1 of 3": func(r *Rule, s *train.Setting) { s.Epochs = 3 },
		"stage 1 ends at a rate of 0.004":  func(r *Rule, s *train.Setting) { r.Double, r.Stages[1].Samples = 14, 66; s.Epochs = 3 },
	} {
		r, s := small(func(r *Rule) { r.Double = 2 }), setting(8, 8)
		s.Samples, s.Epochs = 36, 1
		change(&r, &s)
		l := taught(t, r, s)
		if got := l.Warnings(); want == "" && len(got) > 0 || want != "" && !strings.Contains(fmt.Sprint(got), want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Learned from 300 digits of the sample of MNIST, the network names more than 40 % of 200 others, where
// chance is a tenth; weights go towards 0 and 1.
func TestDigits(t *testing.T) {
	pool := par.New(0)
	defer pool.Close()
	trainSet, testSet := mnist.Sample()
	learn, test := must(sample.Spaced(trainSet, 300)), must(sample.Spaced(testSet, 200))
	s := setting(28, 28, 1)
	s.Spec, s.Pool, s.Steps, s.Samples = trainSet.Spec(), pool, 15, 300
	r := NewRule()
	r.Filters, r.Double = []int{3, 7}, 20
	r.Stages = []Stage{
		{Maps: 12, Kernel: 5, Threshold: 10, Winners: 4, Reach: 3, Pool: 2, Samples: 200},
		{Maps: 40, Kernel: 3, Threshold: 5, Winners: 5, Reach: 1, Pool: 3, Samples: 400},
	}
	l := taught(t, r, s)
	first := [2]float64{l.Layers()[0].Unsettled(), l.Layers()[1].Unsettled()}
	for range 2 {
		for _, b := range read(t, learn, 50) {
			if _, err := l.Step(t.Context(), b); err != nil {
				t.Fatal(err)
			}
		}
	}
	finish(t, l, learn)
	got, err := train.Evaluate(t.Context(), l, test, train.EvaluateOptions{Tasks: s.Tasks})
	if err != nil {
		t.Fatal(err)
	}
	if a, ok := got.Scalar("accuracy"); !ok || !(a.Value > 40) {
		t.Errorf("%v %% are right, want more than 40", a.Value)
	}
	for k, layer := range l.Layers() {
		if u := layer.Unsettled(); !(u < 0.7*first[k]) {
			t.Errorf("stage %d: unsettled from %v to %v", k+1, first[k], u)
		}
	}
}

// A plan names the stages and counts their weights.
func TestPlan(t *testing.T) {
	p, err := small().Plan(setting(8, 8))
	if err != nil {
		t.Fatal(err)
	}
	stage1, stage2, readout := 3*3*2*4, 3*3*4*6, (2*2*6+1)*2
	if p.Parameters != int64(stage1+stage2+readout) || len(p.Layers) != 3 || !p.Layers[1].Output.Equal(tensor.Shape{2, 2, 6}) || p.Train <= p.Weights {
		t.Errorf("%+v", p)
	}
	p, err = small(func(r *Rule) { r.Readout.Global = true }).Plan(setting(8, 8))
	if err != nil || p.Parameters != int64(stage1+stage2+(6+1)*2) {
		t.Errorf("%v: with a readout of maps %+v", err, p)
	}
}
