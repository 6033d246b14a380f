package atomicfile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// faulty is the disk with faults: writing fails after room bytes, and each
// named operation returns its error.
type faulty struct {
	disk
	room  int
	fails map[string]error
	calls []string
}

func (s *faulty) op(name string) error {
	s.calls = append(s.calls, name)
	return s.fails[name]
}

func (s *faulty) Create(path string) (file, error) {
	if err := s.op("create"); err != nil {
		return nil, err
	}
	f, err := s.disk.Create(path)
	if err != nil {
		return nil, err
	}
	return &faultyFile{f, s}, nil
}

func (s *faulty) Rename(from, to string) error {
	if err := s.op("rename"); err != nil {
		return err
	}
	return s.disk.Rename(from, to)
}

func (s *faulty) SyncDir(dir string) error {
	if err := s.op("sync directory"); err != nil {
		return err
	}
	return s.disk.SyncDir(dir)
}

type faultyFile struct {
	file
	sys *faulty
}

func (f *faultyFile) Write(p []byte) (int, error) {
	f.sys.op("write")
	if len(p) > f.sys.room {
		n, _ := f.file.Write(p[:f.sys.room])
		f.sys.room = 0
		return n, syscall.ENOSPC
	}
	f.sys.room -= len(p)
	return f.file.Write(p)
}

func (f *faultyFile) Sync() error {
	if err := f.sys.op("sync"); err != nil {
		return err
	}
	return f.file.Sync()
}

func (f *faultyFile) Close() error {
	err := f.file.Close()
	if fault := f.sys.op("close"); fault != nil {
		return fault
	}
	return err
}

func content(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func TestFaultsLeaveTheOldFile(t *testing.T) {
	errDisk := errors.New("disk is on fire")
	big := strings.Repeat("x", 3*bufferBytes)
	tests := []struct {
		name  string
		room  int
		fails map[string]error
		text  string
		cause error
		want  []string
	}{
		{"no room at all", 0, nil, "new", syscall.ENOSPC, []string{"free some space"}},
		{"room for a part", bufferBytes + 7, nil, big, syscall.ENOSPC, []string{"free some space"}},
		{"flush to disk", 1 << 30, map[string]error{"sync": errDisk}, "new", errDisk, []string{"write ", "untouched"}},
		{"close", 1 << 30, map[string]error{"close": syscall.EDQUOT}, "new", syscall.EDQUOT, []string{"free some space"}},
		{"rename", 1 << 30, map[string]error{"rename": syscall.EACCES}, "new", syscall.EACCES, []string{"rename", "writable"}},
		{"create", 1 << 30, map[string]error{"create": syscall.EROFS}, "new", syscall.EROFS, []string{"temporary file", "writable"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "model")
			if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
				t.Fatal(err)
			}
			err := writeOn(&faulty{room: tt.room, fails: tt.fails}, path, content(tt.text))
			if !errors.Is(err, tt.cause) {
				t.Fatalf("error %v does not wrap %v", err, tt.cause)
			}
			for _, w := range append(tt.want, path) {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q lacks %q", err, w)
				}
			}
			if got := mustRead(t, path); got != "old" {
				t.Errorf("old file now holds %q", got)
			}
			if got := names(t, dir); got != "model" {
				t.Errorf("directory holds %q, want only the old file", got)
			}
		})
	}
}

func TestOrderOfOperations(t *testing.T) {
	sys := &faulty{room: 1 << 30}
	if err := writeOn(sys, filepath.Join(t.TempDir(), "f"), content("new")); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(sys.calls, ", ")
	if want := "create, write, sync, close, rename, sync directory"; got != want {
		t.Errorf("operations %s, want %s", got, want)
	}
}

func TestDirectoryFlushFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	err := writeOn(&faulty{room: 1 << 30, fails: map[string]error{"sync directory": syscall.EIO}}, path, content("new"))
	if !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "in place") {
		t.Errorf("error %v", err)
	}
	if got := mustRead(t, path); got != "new" {
		t.Errorf("file holds %q", got)
	}
}

func TestErrorOfTheCallerIsKept(t *testing.T) {
	dir := t.TempDir()
	cause := errors.New("no such run")
	err := Write(filepath.Join(dir, "f"), func(w io.Writer) error {
		io.WriteString(w, "half")
		return cause
	})
	if !errors.Is(err, cause) {
		t.Errorf("error %v does not wrap %v", err, cause)
	}
	if got := names(t, dir); got != "" {
		t.Errorf("left behind: %s", got)
	}
}

func TestPanicRemovesTheTemporaryFile(t *testing.T) {
	dir := t.TempDir()
	func() {
		defer func() { recover() }()
		Write(filepath.Join(dir, "f"), func(io.Writer) error { panic("bug") })
	}()
	if got := names(t, dir); got != "" {
		t.Errorf("left behind: %s", got)
	}
}

func TestReplaceKeepsModeAndLink(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "run-7"), filepath.Join(dir, "latest")
	if err := os.WriteFile(path, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("run-7", link); err != nil {
		t.Fatal(err)
	}
	big := bytes.Repeat([]byte("spike"), bufferBytes)
	if err := Write(link, content(string(big))); err != nil {
		t.Fatal(err)
	}
	if got := mustRead(t, path); got != string(big) {
		t.Errorf("file holds %d bytes, want %d", len(got), len(big))
	}
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("link became %v (%v)", info.Mode(), err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, want 0640", info.Mode())
	}
}

func TestLeftoverOfAKilledProcessIsPassedOver(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".f.0.tmp"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "f"), content("new")); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); got != ".f.0.tmp f" {
		t.Errorf("directory holds %s", got)
	}
}

func TestBadTargets(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plain"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "dangling")); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ path, want string }{
		{dir, "not a regular file"},
		{filepath.Join(dir, "missing", "f"), "create the directory first"},
		{filepath.Join(dir, "plain", "f"), "create the directory first"},
		{filepath.Join(dir, strings.Repeat("n", 300)), "shorter file name"},
		{filepath.Join(dir, "dangling"), "no such file"},
	}
	for _, tt := range tests {
		if err := Write(tt.path, content("x")); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Write(%s): error %v, want %q", tt.path, err, tt.want)
		}
	}
	if got := names(t, dir); got != "dangling plain" {
		t.Errorf("directory holds %s", got)
	}
}

func TestReadOnlyDirectory(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write to any directory")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	err := Write(filepath.Join(dir, "f"), content("x"))
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "writable") {
		t.Errorf("error %v", err)
	}
}

// Clean removes what a killed Write left, and nothing that is not named like it.
func TestClean(t *testing.T) {
	dir := t.TempDir()
	left := []string{".a.safetensors.0.tmp", ".b.999.tmp"}
	kept := []string{"a.0.tmp", ".a.tmp", ".a.0.tmp.bak", ".0.tmp", ".a.1000.tmp"}
	for _, name := range append(left, kept...) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, ".folder.0.tmp"), 0o755); err != nil { // no file of ours
		t.Fatal(err)
	}
	if err := Clean(dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(kept)+1 {
		t.Errorf("%v, %v; want %q and the folder", entries, err, kept)
	}
	if err := Clean(filepath.Join(dir, "none")); err != nil {
		t.Errorf("without a directory: %v", err)
	}
}
