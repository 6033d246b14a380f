package loss_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"synfire/encode"
	"synfire/loss"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// double reports whether the element type is float64.
func double() bool {
	one := tensor.Float(1)
	return one+1e-12 != one
}

// outputs is a dense signal of t steps and b samples, its rows in the order t·B + b.
func outputs(t, b int, data ...tensor.Float) *signal.Signal {
	return &signal.Signal{Kind: signal.Dense, T: t, B: b, Shape: tensor.Shape{len(data) / (t * b)}, Data: data}
}

// random is outputs that are exact in either precision.
func random(t, b, k int) *signal.Signal {
	r := rand.New(rand.NewPCG(1, 2))
	data := make([]tensor.Float, t*b*k)
	for i := range data {
		data[i] = tensor.Float(r.IntN(129)-64) / 64
	}
	return outputs(t, b, data...)
}

// call is a loss's call for labels, of as many classes as there are outputs.
func call(dout *signal.Signal, scores []tensor.Float, o *signal.Signal, labels []int) *loss.Call {
	field := &sample.Field{Name: sample.Label, Kind: sample.Class, Classes: make([]string, o.Units())}
	return &loss.Call{Out: o, DOut: dout, Scores: scores, Target: &sample.Column{Field: field, Class: labels}}
}

func near(got, want, tol float64) bool { return math.Abs(got-want) <= tol*(1+math.Abs(want)) }

// The documented formulas, worked out by hand over two steps. A value without
// a gradient, as in evaluation, is the same.
func TestByHand(t *testing.T) {
	const e = math.E
	for _, c := range []struct {
		name   string
		l      loss.Loss
		o      *signal.Signal
		labels []int
		value  float64
		scores []tensor.Float
		errs   []float64 // at the outputs of either step
	}{
		{"count, a tie", loss.CountCrossEntropy{}, outputs(2, 1, 1, 0, 0, 1), []int{0},
			math.Ln2, []tensor.Float{1, 1}, []float64{-0.5, 0.5}},
		{"count", loss.CountCrossEntropy{}, outputs(2, 1, 1, 0, 1, 1), []int{1},
			math.Log(e + 1), []tensor.Float{2, 1}, []float64{e / (e + 1), -e / (e + 1)}},
		{"count, a batch", loss.CountCrossEntropy{}, outputs(2, 2, 1, 0, 1, 0, 0, 1, 1, 1), []int{0, 1},
			(math.Ln2 + math.Log(e+1)) / 2, []tensor.Float{1, 1, 2, 1}, []float64{-0.25, 0.25, e / (e + 1) / 2, -e / (e + 1) / 2}},
		{"membrane", loss.MembraneCrossEntropy{}, outputs(2, 1, 3, 1, 1, 1), []int{1},
			math.Log(e + 1), []tensor.Float{2, 1}, []float64{e / (e + 1) / 2, -e / (e + 1) / 2}},
		{"mse", loss.CountMSE{}, outputs(2, 1, 1, 0, 1, 1, 1, 0), []int{2},
			1 + 0.25 + 0.25, []tensor.Float{1, 0.5, 0.5}, []float64{1, 0.5, -0.5}},
		{"mse, right", loss.CountMSE{}, outputs(2, 1, 0, 1, 0, 1), []int{1},
			0, []tensor.Float{0, 1}, []float64{0, 0}},
	} {
		for _, dout := range []*signal.Signal{nil, {Data: []tensor.Float{9}}} {
			scores := slices.Repeat([]tensor.Float{9}, len(c.scores))
			value, err := c.l.Eval(call(dout, scores, c.o, c.labels))
			if err != nil || !near(value, c.value, 1e-12) || !slices.Equal(scores, c.scores) {
				t.Errorf("%s: value %v, scores %v, want %v and %v: %v", c.name, value, scores, c.value, c.scores, err)
			}
			if dout == nil {
				continue
			}
			if err := dout.Check(c.o.Shape); err != nil || dout.Kind != signal.Dense || dout.T != c.o.T || dout.B != c.o.B {
				t.Fatalf("%s: errors are a %v signal of %d steps and %d samples: %v", c.name, dout.Kind, dout.T, dout.B, err)
			}
			for i, d := range dout.Data {
				if want := c.errs[i%len(c.errs)]; !near(float64(d), want, 1e-7) {
					t.Errorf("%s: error %d is %v, want %v", c.name, i, d, want)
				}
			}
		}
	}
}

