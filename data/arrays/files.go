package arrays

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"synfire/format/npz"
	"synfire/format/safetensors"
	"synfire/sample"
)

// maxHeader is how long the header of a safetensors file may be, in bytes.
const maxHeader = 64 << 20

// dtypes are the element types of safetensors as npz names them.
var dtypes = map[string]string{
	"BOOL": "|b1", "U8": "|u1", "I8": "|i1", "U16": "<u2", "I16": "<i2", "F16": "<f2",
	"U32": "<u4", "I32": "<i4", "F32": "<f4", "U64": "<u8", "I64": "<i8", "F64": "<f8",
}

// open finds the arrays of a file, or of a folder of NPY files, without reading them.
func open(path string) (map[string]*column, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return openFolder(path)
	}
	f, err := os.Open(path) // closed when no column refers to it any more
	if err != nil {
		return nil, err
	}
	columns, err := openFile(f, info.Size())
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return columns, nil
}

// openFile finds the arrays of a file, which the first bytes tell the format of.
func openFile(f io.ReaderAt, size int64) (map[string]*column, error) {
	start := make([]byte, 9)
	n, err := f.ReadAt(start, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch start = start[:n]; {
	case strings.HasPrefix(string(start), "\x93NUMPY"):
		return openNPY(f, size, "x")
	case strings.HasPrefix(string(start), "PK"):
		return openNPZ(f, size)
	case n == 9 && start[8] == '{':
		return openSafetensors(f, size)
	}
	return nil, fmt.Errorf("neither an NPZ, an NPY nor a safetensors file: it begins with %q", start)
}

// openFolder finds NPY files; each is an array that has the file's name.
func openFolder(path string) (map[string]*column, error) {
	files, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	all := map[string]*column{}
	for _, e := range files {
		name, ok := strings.CutSuffix(e.Name(), ".npy")
		if !ok || strings.HasPrefix(name, ".") {
			continue
		}
		at := filepath.Join(path, e.Name())
		info, err := os.Stat(at)
		if err != nil {
			return nil, err
		}
		f, err := os.Open(at)
		if err != nil {
			return nil, err
		}
		columns, err := openNPY(f, info.Size(), name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", sample.Printable(e.Name()), err)
		}
		all[name] = columns[name]
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("the folder has no NPY files; expected x.npy and y.npy, or x_train.npy, y_train.npy, x_test.npy and y_test.npy")
	}
	return all, nil
}

func openNPY(f io.ReaderAt, size int64, name string) (map[string]*column, error) {
	info, err := npz.ReadInfo(io.NewSectionReader(f, 0, size))
	if err != nil {
		return nil, err
	}
	if have := size - info.Header; have != info.Bytes {
		return nil, fmt.Errorf("shape %v of %s takes %d bytes, the file has %d; save the array again", info.Shape, info.DType, info.Bytes, have)
	}
	return map[string]*column{name: fromInfo(name, info, f, info.Header)}, nil
}

func openNPZ(f io.ReaderAt, size int64) (map[string]*column, error) {
	entries, err := npz.Entries(f, size)
	if err != nil {
		return nil, err
	}
	all := map[string]*column{}
	for _, e := range entries {
		c := fromInfo(e.Name, e.Info, f, e.Offset)
		if e.Offset < 0 {
			c.load = e.Read
		}
		all[e.Name] = c
	}
	return all, nil
}

func fromInfo(name string, info npz.Info, f io.ReaderAt, offset int64) *column {
	return &column{
		name: sample.Printable(name), dtype: info.DType, shape: info.Shape, item: info.ItemSize(),
		fortran: info.Fortran && len(info.Shape) > 1, native: info.Native, at: f, offset: offset,
	}
}

func openSafetensors(f io.ReaderAt, size int64) (map[string]*column, error) {
	places, err := safetensors.Index(f, size, safetensors.Limits{HeaderBytes: maxHeader})
	if err != nil {
		return nil, err
	}
	all := map[string]*column{}
	for name, p := range places {
		dtype, known := dtypes[p.DType]
		if !known {
			dtype = p.DType // an error where the array is used
		}
		c := &column{name: sample.Printable(name), dtype: dtype, shape: p.Shape, at: f, offset: p.Offset}
		if n := int64(npz.Array{Shape: p.Shape}.Len()); n > 0 {
			c.item = int(p.Bytes / n)
		}
		all[name] = c
	}
	return all, nil
}
