// Package bench holds workloads that measure the engine: the same shapes, inputs
// and arithmetic as those that other simulators are timed on.
//
//	W1       784–1000–10, 25 steps, batch 128, constant input
//	W2a      28×28×1: 12C5–MP2–64C5–MP2–10, 25 steps, batch 128, constant input
//	W2b      32×32×3: 64C3–64C3–AP2–128C3–128C3–AP2–256–10, 8 steps, batch 64
//	W3       events on 2×34×34: 2312–800–10, 20 steps, batch 64, at three densities
//	W4       16 layers of integrate-and-fire neurons in VGG's shape, 64 steps, batch 8
//	W5       784–400 with plasticity of spike times and competition, 350 steps, one image
//	         after another
//	W6       distances of all pairs of 100 spike trains of 1,000 spikes
//	W6b      those of 1,000 trains of 18,000 spikes, an hour at 5 Hz
//	W7       784–512–10, equilibrium propagation, 20 free and 4 nudged steps, batch 100;
//	         784–500–10 and 784–500–500–10 whole and with 90 % pruned, in turn, batch 20
//	W8       784–400–10, learning of spike times, 256 steps, one image after another
//	W9       28×28×1: 32C3–AP2–32C3–AP2–128–10, STBP's neurons, 2, 4, 8 and 16 steps, batch 100
//	W10      32×32×3: the ordinary network vgg-fast, batch 125, and an epoch of it
//	W11      Brunel's balanced network of 12,500 neurons, asynchronous and slow, ms of its time a
//	         second, on one thread
//	GEMM     products of dense matrices, both operands packed within the time
//	density  the first layer of W3 alone, by event and dense, from 1 to 50 %
//
// Firing rates are part of the work: with the usual initial weights deep layers
// never fire, and an engine that is driven by events would time nothing. So the
// layers are first calibrated, in order, to fire at a given rate (Calibrate).
// The rates are measured where the time is, at the start and at the end, and a
// row with a hidden layer outside of [2 %, 40 %] carries an error.
package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Phases of a row.
const (
	Train    = "train"    // forward, backward through all steps, optimiser's step
	Infer    = "infer"    // forward
	Latency  = "latency"  // forward, one sample at a time
	GEMM     = "gemm"     // C ← A·B
	Forward  = "forward"  // one layer, forward
	Weights  = "weights"  // one layer, the gradient of its weights
	Matrix   = "matrix"   // distances of all pairs of trains
	Simulate = "simulate" // a network of neurons goes on
)

// Row is one measurement, as `synfire bench --json` prints it.
type Row struct {
	Workload     string    `json:"workload"`
	Phase        string    `json:"phase"`
	Shape        string    `json:"shape"`
	Path         string    `json:"path"` // of spikes, where it is forced: events or dense
	Steps        int       `json:"steps"`
	Batch        int       `json:"batch"`
	Unit         string    `json:"unit"`
	Median       float64   `json:"median"`
	Min          float64   `json:"min"`
	Max          float64   `json:"max"`
	Repeat       int       `json:"repeat"`
	Threads      int       `json:"threads"`
	Kernel       string    `json:"kernel"`
	Handoff      float64   `json:"handoff_ns"`     // between two cores, the slowest beside a repeat; 0 on one thread
	PeakRSSBytes int64     `json:"peak_rss_bytes"` // of the process that measured this row
	Layers       []string  `json:"layers"`         // of neurons, in order; the lists below follow it
	Calibration  []float64 `json:"calibration"`    // factors of the weights
	FiringRate   []float64 `json:"firing_rate"`    // spikes a neuron and step, at the start
	RateEnd      []float64 `json:"rate_end"`       // and at the end
	FinalLoss    *float64  `json:"final_loss"`     // null where there is no loss

	NanosPerSpike float64   `json:"ns_per_spike,omitempty"` // of distances: a pair's time for each of its spikes
	Error         string    `json:"error,omitempty"`
	Cut           *CutError `json:"cut,omitempty"` // of a surrogate that has one

	Compared []Comparison `json:"compared,omitempty"`
	Profile  *Profile     `json:"profile,omitempty"`

	// What measured it: filled in by the command.
	Synfire string `json:"synfire,omitempty"`
	Commit  string `json:"commit,omitempty"`
	Dirty   bool   `json:"dirty,omitempty"`
	CPU     string `json:"cpu,omitempty"`
	Cores   int    `json:"cores,omitempty"`
}

// Options say how to measure.
type Options struct {
	Now    func() time.Time // the clock
	Repeat int              // repeats; MinRepeat at least
	Least  time.Duration    // of a repeat, which is a whole number of batches
	// Settle is how long a row may take, in all, to be repeated where the cores
	// were farther apart than Near; then such repeats count.
	Settle time.Duration
	// Factors are those that Calibrate returned; nil calibrates first, and the
	// memory of that counts towards the peak of the process.
	Factors []float64
	Profile bool // fill in the rows' profiles; the clock is then read around each kernel
}

// MinRepeat is the least number of repeats: fewer show no spread.
const MinRepeat = 5

// Selection says what to measure.
type Selection struct {
	Names   []string // workloads; empty: all but W6b and density, which take long
	Phase   string   // empty: all
	Shapes  []string // of those, as the table writes them; empty: all
	Threads int
	Small   bool // tiny shapes, to try the machinery: the figures mean nothing
}

// Case is a share of the work that is measured by one process: one row, or rows
// that belong together.
type Case struct {
	Workload string
	Phase    string
	Shape    string
	Threads  int
	work     *work // nil where there is no network to calibrate
	run      func(c Case, o Options) ([]Row, error)
}

// Cases lists the cases of a selection, in order.
func Cases(s Selection) ([]Case, error) {
	all := table(s)
	names := s.Names
	if len(names) == 0 {
		names = slices.DeleteFunc(Names(), func(n string) bool { return n == long || n == "density" })
	}
	for _, name := range names {
		if !slices.Contains(Names(), name) {
			return nil, fmt.Errorf("bench: no workload %q; there are: %s", name, strings.Join(Names(), ", "))
		}
	}
	cases := slices.DeleteFunc(all, func(c Case) bool {
		return !slices.Contains(names, c.Workload) || s.Phase != "" && c.Phase != s.Phase
	})
	if len(cases) == 0 {
		return nil, fmt.Errorf("bench: %s has no phase %q; leave it out to see what there is", strings.Join(names, ", "), s.Phase)
	}
	return ofShapes(cases, s.Shapes)
}

// ofShapes are the cases of the given shapes, each of which there must be; no shapes
// mean all.
func ofShapes(cases []Case, shapes []string) ([]Case, error) {
	var there []string
	for _, c := range cases {
		if !slices.Contains(there, c.Shape) {
			there = append(there, c.Shape)
		}
	}
	for _, shape := range shapes {
		if !slices.Contains(there, shape) {
			return nil, fmt.Errorf("bench: no shape %q; there are: %s", shape, strings.Join(there, ", "))
		}
	}
	return slices.DeleteFunc(cases, func(c Case) bool { return len(shapes) > 0 && !slices.Contains(shapes, c.Shape) }), nil
}

// Names are the workloads in order.
func Names() []string {
	var names []string
	for _, c := range table(Selection{}) {
		if !slices.Contains(names, c.Workload) {
			names = append(names, c.Workload)
		}
	}
	return names
}
