package synfire

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// failing are the methods by which a test fails.
var failing = map[string]bool{"Error": true, "Errorf": true, "Fatal": true, "Fatalf": true, "Fail": true, "FailNow": true}

// Every test can fail: a statement that fails it stands in it, or in a function of its
// package's tests that it names, or a check of snntest does. A test that runs code to
// see it not panic says what it should have come to.
func TestEveryTestCanFail(t *testing.T) {
	packages := map[string]map[string]*ast.FuncDecl{}
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := filepath.Dir(path)
		if packages[dir] == nil {
			packages[dir] = map[string]*ast.FuncDecl{}
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				packages[dir][fn.Name.Name] = fn
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := 0
	for dir, functions := range packages {
		for name := range functions {
			if !strings.HasPrefix(name, "Test") && !strings.HasPrefix(name, "Fuzz") || name == "TestMain" {
				continue
			}
			if tests++; !canFail(functions, name, map[string]bool{}) {
				t.Errorf("%s: %s has no statement that fails it", dir, name)
			}
		}
	}
	if tests < 500 {
		t.Errorf("only %d tests were found", tests)
	}
}

// canFail looks for a failing statement in a function and in those that it names.
func canFail(functions map[string]*ast.FuncDecl, name string, seen map[string]bool) (found bool) {
	fn := functions[name]
	if fn == nil || seen[name] {
		return false
	}
	seen[name] = true
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			x, _ := n.X.(*ast.Ident)
			found = found || x != nil && (failing[n.Sel.Name] && len(x.Name) <= 2 || x.Name == "snntest") || canFail(functions, n.Sel.Name, seen)
		case *ast.Ident:
			found = found || canFail(functions, n.Name, seen)
		}
		return !found
	})
	return found
}
