package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A module of one function, of which the tests notice some faults.
const (
	source = `package clip

import "errors"

func Clip(x, most int) (int, error) {
	if most < 0 {
		return 0, errors.New("negative")
	}
	if x > most {
		x = most
	}
	return x, nil
}

type list[T any] []T

func (list[T]) first(_ string, xs ...T) T { return xs[0] }

func sum[T int | float64](_ string, xs []T) (total T) {
	for _, x := range xs {
		total += x
	}
	return
}

var start = 5
`
	tests = `package clip

import "testing"

func TestClip(t *testing.T) {
	if x, err := Clip(7, 3); x != 3 || err != nil {
		t.Error(x, err)
	}
	if x, _ := Clip(2, 3); x != 2 {
		t.Error(x)
	}
	if x := sum("", []int{1, 2}) + (list[int]{}).first("", 4, 5) + start; x != 12 {
		t.Error(x)
	}
}
`
)

func module(t *testing.T) string {
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module clip\n\ngo 1.26\n", "clip.go": source, "clip_test.go": tests} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Each fault changes its place alone, and what comes of it is still a program
// by its grammar, but for a statement left out of a header.
func TestMutants(t *testing.T) {
	dir := module(t)
	all, statements, err := mutants("clip", dir, []string{"clip.go"})
	if err != nil || statements != 9 {
		t.Fatalf("%d statements, %v", statements, err)
	}
	var got []string
	for _, m := range all {
		got = append(got, m.Kind+" "+m.Old+" → "+m.New)
		if _, err := parser.ParseFile(token.NewFileSet(), "", slices.Concat([]byte(source[:m.from]), []byte(m.New), []byte(source[m.to:])), 0); err != nil {
			t.Errorf("%s: %v", m.Key(), err)
		}
	}
	want := []string{
		"negation most < 0 → !(most < 0)", "border < → <=", "comparison < → >", "constant 0 → (0 + 1)",
		`nil error errors.New("negative") → nil`, "constant 0 → (0 + 1)",
		"negation x > most → !(x > most)", "border > → >=", "comparison > → <", "removed statement x = most → if false { x = most }",
		"constant 0 → (0 + 1)", "loop bound xs → xs[1:]", "removed statement total += x → if false { total += x }", "arithmetic += → -=",
		"constant 5 → (5 + 1)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("faults:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// All faults of the module are tried once, and the log is enough for a second
// run.
func TestMutate(t *testing.T) {
	o := options{root: module(t), number: 15, tests: ".", log: filepath.Join(t.TempDir(), "log")}
	var first, second strings.Builder
	if err := mutate(o, nil, &first); err != nil {
		t.Fatal(err)
	}
	trials, err := readLog(o.log)
	if err != nil || len(trials) != 15 {
		t.Fatalf("%d trials, %v", len(trials), err)
	}
	count := map[string]int{}
	for _, trial := range trials {
		count[trial.Status]++
	}
	// The borders and what belongs to the error survive.
	if count[Killed] != 10 || count[Survived] != 5 {
		t.Errorf("verdicts %v\n%s", count, first.String())
	}
	if err := mutate(o, nil, &second); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(first.String(), second.String()) || !strings.Contains(second.String(), "| all | 15 | 10 | 5 | 66.7 % |") {
		t.Errorf("the second run is no report of the first:\n%s", second.String())
	}
}
