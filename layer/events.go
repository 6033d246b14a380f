package layer

import (
	"synfire/internal/kernel"
	"synfire/linmap"
	"synfire/signal"
	"synfire/tensor"
)

// events lists the non-zero elements of the images of a signal: spikes, or
// graded values such as the pixels of a digit and the means of pooled spikes.
type events struct {
	at    []int32        // where in the image, ascending
	val   []tensor.Float // empty for spikes, which are all ones
	start []int          // where the events of image r begin
	size  []int          // and how many they are
	first []int32        // of image r, pixel p: how many stand before it
	total int
	valed bool
}

// count counts the events of each image and returns their density.
func (e *events) count(c *Call, s *signal.Signal) float64 {
	rows, units := s.Rows(), s.Units()
	e.start, e.size = resize(e.start, rows+1), resize(e.size, rows)
	e.valed = s.Kind != signal.Spikes
	c.each(rows, grain(rows, 16), job{e: e, s: s}, func(j *job, _, r0, r1 int) {
		e, s, units := j.e, j.s, j.s.Units()
		for r := r0; r < r1; r++ {
			if e.valed {
				e.size[r] = kernel.CountNonzero(s.Data[r*units:][:units])
			} else {
				e.size[r] = s.Raster.Count(r, r+1)
			}
		}
	})
	e.start[0], e.total = 0, 0
	for r, n := range e.size {
		e.start[r+1] = e.start[r] + n + kernel.Slack
		e.total += n
	}
	return float64(e.total) / float64(rows*units)
}

// list lists what count counted, for the images that g sees.
func (e *events) list(c *Call, s *signal.Signal, g linmap.Window) {
	rows, pixels := s.Rows(), g.H*g.W
	e.at = resize(e.at, e.start[rows])
	e.val = tensor.Resize(e.val, 0)
	if e.valed {
		e.val = tensor.Resize(e.val, e.start[rows])
	}
	e.first = resize(e.first, rows*(pixels+1))
	c.each(rows, grain(rows, 16), job{e: e, s: s, g: g}, func(j *job, _, r0, r1 int) {
		e, s, units, pixels := j.e, j.s, j.s.Units(), j.g.H*j.g.W
		for r := r0; r < r1; r++ {
			lo, end := e.start[r], e.start[r+1]
			at := e.at[lo:lo:end]
			if e.valed {
				at, _ = kernel.Nonzeros(at, e.val[lo:lo:end], s.Data[r*units:][:units], 0)
			} else {
				at = kernel.Indices(at, s.Raster.Row(r), 0, units, 0)
			}
			kernel.Starts(e.first[r*(pixels+1):][:pixels+1], at, j.g.C)
		}
	})
}

// of is the events of image r.
func (e *events) of(r, pixels int) linmap.Events {
	lo, hi := e.start[r], e.start[r]+e.size[r]
	of := linmap.Events{At: e.at[lo:hi], First: e.first[r*(pixels+1):][:pixels+1]}
	if e.valed {
		of.Val = e.val[lo:hi]
	}
	return of
}

// grain splits n pieces of work into chunks of at most most, a few for each of
// many threads.
func grain(n, most int) int { return min(most, max(1, n/16)) }

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
