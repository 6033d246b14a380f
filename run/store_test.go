package run

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

const result = `{"recipe":"r","scale":"short","seed":7,"wall_seconds":2.5,"metrics":{"test_loss":null,"test_accuracy":90},"claims":[{"id":"c","measured":90,"verdict":"met"}],"weights_sha256":"ab","more":1}`

// Each status is told by what is in the directory, and runs within runs belong
// to them.
func TestList(t *testing.T) {
	root := t.TempDir()
	start := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	for i, name := range []string{"old", "new"} {
		if _, err := Start(filepath.Join(root, name), Record{Recipe: "r", Scale: "full", Seed: 3, Started: start.Add(time.Duration(i) * time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(root, "old", "result.json"), result)
	put(t, filepath.Join(root, "old", "seed-2", "config.yaml"), "seed: 2\n")
	put(t, filepath.Join(root, "new", "checkpoints", "step-000000001.safetensors"), "x")
	put(t, filepath.Join(root, "group", "bare", "config.yaml"), "seed: 1\n")
	put(t, filepath.Join(root, "no run", "notes.txt"), "")
	runs, err := List(root)
	if err != nil || len(runs) != 3 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	byName := map[string]Info{}
	for _, r := range runs {
		byName[r.Name] = r
	}
	if r := byName["old"]; r.Status != Done || r.Seed != 7 || r.Scale != "short" || r.Result.Metrics["test_loss"] != nil || *r.Result.Metrics["test_accuracy"] != 90 || !r.Started.Equal(start) {
		t.Errorf("finished: %+v", r)
	}
	if r := byName["new"]; r.Status != Interrupted || r.Recipe != "r" || r.Scale != "full" || r.Seed != 3 {
		t.Errorf("interrupted: %+v", r)
	}
	if r := byName["bare"]; r.Status != Empty || r.Started.IsZero() || string(r.Config) != "seed: 1\n" {
		t.Errorf("without a record: %+v", r)
	}
	if runs[0].Name != "bare" || runs[1].Name != "new" { // bare was written now
		t.Errorf("order: %s, %s, %s", runs[0].Name, runs[1].Name, runs[2].Name)
	}
	if none, err := List(filepath.Join(root, "absent")); err != nil || len(none) != 0 {
		t.Errorf("absent: %v, %v", none, err)
	}
}

// A run is found by name and by directory; a wrong name gets the ones there are.
func TestFind(t *testing.T) {
	root := t.TempDir()
	put(t, filepath.Join(root, "a", "config.yaml"), "")
	for _, name := range []string{"a", filepath.Join(root, "a")} {
		if r, err := Find(root, name); err != nil || r.Name != "a" {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	if _, err := Find(root, "b"); err == nil || !strings.Contains(err.Error(), "there are: a") {
		t.Errorf("%v", err)
	}
	if _, err := Find(t.TempDir(), "b"); err == nil || !strings.Contains(err.Error(), "synfire run") {
		t.Errorf("%v", err)
	}
	put(t, filepath.Join(root, "a", "result.json"), "{")
	if _, err := Find(root, "a"); err == nil || !strings.Contains(err.Error(), "result.json") {
		t.Errorf("damaged: %v", err)
	}
}

// A run in a directory that another process holds is running.
func TestRunning(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	held, err := Open(dir, []byte("seed: 1\n"), false)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := Read(dir); err != nil || r.Status != Running {
		t.Errorf("held: %s, %v", r.Status, err)
	}
	held.Close()
	if r, err := Read(dir); err != nil || r.Status != Empty {
		t.Errorf("let go: %s, %v", r.Status, err)
	}
}

// A study that is interrupted within a job is to be resumed, and while a job is at work
// the study is running: jobs have directories of their own within the study's.
func TestStatusOfStudies(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "study")
	if _, err := Start(dir, Record{Recipe: "r"}); err != nil {
		t.Fatal(err)
	}
	status := func(want Status) {
		t.Helper()
		if r, err := Read(dir); err != nil || r.Status != want {
			t.Errorf("%s, %v; want %s", r.Status, err, want)
		}
	}
	status(Empty)
	job := open(t, filepath.Join(dir, "job[1]-s1"), false)
	status(Running)
	job.Close()
	status(Empty)
	job = open(t, filepath.Join(dir, "job[1]-s1"), false)
	save3(t, job, 1)
	job.Close()
	status(Interrupted)
	put(t, filepath.Join(dir, resultFile), result)
	status(Done)
}

// Figures that a study keeps of a network that it did not train are saved as well.
func TestStatusOfFigures(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "study")
	if _, err := Start(dir, Record{Recipe: "r"}); err != nil {
		t.Fatal(err)
	}
	path := FiguresFile(filepath.Join(dir, "net-s1"), "soft")
	put(t, filepath.Join(filepath.Dir(path), "other"), "")
	if r, err := Read(dir); err != nil || r.Status != Empty {
		t.Errorf("%s, %v; want empty", r.Status, err)
	}
	put(t, path, "figures")
	if r, err := Read(dir); err != nil || r.Status != Interrupted {
		t.Errorf("%s, %v; want interrupted", r.Status, err)
	}
}

// What Start made is taken back where the run did not begin, and nothing else.
func TestAbandon(t *testing.T) {
	root := filepath.Join(t.TempDir(), "runs")
	dir := filepath.Join(root, "a")
	abandon, err := Start(dir, Record{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	abandon()
	if _, err := os.Stat(root); err == nil {
		t.Error("a run that did not begin left a folder")
	}
	if abandon, err = Start(dir, Record{Seed: 1}); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "config.yaml"), "")
	abandon()
	again, err := Start(dir, Record{Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	again()
	if r, err := Read(dir); err != nil || r.Seed != 1 {
		t.Errorf("seed %d, %v: the record of the first start stays", r.Seed, err)
	}
}

// A difference is as short as the longest common subsequence allows, and each
// of its lines is one of its text.
func TestDiff(t *testing.T) {
	if got := diff([]string{"a", "b", "c"}, []string{"a", "x", "c", "d"}); len(got) != 3 || got[0] != (Line{'-', "b"}) || got[1] != (Line{'+', "x"}) || got[2] != (Line{'+', "d"}) {
		t.Errorf("%v", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 8)
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		if got, want := len(diff(a, b)), edits(a, b); got != want {
			t.Fatalf("%v and %v: %d lines, want %d", a, b, got, want)
		}
		if len(diff(a, a)) != 0 {
			t.Fatalf("%v differs from itself", a)
		}
	})
}

// edits is the least number of lines to remove and add, by its definition.
func edits(a, b []string) int {
	switch {
	case len(a) == 0 || len(b) == 0:
		return len(a) + len(b)
	case a[0] == b[0]:
		return edits(a[1:], b[1:])
	}
	return 1 + min(edits(a[1:], b), edits(a, b[1:]))
}

// A run that failed before anything was saved left its directory, and the next one was
// called NAME-2.
func TestRunThatNeverBeganLeavesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "runs", "net-s1")
	abandon, err := Start(dir, Record{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	d, err := Open(dir, []byte("seed: 1\n"), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	abandon()
	if _, err := os.Stat(filepath.Dir(dir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
	if abandon, err = Start(dir, Record{Seed: 1}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	abandon()
	if _, err := os.Stat(filepath.Join(dir, recordFile)); err != nil {
		t.Errorf("a directory with other files was taken away: %v", err)
	}
}

// A file that cannot be read is an error that names the run, not a run without it: here
// its metrics are well, and its record, its result and what tells how far it came are not.
func TestUnreadableRuns(t *testing.T) {
	for name, damage := range map[string]func(dir string){
		"record": func(dir string) { put(t, filepath.Join(dir, "run.json"), "{") },
		"result": func(dir string) { put(t, filepath.Join(dir, "result.json"), "{") },
		"record's folder": func(dir string) {
			put(t, filepath.Join(dir, "run.json", "file"), "")
		},
		"checkpoints": func(dir string) { put(t, filepath.Join(dir, "checkpoints"), "no folder") },
	} {
		dir := filepath.Join(t.TempDir(), "one")
		put(t, filepath.Join(dir, "config.yaml"), "seed: 1\n")
		if _, err := Read(dir); err != nil {
			t.Fatal(err)
		}
		damage(dir)
		if r, err := Read(dir); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}
