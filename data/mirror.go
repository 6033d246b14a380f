package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"strings"

	"synfire/internal/limit"
)

// Mirror is the address of a folder on a web server as a source of files; the
// file's base name is appended.
type Mirror string

// String is the folder's address.
func (m Mirror) String() string { return string(m) }

func (m Mirror) attempts(s *session) []attempt {
	return []attempt{{string(m), func(ctx context.Context, f File) error {
		return s.fromMirror(ctx, strings.TrimSuffix(string(m), "/")+"/"+path.Base(f.Name), f)
	}}}
}

// partSuffix marks the part of a file that has arrived so far. All mirrors of
// a file serve the same pinned bytes, so each continues the part of another.
const partSuffix = ".part"

func (s *session) fromMirror(ctx context.Context, u string, f File) error {
	at := s.o.cachePath(f)
	resumed, err := s.download(ctx, u, f, at+partSuffix)
	var bad *SumError
	if resumed && errors.As(err, &bad) {
		// The fault may lie in the part that was there before: once more, whole.
		_, err = s.download(ctx, u, f, at+partSuffix)
	}
	if err != nil {
		return err
	}
	return publish(at+partSuffix, at)
}

// download completes the part and verifies it. A part that is whole but wrong
// is removed, an incomplete one is kept.
func (s *session) download(ctx context.Context, u string, f File, part string) (resumed bool, err error) {
	w, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return false, err
	}
	defer w.Close()
	have, err := w.Seek(0, io.SeekEnd)
	if err != nil {
		return false, err
	}
	resumed = have > 0
	if have != f.Size {
		if err := s.complete(ctx, w, u, f, have); err != nil {
			if info, statErr := w.Stat(); statErr == nil && info.Size() == 0 {
				err = errors.Join(err, os.Remove(part))
			}
			return resumed, err
		}
	}
	if err := errors.Join(w.Sync(), w.Close()); err != nil {
		return resumed, err
	}
	if err := f.forms()[0].verify(part); err != nil {
		return resumed, errors.Join(err, os.Remove(part))
	}
	return resumed, nil
}

// complete appends what is missing after the first have bytes of w.
func (s *session) complete(ctx context.Context, w *os.File, u string, f File, have int64) error {
	if have > f.Size {
		have = 0
	}
	resp, err := s.o.get(ctx, u, have)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		have = 0 // the server sends the whole file, asked or not
	} else if start := fmt.Sprintf("bytes %d-", have); !strings.HasPrefix(resp.Header.Get("Content-Range"), start) {
		return fmt.Errorf("asked for bytes from %d on, the server sends %q", have, resp.Header.Get("Content-Range"))
	}
	if n := resp.ContentLength; n >= 0 && n != f.Size-have {
		return fmt.Errorf("the server offers %d bytes, expected %d", n, f.Size-have)
	}
	if err := w.Truncate(have); err != nil {
		return err
	}
	if _, err := w.Seek(have, io.SeekStart); err != nil {
		return err
	}
	n, err := io.Copy(w, limit.Reader(s.watch(ctx, resp.Body, f.Name, have, f.Size), f.Size-have))
	if err == nil && have+n < f.Size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("after %d of %d bytes: %w", have+n, f.Size, err)
	}
	return nil
}
