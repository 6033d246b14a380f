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
	return readFile(path, func(read section, size int64) (*decoded, error) {
		d, err := decode(read, size, lim)
		if err == nil {
			err = d.verify()
		}
		if errors.Is(err, ErrNoSum) {
			err = nil
		}
		return d, err
	})
}

// ReadFileHeader is ReadFile without the elements: Data is nil in all arrays, and
// the checksum is not verified.
func ReadFileHeader(path string, lim Limits) (File, error) {
	return readFile(path, func(read section, size int64) (*decoded, error) {
		return decodeHeader(read, size, lim)
	})
}

func readFile(path string, decode func(section, int64) (*decoded, error)) (File, error) {
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
	d, err := decode(readerAt(file), info.Size())
	if err != nil {
		return File{}, fmt.Errorf("read %s: %w", path, err)
	}
	return d.file(), nil
}

// WriteFileAtomic writes f with its checksum to path. A reader sees the old
// file or the new one, and on failure the old one is untouched.
func WriteFileAtomic(path string, f File) error {
	return atomicfile.Write(path, func(w io.Writer) error { return EncodeSummed(w, f) })
}
