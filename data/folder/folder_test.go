package folder_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"synfire/data"
	"synfire/data/folder"
	"synfire/internal/shared"
	"synfire/sample"
	"synfire/snntest"
	"synfire/tensor"
)

// grey is a PNG file of one value.
func grey(t testing.TB, w, h int, v uint8) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = v
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// write makes a folder of files.
func write(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, b, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// pack makes a zip file.
func pack(t testing.TB, files map[string][]byte) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range files {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	at := filepath.Join(t.TempDir(), "pets.zip")
	if err := errors.Join(z.Close(), os.WriteFile(at, b.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
	return at
}

// read is the samples of a source one after another, and their origins.
func read(t testing.TB, src sample.Source) (values [][]tensor.Float, classes []int) {
	t.Helper()
	for i := range src.Len() {
		s := sample.Sample{X: make([]tensor.Float, src.Spec().Size())}
		if err := src.Read(t.Context(), i, &s); err != nil {
			t.Fatal(err)
		}
		target, err := src.Target(i, 0)
		if err != nil || target.Class != s.Targets[0].Class {
			t.Fatalf("target %v, read %v, %v", target, s.Targets, err)
		}
		values, classes = append(values, s.X), append(classes, target.Class)
	}
	return values, classes
}

func TestLayouts(t *testing.T) {
	a, b, c := grey(t, 2, 1, 0), grey(t, 2, 1, 51), grey(t, 2, 1, 255)
	for name, files := range map[string]map[string][]byte{
		"plain":       {"train/a/1.png": a, "train/b/1.png": b, "test/b/2.png": c},
		"capitals":    {"Train/a/1.png": a, "Train/b/1.png": b, "TEST/b/2.png": c},
		"val":         {"train/a/1.png": a, "train/b/1.png": b, "val/b/2.png": c},
		"Valid":       {"train/a/1.png": a, "train/b/1.png": b, "Valid/b/2.png": c},
		"one root":    {"pets/train/a/1.png": a, "pets/train/b/1.png": b, "pets/test/b/2.png": c},
		"leftovers":   {"train/a/1.png": a, "train/b/1.png": b, "test/b/2.png": c, "__MACOSX/train/a/._1.png": {1}, ".DS_Store": {1}, "train/.DS_Store": {1}, "train/a/.DS_Store": {1}, "train/a/Thumbs.db": {1}},
		"root, MACOS": {"pets/train/a/1.png": a, "pets/train/b/1.png": b, "pets/test/b/2.png": c, "__MACOSX/pets/._x": {1}, "pets/.DS_Store": {1}},
	} {
		for form, at := range map[string]string{"folder": write(t, files), "zip": pack(t, files)} {
			for _, memory := range []data.Memory{data.MemoryAuto, data.MemoryYes, data.MemoryNo} {
				train, test, err := folder.Images{Path: at, Memory: memory}.Open(t.Context(), data.Options{})
				if err != nil || test == nil {
					t.Errorf("%s as a %s: %v", name, form, err)
					continue
				}
				snntest.Source(t, train)
				x, y := read(t, train)
				z, k := read(t, test)
				if !slices.Equal(y, []int{0, 1}) || !slices.Equal(k, []int{1}) || x[0][0] != 0 || x[1][1] != tensor.Float(0.2) || z[0][0] != 1 {
					t.Errorf("%s as a %s: %v %v and %v %v", name, form, x, y, z, k)
				}
				if o := test.Origin(0); !strings.HasSuffix(o, "b/2.png") || !strings.HasPrefix(o, at) {
					t.Errorf("origin %s", o)
				}
			}
		}
	}
}

func TestThreeFolders(t *testing.T) {
	a, b, c := grey(t, 2, 1, 0), grey(t, 2, 1, 51), grey(t, 2, 1, 255)
	m := folder.Images{Path: write(t, map[string][]byte{"train/a/1.png": a, "train/b/1.png": b, "val/a/3.png": c, "test/b/2.png": c})}
	_, _, err := m.Open(t.Context(), data.Options{})
	if err == nil || !strings.Contains(err.Error(), "val: join") {
		t.Errorf("train, val and test: %v", err)
	}
	for choice, want := range map[data.Valid]int{data.ValidJoin: 3, data.ValidLeave: 2} {
		m.Val = choice
		train, test, err := m.Open(t.Context(), data.Options{})
		if err != nil || train.Len() != want || test.Len() != 1 {
			t.Errorf("%v: %v", choice, err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	a := grey(t, 2, 1, 0)
	for want, files := range map[string]map[string][]byte{
		"both mean train":        {"train/a/1.png": a, "Train/b/1.png": a},
		"no folder train":        {"test/a/1.png": a, "test/b/1.png": a},
		"stands beside":          {"train/a/1.png": a, "train/b/1.png": a, "c/1.png": a},
		"outside of the class":   {"train/a/1.png": a, "train/b/1.png": a, "train/1.png": a},
		"1.png stands outside":   {"train/a/1.png": a, "train/b/1.png": a, "test/a/1.png": a, "1.png": a}, // beside train: it was dropped
		"no images":              {"train/a/1.png": a, "train/b/1.png": a, "test/a/.x": a},
		"written in two ways":    {"1/1.png": a, "1.0/1.png": a},
		"control character":      {"a\x1b[31m/1.png": a, "b/1.png": a},
		"\"\\u202egnp\" has a c": {"\u202egnp/1.png": a, "b/1.png": a},
	} {
		_, _, err := folder.Images{Path: write(t, files)}.Open(t.Context(), data.Options{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\x1b\u202e") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	_, _, twice := folder.Images{Path: write(t, map[string][]byte{"a/1.png": a, "b/1.png": a}), Classes: []string{"a", "a", "b"}}.Open(t.Context(), data.Options{})
	if twice == nil || !strings.Contains(twice.Error(), "named twice") {
		t.Errorf("a class named twice: %v", twice)
	}
	for _, name := range []string{"../a/1.png", "/a/1.png", `a\..\..\1.png`, "a/../../1.png"} {
		_, _, err := folder.Images{Path: pack(t, map[string][]byte{name: a, "b/1.png": a})}.Open(t.Context(), data.Options{})
		if err == nil || !strings.Contains(err.Error(), "leads out of the zip file") {
			t.Errorf("zip with %s: %v", name, err)
		}
	}
	_, _, err := folder.Images{Path: "absent"}.Open(t.Context(), data.Options{})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	for want, m := range map[string]folder.Images{"no path": {}, "size is [1]": {Path: "x", Size: []int{1}}, "size is [0 1]": {Path: "x", Size: []int{0, 1}}, "2 channels": {Path: "x", Channels: 2}} {
		if err := m.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// Class folders that are numbers come in the order of numbers.
func TestNumberedFolders(t *testing.T) {
	a := grey(t, 1, 1, 0)
	train, _, err := folder.Images{Path: write(t, map[string][]byte{"10/1.png": a, "2/1.png": a, "1/1.png": a})}.Open(t.Context(), data.Options{})
	if err != nil || !slices.Equal(train.Spec().Targets[0].Classes, []string{"1", "2", "10"}) {
		t.Errorf("%v, %v", train, err)
	}
}

// A photograph is turned as its Exif orientation says: bright on the right.
func TestExif(t *testing.T) {
	b, err := os.ReadFile(shared.File(t, "cases/exif6.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	at := write(t, map[string][]byte{"a/1.jpg": b, "b/1.jpg": b})
	for _, memory := range []data.Memory{data.MemoryYes, data.MemoryNo} {
		train, _, err := folder.Images{Path: at, Memory: memory, Channels: 1}.Open(t.Context(), data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		x, _ := read(t, train)
		h, w := train.Spec().Shape[0], train.Spec().Shape[1]
		left, right := tensor.Float(0), tensor.Float(0)
		for y := range h {
			for c := range w / 2 {
				left, right = left+x[0][y*w+c], right+x[0][y*w+w-1-c]
			}
		}
		if right < 2*left {
			t.Errorf("%d×%d: left %v, right %v, want it bright on the right", h, w, left, right)
		}
	}
}

// An image that became damaged is an error of its sample, which names the file.
func TestReadErrors(t *testing.T) {
	at := write(t, map[string][]byte{"a/1.png": grey(t, 2, 2, 9), "b/1.png": grey(t, 2, 2, 9)})
	m := folder.Images{Path: at, Size: []int{2, 2}, Channels: 1, Memory: data.MemoryNo}
	train, _, err := m.Open(t.Context(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := sample.Sample{X: make([]tensor.Float, 4)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := train.Read(ctx, 0, &s); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := os.WriteFile(filepath.Join(at, "b", "1.png"), []byte("no"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := train.Read(t.Context(), 1, &s); err == nil || !strings.Contains(err.Error(), at+": b/1.png: the image cannot be decoded") {
		t.Errorf("damaged: %v", err)
	}
	m.Memory = data.MemoryYes
	if _, _, err := m.Open(t.Context(), data.Options{}); err == nil || !strings.Contains(err.Error(), "b/1.png") {
		t.Errorf("damaged, held: %v", err)
	}
}

// A folder that is larger than what is held walks in constant memory, and decoding
// ahead and beside gives the same batches.
func TestConstantMemory(t *testing.T) {
	const files, side = 192, 256 // 50 MB as batches of floats, decoded
	content := map[string][]byte{}
	for i := range files {
		content[fmt.Sprintf("%c/%03d.png", 'a'+i%2, i)] = grey(t, side, side, uint8(i))
	}
	at := write(t, content)
	train, _, err := folder.Images{Path: at, Memory: data.MemoryNo}.Open(t.Context(), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cursor := func(ahead int) *data.Cursor {
		c, err := data.NewCursor(train, data.CursorOptions{Batch: 4, Shuffle: true, Seed: 1, Prefetch: ahead})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	one, other := cursor(0), cursor(2)
	var a, b sample.Batch
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var most uint64
	for n := 0; ; n++ {
		more, err := one.Next(t.Context(), &a)
		also, err2 := other.Next(t.Context(), &b)
		if err := errors.Join(err, err2); err != nil || more != also {
			t.Fatal(err)
		}
		if !more {
			break
		}
		if !slices.Equal(a.X, b.X) || !slices.Equal(a.Index, b.Index) || !slices.Equal(a.Targets[0].Class, b.Targets[0].Class) {
			t.Fatalf("batch %d differs when it is decoded ahead", n)
		}
		runtime.GC()
		runtime.ReadMemStats(&now)
		most = max(most, now.HeapAlloc)
	}
	// Seven batches of 1 MiB are on their way at most, in either precision twice that.
	if grown := int64(most) - int64(before.HeapAlloc); grown > 24<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}

func Example() {
	red := image.NewRGBA(image.Rect(0, 0, 1, 1))
	red.Set(0, 0, color.RGBA{255, 0, 0, 255})
	dir, err := os.MkdirTemp("", "pets")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for _, class := range []string{"cat", "dog"} {
		var b bytes.Buffer
		if err := errors.Join(png.Encode(&b, red), os.Mkdir(filepath.Join(dir, class), 0o755), os.WriteFile(filepath.Join(dir, class, "1.png"), b.Bytes(), 0o644)); err != nil {
			fmt.Println(err)
			return
		}
	}
	train, test, err := folder.Images{Path: dir}.Open(context.Background(), data.Options{})
	fmt.Println(train.Len(), train.Spec(), train.Spec().Targets[0].Classes, test, err)
	// Output: 2 1×1×3 [cat dog] <nil> <nil>
}

// A picture beside the one folder of a zip file was left out.
func TestPictureBesideTheRoot(t *testing.T) {
	a := grey(t, 2, 1, 0)
	for want, files := range map[string]map[string][]byte{
		"1.png stands beside the folder set,":          {"set/a/1.png": a, "set/b/1.png": a, "1.png": a},
		"set/1.JPG stands beside the folder set/deep,": {"set/deep/a/1.png": a, "set/deep/b/1.png": a, "set/1.JPG": a, "LICENSE": a},
	} {
		for _, at := range []string{pack(t, files), write(t, files)} {
			if _, _, err := (folder.Images{Path: at}).Open(t.Context(), data.Options{}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		}
	}
	whole := pack(t, map[string][]byte{"set/a/1.png": a, "set/b/1.png": a, "LICENSE": a, "._1.png": a})
	src, _, err := folder.Images{Path: whole}.Open(t.Context(), data.Options{})
	if err != nil || src.Len() != 2 {
		t.Errorf("a licence beside it: %v", err)
	}
}
