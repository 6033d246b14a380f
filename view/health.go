package view

import (
	"fmt"
	"sort"
	"strings"
	"text/tabwriter"

	"synfire/bench"
	"synfire/report"
)

// Health prints what a check of the machine found.
func (s Screen) Health(h bench.Health) error {
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
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
