package activity_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"synfire/activity"
	"synfire/data/mnist"
	"synfire/sample"
	"synfire/task"
	"synfire/tensor"
)

// doubled settles in twice its input, and in the first of its values.
type doubled struct{}

func (doubled) Settled(_ context.Context, b *sample.Batch) ([]task.Output, error) {
	n := len(b.X) / b.Len()
	all, first := task.Output{Name: "layer1", Shape: tensor.Shape{n}}, task.Output{Name: "layer2", Shape: tensor.Shape{1}}
	for i, v := range b.X {
		all.Scores = append(all.Scores, 2*v)
		if i%n == 0 {
			first.Scores = append(first.Scores, v)
		}
	}
	return []task.Output{all, first}, nil
}

// States of several batches are those of the samples in order.
func TestRecordStates(t *testing.T) {
	_, test := mnist.Sample()
	got, err := activity.Of(t.Context(), doubled{}, activity.Options{Source: test, Samples: 100})
	if err != nil || len(got) != 2 || got[0].Samples != 100 || got[0].Units != 784 || got[1].Units != 1 || got[0].T != 1 {
		t.Fatalf("%+v: %v", got, err)
	}
	var want []float64
	var s sample.Sample
	s.X = make([]tensor.Float, 784)
	for i := range 100 {
		s.Targets = s.Targets[:0]
		if err := test.Read(t.Context(), i, &s); err != nil {
			t.Fatal(err)
		}
		for _, v := range s.X {
			want = append(want, float64(2*v))
		}
	}
	if !slices.Equal(got[0].Mean, want) {
		t.Error("the states are not those of the samples in order")
	}
	got, err = activity.Of(t.Context(), doubled{}, activity.Options{Source: test, Samples: 3, Layers: []string{"layer2"}})
	if err != nil || len(got) != 1 || got[0].Layer != "layer2" || len(got[0].Mean) != 3 {
		t.Errorf("%+v: %v", got, err)
	}
	if _, err = activity.Of(t.Context(), doubled{}, activity.Options{Source: test, Layers: []string{"layer3"}}); err == nil || !strings.Contains(err.Error(), `no layer "layer3"; it has layer1, layer2`) {
		t.Errorf("another layer: %v", err)
	}
	if _, err = activity.Of(t.Context(), 3, activity.Options{Source: test}); !errors.Is(err, activity.ErrHidden) {
		t.Errorf("a model without layers: %v", err)
	}
}
