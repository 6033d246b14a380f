package data_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"synfire/data"
)

// ranged serves b with support for ranges, and notes the ranges asked for.
func ranged(b []byte, asked *[]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.Header.Get("Range"))
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	}
}

// breaking promises all of b and stops after n bytes.
func breaking(b []byte, n int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(b)))
		w.Write(b[:n])
	}
}

func TestMirrorPath(t *testing.T) {
	b := payload(100)
	for _, base := range []string{"/pub/toy", "/pub/toy/"} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/pub/toy/x.bin" || r.Header.Get("Accept-Encoding") != "identity" {
				t.Errorf("asked for %s, encoding %q", r.URL.Path, r.Header.Get("Accept-Encoding"))
			}
			w.Write(b)
		})
		if _, err := data.Fetch(t.Context(), tempOptions(t), pinned("x.bin", b, data.Mirror(url+base))); err != nil {
			t.Error(err)
		}
	}
}

// A break leaves nothing under the final name, and the next call goes on where
// the first stopped.
func TestMirrorResumes(t *testing.T) {
	b := payload(50000)
	o := tempOptions(t)
	_, err := data.Fetch(t.Context(), o, pinned("x.bin", b, data.Mirror(serve(t, breaking(b, 20000)))))
	checkError(t, "break", err, "after 20000 of 50000 bytes", "unexpected EOF")
	wantOnly(t, o, "x.bin.part")

	var asked []string
	var from int64 = -1
	o.Progress = func(_ string, done, total int64) {
		if from < 0 {
			from = done
		}
		if total != 50000 {
			t.Errorf("total %d", total)
		}
	}
	paths, err := data.Fetch(t.Context(), o, pinned("x.bin", b, data.Mirror(serve(t, ranged(b, &asked)))))
	if err != nil {
		t.Fatal(err)
	}
	if len(asked) != 1 || asked[0] != "bytes=20000-" {
		t.Errorf("asked for %q, want the rest", asked)
	}
	if from < 20000 {
		t.Errorf("progress begins at %d, want it to count what is here", from)
	}
	wantFile(t, paths[0], b)
	wantOnly(t, o, "x.bin")
}

func TestNextMirrorContinues(t *testing.T) {
	b := payload(50000)
	var asked []string
	o := tempOptions(t)
	f := pinned("x.bin", b, data.Mirror(serve(t, breaking(b, 30000))), data.Mirror(serve(t, ranged(b, &asked))))
	paths, err := data.Fetch(t.Context(), o, f)
	if err != nil {
		t.Fatal(err)
	}
	if len(asked) != 1 || asked[0] != "bytes=30000-" {
		t.Errorf("the second mirror was asked for %q", asked)
	}
	wantFile(t, paths[0], b)
}

func TestParts(t *testing.T) {
	b := payload(5000)
	for name, c := range map[string]struct {
		part   []byte
		server func(*[]string) http.HandlerFunc
		asked  []string
	}{
		"whole part":         {b, func(a *[]string) http.HandlerFunc { return ranged(b, a) }, nil},
		"part of other file": {make([]byte, 700), func(a *[]string) http.HandlerFunc { return ranged(b, a) }, []string{"bytes=700-", ""}},
		"wrong whole part":   {make([]byte, 5000), func(a *[]string) http.HandlerFunc { return ranged(b, a) }, []string{""}},
		"too long":           {make([]byte, 5001), func(a *[]string) http.HandlerFunc { return ranged(b, a) }, []string{""}},
		"server ignores the range": {b[:700], func(a *[]string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				*a = append(*a, r.Header.Get("Range"))
				w.Write(b)
			}
		}, []string{"bytes=700-"}},
	} {
		o := tempOptions(t)
		at := filepath.Join(o.CacheDir, "toy", "x.bin")
		write(t, at+".part", c.part)
		var asked []string
		_, err := data.Fetch(t.Context(), o, pinned("x.bin", b, data.Mirror(serve(t, c.server(&asked)))))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(asked) != len(c.asked) {
			t.Errorf("%s: asked for %q, want %q", name, asked, c.asked)
		}
		for i := range min(len(asked), len(c.asked)) {
			if asked[i] != c.asked[i] {
				t.Errorf("%s: asked for %q, want %q", name, asked, c.asked)
			}
		}
		wantFile(t, at, b)
		wantOnly(t, o, "x.bin")
	}
}

func TestMirrorErrors(t *testing.T) {
	b := payload(5000)
	flush := func(w http.ResponseWriter) { w.(http.Flusher).Flush() } // no Content-Length then
	for name, c := range map[string]struct {
		serve http.HandlerFunc
		want  string
		left  []string
	}{
		"wrong sum": {content(make([]byte, 5000)), "(5000 bytes), expected " + sumOf(b) + " (5000 bytes)", nil},
		"web page":  {content([]byte("<html>log in first</html>")), "offers 25 bytes, expected 5000", nil},
		"not found": {http.NotFound, "404 Not Found", nil},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			flush(w)
			for range 100 {
				if _, err := w.Write(b); err != nil {
					return
				}
			}
		}, "longer than the permitted 5000 bytes", []string{"x.bin.part"}},
		"short, length unknown": {func(w http.ResponseWriter, _ *http.Request) {
			flush(w)
			w.Write(b[:4000])
		}, "after 4000 of 5000 bytes", []string{"x.bin.part"}},
	} {
		o := tempOptions(t)
		_, err := data.Fetch(t.Context(), o, pinned("x.bin", b, data.Mirror(serve(t, c.serve))))
		checkError(t, name, err, c.want)
		var failed *data.FetchError
		if !errors.As(err, &failed) {
			t.Errorf("%s: a %T, want a *data.FetchError", name, err)
		}
		wantOnly(t, o, c.left...)
	}
}

func TestUnreachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, err := data.Fetch(t.Context(), tempOptions(t), pinned("x.bin", payload(5), data.Mirror(server.URL)))
	checkError(t, "unreachable", err, server.URL+": dial tcp", "refused")
}

func TestWrongRange(t *testing.T) {
	b := payload(5000)
	o := tempOptions(t)
	write(t, filepath.Join(o.CacheDir, "toy", "x.bin.part"), b[:700])
	_, err := data.Fetch(t.Context(), o, pinned("x.bin", b, data.Mirror(serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Range", "bytes 100-4999/5000")
		w.WriteHeader(http.StatusPartialContent)
		w.Write(b[100:])
	}))))
	checkError(t, "range", err, "asked for bytes from 700 on", "bytes 100-4999/5000")
}
