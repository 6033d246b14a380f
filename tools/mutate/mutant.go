package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Mutant is one fault: the bytes [from, to) of File become New.
type Mutant struct {
	Package string `json:"package"`
	File    string `json:"file"` // name in the package's directory
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Kind    string `json:"kind"`
	Old     string `json:"old"`
	New     string `json:"new"`

	from, to int
	in       *function // nil: in none, as the tables of a package
}

// function is where a fault stands.
type function struct {
	name               string
	from, at, body, to int      // its start, its name, what follows its opening brace, its end
	names              []insert // for receiver and parameters that have none
	call               string   // with a verb for its name
}

// insert is text that goes where drop bytes stand.
type insert struct {
	at, drop int
	text     string
}

// Key tells the mutants of one state of the sources apart.
func (m Mutant) Key() string {
	return fmt.Sprintf("%s/%s:%d:%d %s: %s", m.Package, m.File, m.Line, m.Column, m.Kind, short(m.New))
}

// borders, turns and arithmetic say what takes an operator's place.
var (
	borders = map[token.Token]token.Token{token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR}
	turns   = map[token.Token]token.Token{token.LSS: token.GTR, token.LEQ: token.GEQ, token.GTR: token.LSS, token.GEQ: token.LEQ,
		token.EQL: token.NEQ, token.NEQ: token.EQL}
	arithmetic = map[token.Token]token.Token{
		token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL, token.REM: token.MUL,
		token.SHL: token.SHR, token.SHR: token.SHL, token.AND: token.OR, token.OR: token.AND, token.XOR: token.OR, token.AND_NOT: token.AND,
		token.ADD_ASSIGN: token.SUB_ASSIGN, token.SUB_ASSIGN: token.ADD_ASSIGN, token.MUL_ASSIGN: token.QUO_ASSIGN, token.QUO_ASSIGN: token.MUL_ASSIGN,
		token.OR_ASSIGN: token.AND_ASSIGN, token.AND_ASSIGN: token.OR_ASSIGN, token.INC: token.DEC, token.DEC: token.INC,
	}
)

// mutants returns all faults that the files of a package may get, in order of
// place, and how many statements the files have.
func mutants(pkg, dir string, files []string) (all []Mutant, statements int, err error) {
	for _, name := range files {
		src, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, 0, err
		}
		w := &walker{fset: token.NewFileSet(), src: src, pkg: pkg, name: name}
		f, err := parser.ParseFile(w.fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, 0, err
		}
		if ast.IsGenerated(f) {
			continue
		}
		for _, d := range f.Decls {
			w.in = w.function(d)
			ast.Inspect(d, w.visit)
		}
		all = append(all, w.found...)
		statements += w.statements
	}
	return all, statements, nil
}

// walker collects the faults of one file.
type walker struct {
	fset       *token.FileSet
	src        []byte
	pkg, name  string
	in         *function
	found      []Mutant
	statements int
}

func (w *walker) offset(p token.Pos) int { return w.fset.Position(p).Offset }

func (w *walker) text(n ast.Node) string { return string(w.src[w.offset(n.Pos()):w.offset(n.End())]) }

// function tells how to call what a declaration declares, if it can be called.
func (w *walker) function(d ast.Decl) *function {
	n, ok := d.(*ast.FuncDecl)
	if !ok || n.Body == nil || n.Name.Name == "init" {
		return nil
	}
	f := &function{name: n.Name.Name, from: w.offset(n.Type.Func), at: w.offset(n.Name.Pos()), body: w.offset(n.Body.Lbrace) + 1, to: w.offset(n.End()), call: "%s"}
	if n.Recv != nil {
		f.call = w.named(f, n.Recv)[0] + ".%s"
	}
	if n.Type.TypeParams != nil {
		f.call += "[" + strings.Join(w.named(f, n.Type.TypeParams), ", ") + "]"
	}
	f.call += "(" + strings.Join(w.named(f, n.Type.Params), ", ") + ")"
	if n.Type.Results != nil {
		f.call = "return " + f.call
	} else {
		f.call += "; return"
	}
	return f
}

// named lists the names of a field list as a call passes them on, and gives
// one to each that has none.
func (w *walker) named(f *function, list *ast.FieldList) (names []string) {
	add := func(at token.Pos, drop int, after string) string {
		name := fmt.Sprintf("mutant_%d", len(f.names))
		f.names = append(f.names, insert{w.offset(at), drop, name + after})
		return name
	}
	for _, field := range list.List {
		dots := ""
		if _, ok := field.Type.(*ast.Ellipsis); ok {
			dots = "..."
		}
		if field.Names == nil {
			names = append(names, add(field.Type.Pos(), 0, " ")+dots)
		}
		for _, name := range field.Names {
			if name.Name == "_" {
				names = append(names, add(name.Pos(), 1, "")+dots)
			} else {
				names = append(names, name.Name+dots)
			}
		}
	}
	return names
}

// replace notes that the text between two places may become another.
func (w *walker) replace(kind string, from, to token.Pos, text string) {
	p, end := w.fset.Position(from), w.offset(to)
	w.found = append(w.found, Mutant{Package: w.pkg, File: w.name, Line: p.Line, Column: p.Column, Kind: kind,
		Old: string(w.src[p.Offset:end]), New: text, from: p.Offset, to: end, in: w.in})
}

