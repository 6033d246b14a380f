package loss_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"synfire/loss"
	"synfire/sample"
	"synfire/signal"
	"synfire/spike"
	"synfire/tensor"
)

// values is a target of k values a sample, of some steps (0: none).
func values(k, steps int, y ...tensor.Float) *sample.Column {
	return &sample.Column{Field: &sample.Field{Name: "y", Kind: sample.Values, Shape: tensor.Shape{k}, Steps: steps}, Values: y}
}

func TestValuesByHand(t *testing.T) {
	// Two steps of two samples of one output: 1 then 3, and 2 then 0.
	o := func() *signal.Signal { return outputs(2, 2, 1, 2, 3, 0) }
	for _, c := range []struct {
		read   loss.Read
		y      *sample.Column
		valid  []int
		value  float64
		scores []tensor.Float
		errs   []tensor.Float
	}{
		{loss.ReadMean, values(1, 0, 1, 1), nil, 0.5, []tensor.Float{2, 1}, []tensor.Float{0.5, 0, 0.5, 0}},
		{loss.ReadMean, values(1, 0, 1, 1), []int{2, 1}, 1, []tensor.Float{2, 2}, []tensor.Float{0.5, 1, 0.5, 0}},
		{loss.ReadSum, values(1, 0, 1, 1), nil, 5, []tensor.Float{4, 2}, []tensor.Float{3, 1, 3, 1}},
		{loss.ReadLast, values(1, 0, 1, 1), nil, 2.5, []tensor.Float{3, 0}, []tensor.Float{0, 0, 2, -1}},
		{loss.ReadLast, values(1, 0, 1, 1), []int{1, 2}, 0.5, []tensor.Float{1, 0}, []tensor.Float{0, 0, 0, -1}},
		{loss.ReadEach, values(1, 0, 1, 1), nil, 1.5, []tensor.Float{3, 0}, []tensor.Float{0, 0.5, 1, -0.5}},
		{loss.ReadEach, values(1, 2, 1, 2, 2, 2), nil, 1.25, []tensor.Float{3, 0}, []tensor.Float{0, 0, 0.5, -1}},
		{loss.ReadEach, values(1, 2, 1, 2, 2, 2), []int{2, 1}, 0.25, []tensor.Float{3, 2}, []tensor.Float{0, 0, 0.5, 0}},
	} {
		var dout signal.Signal
		scores := make([]tensor.Float, 2)
		value, err := loss.MSE{Read: c.read}.Eval(&loss.Call{Out: o(), DOut: &dout, Scores: scores, Target: c.y, Valid: c.valid})
		if err != nil || !near(value, c.value, 1e-12) || !equal(scores, c.scores) || !equal(dout.Data, c.errs) {
			t.Errorf("%v, steps %v: value %v, scores %v, errors %v, want %v, %v, %v: %v", c.read, c.valid, value, scores, dout.Data, c.value, c.scores, c.errs, err)
		}
	}
}

func equal(a, b []tensor.Float) bool {
	for i := range a {
		if !near(float64(a[i]), float64(b[i]), 1e-7) {
			return false
		}
	}
	return len(a) == len(b)
}

// One spike too early by two steps: e is 1, γ, γ²−1, …
func TestVanRossumByHand(t *testing.T) {
	gamma := math.Exp(-0.5)
	o := outputs(4, 1, 1, 0, 0, 0)
	target := &sample.Column{
		Field:  &sample.Field{Name: "y", Kind: sample.Trains, Shape: tensor.Shape{1}},
		Trains: [][]spike.Train{{{Times: []float64{0.2}, Stop: 0.4}}}, // step 2 of 4
	}
	e := []float64{1, gamma, gamma*gamma - 1, gamma*gamma*gamma - gamma}
	want := 0.0
	for _, v := range e {
		want += v * v / 8
	}
	var dout signal.Signal
	scores := make([]tensor.Float, 1)
	value, err := loss.VanRossum{Tau: 2}.Eval(&loss.Call{Out: o, DOut: &dout, Scores: scores, Target: target, Duration: 0.4})
	if err != nil || !near(value, want, 1e-12) || scores[0] != 1 {
		t.Errorf("value %v, want %v, count %v: %v", value, want, scores, err)
	}
	back := 0.0
	for s := 3; s >= 0; s-- {
		if back = gamma*back + e[s]; !near(float64(dout.Data[s]), back/4, 1e-6) {
			t.Errorf("error at step %d is %v, want %v", s, dout.Data[s], back/4)
		}
	}
}

