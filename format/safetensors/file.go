package safetensors

import (
	"errors"
	"fmt"
	"io"
	"os"

	"synfire/internal/atomicfile"
)

// ReadFile reads the file at path and, where it carries a checksum, verifies
// it. Whether it does shows in Meta[SumKey]. A file whose "sha256" means
// something else can be read with Decode.
func ReadFile(path string, lim Limits) (File, error) {
	file, err := os.Open(path)
	if err != nil {
		return File{}, fmt.Errorf("safetensors: %w (check the path)", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return File{}, fmt.Errorf("safetensors: %w", err)
	}
	if !info.Mode().IsRegular() {
		return File{}, fmt.Errorf("safetensors: read %s: not a regular file; name a .safetensors file", path)
	}
	d, err := decode(readerAt(file), info.Size(), lim)
	if err == nil {
		err = d.verify()
	}
	if err != nil && !errors.Is(err, ErrNoSum) {
		return File{}, fmt.Errorf("read %s: %w", path, err)
	}
	return d.file(), nil
}

// WriteFileAtomic writes f with its checksum to path. A reader sees the old
// file or the new one, and on failure the old one is untouched.
func WriteFileAtomic(path string, f File) error {
	return atomicfile.Write(path, func(w io.Writer) error { return EncodeSummed(w, f) })
}
