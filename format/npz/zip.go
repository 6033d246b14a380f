package npz

import (
	"archive/zip"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

// suffix is what an array's name carries in the archive.
const suffix = ".npy"

// Read reads the arrays of an NPZ archive of size bytes, by name. Together they may
// have max bytes; max ≤ 0 means DefaultMax. Entries that are no arrays are passed
// over.
func Read(r io.ReaderAt, size, max int64) (map[string]Array, error) {
	if max <= 0 {
		max = DefaultMax
	}
	entries, err := Entries(r, size)
	if err != nil {
		return nil, err
	}
	if err := Permitted(entries, max); err != nil {
		return nil, err
	}
	arrays := map[string]Array{}
	for _, e := range entries {
		if arrays[e.Name], err = e.Array(); err != nil {
			return nil, err
		}
	}
	return arrays, nil
}

// Permitted is an error where arrays take more than max bytes together.
func Permitted(entries []Entry, max int64) error {
	left := max
	for _, e := range entries {
		if e.Bytes > left {
			others := ""
			if left < max {
				others = fmt.Sprintf(" that the arrays before it leave of %d", max)
			}
			return fmt.Errorf("npz: array %q: shape %v of %s takes %d bytes, more than the permitted %d%s", e.Name, e.Shape, e.DType, e.Bytes, left, others)
		}
		left -= e.Bytes
	}
	return nil
}

// ReadFile reads the arrays of the NPZ file at path; see Read.
func ReadFile(path string, max int64) (map[string]Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("npz: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("npz: %w", err)
	}
	arrays, err := Read(f, info.Size(), max)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return arrays, nil
}

// Write writes an NPZ archive of the arrays, compressed, in the order of their names:
// equal arrays give equal bytes.
func Write(w io.Writer, arrays map[string]Array) error {
	z := zip.NewWriter(w)
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		entry, err := z.CreateHeader(&zip.FileHeader{Name: name + suffix, Method: zip.Deflate})
		if err != nil {
			return fmt.Errorf("npz: write array %q: %w", name, err)
		}
		if err := WriteNPY(entry, arrays[name]); err != nil {
			return fmt.Errorf("array %q: %w", name, err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("npz: write: %w", err)
	}
	return nil
}
