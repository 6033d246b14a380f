package view

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"synfire/bench"
	"synfire/catalog"
	"synfire/convert"
	"synfire/energy"
	"synfire/run"
)

// Each figure of two runs stands in a line of its own, claims before metrics.
func TestDifferenceOfTwoRuns(t *testing.T) {
	var out bytes.Buffer
	d := run.Difference{
		Runs: [2]string{"a", "b"}, Config: []string{"-seed: 1", "+seed: 2"}, Weights: "differ",
		Claims: map[string][2]any{"full": {98.0, nil}}, Metrics: map[string][2]any{"loss": {0.5, 0.25}, "accuracy": {97.0, 98.0}},
	}
	if err := NewScreen(&out, &out).Difference(d); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	if want := []string{"-seed: 1", "+seed: 2", "", "a b", "claim full 98 –", "accuracy 97 98", "loss 0.5 0.25", "weights differ"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Keys of a kind whose comments are known are told of; of others the column is left out.
func TestKeysOfAKind(t *testing.T) {
	for doc, want := range map[string][]string{
		"of the reset": {"KEY TYPE DEFAULT WHAT", "beta number 0.9 of the reset", "threshold number required of the reset"},
		"":             {"KEY TYPE DEFAULT", "beta number 0.9", "threshold number required"},
	} {
		var out bytes.Buffer
		k := catalog.KindInfo{Kind: "lif", Of: "neuron", Source: "neuron.LIF", Keys: []catalog.Key{{Name: "beta", Type: "number", Default: 0.9, Doc: doc}, {Name: "threshold", Type: "number", Doc: doc, Required: true}}}
		if err := NewScreen(&out, &out).Kind(k); err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(out.String()) {
			got = append(got, strings.Join(strings.Fields(line), " "))
		}
		if !slices.Equal(got[len(got)-3:], want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A conversion's table has a row for each method and number of steps, with its difference to
// the ordinary network.
func TestAccuracyOfEachConversion(t *testing.T) {
	work := energy.Spiking{Plan: &energy.Plan{}}
	result := func(method string, accuracy float64) convert.Result {
		return convert.Result{Conversion: convert.Conversion{Method: method}, Accuracy: 98, N: 100, Points: []convert.Point{{Steps: 8, Accuracy: accuracy, Spikes: 10, Synops: 2000, Work: work}, {Steps: 16, Accuracy: accuracy + 1, Spikes: 20, Synops: 4000, Work: work}}}
	}
	s, err := accuracySection([]convert.Result{result("data", 90), result("percentile", 95)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range s.Tables[0].Rows {
		got = append(got, strings.Join([]string{row[0], row[1], row[2], row[4], row[5], row[6]}, " "))
	}
	want := []string{"data 8 90.00 % -8.00 10 2,000", "data 16 91.00 % -7.00 20 4,000", "percentile 8 95.00 % -3.00 10 2,000", "percentile 16 96.00 % -2.00 20 4,000"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A profile tells millions of multiply-adds, rates as shares of what the machine can, and
// what is too small for a line of its own together.
func TestProfile(t *testing.T) {
	var b strings.Builder
	writeProfile(&b, &bench.Profile{GEMM: 40, Copy: 20, Milliseconds: 10, Outside: 1, Spans: []bench.Span{
		{Node: "conv", Turn: "forward", Kernel: "Gemm", Path: "dense", Milliseconds: 2, MACs: 2e7, DenseMACs: 4e7},
		{Node: "lif", Turn: "forward", Milliseconds: 4, Bytes: 4e7},
		{Node: "flatten", Turn: "forward", Milliseconds: 0.01},
	}})
	var got []string
	for line := range strings.Lines(b.String()) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"node kernel path ms share MMAC GFLOP/s of GEMM as dense GB/s of copy",
		"conv forward Gemm dense 2.00 20 % 20.0 20.0 50 % 100 %",
		"lif forward 4.00 40 % 10.0 50 %",
		"smaller 0.0100 0 %", "outside 1.00 10 %",
		"10.0 ms a batch; GEMM 40.0 GFLOP/s, copy 20.0 GB/s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