// Padding has no say in any loss: what stands there changes neither value, scores nor
// errors, and gets none; a sample without padding counts as it does alone.
func TestPaddingIsSkipped(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const steps, k = 6, 3
	random := func(b int) *signal.Signal {
		o := outputs(steps, b, make([]tensor.Float, steps*b*k)...)
		for i := range o.Data {
			o.Data[i] = tensor.Float(r.IntN(3)) / 2
		}
		return o
	}
	trains := []spike.Train{{Times: []float64{0.1}, Stop: 0.6}, {Stop: 0.6}, {Times: []float64{0.3, 0.5}, Stop: 0.6}}
	field := func(kind sample.Kind) *sample.Field {
		return &sample.Field{Name: "y", Kind: kind, Shape: tensor.Shape{k}, Classes: []string{"a", "b", "c"}}
	}
	targets := map[sample.Kind]*sample.Column{
		sample.Class:  {Field: field(sample.Class), Class: []int{1, 2}},
		sample.Values: {Field: field(sample.Values), Values: []tensor.Float{1, 0, 2, 0, 1, 1}},
		sample.Trains: {Field: field(sample.Trains), Trains: [][]spike.Train{trains, trains}},
	}
	kinds := []struct {
		l    loss.Loss
		kind sample.Kind
	}{
		{loss.MSE{}, sample.Values}, {loss.MSE{Read: loss.ReadSum}, sample.Values}, {loss.MSE{Read: loss.ReadLast}, sample.Values}, {loss.MSE{Read: loss.ReadEach}, sample.Values},
		{loss.VanRossum{Tau: 2}, sample.Trains},
	}
	for _, a := range all {
		kinds = append(kinds, struct {
			l    loss.Loss
			kind sample.Kind
		}{a.l, sample.Class})
	}
	eval := func(l loss.Loss, o *signal.Signal, y *sample.Column, valid []int) (float64, []tensor.Float, signal.Signal) {
		var dout signal.Signal
		scores := make([]tensor.Float, o.B*k)
		value, err := l.Eval(&loss.Call{Out: o, DOut: &dout, Scores: scores, Target: y, Valid: valid, Duration: 0.6})
		if err != nil {
			t.Fatalf("%T: %v", l, err)
		}
		return value, scores, dout
	}
	for _, c := range kinds {
		if err := c.l.Check(tensor.Shape{k}, steps, *targets[c.kind].Field); err != nil {
			t.Errorf("%T: %v", c.l, err)
		}
		y, valid := targets[c.kind], []int{4, steps}
		o := random(2)
		other := outputs(steps, 2, append([]tensor.Float(nil), o.Data...)...)
		for s := 4; s < steps; s++ {
			for u := range k {
				other.Data[s*2*k+u] += 5
			}
		}
		value, scores, dout := eval(c.l, o, y, valid)
		again, rescored, redone := eval(c.l, other, y, valid)
		if value != again || !equal(scores, rescored) || !equal(dout.Data, redone.Data) {
			t.Errorf("%T: padding changes the value from %v to %v", c.l, value, again)
		}
		for s := 4; s < steps; s++ {
			for u := range k {
				if dout.Data[s*2*k+u] != 0 {
					t.Errorf("%T: padding gets the error %v", c.l, dout.Data[s*2*k+u])
				}
			}
		}
		// Each sample alone, the first cut to its length.
		total := 0.0
		for b, n := range valid {
			alone := outputs(n, 1, make([]tensor.Float, n*k)...)
			for s := range n {
				copy(alone.Data[s*k:], o.Data[(s*2+b)*k:][:k])
			}
			one := &sample.Column{Field: y.Field}
			one.Add(y.At(b))
			if c.kind == sample.Trains && n < steps { // a spike behind the end is no longer there
				one.Trains[0] = []spike.Train{trains[0], trains[1], {Times: []float64{0.3}, Stop: 0.4}}
			}
			var d signal.Signal
			s := make([]tensor.Float, k)
			v, err := c.l.Eval(&loss.Call{Out: alone, DOut: &d, Scores: s, Target: one, Duration: 0.1 * float64(n)})
			if err != nil {
				t.Fatal(err)
			}
			total += v / 2
			if _, first := c.l.(loss.FirstSpike); first {
				continue // a silent output waits for the end of the run
			}
			if !equal(s, scores[b*k:][:k]) {
				t.Errorf("%T: sample %d alone has scores %v, padded %v", c.l, b, s, scores[b*k:][:k])
			}
		}
		if _, first := c.l.(loss.FirstSpike); !first && !near(value, total, 1e-6) {
			t.Errorf("%T: %v padded, %v of the samples alone", c.l, value, total)
		}
	}
}

func TestChecksOfTargets(t *testing.T) {
	class := sample.Field{Name: "digit", Kind: sample.Class, Classes: []string{"a", "b"}}
	vector := sample.Field{Name: "y", Kind: sample.Values, Shape: tensor.Shape{2}}
	series := sample.Field{Name: "y", Kind: sample.Values, Shape: tensor.Shape{2}, Steps: 5}
	trains := sample.Field{Name: "s", Kind: sample.Trains, Shape: tensor.Shape{2}}
	for _, c := range []struct {
		l     loss.Loss
		field sample.Field
		out   int
		want  string
	}{
		{loss.CountCrossEntropy{}, class, 2, ""},
		{loss.CountCrossEntropy{}, class, 3, "the output has 3 units"},
		{loss.CountCrossEntropy{}, vector, 2, "is values"},
		{loss.MSE{}, vector, 2, ""},
		{loss.MSE{}, class, 2, "is class"},
		{loss.MSE{}, series, 2, "read: each"},
		{loss.MSE{}, sample.Field{Name: "y", Kind: sample.Values, Shape: tensor.Shape{2}, Steps: 1}, 2, "series of 1 steps; set read: each"},
		{loss.MSE{Read: loss.ReadEach}, sample.Field{Name: "y", Kind: sample.Values, Shape: tensor.Shape{2}, Steps: 1}, 2, "series of 1 steps, the run has 4"},
		{loss.MSE{Read: loss.ReadEach}, series, 2, "series of 5 steps, the run has 4"},
		{loss.VanRossum{Tau: 1}, trains, 2, ""},
		{loss.VanRossum{Tau: 1}, trains, 1, "2 trains"},
		{loss.VanRossum{Tau: 1}, class, 2, "is class"},
	} {
		wantError(t, c.l.Check(tensor.Shape{c.out}, 4, c.field), c.want)
	}
}

// Printing a Read that does not exist panicked, and with it the generator of the
// schema, which tries all values.
func TestUnknownReadIsPrinted(t *testing.T) {
	if got := loss.Read(9).String(); got != "read(9)" {
		t.Errorf("%q", got)
	}
	var r loss.Read
	if err := r.UnmarshalText([]byte("read(9)")); err == nil {
		t.Error("the name of no Read was read")
	}
}
