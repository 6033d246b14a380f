package npz

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"synfire/internal/limit"
	"synfire/internal/magic"
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

// array is the array of elements as they are in the file, which it takes over.
func (i Info) array(elements []byte) Array {
	i.Native(elements)
	if i.Fortran && len(i.Shape) > 1 {
		rowMajor(elements, i.dtype.size, i.Shape)
	}
	return Array{DType: i.DType, Shape: i.Shape, Data: elements}
}

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
		head := make([]byte, min(size, magic.Bytes))
		n, _ := r.ReadAt(head, 0) // what there is tells what it is
		return nil, fmt.Errorf("npz: not an NPZ archive: the file is %s: %w; make one with numpy.savez", magic.Found(head[:n]), err)
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
func (e Entry) Read() (b []byte, err error) {
	err = e.open(func(r io.Reader) error {
		b, err = limit.ReadDeclared(r, e.Bytes)
		return err
	})
	return b, err
}

// Array reads the array.
func (e Entry) Array() (Array, error) {
	b, err := e.Read()
	if err != nil {
		return Array{}, err
	}
	return e.Info.array(b), nil
}

// Float64s reads the elements as numbers, row-major, without holding the bytes that
// they are made of.
func (e Entry) Float64s() (v []float64, err error) {
	get := e.dtype.float()
	if get == nil {
		return nil, fmt.Errorf("npz: array %q holds strings (%s), expected numbers", e.Name, e.DType)
	}
	size := e.ItemSize()
	var b []byte
	err = e.open(func(r io.Reader) error {
		v, err = limit.Collect(e.Bytes/int64(size), func(piece []float64) (int, error) {
			b = slices.Grow(b[:0], len(piece)*size)[:len(piece)*size]
			n, err := io.ReadFull(r, b)
			e.Native(b[:n])
			for i := range n / size {
				piece[i] = get(b[i*size:])
			}
			return n / size, err
		})
		if err == nil {
			_, err = limit.ReadDeclared(r, 0)
		}
		return err
	})
	if err == nil && e.Fortran {
		rowMajor(v, 1, e.Shape)
	}
	return v, err
}

// open passes what follows the header to read, which goes to the end, where the
// checksum is compared.
func (e Entry) open(read func(io.Reader) error) error {
	r, err := e.file.Open()
	if err != nil {
		return fmt.Errorf("npz: array %q: %w", e.Name, err)
	}
	defer r.Close()
	if _, err = io.CopyN(io.Discard, r, e.Header); err == nil {
		err = read(r)
	}
	var over *limit.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &over):
		err = fmt.Errorf("trailing bytes after the %d that shape %v of %s takes; save the array again", e.Bytes, e.Shape, e.DType)
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("truncated: shape %v of %s takes %d bytes; save the array again: %w", e.Shape, e.DType, e.Bytes, err)
	}
	return fmt.Errorf("npz: array %q: %w", e.Name, err)
}
