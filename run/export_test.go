package run

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A cell is empty where a run has no figure, and else says it.
func TestWriteRows(t *testing.T) {
	at, wall, accuracy := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC), 12.5, 98.25
	var b strings.Builder
	err := WriteRows(&b, []Row{
		{Run: "a", Recipe: "r", Scale: "full", Seed: 3, Status: Done, Started: &at, WallSeconds: &wall, Metrics: map[string]*float64{"accuracy": &accuracy, "rate": nil}},
		{Run: "b", Seed: 4, Status: Running},
	})
	const want = "run,recipe,scale,seed,status,started,wall_seconds,accuracy\na,r,full,3,done,2026-11-25T10:00:00Z,12.5,98.25\nb,,,4,running,,,\n"
	if err != nil || b.String() != want {
		t.Errorf("%v\n%s\nwant\n%s", err, b.String(), want)
	}
}

// A result that is no JSON is an error that names it.
func TestDamagedResult(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "r")
	if _, err := Start(dir, Record{Recipe: "r", Scale: "full"}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "result.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "result.json") {
		t.Errorf("error %v", err)
	}
}