func (w *walker) operator(kind string, at token.Pos, old token.Token, table map[token.Token]token.Token) {
	if now, ok := table[old]; ok {
		w.replace(kind, at, at+token.Pos(len(old.String())), now.String())
	}
}

// wrap keeps n where the compiler sees it, so that no variable is left unused.
func (w *walker) wrap(kind string, n ast.Node, before, after string) {
	w.replace(kind, n.Pos(), n.End(), before+w.text(n)+after)
}

func (w *walker) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ImportSpec, *ast.ArrayType, *ast.Field: // names, lengths and tags, not steps
		return false
	case *ast.FuncDecl:
		return n.Name.Name != "String" && n.Name.Name != "GoString"
	case *ast.CallExpr:
		return !untestable(n)
	case *ast.BinaryExpr:
		w.binary(n)
	case *ast.UnaryExpr:
		if _, literal := n.X.(*ast.BasicLit); n.Op == token.NOT || n.Op == token.SUB && !literal {
			w.replace("negation", n.Pos(), n.X.Pos(), "")
		}
	case *ast.BasicLit:
		octal := len(n.Value) > 2 && strings.HasPrefix(n.Value, "0o") // the mode of a file
		if (n.Kind == token.INT || n.Kind == token.FLOAT) && !octal {
			w.wrap("constant", n, "(", " + 1)")
		}
	case *ast.Ident:
		if other, ok := map[string]string{"true": "false", "false": "true"}[n.Name]; ok {
			w.replace("constant", n.Pos(), n.End(), other)
		}
	case ast.Stmt:
		return w.statement(n)
	}
	return true
}

func (w *walker) binary(n *ast.BinaryExpr) {
	switch n.Op {
	case token.LAND:
		w.wrap("dropped condition", n.X, "(true || ", ")")
		w.wrap("dropped condition", n.Y, "(true || ", ")")
	case token.LOR:
		w.wrap("dropped condition", n.X, "(false && ", ")")
		w.wrap("dropped condition", n.Y, "(false && ", ")")
	}
	w.operator("border", n.OpPos, n.Op, borders)
	w.operator("comparison", n.OpPos, n.Op, turns)
	if !isText(n.X) && !isText(n.Y) {
		w.operator("arithmetic", n.OpPos, n.Op, arithmetic)
	}
}

// statement offers to leave a statement out, or to turn what it decides.
func (w *walker) statement(s ast.Stmt) bool {
	w.statements++
	switch s := s.(type) {
	case *ast.BlockStmt:
		w.statements--
	case *ast.ExprStmt:
		if call, ok := s.X.(*ast.CallExpr); ok && !untestable(call) {
			w.remove(s)
		}
	case *ast.DeferStmt:
		if untestable(s.Call) {
			return false
		}
		w.remove(s)
	case *ast.AssignStmt:
		if name, ok := s.Lhs[0].(*ast.Ident); s.Tok != token.DEFINE && !(ok && name.Name == "_") {
			w.remove(s)
		}
		w.operator("arithmetic", s.TokPos, s.Tok, arithmetic)
	case *ast.IncDecStmt:
		w.operator("arithmetic", s.TokPos, s.Tok, arithmetic)
	case *ast.BranchStmt:
		w.remove(s)
	case *ast.IfStmt:
		if c, ok := s.Cond.(*ast.BinaryExpr); !ok || c.Op != token.EQL && c.Op != token.NEQ { // those are turned as comparisons
			w.wrap("negation", s.Cond, "!(", ")")
		}
	case *ast.RangeStmt:
		if _, name := s.X.(*ast.Ident); name && s.Value != nil {
			w.wrap("loop bound", s.X, "", "[1:]")
		} else if s.Value == nil && s.X != nil {
			w.wrap("loop bound", s.X, "", " - 1")
		}
	case *ast.ReturnStmt:
		if n := len(s.Results); n > 0 && isError(s.Results[n-1]) {
			w.replace("nil error", s.Results[n-1].Pos(), s.Results[n-1].End(), "nil")
		}
	}
	return true
}

// remove leaves s out. The headers of if, for and switch keep theirs: there
// "if false" does not compile, and such a mutant is not counted.
func (w *walker) remove(s ast.Stmt) { w.wrap("removed statement", s, "if false { ", " }") }

// isError tells by its look whether a result is an error.
func isError(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "err"
	case *ast.CallExpr:
		return isMessage(called(e))
	}
	return false
}

// untestable tells whether a call makes a message, or changes memory and time
// alone: no test is asked to notice how.
func untestable(call *ast.CallExpr) bool {
	name := called(call)
	if name == "make" { // a slice with a length of its own counts
		_, slice := call.Args[0].(*ast.ArrayType)
		return !slice || len(call.Args) != 2
	}
	return isMessage(name) || slices.Contains([]string{"panic", "slices.Grow", "runtime.KeepAlive"}, name) ||
		strings.HasSuffix(name, ".Close") && len(call.Args) == 0
}

func isMessage(name string) bool {
	return slices.Contains([]string{"fmt.Errorf", "errors.New", "errors.Join"}, name)
}

// called is the name of the function called, as it is written.
func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			return x.Name + "." + f.Sel.Name
		}
		return "." + f.Sel.Name
	}
	return ""
}

func isText(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Kind == token.STRING
	case *ast.BinaryExpr:
		return isText(e.X) || isText(e.Y)
	}
	return false
}
