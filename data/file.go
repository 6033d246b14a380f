package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"synfire/internal/limit"
)

// File is one file of a data set, known by the SHA-256 sum of its bytes.
type File struct {
	Name   string // DATASET/BASE, the path below the cache, with slashes
	SHA256 string // 64 lower-case hexadecimal digits
	Size   int64  // bytes
	Also   []Sum  // of copies with the same content that are compressed otherwise

	// RawSHA256 and RawSize describe the decompressed bytes of a file whose
	// name ends in .gz. A local copy may be in that form, without the ending.
	// Empty where only the distributed form is accepted.
	RawSHA256 string
	RawSize   int64

	Sources []Source // tried in order
}

// Sum is the SHA-256 sum of a file's bytes and their number.
type Sum struct {
	SHA256 string
	Size   int64
}

// SumError says that a file's bytes are not the pinned ones.
type SumError struct {
	Path       string
	Want, Got  string // SHA-256 sums
	Size, Read int64  // bytes expected and found
}

func (e *SumError) Error() string {
	return fmt.Sprintf("%s: SHA-256 sum is %s (%d bytes), expected %s (%d bytes): the file is damaged or another version",
		e.Path, e.Got, e.Read, e.Want, e.Size)
}

// form is one of the ways in which a file's bytes may be stored.
type form struct {
	base string
	Sum        // expected
	also []Sum // accepted too
}

func (f File) forms() []form {
	all := []form{{path.Base(f.Name), Sum{f.SHA256, f.Size}, f.Also}}
	if f.RawSHA256 != "" {
		all = append(all, form{base: strings.TrimSuffix(path.Base(f.Name), ".gz"), Sum: Sum{f.RawSHA256, f.RawSize}})
	}
	return all
}

// most is how many bytes a stored file may have.
func (w form) most() int64 {
	n := w.Size
	for _, s := range w.also {
		n = max(n, s.Size)
	}
	return n
}

func (f File) folder() string { return filepath.FromSlash(path.Dir(f.Name)) }

// find returns the first copy in the folders whose sum is right. Its error is
// that of a damaged copy, if there was one, else fs.ErrNotExist.
func (f File) find(folders ...string) (string, error) {
	first := missing(f)
	for _, dir := range folders {
		for _, form := range f.forms() {
			at := filepath.Join(dir, form.base)
			err := form.verify(at)
			if err == nil {
				return at, nil
			}
			if errors.Is(first, fs.ErrNotExist) && !errors.Is(err, fs.ErrNotExist) {
				first = err
			}
		}
	}
	return "", first
}

func missing(f File) error { return fmt.Errorf("data: %s: %w", f.Name, fs.ErrNotExist) }

// verify compares a stored file with the pinned sum.
func (w form) verify(at string) error {
	r, err := os.Open(at)
	if err != nil {
		return err
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.Copy(h, r)
	if err != nil {
		return err
	}
	return w.check(at, hex.EncodeToString(h.Sum(nil)), n)
}

func (w form) check(at, got string, n int64) error {
	if found := (Sum{got, n}); found != w.Sum && !slices.Contains(w.also, found) {
		return &SumError{Path: at, Want: w.SHA256, Got: got, Size: w.Size, Read: n}
	}
	return nil
}

// install copies r, which errors call by the name from, to dir under the
// form's name. The file appears there whole and verified, or not at all.
func (w form) install(dir, from string, r io.Reader) (err error) {
	tmp, err := os.CreateTemp(dir, "."+w.base+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(tmp, h), limit.Reader(r, w.most()))
	if err != nil {
		err = fmt.Errorf("%s: %w", from, err)
	} else {
		err = w.check(from, hex.EncodeToString(h.Sum(nil)), n)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if closed := tmp.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Chmod(tmp.Name(), 0o644)
	}
	if err == nil {
		err = publish(tmp.Name(), filepath.Join(dir, w.base))
	}
	return err
}

// publish gives a written and synced file its final name, and makes that last.
func publish(tmp, at string) error {
	if err := os.Rename(tmp, at); err != nil {
		return err
	}
	// Not every system can sync a folder; the rename itself has succeeded.
	if d, err := os.Open(filepath.Dir(at)); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}

// watched reads r until ctx ends, telling how far it has come.
type watched struct {
	ctx  context.Context
	r    io.Reader
	done int64
	tell func(done int64)
}

func (w *watched) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := w.r.Read(p)
	w.done += int64(n)
	w.tell(w.done)
	return n, err
}
