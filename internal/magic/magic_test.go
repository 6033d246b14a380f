package magic_test

import (
	"fmt"
	"strings"
	"testing"

	"synfire/internal/magic"
)

func TestWhat(t *testing.T) {
	for head, want := range map[string]string{
		"":                             "empty",
		"\x93NUMPY\x01\x00":            "a NumPy array (.npy)",
		"PK\x03\x04":                   "a zip archive (.npz, .zip, or a PyTorch file)",
		"RIFF\x00\x00\x00\x00WAVEfmt ": "a sound (.wav)",
		"\x40\x00\x00\x00\x00\x00\x00\x00{\"a\":": "safetensors",
		"seed: 1\n":    "a text, such as YAML or CSV",
		"größe":        "a text, such as YAML or CSV",
		"gr\xc3":       "a text, such as YAML or CSV", // cut within a rune
		`{"a":1}`:      "JSON",
		"[1]":          "JSON",
		"<?xml ?>":     "XML",
		"<!doctype":    "HTML",
		"<html>":       "HTML",
		"GIF89a":       "a GIF image",
		"%PDF-1.7":     "a PDF document",
		"\x00\x01\x02": "",
		"\x1b[31mred":  "",
	} {
		if got := magic.What([]byte(head)); got != want {
			t.Errorf("%q: %q, want %q", head, got, want)
		}
	}
	if magic.IsText(nil) {
		t.Error("nothing is no text")
	}
	if tar := strings.Repeat("\x00", 257) + "ustar\x00"; magic.What([]byte(tar)) != "a tar archive" {
		t.Error("tar is not known")
	}
}

func ExampleFound() {
	fmt.Println("the file is " + magic.Found([]byte("\x93NUMPY\x01\x00")))
	fmt.Println("the file is " + magic.Found([]byte{1, 2, 3}))
	// Output:
	// the file is a NumPy array (.npy)
	// the file is of no known format and begins with the bytes 01 02 03
}
