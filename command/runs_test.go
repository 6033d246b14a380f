package command

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"synfire/report"
	"synfire/run"
)

// A finished run is listed, shown, exported; taken back to an earlier
// checkpoint it counts as interrupted, and resumes to the same weights.
func TestRuns(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "first")
	stdout, stderr, code := command("train", write(t, "net.yaml", strings.Replace(tinyNet, "batch: 20", "batch: 20\nepochs: 2\nvalid: 0\nwatch-test: true", 1)), "--out", dir, "--json")
	if code != 0 {
		t.Fatal(stderr)
	}
	var first report.Run
	strict(t, stdout, &first)

	type row struct {
		Run, Recipe, Scale, Status *string
		Seed                       *uint64
		Started                    *time.Time
		WallSeconds                *float64 `json:"wall_seconds"`
		Metrics                    map[string]*float64
	}
	list := func() row {
		stdout, stderr, code := command("runs", "list", "--in", root, "--json")
		var rows []row
		strict(t, stdout, &rows)
		if code != 0 || len(rows) != 1 || *rows[0].Run != "first" || *rows[0].Recipe != "" || *rows[0].Seed != 1 || rows[0].Started == nil {
			t.Fatalf("runs list: exit code %d, %s, %s", code, stdout, stderr)
		}
		return rows[0]
	}
	if r := list(); *r.Status != "done" || r.WallSeconds == nil || *r.Metrics["test_accuracy"] != first.Metrics["test_accuracy"] {
		t.Errorf("done: %+v", r)
	}
	stdout, _, code = command("runs", "show", "first", "--in", root, "--json")
	var shown report.Run
	strict(t, stdout, &shown)
	if code != 0 || shown.WeightsSHA256 != first.WeightsSHA256 {
		t.Errorf("runs show: %s", stdout)
	}
	stdout, _, code = command("runs", "export", "first", "--in", root)
	if table, err := csv.NewReader(strings.NewReader(stdout)).ReadAll(); code != 0 || err != nil || len(table) != 3 || table[0][0] != "epoch" || table[2][0] != "2" {
		t.Errorf("runs export: %v, %s", err, stdout)
	}
	stdout, _, _ = command("runs", "export", "first", "--in", root, "--format", "json")
	var epochs []run.Epoch
	strict(t, stdout, &epochs)
	if len(epochs) != 2 || epochs[1].Test["accuracy"] != first.Metrics["test_accuracy"] {
		t.Errorf("runs export: %s", stdout)
	}

	steps, _ := filepath.Glob(filepath.Join(dir, "checkpoints", "step-*"))
	for _, path := range []string{filepath.Join(dir, "result.json"), steps[len(steps)-1]} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if r := list(); *r.Status != "interrupted" || r.WallSeconds != nil {
		t.Errorf("interrupted: %+v", r)
	}
	if stdout, _, _ = command("runs", "show", dir); !strings.Contains(stdout, "synfire runs resume "+dir) {
		t.Errorf("shown:\n%s", stdout)
	}
	stdout, stderr, code = command("runs", "resume", "first", "--in", root, "--json")
	var resumed report.Run
	strict(t, stdout, &resumed)
	if code != 0 || resumed.WeightsSHA256 != first.WeightsSHA256 {
		t.Errorf("runs resume: exit code %d, weights %s, want %s: %s", code, resumed.WeightsSHA256, first.WeightsSHA256, stderr)
	}
	if _, stderr, code = command("runs", "resume", "first", "--in", root); code != exitUsage || !strings.Contains(stderr, "is done") {
		t.Errorf("resumed when done: exit code %d, %s", code, stderr)
	}
}

// A report that cannot be written, as on a full disk, leaves no run that is done: an
// older result is taken away before, and the new one is written last.
func TestNoResultWithoutReport(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	args := []string{"train", write(t, "net.yaml", tinyNet), "--out", dir, "--resume"}
	if _, stderr, code := command(args...); code != 0 {
		t.Fatal(stderr)
	}
	page := filepath.Join(dir, "report.html")
	if err := errors.Join(os.Remove(page), os.Mkdir(page, 0o755)); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := command(args...); code != exitFailed || !strings.Contains(stderr, "report.html") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if r, err := run.Read(dir); err != nil || r.Status != run.Interrupted {
		t.Errorf("status %s, %v", r.Status, err)
	}
	if err := os.Remove(page); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := command(args...); code != 0 {
		t.Fatal(stderr)
	}
	if r, err := run.Read(dir); err != nil || r.Status != run.Done {
		t.Errorf("with room again: status %s, %v", r.Status, err)
	}
}

func TestRunsDiff(t *testing.T) {
	root := t.TempDir()
	for name, config := range map[string]string{"a": "seed: 1\nsteps: 5\n", "b": "seed: 2\nsteps: 5\n"} {
		dir := filepath.Join(root, name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for file, content := range map[string]string{"config.yaml": config, "result.json": `{"seed":1,"metrics":{"loss":0.5},"weights_sha256":"` + name + `"}`} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	stdout, stderr, code := command("runs", "diff", "a", "b", "--in", root, "--json")
	var d run.Difference
	strict(t, stdout, &d)
	if code != 0 || len(d.Config) != 2 || d.Config[0] != "- seed: 1" || d.Config[1] != "+ seed: 2" || d.Metrics["loss"] != [2]any{0.5, 0.5} || d.Weights != "differ" {
		t.Errorf("exit code %d, %s, %s", code, stdout, stderr)
	}
	stdout, _, _ = command("runs", "diff", "a", "a", "--in", root)
	if !strings.Contains(stdout, "the configurations are the same") || !strings.Contains(stdout, "weights  same") {
		t.Errorf("a with a:\n%s", stdout)
	}
	stdout, _, _ = command("runs", "list", "--in", filepath.Join(root, "none"), "--json")
	if strings.TrimSpace(stdout) != "[]" || !json.Valid([]byte(stdout)) {
		t.Errorf("no runs: %s", stdout)
	}
}
