package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// What becomes of a mutant.
const (
	Killed   = "killed"
	Timeout  = "timeout" // tests that no longer end have noticed too
	Survived = "survived"
	Bare     = "not called" // no test calls the function: it survives as well
	Invalid  = "invalid"    // does not compile, and counts nowhere
)

// Trial is a line of the log: a mutant and what became of it.
type Trial struct {
	Mutant
	Status  string  `json:"status"`
	By      string  `json:"by,omitempty"` // the first test that failed
	Seconds float64 `json:"seconds"`
}

func (t Trial) survived() bool { return t.Status == Survived || t.Status == Bare }

// suite is the tests of one package in one build, compiled with the faults of
// another or the same package.
type suite struct {
	pack
	tags, binary string
	pattern      string // of the tests
	short        string // how the test program is told to be short, or not
	tests        []test
}

type test struct {
	name  string
	time  time.Duration
	calls map[string]bool // by fault: whether the test calls its function
}

func (s *suite) compile(overlay, binary string) error {
	out, err := run(s.Dir, time.Hour, nil, "go", "test", "-c", overlay, "-vet=off", "-ldflags=-s -w", "-tags="+s.tags, "-o", binary, ".")
	if err != nil {
		return fmt.Errorf("the tests of %s do not compile: %w\n%s", s.ImportPath, err, out)
	}
	return nil
}

// probe runs each test of s alone, without a fault, and notes what it calls.
// A test that fails so is left out, and named.
func (s *suite) probe(scratch string, progress io.Writer) error {
	list, err := run(s.Dir, time.Hour, nil, s.binary, "-test.list="+s.pattern)
	if err != nil {
		return fmt.Errorf("list the tests of %s: %w\n%s", s.ImportPath, err, list)
	}
	called := filepath.Join(scratch, "called")
	for _, name := range strings.Fields(string(list)) {
		if strings.HasPrefix(name, "Benchmark") {
			continue
		}
		if err := os.WriteFile(called, nil, 0o644); err != nil {
			return err
		}
		t := test{name: name, calls: map[string]bool{}}
		start := time.Now()
		if out, err := run(s.Dir, time.Hour, []string{variable + "=" + called}, s.binary, s.short, "-test.run=^"+name+"$"); err != nil {
			fmt.Fprintf(progress, "left out: %s of %s fails without a fault: %v\n%s\n", name, s.ImportPath, err, out)
			continue
		}
		t.time = time.Since(start)
		text, err := os.ReadFile(called)
		if err != nil {
			return err
		}
		for _, id := range strings.Fields(string(text)) {
			t.calls[id] = true
		}
		s.tests = append(s.tests, t)
	}
	slices.SortStableFunc(s.tests, func(a, b test) int { return cmp.Compare(a.time, b.time) })
	return nil
}

// try runs those tests of s that call the function of a fault. All do where it
// stands in none.
func (s *suite) try(binary, id string, everywhere bool) (status, by string) {
	var names []string
	limit := 30 * time.Second
	for _, t := range s.tests {
		if everywhere || t.calls[id] {
			names = append(names, t.name)
			limit += 5 * t.time
		}
	}
	if names == nil {
		return Bare, ""
	}
	out, err := run(s.Dir, limit+time.Minute, []string{variable + "=" + id}, binary,
		s.short, "-test.failfast", "-test.timeout="+limit.String(), "-test.run=^("+strings.Join(names, "|")+")$")
	if err == nil {
		return Survived, ""
	}
	if bytes.Contains(out, []byte("test timed out")) {
		return Timeout, ""
	}
	_, name, _ := strings.Cut(string(out), "--- FAIL: ")
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
