package bench

import (
	"fmt"
	"slices"

	"synfire/internal/kernel"
	"synfire/internal/par"
	"synfire/internal/rng"
)

// products are the cases of GEMM: rows × columns × inner size, on one thread and
// on all.
func products(s Selection) []Case {
	shapes := [][3]int{{128, 1000, 784}, {1024, 1024, 1024}, {64, 8192, 576}}
	if s.Small {
		shapes = [][3]int{{12, 100, 78}}
	}
	var cases []Case
	for _, sh := range shapes {
		for _, threads := range slices.Compact([]int{1, max(1, s.Threads)}) {
			cases = append(cases, Case{
				Workload: "GEMM", Phase: GEMM, Shape: fmt.Sprintf("%dx%dx%d", sh[0], sh[1], sh[2]), Threads: threads,
				run: func(c Case, o Options) ([]Row, error) { return multiply(c, o, sh[0], sh[1], sh[2]) },
			})
		}
	}
	return cases
}

// multiply times C ← A·B + C with both operands packed each time, in GFLOP/s.
func multiply(c Case, o Options, m, n, k int) ([]Row, error) {
	pool := par.New(c.Threads)
	defer pool.Close()
	src := rng.New(seed, "bench").Str(c.Shape).Source()
	a, b, out := noise(src, m*k), noise(src, k*n), make([]kernel.Float, m*n)
	r := c.row()
	r.Unit = "GFLOP/s"
	err := r.rate(o, 2e-9*float64(m)*float64(n)*float64(k), nil, func() error {
		kernel.Gemm(pool, m, n, k, a, k, false, b, n, false, out, n)
		return nil
	})
	return []Row{r}, err
}

// noise is n numbers in ±1/2.
func noise(src *rng.Source, n int) []kernel.Float {
	x := make([]kernel.Float, n)
	for i := range x {
		x[i] = kernel.Float(src.Float64() - 0.5)
	}
	return x
}
