package command

import (
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"sort"
	"strings"
	"text/tabwriter"
	"time"

	"synfire/internal/kernel"
	"synfire/internal/machine"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/layer"
	"synfire/report"
)

type doctorCmd struct {
	JSON bool `help:"Print JSON."`
}

// health is the JSON of doctor.
type health struct {
	OK                 bool               `json:"ok"`
	CPU                string             `json:"cpu"`
	Cores              int                `json:"cores"`
	MemoryBytes        int64              `json:"memory_bytes"`
	Kernel             string             `json:"kernel"`
	Kernels            map[string]string  `json:"kernels"`
	Deterministic      bool               `json:"deterministic"`
	GEMM               map[string]float64 `json:"gemm_gflops"`
	EventBreakEvenRate float64            `json:"event_break_even_rate"`
	Data               map[string]string  `json:"data"`
}

// Run checks the machine; it fails with exit code 1 where a check does.
func (c *doctorCmd) Run(a *app) error {
	h := health{
		CPU: machine.CPU(), Cores: runtime.NumCPU(), MemoryBytes: machine.Memory(), Kernel: kernel.Current().String(),
		Kernels: map[string]string{}, Deterministic: deterministic(), GEMM: map[string]float64{"1": gemm(1), "2": gemm(2)},
		EventBreakEvenRate: layer.EventDensity, Data: map[string]string{},
	}
	h.OK = h.Deterministic
	results := kernel.SelfTest()
	for _, l := range []kernel.Level{kernel.Go, kernel.AVX2, kernel.AVX512} {
		err, tested := results[l]
		switch {
		case !tested:
			h.Kernels[l.String()] = "absent"
		case err != nil:
			h.Kernels[l.String()], h.OK = "fail", false
		default:
			h.Kernels[l.String()] = "pass"
		}
	}
	for _, d := range a.Catalog.Datasets {
		h.Data[d.Name] = d.Status(dataOptions(a, "")).Status
	}
	if err := h.print(a, c.JSON); err != nil || h.OK {
		return err
	}
	return codeError(exitFailed)
}

func (h health) print(a *app, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(a.out).Encode(h)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "processor\t%s, %d cores, %s\n", h.CPU, h.Cores, report.Bytes(h.MemoryBytes))
	fmt.Fprintf(w, "kernel\t%s (%s)\n", h.Kernel, list(h.Kernels))
	fmt.Fprintf(w, "same bits on 1, 2, 3 threads\t%v\n", h.Deterministic)
	fmt.Fprintf(w, "matrix product 1024³\t%.0f GFLOP/s on 1 thread, %.0f on 2\n", h.GEMM["1"], h.GEMM["2"])
	fmt.Fprintf(w, "spikes by event below\t%.0f %% firing\n", 100*h.EventBreakEvenRate)
	fmt.Fprintf(w, "data\t%s\n", list(h.Data))
	verdict := "all is well"
	if !h.OK {
		verdict = "a check failed: do not trust results of this machine"
	}
	fmt.Fprintf(w, "verdict\t%s\n", verdict)
	return w.Flush()
}

func list(m map[string]string) string {
	var parts []string
	for k, v := range m {
		parts = append(parts, k+" "+v)
	}
	sort.Strings(parts)
	return strings.Join(parts, ", ")
}

// product multiplies two fixed random n×n matrices.
func product(pool *par.Pool, n int) []kernel.Float {
	src := rng.New(1, "doctor").Source()
	a, b, c := make([]kernel.Float, n*n), make([]kernel.Float, n*n), make([]kernel.Float, n*n)
	for i := range a {
		a[i], b[i] = kernel.Float(src.Float64()-0.5), kernel.Float(src.Float64()-0.5)
	}
	kernel.Gemm(pool, n, n, n, a, n, false, b, n, false, c, n)
	return c
}

func deterministic() bool {
	want := product(nil, 200)
	for _, threads := range []int{2, 3} {
		pool := par.New(threads)
		got := product(pool, 200)
		pool.Close()
		if !reflect.DeepEqual(want, got) {
			return false
		}
	}
	return true
}

// gemm is the speed of the product of two 1024×1024 matrices, in GFLOP/s: the
// best of several.
func gemm(threads int) float64 {
	const n = 1024
	pool := par.New(threads)
	defer pool.Close()
	a, c := make([]kernel.Float, n*n), make([]kernel.Float, n*n)
	best := 0.0
	for range 6 {
		start := time.Now()
		kernel.Gemm(pool, n, n, n, a, n, false, a, n, false, c, n)
		best = max(best, 2*n*n*n/time.Since(start).Seconds()/1e9)
	}
	return best
}
