package limit

import (
	"errors"
	"fmt"
	"io"
	"unsafe"

	"synfire/internal/machine"
)

// MemoryError says that the machine has not the memory for the input.
type MemoryError struct {
	Want, Free int64 // bytes
}

// Error says how much would have to be free.
func (e *MemoryError) Error() string {
	return fmt.Sprintf("it takes %d MB of memory, %d MB are free; take a part of it, or a machine with more memory", e.Want>>20, e.Free>>20)
}

// asked is from how many bytes on the machine is asked whether it has them.
const asked = 64 << 20

// freeMemory is what the machine has; Pretend replaces it in tests.
var freeMemory = machine.Free

// Pretend is for tests: as if the machine had so many bytes left, until restore.
func Pretend(free int64) (restore func()) {
	freeMemory = func() int64 { return free }
	return func() { freeMemory = machine.Free }
}

// Fits is a *MemoryError where the machine has not n bytes of memory left.
func Fits(n int64) error {
	if n < asked {
		return nil
	}
	if free := freeMemory(); free > 0 && n > free {
		return &MemoryError{n, free}
	}
	return nil
}

// Meter asks the machine for memory as it is taken, where nobody knows beforehand how
// much that will be. The zero value is ready.
type Meter struct{ since int64 }

// Take notes that n bytes are about to be taken: a *MemoryError where the machine has
// not as much as was taken since it was last asked.
func (m *Meter) Take(n int64) error {
	if m.since += n; m.since < asked {
		return nil
	}
	n, m.since = m.since, 0
	return Fits(n)
}

// staged is the part of what a header declares that must be there before memory is
// taken for all of it.
const staged = 6

// Collect makes the n elements that a header declares. next fills a piece and tells how
// many elements it filled: fewer with an error, io.EOF where the input ends. It holds at
// most 1 + 1/6 times what it returns, and of an input that ends early not much more than
// seven times what that had. An end before n elements is io.ErrUnexpectedEOF, with the
// elements that there were.
func Collect[T any](n int64, next func(piece []T) (int, error)) ([]T, error) {
	var zero T
	size := int64(unsafe.Sizeof(zero))
	first := n / staged
	if first*size < pieceBytes {
		first = 0
	}
	pieces, got, err := collect(first, next)
	if err == nil {
		err = Fits((n - got) * size)
	}
	if err != nil && got < n {
		return join(pieces, got), early(err)
	}
	all := join(pieces, n)[:got]
	for got < n {
		piece := all[got:min(n, got+pieceBytes/size+1)]
		k, err := next(piece)
		got += int64(k)
		all = all[:got]
		if err != nil && got < n {
			return all, early(err)
		}
	}
	return all, nil
}

// pieceBytes is the length of a piece.
const pieceBytes = 1 << 20

// collect takes pieces until it has most elements.
func collect[T any](most int64, next func(piece []T) (int, error)) (pieces [][]T, got int64, err error) {
	var zero T
	size := int64(unsafe.Sizeof(zero))
	for got < most && err == nil {
		piece := make([]T, min(most-got, max(got, 4096/size+1), pieceBytes/size+1))
		var k int
		k, err = next(piece)
		pieces, got = append(pieces, piece[:k]), got+int64(k)
	}
	return pieces, got, err
}

// join is the pieces in one, with room for n elements.
func join[T any](pieces [][]T, n int64) []T {
	all := make([]T, 0, n)
	for _, p := range pieces {
		all = append(all, p...)
	}
	return all
}

func early(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// ReadDeclared reads the n bytes that a header declares, as Collect does, and to the
// end of r: an *Error where more follow.
func ReadDeclared(r io.Reader, n int64) ([]byte, error) {
	b, err := Collect(n, func(piece []byte) (int, error) { return fill(r, piece) })
	if err != nil {
		return b, err
	}
	for {
		switch k, err := r.Read(make([]byte, 1)); {
		case k > 0:
			return b, &Error{n}
		case err == io.EOF:
			return b, nil
		case err != nil:
			return b, err
		}
	}
}

// fill reads until a piece is full. Unlike io.ReadFull it tells the end of r from an end
// that came too early for r.
func fill(r io.Reader, piece []byte) (n int, err error) {
	for n < len(piece) && err == nil {
		var k int
		k, err = r.Read(piece[n:])
		n += k
	}
	return n, err
}
