package data_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"synfire/data"
)

// payload is n bytes that differ everywhere and do not compress.
func payload(n int) []byte {
	var b []byte
	for sum := sha256.Sum256(nil); len(b) < n; sum = sha256.Sum256(sum[:]) {
		b = append(b, sum[:]...)
	}
	return b[:n]
}

func sumOf(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// pinned is the descriptor of a file with the given bytes.
func pinned(base string, b []byte, sources ...data.Source) data.File {
	return data.File{Name: "toy/" + base, SHA256: sumOf(b), Size: int64(len(b)), Sources: sources}
}

// tempOptions have an empty cache, no toolchain and no proxies.
func tempOptions(t testing.TB) data.Options {
	t.Helper()
	return data.Options{CacheDir: filepath.Join(t.TempDir(), "cache")}
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func wantFile(t *testing.T, path string, b []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, b) {
		t.Errorf("%s holds %d bytes (error %v), want the %d pinned ones", path, len(got), err, len(b))
	}
}

// wantOnly checks that the cache's folder of the set holds these files alone:
// nothing temporary, nothing half-written.
func wantOnly(t *testing.T, o data.Options, names ...string) {
	t.Helper()
	want := map[string]bool{}
	for _, n := range names {
		want[n] = true
	}
	filepath.WalkDir(o.CacheDir, func(at string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil
		}
		if !want[e.Name()] {
			t.Errorf("left in the cache: %s", at)
		}
		delete(want, e.Name())
		return nil
	})
	for n := range want {
		t.Errorf("not in the cache: %s", n)
	}
}

// serve starts a server that is closed with the test.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func content(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Write(b) }
}

func unused(t *testing.T) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("unexpected request for %s", r.URL)
		http.Error(w, "unexpected", http.StatusTeapot)
	}
}

func TestDataDirComesFirst(t *testing.T) {
	b := payload(1000)
	mirror := data.Mirror(serve(t, unused(t)))
	for _, place := range []string{"toy/x.bin", "x.bin"} {
		o := tempOptions(t)
		o.DataDir = t.TempDir()
		at := filepath.Join(o.DataDir, filepath.FromSlash(place))
		write(t, at, b)
		paths, err := data.Fetch(t.Context(), o, pinned("x.bin", b, mirror))
		if err != nil || paths[0] != at {
			t.Errorf("%s: got %v, %v", place, paths, err)
		}
		wantOnly(t, o)
	}
}

func TestDataDirIsNeverReplaced(t *testing.T) {
	b, wrong := payload(1000), []byte("edited by the user")
	o := tempOptions(t)
	o.DataDir = t.TempDir()
	at := filepath.Join(o.DataDir, "toy", "x.bin")
	write(t, at, wrong)
	_, err := data.Fetch(t.Context(), o, pinned("x.bin", b, data.Mirror(serve(t, unused(t)))))
	checkError(t, "wrong sum", err, at, sumOf(b), sumOf(wrong), "1000 bytes", "18 bytes", "replace the file", "move it away")
	var bad *data.SumError
	if !errors.As(err, &bad) {
		t.Errorf("a %T, want a *data.SumError inside", err)
	}
	wantFile(t, at, wrong)
}

func TestDataDirMustExist(t *testing.T) {
	o := tempOptions(t)
	o.DataDir = filepath.Join(t.TempDir(), "tpyo")
	_, err := data.Fetch(t.Context(), o, pinned("x.bin", nil))
	checkError(t, "no such folder", err, o.DataDir, "SYNFIRE_DATA", "--data-dir")
}

func TestRawFormIsAccepted(t *testing.T) {
	raw := payload(1000)
	f := pinned("x.gz", gzipped(raw), data.Mirror(serve(t, unused(t))))
	f.RawSHA256, f.RawSize = sumOf(raw), int64(len(raw))
	o := tempOptions(t)
	o.DataDir = t.TempDir()
	write(t, filepath.Join(o.DataDir, "x"), raw)
	write(t, filepath.Join(o.DataDir, "x.gz"), []byte("damaged"))
	paths, err := data.Fetch(t.Context(), o, f)
	if err != nil || filepath.Base(paths[0]) != "x" {
		t.Errorf("got %v, %v", paths, err)
	}
}

func TestCache(t *testing.T) {
	b := payload(1000)
	requests := 0
	f := pinned("x.bin", b, data.Mirror(serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		w.Write(b)
	})))
	o := tempOptions(t)
	at := filepath.Join(o.CacheDir, "toy", "x.bin")
	for range 2 {
		paths, err := data.Fetch(t.Context(), o, f)
		if err != nil || paths[0] != at {
			t.Fatalf("got %v, %v", paths, err)
		}
	}
	if requests != 1 {
		t.Errorf("%d requests, want the second fetch to use the cache", requests)
	}
	write(t, at, []byte("rotten"))
	if _, err := data.Fetch(t.Context(), o, f); err != nil {
		t.Fatal(err)
	}
	wantFile(t, at, b)
	wantOnly(t, o, "x.bin")
	if requests != 2 {
		t.Errorf("%d requests, want a damaged file in the cache to be fetched again", requests)
	}
}

