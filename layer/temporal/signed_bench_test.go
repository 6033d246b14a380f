package temporal

import (
	"fmt"
	"testing"

	"synfire/internal/rng"
	"synfire/tensor"
)

// BenchmarkSigned is a step of units of which a third spikes.
func BenchmarkSigned(b *testing.B) {
	const n = 1 << 14
	for _, code := range []SignedCode{Imbalanced, LeakyDelta, LeakyGraded} {
		b.Run(fmt.Sprint(code), func(b *testing.B) {
			l := Signed{Code: code, Slope: 0.1, Threshold: 1, Start: 0.5}
			src := rng.New(1, "signed").Source()
			x, y, state := make([]tensor.Float, n), make([]tensor.Float, n), unitsOf(make([]tensor.Float, 3*n), 0, n)
			for i := range x {
				x[i] = tensor.Float(0.3 + 0.5*src.Norm())
			}
			for b.Loop() {
				l.step(y, x, state)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/unit")
		})
	}
}
