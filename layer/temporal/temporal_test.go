package temporal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"synfire/layer"
	"synfire/layer/temporal"
	"synfire/linmap"
	"synfire/network"
	"synfire/neuron"
	"synfire/signal"
	"synfire/snntest"
	"synfire/tensor"
)

// seriesOf runs a layer on a series of one element, in windows of two steps.
func seriesOf(t *testing.T, l layer.Layer, x ...tensor.Float) (y []tensor.Float) {
	t.Helper()
	n, err := network.Sequential(tensor.Shape{1}, 1, l)
	if err != nil {
		t.Fatal(err)
	}
	pass, state := n.Compile(nil, false).NewPass(network.Options{}), n.NewState(1)
	for part := range slices.Chunk(x, 2) {
		outs, err := pass.Forward(state, &signal.Signal{Kind: signal.Dense, T: len(part), B: 1, Shape: tensor.Shape{1}, Data: part}, false)
		if err != nil {
			t.Fatal(err)
		}
		y = append(y, outs[0].Data...)
	}
	return y
}

func TestDelay(t *testing.T) {
	for steps, want := range map[int][]tensor.Float{1: {0, 1, 2, 3, 4}, 3: {0, 0, 0, 1, 2}, 9: {0, 0, 0, 0, 0}} {
		if got := seriesOf(t, temporal.Delay{Steps: steps}, 1, 2, 3, 4, 5); !slices.Equal(got, want) {
			t.Errorf("%d steps: %v, want %v", steps, got, want)
		}
	}
	for steps, want := range map[int]string{-1: "steps is -1", 0: "steps is 0", 1: "", 1 << 16: "", 1<<16 + 1: "want 1 to 65536"} {
		if _, err := (temporal.Delay{Steps: steps}).Output(tensor.Shape{1}); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%d steps: %v, want %q", steps, err, want)
		}
	}
}

