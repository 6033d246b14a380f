package task_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"synfire/data/mnist"
	"synfire/format/yaml"
	"synfire/model"
	"synfire/sample"
	"synfire/signal"
	"synfire/snntest"
	"synfire/spike"
	"synfire/task"
	"synfire/tensor"
	"synfire/train"
)

// classes is a target of k classes, called 0, 1, ….
func classes(k int) sample.Field {
	f := sample.Field{Name: "class", Kind: sample.Class}
	for i := range k {
		f.Classes = append(f.Classes, fmt.Sprint(i))
	}
	return f
}

// classified is a case of scores, a row a sample, and labels.
func classified(f sample.Field, first int, labels []int, scores ...[]tensor.Float) task.Case {
	c := task.Case{Target: &sample.Column{Field: &f, Class: labels}, First: first, Batch: &sample.Batch{Index: make([]int, len(labels))}}
	c.Output.Shape = tensor.Shape{len(f.Classes)}
	for _, s := range scores {
		c.Output.Scores = append(c.Output.Scores, s...)
	}
	return c
}

// course is a case of values: signal [T][B·K], and targets. Scores are the last step.
func course(f sample.Field, spec *sample.Spec, b, k int, steps [][]tensor.Float, values ...tensor.Float) task.Case {
	s := &signal.Signal{}
	s.Reset(signal.Dense, len(steps), b, tensor.Shape{k})
	for t, row := range steps {
		copy(s.Data[t*b*k:], row)
	}
	return task.Case{
		Output: task.Output{Shape: tensor.Shape{k}, Signal: s, Scores: steps[len(steps)-1]},
		Target: &sample.Column{Field: &f, Values: values}, Batch: &sample.Batch{Spec: spec, Index: make([]int, b)},
	}
}

func add(t *testing.T, s task.Score, cases ...task.Case) {
	t.Helper()
	for _, c := range cases {
		if err := s.Add(c); err != nil {
			t.Fatal(err)
		}
	}
}

