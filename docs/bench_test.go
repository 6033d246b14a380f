package docs

import (
	"bytes"
	"strings"
	"testing"

	"synfire/bench"
)

// measured are rows of two settings, one of them compared, and of densities.
func measured() []bench.Row {
	base := bench.Row{Workload: "W1", Phase: bench.Train, Shape: "784-1000-10", Unit: "samples/s", Median: 1000, Min: 900, Max: 1100, Repeat: 7,
		CPU: "X", Cores: 2, Commit: "0123456789", PeakRSSBytes: 1 << 20, Layers: []string{"a"}, Calibration: []float64{2.111}, FiringRate: []float64{0.1}, RateEnd: []float64{0.123}}
	slow := base
	slow.Kernel, slow.Threads = "go", 1
	fast := base
	fast.Kernel, fast.Threads, fast.Median = "avx512", 2, 5000
	fast.Compared = []bench.Comparison{{Source: "torch", Median: 2500, Min: 2000, Max: 3000, Ratio: 2}, {Source: "norse", Error: "absent"}}
	thin := fast
	thin.Workload, thin.Shape = "W7", "784-500-10@0.9"
	thin.Compared = []bench.Comparison{{Source: bench.Whole, Median: 4000, Min: 3000, Max: 4500, Ratio: 1.25}}
	failed := fast
	failed.Phase, failed.Error, failed.Compared = bench.Infer, "silent", nil
	pair := func(workload, commit string, ns float64, bytes int64) bench.Row {
		return bench.Row{Workload: workload, Phase: bench.Matrix, Shape: "isi", Unit: "s", Median: 1, Kernel: "avx512", Threads: 2,
			CPU: "X", Cores: 2, Commit: commit, Repeat: 7, NanosPerSpike: ns, PeakRSSBytes: bytes}
	}
	rows := []bench.Row{slow, fast, failed, thin,
		pair("W6", "0123456789", 3, 1<<20), pair("W6b", "0123456789", 2, 1<<29), pair("W6b", "another", 1, 1<<29)}
	for _, c := range densityColumns {
		for i, shape := range []string{"2312-800@0.05", "2312-800@0.50"} {
			rows = append(rows, bench.Row{Workload: "density", Shape: shape, Phase: c[0], Path: c[1], Unit: "ms", Median: float64(i + 1), Kernel: "avx512", Threads: 2, CPU: "X", Cores: 2, Commit: "0123456789", Repeat: 7})
		}
	}
	return rows
}

func TestFillBench(t *testing.T) {
	page := "before\n"
	for _, name := range []string{"machine", "speed", "peers", "rates", "density", "pruned", "trains", "other"} {
		page += "<!-- bench: " + name + " -->\nold\n<!-- /bench -->\nbetween\n"
	}
	got := FillBench(page, measured())
	for _, want := range []string{
		"\n- X, 2 cores; commit 0123456, 7 repeats\n",
		"| work | phase | unit | avx512, 2 threads | go, 1 thread |\n",
		"| W1 784-1000-10 | train | samples/s | 5,000 (900–1,100) | 1,000 (900–1,100) |\n",
		"| W1 784-1000-10 | infer | samples/s | failed | – |\n",
		"| avx512, 2 threads | 5,000 (900–1,100) | torch 2,500 (2,000–3,000) | 2.00 | samples/s |\n",
		"| norse failed | – |",
		"| W1 784-1000-10 | train | 1.0 MiB | 2.11 | 10.0 | 12.3 |\n",
		"| 5 % | 1.00 | 1.00 | 1.00 | 1.00 |\n| 50 % | 2.00 | 2.00 | 2.00 | 2.00 |\n",
		"| 784-500-10, 0.9 pruned | train | avx512, 2 threads | 4,000 (3,000–4,500) | 5,000 (900–1,100) | 1.25 |\n",
		"|--:|\n| isi | avx512, 2 threads | 3.00 | 2.00 | 1.50 | 512.0 MiB |\n\n<!--",
		`There is no table "other".`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, "old") || FillBench(got, measured()) != got {
		t.Errorf("filled again:\n%s", FillBench(got, measured()))
	}
	if none := FillBench(page, nil); strings.Count(none, "No measurement is kept yet.") != 7 {
		t.Errorf("without measurements:\n%s", none)
	}
}

func TestDensityFigure(t *testing.T) {
	svg, err := DensityFigure(measured())
	if err != nil || !bytes.Contains(svg, []byte("weight gradient (ms)")) {
		t.Errorf("%v: %s", err, svg)
	}
	if svg, err := DensityFigure(nil); svg != nil || err != nil {
		t.Errorf("without measurements: %v, %v", svg, err)
	}
}
