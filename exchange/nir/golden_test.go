package nir_test

import (
	"bufio"
	"fmt"

	"os"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/data/events"
	"synfire/encode"
	"synfire/exchange/certify"
	"synfire/exchange/nir"
	"synfire/internal/shared"
	"synfire/network"
	"synfire/neuron"
	"synfire/sample"
	"synfire/signal"
	"synfire/surrogate"
	"synfire/tensor"
)

func reset(r neuron.Reset) *neuron.Reset { return &r }

var fast = surrogate.FastSigmoid{Slope: 25}

// lowered is the network of a file.
func lowered(t *testing.T, path string, o nir.Options) *network.Network {
	t.Helper()
	g, err := nir.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	net, _, err := g.Lower(o)
	if err != nil {
		t.Fatal(err)
	}
	n, err := net.Build(1)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// run gives the first output at each step of each sample.
func run(t *testing.T, n *network.Network, in *signal.Signal) signal.Signal {
	t.Helper()
	outs, err := n.Compile(nil, false).NewPass(network.Options{}).Forward(n.NewState(in.B), in, false)
	if err != nil {
		t.Fatal(err)
	}
	var d signal.Signal
	outs[0].Densify(&d)
	return d
}

// column is a column of a trace.
func column(t *testing.T, path string, k int) (v []float64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var x float64
		if _, err := fmt.Sscan(strings.Split(lines.Text(), ",")[k], &x); err != nil {
			t.Fatal(err)
		}
		v = append(v, x)
	}
	return v
}

// [lif]: the neuron of Norse's file spikes within a step of the exact solution.
func TestLIFOfNorse(t *testing.T) {
	const dt = 1e-4
	trace := shared.File(t, "golden/nir/lif_exact.csv")
	n := lowered(t, shared.File(t, "golden/nir/lif_norse.nir"), nir.Options{DT: dt, Reset: reset(neuron.Subtract), Surrogate: fast})
	x, want := column(t, trace, 0), column(t, trace, 2)
	var in signal.Signal
	in.Reset(signal.Dense, len(x), 1, n.InputShape())
	for i, v := range x {
		in.Data[i] = tensor.Float(v)
	}
	out := run(t, n, &in)
	var spikes, exact []int
	for k := range want {
		if out.Data[k] != 0 {
			spikes = append(spikes, k)
		}
		if want[k] != 0 {
			exact = append(exact, k)
		}
	}
	if len(spikes) != len(exact) {
		t.Fatalf("spikes in %v, want %v", spikes, exact)
	}
	for i, k := range spikes {
		if d := k - exact[i]; d < -1 || d > 1 {
			t.Errorf("spike %d in step %d, want %d", i, k, exact[i])
		}
	}
}

// recordings are the real test recordings of N-MNIST as numbers of events a millisecond, channels
// last, with their digits.
func recordings(t *testing.T, most int) (in []*signal.Signal, digits []int) {
	t.Helper()
	_, test, err := events.NMNIST{Path: shared.File(t, "data/nmnist-1100.zip")}.Open(t.Context(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	spec := test.Spec()
	for i := range min(most, test.Len()) {
		var s sample.Sample
		if err := test.Read(t.Context(), i, &s); err != nil {
			t.Fatal(err)
		}
		last := 0.0
		for _, e := range s.Events {
			last = max(last, e.Time)
		}
		steps := int(last*1000) + 1
		b := &sample.Batch{Spec: &sample.Spec{Shape: spec.Shape, Events: true, Duration: float64(steps) / 1000}, Events: [][]sample.Event{s.Events}, Index: []int{i}}
		var x signal.Signal
		encode.Events{Count: true}.Encode(&x, b, nil, encode.Window{T1: steps, Steps: steps})
		in = append(in, &x)
		target, err := test.Target(i, 0)
		if err != nil {
			t.Fatal(err)
		}
		digits = append(digits, target.Class)
	}
	return in, digits
}

// counts are how often each output fires.
func counts(out signal.Signal) []int {
	n := make([]int, out.Units())
	for i, s := range out.Data {
		n[i%len(n)] += int(s)
	}
	return n
}

// [cnn]: the network of Sinabs knows the digits of real recordings, under each reading.
func TestCNNOfSinabs(t *testing.T) {
	path := shared.File(t, "golden/nir/cnn_sinabs.nir")
	most := 100
	if testing.Short() {
		most = 10
	}
	in, digits := recordings(t, most)
	g, err := nir.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, reading := range []struct {
		neuron.Reset
		floor float64
	}{{neuron.Subtract, 0}, {neuron.Zero, 0}, {neuron.Subtract, -1}} {
		r := reading.Reset
		n := lowered(t, path, nir.Options{DT: 1, Reset: reset(r), Floor: reading.floor, Surrogate: fast})
		right := 0
		for i, x := range in {
			c := counts(run(t, n, x))
			if slices.Index(c, slices.Max(c)) == digits[i] {
				right++
			}
			if i == 0 && reading.floor != 0 {
				course, err := certify.Solve(g, certify.Reading{DT: 1, Reset: "subtract", Method: "exact", Floor: reading.floor}, channelsFirst(x))
				if err != nil {
					t.Fatal(err)
				}
				want := make([]int, 10)
				for _, row := range course.Spikes["12"] {
					for k, s := range row {
						want[k] += int(s)
					}
				}
				if !slices.Equal(c, want) {
					t.Errorf("floor %v: counts %v, certify has %v", reading.floor, c, want)
				}
			}
			if i < 2 && reading.floor == 0 {
				want := make([]int, 10)
				for _, row := range reference(t, g, nir.Options{DT: 1, Reset: reset(r)}, channelsFirst(x)) {
					for k, s := range row {
						want[k] += int(s)
					}
				}
				if !slices.Equal(c, want) {
					t.Errorf("reset %v, recording %d: counts %v, the reference has %v", r, i, c, want)
				}
			}
		}
		t.Logf("reset %v, floor %v: %d of %d right", r, reading.floor, right, len(in))
		if right < len(in)*94/100 {
			t.Errorf("reset %v: %d of %d right", r, right, len(in))
		}
	}
}