func TestUnwritableCache(t *testing.T) {
	b := payload(10)
	f := pinned("x.bin", b, data.Mirror(serve(t, unused(t))))

	o := tempOptions(t)
	write(t, o.CacheDir, []byte("a file in the folder's place"))
	_, err := data.Fetch(t.Context(), o, f)
	checkError(t, "file as cache", err, "cannot write to the cache", o.CacheDir, "SYNFIRE_DATA")

	_, err = data.Fetch(t.Context(), data.Options{}, f)
	checkError(t, "no cache", err, "no cache directory is known", "XDG_CACHE_HOME", "SYNFIRE_DATA")

	o = tempOptions(t)
	dir := filepath.Join(o.CacheDir, "toy")
	if err := os.MkdirAll(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	if probe, err := os.CreateTemp(dir, ""); err == nil {
		probe.Close()
		os.Remove(probe.Name())
		t.Skip("this user may write to read-only folders")
	}
	_, err = data.Fetch(t.Context(), o, f)
	checkError(t, "read-only cache", err, "cannot write to the cache", "permission denied")
}

func TestAllSourcesFail(t *testing.T) {
	b := payload(100)
	missing := data.Mirror(serve(t, http.NotFound) + "/pub")
	broken := data.Mirror(serve(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusBadGateway) }))
	o := tempOptions(t)
	o.Proxies = "off"
	module := data.Module{Path: "example.org/Toy", Version: "v1.0.0"}
	_, err := data.Fetch(t.Context(), o, pinned("x.bin", b, module, missing, broken))
	checkError(t, "all fail", err,
		"toy/x.bin could not be obtained",
		"go mod download example.org/Toy@v1.0.0: no Go toolchain found",
		"module proxy, example.org/Toy@v1.0.0: module downloads are switched off (GOPROXY=off)",
		missing.String()+": 404 Not Found",
		broken.String()+": 502 Bad Gateway",
		"synfire data import toy PATH", "SYNFIRE_DATA")
	var failed *data.FetchError
	if !errors.As(err, &failed) || len(failed.Tried) != 4 || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %#v", err)
	}
}

func TestStopped(t *testing.T) {
	b := payload(100000)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	second := false
	first := data.Mirror(serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100000")
		w.Write(b[:5000])
		w.(http.Flusher).Flush()
		<-ctx.Done()
	}))
	other := data.Mirror(serve(t, func(http.ResponseWriter, *http.Request) { second = true }))
	o := tempOptions(t)
	o.Progress = func(_ string, done, _ int64) {
		if done >= 5000 {
			stop()
		}
	}
	_, err := data.Fetch(ctx, o, pinned("x.bin", b, first, other))
	if !errors.Is(err, context.Canceled) || second {
		t.Errorf("error %v; the next source was asked: %v", err, second)
	}
	checkError(t, "stopped", err, "toy/x.bin", "stopped")
	wantOnly(t, o, "x.bin.part")
}

// fakeGo writes a go command that answers with a script's output.
func fakeGo(t *testing.T, script string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for the go command is a shell script")
	}
	at := filepath.Join(t.TempDir(), "go")
	if err := os.WriteFile(at, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return at
}

func TestToolchain(t *testing.T) {
	x, y := payload(3000), payload(500)
	module := t.TempDir()
	write(t, filepath.Join(module, "files", "x.bin"), x)
	write(t, filepath.Join(module, "files", "y.bin"), y)
	log := filepath.Join(t.TempDir(), "log")
	o := tempOptions(t)
	o.GoTool = fakeGo(t, `echo "$@" $(ls -A | wc -l) >>'`+log+`'; echo '{"Dir":"`+module+`"}'`)
	var last string
	o.Progress = func(name string, done, total int64) {
		if done == total {
			last = name
		}
	}
	src := data.Module{Path: "example.org/Toy", Version: "v1.0.0", Folder: "files"}
	paths, err := data.Fetch(t.Context(), o, pinned("x.bin", x, src), pinned("y.bin", y, src))
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, paths[0], x)
	wantFile(t, paths[1], y)
	wantOnly(t, o, "x.bin", "y.bin")
	calls, _ := os.ReadFile(log)
	if got := strings.Join(strings.Fields(string(calls)), " "); got != "mod download -json example.org/Toy@v1.0.0 0" {
		t.Errorf("the go command was called: %q; want once, in an empty folder", got)
	}
	if last != "toy/y.bin" {
		t.Errorf("the last file told to be complete is %q", last)
	}
}

func TestToolchainErrors(t *testing.T) {
	b := payload(30)
	damaged := t.TempDir()
	write(t, filepath.Join(damaged, "x.bin"), []byte("other bytes"))
	for name, c := range map[string]struct{ script, want string }{
		"module error": {`echo '{"Error":"module lookup disabled"}'; exit 1`, "module lookup disabled"},
		"no answer":    {`echo "go: something odd" >&2; exit 2`, "exit status 2: go: something odd"},
		"not JSON":     {`echo hello`, "reading its answer"},
		"no folder":    {`echo '{}'`, "names no folder"},
		"no file":      {`echo '{"Dir":"` + t.TempDir() + `"}'`, "no such file"},
		"wrong sum":    {`echo '{"Dir":"` + damaged + `"}'`, "expected " + sumOf(b)},
	} {
		o := tempOptions(t)
		o.Proxies, o.GoTool = "off", fakeGo(t, c.script)
		_, err := data.Fetch(t.Context(), o, pinned("x.bin", b, data.Module{Path: "example.org/toy", Version: "v1.0.0"}))
		checkError(t, name, err, c.want)
		wantOnly(t, o)
	}
}

func TestDefaultOptions(t *testing.T) {
	t.Setenv("SYNFIRE_DATA", "/some/where")
	t.Setenv("GOPROXY", "https://proxy.example|off")
	t.Setenv("PATH", "")
	o := data.DefaultOptions()
	if o.DataDir != "/some/where" || o.Proxies != "https://proxy.example|off" || o.GoTool != "" {
		t.Errorf("options %+v", o)
	}
}
