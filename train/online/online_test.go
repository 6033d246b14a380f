package online_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"synfire/internal/par"
	"synfire/sample"
	"synfire/tensor"
	"synfire/train"
	"synfire/train/online"
)

// means answers by the nearest of the classes' means, and moves the right one towards each sample.
type means struct{ of [][]float64 }

func (m means) Run(x []tensor.Float, label int, scores []float64) (loss float64, err error) {
	for k, mean := range m.of {
		scores[k] = 0
		for i, v := range x {
			scores[k] -= (float64(v) - mean[i]) * (float64(v) - mean[i])
		}
	}
	if label >= 0 {
		loss = -scores[label]
	}
	return loss, nil
}

func (m means) Learn(x []tensor.Float, label int, factor float64, scores []float64) (float64, error) {
	loss, err := m.Run(x, label, scores)
	for i, v := range x {
		m.of[label][i] += 0.5 * factor * (float64(v) - m.of[label][i])
	}
	return loss, err
}

func (m means) Fork() online.Network { return m }

func (m means) Model() (list []online.Array) {
	for k, mean := range m.of {
		list = append(list, online.Array{Name: fmt.Sprintf("mean%d", k), Shape: []int{len(mean)}, Data: mean})
	}
	return list
}

func (m means) Memory() []online.Array { return nil }

var class = &sample.Field{Kind: sample.Class, Classes: []string{"high", "low"}}

func Example() {
	l := online.New(means{[][]float64{{0}, {0}}}, online.Options{Rule: "means", Inputs: 1, Classes: 2}, train.Setting{})
	b := &sample.Batch{Index: []int{0, 1, 2}, X: []tensor.Float{1, -1, 0.5}, Spec: &sample.Spec{Shape: tensor.Shape{1}}}
	b.Targets = []sample.Column{{Field: class, Class: []int{0, 1, 0}}}
	if _, err := l.Step(context.Background(), b); err != nil {
		fmt.Println(err)
	}
	fmt.Println(l.Model()["mean0"].F64s())
	// Output:
	// [0.5] <nil>
}

// Threads change neither what is called nor which error is told: that of the first sample.
func TestEach(t *testing.T) {
	dark := errors.New("it is dark")
	for _, threads := range []int{1, 2, 5} {
		pool := par.New(threads)
		b := &online.Batch{Ctx: t.Context(), Pool: pool, X: make([]tensor.Float, 12), Labels: make([]int, 6), Index: []int{10, 11, 12, 13, 14, 15}, Scores: make([]float64, 18)}
		err := b.Each(func(i int) error {
			b.Sample(i)[1], b.ScoresOf(i)[2] = 1, float64(i)
			return nil
		})
		if err != nil || b.X[11] != 1 || b.X[10] != 0 || b.Scores[17] != 5 {
			t.Errorf("%d threads: %v, values %v, scores %v", threads, err, b.X, b.Scores)
		}
		err = b.Each(func(i int) error {
			if i > 2 {
				return dark
			}
			return nil
		})
		if !errors.Is(err, dark) || err.Error() != "sample 13: it is dark" {
			t.Errorf("%d threads: %v", threads, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		b.Ctx = ctx
		if err := b.Each(func(int) error { return dark }); !errors.Is(err, context.Canceled) {
			t.Errorf("%d threads, at an end: %v", threads, err)
		}
		pool.Close()
	}
	if err := (&online.Batch{}).Named(3, dark); err.Error() != "sample 3: it is dark" {
		t.Error(err)
	}
}

// What no network should see is named by its number in the data.
func TestBadSamples(t *testing.T) {
	l := online.New(means{[][]float64{{0}, {0}}}, online.Options{Rule: "means", Inputs: 1, Classes: 2}, train.Setting{})
	for want, change := range map[string]func(b *sample.Batch){
		"means: value 0 of sample 8 is NaN, want a finite number; correct or remove the sample":      func(b *sample.Batch) { b.X[1] = tensor.Float(math.NaN()) },
		"means: sample 8 has class 2, and there are 2 outputs: use the data that the network is for": func(b *sample.Batch) { b.Targets[0].Class[1] = 2 },
		"means: 3 values for 2 samples, want 1 of each: use the data that the network is for":        func(b *sample.Batch) { b.X = append(b.X, 0) },
		"means: the samples have no class to learn; choose data with classes":                        func(b *sample.Batch) { b.Targets = nil },
	} {
		b := &sample.Batch{Index: []int{7, 8}, X: []tensor.Float{1, -1}, Spec: &sample.Spec{Shape: tensor.Shape{1}}, Targets: []sample.Column{{Field: class, Class: []int{0, 1}}}}
		change(b)
		if _, err := l.Step(t.Context(), b); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
