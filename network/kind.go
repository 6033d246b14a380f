package network

import (
	"reflect"
	"strings"
	"unicode"

	"synfire/layer"
)

// Kind is the name of a layer's kind as files of runs have it: batch-norm of layer.BatchNorm. A test of
// package model holds it against the table of kinds.
func Kind(l layer.Layer) string {
	t := reflect.TypeOf(l)
	if t == nil {
		return "none"
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return kindName(strings.ReplaceAll(t.Name(), "ReLU", "Relu"))
}

// kindName is a Go name in small letters, with dashes before words that begin within it.
func kindName(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) && unicode.IsLower(rune(name[i-1])) {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
