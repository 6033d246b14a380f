// Package shared finds the files of known values that stand beside the project, for tests alone:
// without them the project builds, and tests that need them skip.
package shared

import (
	"os"
	"path/filepath"
	"testing"
)

// File is the path of a file or folder of the folder shared, which is looked for from the test's
// package upwards; name is its path in there. The test is skipped where there is none.
func File(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; filepath.Dir(dir) != dir; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, "shared", filepath.FromSlash(name))
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Skipf("shared/%s is not on this machine", name)
	return ""
}
