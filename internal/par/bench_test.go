package par_test

import (
	"testing"
	"time"

	"synfire/internal/par"
)

// BenchmarkFor is a train of short loops with work of one thread in between,
// as the layers of a small network are: 80 µs in eight parts, and a pause.
func BenchmarkFor(b *testing.B) {
	busy := func(d time.Duration) {
		for start := time.Now(); time.Since(start) < d; {
		}
	}
	for _, pause := range []time.Duration{0, 10 * time.Microsecond, 100 * time.Microsecond} {
		b.Run("pause="+pause.String(), func(b *testing.B) {
			p := par.New(2)
			defer p.Close()
			body := func(_, _, _ int) { busy(10 * time.Microsecond) }
			b.ReportAllocs()
			var loops time.Duration
			for b.Loop() {
				busy(pause)
				start := time.Now()
				p.For(8, 1, body)
				loops += time.Since(start)
			}
			b.ReportMetric(float64(loops.Nanoseconds())/float64(b.N), "ns/loop")
		})
	}
}
