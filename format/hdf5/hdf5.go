// Package hdf5 reads and writes HDF5 files in the layout that its library and h5py write
// unless told otherwise: networks in NIR, the Spiking Heidelberg Digits.
//
// A file is a tree of groups and data sets with attributes. Its pieces are, by the names
// of the format's specification (The HDF Group, HDF5 File Format Specification 3.0):
//
//	superblock       version 0 or 1; before it may stand a user block of 512, 1024, … bytes
//	object headers   version 1, in several blocks where they grew
//	groups           symbol tables: a B-tree of version 1, tables of 8 names, a local heap
//	data spaces      scalar, up to 32 dimensions, or null
//	data types       little-endian integers and IEEE numbers of 16, 32 and 64 bits, enumerations
//	                 (h5py's bool is one), strings of fixed and variable length, sequences of
//	                 variable length of numbers
//	storage          compact, contiguous, chunked by a B-tree of version 1; what was never
//	                 written is the fill value
//	filters          shuffle, deflate, Fletcher-32
//	attributes       versions 1 to 3
//
// What else a file may have is refused by its name: superblocks 2 and 3 and groups of the new
// style, szip, LZF and other filters, references, compounds, external files, soft links. Where
// the structure can be read nonetheless, only what is refused cannot: Open lists the data set,
// its elements are an error.
//
// Open reads headers alone and no elements. Nothing in a file is trusted: each size is compared
// with the file's before memory is taken, the bytes of all headers together are bounded by
// twice the file's, so that nothing can overlap or run in circles for long, and a chunk
// inflates to its own size or is an error.
//
// Write lays a tree out as superblock 0 with contiguous data sets.
package hdf5

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"synfire/internal/limit"
	"synfire/internal/magic"
)

const signature = "\x89HDF\r\n\x1a\n"

// undefined is the address of what has not been written.
const undefined = ^uint64(0)

// Limits bounds what a reader accepts. Zero values stand for the defaults.
type Limits struct {
	Objects int   // groups, data sets and links of a file; default 100,000
	Bytes   int64 // of one array, as it is returned; default 2 GiB
}

func (l Limits) withDefaults() Limits {
	if l.Objects == 0 {
		l.Objects = 100_000
	}
	if l.Bytes == 0 {
		l.Bytes = 2 << 30
	}
	return l
}

// maxDepth is how deep groups may stand in each other.
const maxDepth = 256

// File is what the headers of a file say.
type File struct {
	Root      *Object
	Version   int   // of the superblock
	UserBlock int64 // bytes before the superblock, which are not HDF5's

	closer io.Closer
}

// Close closes a file that OpenFile opened. Elements can be read until then.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// Object is a group, a data set, or a soft link, which is not followed.
type Object struct {
	Name       string // in its group; the root has none
	Attributes []Attribute
	Children   []*Object // of a group, in the order of the file: by name
	Array      *Array    // of a data set; nil of a group and of a link
	Link       string    // where a soft link points; empty of all else
}

// Attribute is a small array with a name.
type Attribute struct {
	Name string
	*Array
}

// IsGroup reports whether the object is a group.
func (o *Object) IsGroup() bool { return o.Array == nil && o.Link == "" }

// Child is the member of a group by its name, nil where there is none.
func (o *Object) Child(name string) *Object {
	for _, c := range o.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Find is the object at a path below o, as "node/nodes". The error says what is missing.
func (o *Object) Find(path string) (*Object, error) {
	at := o
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		c := at.Child(part)
		switch {
		case c == nil:
			return nil, fmt.Errorf("hdf5: %s: no %q in group %q", path, part, at.Name)
		case c.Link != "":
			return nil, fmt.Errorf("hdf5: %s: %q is a soft link to %q, which is not followed; store the object itself there", path, part, c.Link)
		}
		at = c
	}
	return at, nil
}

// Attribute is the object's attribute by its name, nil where there is none.
func (o *Object) Attribute(name string) *Array {
	for _, a := range o.Attributes {
		if a.Name == name {
			return a.Array
		}
	}
	return nil
}

