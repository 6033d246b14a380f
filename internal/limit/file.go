package limit

import (
	"io"
	"io/fs"
)

// ReadFile reads a file of at most max bytes. A longer one is an *Error before
// memory is taken for it; a file whose length is known takes no more memory than
// that.
func ReadFile(fsys fs.FS, name string, max int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > max {
		return nil, &Error{max}
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
