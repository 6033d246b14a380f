package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestWrap(t *testing.T) {
	if got := wrap("  one two\nthree  µέγα ", 8); strings.Join(got, "|") != "one two|three|µέγα" {
		t.Errorf("%q", got)
	}
}

// What would steer a terminal is written out, in pieces too, and JSON keeps its value.
func TestCleaner(t *testing.T) {
	const name = "a\x1b[31mb\u202ec\u0085d\x7fé"
	raw, err := json.Marshal(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{name, string(raw)} {
		var out bytes.Buffer
		c := &cleaner{to: &out}
		for i := range len(text) {
			if n, err := c.Write([]byte(text[i : i+1])); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		if got := out.String(); strings.ContainsAny(got, "\x1b\u202e\u0085\x7f") || !strings.Contains(got, "é") {
			t.Errorf("%q became %q", text, got)
		}
		var back string
		if text != name && (json.Unmarshal(out.Bytes(), &back) != nil || back != name) {
			t.Errorf("JSON became %q", out.String())
		}
	}
	var out bytes.Buffer
	styled := &cleaner{to: &out, styled: true}
	if _, err := styled.Write([]byte(Bold + "a" + plain + "\x1b]0;x\x07\xff")); err != nil || out.String() != Bold+"a"+plain+`\u001b]0;x\u0007\u00ff` {
		t.Errorf("styled: %q", out.String())
	}
}

// No stream of a screen passes escapes of names from outside, standard error neither.
func TestEscapesOnStandardError(t *testing.T) {
	const name = "a\x1b[31mb\u202ec"
	var out, errOut bytes.Buffer
	s := NewScreen(&out, &errOut)
	s.Live = true
	fmt.Fprintln(s.Out, name)
	fmt.Fprintln(s.Err, name)
	NewProgress(s).Warn(name)
	if got := out.String() + errOut.String(); strings.ContainsAny(got, "\x1b\u202e") || strings.Count(got, `a\u001b[31mb\u202ec`) != 3 {
		t.Errorf("%q", got)
	}
	errOut.Reset()
	s.Status("%s", name)
	if got := errOut.String(); got != "\r\x1b[K"+`a\u001b[31mb\u202ec` {
		t.Errorf("status: %q", got)
	}
}
