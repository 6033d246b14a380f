package command

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestComplete(t *testing.T) {
	for _, c := range []struct {
		words []string
		want  string // one of the lines
		not   string
	}{
		{[]string{""}, "run", "complete"},
		{[]string{"ru"}, "runs", "train"},
		{[]string{"run", "quick"}, "quickstart", "--seed"},
		{[]string{"run", "quickstart", "--sc"}, "--scale", "--seed"},
		{[]string{"run", "quickstart", "--scale", "s"}, "smoke", "full"},
		{[]string{"data", ""}, "verify", "run"},
		{[]string{"data", "get", "mn"}, "mnist", "quickstart"},
		{[]string{"eval", "x.safetensors", "--data", ""}, "mnist-sample", "train"},
		{[]string{"papers", "eq"}, "eqprop-2017", "rmp-2020"},
		{[]string{"completion", ""}, "fish", "run"},
	} {
		stdout, stderr, code := command(append([]string{"complete", "--"}, c.words...)...)
		lines := strings.Fields(stdout)
		if code != 0 || !slices.Contains(lines, c.want) || slices.Contains(lines, c.not) {
			t.Errorf("%q: exit code %d, %q, want %s and not %s; %s", c.words, code, lines, c.want, c.not, stderr)
		}
	}
	if stdout, _, code := command("complete", "--", "train", "ne"); stdout != "" || code != 0 {
		t.Errorf("a file is wanted, offered: %s", stdout)
	}
}

// Each shell that is installed here accepts its script.
func TestCompletionScripts(t *testing.T) {
	for shell, check := range map[string][]string{"bash": {"-n"}, "zsh": {"-n"}, "fish": {"--no-execute"}} {
		stdout, _, code := command("completion", shell)
		if code != 0 || !strings.Contains(stdout, "synfire complete --") {
			t.Errorf("%s: exit code %d, %s", shell, code, stdout)
		}
		if _, err := exec.LookPath(shell); err != nil {
			t.Logf("%s is not installed", shell)
			continue
		}
		if out, err := exec.Command(shell, append(check, write(t, "script", stdout))...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", shell, err, out)
		}
	}
}
