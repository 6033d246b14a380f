package atomicfile

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// A folder is made and left empty; a file in its place, and one that takes no files, are errors.
func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	for range 2 {
		if err := Folder(dir); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if Folder(file) == nil {
		t.Error("a file in its place")
	}
	if runtime.GOOS == "linux" && Folder("/proc/self") == nil {
		t.Error("a folder that takes no files")
	}
}
