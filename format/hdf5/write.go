package hdf5

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"synfire/internal/atomicfile"
)

// WriteFile writes a tree to path. A reader sees the old file or the new one, and on failure
// the old one is untouched.
func WriteFile(path string, root *Object) error {
	return atomicfile.Write(path, func(w io.Writer) error { return Write(w, root) })
}

// Write writes a tree: superblock 0, symbol tables, contiguous data sets without filters.
// Arrays that were read from a file are read again from there, one at a time; what they were
// filled or filtered with is not kept. The names of a group differ; their order is not kept.
func Write(w io.Writer, root *Object) error {
	wr := &writer{places: map[*Array]int64{}, end: superblockBytes}
	if root == nil || !root.IsGroup() {
		return errors.New("hdf5: write: the root must be a group; put the data set into one")
	}
	err := wr.lay(root, "", 0)
	if err == nil {
		err = wr.write(w, root)
	}
	if err != nil {
		return fmt.Errorf("hdf5: write: %w", err)
	}
	return nil
}

// writer lays a file out as superblock, elements, headers: so that headers can say where the
// elements stand, and the superblock where the root's header does.
type writer struct {
	arrays []*Array         // data sets whose elements stand in the file, in order
	places map[*Array]int64 // where
	end    int64            // of the elements
	b      []byte           // headers, which follow
}

const superblockBytes = 96

// lay says where the elements of the data sets of a tree stand.
func (w *writer) lay(o *Object, path string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("groups stand more than %d deep in each other; flatten the tree", maxDepth)
	}
	for _, c := range o.Children {
		if err := w.lay(c, path+"/"+c.Name, depth+1); err != nil {
			return err
		}
	}
	a := o.Array
	if a == nil || a.Type.isVariable() {
		return nil // references are made with the heap
	}
	size, err := a.check(a.Type.Size)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if _, twice := w.places[a]; !twice && size > 0 {
		w.arrays = append(w.arrays, a)
		w.places[a] = w.end
		w.end += (size + 7) &^ 7
	}
	return nil
}

// add puts a piece of a header into the file and tells its address.
func (w *writer) add(b []byte) uint64 {
	at := w.end + int64(len(w.b))
	w.b = append(w.b, b...)
	w.b = append(w.b, make([]byte, -len(b)&7)...)
	return uint64(at)
}

// object writes an object after those that it has in it.
func (w *writer) object(o *Object, path string) (header uint64, t table, err error) {
	var m messages
	switch {
	case o.Link != "":
		return 0, t, fmt.Errorf("%s is a soft link, which is not written; put the object itself there", path)
	case o.Array == nil:
		if t, err = w.group(o.Children, path); err == nil {
			err = m.add(msgTable, u64s(nil, t.btree, t.heap))
		}
	default:
		err = w.dataset(&m, o.Array)
	}
	for _, a := range o.Attributes {
		if err == nil {
			err = w.attribute(&m, a)
		}
	}
	var inside pathError
	if err != nil && !errors.As(err, &inside) {
		err = pathError{path, err}
	}
	if err != nil {
		return 0, t, err
	}
	b := u16s([]byte{1, 0}, m.n)
	b = binary.LittleEndian.AppendUint32(b, 1) // link to it
	b = binary.LittleEndian.AppendUint32(b, uint32(len(m.b)))
	return w.add(append(append(b, make([]byte, 4)...), m.b...)), t, nil
}

// messages are those of an object header.
type messages struct {
	b []byte
	n int
}

func (m *messages) add(kind int, body []byte) error {
	body = append(body, make([]byte, -len(body)&7)...)
	if len(body) >= 1<<16 {
		return fmt.Errorf("it takes %d bytes of a header, fewer than 64 KiB are possible; make it a data set", len(body))
	}
	m.b = u16s(m.b, kind, len(body))
	m.b = append(append(m.b, make([]byte, 4)...), body...)
	m.n++
	return nil
}

