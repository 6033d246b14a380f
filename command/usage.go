package command

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/kong"

	"synfire/internal/suggest"
)

// maxThreads is the most threads that may be asked for.
const maxThreads = 1024

// checkThreads looks at the flag of that name, of whatever verb.
func checkThreads(cmd *kong.Context) error {
	for _, f := range cmd.Flags() {
		if f.Name != "threads" || !f.Target.CanInt() {
			continue
		}
		if n := f.Target.Int(); n < 0 || n > maxThreads {
			return usageError{fmt.Errorf("--threads %d: want 1 to %d, or 0 for one for each processor", n, maxThreads)}
		}
	}
	return nil
}

// verbOf is the verb that a mistake was made in, as it is typed; cmd is nil where the
// line could not be parsed.
func verbOf(cmd *kong.Context, err error) string {
	var p *kong.ParseError
	if errors.As(err, &p) {
		cmd = p.Context
	}
	verb := cmd.Model.FullPath()
	for _, at := range cmd.Path {
		if at.Command != nil {
			verb = at.Command.FullPath()
		}
	}
	return verb
}

var oneOf = regexp.MustCompile(`^(.*) must be one of (.*) but got "(.*)"$`)

// mistake is an error of the command line with the word that was probably meant.
func mistake(err error) error {
	m := oneOf.FindStringSubmatch(err.Error())
	if m == nil {
		return err
	}
	known := strings.Split(strings.ReplaceAll(m[2], `"`, ""), ",")
	flag, _, _ := strings.Cut(m[1], "=")
	return fmt.Errorf("%s %q: %s", flag, m[3], suggest.Names("values", m[3], known))
}

// printable is an error's text, fit for a terminal.
func printable(err error) string {
	var b strings.Builder
	_, _ = (&cleaner{to: &b}).Write([]byte(err.Error()))
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
		case r == utf8.RuneError && n == 1 || r != '\n' && r != '\t' && steers(r):
			if n == 1 {
				r = rune(text[0])
			}
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

var styles = regexp.MustCompile("^\x1b\\[(0|1|2|31|32|33)m")

func steers(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}
