package data

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
)

// Installed is a folder in which a package of the operating system puts files, as a
// source of copies.
type Installed string

// String is the folder's path.
func (i Installed) String() string { return string(i) }

func (i Installed) attempts(s *session) []attempt {
	return []attempt{{string(i), func(ctx context.Context, f File) error {
		r, err := os.Open(filepath.Join(string(i), path.Base(f.Name)))
		if err != nil {
			return err
		}
		defer r.Close()
		return s.install(ctx, f, r)
	}}}
}

// Archive is a .tar.gz file on a web server as a source of the files in it, found by
// base name at any depth. Its own bytes are pinned too: it is downloaded once for all
// files, with resume, and removed when they have been taken out.
type Archive struct {
	URL string
	Sum
}

// String is the archive's address.
func (a Archive) String() string { return a.URL }

func (a Archive) attempts(s *session) []attempt {
	return []attempt{{a.URL, func(ctx context.Context, f File) error { return s.fromArchive(ctx, a, f) }}}
}

func (s *session) fromArchive(ctx context.Context, a Archive, f File) error {
	whole := File{Name: path.Join(path.Dir(f.Name), path.Base(a.URL)), SHA256: a.SHA256, Size: a.Size}
	got, known := s.tars[a.URL]
	if !known {
		got.path = s.o.cachePath(whole)
		if _, err := s.o.cached(whole); err != nil {
			got.err = s.fromMirror(ctx, a.URL, whole)
		}
		s.temp = append(s.temp, got.path)
		s.tars[a.URL] = got
	}
	if got.err != nil {
		return got.err
	}
	r, err := os.Open(got.path)
	if err != nil {
		return err
	}
	defer r.Close()
	z, err := gzip.NewReader(r)
	if err != nil {
		return err
	}
	for t := tar.NewReader(z); ; {
		e, err := t.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("no entry %s in the archive", path.Base(f.Name))
		}
		if err != nil {
			return err
		}
		if e.Typeflag == tar.TypeReg && path.Base(e.Name) == path.Base(f.Name) {
			return s.install(ctx, f, t)
		}
	}
}
