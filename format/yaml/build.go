package yaml

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// builder turns the parser's tree into ours: scalars get their types, aliases
// their values, and what is not supported an error.
type builder struct {
	*log
	anchors  map[string]*node
	overflow bool // the document is too large to be decoded
}

func (b *builder) build(n ast.Node, p *path) *node {
	at := place(start(n))
	switch n := n.(type) {
	case *ast.NullNode:
		if n.Token.Type == token.ImplicitNullType {
			return newScalar(at, null, "")
		}
		return newScalar(at, null, n.Token.Value)
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		s := n.GetToken().Value
		return newScalar(at, plainKind(s), s)
	case *ast.StringNode:
		if n.Token.Type == token.SingleQuoteType || n.Token.Type == token.DoubleQuoteType {
			return newScalar(at, text, n.Value)
		}
		return newScalar(at, plainKind(n.Value), n.Value)
	case *ast.LiteralNode:
		return newScalar(at, text, n.Value.Value)
	case *ast.MappingNode:
		return b.mapping(at, n.Values, p)
	case *ast.MappingValueNode:
		return b.mapping(at, []*ast.MappingValueNode{n}, p)
	case *ast.SequenceNode:
		return b.sequence(at, n, p)
	case *ast.AnchorNode:
		return b.anchor(n, p)
	case *ast.AliasNode:
		return b.alias(at, n, p)
	case *ast.TagNode:
		return b.bad(at, p, fmt.Sprintf("tags such as %s are not supported", cut(n.Start.Value)), "remove it; quotes make a string")
	}
	return b.bad(at, p, fmt.Sprintf("a %s is not supported here", n.Type()), "write a mapping, a sequence or a scalar")
}

// bad reports an error and returns a node that decoding passes over.
func (b *builder) bad(at pos, p *path, msg, hint string) *node {
	b.add(at, p, msg, hint, nil)
	return newScalar(at, invalid, "")
}

func (b *builder) mapping(at pos, values []*ast.MappingValueNode, p *path) *node {
	first := map[string]int{} // line of each key
	var entries []entry
	for _, v := range values {
		where := place(v.Key.GetToken())
		key, ok := b.key(v.Key, where, p)
		if !ok {
			continue
		}
		if line, again := first[key]; again {
			b.add(where, p, fmt.Sprintf("duplicate key %s", short(key)), fmt.Sprintf("the first is in line %d; keep one", line), nil)
			continue
		}
		first[key] = where.line
		entries = append(entries, entry{where, key, b.build(v.Value, p.child(key))})
	}
	return b.bounded(newMapping(at, entries), p)
}

// key is the text of a scalar key; numbers and booleans count as their text.
func (b *builder) key(k ast.Node, at pos, p *path) (string, bool) {
	switch k := k.(type) {
	case *ast.StringNode:
		return k.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return k.GetToken().Value, true
	case *ast.MergeKeyNode:
		b.add(at, p, "merge keys (<<) are not supported", "write the keys out, or use an alias for the whole mapping", nil)
		return "", false
	}
	b.add(at, p, fmt.Sprintf("a key must be a plain name, found %s", cut(k.String())), "write name: value", nil)
	return "", false
}

func (b *builder) sequence(at pos, n *ast.SequenceNode, p *path) *node {
	items := make([]*node, len(n.Values))
	for i, v := range n.Values {
		items[i] = b.build(v, p.element(i))
	}
	return b.bounded(newSequence(at, items), p)
}

// anchor names a value. The name is known only after the value, so a value
// cannot contain itself.
func (b *builder) anchor(n *ast.AnchorNode, p *path) *node {
	value := b.build(n.Value, p)
	b.anchors[n.Name.GetToken().Value] = value
	return value
}

func (b *builder) alias(at pos, n *ast.AliasNode, p *path) *node {
	name := n.Value.GetToken().Value
	value, ok := b.anchors[name]
	if !ok {
		return b.bad(at, p, fmt.Sprintf("alias *%s has no anchor &%s before it", cut(name), cut(name)), "define the anchor first; it cannot contain itself")
	}
	return value
}

// bounded refuses a value that aliases have blown up.
func (b *builder) bounded(n *node, p *path) *node {
	b.overflow = b.overflow || n.size > maxValues || n.height > maxDepth
	switch {
	case n.size > maxValues:
		return b.bad(n.pos, p, fmt.Sprintf("the document has more than %d values once its aliases are expanded", maxValues), "use fewer aliases")
	case n.height > maxDepth:
		return b.bad(n.pos, p, fmt.Sprintf("values are nested more than %d levels deep once aliases are expanded", maxDepth), "use fewer aliases")
	}
	return n
}
