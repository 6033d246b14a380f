package limit

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ReadFile reads a file of at most max bytes. A longer one is an *Error before
// memory is taken for it; a file whose length is known takes no more memory than
// that.
func ReadFile(fsys fs.FS, name string, max int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	return readFile(f, max)
}

// ReadPath is ReadFile by a path of the system, whatever is there: a device and a pipe
// are read as far as max too.
func ReadPath(path string, max int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := readFile(f, max)
	if over := (*Error)(nil); errors.As(err, &over) {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return b, err
}

func readFile(f fs.File, max int64) ([]byte, error) {
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > max {
		return nil, &Error{max}
	}
	if err := Fits(info.Size()); err != nil {
		return nil, err
	}
	b := make([]byte, 0, info.Size()+1) // one more shows where the file ends
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := f.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > max:
			return nil, &Error{max}
		case err == io.EOF:
			return b, nil
		case err != nil:
			return nil, err
		}
	}
}
