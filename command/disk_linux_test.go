package command

import (
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A run on a disk that becomes full ends with one clear error and nothing half
// written; with space it goes on to the same weights. A disk that may not be
// written to is said so.
func TestFullAndReadOnlyDisk(t *testing.T) {
	disk := t.TempDir()
	mount := func(flags uintptr, options string) {
		if err := syscall.Mount("tmpfs", disk, "tmpfs", flags, options); err != nil {
			t.Skipf("needs the right to mount a file system: %v", err)
		}
	}
	mount(0, "size=128k")
	defer syscall.Unmount(disk, 0)
	file, out := write(t, "net.yaml", killNet), filepath.Join(disk, "run")
	args := func(out string) []string {
		return []string{"train", file, "--out", out, "--resume", "--save", "7", "--threads", "2", "--json"}
	}
	if _, stderr, code := command(args(out)...); code != 1 || !strings.Contains(stderr, "no space left") || !strings.Contains(stderr, "free some space") {
		t.Errorf("full disk: exit code %d: %s", code, stderr)
	}
	filepath.WalkDir(disk, func(path string, d fs.DirEntry, err error) error {
		if err != nil || strings.HasSuffix(path, ".tmp") {
			t.Errorf("left behind: %s, %v", path, err)
		}
		return nil
	})
	mount(syscall.MS_REMOUNT, "size=16m")
	got, want := finish(t, args(out)), finish(t, args(filepath.Join(t.TempDir(), "plain")))
	if got.WeightsSHA256 != want.WeightsSHA256 {
		t.Errorf("resumed with space: weights %s, want %s", got.WeightsSHA256, want.WeightsSHA256)
	}
	mount(syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
	if _, stderr, code := command(args(filepath.Join(disk, "other"))...); code != 1 || !strings.Contains(stderr, "read-only") || !strings.Contains(stderr, "--out") {
		t.Errorf("read-only disk: exit code %d: %s", code, stderr)
	}
}
