package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What becomes of a mutant.
const (
	Killed   = "killed"
	Timeout  = "timeout" // tests that no longer end have noticed too
	Survived = "survived"
	Bare     = "not reached" // no test comes by: it survives as well
	Invalid  = "invalid"     // does not compile, and counts nowhere
)

// Trial is a line of the log: a mutant and what became of it.
type Trial struct {
	Mutant
	Status  string  `json:"status"`
	By      string  `json:"by,omitempty"` // the first test that failed
	Seconds float64 `json:"seconds"`
}

// suite is the tests of one package in one build, and which lines of the
// package under trial each of them reaches.
type suite struct {
	pack
	tags   string
	probed bool
	tests  []test
}

type test struct {
	name    string
	time    time.Duration
	reached map[string][]block // by import path and file
	blocks  map[string][]block // reached or not
}

// block is a stretch of a file that runs as a whole.
type block struct{ line, column, endLine, endColumn int }

func (b block) holds(m Mutant) bool {
	started := b.line < m.Line || b.line == m.Line && b.column <= m.Column
	ended := b.endLine < m.Line || b.endLine == m.Line && b.endColumn <= m.Column
	return started && !ended
}

// probe runs each test of s alone, without a fault, and notes what it reaches
// of the package on trial. Tests must pass.
func (s *suite) probe(target, scratch string) error {
	if s.probed {
		return nil
	}
	s.probed = true
	binary, profile := filepath.Join(scratch, "cover.test"), filepath.Join(scratch, "cover.out")
	args := []string{"test", "-c", "-cover", "-coverpkg=" + target, "-vet=off", "-tags=" + s.tags, "-o", binary, s.ImportPath}
	if out, err := run(s.Dir, time.Hour, nil, "go", args...); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	list, err := run(s.Dir, time.Hour, nil, binary, "-test.list=.")
	if err != nil {
		return fmt.Errorf("list the tests of %s: %w\n%s", s.ImportPath, err, list)
	}
	for _, name := range strings.Fields(string(list)) {
		if strings.HasPrefix(name, "Benchmark") {
			continue
		}
		start := time.Now()
		out, err := run(s.Dir, time.Hour, nil, binary, "-test.short", "-test.run=^"+name+"$", "-test.coverprofile="+profile)
		if err != nil {
			return fmt.Errorf("%s of %s fails without a fault: %w\n%s", name, s.ImportPath, err, out)
		}
		t := test{name: name, time: time.Since(start), reached: map[string][]block{}, blocks: map[string][]block{}}
		if err := t.read(profile); err != nil {
			return err
		}
		s.tests = append(s.tests, t)
	}
	slices.SortStableFunc(s.tests, func(a, b test) int { return cmp.Compare(a.time, b.time) })
	return nil
}

func (t *test) read(profile string) error {
	text, err := os.ReadFile(profile)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		at := strings.LastIndexByte(line, ':')
		fields := strings.FieldsFunc(line[at+1:], func(r rune) bool { return strings.ContainsRune("., \n", r) })
		if len(fields) != 6 { // the line of the mode
			continue
		}
		var v [6]int
		for i, f := range fields {
			if v[i], err = strconv.Atoi(f); err != nil {
				return fmt.Errorf("coverage %q: %w", strings.TrimSpace(line), err)
			}
		}
		file, b := line[:at], block{v[0], v[1], v[2], v[3]}
		t.blocks[file] = append(t.blocks[file], b)
		if v[5] > 0 {
			t.reached[file] = append(t.reached[file], b)
		}
	}
	return nil
}

// reaches tells whether the test runs the place of m. What stands in no block,
// as the constants and tables of a package, every test reaches.
func (t *test) reaches(m Mutant) bool {
	file := m.Package + "/" + m.File
	holds := func(b block) bool { return b.holds(m) }
	return slices.ContainsFunc(t.reached[file], holds) || !slices.ContainsFunc(t.blocks[file], holds)
}

// try runs those tests of s that reach m, the quickest first.
func (s *suite) try(m Mutant, overlay string) (status, by string) {
	var names []string
	limit := time.Minute
	for _, t := range s.tests {
		if t.reaches(m) {
			names = append(names, t.name)
			limit += 5 * t.time
		}
	}
	if names == nil {
		return Bare, ""
	}
	args := []string{"test", "-short", "-failfast", "-vet=off", "-count=1", "-ldflags=-s -w", "-tags=" + s.tags,
		"-timeout=" + limit.String(), "-run=^(" + strings.Join(names, "|") + ")$", s.ImportPath}
	// The overlay goes by the environment: tests that call go see it too.
	out, err := run(s.Dir, limit+5*time.Minute, []string{"GOFLAGS=" + os.Getenv("GOFLAGS") + " -overlay=" + overlay}, "go", args...)
	if err == nil {
		return Survived, ""
	}
	return verdict(string(out))
}

// verdict reads what a failed go test printed.
func verdict(out string) (status, by string) {
	switch {
	case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
		return Invalid, ""
	case strings.Contains(out, "test timed out"):
		return Timeout, ""
	}
	_, name, _ := strings.Cut(out, "--- FAIL: ")
	name, _, _ = strings.Cut(name, " ")
	return Killed, name
}

// run returns all that a program prints; one that takes longer than the limit
// is ended.
func run(dir string, limit time.Duration, env []string, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = dir, append(os.Environ(), env...), 10*time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if ctx.Err() != nil {
		out.WriteString("\ntest timed out")
	}
	return out.Bytes(), err
}

// write puts the mutant beside the tree and returns the file that tells the
// compiler of it.
func (m Mutant) write(dir, scratch string) (overlay string, err error) {
	path := filepath.Join(dir, m.File)
	src, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	mutated := filepath.Join(scratch, "mutant.go")
	if err := os.WriteFile(mutated, m.Apply(src), 0o644); err != nil {
		return "", err
	}
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{path: mutated}})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(scratch, "overlay.json")
	return overlay, os.WriteFile(overlay, list, 0o644)
}
