package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"synfire/internal/eol"
	"synfire/internal/limit"
)

// MaxLine is the longest line of a text file, in bytes: 16 MiB.
const MaxLine = 1 << 24

// Text passes on text of at most max bytes, line by line, without the mark U+FEFF that
// some programs begin files with. A line that is no UTF-8, longer than MaxLine or ends in
// a carriage return alone is an error that has its number.
func Text(r io.Reader, max int64) io.Reader {
	return &text{in: bufio.NewReaderSize(limit.Reader(r, max), 1<<16)}
}

type text struct {
	in   *bufio.Reader
	line int    // number of the last one
	rest []byte // of it
	buf  []byte
	err  error
}

func (t *text) Read(p []byte) (int, error) {
	for len(t.rest) == 0 && t.err == nil {
		t.next()
	}
	if len(t.rest) == 0 {
		return 0, t.err
	}
	n := copy(p, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}

// next reads a line. What comes with an error is passed on before it.
func (t *text) next() {
	t.line++
	t.buf = t.buf[:0]
	for {
		piece, err := t.in.ReadSlice('\n')
		t.buf = append(t.buf, piece...)
		if len(t.buf) > MaxLine {
			t.err = fmt.Errorf("line %d is longer than %d bytes; is the file a table, a sample a line?", t.line, MaxLine)
			return
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			t.err = err
			break
		}
	}
	switch {
	case t.line == 1 && (bytes.HasPrefix(t.buf, []byte{0xff, 0xfe}) || bytes.HasPrefix(t.buf, []byte{0xfe, 0xff})):
		t.err = fmt.Errorf("the file is UTF-16; save it as UTF-8, as with iconv -f UTF-16 -t UTF-8 FILE")
		return
	case !utf8.Valid(t.buf):
		t.err = fmt.Errorf("line %d is not UTF-8; save the file as UTF-8, as with iconv -f LATIN1 -t UTF-8 FILE", t.line)
		return
	}
	if err := eol.Check(t.buf, t.line); err != nil {
		t.err = err
		return
	}
	t.rest = t.buf
	if t.line == 1 {
		t.rest = bytes.TrimPrefix(t.rest, []byte("\ufeff"))
	}
}
