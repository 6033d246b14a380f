package data

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Import copies the data set's files from a local folder, a .zip, .tar,
// .tar.gz or .tgz archive, or a single file into the cache, and returns their
// names there. Files are recognised by base name, in the distributed form or
// decompressed, at any depth, and taken only with the pinned sum. It fails
// where path is a folder or archive and a file is afterwards still missing.
func Import(ctx context.Context, o Options, d Dataset, from string) ([]string, error) {
	if len(d.Files) == 0 {
		return nil, fmt.Errorf("data: import %s: the data set is embedded in the program and has no files", d.Name)
	}
	if err := o.prepare(d.Files[0]); err != nil {
		return nil, err
	}
	im := &importer{o: o, d: d, have: map[string]string{}, bad: map[string]error{}}
	whole, err := im.walk(ctx, from)
	if err != nil {
		return im.names(), fmt.Errorf("data: import %s: %w", d.Name, err)
	}
	return im.names(), im.verdict(from, whole)
}

// importer takes the files of one data set from whatever is offered to it.
type importer struct {
	o    Options
	d    Dataset
	have map[string]string // names in the cache by File.Name
	bad  map[string]error  // why a file of the right name was not taken
}

// names are the imported files in the data set's order.
func (im *importer) names() []string {
	var all []string
	for _, f := range im.d.Files {
		if at, ok := im.have[f.Name]; ok {
			all = append(all, at)
		}
	}
	return all
}

func (im *importer) verdict(from string, whole bool) error {
	var lacks []string
	for _, f := range im.d.Files {
		if _, ok := im.have[f.Name]; ok {
			continue
		}
		if err := im.bad[f.Name]; err != nil {
			return fmt.Errorf("data: import %s from %s: %w", im.d.Name, from, err)
		}
		if _, err := im.o.cached(f); err != nil {
			lacks = append(lacks, path.Base(f.Name))
		}
	}
	switch {
	case len(im.have) == 0 && len(lacks) == 0:
		return fmt.Errorf("data: import %s from %s: none of its %d files is there; the cache has them all already, so nothing is needed", im.d.Name, from, len(im.d.Files))
	case len(im.have) == 0 || whole && len(lacks) > 0:
		return fmt.Errorf("data: import %s from %s: found %d of %d files; missing: %s (looked for by name at any depth, also without .gz)",
			im.d.Name, from, len(im.have), len(im.d.Files), strings.Join(lacks, ", "))
	}
	return nil
}

// walk offers every file at or under from, and reports whether from may be
// expected to hold the whole data set.
func (im *importer) walk(ctx context.Context, from string) (whole bool, err error) {
	at, err := filepath.EvalSymlinks(from)
	if err != nil {
		return false, fmt.Errorf("%s: %w", from, err)
	}
	from = at
	info, err := os.Stat(from)
	if err != nil {
		return false, err
	}
	name := strings.ToLower(filepath.Base(from))
	switch {
	case info.IsDir():
		return true, im.folder(ctx, from)
	case im.wanted(filepath.Base(from)):
		return false, im.single(ctx, from)
	case strings.HasSuffix(name, ".zip"):
		return true, im.zip(ctx, from)
	case strings.HasSuffix(name, ".tar"), strings.HasSuffix(name, ".tar.gz"), strings.HasSuffix(name, ".tgz"):
		return true, im.tar(ctx, from)
	}
	return false, fmt.Errorf("%s is neither a folder, nor a .zip, .tar, .tar.gz or .tgz archive, nor named like one of the files %s",
		from, strings.Join(im.bases(), ", "))
}

func (im *importer) folder(ctx context.Context, dir string) error {
	return filepath.WalkDir(dir, func(at string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() || !im.wanted(e.Name()) {
			return nil
		}
		if info, err := os.Stat(at); err != nil || !info.Mode().IsRegular() {
			return err
		}
		return im.single(ctx, at)
	})
}

func (im *importer) single(ctx context.Context, at string) error {
	r, err := os.Open(at)
	if err != nil {
		return err
	}
	defer r.Close()
	return im.offer(ctx, at, r)
}

func (im *importer) zip(ctx context.Context, at string) error {
	z, err := zip.OpenReader(at)
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	defer z.Close()
	for _, e := range z.File {
		if !e.Mode().IsRegular() || !im.wanted(path.Base(e.Name)) {
			continue
		}
		r, err := e.Open()
		if err != nil {
			return fmt.Errorf("%s: %s: %w", at, e.Name, err)
		}
		err = im.offer(ctx, e.Name, r)
		r.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	return nil
}

func (im *importer) tar(ctx context.Context, at string) error {
	file, err := os.Open(at)
	if err != nil {
		return err
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() == 0 {
		return fmt.Errorf("%s: the file is empty; fetch it again", at)
	}
	// Entries that nobody wants are read too, so a stop must reach this reader.
	var r io.Reader = &watched{ctx, file, 0, func(int64) {}}
	if !strings.HasSuffix(strings.ToLower(at), ".tar") {
		z, err := gzip.NewReader(r)
		if err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		r = z
	}
	for t := tar.NewReader(r); ; {
		e, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		if e.Typeflag != tar.TypeReg || !im.wanted(path.Base(e.Name)) {
			continue
		}
		if err := im.offer(ctx, e.Name, t); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
}

// offer takes r into the cache if it is the file that its name says. Another
// file of that name may have the right bytes, so wrong bytes are only noted.
func (im *importer) offer(ctx context.Context, name string, r io.Reader) error {
	f, form, ok := im.match(path.Base(filepath.ToSlash(name)))
	if !ok || im.have[f.Name] != "" {
		return nil
	}
	if err := im.o.prepare(f); err != nil {
		return err
	}
	in := &watched{ctx, r, 0, func(n int64) { im.o.progress(f.Name, n, form.Size) }}
	err := form.install(filepath.Dir(im.o.cachePath(f)), name, in)
	if err == nil {
		im.have[f.Name] = path.Join(path.Dir(f.Name), form.base)
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	im.bad[f.Name] = err
	return nil
}

func (im *importer) wanted(base string) bool {
	_, _, ok := im.match(base)
	return ok
}

func (im *importer) match(base string) (File, form, bool) {
	for _, f := range im.d.Files {
		for _, form := range f.forms() {
			if form.base == base {
				return f, form, true
			}
		}
	}
	return File{}, form{}, false
}

func (im *importer) bases() []string {
	var all []string
	for _, f := range im.d.Files {
		all = append(all, path.Base(f.Name))
	}
	return all
}
