package data_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"synfire/data"
)

// toySet is a data set of two files, x.gz and y.gz, whose decompressed bytes
// are pinned too.
func toySet() (d data.Dataset, xRaw, yRaw []byte) {
	xRaw, yRaw = payload(4000), payload(600)
	d = data.Dataset{Name: "toy", License: "CC0", Classes: []string{"a", "b"}, Splits: []data.Split{{Name: "train", Len: 3}}}
	for base, raw := range map[string][]byte{"x": xRaw, "y": yRaw} {
		f := pinned(base+".gz", gzipped(raw), data.Mirror("https://a.example/"), data.Mirror("https://b.example/"))
		f.RawSHA256, f.RawSize = sumOf(raw), int64(len(raw))
		d.Files = append(d.Files, f)
	}
	slices.SortFunc(d.Files, func(a, b data.File) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return d, xRaw, yRaw
}

func tarOf(t testing.TB, entries map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, body := range entries {
		if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(body)), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestImport(t *testing.T) {
	d, x, y := toySet()
	entries := map[string][]byte{"deep/in/x.gz": gzipped(x), "deep/in/y.gz": gzipped(y), "readme": []byte("hello")}
	folder := func(t *testing.T, at string) {
		for name, b := range entries {
			write(t, filepath.Join(at, filepath.FromSlash(name)), b)
		}
	}
	file := func(b []byte) func(*testing.T, string) {
		return func(t *testing.T, at string) { write(t, at, b) }
	}
	for name, make := range map[string]func(*testing.T, string){
		"folder":      folder,
		"toy.zip":     file(zipOf(t, entries)),
		"toy.tar":     file(tarOf(t, entries)),
		"toy.tar.gz":  file(gzipped(tarOf(t, entries))),
		"toy.TGZ":     file(gzipped(tarOf(t, entries))),
		"linked":      func(t *testing.T, at string) { folder(t, at+".real"); symlink(t, at+".real", at) },
		"folder.zip/": folder,
	} {
		o := tempOptions(t)
		from := filepath.Join(t.TempDir(), name)
		make(t, from)
		got, err := data.Import(t.Context(), o, d, from)
		if err != nil || !slices.Equal(got, []string{"toy/x.gz", "toy/y.gz"}) {
			t.Errorf("%s: imported %v, error %v", name, got, err)
		}
		wantOnly(t, o, "x.gz", "y.gz")
		if err := d.Verify(o); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := d.Get(t.Context(), o); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func symlink(t *testing.T, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		t.Skip("no symbolic links here:", err)
	}
}

func TestImportDecompressed(t *testing.T) {
	d, x, y := toySet()
	o := tempOptions(t)
	from := filepath.Join(t.TempDir(), "toy.zip")
	write(t, from, zipOf(t, map[string][]byte{"x": x, "y.gz": gzipped(y)}))
	got, err := data.Import(t.Context(), o, d, from)
	if err != nil || !slices.Equal(got, []string{"toy/x", "toy/y.gz"}) {
		t.Fatalf("imported %v, error %v", got, err)
	}
	paths, err := d.Get(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	wantFile(t, paths[0], x)
}

func TestImportSingleFiles(t *testing.T) {
	d, x, y := toySet()
	o := tempOptions(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "x.gz"), gzipped(x))
	write(t, filepath.Join(dir, "y"), y)
	if _, err := data.Import(t.Context(), o, d, filepath.Join(dir, "x.gz")); err != nil {
		t.Fatal(err)
	}
	if s := d.Status(o); s.Status != data.Missing {
		t.Errorf("after one of two files: %s", s.Status)
	}
	if _, err := data.Import(t.Context(), o, d, filepath.Join(dir, "y")); err != nil {
		t.Fatal(err)
	}
	if s := d.Status(o); s.Status != data.Cached {
		t.Errorf("after both files: %s", s.Status)
	}
}

// Another data set may have files of the same names next to ours.
func TestImportChoosesBySum(t *testing.T) {
	d, x, y := toySet()
	o := tempOptions(t)
	dir := t.TempDir()
	for _, other := range []string{"a-other", "z-other"} {
		write(t, filepath.Join(dir, other, "x.gz"), gzipped([]byte("another data set")))
	}
	write(t, filepath.Join(dir, "toy", "x.gz"), gzipped(x))
	write(t, filepath.Join(dir, "toy", "y.gz"), gzipped(y))
	if _, err := data.Import(t.Context(), o, d, dir); err != nil {
		t.Fatal(err)
	}
	if err := d.Verify(o); err != nil {
		t.Error(err)
	}
}

func TestImportErrors(t *testing.T) {
	d, x, y := toySet()
	dir := t.TempDir()
	at := func(name string, b []byte) string {
		p := filepath.Join(dir, name)
		write(t, p, b)
		return p
	}
	wrong := gzipped([]byte("wrong"))
	bomb := bytes.Repeat([]byte{0}, 1<<20)
	for name, c := range map[string]struct {
		from string
		want []string
		left []string
	}{
		"absent":       {filepath.Join(dir, "nowhere"), []string{"import toy", "nowhere", "no such file"}, nil},
		"unknown kind": {at("toy.rar", x), []string{"neither a folder", ".tar.gz", "x.gz, y.gz"}, nil},
		"empty folder": {t.TempDir(), []string{"found 0 of 2 files", "missing: x.gz, y.gz", "also without .gz"}, nil},
		"one missing":  {at("one.zip", zipOf(t, map[string][]byte{"x.gz": gzipped(x)})), []string{"found 1 of 2", "missing: y.gz"}, []string{"x.gz"}},
		"wrong sum": {at("wrong.zip", zipOf(t, map[string][]byte{"in/x.gz": wrong, "y.gz": gzipped(y)})),
			[]string{"wrong.zip: in/x.gz", sumOf(wrong), d.Files[0].SHA256}, []string{"y.gz"}},
		"wrong file":    {at("x.gz", wrong), []string{sumOf(wrong), d.Files[0].SHA256}, nil},
		"bomb":          {at("bomb.tar.gz", gzipped(tarOf(t, map[string][]byte{"x": bomb}))), []string{"x: input is longer than the permitted 4000 bytes"}, nil},
		"damaged zip":   {at("bad.zip", []byte("PK")), []string{"bad.zip", "not a valid zip"}, nil},
		"damaged tar":   {at("bad.tar", payload(2000)), []string{"bad.tar", "invalid tar header"}, nil},
		"not gzip":      {at("bad.tar.gz", payload(2000)), []string{"bad.tar.gz", "invalid header"}, nil},
		"cut tar.gz":    {at("cut.tgz", gzipped(tarOf(t, map[string][]byte{"x": x}))[:1500]), []string{"cut.tgz", "unexpected EOF"}, nil},
		"same in a dir": {filepath.Dir(at("sub/y.gz", wrong)), []string{"y.gz", sumOf(wrong)}, nil},
	} {
		o := tempOptions(t)
		_, err := data.Import(t.Context(), o, d, c.from)
		checkError(t, name, err, c.want...)
		wantOnly(t, o, c.left...)
	}

	o := tempOptions(t)
	write(t, o.CacheDir, nil)
	_, err := data.Import(t.Context(), o, d, dir)
	checkError(t, "cache", err, "cannot write to the cache")
	_, err = data.Import(t.Context(), tempOptions(t), data.Dataset{Name: "inner"}, dir)
	checkError(t, "embedded", err, "inner", "embedded in the program")
}

// Where a folder holds nothing and nothing is missing either, the error has no empty list
// of missing files.
func TestImportOfNothingMissing(t *testing.T) {
	d, x, y := toySet()
	o := tempOptions(t)
	from := t.TempDir()
	write(t, filepath.Join(from, "x.gz"), gzipped(x))
	write(t, filepath.Join(from, "y.gz"), gzipped(y))
	if _, err := data.Import(t.Context(), o, d, from); err != nil {
		t.Fatal(err)
	}
	_, err := data.Import(t.Context(), o, d, t.TempDir())
	checkError(t, "nothing", err, "none of its 2 files is there", "the cache has them all already")
	if strings.Contains(err.Error(), "missing:") {
		t.Error(err)
	}
}

func TestImportStops(t *testing.T) {
	d, x, y := toySet()
	from := filepath.Join(t.TempDir(), "toy.tar.gz")
	write(t, from, gzipped(tarOf(t, map[string][]byte{"x": x, "y": y})))
	ctx, stop := context.WithCancel(t.Context())
	stop()
	o := tempOptions(t)
	if _, err := data.Import(ctx, o, d, from); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	wantOnly(t, o)
}

func TestStatus(t *testing.T) {
	d, x, y := toySet()
	o := tempOptions(t)
	total := d.Files[0].Size + d.Files[1].Size
	check := func(want string) {
		t.Helper()
		s := d.Status(o)
		if s.Status != want || s.Bytes != total || s.Classes != 2 || s.Splits["train"] != 3 || s.License != "CC0" ||
			!slices.Equal(s.Sources, []string{"https://a.example/", "https://b.example/"}) {
			t.Errorf("status %+v, want %s and %d bytes", s, want, total)
		}
	}
	check(data.Missing)
	checkError(t, "verify", d.Verify(o), "toy/x.gz", "toy/y.gz", "file does not exist", "synfire data get toy")
	write(t, filepath.Join(o.CacheDir, "toy", "x.gz"), gzipped(x))
	check(data.Missing)
	write(t, filepath.Join(o.CacheDir, "toy", "y"), y)
	check(data.Cached)
	if err := d.Verify(o); err != nil {
		t.Error(err)
	}
	write(t, filepath.Join(o.CacheDir, "toy", "y"), y[1:])
	check(data.Broken)
	checkError(t, "verify", d.Verify(o), filepath.Join("toy", "y"), "(599 bytes)", sumOf(y))
	o.DataDir = t.TempDir()
	write(t, filepath.Join(o.DataDir, "y"), y)
	check(data.Cached)

	inner := data.Dataset{Name: "inner", Embedded: 77}.Status(data.Options{})
	if inner.Status != data.Cached || inner.Bytes != 77 || !slices.Equal(inner.Sources, []string{"embedded"}) {
		t.Errorf("embedded: %+v", inner)
	}
}

// The list of missing files was empty where all of them were in the cache.
func TestImportNamesNoEmptyList(t *testing.T) {
	d, x, y := toySet()
	o := tempOptions(t)
	from := filepath.Join(t.TempDir(), "toy.zip")
	write(t, from, zipOf(t, map[string][]byte{"x": x, "y": y}))
	if _, err := data.Import(t.Context(), o, d, from); err != nil {
		t.Fatal(err)
	}
	_, err := data.Import(t.Context(), o, d, t.TempDir())
	checkError(t, "nothing new", err, "none of its 2 files", "the cache has them all already")
}
