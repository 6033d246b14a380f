package hdf5

import (
	"encoding/binary"
	"fmt"
)

// heapReader reads strings and sequences from the global heaps of a file.
type heapReader struct {
	a    *Array
	w    *walk
	left int64 // bytes that may still be returned
	buf  []byte

	heaps map[uint64][]uint32 // places of objects of the heaps that were read
}

// item reads the bytes that an element refers to, into memory that the next takes again.
func (h *heapReader) item(reference []byte) ([]byte, error) {
	n := int64(binary.LittleEndian.Uint32(reference))
	if h.a.Type.Class == Sequence {
		n *= int64(h.a.Type.Elem.Size)
	}
	heap, index := binary.LittleEndian.Uint64(reference[4:]), binary.LittleEndian.Uint32(reference[12:])
	if n == 0 {
		return nil, nil
	}
	s := h.a.source
	if h.left -= n; h.left < 0 {
		return nil, fmt.Errorf("the elements take more than the permitted %d bytes; raise Limits.Bytes", s.lim.Bytes)
	}
	at, size, err := h.object(heap, index)
	if err != nil {
		return nil, err
	}
	if uint64(n) > size {
		return nil, fmt.Errorf("it has %d bytes, object %d of the heap at %d has %d; the file is damaged", n, index, heap, size)
	}
	if int64(cap(h.buf)) < n {
		h.buf = make([]byte, n)
	}
	return h.buf[:n], s.read(h.buf[:n], int64(at))
}

const heapHeader = 16 // bytes before the objects of a heap, and before each object

// object is where the data of an object of a global heap stand, and how long they are.
func (h *heapReader) object(heap uint64, index uint32) (at, size uint64, err error) {
	if h.w == nil {
		h.w = h.a.source.walk()
	}
	places, err := h.places(heap)
	if err != nil {
		return 0, 0, err
	}
	if int64(index) >= int64(len(places)) || places[index] == 0 {
		return 0, 0, fmt.Errorf("the heap at %d has no object %d; the file is damaged", heap, index)
	}
	at = heap + uint64(places[index])
	var b [8]byte
	if err := h.w.read(b[:], int64(at)+8); err != nil {
		return 0, 0, err
	}
	return at + heapHeader, binary.LittleEndian.Uint64(b[:]), nil
}

// places are where the objects of a global heap stand in it, by their numbers; 0 is none.
func (h *heapReader) places(heap uint64) ([]uint32, error) {
	if p, ok := h.heaps[heap]; ok {
		return p, nil
	}
	c, err := h.w.block("global heap", heap, heapHeader)
	if err != nil {
		return nil, err
	}
	if err := c.expect("GCOL"); err != nil {
		return nil, err
	}
	c.bytes(4)
	size := c.u64()
	if err := h.w.holds("global heap", heap, size); err != nil {
		return nil, err
	}
	if size >= 1<<32 {
		return nil, fmt.Errorf("a global heap of %d bytes, less than 4 GiB are read; %s", size, advice)
	}
	var p []uint32
	for at := uint64(heapHeader); at+heapHeader <= size; {
		if c, err = h.w.block("object of a global heap", heap+at, heapHeader); err != nil {
			return nil, err
		}
		index := c.u16()
		c.bytes(6)
		n := c.u64()
		if index == 0 {
			break // what is free, to the end
		}
		if n > size-at-heapHeader || uint64(index) > size/heapHeader {
			return nil, fmt.Errorf("object %d of %d bytes in a global heap of %d; the file is damaged", index, n, size)
		}
		for len(p) <= index {
			p = append(p, 0)
		}
		p[index] = uint32(at)
		at += heapHeader + (n+7)&^7
	}
	if h.heaps == nil {
		h.heaps = map[uint64][]uint32{}
	}
	h.heaps[heap] = p
	return p, nil
}