// dataset adds the messages of an array's type, shape and place.
func (w *writer) dataset(m *messages, a *Array) error {
	at, ok := w.places[a]
	place := uint64(at)
	if !ok {
		place = undefined
	}
	if a.Type.isVariable() && a.Len() > 0 {
		references, err := w.references(a)
		if err != nil {
			return err
		}
		place = w.add(references)
	}
	const allocatedLate, written, defined = 2, 2, 1
	layout := u64s([]byte{3, byte(contiguous)}, place, uint64(a.Size()))
	return errors.Join(
		m.add(msgSpace, a.space()),
		m.add(msgType, a.Type.encode()),
		m.add(msgFill, []byte{2, allocatedLate, written, defined, 0, 0, 0, 0}),
		m.add(msgLayout, layout))
}

// space is the message of an array's shape.
func (a *Array) space() []byte {
	if a.Null {
		return []byte{2, 0, 0, 2}
	}
	b := append([]byte{1, byte(len(a.Shape))}, make([]byte, 6)...)
	for _, d := range a.Shape {
		b = u64s(b, uint64(d))
	}
	return b
}

// attribute adds the message of an attribute.
func (w *writer) attribute(m *messages, attr Attribute) error {
	a := attr.Array
	_, err := a.check(a.Type.Size)
	var data []byte
	switch {
	case err != nil:
	case a.Type.isVariable():
		data, err = w.references(a)
	default:
		data, err = a.Bytes()
	}
	if err != nil {
		return fmt.Errorf("attribute %q: %w", attr.Name, err)
	}
	padded := func(b []byte) []byte { return append(b, make([]byte, -len(b)&7)...) }
	name, dtype, space := append([]byte(attr.Name), 0), a.Type.encode(), a.space()
	b := u16s([]byte{1, 0}, len(name), len(dtype), len(space))
	b = append(append(append(b, padded(name)...), padded(dtype)...), padded(space)...)
	if err := m.add(msgAttribute, append(b, data...)); err != nil {
		return fmt.Errorf("attribute %q: %w", attr.Name, err)
	}
	return nil
}

// references writes the strings or sequences of an array to global heaps and returns what
// the elements are instead.
func (w *writer) references(a *Array) ([]byte, error) {
	items := a.items
	if items == nil {
		var err error
		if items, err = collect(a, func(b []byte) []byte { return slices.Clone(b) }); err != nil {
			return nil, err
		}
	}
	elem := 1
	if a.Type.Class == Sequence {
		elem = a.Type.Elem.Size
	}
	const most = 1 << 15 // objects of a heap
	var out []byte
	for part := range slices.Chunk(items, most) {
		at := w.heap(part)
		for i, item := range part {
			out = binary.LittleEndian.AppendUint32(out, uint32(len(item)/elem))
			if len(item) == 0 {
				out = append(out, make([]byte, 12)...)
				continue
			}
			out = binary.LittleEndian.AppendUint64(out, at)
			out = binary.LittleEndian.AppendUint32(out, uint32(i+1))
		}
	}
	return out, nil
}

// heap writes a global heap, which has at least 4,096 bytes and ends in a free object.
func (w *writer) heap(items [][]byte) uint64 {
	const least = 4096
	b := append([]byte("GCOL\x01\x00\x00\x00"), make([]byte, 8)...)
	for i, item := range items {
		if len(item) == 0 {
			continue
		}
		b = u16s(b, i+1, 1, 0, 0)
		b = u64s(b, uint64(len(item)))
		b = append(append(b, item...), make([]byte, -len(item)&7)...)
	}
	free := max(heapHeader, least-len(b))
	b = u64s(b, 0, uint64(free))
	b = append(b, make([]byte, free-heapHeader)...)
	binary.LittleEndian.PutUint64(b[8:], uint64(len(b)))
	return w.add(b)
}

const (
	leafK     = 4  // half as many names as a symbol table has
	internalK = 16 // half as many children as a node of a B-tree has
)