func TestIntegrator(t *testing.T) {
	got := seriesOf(t, temporal.Integrator{Neuron: neuron.LIF{Beta: 0.5, Threshold: 1, Reset: neuron.None, Leak: 2}}, 4, 0, 8)
	if want := []tensor.Float{5, 3.5, 10.75}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for want, n := range map[string]neuron.Neuron{
		"reset subtract": neuron.LIF{Beta: 0.5, Threshold: 1}, "refractory 2": neuron.IF{Threshold: 1, Reset: neuron.None, Refractory: 2},
		"want if, lif or cuba-lif": neuron.ALIF{Beta: 0.5, Threshold: 1, Reset: neuron.None}, "want a decay": neuron.LIF{Beta: 2, Threshold: 1, Reset: neuron.None},
	} {
		if _, err := (temporal.Integrator{Neuron: n}).Output(tensor.Shape{1}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func Example() {
	net, err := network.Sequential(tensor.Shape{1}, 1, temporal.Delay{Steps: 1}, temporal.Integrator{Neuron: neuron.LIF{Beta: 0.5, Threshold: 1, Reset: neuron.None}})
	if err != nil {
		fmt.Println(err)
	}
	in := &signal.Signal{Kind: signal.Dense, T: 4, B: 1, Shape: tensor.Shape{1}, Data: []tensor.Float{8, 0, 0, 0}}
	out, err := net.Compile(nil, false).NewPass(network.Options{}).Forward(net.NewState(1), in, false)
	fmt.Println(out[0].Data, err)
	// Output: [0 8 4 2] <nil>
}

// What came of a window is the largest of the numbers of its spikes, at each step: one spike
// at most, none too many, whatever the order, with overlapping windows and padding.
func TestMaxCountIsTheLargestCount(t *testing.T) {
	shape, steps := tensor.Shape{5, 4, 3}, 40
	for _, l := range []temporal.MaxCount{{Size: 2}, {Size: 3, Stride: 1, Padding: []int{1}}, {Size: 2, Stride: 1, Padding: []int{0, 1, 1, 0}}} {
		n, err := network.Sequential(shape, 1, l)
		if err != nil {
			t.Fatal(err)
		}
		p, err := linmap.NewPool(shape, l.Size, l.Stride, l.Padding)
		if err != nil {
			t.Fatal(err)
		}
		in := snntest.Random(signal.Spikes, steps, 2, shape, 0.3, 4)
		pass, state := n.Compile(nil, false).NewPass(network.Options{}), n.NewState(2)
		outs, err := pass.Forward(state, in, false)
		if err != nil {
			t.Fatal(err)
		}
		out := outs[0]
		if out.Kind != signal.Spikes {
			t.Fatalf("%+v: gives %v", l, out.Kind)
		}
		for b := range 2 {
			counts, got := make([]tensor.Float, shape.Size()), make([]tensor.Float, p.Outputs())
			want := make([]tensor.Float, p.Outputs())
			for step := range steps {
				for i := range counts {
					if in.Raster.At(step*2+b, i) {
						counts[i]++
					}
				}
				for o := range got {
					if out.Raster.At(step*2+b, o) {
						got[o]++
					}
				}
				p.Forward(&linmap.Scratch{}, want, counts, nil)
				if !slices.Equal(got, want) {
					t.Fatalf("%+v, step %d: %v, want %v", l, step, got, want)
				}
			}
		}
	}
	// Of currents the sum is the largest of the sums, not the sum of the largest.
	n, err := network.Sequential(tensor.Shape{2, 2, 1}, 1, temporal.MaxCount{Size: 2})
	if err != nil {
		t.Fatal(err)
	}
	outs, err := n.Compile(nil, false).NewPass(network.Options{}).Forward(n.NewState(1), &signal.Signal{Kind: signal.Dense, T: 3, B: 1, Shape: tensor.Shape{2, 2, 1}, Data: []tensor.Float{3, 0, 0, 0, -3, 2, 0, 0, 0, 2, 1, 0}}, false)
	if err != nil || !slices.Equal(outs[0].Data, []tensor.Float{3, -1, 2}) {
		t.Errorf("%v, %v", outs[0].Data, err)
	}
	for want, c := range map[string]struct {
		l  temporal.MaxCount
		in tensor.Shape
	}{"15×15": {temporal.MaxCount{Size: 16}, tensor.Shape{20, 20, 1}}, "want an image": {temporal.MaxCount{Size: 2}, tensor.Shape{4}}, "does not fit": {temporal.MaxCount{Size: 5}, tensor.Shape{4, 4, 1}}} {
		if _, err := c.l.Output(c.in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// The leader's spikes are never fewer than the largest count, at each step, and where an element
// leads from the first step on as many; those of any element are never fewer than the leader's.
func TestLeaderIsNeverBelow(t *testing.T) {
	shape, steps := tensor.Shape{4, 4, 2}, 64
	count := func(l layer.Layer, in *signal.Signal) (sums [][]int) {
		n, err := network.Sequential(shape, 1, l)
		if err != nil {
			t.Fatal(err)
		}
		outs, err := n.Compile(nil, false).NewPass(network.Options{}).Forward(n.NewState(1), in, false)
		if err != nil || outs[0].Kind != signal.Spikes {
			t.Fatal(err, outs[0].Kind)
		}
		now := make([]int, outs[0].Units())
		for step := range steps {
			for o := range now {
				if outs[0].Raster.At(step, o) {
					now[o]++
				}
			}
			sums = append(sums, slices.Clone(now))
		}
		return sums
	}
	over, windows := 0, 0
	for seed := range uint64(40) {
		in := snntest.Random(signal.Spikes, steps, 1, shape, 0.1+0.02*float64(seed), seed)
		exact, leader, any := count(temporal.MaxCount{Size: 2}, in), count(temporal.MaxCount{Size: 2, Leader: true}, in), count(layer.MaxPool{Size: 2}, in)
		for step := range exact {
			for o, most := range exact[step] {
				if leader[step][o] < most || any[step][o] < leader[step][o] {
					t.Fatalf("seed %d, step %d, window %d: %d of the leader, %d of any, the largest count is %d", seed, step, o, leader[step][o], any[step][o], most)
				}
			}
		}
		for o, most := range exact[steps-1] {
			windows++
			if leader[steps-1][o] > most {
				over++
			}
		}
	}
	if over == 0 || over == windows {
		t.Errorf("the leader gave too many spikes in %d of %d windows", over, windows)
	}
	// An element that alone fires leads, and is passed on as it is.
	alone := &signal.Signal{}
	alone.Reset(signal.Spikes, steps, 1, shape)
	for step := 0; step < steps; step += 3 {
		alone.Raster.Set(step, 0)
	}
	if got := count(temporal.MaxCount{Size: 2, Leader: true}, alone)[steps-1][0]; got != 22 {
		t.Errorf("%d spikes of 22 passed", got)
	}
}

func TestAfterLeavesTheFirstStepsOut(t *testing.T) {
	if got := seriesOf(t, temporal.After{Steps: 3}, 1, 2, 3, 4, 5); !slices.Equal(got, []tensor.Float{0, 0, 0, 4, 5}) {
		t.Error(got)
	}
	if _, err := (temporal.After{}).Output(tensor.Shape{1}); err == nil || !strings.Contains(err.Error(), "steps is 0") {
		t.Error(err)
	}
}
