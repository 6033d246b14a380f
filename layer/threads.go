package layer

import "synfire/internal/par"

// Pool is threads to run on; the nil Pool is the calling goroutine alone. It
// stands here under a name that modules which add layers, or train, can write.
type Pool = par.Pool

// NewPool starts a pool of n threads, 0 for one a processor. Close ends them.
func NewPool(n int) *Pool { return par.New(n) }
