package command

import (
	"strings"
	"testing"
)

// A mistake on the command line names what was probably meant and the verb's own help.
func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"compare", "--metric", "cka-lineer", "a", "b"}, []string{`did you mean "cka-linear"?`, "Try: synfire compare --help"}},
		{[]string{"data", "get"}, []string{"Try: synfire data get --help"}},
		{[]string{"convert", "x", "--reset", "soft"}, []string{"known values: subtract, zero"}},
		{[]string{"rum"}, []string{"Try: synfire --help"}},
		{[]string{"eval", "x", "--threads=-1"}, []string{"--threads -1", "Try: synfire eval --help"}},
		{[]string{"train", "x", "--threads", "100000"}, []string{"--threads 100000", "1024"}},
		{[]string{"kinds", "atan"}, []string{`did you mean "arctan"?`}},
		{[]string{"kinds", "leaky"}, []string{`did you mean "lif"?`}},
	} {
		_, stderr, code := command(c.args...)
		for _, want := range c.want {
			if code != exitUsage || !strings.Contains(stderr, want) {
				t.Errorf("%v: exit code %d, %s, want %q", c.args, code, stderr, want)
			}
		}
	}
	for _, args := range [][]string{{"version"}, {"--version"}} {
		if stdout, _, code := command(args...); code != 0 || !strings.HasPrefix(stdout, "synfire "+version) {
			t.Errorf("%v: exit code %d, %s", args, code, stdout)
		}
	}
}
