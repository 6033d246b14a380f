//go:build unix

package voc_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"synfire/data"
	"synfire/data/voc"
)

// A named pipe among the images is an error: to open it would wait for its writer.
func TestPipe(t *testing.T) {
	dir := tree(t, map[string]string{"t/a.png": grey(t, 8, 4), "classes.txt": "dog\n"})
	if err := syscall.Mkfifo(filepath.Join(dir, "t", "b.png"), 0o600); err != nil {
		t.Skip(err)
	}
	_, _, err := voc.Boxes{Path: dir, Layout: voc.YOLO, Train: "t", Size: []int{4, 4}}.Open(t.Context(), data.Options{})
	if err == nil || !strings.Contains(err.Error(), "named pipe") {
		t.Error(err)
	}
}
