package hdf5

import (
	"errors"
	"fmt"
)

// tree reads objects.
type tree struct {
	*walk
	left     int              // objects that may still come
	within   map[uint64]bool  // headers of the groups that are being read
	elements map[uint64]place // of contiguous data sets, by their headers
}

// object reads the object whose header stands at an address.
func (t *tree) object(name string, at uint64, depth int) (*Object, error) {
	o, err := t.member(name, at, depth)
	var inside pathError
	switch {
	case err == nil:
		return o, nil
	case errors.As(err, &inside):
		return nil, pathError{name + "/" + inside.path, inside.error}
	}
	return nil, pathError{name, err}
}

// pathError is a fault of the object at a path.
type pathError struct {
	path string
	error
}

// Error names the path; that of the root is "/".
func (e pathError) Error() string {
	path := e.path
	if path == "" {
		path = "/"
	}
	return fmt.Sprintf("object %q: %v", path, e.error)
}

// Unwrap is the fault.
func (e pathError) Unwrap() error { return e.error }

func (t *tree) member(name string, at uint64, depth int) (*Object, error) {
	if t.left--; t.left < 0 {
		return nil, fmt.Errorf("the file has more than %d objects; raise Limits.Objects if it should", t.lim.Objects)
	}
	if t.within[at] {
		return nil, errors.New("the group is within itself; the file's links run in a circle, which is not supported")
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("groups stand more than %d deep in each other; the file is damaged, or flatten it", maxDepth)
	}
	h, err := t.header(at)
	if err != nil {
		return nil, err
	}
	o := &Object{Name: name, Attributes: h.attributes}
	switch {
	case h.table != nil && h.array.Type.Class == 0:
		t.within[at] = true
		o.Children, err = t.members(*h.table, depth)
		delete(t.within, at)
		return o, err
	case h.table != nil || h.array.Type.Class == 0 || !h.space || !h.layout:
		return nil, errors.New("neither a group nor a data set: want a symbol table, or a data type, a data space and a layout; committed data types are not supported")
	}
	o.Array = &h.array
	if a := o.Array; a.storage == contiguous && a.at != undefined && a.refused == nil {
		t.elements[at] = place{a.at, a.n}
	}
	return o, nil
}

// header is what the messages of an object's header say.
type header struct {
	attributes []Attribute
	table      *table
	array      Array
	space      bool // there is a data space
	layout     bool // there is a layout
}

// Messages of object headers, by the numbers of the specification.
const (
	msgSpace     = 0x01
	msgLinkInfo  = 0x02
	msgType      = 0x03
	msgOldFill   = 0x04
	msgFill      = 0x05
	msgLink      = 0x06
	msgExternal  = 0x07
	msgLayout    = 0x08
	msgFilters   = 0x0b
	msgAttribute = 0x0c
	msgContinued = 0x10
	msgTable     = 0x11
	msgAttrInfo  = 0x15
	msgLast      = 0x17 // of those that are known
)

// header reads an object header with its continuations.
func (w *walk) header(at uint64) (*header, error) {
	c, err := w.block("object header", at, 16)
	if err != nil {
		return nil, err
	}
	if version := c.u8(); version != 1 {
		if version == 'O' { // of OHDR
			return nil, errors.New("an object header of version 2, of the new style; " + advice)
		}
		return nil, fmt.Errorf("object header at address %d of version %d, expected 1; the file is damaged", at, version)
	}
	c.bytes(1)
	count := c.u16()
	c.u32() // how many links point here
	h := &header{}
	h.array.source = w.source
	for blocks := []place{{at + 16, uint64(c.u32())}}; len(blocks) > 0; blocks = blocks[1:] {
		more, n, err := w.messages(h, blocks[0], count)
		if err != nil {
			return nil, err
		}
		count -= n
		blocks = append(blocks, more...)
	}
	return h, nil
}

