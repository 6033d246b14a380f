package compare

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"synfire/internal/limit"
)

// What a metric says that it takes is no more than all it ever asks for, and not much
// less: a comparison of 1 GiB used to be killed at 24.
func TestMemoryOfMetrics(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	normal := func(n, p int) Responses {
		x := mat.NewDense(n, p, nil)
		x.Apply(func(int, int, float64) float64 { return random.NormFloat64() }, x)
		return Responses{X: x}
	}
	for _, size := range [][3]int{{200, 40, 60}, {60, 200, 150}} {
		a, b := normal(size[0], size[1]), normal(size[0], size[2])
		for _, m := range Metrics() {
			if size[0] < size[1] && strings.Contains(m.Name, "cca") {
				continue // needs more stimuli than units
			}
			for _, d := range []string{"euclidean", "correlation"} {
				p := DefaultParams()
				p.Dissimilarity, p.Components, p.Folds = d, 2, 2
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				if _, err := m.Compare(a, b, p, nil); err != nil {
					t.Errorf("%s: %v", m.Name, err)
				}
				runtime.ReadMemStats(&after)
				said, taken := m.memory(a.X, b.X), int64(after.TotalAlloc-before.TotalAlloc)
				if said > taken*5/4 || said < taken/4 {
					t.Errorf("%s by %s of %v: %d KB are said, %d are asked for in all", m.Name, d, size, said>>10, taken>>10)
				}
			}
		}
	}
}

// The matrices of many stimuli are refused before they are taken.
func TestMatricesBeyondMemoryAreRefused(t *testing.T) {
	defer limit.Pretend(50 << 20)()
	x := Responses{X: mat.NewDense(4000, 2, nil)}
	for _, m := range Metrics() {
		_, err := m.Compare(x, x, DefaultParams(), nil)
		var memory *limit.MemoryError
		small := strings.Contains(m.Name, "cca") || m.Name == "ridge" || m.Name == "pls" || m.Name == "cka-linear"
		if errors.As(err, &memory) == small {
			t.Errorf("%s of 4000 stimuli in 50 MB: %v", m.Name, err)
		}
	}
}
