package data

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A folder that holds all others stands for the tree; files beside it are remembered by their
// paths, and are an error where they are samples.
func TestTreeWithinATree(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"outer/set/a/1.png", "outer/set/b/1.png", "outer/LICENSE", "outer/0.png"} {
		at := filepath.Join(root, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := OpenTree(root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Stat(tree, "b/1.png"); err != nil {
		t.Errorf("the tree does not begin at outer/set: %v", err)
	}
	for ending, want := range map[string]string{".png": "outer/0.png stands beside the folder outer/set,", ".wav": ""} {
		err := Beside(tree, func(name string) bool { return strings.HasSuffix(name, ending) })
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", ending, err, want)
		}
	}
}

// Samples of just a gibibyte are held by themselves; more only where it is said.
func TestWhatIsHeld(t *testing.T) {
	for _, c := range []struct {
		memory Memory
		bytes  int64
		want   bool
	}{
		{MemoryAuto, AutoMemory, true}, {MemoryAuto, AutoMemory + 1, false}, {MemoryYes, 1 << 50, true}, {MemoryNo, 1, false},
	} {
		if got := c.memory.Hold(c.bytes); got != c.want {
			t.Errorf("memory %v of %d bytes: held %v", c.memory, c.bytes, got)
		}
	}
}
