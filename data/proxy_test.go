package data_test

import (
	"archive/zip"
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/data"
)

var toy = data.Module{Path: "example.org/Some/Toy", Version: "v1.0.0-RC1", Folder: "files"}

// escaped is toy's zip in the proxy protocol.
const escaped = "/example.org/!some/!toy/@v/v1.0.0-!r!c1.zip"

const prefix = "example.org/Some/Toy@v1.0.0-RC1/files/"

func zipOf(t testing.TB, entries map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, body := range entries {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestProxy(t *testing.T) {
	x, y := payload(3000), payload(500)
	archive := zipOf(t, map[string][]byte{prefix + "x.bin": x, prefix + "y.bin": y, prefix + "other": payload(9)})
	var asked []string
	o := tempOptions(t)
	o.Proxies = serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		w.Write(archive)
	})
	paths, err := data.Fetch(t.Context(), o, pinned("x.bin", x, toy), pinned("y.bin", y, toy))
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, paths[0], x)
	wantFile(t, paths[1], y)
	wantOnly(t, o, "x.bin", "y.bin")
	if len(asked) != 1 || asked[0] != escaped {
		t.Errorf("asked for %q, want once for %q", asked, escaped)
	}
}

func TestFileProxy(t *testing.T) {
	x := payload(300)
	dir := t.TempDir()
	at := filepath.Join(dir, filepath.FromSlash(escaped))
	write(t, at, zipOf(t, map[string][]byte{prefix + "x.bin": x}))
	o := tempOptions(t)
	o.Proxies = "file://" + filepath.ToSlash(t.TempDir()) + ",file://" + filepath.ToSlash(dir) + "/"
	paths, err := data.Fetch(t.Context(), o, pinned("x.bin", x, toy))
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, paths[0], x)
	if _, err := os.Stat(at); err != nil {
		t.Errorf("the proxy's own file is gone: %v", err)
	}
}

func TestProxyFromToolchain(t *testing.T) {
	x := payload(300)
	o := tempOptions(t)
	url := serve(t, content(zipOf(t, map[string][]byte{prefix + "x.bin": x})))
	o.GoTool = fakeGo(t, `if [ "$1 $2" = "env GOPROXY" ]; then echo `+url+`; else exit 1; fi`)
	if _, err := data.Fetch(t.Context(), o, pinned("x.bin", x, toy)); err != nil {
		t.Fatal(err)
	}
}

func TestProxyListSemantics(t *testing.T) {
	x := payload(300)
	status := func(code int) string {
		return serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
	good := serve(t, content(zipOf(t, map[string][]byte{prefix + "x.bin": x})))
	notFound, gone, failing := status(404), status(410), status(500)
	secret := strings.Replace(failing, "http://", "http://user:hunter2@", 1)
	for _, c := range []struct {
		list string
		want string // part of the error; "" for success
	}{
		{good, ""},
		{notFound + "," + good, ""},
		{gone + "," + good, ""},
		{notFound + "|" + good, ""},
		{failing + "," + good, "500 Internal Server Error"},
		{failing + "|" + good, ""},
		{failing + "|" + notFound + "," + good, ""},
		{" " + notFound + " ,, " + good + " ", ""},
		{"off," + good, "switched off"},
		{"direct," + good, "takes a Go toolchain"},
		{notFound + ",off", "404 Not Found: file does not exist; module downloads are switched off"},
		{notFound, "404 Not Found"},
		{"", "set GOPROXY"},
		{"ftp://example.org", "https://, http:// or file://"},
		{secret, "500 Internal Server Error"},
	} {
		o := tempOptions(t)
		o.Proxies = c.list
		_, err := data.Fetch(t.Context(), o, pinned("x.bin", x, toy))
		checkError(t, c.list, err, c.want)
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows a password: %v", err)
		}
		if err != nil {
			wantOnly(t, o)
		}
	}
}

func TestProxyZipErrors(t *testing.T) {
	x := payload(300)
	bomb := make([]byte, 10<<20) // compresses to 10 KB
	whole := zipOf(t, map[string][]byte{prefix + "x.bin": x})
	for name, c := range map[string]struct {
		zip  []byte
		want string
	}{
		"not a zip": {[]byte("<html>log in first</html>"), "not a valid zip file"},
		"cut":       {whole[:len(whole)/2], "not a valid zip file"},
		"no entry":  {zipOf(t, map[string][]byte{"other": x}), "no entry " + prefix + "x.bin"},
		"wrong sum": {zipOf(t, map[string][]byte{prefix + "x.bin": payload(299)}), "(299 bytes), expected " + sumOf(x)},
		"bomb":      {zipOf(t, map[string][]byte{prefix + "x.bin": bomb}), "longer than the permitted 300 bytes"},
	} {
		o := tempOptions(t)
		o.Proxies = serve(t, content(c.zip))
		_, err := data.Fetch(t.Context(), o, pinned("x.bin", x, toy))
		checkError(t, name, err, "module zip", c.want)
		wantOnly(t, o)
	}
}

func TestProxyBreaksOff(t *testing.T) {
	o := tempOptions(t)
	o.Proxies = serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.Write(payload(10))
	})
	_, err := data.Fetch(t.Context(), o, pinned("x.bin", nil, toy))
	checkError(t, "cut", err, "unexpected EOF")
	wantOnly(t, o)
}
