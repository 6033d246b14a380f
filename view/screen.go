// Package view is what verbs print for people: styles, columns, bars of progress, and the
// tables of results. What it prints of files and names from outside cannot steer the
// terminal.
package view

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// The terminal's styles, by the codes that follow the reader's own theme.
const (
	Bold   = "\x1b[1m"
	Dim    = "\x1b[2m"
	Red    = "\x1b[31m"
	Green  = "\x1b[32m"
	Yellow = "\x1b[33m"
	plain  = "\x1b[0m"
)

var styles = regexp.MustCompile("^\x1b\\[(0|1|2|31|32|33)m")

// Screen is where a command prints. What is written to Out and Err is cleaned of all
// that would steer a terminal.
type Screen struct {
	Out, Err io.Writer
	Color    bool // of Out
	Live     bool // progress on Err
	Width    int  // columns
	Height   int  // lines that a table may fill: those of a terminal, many elsewhere

	raw io.Writer // the stream below Err, for progress alone
}

// widest is the width of text that is read with ease.
const widest = 100

// longest is how many lines of a table are printed where no terminal is: enough to read,
// no more than an editor takes.
const longest = 1000

// NewScreen looks at what the streams are. NO_COLOR and TERM=dumb take the colours away.
func NewScreen(out, errOut io.Writer) Screen {
	s := Screen{Err: &cleaner{to: errOut}, raw: errOut, Width: widest, Height: longest}
	if f, ok := errOut.(*os.File); ok {
		s.Live = term.IsTerminal(int(f.Fd()))
	}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		s.Color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
		if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 { // some terminals do not tell
			s.Width = min(w, widest)
			if h > 0 {
				s.Height = max(8, h-4) // the lines around it
			}
		}
	}
	s.Out = &cleaner{to: out, styled: s.Color}
	return s
}

// Style is text in a style, where the output shows any.
func (s Screen) Style(code, text string) string {
	if !s.Color || code == "" || text == "" {
		return text
	}
	return code + text + plain
}

// Paragraph prints text in lines of the terminal's width, indented.
func (s Screen) Paragraph(indent int, text string) {
	for _, line := range wrap(text, s.Width-indent) {
		fmt.Fprintf(s.Out, "%*s%s\n", indent, "", line)
	}
}

// wrap breaks text between words into lines of at most width columns; a word that is
// longer has a line of its own.
func wrap(text string, width int) (lines []string) {
	for _, word := range strings.Fields(text) {
		last := len(lines) - 1
		if last >= 0 && utf8.RuneCountInString(lines[last])+1+utf8.RuneCountInString(word) <= width {
			lines[last] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}

// Status shows a line on a terminal in place of the one before; "" removes it.
func (s Screen) Status(format string, args ...any) {
	if s.Live {
		fmt.Fprint(s.raw, "\r\x1b[K"+Clean(fmt.Sprintf(format, args...)))
	}
}

// Clean is text fit for a terminal.
func Clean(text string) string {
	var b strings.Builder
	_, _ = (&cleaner{to: &b}).Write([]byte(text))
	return b.String()
}

// cleaner passes on text and JSON in which what would steer a terminal or turn the
// direction of writing, as it may stand in files and names from outside, is written
// as \u001b. Line breaks and tabs pass.
type cleaner struct {
	to     io.Writer
	styled bool   // the styles of this package pass
	rest   []byte // the beginning of a rune
}

func (c *cleaner) Write(p []byte) (int, error) {
	text := append(c.rest, p...)
	var out []byte
	for len(text) > 0 && utf8.FullRune(text) {
		if code := styles.Find(text); c.styled && code != nil {
			out, text = append(out, code...), text[len(code):]
			continue
		}
		r, n := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && n == 1:
			out = fmt.Appendf(out, `\u%04x`, text[0])
		case r != '\n' && r != '\t' && steers(r):
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = append(out, text[:n]...)
		}
		text = text[n:]
	}
	c.rest = append([]byte(nil), text...)
	if _, err := c.to.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

func steers(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}
