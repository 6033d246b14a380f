package bench

import (
	"math"
	"runtime"
	"sync/atomic"
	"time"
)

// Near is the handoff, in nanoseconds, up to which two cores count as
// neighbours, with a cache in common.
const Near = 80

// Handoff is the nanoseconds that a change in memory takes from one core to
// another. A virtual machine's cores are moved about by its host: far apart, in
// different caches, threads that work closely together are slowed down by half,
// while each computes as fast as before. It is the quickest of a few samples,
// and 0 where there is one processor.
func Handoff(now func() time.Time) float64 {
	const samples, rounds, patience = 10, 100, 1 << 25 // patience: turns of the loop, tens of milliseconds
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
		for i := int64(0); i >= 0; {
			if next := ping.n.Load(); next != i {
				i = next
				pong.n.Store(i)
			}
		}
	}()
	defer ping.n.Store(-1)
	best, turns := math.Inf(1), 0
	for i := int64(1); i <= samples*rounds; {
		start := now()
		for end := i + rounds; i < end; i++ {
			ping.n.Store(i)
			for pong.n.Load() != i {
				if turns++; turns > patience { // the other thread hardly runs
					return float64(now().Sub(start).Nanoseconds())
				}
			}
		}
		best = min(best, float64(now().Sub(start).Nanoseconds())/(2*rounds))
	}
	return best
}
