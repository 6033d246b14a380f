// Package par runs loops on a fixed set of goroutines.
//
// Work is split by output, never by reduction: a body writes only the range
// that it was given, so a result cannot depend on the number of threads.
package par

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Pool is a set of persistent workers. The nil Pool runs everything on the
// calling goroutine. A Pool serves one For at a time: one that finds the
// workers busy (with another goroutine's loop) runs serially, which changes
// its speed and nothing else. Do not call For from inside a body: both loops
// would be handed the same worker numbers.
//
// A worker without work looks for some for a tenth of a millisecond before it
// sleeps: loops often follow each other closely, and to wake a thread can take
// longer than a small loop. The caller does not wait for a worker that comes
// when all is done.
type Pool struct {
	threads int
	spins   int          // turns of looking for work
	seats   atomic.Int32 // workers that the job still takes
	asleep  atomic.Int32 // workers that wait for a wake-up, or are about to
	wake    chan struct{}
	mu      sync.Mutex
	job     job
	closed  sync.Once
}

type job struct {
	body    func(worker, lo, hi int)
	n       int
	grain   int
	next    atomic.Int64
	ids     atomic.Int64
	running atomic.Int32 // workers that have a seat
	wg      sync.WaitGroup
	failed  atomic.Pointer[Panic]
}

const (
	maxSpins = 500 // of about 0.2 µs
	looks    = 100 // at the seats in a turn
)

// Panic is what For re-raises on the caller's goroutine when a body panics
// while the loop runs on several; on one alone the panic passes as it is.
type Panic struct {
	Value any
	Stack []byte
}

// Error makes a recovered Panic printable as an error.
func (p *Panic) Error() string { return "par: a worker failed: " + fmt.Sprint(p.Value) }

// New starts a pool of the given number of threads, the caller included.
// Zero or less means one thread for each processor.
func New(threads int) *Pool {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	p := &Pool{threads: threads, wake: make(chan struct{}, threads)}
	if threads <= runtime.GOMAXPROCS(0) {
		p.spins = maxSpins // else it would be at the expense of a thread that works
	}
	for range threads - 1 {
		go p.serve()
	}
	return p
}

// Threads is the number of goroutines that a For may use; 1 for a nil Pool.
func (p *Pool) Threads() int {
	if p == nil {
		return 1
	}
	return p.threads
}

// Close ends the workers. The pool must not be used afterwards.
func (p *Pool) Close() {
	if p != nil {
		p.closed.Do(func() { close(p.wake) })
	}
}

// For calls body on consecutive ranges [lo, hi) that cover [0, n), each a
// multiple of grain long but for the last. worker is in [0, Threads) and no
// two bodies that run at once share it: index scratch buffers by it.
func (p *Pool) For(n, grain int, body func(worker, lo, hi int)) {
	if n <= 0 {
		return
	}
	grain = max(grain, 1)
	helpers := min(p.Threads(), (n+grain-1)/grain) - 1
	if helpers <= 0 || !p.mu.TryLock() {
		for lo := 0; lo < n; lo += grain {
			body(0, lo, min(lo+grain, n))
		}
		return
	}
	defer p.mu.Unlock()
	j := &p.job
	j.body, j.n, j.grain = body, n, grain
	j.next.Store(0)
	j.ids.Store(0)
	j.failed.Store(nil)
	p.invite(int32(helpers))
	func() {
		defer p.dismiss()
		j.work()
	}()
	j.body = nil
	if f := j.failed.Load(); f != nil {
		panic(f)
	}
}

// invite offers the job to workers. A worker on its way to sleep counts as
// asleep before it looks at the seats for the last time, and here the seats
// come first: it sees them or is sent for.
func (p *Pool) invite(helpers int32) {
	p.job.running.Store(helpers)
	p.job.wg.Add(int(helpers))
	p.seats.Store(helpers)
	for range min(helpers, p.asleep.Load()) {
		select {
		case p.wake <- struct{}{}:
		default: // there are calls for all already
		}
	}
}

// dismiss takes back the seats that are free and waits for those taken.
func (p *Pool) dismiss() {
	j, free := &p.job, p.seats.Swap(0)
	j.running.Add(-free)
	j.wg.Add(-int(free))
	p.spin(func() bool { return j.running.Load() == 0 })
	j.wg.Wait()
}

// spin looks at done for a while, until it is true.
func (p *Pool) spin(done func() bool) bool {
	for range p.spins {
		for range looks {
			if done() {
				return true
			}
		}
		runtime.Gosched()
	}
	return false
}

// serve is the life of a worker.
func (p *Pool) serve() {
	for {
		for p.spin(p.sit) || p.sit() {
			p.job.serve()
		}
		p.asleep.Add(1)
		if p.seats.Load() > 0 {
			p.asleep.Add(-1)
			continue
		}
		_, open := <-p.wake
		p.asleep.Add(-1)
		if !open {
			return
		}
	}
}

// sit takes a seat if one is free.
func (p *Pool) sit() bool {
	for {
		free := p.seats.Load()
		if free == 0 {
			return false
		}
		if p.seats.CompareAndSwap(free, free-1) {
			return true
		}
	}
}

// serve is a worker's share. Done is deferred for bodies that end their
// goroutine (as a failing test does): the others must not wait for ever.
func (j *job) serve() {
	defer j.wg.Done()
	defer j.running.Add(-1)
	j.work()
}

// work takes chunks until none is left. After a failure the rest is skipped.
func (j *job) work() {
	worker := int(j.ids.Add(1)) - 1
	defer func() {
		if v := recover(); v != nil {
			if p, ok := v.(*Panic); ok {
				j.failed.CompareAndSwap(nil, p)
				return
			}
			j.failed.CompareAndSwap(nil, &Panic{Value: v, Stack: debug.Stack()})
		}
	}()
	for j.failed.Load() == nil {
		lo := int(j.next.Add(int64(j.grain))) - j.grain
		if lo >= j.n {
			return
		}
		j.body(worker, lo, min(lo+j.grain, j.n))
	}
}

// Each calls f for the numbers from 0 to n, and returns the error of the first that has one. A
// worker ends its range with an error, and with the context.
func (p *Pool) Each(ctx context.Context, n int, f func(worker, i int) error) error {
	errs := make([]error, n)
	p.For(n, 1, func(worker, lo, hi int) {
		for i := lo; i < hi; i++ {
			if errs[i] = ctx.Err(); errs[i] == nil {
				errs[i] = f(worker, i)
			}
			if errs[i] != nil {
				return
			}
		}
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Loop is a For whose closure is made once, so that calls allocate nothing: the
// body is a function of arguments that the Loop holds while it runs. It belongs
// to one goroutine.
type Loop[A any] struct {
	args A
	run  func(a *A, worker, lo, hi int)
	body func(worker, lo, hi int)
}

// For is p.For with run, which captures nothing but gets args.
func (l *Loop[A]) For(p *Pool, n, grain int, args A, run func(a *A, worker, lo, hi int)) {
	if l.body == nil {
		l.body = func(worker, lo, hi int) { l.run(&l.args, worker, lo, hi) }
	}
	l.args, l.run = args, run
	p.For(n, grain, l.body)
}
