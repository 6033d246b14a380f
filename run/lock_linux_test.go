package run

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// A finished run in a folder that cannot be written to is done, and not running.
func TestFinishedRunInUnwritableFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	open(t, dir, false).Close()
	put(t, filepath.Join(dir, resultFile), result)
	if err := os.Chmod(filepath.Join(dir, lockName), 0o444); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{filepath.Dir(filepath.Dir(dir)), filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o555); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(d, 0o755)
	}
	if os.Geteuid() == 0 { // who may write everywhere, becomes for files somebody else
		runtime.LockOSThread() // and never unlocked: the thread ends with the test
		const nobody = 65534
		if _, _, e := syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0); e != 0 {
			t.Skip(e)
		}
		defer syscall.RawSyscall(syscall.SYS_SETFSUID, 0, 0, 0)
	}
	if f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR, 0); err == nil {
		f.Close()
		t.Skip("the lock can be written to all the same")
	}
	if r, err := Read(dir); err != nil || r.Status != Done {
		t.Errorf("%s, %v", r.Status, err)
	}
}
