package temporal_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"synfire/internal/rng"
	"synfire/layer"
	"synfire/layer/temporal"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/tensor"
)

// traceOf is what a neuron gives for a series of inputs, in windows of some steps, and its
// membrane at the end.
func traceOf(t testing.TB, l temporal.Counting, window int, x ...tensor.Float) (q []tensor.Float, v float64) {
	t.Helper()
	n, err := network.Sequential(tensor.Shape{1}, 1, l)
	if err != nil {
		t.Fatal(err)
	}
	pass, state := n.Compile(nil, false).NewPass(network.Options{}), n.NewState(1)
	for part := range slices.Chunk(x, window) {
		outs, err := pass.Forward(state, &signal.Signal{Kind: signal.Dense, T: len(part), B: 1, Shape: tensor.Shape{1}, Data: part}, false)
		if err != nil {
			t.Fatal(err)
		}
		var d signal.Signal
		outs[0].Densify(&d)
		q = append(q, d.Data...)
	}
	of, err := state.Node(n, "counting1")
	if err != nil {
		t.Fatal(err)
	}
	return q, float64(of[0]) + l.Start*l.Threshold
}

// Golden traces of each code.
func TestCounting(t *testing.T) {
	late, dips := []tensor.Float{2, -2, 0, 0}, []tensor.Float{0.9, 0.3, -2, 0.4}
	for _, c := range []struct {
		l    temporal.Counting
		x    []tensor.Float
		want []tensor.Float
		v    float64
	}{
		{temporal.Counting{Threshold: 1, Start: 0.5}, late, []tensor.Float{1, 0, 0, 0}, -0.5},
		{temporal.Counting{Code: temporal.SNM, Threshold: 1, Start: 0.5}, late, []tensor.Float{1, 0, 0, 0}, -0.5},
		{temporal.Counting{Code: temporal.SNM, Threshold: 1, Start: 0.5, Negative: 0.5}, late, []tensor.Float{1, -1, 0, 0}, 0.5},
		{temporal.Counting{Code: temporal.SigmaDelta, Threshold: 1, Start: 0.5}, late, []tensor.Float{1, -1, 0, 0}, 0.5},
		{temporal.Counting{Code: temporal.Graded, Threshold: 1, Start: 0.5}, late, []tensor.Float{1, -1, 0, 0}, 0.5},
		{temporal.Counting{Threshold: 1}, dips, []tensor.Float{0, 1, 0, 0}, -1.4},
		{temporal.Counting{Code: temporal.SNM, Threshold: 1}, dips, []tensor.Float{0, 1, -1, 0}, -0.4},
		{temporal.Counting{Code: temporal.SigmaDelta, Threshold: 1}, dips, []tensor.Float{0, 1, -1, 0}, -0.4},
		{temporal.Counting{Code: temporal.Graded, Threshold: 1}, dips, []tensor.Float{0, 1, -1, 0}, -0.4},
		// A neuron that has to catch up gives several at once, but never more than one a step so far.
		{temporal.Counting{Code: temporal.Graded, Threshold: 0.5}, []tensor.Float{4, -4, 0, 2, -0.5}, []tensor.Float{1, -1, 0, 4, -1}, 0},
		{temporal.Counting{Code: temporal.SigmaDelta, Threshold: 0.5}, []tensor.Float{4, -4, 0, 2, -0.5}, []tensor.Float{1, -1, 0, 1, 1}, 0.5},
		// Two runs of four steps, of which the first silences.
		{temporal.Counting{Threshold: 1, Residual: 4}, append(slices.Clone(dips), 0.9, 0.3, 0, 0.9), []tensor.Float{0, 1, 0, 0, 0, 0, 0, 0}, 0.1},
		{temporal.Counting{Threshold: 1, Residual: 2}, dips, []tensor.Float{0, 1, 0, 0}, -1.6},
		{temporal.Counting{Threshold: 1, Residual: 2}, []tensor.Float{0.9, 0.3, 2, 0.4}, []tensor.Float{0, 1, 1, 1}, 0.4},
	} {
		for window := 1; window <= len(c.x); window++ {
			got, v := traceOf(t, c.l, window, c.x...)
			if !slices.Equal(got, c.want) || math.Abs(v-c.v) > 1e-6 {
				t.Errorf("%+v of %v in windows of %d: %v and membrane %v, want %v and %v", c.l, c.x, window, got, v, c.want, c.v)
			}
		}
	}
}