// OpenFile reads the headers of the file at path. Close it when its elements were read.
func OpenFile(path string, lim Limits) (*File, error) {
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("hdf5: %w", err)
	case !st.Mode().IsRegular(): // to open a pipe would wait for its writer
		return nil, fmt.Errorf("hdf5: %s is no regular file; name an HDF5 file", path)
	}
	in, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("hdf5: %w", err)
	}
	f, err := Open(in, st.Size(), lim)
	if err != nil {
		in.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.closer = in
	return f, nil
}

// Open reads the headers of a file of size bytes: the whole tree, without the elements of
// its data sets. r must stay readable while elements are asked for.
func Open(r io.ReaderAt, size int64, lim Limits) (*File, error) {
	f, err := open(&source{r: r, size: size, lim: lim.withDefaults()})
	if err != nil {
		return nil, fmt.Errorf("hdf5: %w", err)
	}
	return f, nil
}

func open(s *source) (*File, error) {
	block, err := s.findSignature()
	if err != nil {
		return nil, err
	}
	s.base, s.size = block, s.size-block
	w := s.walk()
	version, root, err := w.superblock()
	if err != nil {
		return nil, err
	}
	t := &tree{walk: w, left: s.lim.Objects, within: map[uint64]bool{}, elements: map[uint64]place{}}
	o, err := t.object("", root, 0)
	if err == nil {
		err = apart(slices.Collect(maps.Values(t.elements)))
	}
	if err != nil {
		return nil, err
	}
	return &File{Root: o, Version: version, UserBlock: block}, nil
}

// source is a file. Addresses in it count from base on, where its superblock stands.
type source struct {
	r          io.ReaderAt
	base, size int64 // size is what follows base
	lim        Limits
}

// findSignature looks where the superblock may stand: at 0, 512, 1024, 2048, …
func (s *source) findSignature() (int64, error) {
	found := make([]byte, len(signature))
	for at := int64(0); at+int64(len(found)) <= s.size; at = max(512, 2*at) {
		if err := s.read(found, at); err != nil {
			return 0, err
		}
		if string(found) == signature {
			return at, nil
		}
	}
	head := make([]byte, min(s.size, magic.Bytes))
	if err := s.read(head, 0); err != nil {
		return 0, err
	}
	return 0, fmt.Errorf("not an HDF5 file: the file is %s; name another file", magic.Found(head))
}

// read fills b from an address.
func (s *source) read(b []byte, at int64) error {
	n, err := s.r.ReadAt(b, s.base+at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("read %d bytes at %d: %w; copy the file again", len(b), at, err)
}

// holds is an error where n bytes at an address do not lie within the file.
func (s *source) holds(what string, at, n uint64) error {
	if at > uint64(s.size) || n > uint64(s.size)-at {
		return fmt.Errorf("%s of %d bytes at address %d: the file has %d; it is truncated or damaged: copy it again", what, n, at, s.size)
	}
	return nil
}

// place is a part of the file.
type place struct{ at, n uint64 }

// apart is an error where two places overlap. It sorts them.
func apart(p []place) error {
	slices.SortFunc(p, func(a, b place) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.n, b.n)) })
	for i := 1; i < len(p); i++ {
		if a, b := p[i-1], p[i]; b.at-a.at < a.n && b.n > 0 {
			return fmt.Errorf("elements at address %d, %d bytes of them, overlap those at %d; the file is damaged", a.at, a.n, b.at)
		}
	}
	return nil
}

// walk reads headers, and no more of them than a sound file can have.
type walk struct {
	*source
	left int64 // bytes of headers that may still be read
}

func (s *source) walk() *walk { return &walk{s, 2*s.size + 1<<12} }

// maxBlock is the longest piece of a header: a name of a table's node takes 40 bytes.
const maxBlock = 8 << 20

// block reads n bytes of a header.
func (w *walk) block(what string, at, n uint64) (*cursor, error) {
	if err := w.holds(what, at, n); err != nil {
		return nil, err
	}
	if n > maxBlock {
		return nil, fmt.Errorf("%s at address %d declares %d bytes, at most %d are permitted; the file is damaged", what, at, n, maxBlock)
	}
	if w.left -= int64(n); w.left < 0 {
		return nil, fmt.Errorf("%s at address %d: the headers have more bytes than the file of %d: they overlap or run in circles; the file is damaged", what, at, w.size)
	}
	b := make([]byte, n)
	return &cursor{b: b, what: what}, w.read(b, int64(at))
}

