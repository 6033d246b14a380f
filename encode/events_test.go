package encode_test

import (
	"slices"
	"testing"

	"synfire/encode"
	"synfire/sample"
	"synfire/signal"
	"synfire/tensor"
)

// recorded is two samples of events on three units within 0.5 s.
func recorded() *sample.Batch {
	return &sample.Batch{
		Spec: &sample.Spec{Shape: tensor.Shape{3}, Events: true, Duration: 0.5}, Index: []int{0, 1},
		Events: [][]sample.Event{
			{{Time: 0, Unit: 1}, {Time: 0.01, Unit: 1}, {Time: 0.1, Unit: 0}, {Time: 0.49, Unit: 2}},
			{{Time: 0.05, Unit: 2}, {Time: 0.3, Unit: 0}},
		},
	}
}

func TestEvents(t *testing.T) {
	for _, c := range []struct {
		e    encode.Events
		want []tensor.Float // [5, 2, 3], a step is 0.1 s
	}{
		{encode.Events{}, []tensor.Float{0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0}},
		{encode.Events{Count: true}, []tensor.Float{0, 2, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0}},
	} {
		var s, d signal.Signal
		c.e.Encode(&s, recorded(), nil, encode.Window{T1: 5, Steps: 5})
		s.Densify(&d)
		if !slices.Equal(d.Data, c.want) {
			t.Errorf("%+v: %v, want %v", c.e, d.Data, c.want)
		}
		for cut := 1; cut < 5; cut++ {
			var got []tensor.Float
			for _, w := range []encode.Window{{T0: 0, T1: cut, Steps: 5}, {T0: cut, T1: 5, Steps: 5}} {
				c.e.Encode(&s, recorded(), nil, w)
				s.Densify(&d)
				got = append(got, d.Data...)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%+v: cut at %d: %v", c.e, cut, got)
			}
		}
	}
}

// Encoders take the samples that they can, and say what to use for others.
func TestPlanRefuses(t *testing.T) {
	image, series := sample.Spec{Shape: tensor.Shape{2, 2, 1}}, sample.Spec{Shape: tensor.Shape{2, 2, 1}, Steps: 4}
	events := sample.Spec{Shape: tensor.Shape{2, 2, 2}, Events: true, Duration: 1}
	for _, c := range []struct {
		e    encode.Encoder
		good []sample.Spec
		bad  []sample.Spec
	}{
		{encode.Constant{}, []sample.Spec{image}, []sample.Spec{series, events}},
		{encode.Poisson{}, []sample.Spec{image}, []sample.Spec{series, events}},
		{encode.Frames{}, []sample.Spec{image, series}, []sample.Spec{events}},
		{encode.Delta{}, []sample.Spec{image, series}, []sample.Spec{events}},
		{encode.Events{}, []sample.Spec{events}, []sample.Spec{image, series}},
	} {
		for _, s := range c.good {
			if _, _, err := c.e.Plan(s); err != nil {
				t.Errorf("%T of %v: %v", c.e, s, err)
			}
		}
		for _, s := range c.bad {
			if _, _, err := c.e.Plan(s); err == nil {
				t.Errorf("%T takes %v", c.e, s)
			}
		}
	}
}
