package bench

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"synfire/signal"
)

// ticking is a clock that advances by a millisecond each time it is read.
func ticking() func() time.Time {
	now := time.Unix(0, 0)
	return func() time.Time {
		now = now.Add(time.Millisecond)
		return now
	}
}

func small(t *testing.T, names ...string) []Case {
	t.Helper()
	cases, err := Cases(Selection{Names: names, Threads: 2, Small: true})
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// Each workload is what its shape says: classifiers have ten outputs, and their steps are
// whole windows.
func TestShapesOfWorkloads(t *testing.T) {
	for _, s := range []Selection{{Threads: 1}, {Threads: 1, Small: true}} {
		cases, err := Cases(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			shape, _, _ := strings.Cut(c.Shape, "@")
			if c.Workload == "W7" && !strings.HasSuffix(shape, "-10") {
				t.Errorf("%s of shape %s has not ten outputs", c.Workload, c.Shape)
			}
			if w := c.work; w != nil && (w.window < 1 || w.steps%w.window != 0) {
				t.Errorf("%s: %d steps in windows of %d", c.Workload, w.steps, w.window)
			}
		}
	}
}

// Every workload runs, its layers fire, and its rows are complete.
func TestWorkloads(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range small(t, Names()...) {
		rows := c.Run(Options{Now: ticking(), Repeat: MinRepeat})
		for _, r := range rows {
			id := strings.Join([]string{r.Workload, r.Shape, r.Phase, r.Path, string(rune('0' + r.Threads))}, " ")
			if seen[id] {
				t.Errorf("%s: twice", id)
			}
			seen[id] = true
			if r.Error != "" || r.Repeat != MinRepeat || !(r.Min > 0 && r.Min <= r.Median && r.Median <= r.Max) {
				t.Errorf("%s: %+v", id, r)
			}
			if n := len(r.Layers); len(r.Calibration) != n || len(r.FiringRate) != n || len(r.RateEnd) != n {
				t.Errorf("%s: %d layers, %d factors, %d and %d rates", id, n, len(r.Calibration), len(r.FiringRate), len(r.RateEnd))
			}
			if r.Phase == Train && r.Workload != "W5" && (r.FinalLoss == nil || !(*r.FinalLoss > 0)) {
				t.Errorf("%s: no loss", id)
			}
		}
	}
	// W1 3, W2a 2, W2b 3, W3 3×2, W4 1, W5 1, W6 7, W6b 5, W7 2 + 2×2×2, W8 1, W9 4, W10 2, W11 2, GEMM 1 shape on 1 and 2 threads, density 2×2×2.
	if want := 3 + 2 + 3 + 6 + 1 + 1 + 7 + 5 + 10 + 1 + 4 + 2 + 2 + 2 + 8; len(seen) != want {
		t.Errorf("%d rows, want %d", len(seen), want)
	}
}

// The clock is the caller's: with one that ticks a millisecond a reading, a repeat
// of a single batch takes one.
func TestRateIsTheClocks(t *testing.T) {
	c := small(t, "W1")[1]
	r := c.Run(Options{Now: ticking(), Repeat: 6})[0]
	if want := float64(r.Batch) / 1e-3; r.Phase != Infer || math.Abs(r.Median-want) > 1e-6*want || r.Min != r.Max {
		t.Errorf("%s: %v [%v %v], want %v", r.Phase, r.Median, r.Min, r.Max, want)
	}
}

func TestCalibrationReachesItsRate(t *testing.T) {
	for _, c := range small(t) {
		factors, err := c.Calibrate()
		if err != nil {
			t.Fatal(err)
		}
		if c.work == nil {
			continue
		}
		net, err := c.work.network(factors)
		if err != nil {
			t.Fatal(err)
		}
		f := newInference(c.work, net, nil, c.work.batch, Options{})
		if err := f.run(); err != nil {
			t.Fatal(err)
		}
		for i, rate := range f.rates() {
			if math.Abs(rate-c.work.rate) > 0.02*c.work.rate {
				t.Errorf("%s %s: layer %d fires at %.4f, want %.4f", c.Workload, c.Shape, i, rate, c.work.rate)
			}
		}
	}
}

// A row with a silent hidden layer must not pass for a measurement.
func TestSilentLayersFail(t *testing.T) {
	for _, c := range small(t, "W1") {
		r := c.Run(Options{Now: ticking(), Repeat: MinRepeat, Factors: []float64{0.01, 1}})[0]
		if !strings.Contains(r.Error, "spiking1 fires at 0.0 %") {
			t.Errorf("%s: error %q at rates %v", c.Phase, r.Error, r.FiringRate)
		}
	}
}

// Inputs are what the workloads say.
func TestInputs(t *testing.T) {
	cases, err := Cases(Selection{Names: []string{"W1", "W2b", "W3"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		x := c.work.signal(c.work.batch)
		share := x.Density()
		if x.Kind == signal.Constant {
			zeros := 0
			for _, v := range x.Data {
				if v == 0 {
					zeros++
				}
			}
			share = 1 - float64(zeros)/float64(len(x.Data))
		}
		if math.Abs(share-c.work.density) > 0.02*c.work.density {
			t.Errorf("%s %s: %.4f of the inputs are not zero, want %.4f", c.Workload, c.Shape, share, c.work.density)
		}
		if c.work.events && slices.Equal(x.Raster.Row(0), x.Raster.Row(x.B)) {
			t.Errorf("%s: the first two steps are equal", c.Shape)
		}
	}
}

func TestSelection(t *testing.T) {
	for _, c := range []struct {
		want []string
		s    Selection
	}{
		{[]string{`no workload "W99"`, "W1", "density"}, Selection{Names: []string{"W1", "W99"}}},
		{[]string{`no phase "train"`}, Selection{Names: []string{"W4"}, Phase: Train}},
		{[]string{`no shape "ISI"`, "isi, spike, ri-spike, sync"}, Selection{Names: []string{"W6", "W6b"}, Shapes: []string{"isi", "ISI"}}},
	} {
		_, err := Cases(c.s)
		for _, w := range c.want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%+v: error %v without %q", c.s, err, w)
			}
		}
	}
	cases, err := Cases(Selection{Names: []string{"W6", "W6b"}, Shapes: []string{"isi", "ri-spike"}})
	var got []string
	for _, c := range cases {
		got = append(got, c.Workload+" "+c.Shape)
	}
	if want := []string{"W6 isi", "W6 ri-spike", "W6b isi"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("of shapes: %q, %v; want %q", got, err, want)
	}
	cases, err = Cases(Selection{Threads: 1})
	if err != nil || slices.ContainsFunc(cases, func(c Case) bool { return c.Workload == "density" }) {
		t.Errorf("all: %v", err)
	}
	products := 0
	for _, c := range cases {
		if c.Workload == "GEMM" {
			products++
		}
	}
	if products != 3 {
		t.Errorf("%d products on one thread, want 3", products)
	}
	if r := cases[0].Run(Options{Now: ticking(), Repeat: 4})[0]; !strings.Contains(r.Error, "4 repeats") {
		t.Errorf("4 repeats: error %q", r.Error)
	}
}

// Both readings of references: rows, and a script's lines.
func TestCompare(t *testing.T) {
	rows := []Row{
		{Workload: "W1", Phase: Train, Shape: "784-1000-10", Unit: "samples/s", Threads: 2, Median: 10},
		{Workload: "W1", Phase: Latency, Shape: "784-1000-10", Unit: "ms", Threads: 2, Median: 10},
		{Workload: "W3", Phase: Infer, Shape: "2312-800-10@0.10", Unit: "samples/s", Threads: 2, Median: 10},
		{Workload: "GEMM", Phase: GEMM, Shape: "128x1000x784", Unit: "GFLOP/s", Threads: 2, Median: 10},
		{Workload: "GEMM", Phase: GEMM, Shape: "128x1000x784", Unit: "GFLOP/s", Threads: 1, Median: 10},
		{Workload: "W2b", Phase: Train, Shape: "32x32x3-64C3@cut0.36", Unit: "samples/s", Threads: 2, Median: 10},
		{Workload: "W4", Phase: Infer, Shape: "32x32x3", Unit: "samples/s", Threads: 2, Median: 10},
		{Workload: "W6", Phase: Matrix, Shape: "isi", Unit: "s", Threads: 2, Median: 10},
		{Workload: "W6", Phase: Matrix, Shape: "victor-purpura", Unit: "s", Threads: 2, Median: 10},
	}
	lines := `{"work": "W1", "lib": "torch", "mode": "train", "threads": 2, "median": 4.0, "min": 2, "max": 5, "rss_mib": 356}
{"work": "W3@0.1", "lib": "torch", "mode": "infer", "threads": 2, "median": 20, "min": 1, "max": 30}
{"work": "W3@0.01", "lib": "torch", "mode": "infer", "threads": 2, "median": 3}
{"work": "W2b", "lib": "torch", "mode": "train", "threads": 2, "median": 3}
{"work": "W4", "lib": "norse", "error": "no such thing"}
{"work": "GEMM 128x1000x784", "lib": "torch", "threads": 2, "gflops": 5}
{"work": "W6", "what": "pyspike isi", "trains": 100, "spikes": 1000, "seconds": 40}
{"work": "W6", "what": "elephant victor-purpura (10 trains only)", "trains": 100, "spikes": 1000, "seconds": 2}`
	check(t, rows, lines, []string{"torch 2.5", "", "torch 0.5", "torch 2", "", "", "norse no such thing", "pyspike 4", "elephant, scaled from 45 pairs 22"})

	older := slices.Clone(rows)
	for i := range older {
		older[i].Median = 5
	}
	older[3].Shape = "1024x1024x1024"
	raw, err := json.Marshal(older)
	if err != nil {
		t.Fatal(err)
	}
	check(t, rows, string(raw), []string{"file 2", "file 0.5", "file 2", "", "file 2", "file 2", "file 2", "file 0.5", "file 0.5"})

	for _, bad := range []string{"", "[1]", "{}", `{"work": "W1"}`, `{"work": "W6", "what": "x y"}`, "figures\n", `[{"workload": 1}]`} {
		if _, err := ReadReferences("file", []byte(bad)); err == nil || !strings.Contains(err.Error(), "compare with file") {
			t.Errorf("%q: error %v", bad, err)
		}
	}
}

func check(t *testing.T, rows []Row, src string, want []string) {
	t.Helper()
	refs, err := ReadReferences("file", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		var got []string
		r.Compare(refs)
		for _, c := range r.Compared {
			text := c.Source + " " + c.Error
			if c.Error == "" {
				raw, _ := json.Marshal(c.Ratio)
				text = c.Source + " " + string(raw)
			}
			got = append(got, text)
		}
		if strings.Join(got, "; ") != want[i] {
			t.Errorf("%s %s: %q, want %q", r.Workload, r.Phase, got, want[i])
		}
	}
}

// The parts of a profile add up to the whole, and name each product.
func TestProfile(t *testing.T) {
	for _, c := range small(t, "W2a") {
		r := c.Run(Options{Now: ticking(), Repeat: MinRepeat, Profile: true})[0]
		if r.Profile == nil {
			t.Fatalf("%s: no profile: %s", c.Phase, r.Error)
		}
		sum, products := r.Profile.Outside, 0
		for _, s := range r.Profile.Spans {
			sum += s.Milliseconds
			if s.Kernel == "product" {
				products++
				if s.DenseMACs <= 0 || s.MACs <= 0 || s.Path == "" || s.GFLOPS() <= 0 {
					t.Errorf("%s: %+v", c.Phase, s)
				}
			}
		}
		if math.Abs(sum-r.Profile.Milliseconds) > 1e-9*sum || products != 3 {
			t.Errorf("%s: parts of %v ms make %v; %d products, want 3", c.Phase, r.Profile.Milliseconds, sum, products)
		}
	}
}

// JSON holds no unknown field, and comes back the same.
func TestRowJSON(t *testing.T) {
	r := small(t, "W1")[0].Run(Options{Now: ticking(), Repeat: MinRepeat, Profile: true})[0]
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Row
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&back); err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(back)
	if !bytes.Equal(raw, again) {
		t.Errorf("%s\n%s", raw, again)
	}
	for _, field := range []string{"workload", "phase", "shape", "unit", "median", "min", "max", "repeat", "threads", "kernel", "peak_rss_bytes", "firing_rate", "final_loss"} {
		if !bytes.Contains(raw, []byte(`"`+field+`":`)) {
			t.Errorf("no field %q in %s", field, raw)
		}
	}
}

// Each density is measured by event and dense.
func TestDensity(t *testing.T) {
	for _, c := range small(t, "density") {
		rows := c.Run(Options{Now: ticking(), Repeat: MinRepeat})
		if len(rows) != 2 || rows[0].Path != "events" || rows[1].Path != "dense" || rows[0].Unit != "ms" {
			t.Errorf("%s %s: %+v", c.Phase, c.Shape, rows)
		}
	}
}
