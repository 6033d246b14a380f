package safetensors

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// foreignBytes of a file's beginning tell what it is, if it is not of the layout.
const foreignBytes = 512

// signatures are the first bytes of files that are mistaken for ones of the layout.
var signatures = []struct{ prefix, what string }{
	{"\x93NUMPY", "a NumPy array (.npy)"},
	{"PK\x03\x04", "a zip archive (.npz, .zip, or a PyTorch file)"},
	{"\x1f\x8b", "gzip"},
	{"\x89HDF\r\n\x1a\n", "HDF5 (.h5)"},
	{"\x89PNG", "a PNG image"},
	{"\xff\xd8\xff", "a JPEG image"},
	{"RIFF", "a RIFF file (.wav)"},
	{"\x80\x02", "a Python pickle"},
	{"\x80\x04", "a Python pickle"},
	{"{", "JSON"},
	{"[", "JSON"},
}

// foreign is what a file is that begins with head, empty where that is unknown.
func foreign(head []byte) string {
	if len(head) > lengthBytes && head[lengthBytes] == '{' {
		return "" // of the layout, and damaged
	}
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.prefix)) {
			return s.what
		}
	}
	if isText(head) {
		return "a text, such as YAML or CSV"
	}
	return ""
}

// isText reports whether a beginning is one of a text, whose last rune may be cut.
func isText(head []byte) bool {
	for i := 0; i < len(head); {
		r, n := utf8.DecodeRune(head[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			return i > 0 && !utf8.FullRune(head[i:])
		case unicode.IsControl(r) && !unicode.IsSpace(r):
			return false
		}
		i += n
	}
	return len(head) > 0
}
