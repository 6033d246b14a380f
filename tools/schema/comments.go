package main

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
)

// comments finds what the source says of types and fields.
type comments struct {
	root     string
	packages map[string]docs
	err      error // the first
}

// docs are the texts of a package: of "Type" and of "Type.Field".
type docs map[string]string

// of is a yaml.Doc.
func (c *comments) of(t reflect.Type, field string) string {
	path, ours := strings.CutPrefix(t.PkgPath(), "synfire/")
	if !ours {
		return ""
	}
	d, ok := c.packages[path]
	if !ok {
		var err error
		if d, err = read(filepath.Join(c.root, path)); err != nil && c.err == nil {
			c.err = err
		}
		c.packages[path] = d
	}
	if field == "" {
		return d[t.Name()]
	}
	texts := []string{}
	for _, text := range []string{d[t.Name()+"."+field], about(d[t.Name()], field)} {
		if text != "" {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, "\n\n")
}

// read parses the package in a folder.
func read(dir string) (docs, error) {
	pkgs, err := parser.ParseDir(token.NewFileSet(), dir, func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	d := docs{}
	for _, pkg := range pkgs {
		for _, t := range doc.New(pkg, dir, doc.AllDecls|doc.PreserveAST).Types {
			d[t.Name] = strings.TrimSpace(t.Doc)
			for _, s := range t.Decl.Specs {
				d.fields(s)
			}
		}
	}
	return d, nil
}

// fields takes the comments at the fields of a struct.
func (d docs) fields(s ast.Spec) {
	spec := s.(*ast.TypeSpec)
	body, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range body.Fields.List {
		text := strings.TrimSpace(f.Doc.Text() + f.Comment.Text())
		for _, name := range f.Names {
			d[spec.Name.Name+"."+name.Name] = text
		}
	}
}

// about are the sentences of a type's comment that speak of a field. Equations,
// which are indented, are left out.
func about(text, field string) string {
	word := regexp.MustCompile(`\b` + field + `\b`)
	var found []string
	for _, paragraph := range strings.Split(text, "\n\n") {
		if strings.HasPrefix(paragraph, "\t") {
			continue
		}
		for _, sentence := range sentences(strings.Join(strings.Fields(paragraph), " ")) {
			if word.MatchString(sentence) {
				found = append(found, sentence)
			}
		}
	}
	return strings.Join(found, " ")
}

// sentences cuts a paragraph behind each full stop that a capital follows.
func sentences(text string) (all []string) {
	end := regexp.MustCompile(`\. [A-Z]`)
	for {
		at := end.FindStringIndex(text)
		if at == nil {
			return append(all, text)
		}
		all, text = append(all, text[:at[0]+1]), text[at[0]+2:]
	}
}
