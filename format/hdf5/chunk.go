package hdf5

import (
	"bufio"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// filter is a step between elements and the bytes of a chunk.
type filter struct {
	id   int
	args []uint32
}

// Filters that are read.
const (
	deflate    = 1
	shuffle    = 2
	fletcher32 = 3
)

var filterNames = map[int]string{deflate: "deflate", shuffle: "shuffle", fletcher32: "Fletcher-32", 4: "szip", 5: "n-bit", 6: "scale-offset", 32000: "LZF", 32001: "Blosc", 32004: "LZ4", 32008: "bitshuffle", 32015: "Zstandard"}

func (f filter) String() string {
	if name := filterNames[f.id]; name != "" {
		return name
	}
	return fmt.Sprintf("filter %d", f.id)
}

// filters reads the filters of an array.
func (c *cursor) filters(a *Array) error {
	version, n := c.u8(), c.u8()
	if version < 1 || version > 2 || n > 32 {
		return fmt.Errorf("%d filters of version %d: 32 of versions 1 and 2 are read; %s", n, version, advice)
	}
	if version == 1 {
		c.bytes(6)
	}
	seen := map[int]bool{}
	for range n {
		f := filter{id: c.u16()}
		name := 0
		if version == 1 || f.id >= 256 {
			name = c.u16()
		}
		c.u16() // whether writing may do without it
		args := c.u16()
		c.bytes(name)
		for range args {
			f.args = append(f.args, c.u32())
			if c.over {
				return c.done()
			}
		}
		if version == 1 && args%2 == 1 {
			c.bytes(4)
		}
		a.chain = append(a.chain, f)
		switch {
		case f.id < deflate || f.id > fletcher32:
			a.refused = fmt.Errorf("it was stored with the filter %s, which is not read; store it with compression='gzip' or none", f)
		case seen[f.id]:
			a.refused = fmt.Errorf("it was stored with the filter %s twice, which is not read; store it with one", f)
		case f.id == shuffle && len(a.chain) > 1:
			a.refused = errors.New("it was shuffled behind another filter, which is not read; shuffle first")
		}
		seen[f.id] = true
	}
	return nil
}

// chunk is a stored part of an array.
type chunk struct {
	first []int  // its first element
	place        // of its bytes
	mask  uint32 // a bit for each filter that it was stored without
}

// chunks visits the chunks of an array in the order of the B-tree, which is that of their
// first elements.
func (a *Array) chunks(visit func(chunk) error) error {
	if a.at == undefined {
		return nil
	}
	w := a.source.walk()
	var last []int
	return a.below(w, a.at, -1, func(c chunk) error {
		for i, at := range c.first {
			if at%a.chunk[i] != 0 || at >= a.Shape[i] {
				return fmt.Errorf("chunk %v: its first element is none of a grid of %v in %v; the file is damaged", c.first, a.chunk, a.Shape)
			}
		}
		if last != nil && slices.Compare(last, c.first) >= 0 {
			return fmt.Errorf("chunk %v stands behind chunk %v; the file is damaged", c.first, last)
		}
		last = c.first
		if err := a.source.holds(fmt.Sprintf("chunk %v", c.first), c.at, c.n); err != nil {
			return err
		}
		return visit(c)
	})
}

// below visits the chunks below a node of the B-tree.
func (a *Array) below(w *walk, at uint64, level int, visit func(chunk) error) error {
	n, err := w.node(at, ofChunks, 4+4+8*(len(a.chunk)+1), level)
	if err != nil {
		return err
	}
	for range n.used {
		c := chunk{first: make([]int, len(a.chunk))}
		c.n, c.mask = uint64(n.u32()), n.u32()
		for i := range c.first {
			c.first[i] = int(n.u64() &^ (1 << 63))
		}
		n.u64() // of the byte within an element
		c.at = n.u64()
		if err := n.done(); err != nil {
			return err
		}
		if n.level > 0 {
			err = a.below(w, c.at, n.level-1, visit)
		} else {
			err = visit(c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// chunkBytes is the length of a chunk of elements.
func (a *Array) chunkBytes() int64 {
	n, err := product(a.chunk, a.Type.Size)
	if err != nil {
		return 1 << 61
	}
	return n
}

// maxRatio is the most that deflate can shrink bytes to.
const maxRatio = 1032

// checkChunks is an error where the chunks of a file cannot be read. Where they promise much
// more than is stored, they are inflated once to see whether it is true, before size bytes of
// memory are taken.
func (a *Array) checkChunks(size int64) error {
	whole := a.chunkBytes()
	switch {
	case len(a.chunk) != len(a.Shape) || a.n != uint64(a.Type.Size):
		return fmt.Errorf("chunks of %v elements of %d bytes; the file is damaged", a.chunk, a.n)
	case whole == 0 || whole >= 1<<32:
		return fmt.Errorf("chunks of %v elements of %d bytes: a chunk has 1 byte to 4 GiB; the file is damaged", a.chunk, a.n)
	}
	for _, f := range a.chain {
		if f.id == shuffle && (len(f.args) != 1 || f.args[0] != uint32(a.Type.Size)) {
			return fmt.Errorf("elements of %d bytes were shuffled as ones of %v; the file is damaged", a.Type.Size, f.args)
		}
	}
	stored := int64(0)
	var places []place
	err := a.chunks(func(c chunk) error {
		stored += int64(c.n)
		places = append(places, c.place)
		if int64(c.n)*maxRatio < whole {
			return fmt.Errorf("chunk %v: %d bytes cannot inflate to %d; the file is damaged", c.first, c.n, whole)
		}
		return nil
	})
	if err == nil {
		err = apart(places)
	}
	const large, much = 64 << 20, 8
	if err != nil || size < large || size/much < stored {
		return err
	}
	return a.readChunks(nil)
}

// readChunks puts the elements of all chunks in their places; with nil it only looks whether
// all can be read.
func (a *Array) readChunks(b []byte) error {
	var r chunkReader
	return a.chunks(func(c chunk) error {
		if err := r.read(a, c, b); err != nil {
			return fmt.Errorf("chunk %v: %w", c.first, err)
		}
		return nil
	})
}

// chunkReader reads chunks one after the other in the same memory.
type chunkReader struct {
	in, out *bufio.Reader
	z       io.ReadCloser
	row     []byte
}

// read undoes the filters of a chunk, and puts what comes into b.
func (r *chunkReader) read(a *Array, c chunk, b []byte) error {
	if r.in == nil {
		r.in, r.out = bufio.NewReaderSize(nil, 1<<15), bufio.NewReaderSize(nil, 1<<15)
	}
	s := a.source
	r.in.Reset(strings.NewReader("")) // where nothing was deflated
	var stream io.Reader = io.NewSectionReader(s.r, s.base+int64(c.at), int64(c.n))
	shuffled := false
	for i := len(a.chain) - 1; i >= 0; i-- {
		if c.mask>>i&1 == 1 {
			continue
		}
		switch a.chain[i].id {
		case fletcher32:
			stream = &summed{in: bufio.NewReaderSize(stream, 1<<14)}
		case deflate:
			var err error
			if stream, err = r.inflate(stream); err != nil {
				return err
			}
		case shuffle:
			shuffled = a.Type.Size > 1
		}
	}
	r.out.Reset(stream)
	err := r.scatter(a, c.first, shuffled, b)
	if err == nil {
		err = ended(r.out)
	}
	if err == nil {
		err = ended(r.in) // behind what was deflated, where a sum is compared
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("fewer than the %d bytes of a chunk: %w; the file is damaged", a.chunkBytes(), err)
	}
	return err
}

// ended is an error where more follows.
func ended(r *bufio.Reader) error {
	_, err := r.ReadByte()
	switch {
	case err == nil:
		return errors.New("more bytes than a chunk has; the file is damaged")
	case errors.Is(err, io.EOF):
		return nil
	}
	return err
}

// inflate undoes deflate.
func (r *chunkReader) inflate(stream io.Reader) (_ io.Reader, err error) {
	r.in.Reset(stream)
	if r.z == nil {
		r.z, err = zlib.NewReader(r.in)
	} else {
		err = r.z.(zlib.Resetter).Reset(r.in, nil)
	}
	return r.z, err
}

// scatter reads the elements of a chunk. They come row after row, or shuffled: the first bytes
// of all elements row after row, then the second ones, and so on.
func (r *chunkReader) scatter(a *Array, first []int, shuffled bool, b []byte) error {
	size, planes := a.Type.Size, 1
	if shuffled {
		size, planes = 1, size
	}
	last := len(first) - 1
	wide := a.chunk[last]                            // elements of a row of the chunk
	inside := min(wide, a.Shape[last]-first[last])   // of them within the array
	rows := int(a.chunkBytes()) / a.Type.Size / wide // of the chunk
	r.row = slices.Grow(r.row[:0], 4096)[:4096]
	for p := range planes {
		for row := range rows {
			at, ok := a.rowAt(first, row)
			n := inside
			if !ok || b == nil {
				n = 0
			}
			var err error
			if shuffled {
				err = r.spread(b, at*planes+p, planes, n)
			} else {
				err = full(r.out, b[min(at*size, len(b)):][:n*size])
			}
			if err == nil {
				err = r.skip((wide - n) * size)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// rowAt is the place in the array of the first element of a row of a chunk, and whether the
// array has it.
func (a *Array) rowAt(first []int, row int) (at int, ok bool) {
	last := len(first) - 1
	at, stride := first[last], a.Shape[last]
	for i := last - 1; i >= 0; i-- {
		k := first[i] + row%a.chunk[i]
		row /= a.chunk[i]
		if k >= a.Shape[i] {
			return 0, false
		}
		at += k * stride
		stride *= a.Shape[i]
	}
	return at, true
}

// spread reads n bytes, and puts each the given number of bytes behind the one before.
func (r *chunkReader) spread(b []byte, at, apart, n int) error {
	for n > 0 {
		piece := r.row[:min(n, len(r.row))]
		if err := full(r.out, piece); err != nil {
			return err
		}
		for _, x := range piece {
			b[at] = x
			at += apart
		}
		n -= len(piece)
	}
	return nil
}

// skip passes over n bytes.
func (r *chunkReader) skip(n int) error {
	if k, err := r.out.Discard(n); k < n {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	return nil
}

// summed reads what stands before a Fletcher-32 sum, the last four bytes, and compares it at
// the end. The sum is that of 16-bit words, the first byte the upper one, modulo 65,535.
type summed struct {
	in     *bufio.Reader
	a, b   uint32
	half   uint32 // the first byte of a word
	inWord bool
}

// Read reads and sums.
func (s *summed) Read(p []byte) (int, error) {
	const sumBytes = 4
	ahead, err := s.in.Peek(min(len(p), s.in.Size()-sumBytes) + sumBytes)
	n := len(ahead) - sumBytes
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return 0, err
	case n < 0:
		return 0, io.ErrUnexpectedEOF
	case n == 0 && len(p) > 0:
		return 0, s.compare(binary.LittleEndian.Uint32(ahead))
	}
	n = copy(p, ahead[:n])
	s.add(p[:n])
	_, err = s.in.Discard(n)
	return n, err
}

func (s *summed) add(p []byte) {
	for _, x := range p {
		if s.inWord = !s.inWord; s.inWord {
			s.half = uint32(x)
			continue
		}
		s.word(s.half<<8 | uint32(x))
	}
}

func (s *summed) word(w uint32) {
	const modulus = 65535
	if s.a += w; s.a > modulus {
		s.a -= modulus
	}
	if s.b += s.a; s.b > modulus {
		s.b -= modulus
	}
}

func (s *summed) compare(want uint32) error {
	if s.inWord {
		s.inWord = false
		s.word(s.half << 8)
	}
	if sum := s.b<<16 | s.a; sum != want {
		return fmt.Errorf("its Fletcher-32 sum is %08x, stored is %08x; the file is damaged: copy it again", sum, want)
	}
	return io.EOF
}
