package encode_test

import (
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"synfire/encode"
	"synfire/signal"
	"synfire/tensor"
)

// encoded is the signal of one sample over the steps [t0, t1), [T][N].
func encoded(e encode.Encoder, x []tensor.Float, t0, t1 int) [][]tensor.Float {
	var s, d signal.Signal
	e.Encode(&s, batch(x, tensor.Shape{len(x)}), nil, encode.Window{T0: t0, T1: t1, Steps: t1})
	s.Densify(&d)
	var rows [][]tensor.Float
	for t := range t1 - t0 {
		rows = append(rows, d.Data[t*len(x):][:len(x)])
	}
	return rows
}

// The value of the paper's kind: 0.875 in spikes of 0.125, 0.25 and 0.5; after a
// silence the next burst starts small.
func TestBurst(t *testing.T) {
	got := encoded(encode.Burst{}, []tensor.Float{0.875, 0.25, 0.1}, 0, 5)
	want := [][]tensor.Float{{0.125, 0.125, 0}, {0.25, 0, 0}, {0.5, 0.125, 0}, {0, 0, 0}, {0, 0, 0}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("spikes %v, want %v", got, want)
	}
	rapid.Check(t, func(t *rapid.T) {
		e := encode.Burst{Growth: rapid.SampledFrom([]float64{1, 1.5, 2, 3}).Draw(t, "growth"), Threshold: 1. / 16}
		x := tensor.Float(rapid.Float64Range(0, 1).Draw(t, "x"))
		sum := 0.
		rows := encoded(e, []tensor.Float{x}, 0, 200)
		for _, row := range rows {
			sum += float64(row[0])
		}
		if rest := float64(x) - sum; rest < -1e-6 || rest >= 1./16+1e-6 {
			t.Errorf("%v is given out as %v", x, sum)
		}
		if cut := rapid.IntRange(0, 20).Draw(t, "cut"); !reflect.DeepEqual(encoded(e, []tensor.Float{x}, cut, 30), rows[cut:30]) {
			t.Errorf("a window from step %d differs", cut)
		}
	})
	for _, e := range []encode.Encoder{encode.Burst{Growth: 0.5}, encode.Burst{Threshold: -1}, encode.Burst{Threshold: math.NaN()}, encode.RankOrder{}, encode.RankOrder{Span: 2, Threshold: math.NaN()}} {
		if e.Validate() == nil {
			t.Errorf("%+v is accepted", e)
		}
	}
}

func TestRankOrder(t *testing.T) {
	x := []tensor.Float{0.1, 0.9, 0, 0.5, 0.9, 0.3}
	got := encoded(encode.RankOrder{Span: 3}, x, 0, 4)
	want := [][]tensor.Float{{0, 1, 0, 0, 1, 0}, {0, 0, 0, 1, 0, 1}, {1, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("spikes %v, want %v", got, want)
	}
	if part := encoded(encode.RankOrder{Span: 3}, x, 1, 3); !reflect.DeepEqual(part, want[1:3]) {
		t.Errorf("window %v, want %v", part, want[1:3])
	}
}

// Weighted decoding is linear, and its errors are its transpose.
func TestWeighted(t *testing.T) {
	d := encode.Weighted{Factor: 0.5}
	o := &signal.Signal{}
	o.Reset(signal.Dense, 3, 1, tensor.Shape{2})
	copy(o.Data, []tensor.Float{1, 0, 0, 1, 1, 1})
	scores := make([]tensor.Float, 2)
	if d.Decode(scores, o); !reflect.DeepEqual(scores, []tensor.Float{1.25, 0.75}) {
		t.Errorf("scores %v, want 1.25 and 0.75", scores)
	}
	var back signal.Signal
	if d.Spread(&back, []tensor.Float{4, -8}, 3, 1, tensor.Shape{2}); !reflect.DeepEqual(back.Data, []tensor.Float{4, -8, 2, -4, 1, -2}) {
		t.Errorf("errors %v", back.Data)
	}
}