// No code loses anything: the spikes are the sum of the input less what is left. The number of
// graded ones does not depend on the order of the input; that of others does.
func TestCountingLosesNothing(t *testing.T) {
	src := rng.New(3, "test").Source()
	differ := map[temporal.Code]int{}
	for range 300 {
		x, sum := make([]tensor.Float, 8), 0.0
		for i := range x {
			x[i] = tensor.Float(src.IntN(65)-28) / 32
			sum += float64(x[i])
		}
		y := slices.Clone(x)
		for i := range y {
			j := i + src.IntN(len(y)-i)
			y[i], y[j] = y[j], y[i]
		}
		for code := temporal.Plain; code <= temporal.Graded; code++ {
			l := temporal.Counting{Code: code, Threshold: 0.5, Start: 0.5}
			a, v := traceOf(t, l, 8, x...)
			b, _ := traceOf(t, l, 8, y...)
			given, other := 0.0, 0.0
			for i := range a {
				given, other = given+float64(a[i]), other+float64(b[i])
			}
			if got := 0.25 + sum - v; got != 0.5*given {
				t.Errorf("%v of %v: %v spikes, and %v left of %v", code, x, given, v, sum)
			}
			if given != other {
				differ[code]++
			}
			if want := max(0, min(8, math.Floor((0.25+sum)/0.5))); code == temporal.Graded && given != want {
				t.Errorf("graded spikes of %v: %v, want %v", x, given, want)
			}
			l.Threshold *= 4 // with the input: the same spikes
			for i := range x {
				x[i] *= 4
			}
			if scaled, _ := traceOf(t, l, 8, x...); !slices.Equal(scaled, a) {
				t.Errorf("%v of %v at four times the scale: %v, want %v", code, x, scaled, a)
			}
			for i := range x {
				x[i] /= 4
			}
		}
	}
	if differ[temporal.Graded] > 0 || differ[temporal.Plain] < 30 || differ[temporal.SigmaDelta] >= differ[temporal.SNM] || differ[temporal.SNM] >= differ[temporal.Plain] {
		t.Errorf("numbers that depend on the order: %v of 300", differ)
	}
}

// For even input all codes give what a neuron without memory gives: clip(⌊(T·z + v0)/θ⌋, 0, T).
func TestCountingOfEvenInput(t *testing.T) {
	for code := temporal.Plain; code <= temporal.Graded; code++ {
		for i, z := range []tensor.Float{0.1, 0.375, 0.6, 0.625, 0.9, 1.5, -0.7} {
			want, rest := []float64{0, 2, 2, 3, 4, 4, 0}[i], []float64{0.9, 0, 0.9, 0, 0.1, 2.5, -2.3}[i]
			q, v := traceOf(t, temporal.Counting{Code: code, Threshold: 1, Start: 0.5}, 3, z, z, z, z)
			if given := float64(q[0] + q[1] + q[2] + q[3]); given != want || math.Abs(v-rest) > 1e-6 {
				t.Errorf("%v of %v: %v spikes and %v left, want %v and %v", code, z, given, v, want, rest)
			}
		}
	}
}

// A start of half of the threshold and a bias of θ/2T give the same number after T steps of even
// input, not before.
func TestStartIsABias(t *testing.T) {
	before := 0
	for z := tensor.Float(-0.5); z < 1.25; z += 1.0 / 64 {
		x, y := slices.Repeat([]tensor.Float{z}, 4), slices.Repeat([]tensor.Float{z + 0.125}, 4)
		a, _ := traceOf(t, temporal.Counting{Threshold: 1, Start: 0.5}, 4, x...)
		b, _ := traceOf(t, temporal.Counting{Threshold: 1}, 4, y...)
		if a[0]+a[1]+a[2]+a[3] != b[0]+b[1]+b[2]+b[3] {
			t.Errorf("%v: %v and %v", z, a, b)
		}
		if a[0]+a[1] != b[0]+b[1] {
			before++
		}
	}
	if before == 0 {
		t.Error("no difference before the last step")
	}
}