// all has each loss with its definition, written out for the outputs o[t][k] of
// one sample in float64.
var all = []struct {
	name string
	l    loss.Loss
	f    func(o [][]float64, label int) float64
}{
	{"count-cross-entropy", loss.CountCrossEntropy{}, func(o [][]float64, label int) float64 {
		return crossEntropy(sums(o), 1, label)
	}},
	{"membrane-cross-entropy", loss.MembraneCrossEntropy{}, func(o [][]float64, label int) float64 {
		return crossEntropy(sums(o), float64(len(o)), label)
	}},
	{"count-cross-entropy, smoothed", loss.CountCrossEntropy{Smoothing: 0.25}, func(o [][]float64, label int) float64 {
		return smoothed(sums(o), 1, label, 0.25)
	}},
	{"membrane-cross-entropy, smoothed", loss.MembraneCrossEntropy{Smoothing: 0.125}, func(o [][]float64, label int) float64 {
		return smoothed(sums(o), float64(len(o)), label, 0.125)
	}},
	{"step-cross-entropy, smoothed", loss.StepCrossEntropy{Smoothing: 0.5}, func(o [][]float64, label int) float64 {
		var total float64
		for _, at := range o {
			total += smoothed(at, 1, label, 0.5) / float64(len(o))
		}
		return total
	}},
	{"weighted-cross-entropy", loss.WeightedCrossEntropy{Factor: 0.5}, func(o [][]float64, label int) float64 {
		scores := make([]float64, len(o[0]))
		for t, at := range o {
			for k, v := range at {
				scores[k] += v * math.Pow(0.5, float64(t))
			}
		}
		return crossEntropy(scores, 1, label)
	}},
	{"count-mse", loss.CountMSE{}, func(o [][]float64, label int) float64 { return rateError(o, label, 1, 0) }},
	{"rate-mse", loss.RateMSE{Right: 0.75, Wrong: 0.125}, func(o [][]float64, label int) float64 {
		return rateError(o, label, 0.75, 0.125)
	}},
	{"step-cross-entropy", loss.StepCrossEntropy{}, func(o [][]float64, label int) float64 {
		var total float64
		for _, at := range o {
			total += crossEntropy(at, 1, label) / float64(len(o))
		}
		return total
	}},
	{"step-cross-entropy, regularised", loss.StepCrossEntropy{Lambda: 0.25, Level: 0.5}, func(o [][]float64, label int) float64 {
		var total float64
		for _, at := range o {
			var squares float64
			for _, v := range at {
				squares += (v - 0.5) * (v - 0.5)
			}
			total += 0.75*crossEntropy(at, 1, label) + 0.25*squares/float64(len(at))
		}
		return total / float64(len(o))
	}},
	{"first-spike", loss.FirstSpike{Temperature: 16}, func(o [][]float64, label int) float64 {
		times := make([]float64, len(o[0]))
		for k := range times {
			for t := range o {
				silent := 1.0
				for _, at := range o[:t+1] {
					silent *= 1 - at[k]
				}
				times[k] += silent
			}
		}
		return crossEntropy(times, -16, label)
	}},
}

func sums(o [][]float64) []float64 {
	s := make([]float64, len(o[0]))
	for _, at := range o {
		for k, v := range at {
			s[k] += v
		}
	}
	return s
}

func rateError(o [][]float64, label int, right, wrong float64) float64 {
	var total float64
	for k, v := range sums(o) {
		y := wrong
		if k == label {
			y = right
		}
		total += math.Pow(v/float64(len(o))-y, 2)
	}
	return total
}

func crossEntropy(s []float64, divisor float64, label int) float64 {
	var z float64
	for _, v := range s {
		z += math.Exp(v / divisor)
	}
	return -math.Log(math.Exp(s[label]/divisor) / z)
}

// Values are those of the definitions, and errors are their derivatives: the
// central differences of the loss itself in each output at each step.
func TestGradients(t *testing.T) {
	const steps, b, k = 5, 3, 4
	labels := []int{2, 0, 3}
	h, tol, exact := 1./16, 2e-4, 1e-6
	if double() {
		h, tol, exact = 1e-5, 1e-8, 1e-13
	}
	for _, c := range all {
		o := random(steps, b, k)
		scores := make([]tensor.Float, b*k)
		var dout signal.Signal
		value, err := c.l.Eval(call(&dout, scores, o, labels))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		var want float64
		for i, label := range labels {
			s := make([][]float64, steps)
			for j, v := range o.Data {
				if j/k%b == i {
					s[j/(k*b)] = append(s[j/(k*b)], float64(v))
				}
			}
			want += c.f(s, label) / b
		}
		if !near(value, want, exact) {
			t.Errorf("%s: value %v, want %v", c.name, value, want)
		}
		at := func(i int, v tensor.Float) float64 {
			old := o.Data[i]
			o.Data[i] = v
			value, err := c.l.Eval(call(nil, scores, o, labels))
			if err != nil {
				t.Fatal(err)
			}
			o.Data[i] = old
			return value
		}
		for i, v := range o.Data {
			slope := (at(i, v+tensor.Float(h)) - at(i, v-tensor.Float(h))) / (2 * h)
			if got := float64(dout.Data[i]); !near(got, slope, tol) {
				t.Errorf("%s: error %d is %v, central difference %v", c.name, i, got, slope)
			}
		}
	}
}