// text reads a string that ends with a zero.
func (w *walk) text(what string, at uint64) (string, error) {
	const most, piece = 64 << 10, 64
	var all []byte
	for len(all) < most && at < uint64(w.size) {
		c, err := w.block(what, at, min(piece, uint64(w.size)-at))
		if err != nil {
			return "", err
		}
		if part, _, ended := strings.Cut(string(c.b), "\x00"); ended {
			w.left += int64(len(c.b) - len(part)) // the next name may stand there
			return string(all) + part, nil
		}
		all, at = append(all, c.b...), at+uint64(len(c.b))
	}
	return "", fmt.Errorf("%s at address %d has no end; the file is damaged", what, at)
}

// cursor takes a header apart. Past the end it gives zeros, and an error at done.
type cursor struct {
	b    []byte
	at   int
	what string
	over bool
}

func (c *cursor) bytes(n int) []byte {
	if n < 0 || n > len(c.b)-c.at {
		c.over = true
		return make([]byte, min(max(n, 0), 16))
	}
	c.at += n
	return c.b[c.at-n : c.at : c.at]
}

func (c *cursor) u8() int     { return int(c.bytes(1)[0]) }
func (c *cursor) u16() int    { return int(binary.LittleEndian.Uint16(c.bytes(2))) }
func (c *cursor) u32() uint32 { return binary.LittleEndian.Uint32(c.bytes(4)) }
func (c *cursor) u64() uint64 { return binary.LittleEndian.Uint64(c.bytes(8)) }

// rest is what was not taken yet.
func (c *cursor) rest() int { return len(c.b) - c.at }

// done is an error where more was taken than there is.
func (c *cursor) done() error {
	if c.over {
		return fmt.Errorf("%s ends after %d bytes, more are needed; the file is damaged", c.what, len(c.b))
	}
	return nil
}

// expect takes a signature.
func (c *cursor) expect(sign string) error {
	if found := c.bytes(len(sign)); string(found) != sign {
		return fmt.Errorf("%s begins with %q, expected %q; the file is damaged", c.what, found, sign)
	}
	return nil
}

// advice is how a file becomes one that can be read.
const advice = "rewrite the file with h5py.File(…, libver='earliest')"

// superblock reads the version and the address of the root group's header.
func (w *walk) superblock() (version int, root uint64, err error) {
	c, err := w.block("superblock", 0, min(uint64(w.size), 100))
	if err != nil {
		return 0, 0, err
	}
	c.bytes(len(signature))
	if version = c.u8(); version > 1 {
		return 0, 0, fmt.Errorf("superblock of version %d: versions 0 and 1 are read; %s", version, advice)
	}
	c.bytes(4) // versions of parts that are checked where they stand
	if offsets, lengths := c.u8(), c.u8(); offsets != 8 || lengths != 8 {
		return 0, 0, fmt.Errorf("addresses of %d and lengths of %d bytes, those of 8 are read; %s", offsets, lengths, advice)
	}
	c.bytes(1 + 2 + 2 + 4)
	if version == 1 {
		c.bytes(4)
	}
	c.bytes(8 + 8) // base address, which is where the superblock was found; free space
	end, driver := c.u64(), c.u64()
	c.bytes(8)
	root = c.u64()
	switch err := c.done(); {
	case err != nil:
		return 0, 0, err
	case driver != undefined:
		return 0, 0, errors.New("the file is one of several that belong together (a driver is named); join them with h5repart")
	case end > uint64(w.base+w.size):
		return 0, 0, fmt.Errorf("truncated: the superblock says that the file ends at %d, found %d bytes; copy it again", end, w.base+w.size)
	}
	return version, root, nil
}

// fits is an error where an array is larger than permitted, or than the machine's memory.
func (s *source) fits(n int64) error {
	if n > s.lim.Bytes {
		return fmt.Errorf("the array takes %d bytes, at most %d are permitted; raise Limits.Bytes", n, s.lim.Bytes)
	}
	return limit.Fits(n)
}
