package par_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"synfire/internal/par"
)

// Whatever the threads, the error is that of the first number that has one, and nothing is called
// once the context has ended.
func TestEach(t *testing.T) {
	for _, threads := range []int{0, 1, 2, 5} {
		var p *par.Pool
		if threads > 0 {
			p = par.New(threads)
			defer p.Close()
		}
		var called atomic.Int64
		if err := p.Each(t.Context(), 40, func(worker, i int) error {
			if worker < 0 || worker >= p.Threads() {
				t.Errorf("worker %d of %d", worker, p.Threads())
			}
			called.Add(int64(i))
			return nil
		}); err != nil || called.Load() != 780 {
			t.Errorf("%d threads: %v, a sum of %d", threads, err, called.Load())
		}
		err := p.Each(t.Context(), 40, func(_, i int) error {
			if i%7 == 5 {
				return fmt.Errorf("number %d", i)
			}
			return nil
		})
		if err == nil || err.Error() != "number 5" {
			t.Errorf("%d threads: %v", threads, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.Each(ctx, 3, func(int, int) error { t.Error("called after the end"); return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("%d threads: %v", threads, err)
		}
	}
}
