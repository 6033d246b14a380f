package encode_test

import (
	"slices"
	"testing"

	"synfire/encode"
	"synfire/tensor"
)

// grids are numbers k/n, of which samples hold the nearest of their precision.
func grids(f func(k, n int, value float64)) {
	for _, n := range []int{7, 10, 100, 255, 1000} {
		for k := 1; k <= n; k++ {
			f(k, n, float64(k)/float64(n))
		}
	}
}

// spikes tells whether the first of the values ever spikes.
func spikes(e encode.Encoder, x ...tensor.Float) bool {
	for _, row := range encoded(e, x, 0, 400) {
		if row[0] != 0 {
			return true
		}
	}
	return false
}

// Whether a value of just the threshold spikes is as documented, on each grid: with
// latency and burst it does, with log-latency and by rank it does not. A latency
// threshold of 0.7 left 0.7 without a spike, and a log-latency threshold of 0.3 let 0.3
// spike.
func TestSpikeAtTheThreshold(t *testing.T) {
	grids(func(k, n int, at float64) {
		x, above := tensor.Float(at), tensor.Float(float64(k+1)/float64(n))
		below := tensor.Float(float64(k-1) / float64(n))
		for _, c := range []struct {
			e    encode.Encoder
			want bool
		}{
			{encode.Latency{Span: 9, Threshold: at}, true}, {encode.Burst{Threshold: at}, true},
			{encode.LogLatency{Tau: 2, Threshold: at}, false}, {encode.RankOrder{Span: 1, Threshold: at}, false},
		} {
			if got := spikes(c.e, x); got != c.want {
				t.Errorf("%T%+v of %d/%d: a spike %v, want %v", c.e, c.e, k, n, got, c.want)
			}
			if spikes(c.e, below) || !spikes(c.e, above) {
				t.Errorf("%T%+v: %v spikes %v, %v %v; want the higher alone", c.e, c.e, below, spikes(c.e, below), above, spikes(c.e, above))
			}
		}
	})
}

// A value that is a sum of a burst's spikes is given out whole: of 0.7 in spikes of
// 0.1, 0.2, 0.4 the last was missing.
func TestBurstSpendsAllOfASum(t *testing.T) {
	for length := 1; length <= 6; length++ {
		grids(func(k, n int, threshold float64) {
			sum := float64(k*(1<<length-1)) / float64(n)
			rows := encoded(encode.Burst{Threshold: threshold}, []tensor.Float{tensor.Float(sum)}, 0, length+1)
			for step := range length {
				if want := tensor.Float(float64(int(1)<<step) * threshold); rows[step][0] != want {
					t.Fatalf("%v in spikes from %d/%d on: %v in step %d, want %v", sum, k, n, rows[step][0], step, want)
				}
			}
			if rows[length][0] != 0 {
				t.Errorf("%v in spikes from %d/%d on: %v is left", sum, k, n, rows[length][0])
			}
		})
	}
}

// Half-way between two steps a value spikes in the later one.
func TestLatencyHalfWay(t *testing.T) {
	for _, span := range []int{2, 6, 11, 51, 101} {
		for step := range span - 1 {
			x := 1 - (float64(step)+0.5)/float64(span-1)
			d := dense(encode.Latency{Span: span}, []tensor.Float{tensor.Float(x)}, tensor.Shape{1}, 0, span)
			if got := spikeTimes(t, d, 1); got[0] != step+1 {
				t.Errorf("span %d: %v spikes in step %d, want %d", span, x, got[0], step+1)
			}
		}
	}
}

// A change of just the threshold is none, on each grid, and also after many.
func TestChangeOfTheThreshold(t *testing.T) {
	grids(func(k, n int, theta float64) {
		up, none := make([]tensor.Float, 40), make([]int, 40)
		for i := range up {
			up[i] = tensor.Float(float64(i*k) / float64(n))
		}
		d := dense(encode.Delta{Threshold: theta}, up, tensor.Shape{40}, 0, 40)
		if got := signs(d); !slices.Equal(got, none) {
			t.Fatalf("delta of steps of %d/%d: %v", k, n, got)
		}
		// A ramp of just the threshold is one behind from its second step on.
		want := slices.Repeat([]int{1}, 40)
		want[0], want[1] = 0, 0
		d = dense(encode.StepForward{Threshold: theta}, up, tensor.Shape{40}, 0, 40)
		if got := signs(d); !slices.Equal(got, want) {
			t.Fatalf("step-forward of steps of %d/%d: %v", k, n, got)
		}
	})
}
