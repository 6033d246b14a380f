package run_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"synfire/run"
)

// A run is recorded when it starts, and listed with how far it came.
func Example() {
	root, err := os.MkdirTemp("", "runs")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(root)
	started := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	if _, err := run.Start(filepath.Join(root, "first"), run.Record{Recipe: "quickstart", Scale: "short", Seed: 1, Started: started}); err != nil {
		log.Fatal(err)
	}
	runs, err := run.List(root)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range runs {
		fmt.Println(r.Name, r.Recipe, r.Scale, r.Status)
	}
	// Output: first quickstart short empty
}
