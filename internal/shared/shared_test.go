package shared_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"synfire/internal/shared"
)

// The folder is found above the package; what is not in it skips the test.
func TestFile(t *testing.T) {
	root := t.TempDir()
	below, want := filepath.Join(root, "a", "b"), filepath.Join(root, "shared", "cases", "x.txt")
	if err := errors.Join(os.MkdirAll(below, 0o755), os.MkdirAll(filepath.Dir(want), 0o755), os.WriteFile(want, nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	t.Chdir(below)
	var got string
	t.Run("there", func(t *testing.T) { got = shared.File(t, "cases/x.txt") })
	if got != want {
		t.Errorf("%q, want %s", got, want)
	}
	skipped, ran := false, false
	t.Run("not there", func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		shared.File(t, "cases/none.txt")
		ran = true
	})
	if !skipped || ran {
		t.Errorf("what is not there: skipped %v, went on %v", skipped, ran)
	}
}
