// Package atomicfile replaces a file in one step: a reader, or a machine that
// loses power, sees either the whole old file or the whole new one.
//
// The new content goes to a temporary file in the same directory, is flushed
// to the disk, and is then renamed over the target; the directory is flushed
// last, so that the new name itself survives a power cut.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
)

const (
	bufferBytes = 1 << 16
	maxTemps    = 1000 // temporary files of one target before Write gives up
)

// Write replaces the file at path by what write produces. The writer that it
// passes on is buffered. A new file gets mode 0666 less the umask; an existing
// file keeps its mode, and a symbolic link keeps pointing at the file that is
// replaced.
//
// On any failure before the rename the temporary file is removed and the old
// file is as it was. Errors name the path, wrap their cause (an error of write
// included) and say one thing to try.
func Write(path string, write func(io.Writer) error) error {
	return writeOn(disk{}, path, write)
}

// writeOn is Write on any file system.
func writeOn(sys system, path string, write func(io.Writer) error) error {
	target, old, err := resolve(sys, path)
	if err != nil {
		return failure("find", path, err)
	}
	temp, name, err := createTemp(sys, target)
	if err != nil {
		return failure("create a temporary file for", path, err)
	}
	renamed := false
	defer func() { // also when write panics
		if !renamed {
			temp.Close()
			sys.Remove(name)
		}
	}()
	if err := fill(temp, old, write); err != nil {
		return failure("write", path, err)
	}
	if err := sys.Rename(name, target); err != nil {
		return failure("rename the temporary file to", path, err)
	}
	renamed = true
	if err := sys.SyncDir(filepath.Dir(target)); err != nil {
		return fmt.Errorf("atomicfile: flush the directory of %s: %w (the new file is in place, but may be lost in a power cut; write it again)", path, err)
	}
	return nil
}

// resolve follows symbolic links and returns the file to replace, and what is
// known of it where it exists.
func resolve(sys system, path string) (target string, old fs.FileInfo, err error) {
	if _, err := sys.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return path, nil, nil
	} else if err != nil {
		return "", nil, err
	}
	target, err = sys.EvalSymlinks(path)
	if err != nil {
		return "", nil, err
	}
	old, err = sys.Lstat(target)
	if err != nil {
		return "", nil, err
	}
	if !old.Mode().IsRegular() {
		return "", nil, errNotRegular
	}
	return target, old, nil
}

// createTemp creates a hidden file beside target. Numbered names instead of
// random ones keep the mode and the umask in the hands of one open call, and
// show a reader of the directory which file a killed process left behind.
func createTemp(sys system, target string) (file, string, error) {
	dir, base := filepath.Split(target)
	for i := range maxTemps {
		name := filepath.Join(dir, fmt.Sprintf(".%s.%d.tmp", base, i))
		f, err := sys.Create(name)
		if !errors.Is(err, fs.ErrExist) {
			return f, name, err
		}
	}
	return nil, "", fmt.Errorf("%d temporary files .%s.*.tmp exist already", maxTemps, base)
}

// tempForm is how createTemp names files.
var tempForm = regexp.MustCompile(`^\..+\.[0-9]{1,3}\.tmp$`)

// Clean removes the temporary files that killed processes left in a directory, where
// there are any. Nobody else may write there meanwhile.
func Clean(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if err == nil && e.Type().IsRegular() && tempForm.MatchString(e.Name()) {
			err = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
	if err != nil {
		return fmt.Errorf("atomicfile: remove temporary files: %w", err)
	}
	return nil
}

// fill writes the content, flushes it to the disk and closes the file.
func fill(f file, old fs.FileInfo, write func(io.Writer) error) error {
	if old != nil {
		if err := f.Chmod(old.Mode().Perm()); err != nil {
			return err
		}
	}
	w := bufio.NewWriterSize(f, bufferBytes)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

var errNotRegular = errors.New("it is not a regular file")

func failure(op, path string, err error) error {
	return fmt.Errorf("atomicfile: %s %s: %w (%s)", op, path, err, advice(err))
}

func advice(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "the old file is untouched; free some space or write to another disk"
	case errors.Is(err, errNotRegular), errors.Is(err, syscall.EISDIR):
		return "name a file, not a directory or a device"
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return "make the directory writable or choose another one"
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return "create the directory first"
	case errors.Is(err, syscall.ENAMETOOLONG):
		return "choose a shorter file name"
	}
	return "the old file is untouched; correct the cause and write again"
}