// Outputs far beyond the range of exp give the limits of the loss and of its
// gradient, neither NaN nor infinity.
func TestHugeLogits(t *testing.T) {
	for _, c := range []struct {
		a, b, value float64 // outputs of a label and of another class
		err         float64 // at the label
	}{
		{1e3, -1e3, 0, 0},
		{-1e3, 1e3, 2e3, -1},
		{1e4, 1e4, math.Ln2, -0.5},
		{-1e4, -1e4, math.Ln2, -0.5},
		{1e30, 1e30, math.Ln2, -0.5},
		{1e30, -1e30, 0, 0},
		{-1e30, 1e30, 2e30, -1},
	} {
		o := outputs(1, 1, tensor.Float(c.b), tensor.Float(c.a))
		for _, l := range []loss.Loss{loss.CountCrossEntropy{}, loss.MembraneCrossEntropy{}} {
			var dout signal.Signal
			value, err := l.Eval(call(&dout, make([]tensor.Float, 2), o, []int{1}))
			if err != nil || !near(value, c.value, 1e-7) {
				t.Errorf("%T of (%g, %g): %v, want %v: %v", l, c.a, c.b, value, c.value, err)
			}
			if d := dout.Data; float64(d[1]) != c.err || d[0] != -d[1] {
				t.Errorf("%T of (%g, %g): errors %v, want %v at the label and its negative", l, c.a, c.b, d, c.err)
			}
		}
	}
}

// Training stops at a loss that is not finite: an output that is not must show.
func TestNonFinite(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		for _, c := range all {
			for at := range 3 {
				o := outputs(1, 1, 0, 1, 2)
				o.Data[at] = tensor.Float(bad)
				value, err := c.l.Eval(call(nil, make([]tensor.Float, 3), o, []int{1}))
				if err == nil && value-value == 0 {
					t.Errorf("%s: output %d is %v, but the loss is %v", c.name, at, bad, value)
				}
			}
		}
	}
}

// Labels come from files: what does not fit is an error that says so, not a
// panic.
func TestErrors(t *testing.T) {
	dense := random(2, 2, 3)
	var spikes signal.Signal
	spikes.Reset(signal.Spikes, 2, 2, tensor.Shape{3})
	for _, c := range []struct {
		name   string
		o      *signal.Signal
		labels []int
		scores int
		want   string
	}{
		{"label beyond", dense, []int{0, 3}, 6, "label 3 of sample 1"},
		{"label negative", dense, []int{-1, 0}, 6, "label -1 of sample 0"},
		{"few labels", dense, []int{0}, 6, "1 labels"},
		{"many labels", dense, []int{0, 1, 2}, 6, "3 labels"},
		{"short scores", dense, []int{0, 1}, 5, "5 scores"},
		{"spikes", &spikes, []int{0, 1}, 6, "spikes"},
	} {
		for _, l := range all {
			var dout signal.Signal
			_, err := l.l.Eval(call(&dout, make([]tensor.Float, c.scores), c.o, c.labels))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %s: error %v, want one with %q", l.name, c.name, err, c.want)
			}
		}
	}
}

// Ties go to the first class, so accuracy does not depend on how it is sought.
func TestBest(t *testing.T) {
	for _, c := range []struct {
		scores []tensor.Float
		want   int
	}{
		{[]tensor.Float{3}, 0}, {[]tensor.Float{0, 0, 0}, 0}, {[]tensor.Float{1, 2, 2}, 1},
		{[]tensor.Float{-3, -2, -1}, 2}, {[]tensor.Float{tensor.Float(math.Inf(-1)), -5, -7}, 1},
	} {
		if got := loss.Best(c.scores); got != c.want {
			t.Errorf("Best(%v) = %d, want %d", c.scores, got, c.want)
		}
	}
}

// wantError wants an error with a text, or none.
func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

// An output that no loss reads was decoded with its padding.
func TestDecodeLeavesPaddingOut(t *testing.T) {
	out := &signal.Signal{}
	out.Reset(signal.Dense, 3, 2, tensor.Shape{1})
	for i := range out.Data {
		out.Data[i] = 6
	}
	c := loss.Call{Out: out, Valid: []int{3, 1}, Scores: make([]tensor.Float, 2)}
	if err := c.Decode(encode.Count{}); err != nil || c.Scores[0] != 18 || c.Scores[1] != 6 {
		t.Errorf("counts %v, %v, want 18 and 6", c.Scores, err)
	}
	if err := c.Decode(encode.Membrane{}); err != nil || c.Scores[0] != 6 || c.Scores[1] != 6 {
		t.Errorf("means %v, %v, want 6 each", c.Scores, err)
	}
}

// smoothed is −Σ_k y_k·log p_k with y = 1 − s + s/K for the label and s/K else.
func smoothed(o []float64, divide float64, label int, s float64) (total float64) {
	for k := range o {
		y := s / float64(len(o))
		if k == label {
			y += 1 - s
		}
		total += y * crossEntropy(o, divide, k)
	}
	return total
}

func TestSmoothingIsAShare(t *testing.T) {
	for _, l := range []interface{ Validate() error }{loss.CountCrossEntropy{Smoothing: 1}, loss.MembraneCrossEntropy{Smoothing: -0.1}, loss.StepCrossEntropy{Smoothing: math.NaN()}} {
		if err := l.Validate(); err == nil || !strings.Contains(err.Error(), "smoothing") {
			t.Errorf("%+v: %v", l, err)
		}
	}
}
