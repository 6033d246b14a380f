package ceiling_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"synfire/compare"
	"synfire/compare/ceiling"
	"synfire/internal/rng"
)

func column(v ...float64) *mat.Dense { return mat.NewDense(len(v), 1, v) }

func params() compare.Params {
	p := compare.DefaultParams()
	p.Folds, p.Penalty = 2, 2
	return p
}

// Two repetitions of one unit and six stimuli, folds of the first and the last three. By a script of
// its own: r of the repetitions by its formula, 2r/(1 + r); a slope Σxy/(Σx² + penalty) of deviations
// fitted to three stimuli, the others predicted, r of all six predictions with the other repetition,
// both ways (ridge; without a penalty, which is PLS of one unit), and 2r/(1 + r) of the mean.
func TestByHand(t *testing.T) {
	b := compare.Responses{Name: "b", Repeated: []*mat.Dense{column(1, 9, 4, 7, 2, 5), column(2, 8, 3, 6, 3.5, 7)}}
	b.X = column(1.5, 8.5, 3.5, 6.5, 2.75, 6)
	for metric, want := range map[string]float64{"ridge": 0.849326345633588, "pls": 0.8649004012489641} {
		n, err := ceiling.Of(metric, b, params(), 3)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(*n.Units-0.9409938061254755) > 1e-12 || math.Abs(*n.Mapped-want) > 1e-9 || n.Why != "" {
			t.Errorf("%s: %v and %v", metric, *n.Units, *n.Mapped)
		}
		c := n.Before(0.6)
		if math.Abs(*c.ExplainedVariance-0.36/0.9409938061254755) > 1e-12 || math.Abs(*c.ShareOfMapped-0.6/want) > 1e-9 {
			t.Errorf("%+v", c)
		}
	}
}

// repeated is a signal with noise of its own in each repetition.
func repeated(noise float64, order []int, scale float64) compare.Responses {
	s := rng.New(1, "ceiling test").Source()
	signal := mat.NewDense(60, 3, nil)
	signal.Apply(func(int, int, float64) float64 { return s.Norm() }, signal)
	var b compare.Responses
	for range 6 {
		x := mat.NewDense(60, len(order), nil)
		for i := range 60 {
			var row [4]float64
			for j := range row {
				row[j] = scale * (signal.At(i, j%3) + signal.At(i, (j+1)%3) + noise*s.Norm())
			}
			for k, j := range order {
				x.Set(i, k, row[j])
			}
		}
		b.Repeated = append(b.Repeated, x)
	}
	b.X = b.Repeated[0]
	return b
}

// Noise lowers both ceilings; scale and the order of units change none.
func TestProperties(t *testing.T) {
	for _, metric := range []string{"ridge", "pls"} {
		last := 1.0
		for _, noise := range []float64{0.01, 1, 3} {
			p := compare.DefaultParams()
			a, err := ceiling.Of(metric, repeated(noise, []int{0, 1, 2, 3}, 1), p, 5)
			if err != nil {
				t.Fatal(err)
			}
			p.Penalty *= 16
			b, err := ceiling.Of(metric, repeated(noise, []int{2, 0, 3, 1}, 4), p, 5)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(*a.Units-*b.Units) > 1e-9 || math.Abs(*a.Mapped-*b.Mapped) > 1e-9 {
				t.Errorf("%s, noise %v: %v and %v; scaled and in another order %v and %v", metric, noise, *a.Units, *a.Mapped, *b.Units, *b.Mapped)
			}
			if !(*a.Units < last && *a.Mapped < 1.01*last) {
				t.Errorf("%s, noise %v: %v and %v, before %v", metric, noise, *a.Units, *a.Mapped, last)
			}
			last = *a.Units
		}
	}
	// the reliability of a mean of six with a signal of variance 2 and noise of 9: 2/(2 + 9/6) = 0.571
	n, err := ceiling.Of("ridge", repeated(3, []int{0, 1, 2, 3}, 1), compare.DefaultParams(), 50)
	if err != nil || math.Abs(*n.Units-2/(2+9./6)) > 0.15 {
		t.Errorf("%v, %v", *n.Units, err)
	}
}

// What has no reliability is said: units that never vary, and halves that are opposites. A ceiling
// below 0 gives no share.
func TestUndefined(t *testing.T) {
	flat := compare.Responses{X: column(1, 1, 1, 1, 1, 1), Repeated: []*mat.Dense{column(1, 1, 1, 1, 1, 1), column(1, 1, 1, 1, 1, 1)}}
	n, err := ceiling.Of("ridge", flat, params(), 3)
	if err != nil || n.Units != nil || n.Mapped != nil || !strings.Contains(n.Why, "no unit varies") {
		t.Errorf("%+v, %v", n, err)
	}
	if c := n.Before(0.5); c.ExplainedVariance != nil || c.ShareOfMapped != nil {
		t.Errorf("%+v", c)
	}
	half := compare.Responses{X: flat.X, Repeated: []*mat.Dense{column(1, 2, 3, 4, 5, 7), column(1, 1, 1, 1, 1, 1)}}
	if n, err := ceiling.Of("pls", half, params(), 3); err != nil || *n.Units != 0 || *n.Mapped != 0 {
		t.Errorf("a unit that varies in one half alone: %+v, %v", n, err)
	}
	low := -0.2
	if c := (ceiling.Noise{Units: &low}).Before(0.5); c.ExplainedVariance != nil {
		t.Errorf("%+v", c)
	}
	for want, f := range map[string]func() error{
		"want ridge or pls":  func() error { _, err := ceiling.Of("cka-linear", half, params(), 3); return err },
		"has no repetitions": func() error { _, err := ceiling.Of("pls", compare.Responses{X: flat.X}, params(), 3); return err },
		"0 splits":           func() error { _, err := ceiling.Of("pls", half, params(), 0); return err },
		"folds of 6":         func() error { _, err := ceiling.Of("pls", half, compare.Params{Folds: 9}, 1); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error about %q, have %v", want, err)
		}
	}
}

// A neuron was shown six stimuli twice. A model that predicts it by r = 0.8 explains 0.64 of the
// variance, of which its noise leaves less than all to explain.
func Example() {
	neuron := compare.Responses{Name: "neuron", X: column(1.5, 8.5, 3.5, 6.5, 2.75, 6), Repeated: []*mat.Dense{column(1, 9, 4, 7, 2, 5), column(2, 8, 3, 6, 3.5, 7)}}
	noise, err := ceiling.Of("ridge", neuron, compare.DefaultParams(), 10)
	if err != nil {
		fmt.Println(err)
		return
	}
	c := noise.Before(0.8)
	fmt.Printf("reliability %.3f, explained %.3f of it\n", *c.Units, *c.ExplainedVariance)
	// Output: reliability 0.941, explained 0.680 of it
}
