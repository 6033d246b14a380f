package command

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"

	"synfire/internal/suggest"
	"synfire/view"
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
	known := strings.Split(strings.TrimPrefix(strings.ReplaceAll(m[2], `"`, ""), ","), ",") // first may be "", of a flag that is left out
	flag, _, _ := strings.Cut(m[1], "=")
	return fmt.Errorf("%s %q: %s", flag, m[3], suggest.Names("values", m[3], known))
}

// printable is an error's text, fit for a terminal.
func printable(err error) string { return view.Clean(err.Error()) }