// scalars fails unless a score has these figures, written as by show.
func scalars(t *testing.T, s task.Score, want ...string) {
	t.Helper()
	var got []string
	for _, v := range s.Scalars() {
		text := fmt.Sprintf("%s=%.10g%s %s", v.Name, v.Value, v.Unit, v.Better)
		if v.Why != "" {
			text = fmt.Sprintf("%s: %s", v.Name, v.Why)
		}
		got = append(got, text)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

// Three classes, eight samples: by hand the answers are 0 1 1 2 2 0 0 1.
func TestClassify(t *testing.T) {
	s := task.Classify{Top: []int{2}}.Score(classes(3)).(*task.Classes)
	add(t, s, classified(classes(3), 0, []int{0, 0, 1, 2},
		[]tensor.Float{3, 2, 1}, // 0, right
		[]tensor.Float{2, 3, 1}, // 1, and 0 is second
		[]tensor.Float{0, 1, 0}, // 1, right
		[]tensor.Float{0, 0, 1}, // 2, right
	), classified(classes(3), 4, []int{1, 1, 2, 1},
		[]tensor.Float{0, 1, 2}, // 2, and 1 is second
		[]tensor.Float{1, 1, 1}, // ties: 0, and 1 is the second of equals
		[]tensor.Float{1, 1, 1}, // ties: 0, and 2 is the third
		[]tensor.Float{0, 4, 4}, // ties: 1, right
	))
	scalars(t, s, "accuracy=50% higher", "top2=87.5% higher")
	if got := fmt.Sprint(s.Confusion); got != "[[1 1 0] [1 2 1] [1 0 1]]" {
		t.Errorf("confusion %s", got)
	}
	if got := fmt.Sprint(s.Wrong); got != "[{1 0 1} {4 1 2} {5 1 0} {6 2 0}]" {
		t.Errorf("mistakes %s", got)
	}
	want := [][4]float64{{1. / 3, 1. / 2, 2. / 5, 2}, {2. / 3, 2. / 4, 4. / 7, 4}, {1. / 2, 1. / 2, 1. / 2, 2}}
	for i, f := range s.PerClass() {
		if got := [4]float64{*f.Precision, *f.Recall, *f.F1, float64(f.N)}; got != want[i] {
			t.Errorf("class %d: %v, want %v", i, got, want[i])
		}
	}
	if s.Right() != 4 || s.Accuracy() != 50 || fmt.Sprint(s.Confused(2)) != "[0 → 1: 1 1 → 0: 1]" {
		t.Errorf("%d right, %v %%, %q", s.Right(), s.Accuracy(), s.Confused(2))
	}
}

// A class that was never answered has no precision, one without samples no recall, and
// one with neither no F1.
func TestClassifyUndefinedFigures(t *testing.T) {
	s := task.Classify{}.Score(classes(4)).(*task.Classes)
	add(t, s, classified(classes(4), 0, []int{0, 1}, []tensor.Float{1, 0, 0, 0}, []tensor.Float{0, 0, 1, 0}))
	var got []string
	for _, f := range s.PerClass() {
		b, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(b))
	}
	want := []string{
		`{"class":"0","precision":1,"recall":1,"f1":1,"n":1}`, `{"class":"1","precision":null,"recall":0,"f1":0,"n":1}`,
		`{"class":"2","precision":0,"recall":null,"f1":0,"n":0}`, `{"class":"3","precision":null,"recall":null,"f1":null,"n":0}`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}

// 400 and 70,000 classes are counted as two are; what is shown stays small.
func TestClassifyManyClasses(t *testing.T) {
	for _, k := range []int{400, 70_000} {
		f := classes(k)
		s := task.Classify{Top: []int{5}}.Score(f).(*task.Classes)
		last := make([]tensor.Float, k)
		last[k-1], last[300] = 2, 1 // the last class, and 300 second
		add(t, s, classified(f, 0, []int{k - 1}, last), classified(f, 1, []int{300}, last), classified(f, 2, []int{7}, last))
		scalars(t, s, "accuracy=33.33333333% higher", "top5=66.66666667% higher") // 7 is the tenth: 300, then 0, 1, … of equals
		if got, want := fmt.Sprint(s.Confused(9)), fmt.Sprintf("[7 → %d: 1 300 → %[1]d: 1]", k-1); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if (s.Confusion != nil) != (k == 400) {
			t.Errorf("%d classes: a confusion matrix: %v", k, s.Confusion != nil)
		}
		for _, e := range s.Exhibits() {
			if e.Matrix != nil || e.Table != nil && len(e.Table.Rows) > 100 {
				t.Errorf("%d classes: exhibit %q is too large to look at", k, e.Title)
			}
			if strings.Contains(e.Title, "lowest F1") && e.Table.Rows[0][3] != "0.00 %" {
				t.Errorf("%d classes: the worst class is %q", k, e.Table.Rows[0])
			}
		}
	}
}

// Mistakes are shown in the order of the set, whatever the order of the batches.
func TestMistakesInOrderOfTheSet(t *testing.T) {
	s := task.Classify{}.Score(classes(2))
	wrong := []tensor.Float{0, 1}
	add(t, s, classified(classes(2), 9, []int{0}, wrong), classified(classes(2), 3, []int{0}, wrong))
	for _, e := range s.Exhibits() {
		if e.Title == "Mistakes" && fmt.Sprint(e.Samples) != "[{3 0 → 1 []} {9 0 → 1 []}]" {
			t.Errorf("%+v", e.Samples)
		}
	}
}

var values = sample.Field{Name: "y", Kind: sample.Values, Shape: tensor.Shape{2}, Unit: "mV"}

// Two values, two samples: errors 1, −1, 2, 0; the targets (1, 10), (3, 20) vary by 2·1
// and 2·25 about their means.
func TestRegress(t *testing.T) {
	c := course(values, &sample.Spec{}, 2, 2, [][]tensor.Float{{2, 9, 5, 20}}, 1, 10, 3, 20)
	s := task.Regress{}.Score(values)
	add(t, s, c)
	scalars(t, s, fmt.Sprintf("rmse=%.10gmV lower", math.Sqrt(6./4)), "mae=1mV lower", fmt.Sprintf("r2=%.10g higher", 1-6./52))
	p := s.Exhibits()[0].Points
	if fmt.Sprint(p.X, p.Y) != "[1 10 3 20] [2 9 5 20]" || p.XName != "true (mV)" || p.YName != "predicted (mV)" {
		t.Errorf("%+v", p)
	}
}

// An output that knows the means alone has R² 0, be they of different size.
func TestR2OfTheMeansIsZero(t *testing.T) {
	s := task.Regress{}.Score(values)
	add(t, s, course(values, &sample.Spec{}, 2, 2, [][]tensor.Float{{2, 1000, 2, 1000}}, 1, 990, 3, 1010))
	if r2 := s.Scalars()[2]; r2.Value != 0 || !r2.Defined() {
		t.Errorf("%+v", r2)
	}
}

func TestR2OfConstants(t *testing.T) {
	s := task.Regress{}.Score(values)
	add(t, s, course(values, &sample.Spec{}, 2, 2, [][]tensor.Float{{0.1, 0.2, 0.1, 0.3}}, 0.1, 0.2, 0.1, 0.2))
	if r2 := s.Scalars()[2]; r2.Why != "the target is constant" || r2.Defined() {
		t.Errorf("%+v", r2)
	}
	one := task.Regress{}.Score(values) // a single sample varies about no mean
	add(t, one, course(values, &sample.Spec{}, 1, 2, [][]tensor.Float{{1, 2}}, 1, 2))
	scalars(t, one, "rmse=0mV lower", "mae=0mV lower", "r2: the target is constant")
}

// Two samples of one value over three steps, the second padded after two: 1 2 3 and 4 6
// (and what counts for nothing), against 1 and 5. Scores are −1 and 8.
func TestRegressReads(t *testing.T) {
	f := sample.Field{Name: "y", Kind: sample.Values, Shape: tensor.Shape{1}}
	for read, want := range map[task.Read]string{
		task.ReadScores: "mae=2.5 lower",                                // −2, 3
		task.ReadMean:   "mae=0.5 lower",                                // 2 − 1, 5 − 5
		task.ReadSum:    "mae=5 lower",                                  // 6 − 1, 10 − 5
		task.ReadLast:   "mae=1.5 lower",                                // 3 − 1, 6 − 5
		task.ReadEach:   fmt.Sprintf("mae=%.10g lower", (0+1+2+1+1)/5.), // step by step
	} {
		c := course(f, &sample.Spec{}, 2, 1, [][]tensor.Float{{1, 4}, {2, 6}, {3, 1e30}}, 1, 5)
		c.Valid, c.Output.Scores = []int{3, 2}, []tensor.Float{-1, 8}
		s := task.Regress{Read: read}.Score(f)
		add(t, s, c)
		if got := fmt.Sprintf("mae=%.10g %s", s.Scalars()[1].Value, s.Scalars()[1].Better); got != want {
			t.Errorf("read %v: %s, want %s", read, got, want)
		}
	}
}

// A series is compared at each step that is no padding, whatever the scores.
func TestRegressSeries(t *testing.T) {
	f := sample.Field{Name: "y", Kind: sample.Values, Shape: tensor.Shape{2}, Steps: 2}
	c := course(f, &sample.Spec{}, 2, 2, [][]tensor.Float{{1, 2, 3, 4}, {5, 6, 7, 8}},
		1, 2, 5, 7 /* second sample: */, 3, 3, -99, -99)
	c.Valid = []int{2, 1}
	s := task.Regress{}.Score(f)
	add(t, s, c)
	if got := s.Scalars(); got[1].Value != 2./6 || got[0].Value != math.Sqrt(2./6) {
		t.Errorf("%+v", got)
	}
	if err := (task.Regress{}).Check(tensor.Shape{2}, 3, f); err == nil || !strings.Contains(err.Error(), "series of 2 steps, the run has 3") {
		t.Error(err)
	}
	if err := (task.Regress{Read: task.ReadSum}).Check(tensor.Shape{2}, 2, f); err == nil || !strings.Contains(err.Error(), "leave read out") {
		t.Error(err)
	}
	whole := *c.Output.Signal
	for _, change := range []func(s *signal.Signal){func(s *signal.Signal) { s.B++ }, func(s *signal.Signal) { s.Kind = signal.Spikes }, func(s *signal.Signal) { s.Shape = tensor.Shape{7} }} {
		other := whole
		change(&other)
		c.Output.Signal = &other
		if err := s.Add(c); err == nil || !strings.Contains(err.Error(), "a course over time of") {
			t.Errorf("another course: %v", err)
		}
	}
	c.Output.Signal = nil
	if err := s.Add(c); err == nil || !strings.Contains(err.Error(), "no course over time") {
		t.Error(err)
	}
}

// Of many points every second, fourth, … is shown, from first to last.
func TestRegressShowsPoints(t *testing.T) {
	f := sample.Field{Name: "y", Kind: sample.Values, Shape: tensor.Shape{1}}
	s := task.Regress{}.Score(f)
	for i := range 9001 {
		v := tensor.Float(i)
		add(t, s, course(f, &sample.Spec{}, 1, 1, [][]tensor.Float{{v}}, v))
	}
	e := s.Exhibits()[0]
	if p := e.Points; len(p.X) != 1126 || p.X[1] != 8 || p.X[1125] != 9000 || !strings.Contains(e.Text, "every 8th") {
		t.Errorf("%d points, %s", len(p.X), e.Text)
	}
}

// spiked is a case of one sample in 10 steps of 0.1 s, of units that fire in steps.
func spiked(valid int, targets [][]float64, steps ...[]int) task.Case {
	spec := &sample.Spec{Shape: tensor.Shape{1}, Duration: 1}
	f := sample.Field{Name: "spikes", Kind: sample.Trains, Shape: tensor.Shape{len(steps)}}
	s := &signal.Signal{}
	s.Reset(signal.Dense, 10, 1, f.Shape)
	clear(s.Data)
	column := &sample.Column{Field: &f, Trains: make([][]spike.Train, 1)}
	for u, times := range targets {
		column.Trains[0] = append(column.Trains[0], spike.Train{Times: times, Stop: 1})
		for _, t := range steps[u] {
			s.Data[t*len(steps)+u] = 1
		}
	}
	c := task.Case{Output: task.Output{Shape: f.Shape, Signal: s, Scores: make([]tensor.Float, len(steps))}, Target: column, Batch: &sample.Batch{Spec: spec, Index: []int{0}}}
	if valid < 10 {
		c.Valid = []int{valid}
	}
	return c
}

// Two units. The first is as right as the steps allow; the second fires once, and
// should not, which is a distance of 1 and a spike.
func TestMatchTrains(t *testing.T) {
	f := sample.Field{Name: "spikes", Kind: sample.Trains, Shape: tensor.Shape{2}}
	s := task.MatchTrains{Tau: 0.2}.Score(f)
	add(t, s, spiked(10, [][]float64{{0.3, 0.77}, {}}, []int{3, 7}, []int{0}))
	got := s.Scalars()
	if got[0].Value != 0.5 || got[2].Value != 0.5 || got[2].Unit != "spikes" {
		t.Errorf("%+v", got)
	}
	// One spike against one, a step of half τ later: D² = 2 − 2e^{−1/2}.
	s = task.MatchTrains{Tau: 0.2}.Score(f)
	add(t, s, spiked(10, [][]float64{{0.3}}, []int{4}))
	if got, want := s.Scalars()[0].Value, math.Sqrt(2-2*math.Exp(-0.5)); math.Abs(got-want) > 1e-12 {
		t.Errorf("van Rossum %v, want %v", got, want)
	}
	// SPIKE: each spike, and each edge by its neighbour, is 0.1 from the other train, so
	// S = 0.1/x̄ with x̄ the mean interval: 0.35 to 0.3, then 0.55 to 0.4, then 0.65.
	if got, want := s.Scalars()[1].Value, 0.1*(0.3/0.35+0.1/0.55+0.6/0.65); math.Abs(got-want) > 1e-12 {
		t.Errorf("SPIKE %v, want %v", got, want)
	}
}

// An output that is as right as the steps allow scores exactly 0, wherever within its
// step a target's spike stands, on a border of a step too, in any unit of time.
func TestPerfectTrainsScoreZero(t *testing.T) {
	for _, times := range [][]float64{{0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9}, {0.3 * 0.999, 0.6999}, {0.1 + 0.2}, {}, {0.31, 0.32, 0.33}} {
		for _, unit := range []float64{1, 1e-3, 1. / 3, 7} {
			steps, scaled := []int{}, []float64{}
			for _, at := range times {
				scaled = append(scaled, at*unit)
				if t := int(at*10 + 1e-9); len(steps) == 0 || steps[len(steps)-1] != t {
					steps = append(steps, t)
				}
			}
			c := spiked(10, [][]float64{scaled}, steps)
			c.Batch.Spec.Duration = unit
			s := task.MatchTrains{}.Score(*c.Target.Field)
			add(t, s, c)
			scalars(t, s, "van-rossum=0 lower", "spike=0 lower", "counts=0spikes lower")
		}
	}
}

// Of a padded sample the steps that are no padding count; what has no step is told.
func TestTrainsPadding(t *testing.T) {
	c := spiked(5, [][]float64{{0.2, 0.9, 1}, {0.11, 0.12}}, []int{2, 7}, []int{1})
	s := task.MatchTrains{}.Score(*c.Target.Field)
	add(t, s, c)
	scalars(t, s, "van-rossum=0 lower", "spike=0 lower", "counts=0spikes lower")
	e := s.Exhibits()[0]
	for _, want := range []string{"Of the 5 target spikes of all samples 1 share a step", "Of the 5 target spikes of all samples 2 lie outside"} {
		if !strings.Contains(e.Text, want) {
			t.Errorf("%q lacks %q", e.Text, want)
		}
	}
	if e.Trains.Stop != 0.5 || fmt.Sprint(e.Trains.Have, e.Trains.Target) != "[[0.2] [0.1]] [[0.2] [0.1]]" {
		t.Errorf("%+v", e.Trains)
	}
}

// What is no spike, as a membrane, is not taken for one.
func TestTrainsOfMembranes(t *testing.T) {
	c := spiked(10, [][]float64{{0.2}}, []int{2})
	c.First, c.Output.Signal.Data[4] = 7, 0.25
	err := task.MatchTrains{}.Score(*c.Target.Field).Add(c)
	if err == nil || err.Error() != "task match-trains: sample 7: unit 0 of the output is 0.25 in step 4, want 0 or 1: let a spiking layer be the output" {
		t.Error(err)
	}
}

// Two pixels, two samples, normalised with deviation 0.5: errors of 0.1 and 0.2 there
// are 0.05 and 0.1 in the units of the data.
func TestReconstruct(t *testing.T) {
	spec := &sample.Spec{Shape: tensor.Shape{2}}
	f, err := spec.Target(sample.Input)
	if err != nil {
		t.Fatal(err)
	}
	c := course(f, spec, 2, 2, [][]tensor.Float{{1, -0.75, 0, 0.25}}, 1, -1, 0, 0)
	c.Normalize = &sample.Normalization{Mean: []float64{0.5}, Std: []float64{0.5}}
	s := task.Reconstruct{}.Score(f)
	add(t, s, c)
	mse := 2 * 0.125 * 0.125 / 4
	scalars(t, s, fmt.Sprintf("mse=%.10g lower", mse), fmt.Sprintf("psnr=%.10gdB higher", -10*math.Log10(mse)))
	e := s.Exhibits()[0]
	if got := fmt.Sprint(e.Samples, e.Beside); got != "[{0 sample []} {0 output [1 0.125]} {1 sample []} {1 output [0.5 0.625]}] 2" {
		t.Error(got)
	}
	exact := task.Reconstruct{}.Score(f)
	add(t, exact, course(f, spec, 1, 2, [][]tensor.Float{{3, 4}}, 3, 4))
	scalars(t, exact, "mse=0 lower", "psnr: the output is exact")
}

// A target other than the input is not normalised, and stands beside the output.
func TestReconstructTarget(t *testing.T) {
	spec := &sample.Spec{Shape: tensor.Shape{2}}
	f := sample.Field{Name: "clean", Kind: sample.Values, Shape: tensor.Shape{2}}
	c := course(f, spec, 1, 2, [][]tensor.Float{{1, 0.5}}, 1, 0)
	c.Normalize = &sample.Normalization{Mean: []float64{0.5}, Std: []float64{0.5}}
	s := task.Reconstruct{}.Score(f)
	add(t, s, c)
	scalars(t, s, "mse=0.125 lower", fmt.Sprintf("psnr=%.10gdB higher", 10*math.Log10(8)))
	e := s.Exhibits()[0]
	if got := fmt.Sprint(e.Samples, e.Beside); got != "[{0 sample []} {0 target [1 0]} {0 output [1 0.5]}] 3" {
		t.Error(got)
	}
}

// Normalisation by channel is undone by channel, and Undo is the way back of Apply.
func TestReconstructChannels(t *testing.T) {
	spec := &sample.Spec{Shape: tensor.Shape{1, 2, 2}}
	f, err := spec.Target(sample.Input)
	if err != nil {
		t.Fatal(err)
	}
	n := &sample.Normalization{Mean: []float64{0, 1}, Std: []float64{2, 4}}
	x := []tensor.Float{1, 3, 5, 9}
	n.Apply(x)
	c := course(f, spec, 1, 4, [][]tensor.Float{{0.5, 0.5, 2.5, 3}}, x...)
	c.Output.Shape, c.Normalize = spec.Shape, n
	c.Output.Signal.Shape = spec.Shape
	s := task.Reconstruct{}.Score(f)
	add(t, s, c)
	if got := s.Scalars()[0].Value; got != 16./4 { // the last pixel is 13, not 9
		t.Errorf("mse %v", got)
	}
	if got := fmt.Sprint(s.Exhibits()[0].Samples[1].Image, n.Undo(x)); got != "[1 3 5 13] [1 3 5 9]" {
		t.Error(got)
	}
}

// An output that is no number is an error that names its sample, and counts nothing.
func TestNotFiniteOutputs(t *testing.T) {
	nan, inf := tensor.Float(math.NaN()), tensor.Float(math.Inf(1))
	spec := &sample.Spec{Shape: tensor.Shape{2}}
	input, _ := spec.Target(sample.Input)
	trains := spiked(10, [][]float64{{0.2}}, []int{2})
	trains.Output.Signal.Data[3] = nan
	trains.First = 4
	cases := map[string]struct {
		task task.Task
		c    task.Case
	}{
		"classify":     {task.Classify{}, classified(classes(2), 3, []int{0, 1}, []tensor.Float{1, 0}, []tensor.Float{0, nan})},
		"infinite":     {task.Classify{}, classified(classes(2), 4, []int{0}, []tensor.Float{inf, 0})},
		"regress":      {task.Regress{}, course(values, spec, 1, 2, [][]tensor.Float{{1, nan}}, 1, 2)},
		"regress mean": {task.Regress{Read: task.ReadMean}, course(values, spec, 1, 2, [][]tensor.Float{{1, nan}, {1, 1}}, 1, 2)},
		"reconstruct":  {task.Reconstruct{}, course(input, spec, 1, 2, [][]tensor.Float{{inf, 1}}, 1, 2)},
		"match-trains": {task.MatchTrains{}, trains},
	}
	for name, v := range cases {
		if strings.HasPrefix(name, "re") {
			v.c.First = 4
		}
		s := v.task.Score(*v.c.Target.Field)
		err := s.Add(v.c)
		var bad *task.SampleError
		if !errors.As(err, &bad) || bad.Place != 4 || !strings.Contains(err.Error(), "sample 4") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// broken is a predictor whose scores are no numbers from a sample on.
type broken int

func (p broken) Predict(_ context.Context, b *sample.Batch) (train.Prediction, error) {
	scores := make([]tensor.Float, 10*b.Len())
	for i, index := range b.Index {
		if index >= int(p) {
			scores[10*i+3] = tensor.Float(math.NaN())
		}
	}
	return train.Prediction{Outputs: []task.Output{{Name: "output", Shape: tensor.Shape{10}, Scores: scores}}, Metrics: train.Metrics{N: b.Len()}}, nil
}

// An evaluation says where the sample comes from whose output is no number.
func TestEvaluateNamesTheOrigin(t *testing.T) {
	src, _ := mnist.Sample()
	o := train.EvaluateOptions{Tasks: []task.Binding{{Task: task.Classify{}}}, Batch: 100}
	_, err := train.Evaluate(t.Context(), broken(730), src, o)
	if err == nil || !strings.Contains(err.Error(), src.Origin(730)) || !strings.Contains(err.Error(), "sample 730") {
		t.Error(err)
	}
	if ev, err := train.Evaluate(t.Context(), broken(1e9), src, o); err != nil || ev.Scalars[0].Name != "accuracy" || !ev.Scalars[0].Defined() {
		t.Error(err)
	}
}

// Without samples every figure is undefined, and says why.
func TestNoSamples(t *testing.T) {
	trains := sample.Field{Kind: sample.Trains, Shape: tensor.Shape{1}}
	for _, s := range []task.Score{
		task.Classify{Top: []int{2}}.Score(classes(3)), task.Regress{}.Score(values),
		task.MatchTrains{}.Score(trains), task.Reconstruct{}.Score(values),
	} {
		for _, v := range s.Scalars() {
			if v.Why != "no samples" || v.Defined() || v.String() != "undefined" {
				t.Errorf("%+v", v)
			}
		}
		if e := s.Exhibits(); len(e) != 0 {
			t.Errorf("%T: %+v", s, e)
		}
	}
}

func TestBefore(t *testing.T) {
	scalar := func(v float64, d task.Direction, why string) task.Scalar {
		return task.Scalar{Value: v, Better: d, Why: why}
	}
	for _, c := range []struct {
		a, b          task.Scalar
		before, after bool
	}{
		{scalar(2, task.Higher, ""), scalar(1, task.Higher, ""), true, false},
		{scalar(2, task.Lower, ""), scalar(1, task.Lower, ""), false, true},
		{scalar(1, task.Lower, ""), scalar(1, task.Lower, ""), false, false},
		{scalar(1, task.Higher, ""), scalar(1, task.Higher, ""), false, false},
		{scalar(-9, task.Higher, ""), scalar(5, task.Higher, "none"), true, false},
		{scalar(9, task.Lower, ""), scalar(math.NaN(), task.Lower, ""), true, false},
		{scalar(0, task.Lower, "none"), scalar(1, task.Lower, "none"), false, false},
		{scalar(2, task.Neither, ""), scalar(1, task.Neither, ""), false, false},
	} {
		if c.a.Before(c.b) != c.before || c.b.Before(c.a) != c.after {
			t.Errorf("%+v and %+v: %v, %v", c.a, c.b, c.a.Before(c.b), c.b.Before(c.a))
		}
	}
}

// An undefined value is null in JSON, with its reason; it is read back as undefined.
func TestScalarJSON(t *testing.T) {
	for want, s := range map[string]task.Scalar{
		`{"name":"a","unit":"%","direction":"higher","value":2}`:                       {Name: "a", Value: 2, Unit: "%", Better: task.Higher},
		`{"name":"a","unit":"","direction":"","why":"no samples","value":null}`:        {Name: "a", Value: 7, Why: "no samples"},
		`{"name":"a","unit":"","direction":"lower","why":"not a number","value":null}`: {Name: "a", Value: math.NaN(), Better: task.Lower},
	} {
		b, err := json.Marshal(s)
		var back task.Scalar
		if err != nil || string(b) != want || json.Unmarshal(b, &back) != nil || back.Defined() != s.Defined() {
			t.Errorf("%s, %v, %+v", b, err, back)
		}
	}
}

func TestDefault(t *testing.T) {
	for _, c := range []struct {
		kind sample.Kind
		want task.Task
	}{{sample.Class, task.Classify{}}, {sample.Values, task.Regress{}}, {sample.Trains, task.MatchTrains{}}, {sample.Boxes, nil}} {
		got, err := task.Default(sample.Field{Name: "y", Kind: c.kind})
		if !reflect.DeepEqual(got, c.want) || (err == nil) != (c.want != nil) {
			t.Errorf("%v: %v, %v", c.kind, got, err)
		}
	}
}

// A task does not take outputs or targets that are not its own.
func TestChecks(t *testing.T) {
	trains := sample.Field{Name: "s", Kind: sample.Trains, Shape: tensor.Shape{3}}
	for _, c := range []struct {
		task   task.Task
		out    tensor.Shape
		target sample.Field
		want   string
	}{
		{task.Classify{}, tensor.Shape{3}, classes(3), ""},
		{task.Classify{}, tensor.Shape{3, 1, 1}, classes(3), ""},
		{task.Classify{}, tensor.Shape{10}, classes(3), "the output has 10 scores"},
		{task.Classify{}, tensor.Shape{2}, values, "want a class"},
		{task.Classify{Top: []int{3}}, tensor.Shape{3}, classes(3), "always right"},
		{task.Regress{}, tensor.Shape{2}, values, ""},
		{task.Regress{}, tensor.Shape{3}, values, "the output has 3 values"},
		{task.Regress{}, tensor.Shape{2}, classes(2), "want values"},
		{task.MatchTrains{}, tensor.Shape{3}, trains, ""},
		{task.MatchTrains{}, tensor.Shape{2}, trains, "the output has 2 units"},
		{task.MatchTrains{}, tensor.Shape{2}, values, "want spike trains"},
		{task.Reconstruct{}, tensor.Shape{1, 2}, values, ""},
		{task.Reconstruct{}, tensor.Shape{4}, values, "the output has 4 values"},
	} {
		err := c.task.Check(c.out, 5, c.target)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%T of %v: %v, want %q", c.task, c.out, err, c.want)
		}
	}
	for _, bad := range []task.Task{task.Classify{Top: []int{1}}, task.MatchTrains{Tau: -1}, task.MatchTrains{Tau: math.NaN()}, task.Reconstruct{Read: task.ReadEach}} {
		if bad.Validate() == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}

// Tasks are written in configuration files by kind, with options, or as a list that
// maps outputs to targets.
// A schema of the names asks for one more than there are.
func TestUnknownReadIsPrinted(t *testing.T) {
	if got := task.Read(9).String(); got != "read(9)" {
		t.Errorf("%q", got)
	}
}

func TestYAML(t *testing.T) {
	kinds := model.Default().Kinds()
	for src, want := range map[string][]task.Binding{
		"task: classify":                        {{Task: task.Classify{}}},
		"task: {kind: classify, top: [2, 5]}":   {{Task: task.Classify{Top: []int{2, 5}}}},
		"task: {kind: classify, top: 5}":        {{Task: task.Classify{Top: []int{5}}}},
		"task: {kind: regress, read: each}":     {{Task: task.Regress{Read: task.ReadEach}}},
		"task: {kind: match-trains, tau: 0.01}": {{Task: task.MatchTrains{Tau: 0.01}}},
		"task:\n- {kind: classify, output: a, target: digit, name: which}\n- {kind: reconstruct, output: b, target: input}\n": {
			{Task: task.Classify{}, Output: "a", Target: "digit", Name: "which"},
			{Task: task.Reconstruct{}, Output: "b", Target: sample.Input},
		},
	} {
		var got struct {
			Task []task.Binding `yaml:"task,single"`
		}
		if err := yaml.Decode("x.yaml", []byte(src), &got, kinds); err != nil || !reflect.DeepEqual(got.Task, want) {
			t.Errorf("%s: %+v, %v", src, got.Task, err)
			continue
		}
		b, err := yaml.Encode(got, kinds)
		again := got
		again.Task = nil
		if err != nil || yaml.Decode("y.yaml", b, &again, kinds) != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%s is written as %s, %v", src, b, err)
		}
	}
	var got struct {
		Task []task.Binding `yaml:"task,single"`
	}
	for _, bad := range []string{"task: clasify", "task: {kind: regress, read: middle}", "task: {kind: classify, read: mean}"} {
		if err := yaml.Decode("x.yaml", []byte(bad), &got, kinds); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

// The built-in kinds pass the checks for tasks of other modules, over samples at random.
func TestConformance(t *testing.T) {
	spec := sample.Spec{Shape: tensor.Shape{3}, Duration: 2, Targets: []sample.Field{
		classes(4), {Name: "y", Kind: sample.Values, Shape: tensor.Shape{2}}, {Name: "s", Kind: sample.Trains, Shape: tensor.Shape{3}},
	}}
	series := sample.Spec{Shape: tensor.Shape{3}, Steps: 6, Targets: []sample.Field{{Name: "y", Kind: sample.Values, Shape: tensor.Shape{2}, Steps: 6}}}
	for _, c := range []struct {
		task   task.Task
		spec   sample.Spec
		target string
		out    tensor.Shape
	}{
		{task.Classify{Top: []int{2, 3}}, spec, "", tensor.Shape{4}},
		{task.Regress{}, spec, "y", tensor.Shape{2}},
		{task.Regress{Read: task.ReadMean}, spec, "y", tensor.Shape{2}},
		{task.Regress{Read: task.ReadEach}, series, "", tensor.Shape{2}},
		{task.MatchTrains{}, spec, "s", tensor.Shape{3}},
		{task.Reconstruct{}, spec, sample.Input, tensor.Shape{3}},
		{task.Reconstruct{}, series, sample.Input, tensor.Shape{3}},
		{task.Reconstruct{Read: task.ReadLast}, spec, "y", tensor.Shape{2}},
	} {
		t.Run(fmt.Sprintf("%T of %s", c.task, c.target), func(t *testing.T) {
			snntest.Task(t, c.task, snntest.Cases(t, c.spec, c.target, c.out, 6, 20)...)
		})
	}
}

func TestNames(t *testing.T) {
	got := task.Names([]task.Binding{
		{Task: task.Classify{}}, {Task: task.MatchTrains{}}, {Task: task.Classify{}}, {Task: task.Classify{}, Output: "where"},
		{Task: &task.Regress{}, Output: "where"}, {Task: task.Regress{}, Name: "match-trains"},
	})
	want := []string{"classify", "match-trains2", "classify2", "where", "where2", "match-trains"}
	if !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
}

// A class as the target of reconstruct, and boxes, led to advice that could not be followed.
func TestAdviceForReconstructAndBoxes(t *testing.T) {
	class := sample.Field{Name: "class", Kind: sample.Class, Classes: []string{"a", "b"}}
	if err := (task.Reconstruct{}).Check(tensor.Shape{2}, 1, class); err == nil || !strings.Contains(err.Error(), "say target: input") {
		t.Errorf("%v", err)
	}
	if _, err := task.Default(sample.Field{Name: "boxes", Kind: sample.Boxes}); err == nil || !strings.Contains(err.Error(), "name detect under task") {
		t.Errorf("%v", err)
	}
}

// Of the tasks one reads several outputs, a Joint; others refuse them.
func TestOthers(t *testing.T) {
	err := task.Binding{Task: task.Classify{}, Others: []string{"fine"}}.Validate()
	if err == nil || !strings.Contains(err.Error(), `task classify reads one output`) || !strings.Contains(err.Error(), "fine") {
		t.Errorf("%v", err)
	}
	if err := (task.Binding{Task: task.Classify{}}).Validate(); err != nil {
		t.Error(err)
	}
}
