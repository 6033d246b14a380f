package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// system is what Write needs of a file system; tests replace it to make single
// calls fail.
type system interface {
	Lstat(path string) (fs.FileInfo, error)
	EvalSymlinks(path string) (string, error)
	Create(path string) (file, error) // fails with fs.ErrExist where path exists
	Rename(from, to string) error
	Remove(path string) error
	SyncDir(dir string) error
}

type file interface {
	io.WriteCloser
	Chmod(fs.FileMode) error
	Sync() error
}

// disk is the operating system's file system.
type disk struct{}

func (disk) Lstat(path string) (fs.FileInfo, error)   { return os.Lstat(path) }
func (disk) EvalSymlinks(path string) (string, error) { return filepath.EvalSymlinks(path) }
func (disk) Rename(from, to string) error             { return os.Rename(from, to) }
func (disk) Remove(path string) error                 { return os.Remove(path) }

func (disk) Create(path string) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

// SyncDir flushes a directory. Some file systems (network shares among them)
// do not know that operation; there is nothing to flush on them.
func (disk) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, d.Close())
}
