//go:build unix

package detection

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A named pipe among the pictures of a folder does not make those behind it wait.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	blank(t, filepath.Join(dir, "b.png"), 8, 4)
	if err := syscall.Mkfifo(filepath.Join(dir, "a.png"), 0o600); err != nil {
		t.Skip(err)
	}
	text, errs, err := run(t, Detect{Model: trained(t), Images: []string{dir}, Score: 0.5, Threads: 1})
	if err == nil || !strings.Contains(err.Error(), "1 of 2 pictures failed") || !strings.Contains(errs, "named pipe") || !strings.Contains(text, "b.png") {
		t.Errorf("%v\n%s%s", err, text, errs)
	}
}