// messages reads those of one block, at most count, and tells how many they were and which
// blocks follow.
func (w *walk) messages(h *header, p place, count int) (more []place, n int, err error) {
	if err := w.holds("object header", p.at, p.n); err != nil {
		return nil, 0, err
	}
	for ; n < count && p.n >= 8; n++ {
		c, err := w.block("message of an object header", p.at, 8)
		if err != nil {
			return nil, n, err
		}
		kind, size, flags := c.u16(), uint64(c.u16()), c.u8()
		p.at, p.n = p.at+8, p.n-8
		if size > p.n {
			return nil, n, fmt.Errorf("message %#x of %d bytes in an object header that has %d left; the file is damaged", kind, size, p.n)
		}
		if c, err = w.block(fmt.Sprintf("message %#x of an object header", kind), p.at, size); err != nil {
			return nil, n, err
		}
		p.at, p.n = p.at+size, p.n-size
		if kind == msgContinued {
			more = append(more, place{c.u64(), c.u64()})
			err = c.done()
		} else {
			err = h.message(kind, flags, c)
		}
		if err != nil {
			return nil, n, err
		}
	}
	return more, n, nil
}

// message takes one message into the header.
func (h *header) message(kind, flags int, c *cursor) (err error) {
	const shared, mustKnow = 2, 1 << 7
	if flags&shared != 0 {
		return fmt.Errorf("message %#x is shared with other objects (a committed data type?), which is not supported; store the data set with a type of its own", kind)
	}
	a := &h.array
	switch kind {
	case msgSpace:
		h.space = true
		err = c.space(a)
	case msgType:
		a.Type, err = c.dtype(0)
	case msgOldFill:
		if size := int(c.u32()); size > 0 && a.fill == nil {
			a.fill = c.bytes(size)
		}
	case msgFill:
		err = c.fill(a)
	case msgExternal:
		a.refused = errors.New("its elements stand in external files, which are not read; copy them into the file with h5repack")
	case msgLayout:
		h.layout = true
		err = c.layout(a)
	case msgFilters:
		err = c.filters(a)
	case msgAttribute:
		var attr Attribute
		if attr, err = c.attribute(a.source); err == nil {
			h.attributes = append(h.attributes, attr)
		}
		return err
	case msgTable:
		h.table = &table{c.u64(), c.u64()}
	case msgLinkInfo, msgLink:
		return errors.New("a group of the new style; " + advice + " and without track_order")
	case msgAttrInfo:
		return errors.New("attributes stored in the new style; " + advice)
	default:
		if kind > msgLast || flags&mustKnow != 0 {
			return fmt.Errorf("message %#x of the object header is unknown; %s", kind, advice)
		}
	}
	if err == nil {
		err = c.done()
	}
	return err
}

// attribute reads a message with an attribute.
func (c *cursor) attribute(s *source) (Attribute, error) {
	version := c.u8()
	shared := c.u8() // reserved, and zero, in version 1
	nName, nType, nSpace := c.u16(), c.u16(), c.u16()
	switch {
	case version < 1 || version > 3:
		return Attribute{}, fmt.Errorf("attribute of version %d: 1 to 3 are read; %s", version, advice)
	case version > 1 && shared != 0:
		return Attribute{}, errors.New("attribute of a committed data type, which is not supported; store it with a type of its own")
	case version == 3:
		c.u8() // encoding of the name, ASCII or UTF-8
	}
	part := func(n int) *cursor {
		p := &cursor{b: c.bytes(n), what: c.what}
		if version == 1 {
			c.bytes(-n & 7)
		}
		return p
	}
	name, dtype, space := part(nName), part(nType), part(nSpace)
	a := &Array{source: s}
	var err error
	if a.Type, err = dtype.dtype(0); err == nil {
		err = space.space(a)
	}
	if err == nil {
		err = errors.Join(c.done(), dtype.done(), space.done())
	}
	n, size := a.bytes()
	text := terminated(name.b)
	if err == nil && size > int64(c.rest()) {
		err = fmt.Errorf("%d elements take %d bytes, the message has %d; the file is damaged", n, size, c.rest())
	}
	if err != nil {
		return Attribute{}, fmt.Errorf("attribute %q: %w", text, err)
	}
	a.data = c.bytes(int(size))
	return Attribute{text, a}, nil
}

// fill reads a fill value.
func (c *cursor) fill(a *Array) error {
	version := c.u8()
	size := 0
	switch version {
	case 1, 2:
		c.bytes(2) // when it is allocated and written
		if defined := c.u8(); defined != 0 || version == 1 {
			size = int(int32(c.u32()))
		}
	case 3:
		if flags := c.u8(); flags>>5&1 == 1 {
			size = int(int32(c.u32()))
		}
	default:
		return fmt.Errorf("fill value of version %d: 1 to 3 are read; %s", version, advice)
	}
	if size > 0 {
		a.fill = c.bytes(size)
	}
	return nil
}
