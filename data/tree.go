package data

import (
	"archive/zip"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"synfire/internal/par"
	"synfire/sample"
)

// OpenTree opens a folder or a zip file as a tree of files. The files of a zip file
// stay readable for as long as the tree is in use. A folder that holds nothing but
// another one with folders, as many zip files do, and files beside it, as a licence,
// stands for that. Names that lead out of a zip
// file are an error.
func OpenTree(at string) (fs.FS, error) {
	info, err := os.Stat(at)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return inner(os.DirFS(at))
	}
	z, err := zip.OpenReader(at) // the file is closed when nothing refers to it any more
	if err != nil {
		return nil, fmt.Errorf("%s: neither a folder nor a zip file: %w", sample.Printable(at), err)
	}
	for _, f := range z.File {
		if !filepath.IsLocal(strings.TrimSuffix(f.Name, "/")) || strings.Contains(f.Name, `\`) {
			return nil, errors.Join(fmt.Errorf("%s: the name %q leads out of the zip file, or has a backslash; pack the files again", sample.Printable(at), f.Name), z.Close())
		}
	}
	return inner(z)
}

// below is a tree that stands for the one around it, and the files that it stood beside.
type below struct {
	fs.FS
	whole  fs.FS
	root   string
	beside []string
}

// Beside returns an error where a sample stands beside the folder that OpenTree took for
// the whole tree: it would be left out.
func Beside(fsys fs.FS, accept func(name string) bool) error {
	t, ok := fsys.(below)
	if !ok {
		return nil
	}
	for _, name := range t.beside {
		if accept(path.Base(name)) {
			return fmt.Errorf("%s stands beside the folder %s, which holds all others; move it into the folder of its class, or away", sample.Printable(name), sample.Printable(t.root))
		}
	}
	return nil
}

// Around is the tree around the one that OpenTree gave, where that stands for it; else the same.
func Around(fsys fs.FS) fs.FS {
	if t, ok := fsys.(below); ok {
		return t.whole
	}
	return fsys
}

// inner is the tree below folders that hold but one folder with folders.
func inner(fsys fs.FS) (fs.FS, error) {
	const most = 8
	out := below{whole: fsys}
	for range most {
		entries, err := visible(fsys, ".")
		if err != nil {
			return nil, err
		}
		var files []string
		entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
			if !e.IsDir() {
				files = append(files, path.Join(out.root, e.Name()))
			}
			return !e.IsDir()
		})
		if len(entries) != 1 || splitOf(entries[0].Name()) != "" {
			break
		}
		sub, err := fs.Sub(fsys, entries[0].Name())
		if err != nil {
			return nil, err
		}
		inside, err := visible(sub, ".")
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(inside, fs.DirEntry.IsDir) {
			break
		}
		fsys = sub
		out.root, out.beside = path.Join(out.root, entries[0].Name()), append(out.beside, files...)
	}
	if out.root == "" {
		return fsys, nil
	}
	out.FS = fsys
	return out, nil
}

// visible are the entries of a folder without those that programs leave behind:
// names that begin with a dot, __MACOSX, Thumbs.db, desktop.ini.
func visible(fsys fs.FS, dir string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(fsys, dir)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		name := e.Name()
		return strings.HasPrefix(name, ".") || name == "__MACOSX" || strings.EqualFold(name, "thumbs.db") || strings.EqualFold(name, "desktop.ini")
	}), err
}

// splitOf is the part of a data set that a folder's name stands for, in capitals or
// not: train, test, valid; empty for others.
func splitOf(name string) string {
	switch strings.ToLower(name) {
	case "train", "training":
		return "train"
	case "test", "testing":
		return "test"
	case "val", "valid", "validation":
		return "valid"
	}
	return ""
}

// Member is a file of a data set and the number of its class.
type Member struct {
	Path  string
	Class int
}

// Valid says what becomes of the samples of a folder val or valid that stands beside
// both train and test. Where there is no folder test, val is the test.
type Valid int

// The choices of Valid.
const (
	ValidUnsaid Valid = iota // an error asks
	ValidJoin                // behind the training samples, of which a run draws its own validation share
	ValidLeave               // left out
)

var validNames = []string{"", "join", "leave-out"}

// String is the choice's name in files.
func (v Valid) String() string { return validNames[v] }

// MarshalText is String.
func (v Valid) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText is the inverse of String.
func (v *Valid) UnmarshalText(text []byte) error {
	i := slices.Index(validNames, string(text))
	if i < 0 {
		return fmt.Errorf("val %q: want join or leave-out", text)
	}
	*v = Valid(i)
	return nil
}

// ClassFolders describes a tree with a folder for each class,
//
//	train/CLASS/FILE…    test/CLASS/FILE…
//
// or CLASS/FILE… alone, without test samples. Folders may be named in capitals, and
// val or valid stands for test where there is no test.
type ClassFolders struct {
	FS      fs.FS
	Name    string                 // of the tree, for messages; empty: the caller names it
	Accept  func(name string) bool // whether a file is a sample
	What    string                 // a sample is: "PNG or JPEG file"
	Many    string                 // several are: "images"
	Classes []string               // in the order of their numbers; nil: all, sorted
	Valid   Valid
}

// List finds the classes and the files. They come class by class in turn: the first
// file of each, the second of each. Where there is no test folder, test is nil. A
// file in a class folder that is no sample is an error, and so is a sample outside of
// one.
func (c ClassFolders) List() (l Listing, err error) {
	if l, err = c.list(); err != nil && c.Name != "" {
		return l, fmt.Errorf("data: %s: %w", sample.Printable(c.Name), err)
	}
	return l, err
}

// Listing is the files of a tree of class folders.
type Listing struct {
	Classes     []string
	Train, Test []Member
	Whole       bool // there were no folders train and test
}

func (c ClassFolders) list() (Listing, error) {
	if err := Beside(c.FS, c.Accept); err != nil {
		return Listing{}, err
	}
	train, test, whole, err := c.splits()
	if err != nil {
		return Listing{}, err
	}
	classes, err := c.classes(append(slices.Clone(train), test...))
	if err != nil {
		return Listing{}, err
	}
	l := Listing{Classes: classes, Whole: whole}
	for _, split := range train {
		members, err := c.members(split, classes)
		if err != nil {
			return l, err
		}
		l.Train = append(l.Train, members...)
	}
	for _, split := range test {
		if l.Test, err = c.members(split, classes); err != nil {
			return l, err
		}
	}
	if len(l.Train) == 0 || !whole && len(test) > 0 && len(l.Test) == 0 {
		return l, fmt.Errorf("no %s in the class folders of %s; put %ss there", c.Many, strings.Join(append(train, test...), " or "), c.What)
	}
	return l, nil
}

// splits are the folders that hold those of the classes.
func (c ClassFolders) splits() (train, test []string, whole bool, err error) {
	entries, err := visible(c.FS, ".")
	if err != nil {
		return nil, nil, false, err
	}
	found := map[string]string{}
	var others []string
	stray := ""
	for _, e := range entries {
		part := splitOf(e.Name())
		switch {
		case !isDir(c.FS, e.Name()):
			if c.Accept(e.Name()) {
				stray = e.Name()
			}
		case part == "":
			others = append(others, e.Name())
		case found[part] != "":
			return nil, nil, false, fmt.Errorf("folders %s and %s both mean %s; merge them", found[part], e.Name(), part)
		default:
			found[part] = e.Name()
		}
	}
	if len(found) == 0 {
		return []string{"."}, nil, true, nil
	}
	if stray != "" {
		return nil, nil, false, fmt.Errorf("%s stands outside of the class folders; move it into one of them", sample.Printable(stray))
	}
	if found["train"] == "" {
		return nil, nil, false, fmt.Errorf("there is a folder %s and no folder train; expected train/CLASS/… and test/CLASS/…, or CLASS/… alone", cmp.Or(found["test"], found["valid"]))
	}
	for _, dir := range others {
		if files, _ := c.files(dir); len(files) > 0 {
			return nil, nil, false, fmt.Errorf("folder %s with %s stands beside %s; move it into train or test, or away", sample.Printable(dir), c.Many, found["train"])
		}
	}
	train = []string{found["train"]}
	switch {
	case found["valid"] == "":
	case found["test"] == "":
		found["test"] = found["valid"]
	case c.Valid == ValidUnsaid:
		return nil, nil, false, fmt.Errorf("there are folders %s, %s and %s; say val: join to add the second to the training samples, of which a run draws its own validation share, or val: leave-out", found["train"], found["valid"], found["test"])
	case c.Valid == ValidJoin:
		train = append(train, found["valid"])
	}
	if found["test"] != "" {
		test = []string{found["test"]}
	}
	return train, test, false, nil
}

func isDir(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && info.IsDir()
}

// classes are the names of the class folders in all splits.
func (c ClassFolders) classes(splits []string) ([]string, error) {
	var found []string
	stray := ""
	for _, split := range splits {
		entries, err := visible(c.FS, split)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			switch at := path.Join(split, e.Name()); {
			case isDir(c.FS, at):
				found = append(found, e.Name())
			case c.Accept(e.Name()):
				stray = at
			}
		}
	}
	slices.Sort(found)
	found = slices.Compact(found)
	classes := c.Classes
	if classes == nil {
		var err error
		if classes, err = SortClasses(found); err != nil {
			return nil, err
		}
	}
	for i, name := range c.Classes {
		if slices.Contains(c.Classes[:i], name) {
			return nil, fmt.Errorf("class %q is named twice in classes; name it once", name)
		}
	}
	for _, name := range found {
		if !slices.Contains(classes, name) {
			return nil, fmt.Errorf("class folder %s is none of the classes %s; remove it, or name it in classes", sample.Printable(name), Names(classes))
		}
	}
	if n := len(classes); n < 2 || n > sample.MaxClasses {
		return nil, fmt.Errorf("found %d class folders, expected 2 to %d: train/CLASS/… and test/CLASS/… with %ss, or CLASS/… alone", n, sample.MaxClasses, c.What)
	}
	if stray != "" {
		return nil, fmt.Errorf("%s stands outside of the class folders; move it into one of them", sample.Printable(stray))
	}
	for _, name := range classes {
		if err := sample.CheckName(name); err != nil {
			return nil, fmt.Errorf("class folder: %w", err)
		}
	}
	return classes, nil
}

// Names is a list of names as a message shows it.
func Names(list []string) string {
	const most = 20
	if len(list) > most {
		return sample.Printable(strings.Join(list[:most], ", ")) + fmt.Sprintf(" and %d more", len(list)-most)
	}
	return sample.Printable(strings.Join(list, ", "))
}

// members are the files of a split, in turn of the classes.
func (c ClassFolders) members(split string, classes []string) (all []Member, err error) {
	byClass := make([][]string, len(classes))
	most := 0
	for class, name := range classes {
		if byClass[class], err = c.files(path.Join(split, name)); err != nil {
			return nil, err
		}
		most = max(most, len(byClass[class]))
	}
	for i := range most {
		for class, files := range byClass {
			if i < len(files) {
				all = append(all, Member{files[i], class})
			}
		}
	}
	return all, nil
}

func (c ClassFolders) files(dir string) (all []string, err error) {
	entries, err := visible(c.FS, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		at := path.Join(dir, e.Name())
		if !c.Accept(e.Name()) {
			return nil, fmt.Errorf("%s is no %s; convert it, or move it out of the class folder", sample.Printable(at), c.What)
		}
		all = append(all, at)
	}
	return all, nil
}

// SortClasses is names of classes in the order of their numbers: of numbers where all
// are numbers, else of the alphabet. Two ways to write one number are an error.
func SortClasses(names []string) ([]string, error) {
	values := make(map[string]float64, len(names))
	for _, name := range names {
		v, err := strconv.ParseFloat(name, 64)
		if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
			out := slices.Clone(names)
			slices.Sort(out)
			return out, nil
		}
		values[name] = v
	}
	out := slices.Clone(names)
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(values[a], values[b]), cmp.Compare(a, b)) })
	for i := 1; i < len(out); i++ {
		if values[out[i]] == values[out[i-1]] && out[i] != out[i-1] {
			return nil, fmt.Errorf("classes %q and %q are one number written in two ways; write it in one", out[i-1], out[i])
		}
	}
	return out, nil
}

// Members is files with classes as the part of a source that needs no decoding: what
// is missing are Spec and Read.
type Members struct {
	FS   fs.FS
	Name string // of the tree, for messages
	List []Member
}

// Len is the number of files.
func (m Members) Len() int { return len(m.List) }

// Index is i.
func (m Members) Index(i int) int { return i }

// Origin is the path of a file.
func (m Members) Origin(i int) string {
	return sample.Printable(m.Name + ": " + m.List[i].Path)
}

// Target is the class of a file.
func (m Members) Target(i, _ int) (sample.Target, error) {
	return sample.Target{Class: m.List[i].Class}, nil
}

// Each runs f for the numbers from 0 to n, beside one another, and returns the error
// of the first that has one; a panic of a decoder is one. It ends early with the
// context.
func Each(ctx context.Context, n int, f func(i int) error) error {
	pool := par.New(0)
	defer pool.Close()
	errs := make([]error, n)
	pool.For(n, 16, func(_, lo, hi int) {
		for i := lo; i < hi && ctx.Err() == nil; i++ {
			errs[i] = guarded(i, f)
		}
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func guarded(i int, f func(i int) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("file %d could not be decoded: %v", i, v)
		}
	}()
	return f(i)
}
