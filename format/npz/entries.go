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

// InfoOf is the description of elements of a type, in C's order.
func InfoOf(dtype string, shape []int) (Info, error) {
	d, err := parseDType(dtype)
	if err != nil {
		return Info{}, fmt.Errorf("npz: %w", err)
	}
	size, err := byteLen(d, shape, 1<<62)
	if err != nil {
		return Info{}, fmt.Errorf("npz: %w", err)
	}
	return Info{DType: d.name(), Shape: shape, Bytes: size, dtype: d}, nil
}

// Float64s reads the elements, which are all of r, as numbers, row-major, without
// holding the bytes that they are made of.
func (i Info) Float64s(r io.Reader) ([]float64, error) {
	get := i.dtype.float()
	if get == nil {
		return nil, fmt.Errorf("the array holds strings (%s), expected numbers", i.DType)
	}
	return elements(i, r, get)
}

// elements reads all of r by get.
func elements[T any](i Info, r io.Reader, get func([]byte) T) ([]T, error) {
	next := pieces(i, r, get)
	v, err := limit.Collect(i.Bytes/int64(i.dtype.size), next)
	if err == nil {
		_, err = limit.ReadDeclared(r, 0)
	}
	if err == nil && i.Fortran {
		rowMajor(v, 1, i.Shape)
	}
	return v, err
}

// pieces fills a piece with the next elements of r, by a buffer of its bytes.
func pieces[T any](i Info, r io.Reader, get func([]byte) T) func(piece []T) (int, error) {
	size := i.dtype.size
	var b []byte
	return func(piece []T) (int, error) {
		b = slices.Grow(b[:0], len(piece)*size)[:len(piece)*size]
		n, err := io.ReadFull(r, b)
		i.Native(b[:n])
		for k := range n / size {
			piece[k] = get(b[k*size:])
		}
		return n / size, err
	}
}

// Each reads the elements from r as numbers and passes them to take, in pieces as they
// stand in the file; of strings nothing. The piece is taken back afterwards.
func (i Info) Each(r io.Reader, take func(piece []float64) error) error {
	get := i.dtype.float()
	if get == nil {
		return nil
	}
	next, buf := pieces(i, r, get), make([]float64, 1<<13)
	for left := i.Bytes / int64(i.dtype.size); left > 0; {
		piece := buf[:min(left, int64(len(buf)))]
		n, err := next(piece)
		if err == nil {
			err = take(piece)
		}
		if err != nil {
			return err
		}
		left -= int64(n)
	}
	return nil
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
	err = e.open(func(r io.Reader) error {
		v, err = e.Info.Float64s(r)
		return err
	})
	return v, err
}

// Int64s reads the elements as Array.Int64s does, without holding the bytes that they
// are made of.
func (e Entry) Int64s() (v []int64, err error) {
	get := e.dtype.int()
	if get == nil || e.dtype.class == 'u' && e.dtype.size == 8 {
		a, err := e.Array()
		if err != nil {
			return nil, err
		}
		return a.Int64s()
	}
	err = e.open(func(r io.Reader) error {
		v, err = elements(e.Info, r, get)
		return err
	})
	return v, err
}

// Strings reads the elements as Array.Strings does.
func (e Entry) Strings() ([]string, error) {
	if e.dtype.class != 'U' && e.dtype.class != 'S' {
		return nil, fmt.Errorf("npz: array %q holds %s, expected strings", e.Name, e.DType)
	}
	a, err := e.Array()
	if err != nil {
		return nil, err
	}
	return a.Strings()
}

// Each passes the elements as numbers to take, in pieces as they stand in the file; of
// strings nothing. The piece is taken back afterwards.
func (e Entry) Each(take func(piece []float64) error) error {
	if e.dtype.float() == nil {
		return nil
	}
	return e.open(func(r io.Reader) error {
		if err := e.Info.Each(r, take); err != nil {
			return err
		}
		_, err := limit.ReadDeclared(r, 0)
		return err
	})
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
