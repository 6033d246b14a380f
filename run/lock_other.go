//go:build !unix

package run

import (
	"fmt"
	"os"
	"path/filepath"
)

// lockFile makes a file that must not exist. A process that is killed leaves
// it behind: the error says so.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("another process is using it (%w); if none is, remove the file lock in it", err)
	}
	return f, nil
}

func unlockFile(f *os.File) error {
	err := f.Close()
	if rm := os.Remove(f.Name()); err == nil {
		err = rm
	}
	return err
}

// InUse reports whether a process writes to the directory of a run.
func InUse(path string) bool {
	_, err := os.Stat(filepath.Join(path, lockName))
	return err == nil
}
