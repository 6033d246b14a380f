package command

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"synfire/recipe"
	"synfire/report"
)

// A run of a program without a stamp names the commit that it began at, though the
// directory moves on while it runs.
func TestCommitIsThatOfTheStart(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	t.Chdir(t.TempDir())
	git := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@localhost"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	if err := os.WriteFile("go.mod", []byte("module synfire\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	git("init", "-q")
	git("add", "go.mod")
	git("commit", "-qm", "first")
	first := git("rev-parse", "HEAD")

	var out, errOut bytes.Buffer
	r := recipe.Recipe{ID: "none", Paper: "none", Title: "Nothing", Run: func(context.Context, *recipe.Env) (*recipe.Outcome, error) {
		git("commit", "-qm", "second", "--allow-empty")
		return &recipe.Outcome{Page: func(r report.Run) report.Page { return report.Page{Title: "Nothing", Facts: r.Facts()} }}, nil
	}}
	a := newApp(context.Background(), testProgram(), &out, &errOut)
	if err := a.runRecipe(r, report.Smoke, 1, "none", runFlags{Threads: 1, Out: "run", JSON: true}); err != nil {
		t.Fatal(err)
	}
	var result struct{ Commit string }
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		t.Fatal(err)
	}
	if result.Commit != first || git("rev-parse", "HEAD") == first {
		t.Errorf("the run names commit %s, and it began at %s", result.Commit, first)
	}
}
