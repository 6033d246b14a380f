// Package limit bounds how much is read from input that may lie about its
// size: a damaged header, a compressed bomb, a server that does not stop.
package limit

import (
	"fmt"
	"io"
	"math"
)

// Error says that the input was longer than permitted.
type Error struct {
	Max int64 // permitted bytes
}

func (e *Error) Error() string {
	return fmt.Sprintf("input is longer than the permitted %d bytes", e.Max)
}

// Reader passes on the first max bytes of r. Where r has more, it returns an
// *Error after them; unlike io.LimitReader it never hides the rest.
func Reader(r io.Reader, max int64) io.Reader {
	return &reader{r: r, left: max, max: max}
}

// ReadAll reads r to its end. Where r has more than max bytes, it returns the
// first max bytes and an *Error. Memory grows with what was read, in pieces that are
// joined at the end; ReadDeclared needs half of it, where a length is known.
func ReadAll(r io.Reader, max int64) ([]byte, error) {
	r = Reader(r, max)
	pieces, n, err := collect(math.MaxInt64, func(piece []byte) (int, error) { return fill(r, piece) })
	if err == io.EOF {
		err = nil
	}
	if full := Fits(n); full != nil {
		return nil, full
	}
	return join(pieces, n), err
}

type reader struct {
	r         io.Reader
	left, max int64
	over      bool
}

func (l *reader) Read(p []byte) (int, error) {
	if l.over {
		return 0, &Error{l.max}
	}
	// One byte more than is left tells an input that ends here from a longer one.
	if int64(len(p)) > l.left {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	if int64(n) <= l.left {
		l.left -= int64(n)
		return n, err
	}
	n, l.left, l.over = int(l.left), 0, true
	return n, &Error{l.max}
}
