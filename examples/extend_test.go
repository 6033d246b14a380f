package examples_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The module that adds kinds of its own builds and passes its tests from outside
// the tree, with nothing downloaded.
func TestExtend(t *testing.T) {
	if testing.Short() {
		t.Skip("builds another module")
	}
	run := func(args ...string) (string, error) {
		cmd := exec.Command("go", args...)
		cmd.Dir = "extend"
		cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run("list", "-deps", "./..."); err != nil && strings.Contains(out, "GOPROXY=off") {
		t.Skipf("a module that it needs is not in the cache: %s", out)
	}
	if out, err := run("test", "./..."); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
