package data_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"synfire/data"
)

// Several files come out of one archive, which is asked for once and not kept; a part of
// it that arrived before is continued.
func TestArchive(t *testing.T) {
	x, y := payload(5000), payload(700)
	tgz := gzipped(tarOf(t, map[string][]byte{"deep/x.bin": x, "deep/y.bin": y, "readme": []byte("hello")}))
	var ranges []string
	src := data.Archive{
		URL: serve(t, func(w http.ResponseWriter, r *http.Request) {
			ranges = append(ranges, r.Header.Get("Range"))
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(tgz)))
		}) + "/all.tar.gz",
		Sum: data.Sum{SHA256: sumOf(tgz), Size: int64(len(tgz))},
	}
	o := tempOptions(t)
	write(t, filepath.Join(o.CacheDir, "toy", "all.tar.gz.part"), tgz[:1000])
	paths, err := data.Fetch(t.Context(), o, pinned("x.bin", x, src), pinned("y.bin", y, src))
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, paths[0], x)
	wantFile(t, paths[1], y)
	wantOnly(t, o, "x.bin", "y.bin")
	if len(ranges) != 1 || ranges[0] != "bytes=1000-" {
		t.Errorf("requests with the ranges %q, want one from byte 1000 on", ranges)
	}
	_, err = data.Fetch(t.Context(), o, pinned("z.bin", []byte("z"), src))
	checkError(t, "no entry", err, "no entry z.bin", "data import toy")
	src.SHA256 = sumOf(x)
	_, err = data.Fetch(t.Context(), tempOptions(t), pinned("x.bin", x, src))
	checkError(t, "other archive", err, "expected "+sumOf(x))
}

func TestInstalled(t *testing.T) {
	b := payload(300)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "x.bin"), b)
	o := tempOptions(t)
	paths, err := data.Fetch(t.Context(), o, pinned("x.bin", b, data.Installed("/absent"), data.Installed(dir)))
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, paths[0], b)
}

// A copy that is compressed otherwise is as good, from wherever it comes.
func TestOtherCompression(t *testing.T) {
	a, b := payload(300), payload(290)
	f := pinned("x.gz", a, data.Mirror(serve(t, unused(t))))
	f.Also = []data.Sum{{SHA256: sumOf(b), Size: int64(len(b))}}
	from := filepath.Join(t.TempDir(), "x.gz")
	write(t, from, b)
	o := tempOptions(t)
	if _, err := data.Import(t.Context(), o, data.Dataset{Name: "toy", Files: []data.File{f}}, from); err != nil {
		t.Fatal(err)
	}
	paths, err := data.Fetch(t.Context(), o, f)
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, paths[0], b)
	if err := os.WriteFile(paths[0], a[1:291], 0o644); err != nil {
		t.Fatal(err)
	}
	checkError(t, "damaged", data.Dataset{Files: []data.File{f}}.Verify(o), "damaged or another version")
}

func TestNoSources(t *testing.T) {
	_, err := data.Fetch(t.Context(), tempOptions(t), pinned("x.bin", payload(3)))
	checkError(t, "no sources", err, "no public source", "synfire data import toy PATH")
	if s := (data.Dataset{Files: []data.File{pinned("x.bin", payload(3))}}).Status(tempOptions(t)); s.Sources == nil {
		t.Error("sources are null, want an empty list")
	}
}