// group writes the objects of a group and its symbol table.
func (w *writer) group(children []*Object, path string) (t table, err error) {
	sorted := slices.SortedFunc(slices.Values(children), func(a, b *Object) int { return cmp.Compare(a.Name, b.Name) })
	names := make([]byte, 8) // the empty name stands at 0
	var entries [][]byte
	var ends []uint64 // of each entry the place of its name
	for i, c := range sorted {
		switch {
		case c.Name == "" || c.Name == "." || strings.ContainsAny(c.Name, "/\x00"):
			return t, fmt.Errorf("the name %q: expected one without / and zeros, and not empty; change it", c.Name)
		case i > 0 && c.Name == sorted[i-1].Name:
			return t, fmt.Errorf("two objects are named %q; change one", c.Name)
		}
		header, inner, err := w.object(c, path+"/"+c.Name)
		if err != nil {
			return t, err
		}
		ends = append(ends, uint64(len(names)))
		entries = append(entries, entry(uint64(len(names)), header, inner, c.IsGroup()))
		names = append(append(names, c.Name...), make([]byte, 8-len(c.Name)&7)...)
	}
	const noFree = 1
	segment := w.add(names)
	heap := u64s([]byte("HEAP\x00\x00\x00\x00"), uint64(len(names)), noFree, segment)
	return table{w.tree(entries, ends), w.add(heap)}, nil
}

// entry is a line of a symbol table.
func entry(name, header uint64, t table, group bool) []byte {
	b := u64s(nil, name, header)
	if !group {
		return append(b, make([]byte, 24)...)
	}
	return u64s(append(b, 1, 0, 0, 0, 0, 0, 0, 0), t.btree, t.heap)
}

// tree writes the tables of names, and the B-tree above them from its leaves up.
func (w *writer) tree(entries [][]byte, ends []uint64) uint64 {
	var below, last []uint64 // children, and the place of the greatest name of each
	for i := 0; i < len(entries); i += 2 * leafK {
		end := min(i+2*leafK, len(entries))
		b := u16s([]byte("SNOD\x01\x00"), end-i)
		b = append(b, slices.Concat(entries[i:end]...)...)
		b = append(b, make([]byte, 8+2*leafK*40-len(b))...)
		below, last = append(below, w.add(b)), append(last, ends[end-1])
	}
	for level := 0; ; level++ {
		var nodes, greatest []uint64
		first := w.end + int64(len(w.b))
		for i := 0; i == 0 || i < len(below); i += 2 * internalK {
			end := min(i+2*internalK, len(below))
			left, right, before := undefined, undefined, uint64(0)
			if i > 0 {
				left, before = uint64(first)+uint64(len(nodes)-1)*nodeBytes, last[i-1]
			}
			if end < len(below) {
				right = uint64(first) + uint64(len(nodes)+1)*nodeBytes
			}
			b := u16s([]byte{'T', 'R', 'E', 'E', ofGroup, byte(level)}, end-i)
			b = u64s(b, left, right, before)
			for k := i; k < end; k++ {
				b = u64s(b, below[k], last[k])
			}
			nodes = append(nodes, w.add(append(b, make([]byte, nodeBytes-len(b))...)))
			if end > 0 {
				greatest = append(greatest, last[end-1])
			}
		}
		if len(nodes) == 1 {
			return nodes[0]
		}
		below, last = nodes, greatest
	}
}

// nodeBytes are those of a node of a group's B-tree.
const nodeBytes = 24 + 2*internalK*8 + (2*internalK+1)*8

func u64s(b []byte, v ...uint64) []byte {
	for _, x := range v {
		b = binary.LittleEndian.AppendUint64(b, x)
	}
	return b
}

// write writes the file.
func (w *writer) write(out io.Writer, root *Object) error {
	header, t, err := w.object(root, "")
	if err != nil {
		return err
	}
	b := append([]byte(signature), 0, 0, 0, 0, 0, 8, 8, 0)
	b = u16s(b, leafK, internalK, 0, 0)
	b = u64s(b, 0, undefined, uint64(w.end)+uint64(len(w.b)), undefined)
	if _, err = out.Write(append(b, entry(0, header, t, true)...)); err != nil {
		return err
	}
	for _, a := range w.arrays {
		_, size := a.bytes()
		err := a.pieces(func(b []byte) error {
			_, err := out.Write(b)
			return err
		})
		if err == nil {
			_, err = out.Write(make([]byte, -size&7))
		}
		if err != nil {
			return err
		}
	}
	_, err = out.Write(w.b)
	return err
}
