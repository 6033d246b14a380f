package bptt_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/modelfile"
	"synfire/optim"
	"synfire/rule/bptt"
	"synfire/tensor"
	"synfire/train"
)

func learner(t *testing.T, r bptt.Rule, s train.Setting) *bptt.Learner {
	t.Helper()
	l, err := r.Learner(s)
	if err != nil {
		t.Fatal(err)
	}
	return l.(*bptt.Learner)
}

// values are those of an array of a state.
func values(t *testing.T, l train.Learner, name string) []tensor.Float {
	t.Helper()
	state := l.State()
	v, err := modelfile.Unpack(state, name, state[name].Shape)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// An average that moves all the way each step is what learns; one that hardly moves stays
// near the start, whatever is predicted in between; look-ahead starts anew from it.
func TestAverageOfWeights(t *testing.T) {
	s, batches := setting(t, nil)
	plain := learner(t, rule(), s)
	start := slices.Clone(values(t, plain, "param.in.weight"))
	same, lazy := rule(), rule()
	same.Average, lazy.Average = optim.LookAhead{Every: 1, Alpha: 1}, optim.EMA{Decay: 0.999}
	a, b := learner(t, same, s), learner(t, lazy, s)
	for i, batch := range batches {
		for _, l := range []*bptt.Learner{plain, a, b} {
			if _, err := l.Step(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			if i%2 == 0 {
				if _, err := l.Predict(t.Context(), batch); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	want := values(t, plain, "param.in.weight")
	if got := values(t, b, "average.fast.in.weight"); !slices.Equal(got, want) {
		t.Error("beside an average the network learns otherwise than without")
	}
	for i, v := range values(t, a, "param.in.weight") {
		if math.Abs(float64(v-want[i])) > 1e-4 {
			t.Fatalf("weight %d is %v by an average that follows at once, %v without", i, v, want[i])
		}
	}
	var off, gone float64
	for i, v := range values(t, b, "param.in.weight") {
		off, gone = off+math.Abs(float64(v-start[i])), gone+math.Abs(float64(want[i]-start[i]))
	}
	if !(off > 0 && off < gone) {
		t.Errorf("the average moved by %v, what learns by %v", off, gone)
	}
}

// Frozen nodes stay as they start; names that are none are an error, and so are rates that
// are no numbers.
func TestFrozen(t *testing.T) {
	s, batches := setting(t, nil)
	r := rule()
	r.Frozen = []string{"in", "norm"}
	l := learner(t, r, s)
	before := map[string][]tensor.Float{}
	names := []string{"param.in.weight", "param.in.bias", "param.norm.beta", "param.classes.weight"}
	for _, name := range names {
		before[name] = slices.Clone(values(t, l, name))
	}
	for _, b := range batches {
		if _, err := l.Step(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names {
		if stays := slices.Equal(values(t, l, name), before[name]); stays == (name == "param.classes.weight") {
			t.Errorf("%s stays: %v", name, stays)
		}
	}
	for want, change := range map[string]func(r *bptt.Rule){
		`no node "inn"`:    func(r *bptt.Rule) { r.Frozen = []string{"inn"} },
		"shift-rate is -1": func(r *bptt.Rule) { r.ShiftRate = -1 },
		"average ema":      func(r *bptt.Rule) { r.Average = optim.EMA{Decay: 2} },
		"is no conv2d":     func(r *bptt.Rule) { r.Whiten = &bptt.Whiten{} },
	} {
		r := rule()
		change(&r)
		if strings.Contains(want, "conv2d") {
			s.Encoder = constant
		}
		if _, err := r.Learner(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
