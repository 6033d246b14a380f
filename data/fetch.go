package data

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Source is a place from which a file may be obtained: a [Module], a [Mirror], an
// [Archive] or an [Installed] folder.
type Source interface {
	String() string
	attempts(s *session) []attempt
}

// attempt is one way of getting a file from a source. It leaves the verified
// file at its place in the cache.
type attempt struct {
	name string
	get  func(ctx context.Context, f File) error
}

// Attempt says why a source did not give a file.
type Attempt struct {
	Source string
	Err    error
}

// FetchError says that no source gave a file.
type FetchError struct {
	File  File
	Tried []Attempt
}

func (e *FetchError) Error() string {
	var b strings.Builder
	help := fmt.Sprintf("run `synfire data import %s PATH` with a folder, archive or file that holds %s, or point SYNFIRE_DATA or --data-dir at such a folder",
		path.Dir(e.File.Name), path.Base(e.File.Name))
	if len(e.Tried) == 0 {
		return fmt.Sprintf("data: %s is not on this machine, and no public source of it is known: %s", e.File.Name, help)
	}
	fmt.Fprintf(&b, "data: %s could not be obtained:\n", e.File.Name)
	for _, t := range e.Tried {
		fmt.Fprintf(&b, "  %s: %v\n", t.Source, t.Err)
	}
	fmt.Fprintf(&b, "Without a network: %s.", help)
	return b.String()
}

// Unwrap gives the errors of all attempts.
func (e *FetchError) Unwrap() []error {
	var all []error
	for _, t := range e.Tried {
		all = append(all, t.Err)
	}
	return all
}

// Fetch returns the paths of verified copies of the files, in their order,
// each from the user's folder, the cache, or else the first of its sources
// that gives the pinned bytes. A damaged copy in the cache is replaced; in the
// user's folder it is an error. Where nothing helps the error is a
// *FetchError. Files that came before an error stay in the cache, and the part
// of a file that a mirror sent before a break is taken up by the next call.
func Fetch(ctx context.Context, o Options, files ...File) ([]string, error) {
	if o.HTTP == nil {
		o.HTTP = newClient()
		defer o.HTTP.CloseIdleConnections()
	}
	s := &session{o: o, dirs: map[string]answer{}, zips: map[string]answer{}, tars: map[string]answer{}}
	defer s.close()
	paths := make([]string, len(files))
	for i, f := range files {
		var err error
		if paths[i], err = s.fetch(ctx, f); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// FetchZip is Fetch of a zip file, read whole: its files can be decoded when they are
// needed.
func FetchZip(ctx context.Context, o Options, f File) (*zip.Reader, error) {
	paths, err := Fetch(ctx, o, f)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(paths[0])
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", paths[0], err)
	}
	return z, nil
}

// session keeps what several files of one call share: a module is asked for
// once, whatever the answer.
type session struct {
	o    Options
	dirs map[string]answer // extracted modules by path@version
	zips map[string]answer // module zips by path@version
	tars map[string]answer // archives by address
	temp []string          // removed at the end
}

type answer struct {
	path string
	err  error
}

func (s *session) close() {
	for _, t := range s.temp {
		os.Remove(t)
	}
}

func (s *session) fetch(ctx context.Context, f File) (string, error) {
	if at, err := s.o.local(f); !errors.Is(err, fs.ErrNotExist) {
		return at, err
	}
	if at, err := s.o.cached(f); err == nil {
		return at, nil
	}
	if err := s.o.prepare(f); err != nil {
		return "", err
	}
	at := s.o.cachePath(f)
	failed := &FetchError{File: f}
	for _, src := range f.Sources {
		for _, a := range src.attempts(s) {
			err := a.get(ctx, f)
			if ctx.Err() != nil {
				return "", fmt.Errorf("data: %s: fetch stopped: %w", f.Name, context.Cause(ctx))
			}
			if err == nil {
				os.Remove(at + partSuffix)
				return at, nil
			}
			failed.Tried = append(failed.Tried, Attempt{a.name, err})
		}
	}
	return "", failed
}

// install takes r as the bytes of f, as distributed, into the cache.
func (s *session) install(ctx context.Context, f File, r io.Reader) error {
	dir, as := filepath.Dir(s.o.cachePath(f)), f.forms()[0]
	return as.install(dir, as.base, s.watch(ctx, r, f.Name, 0, f.Size))
}

func (s *session) watch(ctx context.Context, r io.Reader, name string, done, total int64) io.Reader {
	return &watched{ctx, r, done, func(n int64) { s.o.progress(name, n, total) }}
}
