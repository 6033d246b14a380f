package bench

import (
	"reflect"
	"runtime"
	"time"

	"synfire/internal/kernel"
	"synfire/internal/machine"
	"synfire/internal/par"
	"synfire/internal/rng"
	"synfire/layer"
)

// Health is whether a machine can be trusted with numbers, and how fast it is.
type Health struct {
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

// Check checks the kernels of this machine against their reference, and that products
// have the same bits on any number of threads, and times products. Data is left empty.
func Check() Health {
	h := Health{
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
	return h
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
