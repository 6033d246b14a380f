package main

import (
	"bytes"
	"strings"
	"testing"

	"synfire/catalog"
)

// The schema in the tree is the one of the table of kinds and the comments of
// today.
func TestSchemaIsUpToDate(t *testing.T) {
	got, err := generate("../..")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, catalog.Schema()) {
		t.Errorf("%s is not what the code says; write it anew with: go generate .", catalog.SchemaFile)
	}
}

func TestAbout(t *testing.T) {
	const text = "LIF leaks. Beta in [0, 1] is the part that\nremains, e.g. 0.9. Strict fires above θ.\n\n\tu = Beta·v\n\nWith Strict and Beta nothing changes."
	for field, want := range map[string]string{
		"Beta":   "Beta in [0, 1] is the part that remains, e.g. 0.9. With Strict and Beta nothing changes.",
		"Strict": "Strict fires above θ. With Strict and Beta nothing changes.",
		"Reset":  "",
	} {
		if got := about(text, field); got != want {
			t.Errorf("%s: %q, want %q", field, got, want)
		}
	}
	c := &comments{root: "no such folder", packages: map[string]docs{}}
	if _, err := catalog.Default().Schema(c.of); err != nil || c.err == nil || !strings.Contains(c.err.Error(), "no such") {
		t.Errorf("without sources: %v, %v", err, c.err)
	}
}
