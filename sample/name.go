package sample

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable is a text from outside, as a file's name, fit to be printed: what
// would steer a terminal or turn the direction of writing is replaced by its
// escape, as \x1b.
func Printable(s string) string { return printable(s, "") }

// PrintableText is Printable of text of several lines: line breaks and tabs pass.
func PrintableText(s string) string { return printable(s, "\n\t") }

func printable(s, pass string) string {
	steers := func(r rune) bool { return hidden(r) && !strings.ContainsRune(pass, r) }
	if utf8.ValidString(s) && strings.IndexFunc(s, steers) < 0 {
		return s
	}
	var out strings.Builder
	for _, r := range s {
		if steers(r) || r == utf8.RuneError {
			quoted := strconv.QuoteToASCII(string(r))
			out.WriteString(quoted[1 : len(quoted)-1])
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// CheckName returns an error for what is no name of a class or a target: an empty
// text, one that is no UTF-8, one with control characters, line breaks or marks of
// the direction of writing.
func CheckName(s string) error {
	switch {
	case strings.TrimSpace(s) == "":
		return fmt.Errorf("the name %q is empty; give each a name", s)
	case !utf8.ValidString(s):
		return fmt.Errorf("the name %s is no UTF-8; convert the file to UTF-8", strconv.QuoteToASCII(s))
	case strings.IndexFunc(s, hidden) >= 0:
		return fmt.Errorf("the name %s has a control character; take it out", strconv.QuoteToASCII(s))
	}
	return nil
}

// hidden tells the runes that do something rather than being seen.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}
