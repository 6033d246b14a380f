package yaml

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	goyaml "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"synfire/internal/magic"
)

// parse turns text into a tree; it returns nil after logging why it cannot. A
// panic of the parser, or over a tree that the parser should not have made,
// becomes an error of the document that provoked it.
func parse(l *log, src []byte) (root *node) {
	defer func() {
		if r := recover(); r != nil {
			root = nil
			l.add(pos{}, nil, fmt.Sprintf("syntax: the parser gave up: %v", r), "remove the document part by part to find the place", nil)
		}
	}()
	if len(src) > maxBytes {
		l.add(pos{}, nil, fmt.Sprintf("the document has %d bytes, the limit is %d", len(src), maxBytes), "split it or shorten it", nil)
		return nil
	}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	if at, ok := badByte(src); ok {
		msg, hint := "not a text in UTF-8", "save the file as UTF-8"
		if what := magic.What(src[:min(len(src), magic.Bytes)]); what != "" && !magic.IsText(src[:min(len(src), magic.Bytes)]) {
			msg, hint = "not a text: the file is "+what, "name a YAML file"
		}
		l.add(at, nil, msg, hint, nil)
		return nil
	}
	body, err := syntax(src)
	if err != nil {
		l.errs = append(l.errs, err)
		err.File = l.file
		return nil
	}
	b := &builder{log: l, anchors: map[string]*node{}}
	root = b.build(body, nil)
	if b.overflow {
		return nil
	}
	return root
}

// badByte finds the first byte that no text file holds.
func badByte(src []byte) (pos, bool) {
	at := pos{1, 1}
	for i := 0; i < len(src); {
		r, n := utf8.DecodeRune(src[i:])
		if r == 0 || r == utf8.RuneError && n == 1 {
			return at, true
		}
		i += n
		at.column++
		if r == '\n' {
			at = pos{at.line + 1, 1}
		}
	}
	return pos{}, false
}

// syntax runs the parser and returns the one document's content.
func syntax(src []byte) (ast.Node, *Error) {
	tokens := lexer.Tokenize(string(src))
	if err := checkNesting(tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntaxError(err)
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if _, ok := doc.Body.(*ast.DirectiveNode); ok {
			return nil, at(start(doc.Body), "directives (%) are not supported", "remove the line")
		}
		if body != nil {
			where := doc.Start
			if where == nil && doc.Body != nil {
				where = start(doc.Body)
			}
			return nil, at(where, "a second document starts here", "keep one document in a file")
		}
		body = doc.Body
	}
	if body == nil || body.Type() == ast.CommentType {
		return nil, &Error{Line: 1, Column: 1, Msg: "the document is empty", Hint: "write at least one key"}
	}
	return body, nil
}

func at(tk *token.Token, msg, hint string) *Error {
	p := place(tk)
	return &Error{Line: p.line, Column: p.column, Msg: msg, Hint: hint}
}

// syntaxError turns the parser's error into ours.
func syntaxError(err error) *Error {
	hint := `check the indentation, and put values with ": ", " #" or brackets in quotes`
	var e goyaml.Error
	if !errors.As(err, &e) {
		return &Error{Msg: "syntax: " + err.Error(), Hint: hint}
	}
	msg, tk := e.GetMessage(), e.GetToken()
	switch {
	case strings.Contains(msg, "\t"):
		msg, hint = "a tab stands where only spaces may", "indent with spaces"
	case strings.Contains(msg, "quoted text"):
		hint = "close the quotes"
	case strings.Contains(msg, "end token"), strings.Contains(msg, "must be specified"):
		hint = "close the brackets, and separate what is in them by commas"
	case strings.Contains(msg, "reserved"), strings.Contains(msg, "escape"):
		hint = "put the value in single quotes"
	}
	return at(tk, "syntax: "+msg, hint)
}

// start is the first token of a value. That of a block mapping is its first
// key, where the parser names the colon after it.
func start(n ast.Node) *token.Token {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return n.GetToken()
}

func place(tk *token.Token) pos {
	if tk == nil || tk.Position == nil {
		return pos{}
	}
	return pos{tk.Position.Line, tk.Position.Column}
}

// checkNesting bounds what the parser, which is recursive, will go through. It
// follows indentation roughly: as deep as the parser, or a little deeper.
func checkNesting(tokens token.Tokens) *Error {
	type level struct {
		column, keys int
		list         bool
	}
	var block []level
	flow := 0
	for _, tk := range tokens {
		column, list := tk.Position.Column, tk.Type == token.SequenceEntryType
		switch tk.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow = max(0, flow-1)
		case token.MappingValueType:
			if tk.Prev == nil {
				continue
			}
			column = tk.Prev.Position.Column
		case token.SequenceEntryType, token.MappingKeyType:
		default:
			continue
		}
		if flow == 0 {
			top := len(block) - 1
			for top >= 0 && (block[top].column > column || block[top].column == column && block[top].list && !list) {
				top--
			}
			block = block[:top+1]
			if top < 0 || block[top].column < column || block[top].list != list {
				block = append(block, level{column: column, list: list})
				top++
			}
			if block[top].keys++; block[top].keys > maxKeys && !list {
				return at(tk, fmt.Sprintf("a mapping has more than %d keys", maxKeys), "write fewer keys, or a sequence")
			}
		}
		if len(block)+flow > maxDepth {
			return at(tk, fmt.Sprintf("values are nested more than %d levels deep", maxDepth), "write the document flatter")
		}
	}
	return nil
}
