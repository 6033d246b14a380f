package data_test

import (
	"path/filepath"
	"testing"

	"synfire/data"
)

// No archive makes Import panic, or puts a file into the cache that is not one of the
// data set's, by name and by sum; nothing is written elsewhere.
func FuzzImport(f *testing.F) {
	d, x, y := toySet()
	entries := map[string][]byte{"in/x.gz": gzipped(x), "y": y, "../../z": []byte("z")}
	whole := tarOf(f, entries)
	f.Add(".zip", zipOf(f, entries))
	f.Add(".tar", whole)
	f.Add(".tar.gz", gzipped(whole))
	f.Add(".tgz", gzipped(whole[:700]))
	f.Add(".zip", zipOf(f, map[string][]byte{"x": make([]byte, 1<<16)})) // a bomb, for a file of 4,000 bytes
	f.Fuzz(func(t *testing.T, kind string, in []byte) {
		switch kind {
		case ".zip", ".tar", ".tar.gz", ".tgz":
		default:
			kind = ".zip"
		}
		o := tempOptions(t)
		from := filepath.Join(t.TempDir(), "toy"+kind)
		write(t, from, in)
		got, err := data.Import(t.Context(), o, d, from)
		var names []string
		for _, name := range got {
			names = append(names, filepath.Base(name))
		}
		wantOnly(t, o, names...)
		if _, missing := d.Get(t.Context(), o); err == nil && missing != nil {
			t.Fatalf("imported %v, and then %v", got, missing)
		}
	})
}

// No archive of a module proxy makes Fetch panic, or gives a file other than the pinned.
func FuzzModuleArchive(f *testing.F) {
	x := payload(300)
	f.Add(zipOf(f, map[string][]byte{prefix + "x.bin": x, prefix + "../y": {1}}))
	f.Add(zipOf(f, map[string][]byte{prefix + "x.bin": make([]byte, 1<<16)}))
	f.Fuzz(func(t *testing.T, in []byte) {
		o := tempOptions(t)
		dir := t.TempDir()
		write(t, filepath.Join(dir, filepath.FromSlash(escaped)), in)
		o.Proxies = "file://" + filepath.ToSlash(dir)
		paths, err := data.Fetch(t.Context(), o, pinned("x.bin", x, toy))
		if err != nil {
			wantOnly(t, o)
			return
		}
		wantFile(t, paths[0], x)
		wantOnly(t, o, "x.bin")
	})
}