// Neurons of code if are neuron.IF.
func TestPlainCountingIsIF(t *testing.T) {
	src := rng.New(4, "test").Source()
	in := &signal.Signal{Kind: signal.Dense, T: 20, B: 3, Shape: tensor.Shape{70}}
	for range 20 * 3 * 70 {
		in.Data = append(in.Data, tensor.Float(src.Float64()*2-0.8))
	}
	var got [2]*signal.Signal
	for i, l := range []layer.Layer{temporal.Counting{Threshold: 1, Start: 0.25}, layer.Spiking{Neuron: neuron.IF{Threshold: 0.75, Amount: 1}, Surrogate: through{}}} {
		n, err := network.Sequential(in.Shape, 1, l)
		if err != nil {
			t.Fatal(err)
		}
		outs, err := n.Compile(nil, false).NewPass(network.Options{}).Forward(n.NewState(3), in, false)
		if err != nil || outs[0].Kind != signal.Spikes {
			t.Fatal(outs, err)
		}
		got[i] = outs[0]
	}
	if !slices.Equal(got[0].Raster.Bits, got[1].Raster.Bits) || got[0].Density() < 0.1 {
		t.Errorf("spikes differ from those of neuron if, density %v and %v", got[0].Density(), got[1].Density())
	}
}

type through struct{}

func (through) Derivative(tensor.Float) tensor.Float  { return 1 }
func (through) Primitive(z tensor.Float) tensor.Float { return z }
func (through) Validate() error                       { return nil }

// Graded spikes are counted by their magnitudes, also where they are taken back.
func TestGradedSpikesAreCounted(t *testing.T) {
	n, err := network.Sequential(tensor.Shape{1}, 1, temporal.Counting{Code: temporal.Graded, Threshold: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	pass := n.Compile(nil, false).NewPass(network.Options{})
	if _, err := pass.Forward(n.NewState(1), &signal.Signal{Kind: signal.Dense, T: 5, B: 1, Shape: tensor.Shape{1}, Data: []tensor.Float{4, -4, 0, 2, -0.5}}, false); err != nil {
		t.Fatal(err)
	}
	if spikes, slots := pass.Spikes(0); spikes != 7 || slots != 5 {
		t.Errorf("%d spikes of %d, want 7 of 5", spikes, slots)
	}
}

func TestCountingRefuses(t *testing.T) {
	for want, l := range map[string]layer.Layer{
		"threshold is 0": temporal.Counting{}, "start is 1": temporal.Counting{Threshold: 1, Start: 1}, "code 7": temporal.Counting{Code: 7, Threshold: 1},
		"negative is 2 with code graded": temporal.Counting{Code: temporal.Graded, Threshold: 1, Negative: 2}, "residual is 3 with code snm": temporal.Counting{Code: temporal.SNM, Threshold: 1, Residual: 3},
		"residual is -1": temporal.Counting{Threshold: 1, Residual: -1}, "after: steps is 0": temporal.After{},
	} {
		if _, err := l.Output(tensor.Shape{1}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	var c temporal.Code
	if err := c.UnmarshalText([]byte("grade")); err == nil || !strings.Contains(err.Error(), `did you mean "graded"`) {
		t.Error(err)
	}
}

// What comes first is left out, whatever the windows.
func TestAfter(t *testing.T) {
	if got := seriesOf(t, temporal.After{Steps: 3}, 1, 2, 3, 4, 5); !slices.Equal(got, []tensor.Float{0, 0, 0, 4, 5}) {
		t.Errorf("%v", got)
	}
}

func ExampleCounting() {
	for code := temporal.Plain; code <= temporal.Graded; code++ {
		net, err := network.Sequential(tensor.Shape{1}, 1, temporal.Counting{Code: code, Threshold: 1, Start: 0.5})
		if err != nil {
			fmt.Println(err)
			return
		}
		in := &signal.Signal{Kind: signal.Dense, T: 4, B: 1, Shape: tensor.Shape{1}, Data: []tensor.Float{2, -2, 0, 0}}
		out, err := net.Compile(nil, false).NewPass(network.Options{}).Forward(net.NewState(1), in, false)
		var d signal.Signal
		out[0].Densify(&d)
		fmt.Println(code, d.Data, err)
	}
	// Output:
	// if [1 0 0 0] <nil>
	// snm [1 0 0 0] <nil>
	// sigma-delta [1 -1 0 0] <nil>
	// graded [1 -1 0 0] <nil>
}
