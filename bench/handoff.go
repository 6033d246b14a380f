package bench

import (
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

// Near is the handoff, in nanoseconds, up to which two cores count as
// neighbours, with a cache in common.
const Near = 80

// Handoff is the nanoseconds that a change in memory takes from one core to
// another. A virtual machine's cores are moved about by its host: far apart, in
// different caches, threads that work closely together are slowed down by half,
// while each computes as fast as before. It is 0 where there is one processor.
func Handoff(now func() time.Time) float64 {
	const rounds, samples = 300, 5
	if min(runtime.NumCPU(), runtime.GOMAXPROCS(0)) < 2 {
		return 0
	}
	var ping, pong struct {
		_ [64]byte // a line of the cache for each
		n atomic.Int64
		_ [64]byte
	}
	go func() {
		runtime.LockOSThread()
		for i := range int64(rounds * samples) {
			for ping.n.Load() <= i {
			}
			pong.n.Store(i + 1)
		}
	}()
	times := make([]float64, samples)
	for s := range times {
		start := now()
		for i := range int64(rounds) {
			at := int64(s)*rounds + i + 1
			ping.n.Store(at)
			for pong.n.Load() < at {
			}
		}
		times[s] = float64(now().Sub(start).Nanoseconds()) / (2 * rounds)
	}
	slices.Sort(times)
	return times[samples/2]
}
