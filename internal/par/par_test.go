package par_test

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"synfire/internal/par"
)

// pools calls f with the nil pool and with pools of one and more threads.
func pools(f func(p *par.Pool)) {
	f(nil)
	for _, threads := range []int{1, 2, 3, 8} {
		p := par.New(threads)
		f(p)
		p.Close()
	}
}

// Each index is in one range, and ranges are cut by n and grain alone: a
// kernel may rely on where its tiles start. Counts are plain integers, so the
// race detector sees an index that two bodies share.
func TestEachIndexOnce(t *testing.T) {
	pools(func(p *par.Pool) {
		for _, n := range []int{-1, 0, 1, 2, 7, 64, 1000} {
			for _, grain := range []int{-3, 0, 1, 2, 3, 64, 999, 1000, 1001, math.MaxInt} {
				counts := make([]int, max(n, 0))
				p.For(n, grain, func(worker, lo, hi int) {
					g := max(grain, 1)
					if worker < 0 || worker >= p.Threads() {
						t.Errorf("worker %d of %d threads", worker, p.Threads())
					}
					if lo < 0 || lo >= hi || hi > n || lo%g != 0 || hi < n && hi-lo != g || hi-lo > g {
						t.Errorf("n %d, grain %d: range [%d, %d)", n, grain, lo, hi)
						return
					}
					for i := lo; i < hi; i++ {
						counts[i]++
					}
				})
				for i, c := range counts {
					if c != 1 {
						t.Fatalf("%d threads, n %d, grain %d: index %d visited %d times", p.Threads(), n, grain, i, c)
					}
				}
			}
		}
	})
}

// Without a pool the body runs on the caller's goroutine, in order: appending
// needs no lock, and a panic keeps its value.
func TestNilPool(t *testing.T) {
	var p *par.Pool
	var got []int
	p.For(5, 2, func(worker, lo, hi int) { got = append(got, worker, lo, hi) })
	want := []int{0, 0, 2, 0, 2, 4, 0, 4, 5}
	if !slices.Equal(got, want) {
		t.Errorf("worker, lo, hi = %v, want %v", got, want)
	}
	if v := recovered(func() { p.For(2, 1, func(_, _, _ int) { panic("odd") }) }); v != "odd" {
		t.Errorf("recovered %v, want the body's value", v)
	}
	p.Close()
}

func TestThreads(t *testing.T) {
	for _, c := range []struct{ threads, want int }{{0, runtime.GOMAXPROCS(0)}, {-2, runtime.GOMAXPROCS(0)}, {1, 1}, {5, 5}} {
		p := par.New(c.threads)
		if got := p.Threads(); got != c.want {
			t.Errorf("New(%d) has %d threads, want %d", c.threads, got, c.want)
		}
		p.Close()
	}
	if got := (*par.Pool)(nil).Threads(); got != 1 {
		t.Errorf("the nil pool has %d threads, want 1", got)
	}
}

// barrier returns a function that blocks until n goroutines have called it.
func barrier(n int) (wait func()) {
	var wg sync.WaitGroup
	wg.Add(n)
	return func() { wg.Done(); wg.Wait() }
}

// As many bodies run at once as there are threads, each with a number of its
// own: they wait for each other, and a bubble in which one waits for ever
// fails. So does one that Close leaves a worker in.
func TestParallel(t *testing.T) {
	for _, threads := range []int{2, 3, 8} {
		synctest.Test(t, func(t *testing.T) {
			p := par.New(threads)
			seen := make([]int, threads)
			for range 3 {
				all := barrier(threads)
				p.For(threads, 1, func(worker, _, _ int) {
					seen[worker]++
					all()
				})
			}
			for worker, n := range seen {
				if n != 3 {
					t.Errorf("%d threads: worker %d ran %d of 3 bodies", threads, worker, n)
				}
			}
			p.Close()
			p.Close() // once more does nothing
		})
	}
}

// Workers without work go to sleep, and each is woken for the next loop.
func TestSleep(t *testing.T) {
	for _, threads := range []int{2, 3} {
		synctest.Test(t, func(t *testing.T) {
			p := par.New(threads)
			defer p.Close()
			for range 3 {
				synctest.Wait() // for all workers to block
				all, took := barrier(threads), make([]bool, threads)
				p.For(threads, 1, func(worker, _, _ int) { took[worker] = true; all() })
				if slices.Contains(took, false) {
					t.Errorf("%d threads: took part: %v", threads, took)
				}
			}
		})
	}
}

