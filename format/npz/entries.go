package npz

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Info is what an NPY file says before its elements.
type Info struct {
	DType   string // as that of an Array
	Shape   []int
	Fortran bool  // the first index varies fastest
	Bytes   int64 // of all elements
	Header  int64 // bytes before the first element

	dtype dtype
}

// ItemSize is the number of bytes of an element.
func (i Info) ItemSize() int { return i.dtype.size }

// Native turns elements as they stand in the file into little-endian ones, in place.
func (i Info) Native(elements []byte) {
	if i.dtype.big {
		swap(elements, i.dtype)
	}
}

// ReadInfo reads the beginning of an NPY file and stops before its elements.
func ReadInfo(r io.Reader) (Info, error) {
	counted := &counter{r: r}
	h, err := readHeader(counted)
	if err != nil {
		return Info{}, fmt.Errorf("npz: %w", err)
	}
	size, err := byteLen(h.dtype, h.shape, 1<<62)
	if err != nil {
		return Info{}, fmt.Errorf("npz: %w", err)
	}
	return Info{DType: h.dtype.name(), Shape: h.shape, Fortran: h.fortran, Bytes: size, Header: counted.n, dtype: h.dtype}, nil
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// Entry is an array of an NPZ archive that was not read.
type Entry struct {
	Name string
	Info
	// Offset is the place in the archive of the first element of an array that is
	// stored without compression; −1 where it is compressed.
	Offset int64

	file *zip.File
}

// maxRatio is the most that the compression of zip files can shrink bytes to.
const maxRatio = 1032

// Entries lists the arrays of an archive of size bytes; of each its header is read
// alone. Entries that are no arrays are passed over. An array that declares more
// elements than its part of the archive can hold is an error.
func Entries(r io.ReaderAt, size int64) ([]Entry, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("npz: not an NPZ archive: %w; make one with numpy.savez", err)
	}
	var all []Entry
	seen := map[string]bool{}
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, suffix)
		if !ok {
			continue
		}
		if seen[name] {
			return nil, fmt.Errorf("npz: the archive has two arrays named %q", name)
		}
		seen[name] = true
		e, err := entry(f)
		if err != nil {
			return nil, fmt.Errorf("npz: array %q: %w", name, err)
		}
		e.Name = name
		all = append(all, e)
	}
	if len(all) == 0 {
		return nil, errors.New("npz: the archive holds no arrays; make it with numpy.savez(FILE, x=…, y=…)")
	}
	return all, nil
}

func entry(f *zip.File) (Entry, error) {
	e := Entry{Offset: -1, file: f}
	r, err := f.Open()
	if err != nil {
		return e, err
	}
	defer r.Close()
	if e.Info, err = ReadInfo(r); err != nil {
		return e, err
	}
	stored := f.Method == zip.Store
	holds := int64(f.CompressedSize64)
	if !stored {
		holds = min(holds, 1<<50) * maxRatio
	}
	if whole := e.Header + e.Bytes; whole > holds || stored && whole != holds {
		return e, fmt.Errorf("shape %v of %s takes %d bytes, which %d bytes of the archive do not hold; save the array again", e.Shape, e.DType, e.Bytes, f.CompressedSize64)
	}
	if !stored {
		return e, nil
	}
	at, err := f.DataOffset()
	e.Offset = at + e.Header
	return e, err
}

// Read reads the elements as they stand in the file, which Native and Fortran say how
// to understand, into memory of Bytes bytes and no more. Their checksum is checked.
func (e Entry) Read() ([]byte, error) {
	r, err := e.file.Open()
	if err != nil {
		return nil, fmt.Errorf("npz: array %q: %w", e.Name, err)
	}
	defer r.Close()
	b := make([]byte, e.Bytes)
	if _, err = io.CopyN(io.Discard, r, e.Header); err == nil {
		_, err = io.ReadFull(r, b)
	}
	if err == nil {
		switch _, err = io.ReadFull(r, make([]byte, 1)); err { // the end, where the checksum is compared
		case nil:
			err = errors.New("trailing bytes after the elements; save the array again")
		case io.EOF:
			err = nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("npz: array %q: %w", e.Name, err)
	}
	return b, nil
}
