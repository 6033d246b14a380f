package hdf5

import (
	"errors"
	"fmt"
	"strings"
)

// table is a symbol table: where a group's B-tree and local heap stand.
type table struct{ btree, heap uint64 }

// members reads the objects of a group.
func (t *tree) members(s table, depth int) ([]*Object, error) {
	c, err := t.block("local heap", s.heap, 32)
	if err != nil {
		return nil, err
	}
	if err := c.expect("HEAP"); err != nil {
		return nil, err
	}
	c.bytes(4)
	size := c.u64()
	c.u64() // free space
	names := place{c.u64(), size}
	if err := t.holds("local heap", names.at, names.n); err != nil {
		return nil, err
	}
	var all []*Object
	err = t.leaves(s.btree, -1, func(node uint64) error {
		all, err = t.symbols(all, node, names, depth)
		return err
	})
	return all, err
}

// leaves visits the nodes of symbols below a node of a group's B-tree. A node stands a level
// below the one that points to it, so there is an end; level -1 is that of the root, any.
func (t *tree) leaves(at uint64, level int, visit func(uint64) error) error {
	c, err := t.node(at, ofGroup, 8, level)
	if err != nil {
		return err
	}
	children := make([]uint64, c.used)
	for i := range children {
		c.u64() // the least name of the child
		children[i] = c.u64()
	}
	for _, child := range children {
		if c.level == 0 {
			err = visit(child)
		} else {
			err = t.leaves(child, c.level-1, visit)
		}
		if err != nil {
			return err
		}
	}
	return c.done()
}

// node is a node of a B-tree of version 1.
type node struct {
	*cursor
	level, used int
}

// Kinds of B-trees.
const (
	ofGroup = iota
	ofChunks
)

// node reads one of the given kind, whose keys have so many bytes.
func (w *walk) node(at uint64, kind, key, level int) (*node, error) {
	const what = "node of a B-tree"
	c, err := w.block(what, at, 24)
	if err != nil {
		return nil, err
	}
	if err := c.expect("TREE"); err != nil {
		return nil, err
	}
	found := c.u8()
	n := &node{level: c.u8(), used: c.u16()}
	switch {
	case found != kind:
		return nil, fmt.Errorf("%s of kind %d, expected %d; the file is damaged", what, found, kind)
	case level >= 0 && n.level != level:
		return nil, fmt.Errorf("%s of level %d below one of level %d; the file is damaged", what, n.level, level+1)
	}
	n.cursor, err = w.block(what, at+24, uint64(n.used)*uint64(key+8))
	return n, err
}

// symbols reads a table of names, and the objects that they name.
func (t *tree) symbols(all []*Object, at uint64, names place, depth int) ([]*Object, error) {
	c, err := t.block("symbol table", at, 8)
	if err != nil {
		return nil, err
	}
	if err := c.expect("SNOD"); err != nil {
		return nil, err
	}
	c.bytes(2)
	const entryBytes = 40
	n := c.u16()
	if c, err = t.block("symbol table", at+8, uint64(n)*entryBytes); err != nil {
		return nil, err
	}
	for range n {
		offset, header, cached := c.u64(), c.u64(), c.u32()
		c.u32()
		scratch := &cursor{b: c.bytes(16)}
		name, err := t.name(names, offset)
		if err == nil && len(all) > 0 && all[len(all)-1].Name >= name {
			err = fmt.Errorf("%q stands behind %q: names of a group differ and are in order; the file is damaged", name, all[len(all)-1].Name)
		}
		if err != nil {
			return nil, err
		}
		const softLink = 2
		o := &Object{Name: name}
		if cached == softLink {
			if t.left--; t.left < 0 {
				return nil, fmt.Errorf("the file has more than %d objects; raise Limits.Objects if it should", t.lim.Objects)
			}
			o.Link, err = t.name(names, uint64(scratch.u32()))
		} else {
			o, err = t.object(name, header, depth+1)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

// name reads a name of a local heap.
func (t *tree) name(heap place, offset uint64) (string, error) {
	if offset >= heap.n {
		return "", fmt.Errorf("a name at %d of a local heap of %d bytes; the file is damaged", offset, heap.n)
	}
	s, err := t.text("name of a local heap", heap.at+offset)
	if err == nil && s == "" {
		err = errors.New("an object without a name; the file is damaged")
	}
	return s, err
}

// terminated is a string up to its first zero.
func terminated(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return s
}