// A loop may begin at any moment of a worker's way to sleep: pauses pass over
// the time that it takes. The bodies wait for each other, and a worker that misses
// its call for a minute has lost it.
func TestNoCallIsLost(t *testing.T) {
	p := par.New(2)
	defer p.Close()
	for pause := range 400 {
		for start := time.Now(); time.Since(start) < time.Duration(pause)*time.Microsecond; {
		}
		var here atomic.Int32
		both := make(chan struct{})
		p.For(2, 1, func(_, _, _ int) {
			if here.Add(1) == 2 {
				close(both)
			}
			select {
			case <-both:
			case <-time.After(time.Minute):
				t.Errorf("a loop begun %d µs after the one before it: a body is alone", pause)
			}
		})
		if t.Failed() {
			break
		}
	}
}

func recovered(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

func explode(v any) { panic(v) }

// A panic on any worker reaches the caller, with its value and the stack that
// it came from; chunks not yet begun are skipped; and the pool still works.
func TestPanic(t *testing.T) {
	cause := errors.New("shapes do not fit")
	inner := &par.Panic{Value: "inner"}
	const threads = 3
	synctest.Test(t, func(t *testing.T) {
		p := par.New(threads)
		defer p.Close()
		for worker := range threads {
			for _, value := range []any{cause, inner} {
				all := barrier(threads)
				var ran [threads]int
				v := recovered(func() {
					p.For(100, 1, func(w, _, _ int) {
						ran[w]++
						all()
						if w == worker {
							explode(value)
						}
						time.Sleep(time.Second) // on the bubble's clock: the failure is known by then
					})
				})
				got, ok := v.(*par.Panic)
				switch {
				case !ok:
					t.Fatalf("worker %d: recovered %v, want a *par.Panic", worker, v)
				case value == inner:
					if got != inner { // from a loop within: its stack is the one to read
						t.Errorf("worker %d: %+v was wrapped again", worker, got)
					}
				case got.Value != cause || !strings.Contains(got.Error(), cause.Error()) || !strings.Contains(string(got.Stack), "explode"):
					t.Errorf("worker %d: value %v, message %q, stack\n%s", worker, got.Value, got, got.Stack)
				}
				if ran != [threads]int{1, 1, 1} {
					t.Errorf("worker %d: workers ran %v bodies, want one each", worker, ran)
				}
			}
		}
		all := barrier(threads)
		p.For(threads, 1, func(_, _, _ int) { all() }) // no worker was lost
	})
}

// A loop that finds the workers busy with another goroutine's does not wait
// for them: it runs in order, as worker 0.
func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := par.New(2)
		defer p.Close()
		begun, done := make(chan bool, 2), make(chan bool)
		go func() {
			<-begun
			<-begun
			next := 0
			p.For(10, 2, func(worker, lo, hi int) {
				if worker != 0 || lo != next {
					t.Errorf("worker %d got [%d, %d), want worker 0 and %d", worker, lo, hi, next)
				}
				next = hi
			})
			if next != 10 {
				t.Errorf("the loop ended at %d of 10", next)
			}
			close(done)
		}()
		p.For(2, 1, func(_, _, _ int) {
			begun <- true
			<-done
		})
	})
}

// Loops of several goroutines on one pool do not mix: for the race detector.
func TestConcurrent(t *testing.T) {
	p := par.New(3)
	defer p.Close()
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			out := make([]int, 97)
			for round := range 200 {
				p.For(len(out), 5, func(_, lo, hi int) {
					for i := lo; i < hi; i++ {
						out[i] += i*g + round
					}
				})
			}
			for i, got := range out {
				if want := 200*i*g + 199*100; got != want {
					t.Errorf("goroutine %d: element %d is %d, want %d", g, i, got, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

// A body that ends its goroutine, as a failing test does, must not keep the
// other threads waiting.
func TestGoexit(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		p := par.New(2)
		defer p.Close()
		var both sync.WaitGroup
		both.Add(2)
		p.For(2, 1, func(worker, _, _ int) {
			both.Done()
			both.Wait() // one body on each thread
			if worker == 1 {
				runtime.Goexit()
			}
		})
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Error("For waits for a worker that is gone")
	}
}
