// Package magic tells what a file is by how it begins, for errors about files of
// another format than was expected.
package magic

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Bytes of a file's beginning are enough for What.
const Bytes = 512

// signatures are the first bytes of files.
var signatures = []struct {
	at           int
	prefix, what string
}{
	{0, "\x93NUMPY", "a NumPy array (.npy)"},
	{0, "PK\x03\x04", "a zip archive (.npz, .zip, or a PyTorch file)"},
	{0, "PK\x05\x06", "an empty zip archive"},
	{0, "\x1f\x8b", "gzip"},
	{0, "BZh", "bzip2"},
	{0, "\xfd7zXZ\x00", "xz"},
	{0, "\x28\xb5\x2f\xfd", "zstd"},
	{257, "ustar", "a tar archive"},
	{0, "\x89HDF\r\n\x1a\n", "HDF5 (.h5)"},
	{0, "MATLAB 5.0", "a MATLAB file (.mat)"},
	{0, "\x89PNG", "a PNG image"},
	{0, "\xff\xd8\xff", "a JPEG image"},
	{0, "GIF8", "a GIF image"},
	{8, "WAVE", "a sound (.wav)"},
	{0, "RIFF", "a RIFF file"},
	{0, "ID3", "a sound (.mp3)"},
	{0, "fLaC", "a sound (.flac)"},
	{0, "OggS", "a sound (.ogg)"},
	{0, "%PDF", "a PDF document"},
	{0, "SQLite format 3\x00", "an SQLite data base"},
	{0, "PAR1", "a Parquet table"},
	{0, "\x7fELF", "a program"},
	{0, "\x80\x02", "a Python pickle"},
	{0, "\x80\x03", "a Python pickle"},
	{0, "\x80\x04", "a Python pickle"},
	{0, "\x80\x05", "a Python pickle"},
	{0, "\x00\x00\x08", "an IDX array"},
	{8, "{\"", "safetensors"},
	{0, "<?xml", "XML"},
	{0, "<!", "HTML"},
	{0, "<html", "HTML"},
	{0, "{", "JSON"},
	{0, "[", "JSON"},
}

// What is what a file is that begins with head, as "a NumPy array (.npy)"; empty where
// that is unknown.
func What(head []byte) string {
	if len(head) == 0 {
		return "empty"
	}
	for _, s := range signatures {
		if len(head) > s.at && bytes.HasPrefix(head[s.at:], []byte(s.prefix)) {
			return s.what
		}
	}
	if IsText(head) {
		return "a text, such as YAML or CSV"
	}
	return ""
}

// Found is what a file is, or else the bytes that it begins with.
func Found(head []byte) string {
	if what := What(head); what != "" {
		return what
	}
	return fmt.Sprintf("of no known format and begins with the bytes % x", head[:min(len(head), 8)])
}

// IsText reports whether a beginning is one of a text, whose last rune may be cut.
func IsText(head []byte) bool {
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
