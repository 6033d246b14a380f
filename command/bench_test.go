//go:build unix

package command

import (
	"os"
	"strings"
	"testing"

	"synfire/bench"
	"synfire/internal/kernel"
	"synfire/internal/machine"
	"synfire/view"
)

// asCommand lets the processes that the command starts be the command, not its
// tests.
func asCommand(t *testing.T) { t.Setenv("SYNFIRE_TEST_AS_COMMAND", "1") }

// Each row is measured by its own process, and all of them reach the JSON.
func TestBench(t *testing.T) {
	asCommand(t)
	restoreKernel(t)
	stdout, stderr, code := command("bench", "W1", "GEMM", "density", "--small", "--threads", "2", "--kernel", "go", "--repeat", "5", "--json")
	var rows []bench.Row
	strict(t, stdout, &rows)
	if code != 0 || len(rows) != 3+2+8 {
		t.Fatalf("exit code %d, %d rows: %s", code, len(rows), stderr)
	}
	for _, r := range rows {
		if r.PeakRSSBytes < 1<<20 || r.Kernel != "go" || r.Repeat != 5 || r.CPU == "" || r.Commit == "" || r.Error != "" {
			t.Errorf("%+v", r)
		}
	}
	if f := rows[0].Calibration; len(f) != 2 || len(rows[1].Calibration) != 2 || f[0] != rows[1].Calibration[0] {
		t.Errorf("factors of one network: %v and %v", f, rows[1].Calibration)
	}
}

func TestBenchTable(t *testing.T) {
	asCommand(t)
	stdout, stderr, code := command("bench", "W1", "W3", "--small", "--repeat", "5", "--phase", "train", "--profile")
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, want := range []string{"W1  784-40-10, 25 steps\n  train, batch 8", "samples/s", " … ", "fires ", "MiB", "ms a batch; GEMM ", "GB/s", "W3  200-40-10@0.10, 20 steps", "\nbench: 4 rows measured\n"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
}

// A row that was compared shows the ratio, a row that failed its reason, and the
// last line counts both.
func TestBenchView(t *testing.T) {
	rows := []bench.Row{
		{Workload: "W1", Phase: bench.Train, Shape: "784-1000-10", Steps: 25, Batch: 128, Unit: "samples/s", Median: 11277, Min: 10712, Max: 11727, Repeat: 7, Threads: 2, Kernel: "avx2", CPU: "Some CPU", Cores: 2,
			PeakRSSBytes: 148 << 20, FiringRate: []float64{0.1, 0.1}, RateEnd: []float64{0.109, 0.036}, Compared: []bench.Comparison{{Source: "torch", Median: 4007, Min: 2900, Max: 7057, Ratio: 2.814}}},
		{Workload: "W4", Phase: bench.Infer, Shape: "32x32x3-13C3-AP2x5-10", Unit: "samples/s", Threads: 1, FiringRate: []float64{0, 0.01, 0.02, 0.05}, Error: "spiking1 fires at 0.0 %", Compared: []bench.Comparison{{Source: "norse", Error: "no module"}}},
	}
	var b strings.Builder
	if err := (view.Screen{Out: &b}).Bench(rows, "peers.jsonl"); err != nil {
		t.Fatal(err)
	}
	golden(t, "bench", b.String())
}

func TestBenchMistakes(t *testing.T) {
	empty := write(t, "empty.json", "")
	for _, c := range []struct {
		want []string
		args []string
	}{
		{[]string{`no workload "w1"`, "W1"}, []string{"w1"}},
		{[]string{"--repeat 3", "at least 5"}, []string{"W1", "--repeat", "3"}},
		{[]string{`no kernel level "sse"`, "go"}, []string{"W1", "--kernel", "sse"}},
		{[]string{"no phase"}, []string{"W4", "--phase", "train"}},
		{[]string{"no such file"}, []string{"W1", "--compare", "absent"}},
		{[]string{"empty.json", "empty"}, []string{"W1", "--compare", empty}},
		{[]string{"--small", "--compare"}, []string{"W1", "--small", "--compare", empty}},
	} {
		_, stderr, code := command(append([]string{"bench"}, c.args...)...)
		if code != exitUsage {
			t.Errorf("%v: exit code %d, want %d: %s", c.args, code, exitUsage, stderr)
		}
		for _, w := range c.want {
			if !strings.Contains(stderr, w) {
				t.Errorf("%v: message without %q: %s", c.args, w, stderr)
			}
		}
	}
}

// Rows whose layers are silent fail, and all are printed.
func TestBenchRowsFail(t *testing.T) {
	asCommand(t)
	stdout, _, code := command("bench", "W1", "--small", "--repeat", "5", "--factors", "0.01,1", "--json")
	var rows []bench.Row
	strict(t, stdout, &rows)
	if code != exitFailed || len(rows) != 3 {
		t.Errorf("exit code %d, %d rows", code, len(rows))
	}
	for _, r := range rows {
		if !strings.Contains(r.Error, "want 2 to 40 %") || r.Median <= 0 {
			t.Errorf("%+v", r)
		}
	}
}

// The peak of memory is the process's own, also where a larger one started it.
func TestPeakRSSIsOwn(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("only Linux's peak starts from the parent's")
	}
	large := make([]byte, 300<<20)
	for i := 0; i < len(large); i += 4096 {
		large[i] = 1
	}
	asCommand(t)
	stdout, stderr, code := command("bench", "GEMM", "--small", "--threads", "1", "--repeat", "5", "--json")
	var rows []bench.Row
	strict(t, stdout, &rows)
	if code != 0 || len(rows) != 1 || rows[0].PeakRSSBytes > 150<<20 || machine.PeakRSS() < 300<<20 {
		t.Errorf("exit code %d, peak %d of a child, %d of the parent: %s", code, rows[0].PeakRSSBytes, machine.PeakRSS(), stderr)
	}
	large[0]++
}

// restoreKernel undoes the level that a command line sets for good.
func restoreKernel(t *testing.T) {
	level := kernel.Current()
	t.Cleanup(func() {
		if _, err := kernel.SetLevel(level); err != nil {
			t.Error(err)
		}
	})
}
