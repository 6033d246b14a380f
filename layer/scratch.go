package layer

import (
	"synfire/internal/par"
	"synfire/tensor"
)

// Slots is memory by number, which grows as it is asked for and is used again. The
// elements of a slot are what was written to it last, where it had the same length,
// and else unspecified. Slots of different types or numbers share nothing; numbers
// should be small. A Call has Slots of three lifetimes: Scratch, Temp and Workers. A
// layer that hands its Call to another one leaves that one's slots alone.
type Slots struct {
	floats  [][]tensor.Float
	doubles [][]float64
	bits    [][]uint64
	bytes   [][]uint8
}

// Floats are n numbers, as signals hold them.
func (s *Slots) Floats(slot, n int) []tensor.Float {
	if slot >= len(s.floats) {
		s.floats = append(s.floats, make([][]tensor.Float, slot+1-len(s.floats))...)
	}
	s.floats[slot] = tensor.Resize(s.floats[slot], n)
	return s.floats[slot]
}

// Doubles are n numbers for sums.
func (s *Slots) Doubles(slot, n int) []float64 { return slotOf(&s.doubles, slot, n) }

// Bits are n words of 64 bits.
func (s *Slots) Bits(slot, n int) []uint64 { return slotOf(&s.bits, slot, n) }

// Bytes are n bytes.
func (s *Slots) Bytes(slot, n int) []uint8 { return slotOf(&s.bytes, slot, n) }

func slotOf[T any](slots *[][]T, slot, n int) []T {
	if slot >= len(*slots) {
		*slots = append(*slots, make([][]T, slot+1-len(*slots))...)
	}
	s := resize((*slots)[slot], n)
	(*slots)[slot] = s
	return s
}

// NewMemory is memory for calls on one chunk, on the threads of a pool: to run a
// layer by itself. Chunk.Chunks is then 1.
func NewMemory(pool *Pool) Memory {
	s := &Scratch{}
	return Memory{Scratch: s, First: s, Temp: &Temp{}, Workers: make([]Worker, pool.Threads())}
}

// Each runs body over [0, n) on the call's threads, in ranges [lo, hi) of grain, the
// last one shorter: as Pool.For, but without an allocation, where body captures
// nothing and gets args instead. worker is the index into Call.Workers of those that
// body may use. Ranges write to parts of their own and run in any order; body must not
// start another loop.
func Each[A any](c *Call, n, grain int, args A, body func(a *A, worker, lo, hi int)) {
	loopOf[A](c.Temp).For(c.Pool, n, grain, args, body)
}

// loopOf is the loop of arguments of a type: of the few types in a Pass, each
// has one.
func loopOf[A any](t *Temp) *par.Loop[A] {
	for _, l := range t.loops {
		if l, ok := l.(*par.Loop[A]); ok {
			return l
		}
	}
	l := &par.Loop[A]{}
	t.loops = append(t.loops, l)
	return l
}
